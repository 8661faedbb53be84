"""Sampling and smoothing of pictures on any device of torch, as the CPU's renderer does both."""

from __future__ import annotations

import cv2
import torch
from torch import Tensor

CATMULL_ROM, OPENCV = -0.5, -0.75
"""Slopes of cubic interpolation: that of `shade.sample_cubic`, and that of OpenCV."""


def sample_cubic(
    texture: Tensor, place: Tensor, slope: float = CATMULL_ROM, frame: Tensor | None = None
) -> Tensor:
    """Cubic samples; beyond the edge the edge is repeated.

    Args:
        texture: (h, w, 3) uint8, or (B, h, w, 3) if there is a `frame`.
        place: (n, 2) float32: x, y in the texture.
        slope: of the interpolation one pixel away.
        frame: (n,) int64, which of the textures to sample.

    Returns:
        (n, 3) float32, 0 to 255.
    """
    height, width = texture.shape[-3:-1]
    x, y = place[:, 0].clamp(0, width - 1), place[:, 1].clamp(0, height - 1)
    left, top = x.floor(), y.floor()
    across, down = _cubic_weights(x - left, slope), _cubic_weights(y - top, slope)
    first = 0 if frame is None else frame * (height * width)
    pixels = texture.reshape(-1, 3)
    result = torch.zeros(len(place), 3, device=place.device)
    for j in range(4):
        row = (top.long() + (j - 1)).clamp(0, height - 1) * width + first
        line = torch.zeros_like(result)
        for i in range(4):
            column = (left.long() + (i - 1)).clamp(0, width - 1)
            line += pixels[row + column] * across[i][:, None]
        result += line * down[j][:, None]
    return result.clamp(0, 255)


def _cubic_weights(t: Tensor, slope: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weights of the four pixels around a place that lies `t` of a pixel beyond the second."""
    near, far = slope + 2, slope + 3
    back = 1 - t
    return (
        slope * t * back * back,
        1 + t * t * (near * t - far),
        1 + back * back * (near * back - far),
        slope * back * t * t,
    )


def sample_mask(mask: Tensor, place: Tensor) -> Tensor:
    """Bilinear samples (n,) from 0 to 1 of a mask (h, w) uint8 at places (n, 2), x and y."""
    height, width = mask.shape
    x, y = place[:, 0].clamp(0, width - 1.001), place[:, 1].clamp(0, height - 1.001)
    left, top = x.floor(), y.floor()
    u, v = x - left, y - top
    first, pixels = top.long() * width + left.long(), mask.flatten()
    upper = pixels[first] * (1 - u) + pixels[first + 1] * u
    lower = pixels[first + width] * (1 - u) + pixels[first + width + 1] * u
    return (upper * (1 - v) + lower * v) / 255.0


def gaussian_blur(pictures: Tensor, sigma: float) -> Tensor:
    """Smooth pictures (B, H, W) or (B, H, W, C) as `cv2.GaussianBlur(…, (0, 0), sigma)` does.

    Sums of shifted pictures, not a convolution: those may be rounded to fewer bits on a GPU.
    """
    size = round(8 * sigma + 1) | 1
    kernel = [float(weight) for weight in cv2.getGaussianKernel(size, sigma)[:, 0]]
    for axis in (1, 2):
        pictures = _correlate(pictures, kernel, axis)
    return pictures


def _correlate(pictures: Tensor, kernel: list[float], axis: int) -> Tensor:
    size, reach = pictures.shape[axis], len(kernel) // 2
    index = torch.arange(-reach, size + reach, device=pictures.device).abs()
    period = max(2 * (size - 1), 1)  # mirrored about the last pixel, as often as it takes
    index = index % period
    wide = pictures.index_select(axis, torch.minimum(index, period - index))
    result = wide.narrow(axis, 0, size) * kernel[0]
    for start, weight in enumerate(kernel[1:], 1):
        result += wide.narrow(axis, start, size) * weight
    return result


def numbers(where: Tensor) -> Tensor:
    """(n,) numbers of the pixels (B, H, W) that are marked, frames laid one after the other."""
    return where.flatten().nonzero()[:, 0]
