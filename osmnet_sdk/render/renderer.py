"""Drawing one frame: pose the head, blend the flows, paint, then eyes, lids and mouth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.face.camera import Pose
from osmnet_sdk.face.model import PARTS
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.render.filling import continued
from osmnet_sdk.render.geometry import HeadGeometry, build_geometry
from osmnet_sdk.render.grid import build_grid
from osmnet_sdk.render.lids import shade_lid
from osmnet_sdk.render.mouth import MouthPainter
from osmnet_sdk.render.raster import Coverage, rasterize
from osmnet_sdk.render.shade import sample_layer, shade
from osmnet_sdk.render.textures import EYE_PARTS, MOUTH_PARTS, build_textures

Image = NDArray[np.uint8]
Float = NDArray[np.float32]

_SKIN, _EYE, _MOUTH = 0, 1, 2
_FEATHER = 0.06
"""Width of the soft edge between the moving part and the still photo, over the moving part's."""


@dataclass(frozen=True)
class View:
    """Which part of the photo a frame shows, and how large.

    Attributes:
        x: left edge in the photo's pixels (the edge of the pixel, not its centre).
        y: top edge.
        scale: frame pixels for each pixel of the photo.
        width: of the frame in pixels.
        height: of the frame in pixels.
    """

    x: float
    y: float
    scale: float
    width: int
    height: int

    def to_frame(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points (N, 2+) from the photo's pixels to frame pixels; other columns are kept."""
        result: Float = np.array(points, np.float32)
        result[:, :2] = (points[:, :2] + 0.5 - [self.x, self.y]) * self.scale - 0.5
        return result

    def still(self, photo: Image) -> Image:
        """The photo as this view shows it; beyond its edge its colours are carried on."""
        step = 1 / self.scale
        corner = (self.x + 0.5 * step - 0.5, self.y + 0.5 * step - 0.5)
        matrix = np.array([[step, 0, corner[0]], [0, step, corner[1]]])
        source = photo
        if step > 1:  # area-average first, or fine detail would alias
            sigma = 0.35 * np.sqrt(step**2 - 1)
            source = cv2.GaussianBlur(photo, (0, 0), sigma)
        picture = cv2.warpAffine(
            source,
            matrix,
            (self.width, self.height),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        outside = np.ones((self.height, self.width), np.uint8)
        rows = _within(self.y, self.height, step, photo.shape[0])
        columns = _within(self.x, self.width, step, photo.shape[1])
        outside[rows, columns] = 0
        return continued(np.asarray(picture, np.uint8), outside)


def _within(start: float, count: int, step: float, size: int) -> slice:
    """Which of `count` pixels of a frame lie on a photo of `size` pixels, or touch it."""
    first = int(np.ceil(-start / step - 0.5)) - 1
    last = int(np.ceil((size - start) / step - 0.5)) + 1
    return slice(max(0, first), max(0, last))


def crop_view(face: SourceFace, height: int, width: int) -> View:
    """The head crop, moved or shrunk to stay within the photo where it can, at a given size.

    A frame that is not square shows more of the photo along its longer side.
    """
    photo_height, photo_width = face.photo.shape[:2]
    side = min(face.crop.side, photo_width, photo_height)
    x = float(np.clip(face.crop.x + (face.crop.side - side) / 2, 0, photo_width - side))
    y = float(np.clip(face.crop.y + (face.crop.side - side) / 2, 0, photo_height - side))
    scale = min(height, width) / side
    return View(
        x - (width / scale - side) / 2, y - (height / scale - side) / 2, scale, width, height
    )


def photo_view(face: SourceFace) -> View:
    """The whole photo at its own resolution."""
    height, width = face.photo.shape[:2]
    return View(0.0, 0.0, 1.0, width, height)


class FrameRenderer:
    """Draws frames of one source face in one view; may be used from several threads.

    Args:
        face: the fitted photo.
        view: what the frames show.
    """

    def __init__(self, face: SourceFace, view: View) -> None:
        self.view = view
        self.geometry: HeadGeometry = build_geometry(face)
        self._grid = build_grid(self.geometry)
        self._textures = build_textures(self.geometry, min(1.0, 1.5 * view.scale))
        domain = self._textures.domain
        self._mesh_source = domain.to_picture(self.geometry.source).astype(np.float32)
        self._grid_source = domain.to_picture(self._grid.source).astype(np.float32)
        self._mouth = MouthPainter(self.geometry, self._textures, self._mesh_source)
        self._layer = np.full(len(face.model.triangles), _SKIN, np.int32)
        for names, layer in ((EYE_PARTS, _EYE), (MOUTH_PARTS, _MOUTH)):
            wanted = [PARTS.index(name) for name in names]
            self._layer[np.isin(face.model.parts, wanted)] = layer
        self._lash = self._textures.lash.astype(np.float32)
        self._pixels = view.scale * face.crop.side / 256.0
        self._frame_region()

    def _frame_region(self) -> None:
        """The part of the frame that can change, its background, and how it melts into the rest."""
        view, domain = self.view, self._textures.domain
        corners = np.array(
            [[domain.x, domain.y], [domain.x + domain.width, domain.y + domain.height]]
        )
        low, high = np.round((corners - [view.x, view.y]) * view.scale).astype(int)
        left, top = np.clip(low, 0, [view.width, view.height])
        right, bottom = np.clip(high, 0, [view.width, view.height])
        self._region = (slice(top, bottom), slice(left, right))
        self._still = view.still(self.geometry.face.photo)
        shape = (bottom - top, right - left)
        step = domain.scale / view.scale
        start = [
            ((edge + 0.5) / view.scale + origin - corner) * domain.scale - 0.5
            for edge, origin, corner in ((left, view.x, domain.x), (top, view.y, domain.y))
        ]
        self._background = cv2.warpAffine(
            self._textures.background,
            np.array([[step, 0, start[0]], [0, step, start[1]]]),
            shape[::-1],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        # distance to those edges of the domain beyond which the frame shows the still photo
        y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
        width = _FEATHER * max(high - low)
        edges = [np.full(shape, np.inf, np.float32)]
        edges += [x + 1] if left > 0 else []
        edges += [y + 1] if top > 0 else []
        edges += [shape[1] - x] if right < view.width else []
        edges += [shape[0] - y] if bottom < view.height else []
        share = np.clip(np.min(edges, axis=0) / width, 0, 1)[..., None]
        self._melt = None if share.min() >= 1 else share.astype(np.float32)

    def draw(self, pose: Pose, expression: ArrayLike) -> Image:
        """Draw the head in a pose with an expression.

        Args:
            pose: absolute pose before the photo's camera.
            expression: (52,) coefficients in [0, 1].

        Returns:
            (height, width, 3) uint8 RGB, a new array.
        """
        geometry, textures = self.geometry, self._textures
        vertices = geometry.posed(np.asarray(expression, np.float64))
        offset = np.array([self._region[1].start, self._region[0].start, 0], np.float32)
        points = self.view.to_frame(geometry.project(vertices, pose)) - offset
        relief = self.view.to_frame(self._grid.posed(geometry, vertices, pose)) - offset
        shape = self._background.shape[:2]
        mesh = rasterize(points, geometry.model.triangles, shape)
        grid = rasterize(relief, self._grid.triangles, shape)
        closure = geometry.closure(vertices)
        lids = np.array([_lid_share(value) for value in closure.values()], np.float32)
        out = np.empty((*shape, 3), np.float32)
        share = np.empty(shape, np.float32)
        shade(
            mesh.triangle, mesh.weights, geometry.model.triangles, self._layer,
            self._mesh_source, geometry.alpha, geometry.lids, lids,
            grid.triangle, grid.weights, self._grid.triangles, self._grid_source,
            textures.skin, textures.lids, textures.person, self._background, out, share,
        )  # fmt: skip
        _soften_silhouette(out, share, self._pixels)
        self._draw_eyes(out, mesh)
        landmarks = geometry.model.at_landmarks(points)
        for side, strength in zip(closure, lids, strict=True):
            if strength > 0.05:
                shade_lid(out, landmarks, side, strength, self._lash, self._pixels)
        self._draw_mouth(out, mesh, vertices)
        if self._melt is not None:
            out = self._still[self._region] * (1 - self._melt) + out * self._melt
        frame = self._still.copy()
        frame[self._region] = np.clip(out + 0.5, 0, 255).astype(np.uint8)
        return frame

    def _draw_eyes(self, out: Float, mesh: Coverage) -> None:
        box = self._layer_box(mesh, _EYE, 3)
        if box is None:
            return
        part = _cut(mesh, box)
        colours = out[box].copy()
        sample_layer(
            part.triangle, part.weights, self.geometry.model.triangles, self._layer, _EYE,
            self._mesh_source, self._textures.eyes, colours,
        )  # fmt: skip
        _lay(out, box, colours, self._mask(part, _EYE), 0.5 * self._pixels, 1.0)

    def _draw_mouth(self, out: Float, mesh: Coverage, vertices: Float) -> None:
        box = self._layer_box(mesh, _MOUTH, 3)
        if box is None:
            return
        part = _cut(mesh, box)
        colours, share = self._mouth.paint(vertices, part, self._pixels)
        out[box] += (colours - out[box]) * share[..., None]

    def _mask(self, part: Coverage, layer: int) -> Float:
        shown = self._layer[np.maximum(part.triangle, 0)] == layer
        return np.asarray(shown & (part.triangle >= 0), np.float32)

    def _layer_box(self, mesh: Coverage, layer: int, margin: int) -> tuple[slice, slice] | None:
        """The rectangle around all pixels of a layer, or None."""
        shown = self._mask(mesh, layer)
        rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
        if not len(rows):
            return None
        margin = round(margin * max(1.0, self._pixels))
        return (
            slice(max(0, rows[0] - margin), rows[-1] + margin + 1),
            slice(max(0, columns[0] - margin), columns[-1] + margin + 1),
        )


def _lid_share(closure: float) -> float:
    """How much of the plain lid colour shows: nothing until the eye is clearly closing."""
    return float(np.clip(closure / 0.6 - 0.15, 0.0, 1.0))


def _soften_silhouette(out: Float, share: Float, pixels: float) -> None:
    """Smooth the stair steps where the turned face ends before what is behind it."""
    sigma = max(0.6, 0.7 * pixels)
    step = np.abs(share - cv2.GaussianBlur(share, (0, 0), sigma))
    rows, columns = np.nonzero(step > 0.2)
    soft = cv2.GaussianBlur(out, (0, 0), sigma) if len(rows) else out
    weight = np.minimum((step[rows, columns] - 0.2) * 5, 1)[:, None]
    out[rows, columns] += (soft[rows, columns] - out[rows, columns]) * weight


def _cut(cover: Coverage, box: tuple[slice, slice]) -> Coverage:
    return Coverage(cover.triangle[box], cover.weights[box], cover.depth[box])


def _lay(
    out: Float,
    box: tuple[slice, slice],
    colours: Float,
    mask: Float,
    sigma: float,
    gain: float,
) -> None:
    """Lay a layer over the frame with a soft edge."""
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.3, sigma))
    share = np.minimum(soft * np.float32(gain), 1)[..., None]
    out[box] += (colours - out[box]) * share
