"""A high-pass before everything that listens: no offset, no rumble, no wind on the membrane.

What nobody hears may hold far more energy than a voice, and levels, the speech detector and the
networks would follow it. The filter is causal, so that a recording and a stream hear the same.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import SAMPLE_RATE

FloatArray = NDArray[np.float32]

CUTOFF = 40.0
"""Half power, in hertz; the lowest voices begin at 65."""
_ORDER = 4
_BLOCK = 1 << 18
"""Samples filtered at once, in double precision."""


class HighPass:
    """A Butterworth high-pass of 40 Hz over sound that arrives in pieces.

    What came before the first sample counts as a constant of that sample's value, so that an
    offset is gone from the start. 12 Hz fall by 42 dB, 20 Hz by 24 dB, 65 Hz by 0.1 dB; above
    100 Hz sound is late by 2 ms at most.
    """

    def __init__(self) -> None:
        self._state: NDArray[Any] | None = None

    def push(self, samples: FloatArray) -> FloatArray:
        """Take samples (n,) float, 16 kHz mono, and return them filtered, (n,) float32."""
        from scipy.signal import sosfilt, sosfilt_zi

        result = np.empty(len(samples), np.float32)
        for start in range(0, len(samples), _BLOCK):
            block = samples[start : start + _BLOCK].astype(np.float64)
            if self._state is None:
                self._state = sosfilt_zi(_sections()) * block[0]
            result[start : start + len(block)], self._state = sosfilt(
                _sections(), block, zi=self._state
            )
        return result


@cache
def _sections() -> NDArray[np.float64]:
    from scipy.signal import butter  # takes a second to import

    sections: NDArray[np.float64] = butter(_ORDER, CUTOFF, "highpass", fs=SAMPLE_RATE, output="sos")
    return sections
