"""Takes in files of several formats, which the suffix names."""

from __future__ import annotations

import os
from pathlib import Path

from osmnet_sdk.errors import OutputError, TrackError
from osmnet_sdk.formats.livelink_csv import Rate, read_livelink_csv, write_livelink_csv
from osmnet_sdk.reading import file_name
from osmnet_sdk.tracks import Take, checked_fps, load_take

PathLike = str | os.PathLike[str]

_SUFFIXES = (".npz", ".csv")


def read_take_file(path: PathLike, fps: Rate | None = None) -> Take:
    """Read a take: .npz (take file) or .csv (Live Link Face).

    Args:
        path: the file.
        fps: rate at which the rows of a .csv come; None finds it out.

    Raises:
        TrackError: if the suffix is another one, or the file cannot be read.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise TrackError(f"Cannot read a take from {file_name(path)}: use the suffix .npz or .csv.")
    return load_take(path) if suffix == ".npz" else read_livelink_csv(path, fps)


def write_take_file(take: Take, path: PathLike, fps: Rate | None = None) -> Path:
    """Write a take: .npz (take file) or .csv (Live Link Face); return the path.

    Args:
        take: what is written.
        path: the file.
        fps: rate that a .csv is written at, with whole-frame timecodes; None is the take's own.

    Raises:
        OutputError: if the suffix is another one, or the file cannot be written.
    """
    _check_output(path)
    if Path(path).suffix.lower() == ".npz":
        return take.save(path)
    return write_livelink_csv(take, path, fps)


def convert_take_file(source: PathLike, output: PathLike, fps: Rate | None = None) -> Take:
    """Read a take from one file and write it to another; return it.

    Args:
        source: .npz or .csv.
        output: .npz or .csv.
        fps: rate of the rows of a .csv, on either side; between two .npz, rate of the output.

    Raises:
        TrackError: if the source cannot be read, or there is no such rate.
        OutputError: if the output cannot be written.
    """
    _check_output(output)
    rate = None if fps is None else checked_fps(fps)
    take = read_take_file(source, rate)
    tables = [Path(path).suffix.lower() == ".csv" for path in (source, output)]
    if rate is not None and (tables[1] or not tables[0]):
        take = take.resample(rate)
    write_take_file(take, output, rate)
    return take


def _check_output(path: PathLike) -> None:
    if Path(path).suffix.lower() not in _SUFFIXES:
        raise OutputError(f"Cannot write a take to {file_name(path)}: use the suffix .npz or .csv.")
