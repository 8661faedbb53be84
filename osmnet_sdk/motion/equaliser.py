"""Gives steps the spectrum of real motion, octave by octave. No network, no torch."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.conventions import FPS

Array = NDArray[np.float64]

BANDS = (0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
"""Borders of the octaves in hertz; the outer ones' gains also hold beyond."""

_TAPS = 101
"""Length of a filter in frames (4 s)."""


def equalised(steps: ArrayLike, gains: ArrayLike) -> Array:
    """Steps whose octaves are louder or softer by a factor each.

    The filters have least phase: nothing moves before the steps do, so a rest stays a rest.

    Args:
        steps: (N, D) at 25 fps, taken as zero before the first.
        gains: (D, len(BANDS) − 1), above 0; between the middles of octaves they fade.

    Returns:
        (N, D).
    """
    from scipy.signal import lfilter

    array = np.asarray(steps, float)
    if not len(array):
        return array.copy()
    columns = [
        lfilter(_taps(row), [1.0], column)
        for row, column in zip(np.asarray(gains, float), array.T, strict=True)
    ]
    return np.stack(columns, axis=1)


def _taps(gains: Array) -> Array:
    """Filter of least phase with these gains, (_TAPS,), by its cepstrum.

    Oppenheim and Schafer, Discrete-Time Signal Processing, chapter on the complex cepstrum.
    """
    size = 1024
    frequency = np.fft.rfftfreq(size, 1.0 / float(FPS))
    middles = np.sqrt(np.multiply(BANDS[:-1], BANDS[1:]))
    magnitude = np.interp(np.log(np.maximum(frequency, 1e-3)), np.log(middles), np.log(gains))
    cepstrum = np.fft.irfft(magnitude, size)
    # What lies before time zero is folded onto what comes after: that leaves the magnitude.
    cepstrum[1 : size // 2] *= 2.0
    cepstrum[size // 2 + 1 :] = 0.0
    taps: Array = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), size)[:_TAPS]
    return taps


def octaves(steps: ArrayLike) -> Array:
    """Logarithm of the power of each column in each octave: (W, N, D) → (W, D, len(BANDS) − 1).

    Args:
        steps: windows of steps at 25 fps, N of 100 or more.
    """
    from scipy.signal import periodogram

    frequency, power = periodogram(
        np.asarray(steps, float), float(FPS), window="hann", detrend="constant", axis=1
    )
    rows = [
        power[:, (frequency >= low) & (frequency < high)].mean(axis=1)
        for low, high in pairwise(BANDS)
    ]
    found: Array = np.log(np.maximum(np.stack(rows, axis=2), 1e-18))
    return found
