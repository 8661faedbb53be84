"""The driving vector: a window of poses and expressions, narrowed to the frame in its middle."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional

from osmnet_sdk.rendering.paper.config import DRIVING_CHANNELS, GeneratorConfig

POSE_UNITS = (10.0, 10.0, 10.0, 0.02, 0.02, 0.02)
"""Degrees and metres that count as 1, so that poses weigh about as much as coefficients."""


def window_frames(frames: ArrayLike, half_window: int, total: int) -> NDArray[np.int64]:
    """The frames of the windows around some frames; beyond the ends the end is repeated.

    Args:
        frames: (N,) frame numbers.
        half_window: k.
        total: frames that there are, 1 or more.

    Returns:
        (N, 2k + 1) int64 within [0, total − 1].
    """
    around = np.arange(-half_window, half_window + 1)
    windows: NDArray[np.int64] = np.asarray(frames, np.int64)[:, None] + around
    return windows.clip(0, total - 1)


def driving_features(poses: Tensor, expression: Tensor) -> Tensor:
    """What drives frames, for the encoder.

    Args:
        poses: (B, W, 6) degrees and metres, relative to the pose in the source, in its axes.
        expression: (B, W, 52) coefficients.

    Returns:
        (B, 58, W).
    """
    scaled = poses / poses.new_tensor(POSE_UNITS)
    return torch.cat([scaled, expression], dim=2).transpose(1, 2)


class _Narrowing(nn.Module):
    """A 1-D convolution without padding, and a residual link cropped to the centre."""

    def __init__(self, channels: int, reach: int, slope: float) -> None:
        super().__init__()
        self.reach = reach
        self.slope = slope
        self.convolution = nn.Conv1d(channels, channels, 2 * reach + 1)

    def forward(self, window: Tensor) -> Tensor:
        """(B, C, W) → (B, C, W − 2 reach)."""
        centre = window[..., self.reach : window.shape[-1] - self.reach]
        changed: Tensor = self.convolution(functional.leaky_relu(window, self.slope))
        return centre + changed


class DrivingEncoder(nn.Module):
    """A window of driving features to the driving vector (paper, section III-C).

    Each block sees `reach` frames to either side; the reaches add up to k, so that what is left
    at the end is one vector that has seen the whole window, the middle by the straightest way.

    Args:
        config: sizes.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.entry = nn.Conv1d(DRIVING_CHANNELS, config.driving_size, 1)
        each, rest = divmod(config.half_window, config.driving_blocks)
        self.blocks = nn.Sequential(
            *(
                _Narrowing(config.driving_size, each + (index < rest), config.slope)
                for index in range(config.driving_blocks)
            )
        )

    def forward(self, driving: Tensor) -> Tensor:
        """(B, 58, 2k + 1) → (B, driving_size)."""
        vectors: Tensor = self.blocks(self.entry(driving))
        return vectors.squeeze(-1)
