"""Colours for what a photo does not show: behind the person, and beyond its edge.

Detail there cannot be known. Known colours are carried on smoothly, without the lines that
repeated or mirrored edges draw.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Mask = NDArray[np.float32]

_SIZE = 192
"""Longer side at which colours are carried on; they are smooth."""
_EDGE_DETAIL = 0.03
"""Reach of the mirrored photo beyond its edge, over the picture's longer side; then it has melted
into smooth colour. A hard end of all detail would show as a line."""


def spread(picture: Image, known: NDArray[np.generic]) -> Image:
    """Carry the known colours on over the whole picture, by a pyramid of weighted means.

    Args:
        picture: (h, w, 3) uint8.
        known: (h, w) weight of each pixel, 0 to 1.

    Returns:
        (h, w, 3) uint8, smooth everywhere; grey where nothing at all is known.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, _SIZE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    weight = known.astype(np.float32)
    values = cv2.resize(picture * weight[..., None], size, interpolation=cv2.INTER_AREA)
    weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    levels = [(values, weight)]
    while min(levels[-1][1].shape) > 2:
        levels.append((cv2.pyrDown(levels[-1][0]), cv2.pyrDown(levels[-1][1])))
    values, weight = levels[-1]
    filled = _mean(values, weight) if weight.any() else np.full_like(values, 128.0)
    for values, weight in reversed(levels[:-1]):
        filled = cv2.pyrUp(filled, dstsize=weight.shape[::-1])
        sure = np.minimum(weight * 2, 1)[..., None]
        filled = filled * (1 - sure) + _mean(values, weight) * sure
    large = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.round(large).clip(0, 255), np.uint8)


def _mean(values: Mask, weight: Mask) -> Mask:
    return np.asarray(values / np.maximum(weight, 1e-4)[..., None], np.float32)


def continued(picture: Image, outside: Image) -> Image:
    """Let a picture melt into smooth colour where it lies outside of what is known.

    Args:
        picture: (h, w, 3) uint8, mirrored outside.
        outside: (h, w) uint8, 1 outside.
    """
    if not outside.any() or outside.all():
        return picture
    away = cv2.distanceTransform(outside, cv2.DIST_L2, 5) / (_EDGE_DETAIL * max(picture.shape))
    share = np.clip(away, 0, 1)[..., None]
    smooth = spread(picture, outside == 0)
    return np.asarray(np.round(picture * (1 - share) + smooth * share), np.uint8)
