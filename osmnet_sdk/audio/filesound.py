"""Sound of a media file as float blocks: decoded, trimmed of padding and placed in time."""

from __future__ import annotations

import math
import os
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition
from numpy.typing import NDArray

from osmnet_sdk.audio.container import FileSource, open_container, source_name
from osmnet_sdk.audio.resample import FloatArray
from osmnet_sdk.errors import AudioError, OSMNetWarning

KIND = "a sound or video file"

MIN_RATE, MAX_RATE = 1_000, 768_000
"""Sample rates that are believed, in Hz."""

_BLOCK = 1 << 15
"""Samples that are joined before they are passed on."""
_HOLE = 0.1
"""Longer holes in the time stamps are filled with silence, in seconds, to keep lips in sync."""
_LATE = 0.002
"""A smaller delay against the picture, in seconds, is rounding."""
_LONGEST_HOLE = 60.0
"""Time stamps that jump further than this, in seconds, are wrong."""
_ADTS_DELAY = 1024
"""Samples of encoder delay in a bare AAC stream, which has no place to note them."""
_PADDING = 2048
"""Most samples that an encoder adds at the end to fill its last packet."""
_MANY_CHANNELS = 8
_ARRAYS = ("u8", "s16", "s32", "flt", "dbl")
_STREAMED = 0x20000000
"""Bytes (half a gigabyte) from which a declared size may be what a program wrote into the header of
a stream whose length it did not know, if far less is there."""
_FAR_LESS = 20
_ESTIMATED = ("aac", "ac3", "eac3", "dts", "amr", "amrnb", "amrwb", "loas", "g722", "truehd")
"""Formats that declare no length, so that FFmpeg guesses one."""
_SCALE = {np.dtype(np.int16): np.float32(2.0**-15), np.dtype(np.int32): np.float32(2.0**-31)}


class SoundBlock(NamedTuple):
    """Consecutive samples of a sound."""

    samples: FloatArray
    """float32 (n, channels), full scale is ±1."""
    rate: int
    """Samples per second."""
    total: float
    """Length of the whole sound in seconds as far as it is known beforehand, else 0."""
    names: tuple[str, ...]
    """Names of the channels: FL, FR, FC … as FFmpeg has them, or numbers from 1."""


class _Piece(NamedTuple):
    """What one packet decodes to."""

    samples: FloatArray
    rate: int
    time: float | None
    """Time stamp in seconds."""
    names: tuple[str, ...]


@dataclass
class _Tally:
    """What was decoded and what could not be."""

    damaged: int = 0
    seconds: float = 0.0


def file_blocks(source: FileSource, track: int | None = None) -> Iterator[SoundBlock]:
    """Decode one sound track of a media file, block by block.

    0 s is where the picture starts if the file has a moving one, else the first sample.

    Args:
        source: the file.
        track: number of the sound track, from 1; None is the one that the file marks as its
            default, else the first.

    Raises:
        AudioError: if the file cannot be opened, has no such track or holds no sound that can be
            decoded.

    Warns:
        OSMNetWarning: if the file is damaged or cut short; what could be decoded is given.
    """
    name = source_name(source)
    with open_container(source, error=AudioError, kind=KIND) as container:
        stream = _sound_stream(container, name, track)
        picture = moving_picture(container)
        form = container.format.name
        total = _declared_seconds(container, stream, picture)
        tally = _Tally()
        pieces = _pieces(container, stream, tally, name)
        if "mov" in form and stream.duration:
            pieces = _without_end(pieces, float(stream.duration * stream.time_base))
        elif form == "aac":
            pieces = _without_start(pieces, _ADTS_DELAY)
        start = None if picture is None else float((picture.start_time or 0) * picture.time_base)
        yield from _joined(_placed(pieces, start), total)
        if not tally.seconds:
            raise AudioError(
                f"No sound could be decoded from '{name}'; it is empty, damaged or not {KIND}."
            )
        missing = total - tally.seconds if _is_declared(container, stream, source) else 0.0
        lacking = _wav_bytes_missing(source) * 8 / (stream.codec_context.bit_rate or math.inf)
        missing = max(missing, lacking)
        # Tags at the end of an MP3 file often pass for one damaged packet.
        if missing > max(0.1, 0.01 * total) or tally.damaged > (form == "mp3"):
            whole = tally.seconds + max(missing, 0.0)
            warnings.warn(_cut_short(name, tally.seconds, whole), OSMNetWarning, stacklevel=2)


