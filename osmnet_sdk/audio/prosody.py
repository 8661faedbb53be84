"""Where a voice puts weight, and where its phrases begin and end: the moments of gestures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.audio.mel import HOP, HOPS_PER_FRAME, FloatArray
from osmnet_sdk.core.conventions import FPS, SAMPLE_RATE

Array = NDArray[np.float64]

PROMINENCE = 3.0
"""Decibels by which an accented syllable rises out of its surroundings at least."""

PHRASE_GAP = 8
"""Frames without speech that part two phrases (0.32 s)."""

_HEARD_DB = 30.0
"""What lies further than this below loud speech is as good as silent, dB."""
_SMOOTHED = 1.5
"""Standard deviation in frames of the Gaussian that makes one peak of a syllable."""
_BLOCK = 1024
"""Frames whose onsets are worked out at once, so that an hour needs no more than a minute."""
_STRONGEST = 3.0
"""Largest strength of an accent, in those of the usual one."""


@dataclass(frozen=True, eq=False)
class Prosody:
    """The moments of a recording at which gestures come; times in seconds, in order.

    Attributes:
        accents: (A,) float64, when syllables with emphasis are loudest.
        prominences: (A,) float64, by how many dB each rises out of its surroundings.
        strengths: (A,) float64, above 0, how strong each is against the usual one of the
            recording, within [0, 3]: half by its rise in level, half by the onset before it.
        starts: (P,) float64, when phrases begin.
        ends: (P,) float64, when they end.
    """

    accents: Array
    prominences: Array
    strengths: Array
    starts: Array
    ends: Array

    @classmethod
    def of(cls, mel: FloatArray, level: ArrayLike, activity: ArrayLike) -> Prosody:
        """The moments of a recording.

        Args:
            mel: (T, bands, hops), of `mel_windows` with 4 hops or more.
            level: (T,), of its video frames in dBFS, as of `speech_energy`.
            activity: (T,) within [0, 1], whether somebody speaks.
        """
        loudness, spoken = np.asarray(level, np.float64), np.asarray(activity) >= 0.5
        starts, ends = phrases(spoken)
        if not spoken.any():
            return cls(np.zeros(0), np.zeros(0), np.zeros(0), starts, ends)
        times, prominences = accents(loudness, spoken)
        frames, onsets = np.rint(times * float(FPS)).astype(int), _onsets(mel)
        # An onset leads the peak of its syllable by up to 0.2 s.
        before = np.maximum(frames[:, None] - np.arange(5), 0)
        strengths = _relative(prominences) / 2 + _relative(onsets[before].max(axis=1)) / 2
        return cls(times, prominences, strengths, starts, ends)


def accents(level: Array, spoken: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Times in seconds at which syllables with emphasis are loudest, and by how many dB they rise.

    Args:
        level: (T,) dBFS.
        spoken: (T,) whether somebody speaks; somewhere somebody does.
    """
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    heard = np.maximum(level, np.percentile(level[spoken], 95) - _HEARD_DB)
    peaks, found = find_peaks(gaussian_filter1d(heard, _SMOOTHED), prominence=PROMINENCE)
    inside = spoken[peaks]
    return peaks[inside] / float(FPS), found["prominences"][inside]


def phrases(spoken: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Seconds at which phrases begin and end, (P,) each; gaps below 0.32 s do not part them.

    Args:
        spoken: (T,) whether somebody speaks.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], spoken, [0]]).astype(int)))
    starts, ends = edges[::2], edges[1::2]
    apart = starts[1:] - ends[:-1] >= PHRASE_GAP
    first = np.concatenate([[True], apart])[: len(starts)]
    last = np.concatenate([apart, [True]])[: len(ends)]
    return starts[first] / float(FPS), ends[last] / float(FPS)


def _onsets(mel: FloatArray) -> Array:
    """How much sound sets in in each video frame: (T,), decibels over the mel bands."""
    from librosa.onset import onset_strength  # slow to import

    result = np.zeros(len(mel))
    inside = slice(mel.shape[2] // 2 - HOPS_PER_FRAME // 2, mel.shape[2] // 2 + HOPS_PER_FRAME // 2)
    for first in range(0, len(mel), _BLOCK):
        before = min(first, 1)
        frames = mel[first - before : first + _BLOCK, :, inside]
        spectrum = 20.0 / np.log(10.0) * frames.transpose(1, 0, 2).reshape(mel.shape[1], -1)
        strength = onset_strength(
            S=spectrum, sr=SAMPLE_RATE, hop_length=HOP, lag=2, max_size=3, center=False
        )
        strength = strength.reshape(-1, HOPS_PER_FRAME).mean(axis=1)[before:]
        result[first : first + len(strength)] = strength
    return result


def _relative(values: Array) -> Array:
    """Values over their median, within [0, `_STRONGEST`]."""
    usual = float(np.median(values)) if len(values) else 0.0
    if usual <= 0.0:
        return np.ones(len(values))
    found: Array = np.clip(values / usual, 0.0, _STRONGEST)
    return found
