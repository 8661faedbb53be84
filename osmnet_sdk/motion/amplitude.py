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
from osmnet_sdk.motion.liveliness import USUAL
from osmnet_sdk.motion.shaping import mean_speed, soft_limit

Array = NDArray[np.float64]

_BURST_SECONDS = 0.4
_MOOD_SECONDS = 2.0
_WILDEST = 2.0
"""Where bursts end, in their standard deviations: nobody moves without bound."""

_SETTLED = 500
"""Frames a recursion runs before it is used, so that it forgets where it began."""

_OUTERMOST = 0.1
"""Share of the calmest and of the liveliest speakers that are left to `intensity`."""

DEVIATION = (1.55, 5.8)
"""Range into which the standard deviation of each angle of a take is brought, in degrees."""

SPEED = (3.1, 11.6)
"""Range into which the mean speed of each angle of a take is brought, in degrees per second."""

_LEVEL = (0.1, 6.0)
"""Range of the factor that does so."""

_LEVEL_FRAMES = 250
"""Shorter takes need not reach the lower ends of these ranges."""

_TALKATIVE = 0.5
"""Nor need recordings whose mean liveliness is below this part of that in speech."""


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
    generators = np.random.default_rng([seed, take, frames, 2]).spawn(2)
    count = length or frames
    bursts = _course(_BURST_SECONDS, generators[0].standard_normal((_SETTLED + count, 1)))
    bursts = soft_limit(bursts, 1.0, _WILDEST)
    moods = _course(_MOOD_SECONDS, generators[1].standard_normal((_SETTLED + count, 6)))
    pace: Array = np.exp(bursts * calibration.bursts + moods * float(calibration.moods))
    return pace


def natural_size(poses: Array, lively: NDArray[np.float32]) -> Array:
    """Factor on each angle, (3,), that brings a take's size into the range of real speakers.

    Where there is little speech, or the take is short, less motion is asked for.

    Args:
        poses: (F, 3) or more columns, the first three angles in degrees, at 25 fps.
        lively: size of motion over the take, within [0, 1].
    """
    deviation = poses[:, :3].std(axis=0)
    speed = mean_speed(poses[:, :3])
    share = min(1.0, float(lively.mean()) / (_TALKATIVE * USUAL)) * min(
        1.0, len(poses) / _LEVEL_FRAMES
    )
    tiny = 1e-9
    least = np.maximum(share * DEVIATION[0] / (deviation + tiny), share * SPEED[0] / (speed + tiny))
    most = np.minimum(DEVIATION[1] / (deviation + tiny), SPEED[1] / (speed + tiny))
    factor: Array = np.clip(np.minimum(np.maximum(1.0, least), most), *_LEVEL)
    return factor


def _course(seconds: float, noise: Array) -> Array:
    """Smoothly varying course of variance 1 with this time constant, from white noise (N, D)."""
    from scipy.signal import lfilter

    keep = math.exp(-1.0 / (float(FPS) * seconds))
    # Two leaks in a row rise and fall smoothly; this size makes their variance 1.
    size = math.sqrt((1 - keep**2) ** 3 / (1 + keep**2))
    course: Array = lfilter([size], [1.0, -2.0 * keep, keep**2], noise, axis=0)[_SETTLED:]
    return course
