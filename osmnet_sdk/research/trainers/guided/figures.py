"""Figures and sample sheets of the guided generator in training, beside those of the plain warp."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osmnet_sdk.rendering.guided.frame import network_inputs
from osmnet_sdk.rendering.guided.guides import GUIDES
from osmnet_sdk.rendering.guided.network import GuidedPainter, finished
from osmnet_sdk.rendering.paper.painting import to_images
from osmnet_sdk.research.trainers.guided.samples import GuidedSamples

Image = NDArray[np.uint8]

_BATCH = 8
_ROWS = 8
_MOUTH, _EYES = GUIDES.index("mouth"), GUIDES.index("eyes")


@dataclass(frozen=True)
class WindowFigures:
    """Means over face windows.

    Attributes:
        ssim: of the window, −1 to 1.
        mouth_ssim: within the box around the mouth.
        mouth_sharpness: strength of edges in that box over that of the real ones.
        eye_sharpness: the same of the eyes.
    """

    ssim: float
    mouth_ssim: float
    mouth_sharpness: float
    eye_sharpness: float


def window_figures(
    painter: GuidedPainter, samples: GuidedSamples, count: int
) -> tuple[int, WindowFigures, WindowFigures]:
    """Number of windows, figures of the plain warp, and those of the guided generator."""
    tensors = samples.spread(count)
    warp, guides, truth = tensors[0].numpy(), tensors[2].numpy(), tensors[-1].numpy()
    drawn = _drawn(painter, tensors)
    total = len(warp)
    found = [
        np.nanmean(
            [_figures(pictures[i], truth[i], guides[i]) for i in range(total)], axis=0
        ).tolist()
        for pictures in (warp, drawn)
    ]
    return total, WindowFigures(*found[0]), WindowFigures(*found[1])


def sample_sheet(painter: GuidedPainter, samples: GuidedSamples) -> Image:
    """Rows of photo | warp | guided | real."""
    tensors = samples.spread(_ROWS)
    columns = [
        tensors[1].numpy(),
        tensors[0].numpy(),
        _drawn(painter, tensors),
        tensors[-1].numpy(),
    ]
    return np.vstack([np.hstack(row) for row in zip(*columns, strict=True)])


def _drawn(painter: GuidedPainter, tensors: tuple[Tensor, ...]) -> Image:
    device = next(painter.parameters()).device
    found = []
    with torch.inference_mode():
        for rows in zip(*(torch.split(tensor, _BATCH) for tensor in tensors[:-1]), strict=True):
            inputs = network_inputs(*(row.to(device) for row in rows))
            found.append(to_images(finished(inputs[0], painter(*inputs))))
    return np.concatenate(found)


def _figures(drawn: Image, real: Image, guides: Image) -> tuple[float, float, float, float]:
    from skimage.metrics import structural_similarity

    value, picture = structural_similarity(real, drawn, channel_axis=2, full=True)
    mouth = _box(guides[..., _MOUTH])
    found = [float(value), float("nan"), float("nan"), _sharpness(drawn, real, guides[..., _EYES])]
    if mouth is not None:
        found[1] = float(picture[mouth].mean())
        found[2] = _sharpness(drawn, real, guides[..., _MOUTH])
    return found[0], found[1], found[2], found[3]


def _box(zone: Image) -> tuple[slice, slice] | None:
    rows, columns = (np.flatnonzero((zone > 127).any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _sharpness(drawn: Image, real: Image, zone: Image) -> float:
    """Mean strength of edges in a zone over that of the real picture; NaN where it has no edge."""
    place = zone > 127
    strength = [
        float(np.abs(cv2.Laplacian(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.CV_32F))[place].sum())
        for p in (drawn, real)
    ]
    return strength[0] / strength[1] if strength[1] else float("nan")
