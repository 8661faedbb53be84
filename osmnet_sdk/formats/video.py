"""Frames of a video file, upright, in RGB and in time; `video_writer` writes them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from osmnet_sdk.audio.container import checked_path, open_container, source_name
from osmnet_sdk.audio.filesound import moving_picture
from osmnet_sdk.errors import InputError, OSMNetWarning

KIND = "a video file"

SUFFIXES = (".mp4", ".mov", ".mkv", ".mpg", ".avi", ".webm")
"""Names of videos end in one of these."""

# libswscale's SWS_BILINEAR, SWS_FULL_CHR_H_INT and SWS_ACCURATE_RND: without the last two, colours
# come out one level too dark.
_TO_RGB = 0x2 | 0x2000 | 0x40000
_UNSPECIFIED_COLOURS = 2
_HD_HEIGHT = 720
"""From this height on, a video that does not name its colour space has that of HDTV (BT.709)."""
_MAX_ASPECT = 8
"""Pixels more oblong than this are taken for a mistake of the file."""
_ROUNDING = Fraction(1, 500)
"""Containers may round time stamps to milliseconds, in seconds."""


@dataclass(frozen=True, eq=False)
class VideoFrame:
    """One frame of a video."""

    index: int
    """Number of the frame, counted from 0."""
    seconds: float
    """Time since the first frame."""
    image: NDArray[np.uint8]
    """uint8 (H, W, 3), RGB, upright; shared by frames that show the same picture."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says about itself."""

    width: int
    """Of the upright picture, in pixels."""
    height: int
    """Of the upright picture, in pixels."""
    fps: Fraction
    """Mean frame rate, in frames per second."""
    frames: int
    """Number of frames; an estimate where the file does not say."""
    seconds: float
    """Length; 0 if the file does not say."""
    has_audio: bool
    """Whether it has sound."""


def video_info(path: str | os.PathLike[str]) -> VideoInfo:
    """Size, rate and length of a video file.

    Raises:
        InputError: if the file cannot be read or holds no moving picture.
    """
    with open_container(path, error=InputError, kind=KIND) as container:
        stream = _picture_stream(container, source_name(path))
        fps = _frame_rate(stream)
        seconds = _declared_seconds(container, stream)
        count = stream.frames or round(seconds * fps)
        sound = bool(container.streams.audio)
        first = next(_decoded(container, stream, source_name(path)))
        height, width = first.image().shape[:2]
        return VideoInfo(width, height, fps, count, seconds, sound)


def read_frames(
    path: str | os.PathLike[str], *, fps: Fraction | None = None
) -> Iterator[VideoFrame]:
    """Decode a video lazily; two frames are held in memory besides those inside the decoder.

    Rotation, mirroring and the shape of pixels that the file asks for are applied.

    Args:
        path: a video file.
        fps: frame rate wanted, in frames per second: frame k is then the one whose time is nearest
            to k / fps, and the frames last as long as the video. None takes the frames as they are.

    Yields:
        `VideoFrame`, first to last.

    Raises:
        InputError: if the file cannot be read or holds no moving picture, or `fps` is not above 0.

    Warns:
        OSMNetWarning: if the video is damaged or cut short; what could be decoded is given.
    """
    if fps is not None and fps <= 0:
        raise InputError(f"The frame rate must be above 0, not {fps}.")
    checked_path(path, InputError, KIND)
    return _frames(path, fps)


def _frames(path: str | os.PathLike[str], fps: Fraction | None) -> Iterator[VideoFrame]:
    with open_container(path, error=InputError, kind=KIND) as container:
        stream = _picture_stream(container, source_name(path))
        pictures = _decoded(container, stream, source_name(path))
        if fps is None:
            for index, picture in enumerate(pictures):
                yield VideoFrame(index, float(picture.time), picture.image())
        else:
            for index, picture in enumerate(_at_rate(pictures, fps, 1 / _frame_rate(stream))):
                yield VideoFrame(index, float(index / fps), picture.image())


class _Picture:
    """A decoded frame that is converted when it is first looked at."""

    def __init__(self, frame: Any, time: Fraction, aspect: Fraction) -> None:
        self.time = time
        """Seconds since the first frame."""
        self._frame = frame
        self._aspect = aspect
        self._image: NDArray[np.uint8] | None = None

    def image(self) -> NDArray[np.uint8]:
        if self._image is None:
            frame = self._frame
            unnamed = frame.colorspace == _UNSPECIFIED_COLOURS and frame.height >= _HD_HEIGHT
            pixels = frame.to_ndarray(
                format="rgb24",
                interpolation=_TO_RGB,
                src_colorspace="ITU709" if unnamed else None,
            )
            self._image = _upright(_square(pixels, self._aspect), _display_matrix(frame))
            self._frame = None
        return self._image


