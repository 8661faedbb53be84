"""Opening sound and video files of any kind, with one clear error for what cannot be opened."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.error import FFmpegError

from osmnet_sdk.errors import InputError

FileSource = str | os.PathLike[str] | BinaryIO
"""A path, or a file object opened in binary mode."""

# Sound and video alone: a playlist would make FFmpeg open other files and addresses, and a picture
# or text file would pass for a silent video.
_FORMATS = (
    "3dostr,aa,aac,ac3,act,aea,aiff,alaw,amr,amrnb,amrwb,ape,asf,asf_o,au,avi,avs2,caf,dsf,dts,dtshd,"
    "dv,eac3,flac,flv,g722,gif,gsm,h261,h263,h264,hevc,iff,ircam,ivf,lc3,live_flv,loas,m4v,matroska,"
    "mjpeg,mov,mp3,mpc,mpc8,mpeg,mpegts,mpegvideo,mulaw,mxf,nistsphere,nsv,nut,nuv,obu,ogg,oma,qcp,"
    "qoa,rm,rso,sbc,shn,sln,smjpeg,sox,swf,tak,truehd,tta,vc1,voc,vqf,w64,wav,webm,wsd,wtv,wv,xwma,"
    "yuv4mpegpipe"
)
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}

# Titles that are not UTF-8 must not keep a file from being read. From 19 on PyAV never minds them.
_TAGS = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


def source_name(source: object) -> str:
    """Name of a path or file object for messages and provenance: the file's name if it has one."""
    if isinstance(source, (str, os.PathLike)):
        return Path(os.fsdecode(source)).name or os.fsdecode(source)
    name = getattr(source, "name", None)
    return Path(name).name if isinstance(name, str) and name else "file object"


@contextmanager
def open_container(source: FileSource, *, error: type[InputError], kind: str) -> Iterator[Any]:
    """Open a media file for reading and close it when the block ends.

    Args:
        source: a path, or a binary file object, which is read from its start and stays open.
        error: the error to raise.
        kind: what was expected, for messages, as in "a sound or video file".

    Yields:
        PyAV's `InputContainer`.

    Raises:
        InputError: of the type `error`, if there is no such file, or it is a folder, empty,
            not readable, or holds no media that FFmpeg knows.
    """
    is_path = isinstance(source, (str, os.PathLike))
    name = os.fsdecode(source) if isinstance(source, (str, os.PathLike)) else source_name(source)
    target = checked_path(source, error, kind) if is_path else _Reader(source, error, kind)
    try:
        container = av.open(target, mode="r", container_options=_OPTIONS, **_TAGS)
    except (FFmpegError, OSError, ValueError, UnicodeError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise error(
            f"'{name}' is not {kind} that can be read, or it is damaged ({reason}); "
            "play it once, or export it again."
        ) from problem
    try:
        yield container
    finally:
        container.close()


def checked_path(source: Any, error: type[InputError], kind: str) -> str:
    """Absolute path of a file that exists, can be read and holds at least one byte.

    Raises:
        InputError: of the type `error`, if it is not such a file.
    """
    name = os.fsdecode(source)
    path = Path(name)
    try:
        if path.is_dir():
            raise error(f"'{name}' is a folder; give the path of {kind}.")
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError as problem:
        raise error(f"There is no file '{name}'; give the path of {kind}.") from problem
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise error(f"'{name}' cannot be opened ({reason}); check its rights.") from problem
    if empty:
        raise error(f"'{name}' is empty (0 bytes); give {kind} with something in it.")
    return str(path.absolute())


class _Reader:
    """What FFmpeg may do with a caller's file object: read and seek, but never close it."""

    def __init__(self, file: Any, error: type[InputError], kind: str) -> None:
        if isinstance(file, io.TextIOBase) or not hasattr(file, "read"):
            raise error(
                f"Cannot read {kind} from {type(file).__name__}; give a path, or a file object "
                "opened in binary mode ('rb')."
            )
        self._file = file
        self.name = source_name(file)
        try:
            if self.seekable():
                file.seek(0)
                if not file.read(1):
                    raise error(f"'{self.name}' is empty (0 bytes); give {kind}.")
                file.seek(0)
        except (OSError, ValueError) as problem:
            raise error(f"'{self.name}' cannot be read ({problem}); open it again.") from problem

    def seekable(self) -> bool:
        test = getattr(self._file, "seekable", None)
        return bool(test()) if test is not None else hasattr(self._file, "seek")

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        # FFmpeg copies what comes back into a buffer of `size` bytes without looking.
        if not isinstance(data, bytes) or len(data) > size:
            raise OSError("the file object does not return the bytes that were asked for")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())
