"""Pictures of made-up heads whose identity, pose and expression are known.

A head is the morphable model with a random shape and a random surface, drawn with the renderer's
own z-buffer in light that stays while the head turns. It need not look like a photograph: lids
close, mouths have an inside, and what a turn uncovers is what was hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.camera import Camera, Pose, rotation_matrix
from osmnet_sdk.face.model import PARTS, FaceModel
from osmnet_sdk.rendering.warp.mouth import tooth_coordinates
from osmnet_sdk.rendering.warp.raster import Coverage, interpolate, rasterize, vertex_normals
from osmnet_sdk.research.trainers.guided.synthetic.insides import (
    Insides,
    eye_colours,
    mouth_light,
    place_on_eyes,
    random_insides,
    tooth_colours,
)
from osmnet_sdk.research.trainers.guided.synthetic.mesh import (
    NECK,
    TORSO,
    SyntheticMesh,
    hair_volume,
    mouth_offset,
)
from osmnet_sdk.research.trainers.guided.synthetic.scene import random_background, random_light
from osmnet_sdk.research.trainers.guided.synthetic.skin import (
    Colours,
    hair_share,
    linear,
    positions,
    random_colours,
    random_surface,
)

Image = NDArray[np.uint8]
Float = NDArray[np.float32]

_SUPERSAMPLING = 2
_VARIETY = 0.85
"""Standard deviation of identity coefficients; with 1 some heads are caricatures."""
_NOSTRILS = -0.012
"""Height in metres over which what is called the mouth's cavity is the nose's."""
_HOLLOW = 250.0
"""Darkening for each metre by which a vertex lies below those around it."""
_EYES = [PARTS.index(name) for name in ("left_eye", "right_eye")]
_TEETH = [PARTS.index(name) for name in ("upper_teeth", "lower_teeth")]
_TONGUE, _CAVITY = PARTS.index("tongue"), PARTS.index("mouth_cavity")
_MOUTH = [*_TEETH, _TONGUE, _CAVITY]


@dataclass(frozen=True, eq=False)
class _Pixels:
    """The N pixels of a picture (h, w) that show the person.

    Attributes:
        shown: (h, w) bool, which they are.
        part: (N,) what each shows.
        values: (N, 12) normal, metres behind the lips, place on the surface, on eyes and on teeth,
            light in hollows, height on the average head.
    """

    shown: NDArray[np.bool_]
    part: NDArray[np.int32]
    values: Float

    @cached_property
    def normals(self) -> Float:
        """(N, 3) unit vectors."""
        found = self.values[:, :3]
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(length, 1e-6), np.float32)

    @property
    def hollow(self) -> Float:
        """(N,) light that reaches hollows, 0 to 1."""
        return self.values[:, 10]

    def surface(self, picture: Float) -> Float:
        """(N, 3) colours of the head's surface."""
        place = np.zeros((*self.shown.shape, 2), np.float32)
        place[self.shown] = self.values[:, 4:6]
        found = cv2.remap(picture, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found[self.shown], np.float32)

    def shadow(self, those: NDArray[np.bool_], sigma: float, down: float) -> Float:
        """Light on some of the pixels (N,) that lie behind an edge: less beside it, least above.

        Args:
            those: (N,) bool.
            sigma: reach of the shadow, pixels.
            down: by how much the upper edge's shadow is the larger, pixels.
        """
        mask = np.zeros(self.shown.shape, np.float32)
        mask[self.shown] = those
        soft = cv2.GaussianBlur(mask, (0, 0), sigma)
        move = np.array([[1, 0, 0], [0, 1, down]], np.float32)
        moved = cv2.warpAffine(soft, move, mask.shape[::-1])
        return np.asarray(moved[self.shown][those], np.float32)


