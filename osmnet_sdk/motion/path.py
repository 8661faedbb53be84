"""A take's random path through the motion space, around the centre feature."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.shaping import into_ball

Array = NDArray[np.float64]

FILL = 0.6
"""Size of the free path over the ball's radius: most of it stays well inside."""

_SETTLED = 500
"""Frames a recursion runs before it is used, so that it forgets where it began."""

_SPREAD = 4
"""Directions in which the beginnings of takes are spread out by a low-discrepancy sequence."""


def random_path(
    calibration: Calibration,
    frames: int,
    *,
    seed: int,
    take: int,
    begin: int,
    length: int | None = None,
) -> Array:
    """Offsets from the centre feature over time, within the unit ball (paper eq. 5, ε = 1).

    Each direction follows its own autoregression, so the path has the spectrum of real motion.
    The takes of a seed begin in directions that are spread out evenly. Recordings of different
    length get different paths, so that the shots of a series, made with one seed, do not all show
    the same dance.

    Args:
        calibration: statistics of real paths.
        frames: K, clips of the path, one for each frame.
        seed: of the sampling; decides everything together with `take` and `frames`.
        take: number of the take, from 0.
        begin: frame at which the path passes through the take's first direction.
        length: K' clips to return, K by default: the same path, cut or going on.

    Returns:
        (K', R), coordinates along the calibration's directions over their lengths; the offset in
        feature space is their product with `unit_directions`.
    """
    generator = np.random.default_rng([seed, take, frames])
    paths = _free_paths(calibration, length or frames, generator)
    _pass_through(paths, calibration, _first_direction([seed, frames], take, paths.shape[1]), begin)
    return within_ball(calibration, paths)


def within_ball(calibration: Calibration, paths: Array) -> Array:
    """Paths (K, R) of variance 1 as offsets along the directions, within the unit ball (eq. 5)."""
    size = np.sqrt(np.sum(calibration.directions**2))
    return into_ball(paths * np.linalg.norm(calibration.directions, axis=1) * (FILL / size))


def unit_directions(calibration: Calibration) -> Array:
    """Directions of length 1, (R, C)."""
    directions: Array = calibration.directions / np.linalg.norm(
        calibration.directions, axis=1, keepdims=True
    )
    return directions


def direction_filters(calibration: Calibration) -> list[tuple[Array, Array]]:
    """Numerator and denominator of each direction's filter, for output of variance 1."""
    from scipy.signal import lfilter

    impulse = np.zeros(_SETTLED)
    impulse[0] = 1.0
    filters = []
    for coefficients in calibration.recursion:
        below = np.concatenate([[1.0], -coefficients])
        response = lfilter([1.0], below, impulse)
        filters.append((np.array([1.0 / math.sqrt(float(response @ response))]), below))
    return filters


def _free_paths(calibration: Calibration, frames: int, generator: np.random.Generator) -> Array:
    from scipy.signal import lfilter

    noise = generator.standard_normal((_SETTLED + frames, len(calibration.recursion)))
    columns = [
        lfilter(above, below, noise[:, index])[_SETTLED:]
        for index, (above, below) in enumerate(direction_filters(calibration))
    ]
    return np.stack(columns, axis=1)


def _pass_through(paths: Array, calibration: Calibration, point: Array, begin: int) -> None:
    """Condition Gaussian paths on the value `point` at frame `begin` (Matheron's rule)."""
    from scipy.signal import lfilter

    if begin >= len(paths):
        return
    impulse = np.zeros(_SETTLED)
    impulse[0] = 1.0
    lags = np.abs(np.arange(len(paths)) - begin)
    near = lags < _SETTLED
    for index, (above, below) in enumerate(direction_filters(calibration)[: len(point)]):
        response = lfilter(above, below, impulse)
        correlation = np.correlate(response, response, mode="full")[_SETTLED - 1 :]
        miss = point[index] - paths[begin, index]
        paths[near, index] += correlation[lags[near]] * miss


def _first_direction(entropy: list[int], take: int, size: int) -> Array:
    """Where a take sets out: normal deviates from a low-discrepancy sequence over takes.

    The sequence is Roberts' R_d, shifted at random: point k is the fractional part of k times
    powers of the root of x^(d+1) = x + 1.
    """
    from scipy.special import ndtri

    count = min(_SPREAD, size)
    root = 1.5
    for _ in range(64):
        root = (1.0 + root) ** (1.0 / (count + 1))
    shift = np.random.default_rng(entropy).random(count)
    place = (shift + take * root ** -np.arange(1.0, count + 1)) % 1.0
    deviates: Array = ndtri(np.clip(place, 0.02, 0.98))
    return deviates
