"""One recording as 16 kHz mono samples, from any source."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from osmnet_sdk.audio.analysis import SpeechAnalysis
from osmnet_sdk.audio.channels import MIX, Channel, ChannelLevels, parsed_channel
from osmnet_sdk.audio.container import FileSource, source_name
from osmnet_sdk.audio.decode import ArraySource, mono_blocks, stream_audio
from osmnet_sdk.audio.filesound import SoundTrackInfo, sound_tracks
from osmnet_sdk.audio.resample import FloatArray
from osmnet_sdk.core.conventions import SAMPLE_RATE, frame_count
from osmnet_sdk.errors import AudioError, OSMNetWarning
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter

__all__ = ["Audio", "AudioOrigin", "AudioSource", "load_audio", "stream_audio"]

_FIRST_STEP = 600 * SAMPLE_RATE
"""Samples that memory is reserved for at first, at most (10 minutes)."""

_LEAST_SPEECH = 12
"""Frames with speech that make a track a voice (half a second)."""


@dataclass(frozen=True, eq=False)
class AudioOrigin:
    """Where a recording comes from, so that a video can carry the same sound."""

    source: FileSource | ArraySource | None = None
    """What was decoded; None for bare samples."""
    channel: Channel | None = None
    """Number of the channel, from 1, if it is one of several; None is all of them."""
    track: int | None = None
    """Number of the sound track, from 1; None is the file's default."""
    tracks: int = 1
    """How many sound tracks there are."""


