"""What a voice itself asks for: the same path through the motion space for every take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.prosody import Prosody
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.motion.bursts import pulses
from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.path import direction_filters, within_ball

Array = NDArray[np.float64]
FloatArray = NDArray[np.float32]

SHARE = 0.5
"""Size of what the voice asks for in a take, over that of all its motion."""

_AROUND = 3
"""Clips before and after a moment over which what the network hears is averaged."""

_BLOCK = 4096

_STROKE = 1.5
"""Standard deviation in frames of the stroke that sets a gesture going."""


def gesture_moments(sound: Prosody, clip_frames: int, clips: int) -> Array:
    """Clips at whose middle gestures come, and how strong they are: (M, 2), in order of time.

    They are the accented syllables and the beginnings of phrases.

    Args:
        sound: of the recording.
        clip_frames: T.
        clips: F + T − 2.
    """
    times = np.concatenate([sound.accents, sound.starts])
    strengths = np.concatenate([sound.strengths, np.ones(len(sound.starts))])
    middle = clip_frames - 2 - clip_frames // 2  # clip 0 begins T − 2 frames before the first
    places = np.clip(times * float(FPS) + middle, 0, max(clips - 1, 0))
    order = np.argsort(places, kind="stable")
    return np.stack([places[order], strengths[order]], axis=1)


def heard_directions(moments: Array, offsets: FloatArray) -> Array:
    """Where the network's centre points at each moment against all of them: (M, R).

    Args:
        moments: (M, 2), as of `gesture_moments`.
        offsets: (K, R), the centre along each direction.
    """
    if not len(moments):
        return np.zeros((0, offsets.shape[1]))
    nearest = np.round(moments[:, 0]).astype(int)[:, None] + np.arange(-_AROUND, _AROUND + 1)
    found = offsets[np.clip(nearest, 0, len(offsets) - 1)].mean(axis=1, dtype=np.float64)
    centred: Array = found - found.mean(axis=0)
    return centred


def voice_path(calibration: Calibration, moments: Array, offsets: FloatArray) -> FloatArray:
    """Offsets that a voice asks for, within the unit ball, as `random_path` gives those of chance.

    Each moment is a stroke as strong as its accent. It points where the network's centre points
    there, and moves on as real heads do.

    Args:
        calibration: statistics of real speakers.
        moments: (M, 2), as of `gesture_moments`.
        offsets: (K, R), the network's centre along each direction.

    Returns:
        (K, R), coordinates as of `random_path`.
    """
    path = free_voice_path(calibration, moments, offsets)
    for first in range(0, len(path), _BLOCK):  # in place: an hour is long
        block = path[first : first + _BLOCK]
        block[:] = within_ball(calibration, block.astype(np.float64))
    return path


def free_voice_path(calibration: Calibration, moments: Array, offsets: FloatArray) -> FloatArray:
    """The same before it is brought into the ball: of variance 1 in speech, (K, R)."""
    from scipy.signal import lfilter

    pointing = heard_directions(moments, offsets) @ calibration.asked
    path = np.zeros((len(offsets), pointing.shape[1]), np.float32)
    for index, (above, below) in enumerate(direction_filters(calibration)):
        strokes = pulses(moments[:, 0], moments[:, 1] * pointing[:, index], len(offsets), _STROKE)
        path[:, index] = lfilter(above, below, strokes)
    return path
