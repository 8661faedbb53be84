"""Measures of pictures that need no face: sharpness as it is seen, gradients, flicker."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Gray = NDArray[np.float32]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; the last two are the first beyond the box."""

_BLOCK = 64
_EDGE_SHARE = 0.002
"""Share of a block's pixels that must be edges before it counts."""
_LOW_CONTRAST = 50
_WIDTH_LOW_CONTRAST, _WIDTH = 5, 3
"""Pixels of a just noticeable blur, in blocks of low contrast (≤ 50 of 255) and in others."""
_THRESHOLD = 4.0
"""Squared gradient of an edge over the picture's mean: what MATLAB's Sobel detector takes."""
_SLOPE = np.tan(np.pi / 8)
"""Steepest edge, down over across, whose gradient still counts as horizontal."""


def grey(image: Image) -> Gray:
    """(H, W) float32 luma, 0 to 255, of uint8 RGB."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)


def blur_detection(image: Image) -> float:
    """Cumulative probability of blur detection (CPBD): 0 blurred to 1 sharp.

    N. D. Narvekar and L. J. Karam, "A No-Reference Image Blur Metric Based on the Cumulative
    Probability of Blur Detection (CPBD)", IEEE Transactions on Image Processing 20(9), 2011;
    written from the paper. In blocks of 64² with edges, the width w of each upright edge is that
    of the monotonous run of grey values across it. Blur is seen with probability
    1 − exp(−(w / w_J)^3.6), w_J the just noticeable width; CPBD is the share of edges at which
    that is no more than at w = w_J, thus of those with w ≤ w_J.

    Args:
        image: uint8 RGB (H, W, 3), both sides 64 or more; what is left of the last whole block
            does not count.

    Returns:
        The share; NaN where a picture has no edges at all.
    """
    values = grey(image)
    widths = _edge_widths(values)
    seen, sharp = 0, 0
    for top in range(0, values.shape[0] - _BLOCK + 1, _BLOCK):
        for left in range(0, values.shape[1] - _BLOCK + 1, _BLOCK):
            block = (slice(top, top + _BLOCK), slice(left, left + _BLOCK))
            found = widths[block][widths[block] > 0]
            if len(found) > _EDGE_SHARE * _BLOCK**2:
                low = np.ptp(values[block]) <= _LOW_CONTRAST
                seen += len(found)
                sharp += int(np.sum(found <= (_WIDTH_LOW_CONTRAST if low else _WIDTH)))
    return sharp / seen if seen else np.nan


def _edge_widths(values: Gray) -> NDArray[np.int32]:
    """(H, W) width in pixels of the edge at each pixel, 0 where there is none."""
    across = cv2.Sobel(values, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(values, cv2.CV_32F, 0, 1)
    strength = across**2
    edge = strength > _THRESHOLD * strength.mean()
    edge &= np.abs(down) <= _SLOPE * np.abs(across)
    edge[:, [0, -1]] = False
    edge[:, 1:] &= strength[:, 1:] > strength[:, :-1]  # the strongest pixel across the edge
    edge[:, :-1] &= strength[:, :-1] >= strength[:, 1:]
    step = np.diff(values, axis=1)
    widths = np.where(across > 0, _runs(step > 0), _runs(step < 0))
    return np.where(edge, widths, 0).astype(np.int32)


def _runs(follows: NDArray[np.bool_]) -> NDArray[np.int32]:
    """How many steps in a row, left and right together, go on at each of the W pixels.

    `follows` (H, W − 1) says whether the step from a pixel to the next goes on.
    """
    height, steps = follows.shape
    left = np.zeros((height, steps + 1), np.int32)
    right = np.zeros((height, steps + 1), np.int32)
    for column in range(steps):
        left[:, column + 1] = (left[:, column] + 1) * follows[:, column]
        back = steps - 1 - column
        right[:, back] = (right[:, back + 1] + 1) * follows[:, back]
    return left + right


def gradient_energy(image: Image, boxes: Sequence[Box]) -> float:
    """Mean squared gradient of the grey values within boxes of uint8 RGB, per pixel, levels²."""
    values = grey(image) / np.float32(8)  # so that Sobel's kernel gives levels per pixel
    energy = cv2.Sobel(values, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(values, cv2.CV_32F, 0, 1) ** 2
    parts = [energy[top:bottom, left:right].ravel() for left, top, right, bottom in boxes]
    return float(np.concatenate(parts).mean())


def flicker(frames: Sequence[Image]) -> float:
    """What changes from frame to frame besides motion: mean absolute difference, levels of 255.

    Each frame is compared with the one before it, moved along the optical flow between the two
    (OpenCV's dense inverse search).

    Args:
        frames: two or more, uint8 RGB (H, W, 3).
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    height, width = frames[0].shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    changes = []
    for before, after in pairwise(frames):
        old, new = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (before, after))
        flow = search.calc(new, old, None)
        moved = cv2.remap(
            before, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        changes.append(float(np.abs(after.astype(np.float32) - moved).mean()))
    return float(np.mean(changes))
