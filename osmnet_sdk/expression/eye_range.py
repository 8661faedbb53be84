"""Blinks and gaze of a range of a take, taken from another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.core.curves import smoothstep
from osmnet_sdk.expression.blink import combine, sample_eyes
from osmnet_sdk.options import SampleOptions
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

_MOVED = ("eyeBlink", "eyeLook", "eyeSquint")
"""Beginnings of what blinks and gaze move; eyeWide… goes with brows, and these with the voice."""

FADE_SECONDS = 0.2
"""Time in which the old eyes fade at each end of the range, inside it."""


def retaken_eyes(
    old: ExpressionTrack,
    spoken: ExpressionTrack,
    motion: MotionTrack,
    first: int,
    stop: int,
    *,
    options: SampleOptions,
    seed: int,
    take: int,
    speech: NDArray[np.float32],
    pace: NDArray[np.float64],
) -> ExpressionTrack:
    """An expression with blinks and gaze of another take in frames `first` to `stop` − 1.

    Args:
        old: of N frames at any frame rate.
        spoken: prediction for the whole sound, T frames at 25 fps.
        motion: of N frames, after the retake.
        first: first frame that changes.
        stop: first frame after these that does not.
        options: blink rate and strength of gaze.
        seed: of the new eyes.
        take: number of the take.
        speech: (T,), voice activity.
        pace: (T,), factor on the rate of blinks.
    """
    head = motion.resample(FPS)
    frames = np.minimum(np.arange(len(spoken)), len(head) - 1)
    head = MotionTrack(FPS, head.rotation[frames], head.translation[frames])
    eyes = sample_eyes(
        len(spoken), seed=seed, take=take, options=options, speech=speech, motion=head, pace=pace
    )
    new = combine(spoken, eyes).resample(old.fps)
    held = np.minimum(np.arange(len(old)), len(new) - 1)
    return with_eyes(old, ExpressionTrack(old.fps, new.coefficients[held]), first, stop)


def with_eyes(old: ExpressionTrack, new: ExpressionTrack, first: int, stop: int) -> ExpressionTrack:
    """The old track with the eyes of the new one in frames `first` to `stop` − 1.

    Args:
        old: of N frames.
        new: of N frames, at the same frame rate.
        first: first frame that changes.
        stop: first frame after these that does not.
    """
    eyes = np.flatnonzero([name.startswith(_MOVED) for name in ARKIT_NAMES])
    frames = np.arange(first, stop)
    length = min(FADE_SECONDS * float(old.fps), (stop - first + 1) / 2)
    ends = [frames - (first - 1)] if first > 0 else []
    ends += [stop - frames] if stop < len(old) else []
    near = np.min([*ends, np.full(len(frames), length)], axis=0) / length
    share = smoothstep(near)[:, None]
    values = old.coefficients.copy()
    part = np.ix_(frames, eyes)
    values[part] = (1.0 - share) * old.coefficients[part] + share * new.coefficients[part]
    return ExpressionTrack(old.fps, np.clip(values, 0.0, 1.0), old.names, old.provenance)
