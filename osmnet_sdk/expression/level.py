"""Loudness levelling, so that a whisper into a far microphone moves the lips as a shout does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.activity import speech_energy
from osmnet_sdk.conventions import SAMPLES_PER_FRAME

FloatArray = NDArray[np.float32]

TARGET_DB = -20.0
"""Level that the loud parts of speech are brought to, in dBFS."""

LOOK_AHEAD = 2
"""Frames after the current one whose level counts."""

_FALL = 4.0 / 25.0  # dB per frame that the measured level falls at most
_LOWEST = -72.0  # what is softer than this is not speech and is not made louder


def level_gain(samples: FloatArray) -> FloatArray:
    """Gain of each frame that brings the speech around it to the usual level.

    The level followed is that of the loudest frame so far, forgotten by 4 dB per second, so the
    gain is steady within a phrase and needs no more than `LOOK_AHEAD` frames of what follows.

    Args:
        samples: float (n,), 16 kHz mono.

    Returns:
        float32 (T,) gains in dB, T = ceil(25 · seconds).
    """
    energy = speech_energy(samples).astype(np.float64)
    if len(energy) == 0:
        return energy.astype(np.float32)
    padded = np.pad(energy, (0, LOOK_AHEAD), mode="edge")
    ahead = np.max([padded[k : k + len(energy)] for k in range(LOOK_AHEAD + 1)], axis=0)
    # max over the past of (level − fall · age), as a running maximum of a tilted line.
    tilt = _FALL * np.arange(len(ahead))
    followed = np.maximum.accumulate(np.maximum(ahead, _LOWEST) + tilt) - tilt
    gain: FloatArray = (TARGET_DB - np.maximum(followed, _LOWEST)).astype(np.float32)
    return gain


def levelled(samples: FloatArray, gain: FloatArray, start: int = 0) -> FloatArray:
    """Apply the gains of `level_gain` to samples, changing smoothly from frame to frame.

    Args:
        samples: float (n,), a stretch of the recording, beginning with a frame.
        gain: (T,) dB for the whole recording.
        start: number of the frame with which the stretch begins; below 0 before the recording.

    Returns:
        float32 (n,).
    """
    if len(samples) == 0 or len(gain) == 0:
        return samples.astype(np.float32)
    places = start + (np.arange(len(samples)) / SAMPLES_PER_FRAME - 0.5)
    decibels = np.interp(places, np.arange(len(gain)), gain)
    result: FloatArray = (samples * 10.0 ** (decibels / 20.0)).astype(np.float32)
    return result
