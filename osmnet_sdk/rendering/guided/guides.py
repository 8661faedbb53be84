"""What the warp knows of each pixel of the face window, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.curves import smoothstep
from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.model import PARTS
from osmnet_sdk.progress import check_cancelled
from osmnet_sdk.rendering.view import View
from osmnet_sdk.rendering.warp.geometry import HeadGeometry
from osmnet_sdk.rendering.warp.raster import Coverage, interpolate, rasterize
from osmnet_sdk.rendering.warp.scene import PosedHead
from osmnet_sdk.rendering.warp.textures import EYE_PARTS, MOUTH_PARTS

Float = NDArray[np.float32]
Picture = TypeVar("Picture", NDArray[np.uint8], Float)

GUIDES = ("share", "mouth", "inside", "eyes", "lids", "stretch", "x", "y", "z", "doubt")
"""Channels of a guide picture, each 0 to 1.

share: weight of the mesh's own flow. mouth: nearness to the lips. inside: the mouth's inside shows.
eyes: eyeballs and moving lids. lids: lid skin that closes over an eye. stretch: how far the photo's
pixels are pulled apart, 1 where the photo does not show the place. x, y, z: place on the average
head. doubt: 1 where the warp cannot know what is there, 0 where it stays as it is.
"""

DOUBT = GUIDES.index("doubt")

_SIDE = 0.5
"""Side of the face window over that of the head crop: brows to chin, ear to ear."""
MIDDLE = 2
"""Landmark below the nose, the middle of the window; speech hardly moves it."""
_LIPS, _AROUND = 0.006, 0.032
"""Metres from the lips' inner edge up to which the mouth is in full doubt, and where it ends."""
SEAM = 0.6
"""Largest doubt where mesh and photo grid meet."""
CHEEKS, CHEEKS_FADE = 0.47, 20.0
"""Height on the average head below which seams and stretched skin are in doubt, and how fast it
sets in: of eyes, lids and brows the warp is sharper than what a network makes of them."""
_EDGE = 0.08
"""Width of the window's soft edge, over its side."""


_ROWS = 256
"""Rows finished between two questions whether to go on."""


