"""How loud each video frame is, and whether somebody speaks in it."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.conventions import SAMPLES_PER_FRAME, frame_count
from osmnet_sdk.errors import InputError

FloatArray = NDArray[np.float32]
Array = NDArray[np.float64]

FLOOR_DB = -80.0
"""Lowest level, in dBFS."""

_BLOCK = 512
"""Frames whose level is computed at once (about 5 MB of memory)."""

MEDIAN = 5
"""Frames of the running median that hides clicks (0.2 s)."""
_NEIGHBOURHOOD = 250
"""Frames before and after within which speech is measured by its loudest level (10 s)."""
QUIETER = 20.0
"""How far a passage may lie below the loudest one and still be speech, in dB."""
DEPTH = 32.0
"""How far speech sounds lie below the loud level at most, in dB."""
STEADY = 3.0
"""Sound that varies less than this between its soft and loud parts, in dB, is noise or a tone."""
MARGIN_SHARE = 0.4
"""Share of the way from the noise to the loud level at which the threshold lies."""
MARGIN = (2.0, 10.0)
"""Least and greatest distance of the threshold from the noise, in dB."""
SLOPE = 6.0
"""Width of the threshold, in dB."""
HANGOVER = 3
"""Frames that speech lasts on after it fell below the threshold (0.12 s)."""
WINDOW = 500
"""Frames of the past whose levels tell a stream noise from speech (20 s)."""
_SHORT = 25
"""Recordings of up to this many frames (1 s) may be speech throughout, without any pause."""


def speech_energy(samples: FloatArray) -> FloatArray:
    """Level of each video frame.

    Args:
        samples: float (n,), 16 kHz mono, full scale ±1.

    Returns:
        float32 (T,) with T = ceil(25 · seconds): 20 log10 of the root mean square of samples 640 i
        to 640 (i + 1), in dBFS, where 0 is the level of a full-scale square wave; −80 at least.

    Raises:
        InputError: if the shape of `samples` is not allowed.
    """
    if np.ndim(samples) != 1:
        raise InputError(f"Samples must have shape (n,), 16 kHz mono, not {np.shape(samples)}.")
    frames = frame_count(len(samples))
    power = np.zeros(frames, np.float64)
    for start in range(0, frames, _BLOCK):
        stop = min(start + _BLOCK, frames)
        block = samples[start * SAMPLES_PER_FRAME : stop * SAMPLES_PER_FRAME].astype(np.float64)
        edges = np.arange(0, len(block), SAMPLES_PER_FRAME)
        lengths = np.diff(np.append(edges, len(block)))
        power[start:stop] = np.add.reduceat(block * block, edges) / lengths
    level = 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))
    return level.astype(np.float32)


def voice_activity(samples: FloatArray) -> FloatArray:
    """Whether somebody speaks in each video frame, judged by level alone.

    The threshold follows the recording: it lies above the noise floor (the softest tenth), and
    within 32 dB of the loudest level of the 20 s around, so that the gain of the recording does not
    matter. Music and loud noises that come and go count as speech; steady noise and tones do not.

    Args:
        samples: float (n,), 16 kHz mono.

    Returns:
        float32 (T,) within [0, 1]; 0 in digital silence. Speech lasts 0.12 s longer than its sound,
        which bridges the closures of plosives.

    Raises:
        InputError: if the shape of `samples` is not allowed.
    """
    return level_activity(speech_energy(samples))


def level_activity(levels: ArrayLike) -> FloatArray:
    """As `voice_activity`, from the levels (T,) of the frames in dBFS."""
    level = np.asarray(levels, np.float64)
    if len(level) == 0 or level.max() <= FLOOR_DB:
        return np.zeros(len(level), np.float32)
    smooth = np.median(_around(level, MEDIAN // 2), axis=1)
    noise = float(np.percentile(level, 10))
    loudest = max(float(smooth.max()), float(np.percentile(level, 95)))
    if loudest - noise < STEADY:
        spoken = len(level) <= _SHORT and loudest > FLOOR_DB + DEPTH
        return np.full(len(level), float(spoken), np.float32)
    around = _around(smooth, _NEIGHBOURHOOD).max(axis=1)
    active = _active(level, noise, loudest - noise, np.maximum(around, loudest - QUIETER))
    return _lasting(np.pad(active, (HANGOVER, 0)))


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
        self._held = np.zeros(HANGOVER)

    def push(self, level: ArrayLike) -> FloatArray:
        """Voice activity (n,) within [0, 1] of the next frames, of whose levels (n,) in dBFS.

        Args:
            level: of `speech_energy`.
        """
        levels = np.asarray(level, np.float64)
        if len(levels) == 0:
            return levels.astype(np.float32)
        noise, loud, spoken = np.array([self._follow(value) for value in levels.tolist()]).T
        contrast = np.maximum(loud, levels) - noise
        active = _active(levels, noise, contrast, spoken) * (contrast >= STEADY)
        joined = np.concatenate([self._held, active])
        self._held = joined[len(active) :]
        return _lasting(joined)

    def _follow(self, level: float) -> tuple[float, float, float]:
        """Level of the noise, the loudest of the window, and that of speech, after a frame."""
        noise, loud = self._noise(level), self._loud(level)
        return noise, loud, max(loud, self._loudest - QUIETER)

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


def _active(level: Array, noise: Array | float, contrast: Array | float, loud: Array) -> Array:
    """The rule of both forms: how far levels (n,) lie above the threshold, within [0, 1].

    Args:
        level: of the frames, dBFS.
        noise: the level of the noise.
        contrast: how far the loudest sound lies above the noise, in dB.
        loud: the level of speech around each frame.
    """
    margin = np.clip(MARGIN_SHARE * np.asarray(contrast), *MARGIN)
    threshold = np.maximum(noise + margin, loud - DEPTH)
    return np.clip((level - threshold) / SLOPE + 0.5, 0.0, 1.0)


def _lasting(active: Array) -> FloatArray:
    """Activity (HANGOVER + n,) that lasts on after its sound, (n,)."""
    return np.asarray(sliding_window_view(active, HANGOVER + 1).max(axis=1), dtype=np.float32)


def _around(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """For each value, those up to `reach` places before and after it, as (n, 2 · reach + 1)."""
    return sliding_window_view(np.pad(values, reach, mode="edge"), 2 * reach + 1)
