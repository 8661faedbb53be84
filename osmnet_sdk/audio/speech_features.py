"""Speech features of sound of any length: the encoder's windows, one after the other.

The encoder sees one window at a time. A window holds a block of features that are given, and what
comes before and after it. Streams have short blocks, since nobody can wait; recordings long ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from osmnet_sdk.audio.speech_encoder import (
    BANDS,
    HOP,
    WINDOW,
    SpeechEncoder,
    encoder_mel,
    scaled_mel,
)

FloatArray = NDArray[np.float32]

RATE = 50
"""Features a second; feature k is centred on sample 320 · k."""
STEP = 2 * HOP
"""Distance of two features, in samples (20 ms)."""


@dataclass(frozen=True)
class Windows:
    """How much the encoder sees at once, in features of 20 ms.

    Attributes:
        before: seen before a block.
        block: given by one window.
        ahead: seen after a block.
    """

    before: int
    block: int
    ahead: int

    @property
    def whole(self) -> int:
        """Length of a window."""
        return self.before + self.block + self.ahead


WHOLE = Windows(before=50, block=100, ahead=50)
"""Of recordings: 2 s, with a second on both sides."""
STREAM = Windows(before=90, block=3, ahead=7)
"""Of streams: 60 ms, with 0.14 s ahead, in a window of 2 s."""

_QUIET = -1.0
"""Powers of ten that the loudest band of levelled speech reaches at least: before the first loud
sound, noise counts as noise."""
_AT_ONCE = 1600
"""Features that are computed together at most."""


class SpeechFeatureStream:
    """Features of sound as it is heard; how it is cut into pieces makes no difference.

    Args:
        encoder: on `device`, in evaluation mode.
        windows: what it sees at once.
        device: where it computes.

    Example:
        >>> stream = SpeechFeatureStream(load_encoder(bundle), WHOLE)
        >>> features = np.concatenate([stream.push(samples), stream.finish(100)])
    """

    def __init__(
        self, encoder: SpeechEncoder, windows: Windows, device: str | torch.device = "cpu"
    ) -> None:
        self._encoder, self._windows, self._device = encoder, windows, device
        self._samples = np.zeros(WINDOW // 2, np.float32)  # column 0 is centred on sample 0
        self._logs = np.zeros((BANDS, 0), np.float32)
        self._first = 0
        """Feature at which the columns that are kept begin."""
        self._given = 0
        self._loudest = _QUIET

    def push(self, samples: FloatArray) -> FloatArray:
        """The features (k, width) that are ready after further samples (n,), 16 kHz, levelled."""
        self._hear(samples)
        whole = (self._heard - self._windows.ahead - self._given) // self._windows.block
        return self._give(self._given + max(whole, 0) * self._windows.block)

    def finish(self, count: int) -> FloatArray:
        """What is left of `count` features in all, with silence after the last sample."""
        missing = count + self._windows.ahead - self._heard
        self._hear(np.zeros(max(missing, 0) * STEP + WINDOW, np.float32))
        return self._give(count)

    @property
    def _heard(self) -> int:
        """Features whose columns are there."""
        return self._first + self._logs.shape[1] // 2

    def _hear(self, samples: FloatArray) -> None:
        """Make columns of the samples as far as they reach."""
        self._samples = np.concatenate([self._samples, samples])
        columns = (len(self._samples) - WINDOW) // HOP + 1
        if columns > 0:
            logs = encoder_mel(self._samples[: (columns - 1) * HOP + WINDOW])
            self._logs = np.concatenate([self._logs, logs], axis=1)
            self._samples = self._samples[columns * HOP :].copy()

    def _give(self, end: int) -> FloatArray:
        """Features up to `end`, block by block; as many windows at once as are of one length."""
        block, loudest = self._windows.block, self._loudest_so_far()
        waiting = [(k, min(k + block, end)) for k in range(self._given, end, block)]
        parts = [np.zeros((0, self._encoder.config.width), np.float32)]
        most = max(_AT_ONCE // self._windows.whole, 1)
        while waiting:
            length = self._length(*waiting[0])
            count = 1
            while count < min(len(waiting), most) and self._length(*waiting[count]) == length:
                count += 1
            parts += self._encoded(waiting[:count], loudest)
            waiting = waiting[count:]
        self._given = max(self._given, end)
        self._forget(loudest)
        return np.concatenate(parts)

    def _window(self, start: int, stop: int) -> tuple[int, int]:
        """First and end of the window of a block."""
        return max(start - self._windows.before, 0), stop + self._windows.ahead

    def _length(self, start: int, stop: int) -> int:
        first, end = self._window(start, stop)
        return end - first

    def _encoded(self, blocks: list[tuple[int, int]], loudest: FloatArray) -> list[FloatArray]:
        """Features of blocks whose windows are of one length."""
        mels = []
        for block in blocks:
            first, end = (2 * (edge - self._first) for edge in self._window(*block))
            mels.append(scaled_mel(self._logs[:, first:end], float(loudest[end - 1])))
        with torch.inference_mode():
            batch = torch.from_numpy(np.stack(mels)).to(self._device)
            features = self._encoder(batch).float().cpu().numpy()
        skipped = blocks[0][0] - self._window(*blocks[0])[0]
        lengths = [stop - start for start, stop in blocks]
        return [
            window[skipped : skipped + length]
            for window, length in zip(features, lengths, strict=True)
        ]

    def _loudest_so_far(self) -> FloatArray:
        """(columns,) the loudest band of all that was heard up to each column that is kept."""
        columns = self._logs.max(axis=0, initial=-np.inf)
        heard: FloatArray = np.maximum(np.maximum.accumulate(columns), self._loudest)
        return heard

    def _forget(self, loudest: FloatArray) -> None:
        """Drop the columns that no later window sees."""
        first = max(self._given - self._windows.before, self._first)
        dropped = 2 * (first - self._first)
        if dropped:
            self._loudest = float(loudest[dropped - 1])
            self._logs = self._logs[:, dropped:].copy()
            self._first = first
