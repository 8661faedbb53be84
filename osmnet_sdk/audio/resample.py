"""Conversion of sound from one sample rate to another, block by block."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class RateConverter:
    """Converts sound to another sample rate; how it is cut into blocks makes no difference.

    The result stays aligned with the input (the filter's delay is taken out) and n samples become
    exactly round(n · rate_out / rate_in).

    Args:
        rate_in: sample rate of what goes in, in Hz.
        rate_out: sample rate of what comes out, in Hz.
        channels: 1 or 2.
    """

    def __init__(self, rate_in: int, rate_out: int, channels: int = 1) -> None:
        self.rate_in, self.rate_out, self.channels = rate_in, rate_out, channels
        self._layout = {1: "mono", 2: "stereo"}[channels]
        self._resampler = av.AudioResampler(format="flt", layout=self._layout, rate=rate_out)
        self._taken = 0
        self._given = 0

    def push(self, block: FloatArray) -> FloatArray:
        """Take a block (n, channels) and return what is ready (m, channels); m may be 0."""
        if self.rate_in == self.rate_out or len(block) == 0:
            return block
        packed = np.ascontiguousarray(block, dtype=np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=self._layout)
        frame.sample_rate = self.rate_in
        frame.pts = self._taken
        frame.time_base = Fraction(1, self.rate_in)
        self._taken += len(block)
        ready = self._joined(self._resampler.resample(frame))
        self._given += len(ready)
        return ready

    def finish(self) -> FloatArray:
        """Return the rest (m, channels), cut or filled with zeros to the exact length."""
        missing = round(Fraction(self._taken * self.rate_out, self.rate_in)) - self._given
        rest = self._joined(self._resampler.resample(None))[: max(missing, 0)]
        return np.pad(rest, ((0, max(missing, 0) - len(rest)), (0, 0)))

    def _joined(self, frames: list[av.AudioFrame]) -> FloatArray:
        blocks = [frame.to_ndarray().reshape(-1, self.channels) for frame in frames]
        return np.concatenate([np.zeros((0, self.channels), np.float32), *blocks])
