"""Whether somebody speaks, judged frame by frame from what was heard so far."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.audio.activity import (
    DEPTH,
    FLOOR_DB,
    HANGOVER,
    MARGIN,
    MARGIN_SHARE,
    MEDIAN,
    QUIETER,
    SLOPE,
    STEADY,
)

FloatArray = NDArray[np.float32]

WINDOW = 500
"""Frames whose levels tell noise from speech (20 s)."""


class ActivityStream:
    """`voice_activity` of sound that goes on: the same rules, from past frames alone.

    The noise floor is the softest tenth of the last 20 s, the level of speech the loudest of them
    (behind a running median of 0.2 s, so that a click does not hide speech). What came before the
    sound counts as one frame of silence, so that a recording may begin with a word; a steady sound
    at the beginning is therefore taken for speech for its first 0.4 s.
    """

    def __init__(self) -> None:
        self._levels = deque([FLOOR_DB])
        self._sorted = [FLOOR_DB]
        self._smooth: deque[float] = deque()
        self._loudest = FLOOR_DB  # of all smoothed levels so far
        self._tops: deque[tuple[int, float]] = deque()  # those that may be the window's loudest
        self._frame = 0
        self._held = [0.0] * (HANGOVER + 1)

    def push(self, level: ArrayLike) -> FloatArray:
        """Voice activity (n,) within [0, 1] of the next frames, of whose levels (n,) in dBFS.

        Args:
            level: of `speech_energy`.
        """
        values = np.asarray(level, np.float64).tolist()
        return np.array([self._next(value) for value in values], np.float32)

    def _next(self, level: float) -> float:
        noise, loud = self._noise(level), self._loud(level)
        contrast = max(loud, level) - noise
        active = 0.0
        if contrast >= STEADY:
            margin = min(max(MARGIN_SHARE * contrast, MARGIN[0]), MARGIN[1])
            spoken = max(loud, self._loudest - QUIETER)
            threshold = max(noise + margin, spoken - DEPTH)
            active = min(max((level - threshold) / SLOPE + 0.5, 0.0), 1.0)
        self._held = [*self._held[1:], active]
        return max(self._held)

    def _noise(self, level: float) -> float:
        """The softest tenth of the window, this level included."""
        if len(self._levels) == WINDOW:
            del self._sorted[bisect_left(self._sorted, self._levels.popleft())]
        self._levels.append(level)
        insort(self._sorted, level)
        return self._sorted[(len(self._sorted) - 1) // 10]

    def _loud(self, level: float) -> float:
        """The loudest smoothed level of the window."""
        self._smooth.append(level)
        if len(self._smooth) > MEDIAN:
            self._smooth.popleft()
        smooth = sorted(self._smooth)[(len(self._smooth) - 1) // 2]
        self._loudest = max(self._loudest, smooth)
        while self._tops and self._tops[-1][1] <= smooth:
            self._tops.pop()
        self._tops.append((self._frame, smooth))
        if self._tops[0][0] <= self._frame - WINDOW:
            self._tops.popleft()
        self._frame += 1
        return self._tops[0][1]
