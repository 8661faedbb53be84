"""Parts of `OSMNet.retake`: the range, the joins and what provenance says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.core.made_by import MOST_RETAKES
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.blink import combine, sample_eyes
from osmnet_sdk.expression.eye_range import with_eyes
from osmnet_sdk.motion.edit.retake import frame_range, with_range
from osmnet_sdk.options import Pin, SampleOptions
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take


def unused_seed(provenance: Provenance) -> int:
    """The smallest seed above those that made a track and its retakes; 0 if none did."""
    seeds = [entry["seed"] for entry in provenance.options.get("retakes", [])]
    if provenance.seed is not None:
        seeds.append(provenance.seed)
    return max(seeds) + 1 if seeds else 0


def check_same_length(track: MotionTrack | Take, sound: MotionTrack | Audio) -> None:
    """Hold that a sound, or a track of it, is as long as a track, but for the last frame.

    Raises:
        InputError: if it is not.
    """
    if abs(track.seconds - sound.seconds) > float(1 / FPS + 1 / track.fps):
        raise InputError(
            f"The track is {track.seconds:.2f} s long and the sound {sound.seconds:.2f} s; a "
            "retake needs the sound that the track was made for."
        )


def retaken_motion(
    old: MotionTrack, new: MotionTrack, start: float, end: float, pins: Sequence[Pin]
) -> MotionTrack:
    """A motion with the range from `start` to `end` seconds of another take of the sound.

    Args:
        old: at any frame rate.
        new: at 25 fps, of the whole sound.
        start: seconds.
        end: seconds.
        pins: that `new` meets.

    Raises:
        InputError: if the tracks differ in length, or the range is not one of the track.
    """
    first, stop = frame_range(start, end, len(old), float(old.fps))
    check_same_length(old, new)
    fitted = new.resample(old.fps)
    # At other rates the lengths may differ by a frame; the last pose is held.
    frames = np.minimum(np.arange(len(old)), len(fitted) - 1)
    fitted = MotionTrack(old.fps, fitted.rotation[frames], fitted.translation[frames])
    return with_range(old, fitted, first, stop, pins)


def retaken_eyes(
    old: ExpressionTrack,
    spoken: ExpressionTrack,
    motion: MotionTrack,
    start: float,
    end: float,
    *,
    options: SampleOptions,
    seed: int,
    take: int,
    speech: NDArray[np.float32],
) -> ExpressionTrack:
    """An expression with blinks and gaze of another take in a range.

    Args:
        old: of N frames at any frame rate.
        spoken: prediction for the whole sound, T frames at 25 fps.
        motion: of N frames, after the retake.
        start: seconds.
        end: seconds.
        options: blink rate and strength of gaze.
        seed: of the new eyes.
        take: number of the take.
        speech: (T,), voice activity.
    """
    head = motion.resample(FPS)
    frames = np.minimum(np.arange(len(spoken)), len(head) - 1)
    head = MotionTrack(FPS, head.rotation[frames], head.translation[frames])
    eyes = sample_eyes(
        len(spoken), seed=seed, take=take, options=options, speech=speech, motion=head
    )
    new = combine(spoken, eyes).resample(old.fps)
    held = np.minimum(np.arange(len(old)), len(new) - 1)
    new = ExpressionTrack(old.fps, new.coefficients[held])
    return with_eyes(old, new, *frame_range(start, end, len(old), float(old.fps)))


def retaken_provenance(
    old: Provenance, new: Provenance, start: float, end: float, eyes: bool
) -> Provenance:
    """Provenance of a track with one more retake, listed under the option "retakes"."""
    entry: dict[str, Any] = {"start": start, "end": end, "eyes": eyes}
    names = {"sdk_version", "bundle_sha256", "audio_sha256", "seed", "take", "options"}
    entry |= new.model_dump(include=names, exclude_none=True)
    retakes = [*old.options.get("retakes", []), entry][-MOST_RETAKES:]
    options = {**old.options, "retakes": retakes}
    source = old.source if old.source == "sampled" else "edited"
    return old.model_copy(update={"options": options, "source": source})
