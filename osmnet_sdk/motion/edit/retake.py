"""A range of a take sampled anew: outside not a bit changes, the joins are smooth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.core.curves import ramp
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.edit.min_jerk import move_seconds
from osmnet_sdk.options import Pin
from osmnet_sdk.tracks import MotionTrack, Take

Array = NDArray[np.float64]


def frame_range(start: float, end: float, frames: int, fps: float) -> tuple[int, int]:
    """First frame at `start` s or later, and first at `end` s or later, of a track.

    Raises:
        InputError: unless the range lies within the track and holds a frame.
    """
    seconds = frames / fps
    if not (math.isfinite(start) and math.isfinite(end) and 0 <= start < end <= seconds + 1 / fps):
        raise InputError(
            f"A retake needs a range within the take's 0 to {seconds:g} s that ends after it "
            f"starts, not {start:g} to {end:g} s."
        )
    first, stop = (min(math.ceil(time * fps - 1e-6), frames) for time in (start, end))
    if first >= stop:
        raise InputError(f"There is no frame from {start:g} to {end:g} s; choose a longer range.")
    return first, stop


def check_same_length(track: MotionTrack | Take, sound: MotionTrack | Audio) -> None:
    """Hold that a sound, or a track of it at 25 fps, is as long as a track, but for a frame.

    Raises:
        InputError: if it is not.
    """
    if abs(track.seconds - sound.seconds) > float(1 / FPS + 1 / track.fps):
        raise InputError(
            f"The track is {track.seconds:.2f} s long and the sound {sound.seconds:.2f} s; a "
            "retake needs the sound that the track was made for."
        )


def retaken_motion(
    old: MotionTrack, new: MotionTrack, first: int, stop: int, pins: Sequence[Pin]
) -> MotionTrack:
    """A motion with frames `first` to `stop` − 1 of another take of the sound.

    Args:
        old: of N frames, at any frame rate.
        new: at 25 fps, of the whole sound.
        first: first frame that changes.
        stop: first frame after these that does not.
        pins: that `new` meets.

    Raises:
        InputError: if the tracks differ in length.
    """
    check_same_length(old, new)
    fitted = new.resample(old.fps)
    # At other rates the lengths may differ by a frame; the last pose is held.
    frames = np.minimum(np.arange(len(old)), len(fitted) - 1)
    fitted = MotionTrack(old.fps, fitted.rotation[frames], fitted.translation[frames])
    return with_range(old, fitted, first, stop, pins)


def with_range(
    old: MotionTrack, new: MotionTrack, first: int, stop: int, pins: Sequence[Pin] = ()
) -> MotionTrack:
    """The old track with frames `first` to `stop` − 1 faded over to the new one (C2).

    At each join the old motion, which goes on underneath, fades within the time that a move
    between the two takes: half the range at most, and before the first pin or after the last.

    Args:
        old: of N frames.
        new: of N frames, at the same frame rate.
        first: first frame that changes.
        stop: first frame after these that does not.
        pins: that the new track meets and the result must meet.
    """
    before, after = (np.hstack([track.rotation, track.translation]) for track in (old, new))
    difference = after.astype(float) - before
    frames = np.arange(first, stop)
    result = before.copy()
    for axis in range(difference.shape[1]):
        met = [pin.time * float(old.fps) for pin in pins if pin.pose[axis] is not None]
        met = [frame for frame in met if first <= frame <= stop - 1]
        share = np.ones(len(frames))
        if first > 0:
            length = _fade(difference[first - 1], stop - first, old.fps)
            # A frame more keeps what is interpolated between frames at a pin, too.
            length = max(min([length, *(frame - first for frame in met)]), 1.0)
            share *= ramp((frames - (first - 1)) / length)
        if stop < len(before):
            length = _fade(difference[stop], stop - first, old.fps)
            length = max(min([length, *(stop - 1 - frame for frame in met)]), 1.0)
            share *= ramp((stop - frames) / length)
        result[frames, axis] += share * difference[frames, axis]
    return MotionTrack(old.fps, result[:, :3], result[:, 3:], old.provenance)


def _fade(difference: Array, frames: int, fps: Fraction) -> float:
    """Frames in which two tracks that differ by a pose, (6,), fade into one another."""
    return min(move_seconds(difference) * float(fps), (frames + 1) / 2)