def _at_rate(pictures: Iterator[_Picture], fps: Fraction, last: Fraction) -> Iterator[_Picture]:
    """For each k, the picture nearest to k / fps; the last picture lasts `last` seconds."""
    index = 0
    previous: _Picture | None = None
    for picture in pictures:
        while previous is not None and index / fps - previous.time <= picture.time - index / fps:
            yield previous
            index += 1
        previous = picture
    while previous is not None and index / fps < previous.time + last - _ROUNDING:
        yield previous
        index += 1


def _picture_stream(container: Any, name: str) -> Any:
    stream = moving_picture(container)
    if stream is None or stream.codec_context is None:
        raise InputError(f"'{name}' has no moving picture that can be read; give {KIND}.")
    stream.thread_type = "AUTO"
    return stream


def _frame_rate(stream: Any) -> Fraction:
    rate = stream.average_rate or stream.guessed_rate
    return Fraction(rate) if rate else Fraction(25)


def _declared_seconds(container: Any, stream: Any) -> float:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return float(container.duration or 0) / 1e6


def _decoded(container: Any, stream: Any, name: str) -> Iterator[_Picture]:
    """Decode packet by packet; a damaged packet is counted and left out."""
    packets = container.demux(stream)
    damaged = count = 0
    start: Fraction | None = None
    time = Fraction(0)
    step = 1 / _frame_rate(stream)
    aspect = _pixel_aspect(stream)
    while True:
        try:
            packet = next(packets, None)
            frames = [] if packet is None else packet.decode()
        except (FFmpegError, OSError):
            damaged += 1  # if demuxing itself failed, the next call of `next` ends it
            continue
        if packet is None:
            break
        for frame in frames:
            if frame.pts is not None and frame.time_base is not None:
                stamp = frame.pts * frame.time_base
                start = stamp if start is None else start
                time = max(stamp - start, time)
            else:
                time = count * step
            yield _Picture(frame, time, aspect)
            count += 1
    if not count:
        raise InputError(f"No frame of '{name}' could be decoded; it is damaged or not {KIND}.")
    missing = 0.0
    if stream.duration or not container.streams.audio:  # else the sound may be what lasts longer
        missing = _declared_seconds(container, stream) - float(time + step)
    if damaged or missing > max(0.25, 0.01 * float(time)):
        warnings.warn(
            f"'{name}' is damaged or cut short: {count} frames could be decoded and are used; "
            "export it again to have all of it.",
            OSMNetWarning,
            stacklevel=2,
        )


def _pixel_aspect(stream: Any) -> Fraction:
    """Width of a pixel over its height; 1 where the file does not say, or says what cannot be."""
    aspect = stream.sample_aspect_ratio
    if not aspect or not 1 / _MAX_ASPECT <= aspect <= _MAX_ASPECT:
        return Fraction(1)
    return Fraction(aspect)


def _square(pixels: NDArray[np.uint8], aspect: Fraction) -> NDArray[np.uint8]:
    """A picture with square pixels; the shorter side grows, so that no detail is lost."""
    if aspect == 1:
        return pixels
    height, width = pixels.shape[:2]
    size = (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _display_matrix(frame: Any) -> NDArray[np.int32] | None:
    """The 3 × 3 matrix that turns stored pixels upright, as in ISO 14496-12, or None."""
    data = frame.side_data.get("DISPLAYMATRIX")
    return None if data is None else np.frombuffer(bytes(data), np.int32)[:9].reshape(3, 3)


def _upright(pixels: NDArray[np.uint8], matrix: NDArray[np.int32] | None) -> NDArray[np.uint8]:
    """Turn and mirror by quarter turns: (x, y) goes to (a x + c y, b x + d y)."""
    if matrix is None:
        return pixels
    (a, b), (c, d) = matrix[:2, :2].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        pixels = pixels.transpose(1, 0, 2)
        mirror_x, mirror_y = c < 0, b < 0
    else:
        mirror_x, mirror_y = a < 0, d < 0
    pixels = pixels[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1]
    return np.ascontiguousarray(pixels)