class SyntheticHead:
    """A made-up person before a camera.

    Args:
        model: the morphable model.
        seed: decides everything about the person, the light and what is behind.
        size: height and width of pictures, pixels.
    """

    def __init__(self, model: FaceModel, seed: int, size: int) -> None:
        draw = np.random.default_rng(seed)
        self.size = size
        """Height and width of pictures, pixels."""
        camera = Camera.of_square(size)
        identity = (_VARIETY * draw.normal(size=model.identity_count)).clip(-2, 2)
        self.rest = Pose(
            rotation_matrix(draw.normal(size=3).clip(-2, 2) * (3.0, 5.0, 2.0)),
            np.array([draw.normal() * 0.006, -0.025 + draw.normal() * 0.006,
                      -draw.uniform(1.2, 1.45)]),
        )  # fmt: skip
        """Pose in which the person looks about at the camera."""
        line, bald = draw.normal() * 0.006, draw.random() < 0.15
        thickness = 0.0 if bald else draw.uniform(0.002, 0.018)
        offset = hair_volume(model, hair_share(model.mean, line), thickness)
        self.mesh = SyntheticMesh(
            model, identity, offset + mouth_offset(model, draw), self.rest,
            camera.scaled(_SUPERSAMPLING),
        )  # fmt: skip
        """What is drawn; its camera sees twice the size."""
        colours = random_colours(draw)
        self.surface = random_surface(
            model, draw, colours, line, hair=draw.uniform(0, 0.3) if bald else 1.0
        )
        self.looks: Insides = random_insides(draw, colours.skin)
        self.light = random_light(draw)
        self.clothes = linear(draw.uniform(10, 230, 3))
        self.colours: Colours = colours
        self._background = random_background(draw, size * _SUPERSAMPLING)
        self._softness = draw.uniform(0.4, 1.2)
        self._unit = size * _SUPERSAMPLING / 512
        self._values = self._vertex_values(model)

    @property
    def identity(self) -> NDArray[np.float64]:
        """(K,) coefficients of the shape."""
        return self.mesh.identity

    def landmarks(self, pose: Pose, expression: NDArray[np.floating]) -> NDArray[np.float64]:
        """(478, 2) where a picture shows the landmarks, pixels."""
        found = self.mesh.landmarks(expression, pose)
        return (found + 0.5) / _SUPERSAMPLING - 0.5

    def draw(self, pose: Pose, expression: NDArray[np.floating]) -> Image:
        """A picture (size, size, 3), uint8 RGB.

        Args:
            pose: of the head before the camera.
            expression: (52,) coefficients in [0, 1].
        """
        mesh, side = self.mesh, self.size * _SUPERSAMPLING
        head = mesh.expressed(expression)
        seen = mesh.posed(head, pose)
        cover = rasterize(mesh.project(seen), mesh.triangles, (side, side))
        own = np.zeros((len(seen), 4), np.float32)
        own[:, :3] = vertex_normals(seen, mesh.triangles)
        lips = mesh.model.at_landmarks(head)[[sets.UPPER_LIP, sets.LOWER_LIP]]
        own[: len(head), 3] = lips[:, 2].max() - head[:, 2]
        shown = cover.triangle >= 0
        pixels = Coverage(cover.triangle[shown], cover.weights[shown], cover.depth[shown])
        values = interpolate(pixels, mesh.triangles, np.concatenate([own, self._values], axis=1))
        picture = self._background.copy()
        picture[shown] = self._painted(
            _Pixels(shown, mesh.parts[pixels.triangle], values),
            max(0.0, float(lips[0, 1] - lips[1, 1])),
        )
        soft = cv2.GaussianBlur(picture, (0, 0), self._softness)
        small = cv2.resize(soft, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return np.asarray(255 * np.clip(small, 0, 1) ** (1 / 2.2) + 0.5, np.uint8)

    def _vertex_values(self, model: FaceModel) -> Float:
        """(V, 8): place on the surface, on eyes and on teeth; hollow; height."""
        values = np.zeros((len(model.mean) + len(self.mesh.torso), 8), np.float32)
        own = values[: len(model.mean)]
        own[:, :2], own[:, 2:4] = positions(model.mean), place_on_eyes(model)
        own[:, 4:6], own[:, 6] = tooth_coordinates(model), _hollow(self.mesh)
        own[:, 7] = model.mean[:, 1]
        values[len(own) :, 6] = 1
        return values

    def _painted(self, pixels: _Pixels, opening: float) -> Float:
        """Linear light (N, 3) of pixels; the lips are `opening` metres apart."""
        light = self.light
        level = light.level(pixels.normals) * pixels.hollow[:, None]
        colours = pixels.surface(self.surface)
        colours[pixels.part == NECK] = self.colours.skin
        colours[pixels.part == TORSO] = self.clothes
        colours *= level
        bare = pixels.part != TORSO
        colours[bare] += light.shine(pixels.normals[bare], 24)[:, None] * light.gloss
        self._paint_eyes(colours, pixels, level)
        self._paint_mouth(colours, pixels, opening)
        return colours

    def _paint_eyes(self, colours: Float, pixels: _Pixels, level: Float) -> None:
        eyes = np.isin(pixels.part, _EYES)
        if not eyes.any():
            return
        shade = pixels.shadow(eyes, 5 * self._unit, 3 * self._unit)[:, None]
        even = (self.light.around + 0.75 * self.light.lamp) * 0.6 + level[eyes] * 0.4
        found = eye_colours(self.looks, pixels.values[eyes][:, 6:8])
        found = found * even * np.clip(0.35 + 0.9 * shade, 0, 1)
        glint = self.light.shine(pixels.normals[eyes], 200)
        colours[eyes] = found + 0.8 * glint[:, None]

    def _paint_mouth(self, colours: Float, pixels: _Pixels, opening: float) -> None:
        """Teeth, tongue and cavity; the nose's inside belongs to the cavity too."""
        looks = self.looks
        nose = (pixels.part == _CAVITY) & (pixels.values[:, 11] > _NOSTRILS)
        colours[nose] = self.colours.skin * np.float32(0.12)
        mouth = np.isin(pixels.part, _MOUTH) & ~nose
        if not mouth.any():
            return
        part, values = pixels.part[mouth], pixels.values[mouth]
        wet = np.where((part == _TONGUE)[:, None], looks.tongue, looks.gum)
        wet = wet * (0.35 + 0.65 * np.clip(pixels.normals[mouth][:, 2:], 0, 1))
        for number in _TEETH:
            tooth = part == number
            own, there = tooth_colours(looks, values[tooth][:, 8:10], number == _TEETH[0])
            dark = looks.gum * np.float32(0.06)
            wet[tooth] = dark + (own - dark) * there[:, None]
        shade = pixels.shadow(mouth, 5 * self._unit, 4 * self._unit)[:, None]
        strength = self.light.around + 0.7 * self.light.lamp
        lit = wet * mouth_light(looks, values[:, 3], opening)[:, None]
        colours[mouth] = lit * strength * np.clip(0.25 + 0.95 * shade, 0, 1)


def _hollow(mesh: SyntheticMesh) -> Float:
    """(V,) light that reaches each vertex, less in hollows, 0 to 1."""
    points = mesh.head.astype(np.float64)
    triangles = mesh.model.triangles
    normals = vertex_normals(points, triangles)
    total, count = np.zeros_like(points), np.zeros(len(points))
    for first, second in ((0, 1), (1, 2), (2, 0)):
        np.add.at(total, triangles[:, first], points[triangles[:, second]])
        np.add.at(count, triangles[:, first], 1)
    away = ((total / np.maximum(count, 1)[:, None] - points) * normals).sum(1)
    return np.asarray(np.clip(1 - _HOLLOW * away, 0.45, 1.05), np.float32)
