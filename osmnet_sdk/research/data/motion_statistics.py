"""Figures of head motion: arithmetic on pose paths at 25 fps, no network, no torch.

A pose is six columns: pitch, yaw, roll in degrees, x, y, z in metres.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.motion.shaping import smooth

Array = NDArray[np.float64]

WINDOW = 100
"""Frames in a window (4 s)."""

OCTAVES = (0.4, 0.8, 1.6, 3.2, 6.4)
"""Borders of the octaves of the power spectrum, in hertz."""

PAUSE = 25
"""Frames of the shortest pause that counts (1 s)."""

_FPS = float(FPS)
_SEGMENT = 125
"""Frames of a segment of the spectrum (5 s), so that the lowest octave holds two lines."""

_SMOOTHED = 0.15 * _FPS
"""Standard deviation of the Gaussian on speed and level before they are correlated, in frames."""

_RESAMPLES = 10000


def windows(path: ArrayLike) -> Array:
    """Cut a path into windows of 4 s that do not overlap: (T, D) → (W, 100, D); the rest is left.

    W is 0 for a path of fewer than 100 frames.
    """
    array = np.asarray(path, float)
    count = len(array) // WINDOW
    return array[: count * WINDOW].reshape(count, WINDOW, *array.shape[1:])


def deviation(poses: Array) -> Array:
    """Standard deviation of each column over a window, in its unit: (W, N, D) → (W, D)."""
    found: Array = poses.std(axis=1)
    return found


def speed(poses: Array) -> Array:
    """Mean absolute speed of each column, per second: (W, N, D) → (W, D)."""
    found: Array = np.abs(np.diff(poses, axis=1)).mean(axis=1) * _FPS
    return found


def acceleration(poses: Array) -> Array:
    """Mean absolute acceleration of each column, per second squared: (W, N, D) → (W, D)."""
    found: Array = np.abs(np.diff(poses, 2, axis=1)).mean(axis=1) * _FPS**2
    return found


def extent(poses: Array) -> Array:
    """Largest less smallest value of each column: (W, N, D) → (W, D)."""
    found: Array = np.ptp(poses, axis=1)
    return found


def octave_power(path: ArrayLike) -> Array:
    """Logarithm of the mean power density in each octave from 0.4 to 6.4 Hz.

    Args:
        path: (T, D), T ≥ 125.

    Returns:
        (4, D), in decibels over one unit squared per hertz.
    """
    from scipy.signal import welch

    frequency, power = welch(
        np.asarray(path, float), fs=_FPS, nperseg=_SEGMENT, detrend="linear", axis=0
    )
    rows = [
        power[(frequency >= low - 1e-9) & (frequency < high - 1e-9)].mean(axis=0)
        for low, high in pairwise(OCTAVES)
    ]
    decibels: Array = 10.0 * np.log10(np.maximum(np.array(rows), 1e-12))
    return decibels


def join_ratio(path: ArrayLike, clip_frames: int) -> float:
    """Steps of speed at the borders of clips over those inside: ratio of their 95th percentiles.

    A clip of T frames advances T − 1, so every (T − 1)th frame is a border.

    Args:
        path: (N, 3), angles; more than two clips long.
        clip_frames: T, 3 or more.
    """
    steps = np.linalg.norm(np.diff(np.asarray(path, float), 2, axis=0), axis=1)
    border = np.arange(1, len(steps) + 1) % (clip_frames - 1) == 0
    at, inside = np.percentile(steps[border], 95), np.percentile(steps[~border], 95)
    return float(at / max(inside, 1e-12))


def distances(first: Array, second: Array) -> Array:
    """Root mean square distance of each of some windows from each of others.

    Args:
        first: (V, N, D).
        second: (W, N, D).

    Returns:
        (V, W), the root of the mean over frames and columns of the squared difference.
    """
    left = first.reshape(len(first), -1)
    right = second.reshape(len(second), -1)
    gap = left[:, None] - right[None]
    found: Array = np.sqrt(np.mean(gap**2, axis=2))
    return found


def head_speed(path: ArrayLike) -> Array:
    """Angular speed of the head, degrees per second, one value a frame: (T, 6) → (T,), T ≥ 2."""
    steps = np.linalg.norm(np.diff(np.asarray(path, float)[:, :3], axis=0), axis=1) * _FPS
    return np.concatenate([steps[:1], steps])


def shifted_correlations(values: ArrayLike, level: ArrayLike) -> Array:
    """Correlation of a smoothed course with a smoothed level, for every rotation of the level.

    Both are smoothed over 0.3 s. Entry 0 is the true correlation, entry k that with the level moved
    k frames later and wrapped around, which keeps all about both but their timing.

    Args:
        values: (T,), for instance the speed of a head.
        level: (T,), for instance of the sound, in decibels.

    Returns:
        (T,), zeros where one of the two does not vary.
    """
    left, right = smooth(values, _SMOOTHED), smooth(level, _SMOOTHED)
    left, right = left - left.mean(), right - right.mean()
    size = float(np.linalg.norm(left) * np.linalg.norm(right))
    if size < 1e-9:
        return np.zeros(len(left))
    product = np.fft.rfft(left) * np.conj(np.fft.rfft(right))
    found: Array = np.fft.irfft(product, len(left)) / size
    return found


def permutation_p(correlations: Sequence[Array], seed: int, *, rounds: int = 4999) -> float:
    """How often sound moved in time does as well as the true one, on average over clips.

    Args:
        correlations: of each clip, as of `shifted_correlations`.
        seed: of the shifts.
        rounds: number of random shifts of all clips; each moves a clip by 1 s or more.

    Returns:
        The one-sided p value, 1 / (rounds + 1) to 1.
    """
    generator = np.random.default_rng(seed)
    least = int(_FPS)
    total = np.zeros(rounds)
    for row in correlations:
        free = max(1, len(row) - 2 * least)
        total += row[(least + generator.integers(0, free, rounds)) % len(row)]
    true = sum(float(row[0]) for row in correlations)
    return float((1 + np.sum(total >= true)) / (rounds + 1))


def pauses(spoken: ArrayLike) -> NDArray[np.bool_]:
    """Frames that belong to a pause of 1 s or more: (T,) whether somebody speaks → (T,)."""
    silent = ~np.asarray(spoken, bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], silent, [0]])))
    found = np.zeros(len(silent), bool)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        found[start:end] = end - start >= PAUSE
    return found


def bootstrap(
    values: ArrayLike, statistic: Callable[..., Array], seed: int, *, share: float = 0.9
) -> tuple[Array, Array]:
    """Bootstrap interval of a statistic over speakers.

    Args:
        values: (S, …), one row a speaker.
        statistic: takes an array and `axis`, such as `numpy.median`.
        seed: of the resampling.
        share: that the interval covers.

    Returns:
        Lower and upper end, each of the shape of a row.
    """
    rows = np.asarray(values, float)
    chosen = np.random.default_rng(seed).integers(0, len(rows), (_RESAMPLES, len(rows)))
    found = statistic(rows[chosen], axis=1)
    ends = np.quantile(found, [(1 - share) / 2, (1 + share) / 2], axis=0)
    return ends[0], ends[1]
