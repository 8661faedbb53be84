# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping the cache of frames within its limit."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from .sequences import INDEX, PLACED, read_index

_KEY = "[0-9a-z]{32}"
_TEMPORARY = r"\.[0-9a-z_]{1,80}-[0-9A-Za-z_]+\.(png|json)"
_PATTERNS = {
    "frames": re.compile(rf"[0-9a-z]{{2}}/({_KEY}\.png|{_TEMPORARY})"),
    "rendering": re.compile(rf"{_KEY}\.png|{_TEMPORARY}"),
    "sequences": re.compile(rf"{_KEY}/(frame_\d{{6}}\.png|{INDEX}|{PLACED}|{_TEMPORARY})"),
}
"""Paths of the cache's files below its three folders."""

_LEFTOVER_SECONDS = 24 * 3600.0
"""Age from which a file with a temporary name is a crash's and nobody's work in progress."""


class _Files:
    """The files of the cache, and the bytes that they take; links of one file count once."""

    def __init__(self, folder: Path) -> None:
        self.stat: dict[Path, os.stat_result] = {}
        for path in _own_files(folder):
            try:
                self.stat[path] = path.stat()  # os.scandir knows no inodes on Windows
            except FileNotFoundError:
                continue  # another Blender removed it
        self._links = Counter(_identity(stat) for stat in self.stat.values())
        sizes = {_identity(stat): stat.st_size for stat in self.stat.values()}
        self.bytes = sum(sizes.values())

    def remove(self, path: Path) -> None:
        """Remove a file; one that is held open (Windows) stays."""
        stat = self.stat.get(path)
        if stat is None:
            return
        try:
            path.unlink(missing_ok=True)
        except PermissionError:
            return
        del self.stat[path]
        self._links[_identity(stat)] -= 1
        if not self._links[_identity(stat)]:
            self.bytes -= stat.st_size


def size(folder: Path) -> int:
    """Bytes that the files of a folder take; links of one file count once."""
    return _Files(folder).bytes


def prune(folder: Path, limit_bytes: int, keep: Iterable[Path]) -> int:
    """Remove leftovers of crashes, then what was not used for longest, until within the limit.

    Frames that no sequence shows go first; then sequence after sequence, each with the frames
    that only it shows.

    Args:
        folder: of the cache.
        limit_bytes: that all files may take.
        keep: sequences that stay, with their frames.

    Returns:
        Bytes that became free.

    Raises:
        OSError: if the folder cannot be read or written to.
    """
    files = _Files(folder)
    before = files.bytes
    _remove_leftovers(files, folder)
    kept = {Path(path).name for path in keep}
    sequences = _sequences(files, folder)
    shown = Counter(key for keys in sequences.values() for key in keys)
    frames = {
        path.stem: path
        for path in files.stat
        if path.parents[1] == folder / "frames" and not path.name.startswith(".")
    }

    unused = [path for key, path in frames.items() if not shown[key]]
    for path in sorted(unused, key=lambda path: files.stat[path].st_mtime):
        if files.bytes <= limit_bytes:
            break
        files.remove(path)
    for sequence in sorted(sequences, key=lambda sequence: _last_use(files, sequence)):
        if files.bytes <= limit_bytes:
            break
        if sequence.name in kept:
            continue
        _remove_sequence(files, sequence)
        shown.subtract(sequences[sequence])
        for key in sequences[sequence]:
            if not shown[key] and key in frames:
                files.remove(frames[key])
    return before - files.bytes


def _own_files(folder: Path) -> Iterator[Path]:
    """The files that are the cache's own: whatever else is in the folder is never touched."""
    for kind, pattern in _PATTERNS.items():
        root = folder / kind
        for parent, _, names in os.walk(root):
            for path in (Path(parent) / name for name in names):
                if pattern.fullmatch(path.relative_to(root).as_posix()):
                    yield path


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


def _sequences(files: _Files, folder: Path) -> dict[Path, set[str]]:
    """The keys of the frames of each sequence; none where the index is damaged."""
    root = folder / "sequences"
    found = {path.parent for path in files.stat if path.parent.parent == root}
    indices = {sequence: read_index(sequence) for sequence in found}
    return {path: set(index.keys if index else ()) for path, index in indices.items()}


def _last_use(files: _Files, sequence: Path) -> float:
    stat = files.stat.get(sequence / INDEX)
    return stat.st_mtime if stat else 0.0


def _remove_sequence(files: _Files, sequence: Path) -> None:
    """The index first: a sequence without one is laid out anew, should this be cut short."""
    members = [path for path in files.stat if path.parent == sequence]
    for path in sorted(members, key=lambda path: path.name != INDEX):
        files.remove(path)
    try:
        sequence.rmdir()
    except OSError:
        return  # a file of it is held open


def _remove_leftovers(files: _Files, folder: Path) -> None:
    """Temporary names, and frames that were rendered but never adopted, a day old or more."""
    oldest = time.time() - _LEFTOVER_SECONDS
    for path, stat in list(files.stat.items()):
        temporary = path.name.startswith(".") or path.parent == folder / "rendering"
        # A link has the frame's own time of writing, but is itself as new as the last change.
        if temporary and max(stat.st_mtime, stat.st_ctime) < oldest:
            files.remove(path)
