"""Sound from any source as blocks of float samples, at its own rate or at 16 kHz mono."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.channels import (
    MIX,
    Channel,
    ChannelLevels,
    channel_place,
    mono,
    parsed_channel,
)
from osmnet_sdk.audio.container import FileSource, source_name
from osmnet_sdk.audio.filesound import SoundBlock, as_float, check_rate, file_blocks
from osmnet_sdk.audio.resample import FloatArray, RateConverter
from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.errors import AudioError

ArraySource = tuple[NDArray[Any], int]
"""Samples (n,) or (n, channels), and their rate in Hz."""

_BLOCK = 1 << 15
_MAX_CHANNELS = 64
_INTEGERS = ("uint8", "int16", "int32")
_MAX_AMPLITUDE = 100.0
"""Full scale is 1; float files may exceed it, but integers stored as floats do it vastly."""


def stream_audio(
    source: FileSource | ArraySource, *, channel: Channel = MIX, track: int | None = None
) -> Iterator[FloatArray]:
    """Decode a sound to 16 kHz mono, block by block, in bounded memory.

    Args:
        source: a path; a binary file object, which is read from its start and left open; or
            (samples, rate) with samples of shape (n,) or (n, channels). Full scale is ±1 for
            floats and the range of the type for uint8, int16 and int32.
        channel: the channel to be heard: a number from 1, "left", "right", "centre", or "mix", the
            mean of all.
        track: number of the sound track, from 1; None is the file's default.

    Yields:
        float32 (n,) blocks. 0 s is where the picture starts if the file
        has a moving one, else the first sample; what an encoder added at either end is left out.

    Raises:
        AudioError: if the source cannot be read, holds no sound, has no such channel or track, or
            holds values that are not finite numbers.

    Warns:
        OSMNetWarning: if a file is damaged or cut short; what could be decoded is used.
    """
    for samples, _ in mono_blocks(source, channel=parsed_channel(channel), track=track):
        yield samples


def mono_blocks(
    source: FileSource | ArraySource,
    *,
    channel: Channel = MIX,
    track: int | None = None,
    levels: ChannelLevels | None = None,
) -> Iterator[tuple[FloatArray, float]]:
    """As `stream_audio`, each block with the length of the whole in seconds, or 0 if unknown.

    Args:
        source: as for `stream_audio`.
        channel: likewise.
        track: likewise.
        levels: hears all channels.
    """
    converter: RateConverter | None = None
    total = 0.0
    for samples, rate, total, names in sound_blocks(source, track):
        if levels is not None:
            levels.push(samples, rate, names)
        if converter is None or converter.rate_in != rate:
            if converter is not None:
                yield converter.finish()[:, 0], total
            converter = RateConverter(rate, SAMPLE_RATE)
        place = None if channel == MIX else channel_place(channel, names, _quoted(source))
        yield converter.push(mono(samples, place))[:, 0], total
    if converter is not None:
        yield converter.finish()[:, 0], total


def sound_blocks(
    source: FileSource | ArraySource, track: int | None = None
) -> Generator[SoundBlock, None, None]:
    """Decode a sound at its own rate and with its own channels, in bounded memory.

    Rate and channels may change between blocks, as they may within a file. Arguments, errors and
    warnings are those of `stream_audio`.
    """
    name = _quoted(source)
    if isinstance(source, tuple):
        if track not in (None, 1):
            raise AudioError(f"An array has one sound track and no track {track}; leave it out.")
        blocks = _array_blocks(source)
    else:
        blocks = file_blocks(source, track)
    seconds = 0.0
    for block in blocks:
        _check_values(block, seconds, name)
        seconds += len(block.samples) / block.rate
        yield block
    if seconds == 0:
        raise AudioError(f"The sound of {name} holds no samples; give one longer than 0 s.")


def _quoted(source: FileSource | ArraySource) -> str:
    return "the array" if isinstance(source, tuple) else f"'{source_name(source)}'"


def _check_values(block: SoundBlock, seconds: float, name: str) -> None:
    peak = float(max(block.samples.max(initial=0.0), -block.samples.min(initial=0.0)))
    if not math.isfinite(peak):
        first = int(np.flatnonzero(~np.isfinite(block.samples).all(axis=1))[0])
        raise AudioError(
            f"The sound of {name} holds a value that is not a finite number at "
            f"{seconds + first / block.rate:.3f} s; repair it or export it again."
        )
    if peak > _MAX_AMPLITUDE:
        raise AudioError(
            f"The sound of {name} reaches {peak:.4g}, but float samples must lie within −1 to 1; "
            "divide by full scale (32768 for 16 bit)."
        )


def _array_blocks(source: ArraySource) -> Iterator[SoundBlock]:
    samples, rate = _checked_array(source)
    total = len(samples) / rate
    names = tuple(str(number + 1) for number in range(samples.shape[1]))
    for start in range(0, len(samples), _BLOCK):
        yield SoundBlock(as_float(samples[start : start + _BLOCK]), rate, total, names)


def _checked_array(source: tuple[Any, ...]) -> tuple[NDArray[Any], int]:
    """Samples as (n, channels) in their own type, and the rate."""
    if len(source) != 2 or not isinstance(source[0], np.ndarray) or np.ndim(source[1]) != 0:
        raise AudioError(
            "Sound as an array must be given as (samples, rate), in this order, with samples a "
            "NumPy array and rate in Hz."
        )
    samples = source[0]
    try:
        rate = check_rate(float(source[1]), "the array")
    except (TypeError, ValueError, OverflowError) as error:
        raise AudioError(
            f"The sample rate of the array is {source[1]!r}; give it in Hz."
        ) from error
    if samples.dtype.kind != "f" and samples.dtype.name not in _INTEGERS:
        raise AudioError(
            f"Samples of type {samples.dtype} cannot be used; give float within −1 to 1, or int16."
        )
    channels = samples.shape[1] if samples.ndim == 2 else 1
    if samples.ndim not in (1, 2) or not 1 <= channels <= _MAX_CHANNELS:
        raise AudioError(
            f"Samples of shape {samples.shape} cannot be used; give (n,), or (n, channels) with "
            f"1 to {_MAX_CHANNELS} channels."
        )
    return samples.reshape(-1, channels), rate
