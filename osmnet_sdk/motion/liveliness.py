"""How lively a head moves at each moment, decided by the sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.motion.shaping import smooth

Array = NDArray[np.float64]

SILENT = 0.35
"""Size of motion in long silence over that in speech."""

PAUSED = 0.5
"""Size of motion in a short pause over that in speech."""

STRESS = 0.15
"""Change of the logarithm of size per standard deviation of the predicted speed."""

_MOST_STRESS = 2.0

LEAD_FRAMES = 3
"""Frames by which heads calm down before a phrase ends, and set out before the next (0.12 s)."""

_PAUSE_FRAMES = 3.5
_SILENCE_FRAMES = 30.0
_STRESS_FRAMES = 5.0


def liveliness(log_speed: ArrayLike, activity: ArrayLike, statistics: ArrayLike) -> Array:
    """Size of motion over time: calmer in pauses, calmest in long silence, livelier in stress.

    Stress is what the audio encoder predicts: the mean speed of the basis vectors under its
    weights, compared with the recording's own median, so that a soft voice is not taken for a
    calm one.

    Args:
        log_speed: (F,), logarithm of the predicted speed.
        activity: (F,), within [0, 1], whether somebody speaks.
        statistics: (2,), mean and standard deviation of `log_speed` over training speech.

    Returns:
        (F,), within [0, 1].
    """
    predicted, voice = np.asarray(log_speed, float), np.asarray(activity, float)
    mean, deviation = np.asarray(statistics, float)
    speech = predicted[voice > 0.5]
    usual = float(np.median(speech)) if len(speech) else float(mean)
    stress = smooth((predicted - usual) / deviation * voice, _STRESS_FRAMES)
    stress = np.clip(stress, -_MOST_STRESS, _MOST_STRESS)
    ahead = np.concatenate([voice[LEAD_FRAMES:], np.repeat(voice[-1:], LEAD_FRAMES)])[: len(voice)]
    level = (
        SILENT
        + (PAUSED - SILENT) * smooth(voice, _SILENCE_FRAMES)
        + (1.0 - PAUSED) * smooth(ahead, _PAUSE_FRAMES)
    )
    lively = np.clip(level, SILENT, 1.0) * np.exp(STRESS * (stress - _MOST_STRESS))
    bounded: Array = np.clip(lively, 0.0, 1.0)
    return bounded