@dataclass(frozen=True)
class FaceWindow:
    """A square of whole pixels of a frame; it may reach beyond the frame.

    Attributes:
        left: first column.
        top: first row.
        side: width and height.
    """

    left: int
    top: int
    side: int

    def cut(self, frame: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """The window of a frame (H, W, 3) as (size, size, 3); beyond the frame its edge goes on."""
        height, width = frame.shape[:2]
        rows = np.arange(self.top, self.top + self.side).clip(0, height - 1)
        columns = np.arange(self.left, self.left + self.side).clip(0, width - 1)
        return _resized(frame[np.ix_(rows, columns)], size)

    def finish(self, frame: NDArray[np.uint8], out: Float) -> None:
        """Change a frame in place as the network says, at the frame's own resolution.

        Args:
            frame: (H, W, 3).
            out: (size, size, 5): colours to add in steps of 1 / 255, then x and y in pixels of the
                network's window by which to look beside.
        """
        height, width = frame.shape[:2]
        top, left = max(self.top, 0), max(self.left, 0)
        bottom, right = min(self.top + self.side, height), min(self.left + self.side, width)
        if bottom <= top or right <= left:
            return
        scale = np.float32(self.side / out.shape[0])
        here = (
            slice(top - self.top, bottom - self.top),
            slice(left - self.left, right - self.left),
        )
        add, beside = (_resized(part, self.side)[here] for part in (out[..., :3], out[..., 3:]))
        columns = np.arange(left, right, dtype=np.float32)[None]
        warped = frame.copy()  # pixels may be taken from where the frame is changed already
        for start in range(top, bottom, _ROWS):
            check_cancelled()
            stop = min(start + _ROWS, bottom)
            band = slice(start - top, stop - top)
            rows = np.arange(start, stop, dtype=np.float32)[:, None]
            moved = cv2.remap(
                warped, columns + scale * beside[band, :, 0], rows + scale * beside[band, :, 1],
                cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE,
            )  # fmt: skip
            changed = moved + add[band] + np.float32(0.5)
            frame[start:stop, left:right] = changed.clip(0, 255).astype(np.uint8)


def _resized(picture: Picture, size: int) -> Picture:
    if picture.shape[0] == size:
        return picture
    how = cv2.INTER_AREA if picture.shape[0] > size else cv2.INTER_LINEAR
    return cast(Picture, cv2.resize(picture, (size, size), interpolation=how))


class FaceGuides:
    """Guide pictures of one source head.

    Args:
        geometry: the source head.
        view: what the frames show.
        size: height and width of a guide picture, pixels.
    """

    def __init__(self, geometry: HeadGeometry, view: View, size: int) -> None:
        self.geometry, self.view, self.size = geometry, view, size
        self.side = max(8, round(_SIDE * geometry.face.crop.side * view.scale))
        """Of the face window, frame pixels."""
        model = geometry.model
        low, high = model.mean.min(0), model.mean.max(0)
        self.values = np.concatenate(
            [
                geometry.alpha[:, None],
                _near_lips(geometry)[:, None],
                geometry.lids,
                (model.mean - low) / (high - low),
            ],
            axis=1,
        ).astype(np.float32)
        """(V, 7) for each vertex: share, nearness to the lips, both lids, place on the head."""
        self.source_area = _areas(geometry.source, model.triangles)
        """(F,) of each triangle in the photo, square pixels, below 0 where it faces away."""
        part = model.parts
        self.eye = np.isin(part, [PARTS.index(name) for name in EYE_PARTS])
        self.mouth = np.isin(part, [PARTS.index(name) for name in MOUTH_PARTS])
        """(F,) whether a triangle is an eye's, and whether it is of the mouth's inside."""
        steps = np.arange(size)
        inwards = np.minimum(steps + 0.5, size - 0.5 - steps) / (_EDGE * size)
        edge = smoothstep(inwards)
        self.edge = np.outer(edge, edge).astype(np.float32)
        """(size, size) from 0 at the window's edge to 1."""

    def at_rest(self) -> FaceWindow:
        """The window around the face as the photo shows it."""
        return self._window(self.view.to_frame(self.geometry.source))

    def draw(self, head: PosedHead) -> tuple[FaceWindow, Float]:
        """The window around the face in a frame, and its guides.

        Args:
            head: of the frame.

        Returns:
            The window, and (size, size, 10) float32 in the order of `GUIDES`.
        """
        triangles, size = self.geometry.model.triangles, self.size
        points = head.points.copy()
        window = self._window(points)
        scale = size / window.side
        points[:, :2] = (points[:, :2] + 0.5 - [window.left, window.top]) * scale - 0.5
        cover = rasterize(points, triangles, (size, size))
        scale *= self.view.scale
        area = _areas(points, triangles) / scale**2
        return window, self._pictures(cover, area, head.closure.astype(np.float32))

    def _window(self, points: NDArray[np.floating]) -> FaceWindow:
        middle = self.geometry.model.at_landmarks(np.asarray(points, np.float32))[MIDDLE, :2]
        left, top = np.round(middle + 0.5 - self.side / 2).astype(int)
        return FaceWindow(int(left), int(top), self.side)

    def _pictures(self, cover: Coverage, area: Float, closure: Float) -> Float:
        values = interpolate(cover, self.geometry.model.triangles, self.values)
        share, lips, left, right, x, y, z = np.moveaxis(values, -1, 0)
        triangle = np.maximum(cover.triangle, 0)
        covered = cover.triangle >= 0
        inside = (self.mouth[triangle] & covered).astype(np.float32)
        eye = (self.eye[triangle] & covered).astype(np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            pulled = np.log2(area / self.source_area) / 2
        pulled = np.where(self.source_area > 0, np.nan_to_num(pulled).clip(0, 1), 1.0)
        stretch = np.where(covered, pulled[triangle], 0.0).astype(np.float32)
        mouth, eyes = np.maximum(lips, inside), np.maximum.reduce([left, right, eye])
        stretch *= 1 - np.maximum(inside, eyes)
        lids = np.maximum(left * closure[0], right * closure[1])
        seam = SEAM * 4 * share * (1 - share)
        low = np.clip(CHEEKS_FADE * (CHEEKS - y), 0, 1)
        doubt = np.maximum.reduce([mouth, seam * low, stretch * share * low])
        doubt = cv2.GaussianBlur(doubt, (0, 0), self.size / 80) * self.edge
        planes = [share, mouth, inside, eyes, lids, stretch, x, y, z, doubt]
        return np.asarray(cv2.merge(planes), np.float32)


def _near_lips(geometry: HeadGeometry) -> Float:
    """(V,) 1 at the lips and inside of the mouth, falling to 0 around them."""
    model = geometry.model
    lips = model.landmark_mean[list(sets.LIPS_INNER)]
    away = np.linalg.norm(model.mean[:, None] - lips[None], axis=-1).min(1)
    return (1 - smoothstep((away - _LIPS) / (_AROUND - _LIPS))).astype(np.float32)


def _areas(points: NDArray[np.floating], triangles: NDArray[np.int32]) -> Float:
    """(F,) areas of triangles in a picture, below 0 where they face away."""
    a, b, c = (points[triangles[:, corner], :2] for corner in range(3))
    cross = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    return np.asarray(-cross / 2, np.float32)
