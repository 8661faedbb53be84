# SPDX-License-Identifier: GPL-3.0-or-later
"""Image sequences of the cache: folders of numbered links to frames, with an index.

A sequence is named by the digest of its keys, so the same edit finds the same sequence again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .files import replaced, temporary_beside

INDEX = "index.json"
"""Name of the file in a sequence that says which of its frames are final."""

PLACED = "placed.txt"
"""Name of the file with a line for each frame placed since the index was written."""

_SCHEMA = "osmnet.sequence/1"
_WINDOWS = os.name == "nt"
_RETRIES = 5
_RETRY_SECONDS = 0.02


@dataclass
class Index:
    """The keys of a sequence's frames, and which of the frames are in place."""

    keys: list[str]
    final: list[bool]


def frame_name(index: int) -> str:
    """File name of a frame in its sequence, counted from 0."""
    return f"frame_{index:06d}.png"


def digest(keys: Sequence[str]) -> str:
    """Name of the sequence of a list of keys: 32 hexadecimal letters."""
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32]


def read_index(sequence: Path) -> Index | None:
    """The index of a sequence; None if there is none or it is damaged."""
    try:
        content = json.loads((sequence / INDEX).read_bytes())
        keys, final = content["keys"], content["final"]
        if content["schema"] != _SCHEMA or len(keys) != len(final):
            return None
        placed = _placed(sequence)
        marks = (mark == "1" or frame_name(i) in placed for i, mark in enumerate(final))
        return Index([str(key) for key in keys], list(marks))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _placed(sequence: Path) -> set[str]:
    path = sequence / PLACED
    # A line that a crash cut short is no frame's name, nor is it with the next one's.
    return set(path.read_text("ascii", "replace").splitlines()) if path.exists() else set()


def note_placed(sequence: Path, index: int) -> None:
    """Note that a frame is final; the index itself would be long to write for every frame."""
    with (sequence / PLACED).open("a", encoding="ascii") as stream:
        stream.write(f"{frame_name(index)}\n")


Stamp = tuple[tuple[int, int, int] | None, ...]


def stamp(sequence: Path) -> Stamp:
    """What changes when somebody writes the index of a sequence or places a frame."""
    found: list[tuple[int, int, int] | None] = []
    for name in (INDEX, PLACED):
        try:
            stat = (sequence / name).stat()
            found.append((stat.st_mtime_ns, stat.st_ino, stat.st_size))
        except OSError:
            found.append(None)
    return tuple(found)


def write_index(sequence: Path, index: Index) -> None:
    """Write the index of a sequence."""
    (sequence / PLACED).unlink(missing_ok=True)
    marks = "".join("1" if final else "0" for final in index.final)
    content = {"schema": _SCHEMA, "keys": index.keys, "final": marks}
    with replaced(sequence / INDEX) as stream:
        stream.write(json.dumps(content).encode())


class Linker:
    """Gives files further names: hard links, or copies where links are not possible.

    A file may have only so many links (NTFS: 1023). What had to be copied for that reason is
    linked to its copy from then on.
    """

    def __init__(self) -> None:
        self._copies: dict[tuple[int, int], Path] = {}

    def put(self, source: Path, target: Path) -> bool:
        """Make `target` a name of `source`, a file that is never written to again.

        Returns:
            False if another program holds the old file of that name open (Windows).

        Raises:
            OSError: if `source` is missing or the disk does not allow it.
        """
        stat = source.stat()
        origin = self._copies.get((stat.st_dev, stat.st_ino), source)
        new = not target.exists()
        if new and _linked(origin, target):
            return True
        if not new and target.samefile(source):  # replacing a link by its equal does nothing
            return True
        temporary = temporary_beside(target)
        try:
            copied = new or not _linked(origin, temporary)
            if copied:
                shutil.copyfile(source, temporary)
            placed = _replace(temporary, target)
        finally:
            with suppress(OSError):
                temporary.unlink()
        if copied and placed:
            self._copies[stat.st_dev, stat.st_ino] = target
        return placed

    def stand_in(self, target: Path, placeholder: Path | None, previous: Path | None) -> None:
        """Show the previous sequence's frame of that number, else the placeholder, else nothing."""
        for source in (previous / target.name if previous else None, placeholder):
            if source is not None:
                with suppress(FileNotFoundError):
                    self.put(source, target)
                    return


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False  # no links on this disk, too many of this file, or a disk that is full
    return True


def _replace(temporary: Path, target: Path) -> bool:
    """Rename; Windows refuses while Blender reads the old file, so try a few times."""
    for attempt in range(_RETRIES):
        try:
            temporary.replace(target)
            return True
        except PermissionError:
            if not _WINDOWS:
                raise
            if attempt + 1 < _RETRIES:
                time.sleep(_RETRY_SECONDS)
    return False