def moving_picture(container: Any) -> Any:
    """First moving picture of an open container, or None; cover art is no moving picture."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def as_float(samples: NDArray[Any]) -> FloatArray:
    """Samples of type uint8, int16, int32 or float as float32 with full scale ±1."""
    scale = _SCALE.get(samples.dtype)
    if scale is not None:
        return samples.astype(np.float32) * scale
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - np.float32(128.0)) / np.float32(128.0)
    if samples.dtype == np.float32:
        return samples
    with np.errstate(over="ignore"):  # infinities are reported, with their place, by the caller
        return samples.astype(np.float32)


def check_rate(rate: float, name: str) -> int:
    """Return a sample rate as an int.

    Raises:
        AudioError: if it is not a whole number within `MIN_RATE` to `MAX_RATE`.
    """
    if not (MIN_RATE <= rate <= MAX_RATE and rate == int(rate)):
        raise AudioError(
            f"The sample rate of {name} is {rate:g} Hz; it must be a whole number from "
            f"{MIN_RATE} to {MAX_RATE}."
        )
    return int(rate)


class SoundTrackInfo(NamedTuple):
    """One of the sound tracks of a media file."""

    number: int
    """From 1."""
    title: str
    """What the file calls it; may be empty."""
    default: bool
    """Whether it is what players play."""


def sound_tracks(source: FileSource) -> list[SoundTrackInfo]:
    """The sound tracks of a media file, in their order.

    Raises:
        AudioError: if the file cannot be opened.
    """
    with open_container(source, error=AudioError, kind=KIND) as container:
        streams = list(container.streams.audio)
        chosen = _default_track(streams)
        return [
            SoundTrackInfo(number, _title(stream), number == chosen)
            for number, stream in enumerate(streams, 1)
        ]


def _title(stream: Any) -> str:
    for key in ("title", "name", "handler_name"):
        text = str(stream.metadata.get(key, ""))
        if text and text != "SoundHandler":
            return "".join(letter for letter in text if letter.isprintable())[:40]
    return ""


def _default_track(streams: list[Any]) -> int:
    """Number of the first track that is marked as default, else of the first."""
    marked = [n for n, each in enumerate(streams, 1) if each.disposition & Disposition.default]
    return marked[0] if marked else 1


def _sound_stream(container: Any, name: str, track: int | None) -> Any:
    streams = list(container.streams.audio)
    if not streams:
        raise AudioError(f"'{name}' has no sound; give {KIND} with a voice in it.")
    number = _default_track(streams) if track is None else track
    if not 1 <= number <= len(streams):
        there = "1 sound track" if len(streams) == 1 else f"{len(streams)} sound tracks"
        raise AudioError(f"'{name}' has {there} and no track {number}; name one from 1 on.")
    stream = streams[number - 1]
    if stream.codec_context is None:
        raise AudioError(f"The sound of '{name}' has an unknown codec; export it as WAV or MP3.")
    return stream


def _declared_seconds(container: Any, stream: Any, picture: Any) -> float:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration and picture is None else 0.0


def _is_declared(container: Any, stream: Any, source: FileSource) -> bool:
    """Whether the length comes from a header, and not from a guess of FFmpeg's."""
    form, codec = container.format.name, stream.codec_context.name
    if form in ("aiff", "w64"):
        return bool(codec.startswith("pcm_"))  # else bytes or packets pass for samples
    return form not in _ESTIMATED and (form != "mp3" or _mp3_has_length(source))


def _mp3_has_length(source: FileSource) -> bool:
    """Whether the first frame of an MP3 file tells the number of frames, as Xing and VBRI do."""
    head = _read_head(source, 10)
    skip = 0
    if head[:3] == b"ID3" and len(head) == 10:
        skip = 10 + sum(
            (byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
        )
    frame = _read_head(source, 4096, skip).lstrip(b"\0")[:200]
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))


def _read_head(source: FileSource, size: int, skip: int = 0) -> bytes:
    try:
        if isinstance(source, (str, os.PathLike)):
            with Path(source).open("rb") as file:
                file.seek(skip)
                return file.read(size)
        place = source.tell()
        source.seek(skip)
        data = source.read(size)
        source.seek(place)
        return data
    except (OSError, ValueError):
        return b""  # not seekable


def _wav_bytes_missing(source: FileSource) -> int:
    """How many bytes a WAV file lacks of those that it declares; FFmpeg does not tell."""
    try:
        if isinstance(source, (str, os.PathLike)):
            with Path(source).open("rb") as file:
                return _riff_bytes_missing(file)
        return _riff_bytes_missing(source)
    except (OSError, ValueError, struct.error):
        return 0  # another format, or not seekable


