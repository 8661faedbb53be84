"""Loudness levelling, so that a whisper into a far microphone moves the lips as a shout does."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.audio.activity import speech_energy
from osmnet_sdk.core.conventions import SAMPLES_PER_FRAME

FloatArray = NDArray[np.float32]

TARGET_DB = -20.0
"""Level that the loud parts of speech are brought to, in dBFS."""

_FALL = 4.0 / 25.0  # dB per frame that the measured level falls at most
_LOWEST = -72.0  # what is softer than this is not speech and is not made louder


class LoudnessFollower:
    """Gain of each frame that brings the speech around it to the usual level, as it is heard.

    The level followed is that of the loudest frame so far, this one included, forgotten by 4 dB
    per second, so the gain is steady within a phrase and needs nothing of what follows. It starts
    from −72 dB, and has found the level as soon as the first loud syllable was heard.
    """

    def __init__(self) -> None:
        self._followed = _LOWEST

    def push(self, level: ArrayLike) -> FloatArray:
        """Gains (n,) in dB of the next frames, of whose levels (n,) in dBFS.

        Args:
            level: of `speech_energy`.
        """
        levels = np.asarray(level, np.float64).tolist()
        followed = list(
            accumulate(levels, lambda before, now: max(now, before - _FALL, _LOWEST),
                       initial=self._followed)
        )  # fmt: skip
        self._followed = followed[-1]
        return (TARGET_DB - np.array(followed[1:])).astype(np.float32)


def loudness_gain(samples: FloatArray) -> FloatArray:
    """Gains of `LoudnessFollower` for a whole recording.

    Args:
        samples: float (n,), 16 kHz mono.

    Returns:
        float32 (T,) gains in dB, T = ceil(25 · seconds).
    """
    return LoudnessFollower().push(speech_energy(samples))


def levelled(samples: FloatArray, gain: FloatArray) -> FloatArray:
    """Apply the gains of frames to their samples.

    Within a phrase the gain changes by 0.16 dB from frame to frame; only where the sound becomes
    louder than it was does it fall at once.

    Args:
        samples: float (n,), beginning with a frame.
        gain: (T,) dB, T = ceil(n / 640).

    Returns:
        float32 (n,).
    """
    factors = (10.0 ** (gain.astype(np.float64) / 20.0)).astype(np.float32)
    result: FloatArray = samples * np.repeat(factors, SAMPLES_PER_FRAME)[: len(samples)]
    return result
