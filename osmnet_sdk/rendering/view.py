"""Which part of a photo frames show."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.rendering.filling import continued

Image = NDArray[np.uint8]
Float = NDArray[np.float32]

_FEATHER = 0.06
"""Width of the soft edge between what moves and the still photo, over the larger side of it."""


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

    def melt(self, region: tuple[slice, slice], side: float) -> Float:
        """How much of a region shows that lies over the still photo.

        It falls to 0 towards those edges beyond which the frame goes on with the still photo.

        Args:
            region: rows and columns of the frame.
            side: pixels of the larger side of what is laid there, cut off by the frame or not.

        Returns:
            (h, w, 1) of 0 to 1.
        """
        rows, columns = region
        height, width = rows.stop - rows.start, columns.stop - columns.start
        across = _to_edge(width, columns.start > 0, columns.stop < self.width)
        down = _to_edge(height, rows.start > 0, rows.stop < self.height)
        share = np.minimum(across, down[:, None])
        share /= np.float32(_FEATHER * side)
        return np.clip(share, 0, 1, out=share)[..., None]


def _to_edge(count: int, first: bool, last: bool) -> Float:
    """(count,) pixels to the nearer of those ends of a line that count; infinite if none does."""
    place = np.arange(count, dtype=np.float32)
    nearest = np.full(count, np.inf, np.float32)
    if first:
        nearest = np.minimum(nearest, place + 1)
    if last:
        nearest = np.minimum(nearest, count - place)
    return nearest


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
