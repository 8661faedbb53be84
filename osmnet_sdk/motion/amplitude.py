"""How much a take moves: as a whole, on each axis, and from moment to moment. No network, no torch.

Real speakers differ in how much they move, and none moves evenly: people hold still and then move
at once, and for a while one axis is busier than the others.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.shaping import soft_limit

Array = NDArray[np.float64]

_BURST_SECONDS = 0.4
_MOOD_SECONDS = 2.0
_WILDEST = 2.0
"""Where bursts end, in their standard deviations: nobody moves without bound."""

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
    shift = np.random.default_rng(np.random.SeedSequence([seed, frames, 1])).random()
    place = (shift + take * (math.sqrt(5.0) - 1.0) / 2.0) % 1.0
    own = np.random.default_rng(np.random.SeedSequence([seed, take, frames, 1]))
    low, high = _OUTERMOST, 1.0 - _OUTERMOST
    deviates = shared * ndtri(np.clip(place, low, high)) + single * ndtri(own.uniform(low, high, 3))
    sizes: Array = np.exp(deviates)
    return sizes


def take_pace(
    calibration: Calibration, frames: int, *, seed: int, take: int, length: int | None = None
) -> Array:
    """Factor on a take's steps from moment to moment: bursts of the head, moods of each column.

    Args:
        calibration: statistics of real speakers.
        frames: K, as for `random_path`.
        seed: of the sampling.
        take: number of the take, from 0.
        length: K' rows to return, K by default: the same course, cut or going on.

    Returns:
        (K', 6), above 0; its logarithm is 0 on average.
    """
    entropy = np.random.SeedSequence([seed, take, frames, 2])
    generators = [np.random.default_rng(child) for child in entropy.spawn(2)]
    count = length or frames
    bursts = _course(_BURST_SECONDS, generators[0].standard_normal((_SETTLED + count, 1)))
    bursts = soft_limit(bursts, 1.0, _WILDEST)
    moods = _course(_MOOD_SECONDS, generators[1].standard_normal((_SETTLED + count, 6)))
    pace: Array = np.exp(bursts * calibration.bursts + moods * float(calibration.moods))
    return pace


def _course(seconds: float, noise: Array) -> Array:
    """Smoothly varying course of variance 1 with this time constant, from white noise (N, D)."""
    from scipy.signal import lfilter

    keep = math.exp(-1.0 / (float(FPS) * seconds))
    # Two leaks in a row rise and fall smoothly; this size makes their variance 1.
    size = math.sqrt((1 - keep**2) ** 3 / (1 + keep**2))
    course: Array = lfilter([size], [1.0, -2.0 * keep, keep**2], noise, axis=0)[_SETTLED:]
    return course
