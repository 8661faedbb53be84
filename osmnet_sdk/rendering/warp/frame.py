"""Drawing one frame: pose the head, blend the flows, paint, then eyes, lids and mouth."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.face.camera import Pose
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.progress import check_cancelled
from osmnet_sdk.rendering.view import View
from osmnet_sdk.rendering.warp.geometry import HeadGeometry
from osmnet_sdk.rendering.warp.lids import LEAST_SHARE, UPPER_LIDS, lid_line, lid_share, shade_lid
from osmnet_sdk.rendering.warp.mouth import MouthPainter
from osmnet_sdk.rendering.warp.raster import Coverage, rasterize
from osmnet_sdk.rendering.warp.scene import EYE, MOUTH, PosedHead, Scene, build_scene
from osmnet_sdk.rendering.warp.shade import sample_layer, shade

Image = NDArray[np.uint8]
Float = NDArray[np.float32]

_BAND = 256 * 1024
"""Pixels between two questions whether to go on, some milliseconds of work."""


class FrameRenderer:
    """Draws frames of one source face in one view; may be used from several threads.

    Args:
        face: the fitted photo.
        view: what the frames show.
    """

    def __init__(self, face: SourceFace, view: View) -> None:
        self.scene = build_scene(face, view)
        """What it draws."""
        scene = self.scene
        self._mouth = MouthPainter(scene.geometry, scene.textures, scene.mesh_source)
        self._lash = scene.textures.lash.astype(np.float32)

    @property
    def view(self) -> View:
        """What the frames show."""
        return self.scene.view

    @property
    def geometry(self) -> HeadGeometry:
        """The source head."""
        return self.scene.geometry

    def draw(self, pose: Pose, expression: ArrayLike) -> Image:
        """Draw the head in a pose with an expression.

        Args:
            pose: absolute pose before the photo's camera.
            expression: (52,) coefficients in [0, 1].

        Returns:
            (height, width, 3) uint8 RGB, a new array.
        """
        return self.draw_head(self.scene.posed(pose, expression))

    def draw_head(self, head: PosedHead) -> Image:
        """Draw a head that `Scene.posed` posed; result as of `draw`."""
        scene = self.scene
        closing = lid_share(head.closure)
        mesh, out = flowed(
            scene, head, closing, scene.textures.skin, scene.textures.lids, scene.background
        )
        check_cancelled()
        self._draw_eyes(out, mesh)
        check_cancelled()
        self._shade_lids(out, head, closing)
        self._draw_mouth(out, mesh, head.vertices)
        return in_place(scene, scene.still, out)

    def _shade_lids(self, out: Float, head: PosedHead, closing: Float) -> None:
        scene = self.scene
        landmarks = self.geometry.model.at_landmarks(scene.in_region(head.points))
        for side, strength in zip(UPPER_LIDS, closing, strict=True):
            if strength <= LEAST_SHARE:
                continue
            line = lid_line(landmarks, side, out.shape, scene.pixels)
            if line is not None:
                shade_lid(out, line, strength, self._lash)

    def _draw_eyes(self, out: Float, mesh: Coverage) -> None:
        box = self._layer_box(mesh, EYE, 3)
        if box is None:
            return
        part = _cut(mesh, box)
        colours = out[box].copy()
        sample_layer(
            part.triangle, part.weights, self.geometry.model.triangles, self.scene.layer, EYE,
            self.scene.mesh_source, self.scene.textures.eyes, colours,
        )  # fmt: skip
        _lay(out, box, colours, self._mask(part, EYE), 0.5 * self.scene.pixels, 1.0)

    def _draw_mouth(self, out: Float, mesh: Coverage, vertices: Float) -> None:
        box = self._layer_box(mesh, MOUTH, 3)
        if box is None:
            return
        part = _cut(mesh, box)
        colours, share = self._mouth.paint(vertices, part, self.scene.pixels)
        out[box] += (colours - out[box]) * share[..., None]

    def _mask(self, part: Coverage, layer: int) -> Float:
        shown = self.scene.layer[np.maximum(part.triangle, 0)] == layer
        return np.asarray(shown & (part.triangle >= 0), np.float32)

    def _layer_box(self, mesh: Coverage, layer: int, margin: int) -> tuple[slice, slice] | None:
        """The rectangle around all pixels of a layer, or None."""
        shown = self._mask(mesh, layer)
        rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
        if not len(rows):
            return None
        margin = round(margin * max(1.0, self.scene.pixels))
        return (
            slice(max(0, rows[0] - margin), rows[-1] + margin + 1),
            slice(max(0, columns[0] - margin), columns[-1] + margin + 1),
        )


def flowed(
    scene: Scene, head: PosedHead, closing: Float, skin: Image, lids: Image, background: Image
) -> tuple[Coverage, Float]:
    """A picture over the photo moved as the head moves it, by both flows, before a background.

    Args:
        scene: the face and what frames show of it.
        head: of the frame.
        closing: (2,) share of the plain lids' picture, left and right.
        skin: (h, w, 3) uint8 over the textures' region, what is moved.
        lids: (h, w, 3) uint8 the same, what closing lids show.
        background: (H, W, 3) uint8 over the frame's region.

    Returns:
        What the head covers of the frame's region, and its colours (H, W, 3) float32, 0 to 255.
    """
    geometry, shape = scene.geometry, background.shape[:2]
    check_cancelled()
    mesh = rasterize(scene.in_region(head.points), geometry.model.triangles, shape)
    check_cancelled()
    grid = rasterize(scene.in_region(head.relief), scene.grid.triangles, shape)
    out = np.empty((*shape, 3), np.float32)
    share = np.empty(shape, np.float32)
    for rows in bands(shape):
        shade(
            mesh.triangle[rows], mesh.weights[rows], geometry.model.triangles, scene.layer,
            scene.mesh_source, geometry.alpha, geometry.lids, closing,
            grid.triangle[rows], grid.weights[rows], scene.grid.triangles, scene.grid_source,
            skin, lids, scene.textures.person, background[rows], out[rows], share[rows],
        )  # fmt: skip
    _soften_silhouette(out, share, scene.pixels)
    return mesh, out


def in_place(scene: Scene, still: Image, out: Float) -> Image:
    """A frame (H, W, C): `still` with the region's (h, w, C) colours, 0 to 255, in their place."""
    frame = still.copy()
    under = frame[scene.region]
    for rows in bands(out.shape):
        band = out[rows]
        if scene.melt is not None:
            band = under[rows] * (1 - scene.melt[rows]) + band * scene.melt[rows]
        under[rows] = np.clip(band + 0.5, 0, 255).astype(np.uint8)
    return frame


def bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """Rows of a picture (height, width, …), some at a time; between them it may be left."""
    height = max(1, _BAND // max(1, shape[1]))
    for top in range(0, shape[0], height):
        check_cancelled()
        yield slice(top, top + height)


def _soften_silhouette(out: Float, share: Float, pixels: float) -> None:
    """Smooth the stair steps where the turned face ends before what is behind it."""
    sigma = max(0.6, 0.7 * pixels)
    changed = []
    for band in bands(out.shape):
        soft_share, _ = _blurred(share, band, sigma)
        step = np.abs(share[band] - soft_share)
        rows, columns = np.nonzero(step > 0.2)
        if not len(rows):
            continue
        soft, sharp = _blurred(out, band, sigma)
        weight = np.minimum((step[rows, columns] - 0.2) * 5, 1)[:, None]
        values = sharp[rows, columns]
        values += (soft[rows, columns] - values) * weight
        changed.append((rows + band.start, columns, values))
    for rows, columns, values in changed:  # when no band looks at its neighbours any more
        out[rows, columns] = values


def _blurred(picture: Float, band: slice, sigma: float) -> tuple[Float, Float]:
    """Rows of a picture, blurred and as they are; the rows around them are taken into account."""
    reach = int(np.ceil(4 * sigma)) + 1  # of OpenCV's kernel for floats
    above = min(reach, band.start)
    blurred = cv2.GaussianBlur(picture[band.start - above : band.stop + reach], (0, 0), sigma)
    sharp = picture[band]
    return np.asarray(blurred[above : above + len(sharp)], np.float32), sharp


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
