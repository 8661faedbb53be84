"""The mesh of a made-up person: the model's head with hair, on a neck that bends, and a torso."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face.camera import Camera, Pose
from osmnet_sdk.face.fit import FaceFit
from osmnet_sdk.face.model import PARTS, FaceModel
from osmnet_sdk.rendering.guided.frame import relative_pose
from osmnet_sdk.rendering.warp.geometry import EYES_BACK, exact_shapes, smoothstep
from osmnet_sdk.rendering.warp.raster import vertex_normals

Float = NDArray[np.float32]
Array = NDArray[np.float64]

AXIS = 0.02
"""Depth in metres of the vertical axis around which the head's surface is unrolled."""
NECK = len(PARTS)
"""Part of the triangles between the head's lower edge and the shoulders; `PARTS` come first."""
TORSO = NECK + 1
_ROWS = (  # y, half width, half depth, middle's depth
    (-0.112, 0.060, 0.056, -0.010), (-0.128, 0.072, 0.062, -0.016), (-0.138, 0.110, 0.072, -0.02),
    (-0.154, 0.155, 0.080, -0.024), (-0.190, 0.185, 0.088, -0.024), (-0.280, 0.200, 0.100, -0.02),
    (-0.600, 0.210, 0.115, -0.02),
)  # fmt: skip
"""Rings of neck and torso, metres in the average head's frame."""
_NECK_BEND = 0.05
"""Metres from the head's lower edge over which the neck takes on the head's motion."""
_FOLLOWS = np.array([0.03, 0.15, 0.15])
"""Share of the head's pitch, yaw and roll that the torso makes."""
_FOLLOWS_SHIFT = 0.4
"""The same of its movement."""
_MOUTHS = {
    "upper_teeth": (0.0, (0.0, 0.0015, 0.0008)),
    "lower_teeth": (0.004, (0.0, 0.0015, 0.0008)),
    "tongue": (0.001, (0.0, 0.0015, 0.002)),
}
"""By how much parts of a mouth lie lower than the model's, whose lower teeth reach a centimetre up
behind the upper ones, and standard deviations of their places, metres."""


