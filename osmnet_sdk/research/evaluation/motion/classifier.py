"""A small classifier that tries to tell takes from real clips."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.shaping import smooth
from osmnet_sdk.research.data.motion_statistics import (
    OCTAVES,
    acceleration,
    deviation,
    extent,
    speed,
    windows,
)

Array = NDArray[np.float64]

_FPS = float(FPS)
_DRAWN = 40
"""Windows of each speaker and side, so that every speaker counts alike."""

_LEAST = 4
"""Speakers: two to learn from and two to be tested on."""


def takes_from_real(
    real: Sequence[Array], takes: Sequence[Array], seed: int, *, rounds: int = 30
) -> Array:
    """How well trees tell takes from real clips, on speakers that they did not learn from.

    In each round a random half of the speakers, with their clips and the takes for their voices,
    is learned from, and the other half is tested on. Every speaker counts alike.

    Args:
        real: features of each speaker's windows, (W, D) with W ≥ 1, as of `window_features`.
        takes: the same of the takes for each speaker's voice.
        seed: of the halves.
        rounds: number of random halves.

    Returns:
        (rounds,), areas under the ROC curve: 0.5 where nothing can be told, 1 where all can.

    Raises:
        InputError: if there are fewer than four speakers.
    """
    order = _orders(len(real), seed, rounds)
    half = len(real) // 2
    return np.array(
        [
            _area(
                [(real[s], 0) for s in row[:half]] + [(takes[s], 1) for s in row[:half]],
                [(real[s], 0) for s in row[half:]] + [(takes[s], 1) for s in row[half:]],
            )
            for row in order
        ]
    )


def real_from_real(real: Sequence[Array], seed: int, *, rounds: int = 30) -> Array:
    """How well trees tell two random halves of the speakers apart, on speakers not learned from.

    Args and errors are those of `takes_from_real`.

    Returns:
        (rounds,), areas under the ROC curve; around 0.5, and their spread is that of chance.
    """
    areas = []
    for row in _orders(len(real), seed, rounds):
        labelled = [(real[s], place % 2) for place, s in enumerate(row)]
        half = len(row) // 2 - len(row) // 2 % 2  # both labels in both parts
        areas.append(_area(labelled[: max(half, 2)], labelled[max(half, 2) :]))
    return np.array(areas)


def _orders(speakers: int, seed: int, rounds: int) -> list[NDArray[np.int64]]:
    if speakers < _LEAST:
        raise InputError(
            f"A classifier needs clips of {_LEAST} speakers or more, not {speakers}; add clips."
        )
    generator = np.random.default_rng(seed)
    return [generator.permutation(speakers) for _ in range(rounds)]


def _area(learned: Sequence[tuple[Array, int]], tested: Sequence[tuple[Array, int]]) -> float:
    """Area under the ROC curve; parts are windows of a speaker and their label."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

    trees = HistGradientBoostingClassifier(
        max_iter=60, max_depth=3, min_samples_leaf=5, max_bins=32, random_state=0
    )
    rows, labels = _drawn(learned)
    trees.fit(rows, labels)
    rows, labels = _drawn(tested)
    return float(roc_auc_score(labels, trees.predict_proba(rows)[:, 1]))


def _drawn(parts: Sequence[tuple[Array, int]]) -> tuple[Array, Array]:
    """As many windows of each part, evenly over time, some more than once; and their labels."""
    drawn = [rows[np.linspace(0, len(rows) - 1, _DRAWN).round().astype(int)] for rows, _ in parts]
    labels = np.repeat([float(label) for _, label in parts], _DRAWN)
    return np.concatenate(drawn), labels


def window_features(path: ArrayLike) -> Array:
    """What a classifier is told of each window of 4 s, (T, 6) → (W, 61).

    Of each column the standard deviation, mean speed, mean acceleration, extent, kurtosis of the
    speed, share of the frames that are nearly still, and reversals; and of the angles the
    spectrum by octave, the correlations of pairs, and how bursty the speed is.
    """
    poses = windows(path)
    if not len(poses):
        return np.zeros((0, 61))
    rates = np.diff(poses, axis=1) * _FPS
    size = np.abs(rates).mean(axis=1, keepdims=True) + 1e-9
    still = (np.abs(rates) < 0.2 * size).mean(axis=1)
    kurtosis = ((rates / size) ** 4).mean(axis=1) / ((rates / size) ** 2).mean(axis=1) ** 2
    turns = (np.diff(np.sign(rates), axis=1) != 0).mean(axis=1)
    head = np.linalg.norm(rates[..., :3], axis=2)
    slow = np.stack([smooth(row, 6.0) for row in head])
    bursts = np.stack([head.std(1) / head.mean(1), slow.std(1) / slow.mean(1)], axis=1)
    pairs = [(0, 1), (0, 2), (1, 2)]
    together = np.stack([_correlation(poses[..., a], poses[..., b]) for a, b in pairs], axis=1)
    spectrum = np.stack([_short_spectrum(window[:, :3]) for window in poses])
    parts = (deviation(poses), speed(poses), acceleration(poses), extent(poses))
    logs = [np.log(part + 1e-9) for part in parts]
    return np.hstack([*logs, kurtosis, still, turns, spectrum, together, bursts, _skew(head)])


def _correlation(first: Array, second: Array) -> Array:
    left = first - first.mean(axis=1, keepdims=True)
    right = second - second.mean(axis=1, keepdims=True)
    size = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1) + 1e-12
    found: Array = np.sum(left * right, axis=1) / size
    return found


def _short_spectrum(window: Array) -> Array:
    """Power by octave of a window, (N, 3) → (12,)."""
    from scipy.signal import periodogram

    frequency, power = periodogram(window, fs=_FPS, window="hann", detrend="linear", axis=0)
    octave = [
        power[(frequency >= low) & (frequency < high)].mean(axis=0)
        for low, high in pairwise(OCTAVES)
    ]
    return np.log(np.concatenate(octave) + 1e-9)


def _skew(speeds: Array) -> Array:
    """Percentiles of the head's speed over its median, (W, N) → (W, 2), in logarithms."""
    low, middle, high = np.percentile(speeds, [10, 50, 95], axis=1) + 1e-9
    skew: Array = np.log(np.stack([low / middle, high / middle], axis=1))
    return skew
