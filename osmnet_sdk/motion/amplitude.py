"""How much a take moves: as a whole, on each axis, and from moment to moment. No network, no torch.

Real speakers differ in how much they move, and none moves evenly: people hold still and then move
at once, and for a while one axis is busier than the others.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.motion.bursts import burst_course
from osmnet_sdk.motion.calibration import Calibration

Array = NDArray[np.float64]

_MOOD_SECONDS = 2.0
_FLICK_SECONDS = 0.12
_TREMOR_FRAMES = 0.7

_SETTLED = 500
"""Frames a recursion runs before it is used, so that it forgets where it began."""

_OUTERMOST = 0.1
"""Share of the calmest and of the liveliest speakers that are left to `intensity`."""


def take_size(calibration: Calibration, frames: int, *, seed: int, take: int) -> Array:
    """How large a take's motion is on each angle against the usual take: (3,), 1 in the median.

    What all axes share comes from a low-discrepancy sequence over takes: a few takes of a seed are
    calm, usual and lively ones.

    Args:
        calibration: statistics of real speakers.
        frames: K, as for `random_path`.
        seed: of the sampling.
        take: number of the take, from 0.
    """
    from scipy.special import ndtri

    shared, single = np.asarray(calibration.sizes, float)
    shift = np.random.default_rng([seed, frames, 1]).random()
    place = (shift + take * (math.sqrt(5.0) - 1.0) / 2.0) % 1.0
    own = np.random.default_rng([seed, take, frames, 1])
    low, high = _OUTERMOST, 1.0 - _OUTERMOST
    deviates = shared * ndtri(np.clip(place, low, high)) + single * ndtri(own.uniform(low, high, 3))
    sizes: Array = np.exp(deviates)
    return sizes


def take_pace(
    calibration: Calibration,
    moments: Array,
    frames: int,
    *,
    seed: int,
    take: int,
    length: int | None = None,
    chance: float = 1.0,
) -> Array:
    """Factor on a take's steps from moment to moment: bursts of the head, moods and flicks.

    Args:
        calibration: statistics of real speakers.
        moments: (M, 2), at which gestures come, see `burst_course`.
        frames: K, as for `random_path`.
        seed: of the sampling.
        take: number of the take, from 0.
        length: K' rows to return, K by default: the same moods, cut or going on.
        chance: 0 to 1, how much chance there is; at 0 all takes have one pace.

    Returns:
        (K', 6), above 0; its logarithm is 0 on average.
    """
    generators = np.random.default_rng([seed, take, frames, 2]).spawn(3)
    count = length or frames
    bursts = burst_course(moments, count, generators[0], chance)
    moods = chance * _course(_MOOD_SECONDS, generators[1].standard_normal((_SETTLED + count, 6)))
    courses = bursts * calibration.bursts + moods * float(calibration.moods)
    flicks = _course(_FLICK_SECONDS, generators[2].standard_normal((_SETTLED + count, 3)))
    courses[:, :3] += chance * flicks * calibration.flicks
    pace: Array = np.exp(courses)
    return pace


def take_tremor(
    calibration: Calibration, frames: int, *, seed: int, take: int, length: int | None = None
) -> Array:
    """Small steps of a take that go on whether it is calm or busy, as of `take_pace`: (K', 6)."""
    from scipy.ndimage import gaussian_filter1d

    generator = np.random.default_rng([seed, take, frames, 3])
    noise = generator.standard_normal((length or frames, 6))
    # This size makes the variance of smoothed noise 1.
    size = math.sqrt(2.0 * math.sqrt(math.pi) * _TREMOR_FRAMES)
    steps: Array = size * gaussian_filter1d(noise, _TREMOR_FRAMES, axis=0) * calibration.tremor
    return steps


def _course(seconds: float, noise: Array) -> Array:
    """Smoothly varying course of variance 1 with this time constant, from white noise (N, D)."""
    from scipy.signal import lfilter

    keep = math.exp(-1.0 / (float(FPS) * seconds))
    # Two leaks in a row rise and fall smoothly; this size makes their variance 1.
    size = math.sqrt((1 - keep**2) ** 3 / (1 + keep**2))
    course: Array = lfilter([size], [1.0, -2.0 * keep, keep**2], noise, axis=0)[_SETTLED:]
    return course
