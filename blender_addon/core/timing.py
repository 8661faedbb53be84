# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of a take and frames of a scene.

Frame i of a take is i / fps seconds after its start, whatever the scene's frame rate; a scene
frame is a number that may lie between integers.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_FLOAT32 = Fraction(1, 2**23)
"""Blender stores fps_base with this relative precision."""


def scene_rate(fps: int, fps_base: float) -> Fraction:
    """Frames per second of a scene, fps / fps_base, exactly: 30 and 1.001 give 30000/1001.

    The base is taken for the simplest fraction that its 32 bits may stand for.
    """
    stored = Fraction(fps_base)
    for digits in range(12):
        base = stored.limit_denominator(10**digits)
        if abs(base - stored) <= stored * _FLOAT32:
            return fps / base
    return fps / stored


def key_frames(count: int, fps: Fraction, start: float, rate: Fraction) -> NDArray[np.float64]:
    """The (count,) scene frames, fractional, at which the frames of a take lie.

    Args:
        count: frames of the take.
        fps: frames per second of the take.
        start: scene frame at which the take starts.
        rate: frames per second of the scene.
    """
    return np.float64(start) + np.arange(count, dtype=np.float64) * float(rate / fps)


def scene_frames(count: int, fps: Fraction, start: float, rate: Fraction) -> range:
    """The integer scene frames from the start of a take to just before its end, count / fps."""
    first = Fraction(start).limit_denominator(1_000_000)  # 0.1 + 0.2 is meant to be 0.3
    return range(math.ceil(first), math.ceil(first + count * rate / fps))


def frame_time(frame: float, start: float, rate: Fraction) -> float:
    """Seconds from the start of a take to a scene frame."""
    return (frame - start) / float(rate)


def resampled(
    values: NDArray[np.float64], fps: Fraction, other: Fraction, count: int
) -> NDArray[np.float64]:
    """Samples (T, C) at another rate: (count, C), linear between them, the last one held."""
    times, known = np.arange(count) / float(other), np.arange(len(values)) / float(fps)
    return np.column_stack([np.interp(times, known, column) for column in values.T])
