"""The part of a photo that a renderer paints with, as pictures of any resolution."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.rendering.filling import continued
from osmnet_sdk.rendering.warp.geometry import HeadGeometry
from osmnet_sdk.rendering.warp.grid import MARGIN

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class TextureRegion:
    """A rectangle of the photo, in whole pixels, and the scale of pictures that cover it.

    Attributes:
        x: left edge in the photo's pixels; may be negative.
        y: top edge.
        width: pixels of the photo.
        height: pixels of the photo.
        scale: pixels of a picture for each pixel of the photo.
    """

    x: int
    y: int
    width: int
    height: int
    scale: float

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of a picture that covers the region."""
        return max(1, round(self.height * self.scale)), max(1, round(self.width * self.scale))

    def to_picture(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Positions (N, 2) in the photo's pixels as positions in a picture of the region."""
        corner = points[:, :2] - [self.x, self.y] + 0.5
        result: NDArray[np.float64] = corner * self.scale - 0.5
        return result

    def to_pixels(self, points: NDArray[np.floating]) -> NDArray[np.int32]:
        """The same (N, 2) as whole pixels."""
        return np.round(self.to_picture(points)).astype(np.int32)

    def cut(self, photo: Image) -> Image:
        """The photo (H, W, 3) or a mask of it (H, W) over the region.

        Beyond the photo its colours are carried on, and a mask's edge is repeated.
        """
        height, width = photo.shape[:2]
        left, top = max(0, -self.x), max(0, -self.y)
        right = max(0, self.x + self.width - width)
        bottom = max(0, self.y + self.height - height)
        inner = photo[
            max(0, self.y) : min(height, self.y + self.height),
            max(0, self.x) : min(width, self.x + self.width),
        ]
        if not (left or top or right or bottom):
            return resized(inner, self.shape)
        border = cv2.BORDER_REFLECT if photo.ndim == 3 else cv2.BORDER_REPLICATE
        padded = cv2.copyMakeBorder(inner, top, bottom, left, right, border)
        picture = resized(np.asarray(padded, np.uint8), self.shape)
        if photo.ndim == 2:
            return picture
        outside = np.ones(padded.shape[:2], np.uint8)
        outside[top : self.height - bottom, left : self.width - right] = 0
        return continued(picture, resized(outside, self.shape))


def head_region(geometry: HeadGeometry, scale: float) -> TextureRegion:
    """The head crop and the margin that the photo grid covers."""
    crop = geometry.face.crop
    side = round(crop.side * (1 + 2 * MARGIN))
    return TextureRegion(
        round(crop.x - MARGIN * crop.side), round(crop.y - MARGIN * crop.side), side, side, scale
    )


def resized(picture: Image, shape: tuple[int, int]) -> Image:
    """A picture at another (height, width), area-averaged where it shrinks."""
    if picture.shape[:2] == shape:
        return np.ascontiguousarray(picture)
    shrink = shape[0] < picture.shape[0]
    how = cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (shape[1], shape[0]), interpolation=how), np.uint8)