def unrolled(points: NDArray[np.floating]) -> Float:
    """(N, 2) of points (N, 3) of a head: angle around it in radians, 0 in front, and height."""
    return np.stack(
        [np.arctan2(points[:, 0], points[:, 2] - AXIS), points[:, 1]], axis=1
    ).astype(np.float32)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SyntheticMesh:
    """A made-up head that can be posed. V vertices of the model, then those of the torso.

    Attributes:
        model: the morphable model.
        identity: (K,) standard deviations.
        offset: (V, 3) metres by which this head differs from the model's, in the head frame: hair,
            places of teeth and tongue.
        rest: where head and torso are when nothing moves.
        camera: of the pictures.
    """

    model: FaceModel
    identity: Array
    offset: Float
    rest: Pose
    camera: Camera

    @cached_property
    def head(self) -> Float:
        """(V, 3) vertices of this head without expression."""
        return self.model.vertices(self.identity) + self.offset

    @cached_property
    def _shapes(self) -> Float:
        still = FaceFit(self.identity, np.zeros(52), self.rest, self.camera, 0.0)
        return exact_shapes(self.model, self.model.vertices(self.identity), still)[0]

    @cached_property
    def _edge(self) -> NDArray[np.intp]:
        """Vertices around the neck's lower edge, by their angle."""
        triangles = self.model.triangles_of("skin", "mouth_cavity", "eye_socket")
        sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        pairs, count = np.unique(sides, axis=0, return_counts=True)
        found = np.unique(pairs[count == 1])
        return np.asarray(found[np.argsort(np.arctan2(*self.model.mean[found][:, [0, 2]].T))])

    @cached_property
    def neck_share(self) -> Float:
        """(V,) how far a vertex moves with the head, 0 at the neck's lower edge."""
        mean = self.model.mean
        away = np.linalg.norm(mean[:, None] - mean[self._edge][None], axis=-1).min(1)
        share = smoothstep(away / _NECK_BEND)
        inner = np.setdiff1d(np.arange(len(mean)), np.unique(self.model.triangles_of("skin")))
        share[inner] = 1.0
        share[mean[:, 2] > 0.06] = 1.0  # the chin
        return share.astype(np.float32)

    @cached_property
    def torso(self) -> Float:
        """(N, 3) vertices below the head's lower edge, in the rest head's frame."""
        edge = self.head[self._edge]
        angle = np.arctan2(edge[:, 0], edge[:, 2] - edge[:, 2].mean())
        return np.concatenate([
            np.stack([x * np.sin(angle), np.full(len(angle), y), z + depth * np.cos(angle)], axis=1)
            for y, x, depth, z in _ROWS
        ]).astype(np.float32)  # fmt: skip

    @cached_property
    def triangles(self) -> NDArray[np.int32]:
        """(F, 3) of the model, then of the torso."""
        count, own = len(self._edge), len(self.model.mean)
        rows = [self._edge, *(own + np.arange(count) + count * i for i in range(len(_ROWS)))]
        strips = [self.model.triangles]
        for upper, lower in pairwise(rows):
            after, below = np.roll(upper, -1), np.roll(lower, -1)
            strips += [np.stack(part, axis=1) for part in
                       ((upper, lower, after), (after, lower, below))]  # fmt: skip
        return np.concatenate(strips).astype(np.int32)

    @cached_property
    def parts(self) -> NDArray[np.int32]:
        """(F,) part of each triangle: those of `PARTS`, then `NECK` and `TORSO`."""
        strip = 2 * len(self._edge)
        return np.concatenate(
            [self.model.parts, np.full(2 * strip, NECK), np.full((len(_ROWS) - 2) * strip, TORSO)]
        ).astype(np.int32)

    def expressed(self, expression: NDArray[np.floating]) -> Float:
        """(V, 3) vertices of the head with an expression (52,), in the head frame."""
        moved = np.einsum("k,kv->v", np.asarray(expression, np.float32), self._shapes)
        return np.asarray(self.head + moved.reshape(-1, 3), np.float32)

    def posed(self, head: Float, pose: Pose) -> Float:
        """Vertices before the camera, all of `triangles`, metres.

        Args:
            head: (V, 3) as `expressed` gives it.
            pose: of the head.
        """
        moved = relative_pose(self.rest, pose)
        base = self.rest.moved(_FOLLOWS * moved[:3], _FOLLOWS_SHIFT * moved[3:])
        share = self.neck_share[:, None]
        seen = _placed(head, pose) * share + _placed(head, base) * (1 - share)
        return np.concatenate([seen, _placed(self.torso, base)]).astype(np.float32)

    def project(self, seen: Float) -> Float:
        """Where the camera shows vertices (N, 3) before it: x, y in pixels and depth."""
        still = Pose(np.eye(3), np.zeros(3))
        points = self.camera.project(seen, still)
        points[np.unique(self.model.triangles_of("left_eye", "right_eye")), 2] += EYES_BACK
        return points.astype(np.float32)

    def landmarks(self, expression: NDArray[np.floating], pose: Pose) -> Array:
        """(478, 2) where the picture of an expression and pose shows the landmarks, pixels."""
        vertices = (self.expressed(expression) - self.offset).astype(np.float32)
        return self.camera.project(self.model.at_landmarks(vertices), pose)[:, :2]


def _placed(points: NDArray[np.floating], pose: Pose) -> Array:
    placed: Array = np.einsum("...j,ij->...i", points, pose.rotation) + pose.translation
    return placed


def hair_volume(model: FaceModel, share: NDArray[np.floating], thickness: float) -> Float:
    """(V, 3) offsets of skin that is covered with hair.

    Args:
        model: the morphable model.
        share: (V,) how much hair there is, 0 to 1.
        thickness: metres.
    """
    skin = model.triangles_of("skin")
    normals = vertex_normals(model.mean, skin)
    normals[np.setdiff1d(np.arange(len(normals)), skin)] = 0
    return (normals * (thickness * share)[:, None]).astype(np.float32)


def mouth_offset(model: FaceModel, draw: np.random.Generator) -> Float:
    """(V, 3) places of teeth and tongue, which differ from person to person."""
    offset = np.zeros_like(model.mean)
    for name, (down, spread) in _MOUTHS.items():
        vertices = np.unique(model.triangles_of(name))
        offset[vertices] = draw.normal(size=3).clip(-2, 2) * spread - [0, down, 0]
    return offset
