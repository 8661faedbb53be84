"""Takes in files of several formats, which the suffix names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from osmnet_sdk.errors import OutputError, TrackError
from osmnet_sdk.formats.livelink_csv import read_livelink_csv, write_livelink_csv
from osmnet_sdk.tracks import Take, load_take

PathLike = str | os.PathLike[str]

_READERS: dict[str, Callable[[PathLike], Take]] = {".npz": load_take, ".csv": read_livelink_csv}
_WRITERS: dict[str, Callable[[Take, PathLike], Path]] = {
    ".npz": Take.save,
    ".csv": write_livelink_csv,
}


def read_take_file(path: PathLike) -> Take:
    """Read a take: .npz (take file) or .csv (Live Link Face).

    Raises:
        TrackError: if the suffix is another one, or the file cannot be read.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _READERS:
        raise TrackError(f"Cannot read a take from '{path}': use the suffix .npz or .csv.")
    return _READERS[suffix](path)


def write_take_file(take: Take, path: PathLike) -> Path:
    """Write a take: .npz (take file) or .csv (Live Link Face); return the path.

    Raises:
        OutputError: if the suffix is another one, or the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise OutputError(f"Cannot write a take to '{path}': use the suffix .npz or .csv.")
    return _WRITERS[suffix](take, path)


def convert_take_file(source: PathLike, output: PathLike) -> Take:
    """Read a take from one file and write it to another; return it.

    Raises:
        TrackError: if the source cannot be read.
        OutputError: if the output cannot be written.
    """
    take = read_take_file(source)
    write_take_file(take, output)
    return take
