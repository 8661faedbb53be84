"""A take's random path through the motion space, around the centre feature."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.shaping import into_ball

Array = NDArray[np.float64]

FILL = 0.4
"""Size of the free path over the ball's radius: bursts reach the rim, most stays inside."""

_BURST_SECONDS = 0.4
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
    children = np.random.SeedSequence([seed, take, frames]).spawn(2)
    generators = [np.random.default_rng(child) for child in children]
    count = length or frames
    paths = _free_paths(calibration, count, generators[0])
    _pass_through(paths, calibration, _first_direction([seed, frames], take, paths.shape[1]), begin)
    size = np.sqrt(np.sum(calibration.directions**2))
    coordinates = paths * np.linalg.norm(calibration.directions, axis=1) * (FILL / size)
    bursts = _bursts(count, float(calibration.bursts), generators[1])
    return into_ball(coordinates * bursts[:, None])


def take_size(calibration: Calibration, frames: int, *, seed: int, take: int) -> Array:
    """How large a take's motion is on each angle against the usual take: (3,), 1 in the median.

    Real speakers differ in how much they move, so takes do. What all axes share comes from a
    low-discrepancy sequence over takes: a few takes of a seed are calm, usual and lively ones.

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
    # the outermost speakers are left to `intensity`
    deviates = shared * ndtri(np.clip(place, 0.1, 0.9)) + single * ndtri(own.uniform(0.1, 0.9, 3))
    sizes: Array = np.exp(deviates)
    return sizes


def unit_directions(calibration: Calibration) -> Array:
    """Directions of length 1, (R, C)."""
    directions: Array = calibration.directions / np.linalg.norm(
        calibration.directions, axis=1, keepdims=True
    )
    return directions


def _filters(calibration: Calibration) -> list[tuple[Array, Array]]:
    """Numerator and denominator of each direction's filter, for output of variance 1."""
    from scipy.signal import lfilter

    k = float(calibration.sharpness)
    impulse = np.zeros(_SETTLED)
    impulse[0] = 1.0
    filters = []
    for coefficients in calibration.recursion:
        below = np.concatenate([[1.0], -coefficients])
        above = np.array([-k, 1.0 + 2.0 * k, -k])
        response = lfilter(above, below, impulse)
        filters.append((above / math.sqrt(float(response @ response)), below))
    return filters


def _free_paths(calibration: Calibration, frames: int, generator: np.random.Generator) -> Array:
    from scipy.signal import lfilter

    noise = generator.standard_normal((_SETTLED + frames, len(calibration.recursion)))
    columns = [
        lfilter(above, below, noise[:, index])[_SETTLED:]
        for index, (above, below) in enumerate(_filters(calibration))
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
    for index, (above, below) in enumerate(_filters(calibration)[: len(point)]):
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
    shift = np.random.default_rng(np.random.SeedSequence(entropy)).random(count)
    place = (shift + take * root ** -np.arange(1.0, count + 1)) % 1.0
    deviates: Array = ndtri(np.clip(place, 0.02, 0.98))
    return deviates


def _bursts(frames: int, deviation: float, generator: np.random.Generator) -> Array:
    """Slowly varying size of a path, (frames,), its logarithm 0 on average."""
    from scipy.signal import lfilter

    keep = math.exp(-1.0 / (25.0 * _BURST_SECONDS))
    noise = generator.standard_normal(_SETTLED + frames)
    # Two leaks in a row: a smooth rise and fall, of variance 1.
    size = math.sqrt((1 - keep**2) ** 3 / (1 + keep**2))
    level = lfilter([size], [1.0, -2.0 * keep, keep**2], noise)[_SETTLED:]
    bursts: Array = np.exp(deviation * level)
    return bursts