@dataclass(frozen=True, eq=False)
class Audio:
    """A recording, decoded.

    Raises:
        AudioError: if the samples are not float32 of shape (n,), n ≥ 1.

    Example:
        >>> audio = sdk.load_audio("speech.wav")
        >>> audio.samples.shape, audio.frames
        ((32000,), 50)
    """

    samples: FloatArray
    """float32 (n,), mono, 16 kHz, full scale ±1; cannot be written to."""
    name: str = "array"
    """File name, or "array"."""
    origin: AudioOrigin = AudioOrigin()
    """Where it comes from."""

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32 or not len(self.samples):
            raise AudioError(
                f"Audio needs float32 samples of shape (n,) with n ≥ 1, not {self.samples.dtype} "
                f"of shape {self.samples.shape}; use load_audio."
            )
        object.__setattr__(self, "samples", _read_only(self.samples))

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def frames(self) -> int:
        """Number of frames T = ceil(25 · seconds) of a track for this recording."""
        return frame_count(len(self.samples))

    @cached_property
    def analysis(self) -> SpeechAnalysis:
        """What is heard in it, worked out once for all calls that it is passed to."""
        return SpeechAnalysis(self.samples)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the samples, as little-endian float32, in hexadecimal digits."""
        return hashlib.sha256(np.ascontiguousarray(self.samples, dtype="<f4").data).hexdigest()


AudioSource = FileSource | ArraySource | Audio
"""A path, a binary file object, (samples, rate), or a recording that was loaded before."""


def load_audio(
    source: AudioSource,
    *,
    channel: Channel | None = None,
    track: int | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> Audio:
    """Decode a recording to 16 kHz mono.

    Besides the result, which takes 64 kB per second, only a block of it is held in memory.

        voice = load_audio("interview.mp4", track=2, channel="left")

    Args:
        source: as for `stream_audio`; an `Audio` is returned as it is unless a channel or track is
            named.
        channel: the channel to be heard: a number from 1, "left", "right", "centre", or "mix", the
            mean of all. None is the mix; but where the channels of the mix cancel, the one that
            has most of the voice, and the centre of surround sound if it has a voice.
        track: number of the sound track, from 1. None is the one that the file marks as its
            default, else the first; but another one if nobody speaks in that and somebody does in
            the other.
        progress: called with ("Reading sound", seconds done, seconds in all or 0).
        cancel: asked between blocks.

    Raises:
        AudioError: if the source cannot be read, holds no sound, has no such channel or track, or
            holds values that are not finite numbers.
        Cancelled: if `cancel` returns True.

    Warns:
        OSMNetWarning: if a file is damaged or cut short (what could be decoded is used), if a
            channel or another track was chosen for a reason that should be known, or if two
            channels seem to hold two voices.

    Example:
        >>> sdk.load_audio("speech.wav").seconds
        2.0
    """
    if isinstance(source, Audio):
        if channel is None and track is None:
            return source
        if source.origin.source is None:
            raise AudioError(
                "This recording was made of samples, so no channel or track of it can be named; "
                "name it in load_audio."
            )
        source = source.origin.source
    wanted = None if channel is None else parsed_channel(channel)
    report = Reporter(progress, cancel)
    report.step("Reading sound", 0)
    there = _tracks(source)

    def decoded(track: int | None) -> Audio:
        return _chosen_channel(source, wanted, track, max(len(there), 1), report)

    if track is None and len(there) > 1:
        return _chosen_track(there, decoded)
    return decoded(track)


def has_many_tracks(source: FileSource) -> bool:
    """Whether a file has more than one sound track."""
    return len(_tracks(source)) > 1


def _tracks(source: FileSource | ArraySource) -> list[SoundTrackInfo]:
    """The sound tracks of what can be opened again."""
    return [] if isinstance(source, tuple) or not _again(source) else sound_tracks(source)


def _again(source: object) -> bool:
    """Whether a source can be read more than once."""
    if isinstance(source, (str, os.PathLike, tuple)):
        return True
    test = getattr(source, "seekable", None)
    try:
        return bool(test()) if test is not None else hasattr(source, "seek")
    except ValueError:  # it is closed; decoding says so
        return False


def _chosen_track(there: list[SoundTrackInfo], decoded: Callable[[int | None], Audio]) -> Audio:
    """The default track, or the one with most speech if nobody speaks in the default."""
    loaded = decoded(None)
    default = taken = next(each for each in there if each.default)
    if _speech(loaded) >= _LEAST_SPEECH:
        return loaded
    best, most = loaded, _LEAST_SPEECH - 1
    for each in there:
        if each.default:
            continue
        try:
            other = decoded(each.number)
        except AudioError:
            continue  # a track that cannot be decoded is none to choose
        if _speech(other) > most:
            best, most, taken = other, _speech(other), each
    if best is loaded:
        return loaded
    warnings.warn(
        f"Nobody speaks in {_told(default)} of '{loaded.name}', so {_told(taken)} is used; name "
        "a track to have another.",
        OSMNetWarning,
        stacklevel=3,
    )
    return best


def _told(track: SoundTrackInfo) -> str:
    return f"track {track.number}" + (f" ('{track.title}')" if track.title else "")


def _speech(audio: Audio) -> int:
    return int(np.count_nonzero(audio.analysis.sounding > 0.5))


def _chosen_channel(
    source: FileSource | ArraySource,
    channel: Channel | None,
    track: int | None,
    tracks: int,
    report: Reporter,
) -> Audio:
    """One channel or the mix: as wanted, or as the levels of the channels tell."""
    levels = ChannelLevels() if channel is None else None
    samples = _decoded(source, MIX if channel is None else channel, track, levels, report)
    name = "array" if isinstance(source, tuple) else source_name(source)
    if levels is not None:
        place = levels.best()
        if place is not None and _again(source):
            channel = place + 1
            samples = _decoded(source, channel, track, None, report)
        if levels.cancels():
            used = "" if channel is None else f", so channel {channel} alone is used"
            _warn(f"The channels of '{name}' cancel when they are mixed{used}; name a channel.")
        elif channel is None and levels.take_turns():
            _warn(
                f"The channels of '{name}' seem to hold two voices, and both move the mouth; name "
                "the channel left or right to have one of them."
            )
    kept = None if channel == MIX else channel
    return Audio(samples, name, AudioOrigin(source, kept, track, tracks))


def _warn(message: str) -> None:
    warnings.warn(message, OSMNetWarning, stacklevel=4)


def _decoded(
    source: FileSource | ArraySource,
    channel: Channel,
    track: int | None,
    levels: ChannelLevels | None,
    report: Reporter,
) -> FloatArray:
    samples = np.empty(0, np.float32)
    count = 0
    for block, total in mono_blocks(source, channel=channel, track=track, levels=levels):
        needed = count + len(block)
        if needed > len(samples):
            declared = int(total * SAMPLE_RATE) + len(block)
            # A damaged file may declare any length, so that it is believed step by step only.
            trusted = min(declared, max(2 * count, _FIRST_STEP))
            # Grows in place, where the system can, instead of holding two copies.
            size = trusted if declared >= needed else needed * 5 // 4
            samples.resize(max(needed, size), refcheck=False)
        samples[count:needed] = block
        count = needed
        report.step("Reading sound", count // SAMPLE_RATE, int(np.ceil(total)))
    if count == 0:
        raise AudioError("The sound is shorter than one sample at 16 kHz; give a longer one.")
    samples.resize(count, refcheck=False)
    return samples


def _read_only(samples: FloatArray) -> FloatArray:
    view = samples.view()
    view.flags.writeable = False
    return view
