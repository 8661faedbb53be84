"""Files that are not finished: named and locked so that what a killed process leaves is told apart.

A name is `.osmnet-PROCESS-RANDOM.part` and the suffix of the file that it is to become. As long as
its process lives, it holds a lock on the file (on Windows its number tells whether it lives), so
that clearing a folder takes no file that is still being written, whoever writes it.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = re.compile(r"\.osmnet-([0-9]{1,10})-[0-9a-f]{12}\.part(\..*)?", re.DOTALL)
_LONGEST_SUFFIX = 16
"""Bytes; what is longer is no format's suffix, and names are at most 255 bytes, often fewer."""

_own: set[Path] = set()
"""What this process is writing."""


@contextmanager
def temporary_file(folder: Path, suffix: str, mode: int) -> Iterator[Path]:
    """An empty file of a new name in a folder; it is gone when the block ends, if still there.

    Args:
        folder: where it lies.
        suffix: of its name, since writers choose a format by it; left out if it is very long.
        mode: rights as for `os.open`, from which the system takes away those of the umask.

    Raises:
        OSError: if it cannot be made.
    """
    kept = suffix if len(os.fsencode(suffix)) <= _LONGEST_SUFFIX else ""
    path = folder / f".osmnet-{os.getpid()}-{secrets.token_hex(6)}.part{kept}"
    _own.add(path)  # first: a signal may come at any moment
    handle = -1
    try:
        handle = _made(path, mode)
        yield path
    finally:
        path.unlink(missing_ok=True)
        _own.discard(path)
        if handle >= 0:
            os.close(handle)


def remove_own() -> None:
    """Remove whatever this process was writing; for one that is about to end."""
    for path in list(_own):
        with suppress(OSError):
            path.unlink()


def clear_leftovers(folder: Path) -> None:
    """Remove the temporary files of a folder whose processes are gone; never fails."""
    try:
        with os.scandir(folder) as entries:
            found = [match for entry in entries if (match := _NAME.fullmatch(entry.name))]
    except OSError:
        return
    for match in found:
        with suppress(OSError):
            _remove_abandoned(folder / match[0], int(match[1]))


if sys.platform == "win32":
    import ctypes

    def _made(path: Path, mode: int) -> int:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode))
        return -1  # an open file could not be renamed

    def _remove_abandoned(path: Path, process: int) -> None:
        alive = path in _own if process == os.getpid() else _runs(process)
        if not alive and stat.S_ISREG(path.lstat().st_mode):
            path.unlink()

    def _runs(process: int) -> bool:
        """Whether there is a process of that number, as far as can be told."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        synchronize, invalid_parameter, timed_out = 0x100000, 87, 258
        kernel.OpenProcess.restype = ctypes.c_void_p
        handle = kernel.OpenProcess(synchronize, False, process)
        if not handle:
            return ctypes.get_last_error() != invalid_parameter  # others: it may not be opened
        try:
            return bool(kernel.WaitForSingleObject(ctypes.c_void_p(handle), 0) == timed_out)
        finally:
            kernel.CloseHandle(ctypes.c_void_p(handle))

else:
    import fcntl

    def _made(path: Path, mode: int) -> int:
        """Make and lock the file; the open file that holds the lock."""
        while True:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode)
            with suppress(OSError):  # a file system without locks: nothing is cleared there
                fcntl.flock(handle, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), path.lstat()):
                    return handle
            os.close(handle)  # somebody cleared the folder before the file was locked

    def _remove_abandoned(path: Path, process: int) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            found = os.fstat(handle)
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while it is written
                path.unlink()
        finally:
            os.close(handle)