def _riff_bytes_missing(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(40)
    if (start[:4], start[8:12]) == (b"RIFF", b"WAVE"):
        head, even, before = "<4sI", 2, 0
    elif (start[:4], start[24:28]) == (b"riff", b"wave"):  # W64: longer names, sizes with the head
        head, even, before = "<4s12xQ", 8, 24
    else:
        return 0
    file.seek(12 if before == 0 else 40)
    while True:
        kind, length = struct.unpack(head, file.read(struct.calcsize(head)))
        length -= before
        if kind == b"data":
            # Programs that write to a pipe do not know the size, and put 0 or a huge one.
            there = size - file.tell()
            streamed = length >= 0x7FFF0000 or length >= max(_STREAMED, _FAR_LESS * there)
            return 0 if streamed else max(length - there, 0)
        if not 0 <= length <= size:
            return 0
        file.seek(length + -length % even, os.SEEK_CUR)


def _cut_short(name: str, seconds: float, total: float) -> str:
    whole = f" of {total:.2f} s" if total > seconds + 0.01 else ""
    return (
        f"'{name}' is damaged or cut short: {seconds:.2f} s{whole} could be decoded and are used; "
        "export it again to have all of it."
    )


def _pieces(container: Any, stream: Any, tally: _Tally, name: str) -> Iterator[_Piece]:
    """Decode packet by packet; a damaged packet is counted and left out."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            frames = [] if packet is None else packet.decode()
        except (FFmpegError, OSError):
            tally.damaged += 1  # if demuxing itself failed, the next call of `next` ends it
            continue
        if packet is None:
            return
        for frame in frames:
            rate = check_rate(frame.sample_rate, f"'{name}'")
            samples = as_float(_samples(frame))
            tally.seconds += len(samples) / rate
            names = tuple(channel.name for channel in frame.layout.channels)
            yield _Piece(samples, rate, frame.time, names)


def _samples(frame: Any) -> NDArray[Any]:
    """Samples (n, channels) of a decoded frame, in their own type."""
    channels = frame.layout.nb_channels
    if frame.format.packed.name not in _ARRAYS:
        # What PyAV has no array for, such as 64-bit integers.
        [frame] = av.AudioResampler(format="dbl").resample(frame)
    if frame.format.is_planar and channels >= _MANY_CHANNELS:
        # PyAV looks for planes past the end of FFmpeg's list of 8 and would crash.
        [frame] = av.AudioResampler(format=frame.format.packed).resample(frame)
    samples: NDArray[Any] = frame.to_ndarray()
    return samples.T if frame.format.is_planar else samples.reshape(-1, channels)


def _without_end(pieces: Iterator[_Piece], seconds: float) -> Iterator[_Piece]:
    """Leave out what an encoder added to fill its last packet.

    More than a packet beyond the declared end is sound that was declared wrongly, and kept.
    """
    done = 0.0
    held: list[_Piece] = []
    for piece in pieces:
        keep = max(0, min(len(piece.samples), round(min(seconds - done, 1e6) * piece.rate)))
        done += len(piece.samples) / piece.rate
        if held or keep < len(piece.samples):
            held.append(piece._replace(samples=piece.samples[keep:], time=None))
            piece = piece._replace(samples=piece.samples[:keep])
        if sum(len(each.samples) for each in held) > _PADDING:
            yield from [piece, *held] if keep else held
            held, seconds = [], math.inf
        elif keep:
            yield piece


def _without_start(pieces: Iterator[_Piece], count: int) -> Iterator[_Piece]:
    for piece in pieces:
        cut = min(count, len(piece.samples))
        count -= cut
        yield piece._replace(samples=piece.samples[cut:], time=None)


def _placed(pieces: Iterator[_Piece], start: float | None) -> Iterator[_Piece]:
    """Move sound to where the picture starts, and fill holes in time with silence."""
    done = 0.0
    for piece in pieces:
        samples, rate, time, _ = piece
        if time is not None:
            start = time if start is None else start
            late = time - start - done
            if late < 0 and not done:
                samples = samples[min(round(-late * rate), len(samples)) :]
            elif (_HOLE if done else _LATE) < late < _LONGEST_HOLE:
                silence = np.zeros((round(late * rate), samples.shape[1]), np.float32)
                done += len(silence) / rate
                yield piece._replace(samples=silence)
        done += len(samples) / rate
        yield piece._replace(samples=samples)


def _joined(pieces: Iterator[_Piece], total: float) -> Iterator[SoundBlock]:
    """Join short pieces of the same rate and channels, since each block costs time."""
    waiting: list[FloatArray] = []
    rate = count = 0
    names: tuple[str, ...] = ()
    for piece in pieces:
        if waiting and (rate != piece.rate or names != piece.names):
            yield SoundBlock(np.concatenate(waiting), rate, total, names)
            waiting, count = [], 0
        waiting.append(piece.samples)
        rate, names, count = piece.rate, piece.names, count + len(piece.samples)
        if count >= _BLOCK:
            yield SoundBlock(np.concatenate(waiting), rate, total, names)
            waiting, count = [], 0
    if count:
        yield SoundBlock(np.concatenate(waiting), rate, total, names)
