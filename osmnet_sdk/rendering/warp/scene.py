"""What is prepared once for the frames of one face in one view, whatever then draws them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.face.camera import Pose
from osmnet_sdk.face.model import PARTS
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.progress import check_cancelled
from osmnet_sdk.rendering.view import View
from osmnet_sdk.rendering.warp.geometry import HeadGeometry, build_geometry
from osmnet_sdk.rendering.warp.grid import PhotoGrid, build_grid
from osmnet_sdk.rendering.warp.texture_region import TextureRegion
from osmnet_sdk.rendering.warp.textures import EYE_PARTS, MOUTH_PARTS, Textures, build_textures

Image = NDArray[np.uint8]
Float = NDArray[np.float32]

SKIN, EYE, MOUTH = 0, 1, 2
"""Layers of the head's triangles."""


@dataclass(frozen=True, eq=False)
class PosedHead:
    """The head of one frame: posed once, for all that draws the frame.

    Attributes:
        pose: absolute pose before the photo's camera.
        expression: (52,) coefficients in [0, 1].
        vertices: (V, 3) float32 in the head frame, metres.
        points: (V, 3) float32 where the frame shows them: x, y in pixels and depth, eyes set back.
        relief: (N, 3) float32 where it shows the photo's relief, the same.
        closure: (2,) how far the left and the right eye are closed against the photo, 0 to 1.
    """

    pose: Pose
    expression: NDArray[np.float64]
    vertices: Float
    points: Float
    relief: Float
    closure: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scene:
    """A face in a view, ready to be drawn.

    Attributes:
        view: what the frames show, (H, W).
        geometry: the source head.
        grid: the photo's relief.
        textures: what to paint with.
        mesh_source: (V, 2) float32 position of each vertex in the textures.
        grid_source: (N, 2) float32 position of each point of the relief in the textures.
        layer: (F,) int32 for each triangle of the head: `SKIN`, `EYE` or `MOUTH`.
        pixels: frame pixels for each pixel of a 256 crop.
        region: rows and columns of the frame that can change, h × w.
        still: (H, W, 3) uint8, the photo as the view shows it.
        background: (h, w, 3) uint8, the region without the person.
        melt: (h, w, 1) float32 from 0 to 1, how far the region takes the place of the still photo;
            None where it does so everywhere.
    """

    view: View
    geometry: HeadGeometry
    grid: PhotoGrid
    textures: Textures
    mesh_source: Float
    grid_source: Float
    layer: NDArray[np.int32]
    pixels: float
    region: tuple[slice, slice]
    still: Image
    background: Image
    melt: Float | None

    def posed(self, pose: Pose, expression: ArrayLike) -> PosedHead:
        """The head of a frame: absolute pose before the photo's camera, coefficients (52,)."""
        values = np.asarray(expression, np.float64)
        vertices = self.geometry.posed(values)
        return PosedHead(
            pose=pose,
            expression=values,
            vertices=vertices,
            points=self.view.to_frame(self.geometry.project(vertices, pose)),
            relief=self.view.to_frame(self.grid.posed(self.geometry, vertices, pose)),
            closure=np.array(list(self.geometry.closure(vertices).values())),
        )

    def in_region(self, points: Float) -> Float:
        """Points (N, 3) from the frame's pixels to those of the region."""
        rows, columns = self.region
        return points - np.array([columns.start, rows.start, 0], np.float32)


def build_scene(face: SourceFace, view: View) -> Scene:
    """Prepare the frames of a face in a view."""
    geometry = build_geometry(face)
    check_cancelled()
    grid = build_grid(geometry)
    check_cancelled()
    textures = build_textures(geometry, min(1.0, 1.5 * view.scale))
    check_cancelled()
    texture_region = textures.texture_region
    layer = np.full(len(face.model.triangles), SKIN, np.int32)
    for names, number in ((EYE_PARTS, EYE), (MOUTH_PARTS, MOUTH)):
        layer[np.isin(face.model.parts, [PARTS.index(name) for name in names])] = number
    region, side = _region(view, textures)
    melt = view.melt(region, side)
    check_cancelled()
    still = view.still(face.photo)
    check_cancelled()
    return Scene(
        view=view,
        geometry=geometry,
        grid=grid,
        textures=textures,
        mesh_source=texture_region.to_picture(geometry.source).astype(np.float32),
        grid_source=texture_region.to_picture(grid.source).astype(np.float32),
        layer=layer,
        pixels=view.scale * face.crop.side / 256.0,
        region=region,
        still=still,
        background=background_in(view, textures.texture_region, textures.background, region),
        melt=None if melt.min() >= 1 else melt,
    )


def _region(view: View, textures: Textures) -> tuple[tuple[slice, slice], int]:
    """Rows and columns of the frame that the textures cover, and the larger side of that cover."""
    texture_region = textures.texture_region
    corners = np.array(
        [
            [texture_region.x, texture_region.y],
            [texture_region.x + texture_region.width, texture_region.y + texture_region.height],
        ]
    )
    low, high = np.round((corners - [view.x, view.y]) * view.scale).astype(int)
    left, top = np.clip(low, 0, [view.width, view.height])
    right, bottom = np.clip(high, 0, [view.width, view.height])
    return (slice(top, bottom), slice(left, right)), int(max(high - low))


def background_in(
    view: View, texture_region: TextureRegion, background: Image, region: tuple[slice, slice]
) -> Image:
    """A background that covers a region, at the size of the frames."""
    rows, columns = region
    step = texture_region.scale / view.scale
    start = [
        ((edge + 0.5) / view.scale + origin - corner) * texture_region.scale - 0.5
        for edge, origin, corner in (
            (columns.start, view.x, texture_region.x),
            (rows.start, view.y, texture_region.y),
        )
    ]
    picture = cv2.warpAffine(
        background,
        np.array([[step, 0, start[0]], [0, step, start[1]]]),
        (columns.stop - columns.start, rows.stop - rows.start),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(picture, np.uint8)
