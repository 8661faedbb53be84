"""Takes in files of several formats, which the suffix names."""

from __future__ import annotations

import os
from pathlib import Path

from osmnet_sdk.core.reading import file_name
from osmnet_sdk.errors import OutputError, TrackError
from osmnet_sdk.formats.livelink_csv import Rate, read_livelink_csv, write_livelink_csv
from osmnet_sdk.tracks import Take, checked_fps, load_take

PathLike = str | os.PathLike[str]

TAKE_SUFFIXES = (".npz", ".csv")
"""Of the files that hold a take."""


def read_take_file(path: PathLike, fps: Rate | None = None) -> Take:
    """Read a take: .npz (take file) or .csv (Live Link Face).

    Args:
        path: the file.
        fps: rate at which the rows of a .csv come; None finds it out.

    Raises:
        TrackError: if the suffix is another one, or the file cannot be read.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in TAKE_SUFFIXES:
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
    check_take_suffix(path)
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
    take = take_for(source, output, fps)
    write_take_file(take, output, fps)
    return take


def take_for(source: PathLike, output: PathLike, fps: Rate | None = None) -> Take:
    """The take of one file as `convert_take_file` writes it to another."""
    check_take_suffix(output)
    rate = None if fps is None else checked_fps(fps)
    take = read_take_file(source, rate)
    tables = [Path(path).suffix.lower() == ".csv" for path in (source, output)]
    if rate is not None and (tables[1] or not tables[0]):
        take = take.resample(rate)
    return take


def check_take_suffix(path: PathLike) -> None:
    """Hold that the suffix of a file names a format of takes.

    Raises:
        OutputError: if it does not.
    """
    if Path(path).suffix.lower() not in TAKE_SUFFIXES:
        raise OutputError(f"Cannot write a take to {file_name(path)}: use the suffix .npz or .csv.")
