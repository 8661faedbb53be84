"""One recording as 16 kHz mono samples, from any source."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from osmnet_sdk.audio.container import FileSource, source_name
from osmnet_sdk.audio.decode import ArraySource, mono_blocks, stream_audio
from osmnet_sdk.audio.resample import FloatArray
from osmnet_sdk.conventions import SAMPLE_RATE, frame_count
from osmnet_sdk.errors import AudioError
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter

__all__ = ["Audio", "AudioSource", "load_audio", "stream_audio"]

_FIRST_STEP = 600 * SAMPLE_RATE
"""Samples that memory is reserved for at first, at most (10 minutes)."""


@dataclass(frozen=True, eq=False)
class Audio:
    """A recording, decoded.

    Raises:
        AudioError: if the samples are not float32 of shape (n,), n ≥ 1.
    """

    samples: FloatArray
    """float32 (n,), mono, 16 kHz, full scale ±1; cannot be written to."""
    name: str = "array"
    """File name, or "array"."""

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32 or not len(self.samples):
            raise AudioError(
                f"Audio needs float32 samples of shape (n,) with n ≥ 1, not {self.samples.dtype} "
                f"of shape {self.samples.shape}; use load_audio."
            )
        view = self.samples.view()
        view.flags.writeable = False
        object.__setattr__(self, "samples", view)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def frames(self) -> int:
        """Number of frames T = ceil(25 · seconds) of a track for this recording."""
        return frame_count(len(self.samples))

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the samples, as little-endian float32, in hexadecimal digits."""
        return hashlib.sha256(np.ascontiguousarray(self.samples, dtype="<f4").data).hexdigest()


AudioSource = FileSource | ArraySource | Audio
"""A path, a binary file object, (samples, rate), or a recording that was loaded before."""


def load_audio(
    source: AudioSource,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> Audio:
    """Decode a recording to 16 kHz mono.

    Besides the result, which takes 64 kB per second, only a block of it is held in memory.

    Args:
        source: as for `stream_audio`; an `Audio` is returned as it is.
        progress: called with ("Reading sound", seconds done, seconds in all or 0).
        cancel: asked between blocks.

    Raises:
        AudioError: if the source cannot be read, holds no sound, or holds values that are not
            finite numbers.
        Cancelled: if `cancel` returns True.

    Warns:
        OSMNetWarning: if a file is damaged or cut short; what could be decoded is used.
    """
    if isinstance(source, Audio):
        return source
    report = Reporter(progress, cancel)
    report.step("Reading sound", 0)
    samples = np.empty(0, np.float32)
    count = 0
    for block, total in mono_blocks(source):
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
    return Audio(samples, "array" if isinstance(source, tuple) else source_name(source))
