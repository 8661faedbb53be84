"""Files: written so that a crash leaves the old one or the new one."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PureWindowsPath

from osmnet_sdk.core.temporaries import clear_leftovers, temporary_file
from osmnet_sdk.errors import OutputError


@contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well.

    The temporary name keeps the suffix of `path`, since writers choose a format by it. A file that
    was there keeps its rights and, where the system lets us, its owner; a symbolic link stays, and
    what it leads to is replaced. Other hard links of the file keep the old contents. A new file
    has the rights that the umask leaves. Contents are not forced onto the disk: a killed process
    loses nothing, and forcing each frame would cost more than drawing some.

    The first time that a folder is written to, what killed processes left there is removed.

    Raises:
        OutputError: if the folder does not exist or cannot be written to, or `path` is no file.
    """
    try:
        target = _end_of_links(Path(path))
        before = _file_there(target, path)
        _clear_once(target.parent)
        with temporary_file(target.parent, target.suffix, 0o600 if before else 0o666) as temporary:
            try:
                yield temporary
                if before is not None:
                    _keep_rights(temporary, before)
                temporary.replace(target)
            except OSError as error:
                raise OutputError(f"Cannot write '{path}': {error.strerror or error}.") from error
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: str | os.PathLike[str], error: Exception) -> OutputError:
    reason = getattr(error, "strerror", None) or error
    advice = "choose a folder that exists and may be written to"
    if getattr(error, "errno", None) == errno.ENAMETOOLONG:
        advice = "give it a shorter name"
    return OutputError(f"Cannot write '{path}': {reason}; {advice}.")


def _end_of_links(path: Path) -> Path:
    """The path itself, or where a symbolic link of that name leads in the end.

    Raises:
        OutputError: if the link leads in a circle.
    """
    if not path.is_symlink():
        return path
    end = Path(os.path.realpath(path))
    if end.is_symlink():
        raise OutputError(f"Cannot write '{path}': the link leads in a circle; delete it.")
    return end


def _file_there(target: Path, called: str | os.PathLike[str]) -> os.stat_result | None:
    """What the system says of a file that is there, or None.

    Raises:
        OutputError: if it is a folder, or a device or a pipe, which a file must not replace.
        OSError: if the system does not take the name.
    """
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise OutputError(f"Cannot write '{called}': it is a folder; give a file name.")
    if not stat.S_ISREG(found.st_mode):
        raise OutputError(f"Cannot write '{called}': it is no ordinary file; give a file name.")
    return found


def _keep_rights(temporary: Path, before: os.stat_result) -> None:
    made = temporary.stat()
    if hasattr(os, "chown") and (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid):
        with suppress(PermissionError):
            os.chown(temporary, before.st_uid, before.st_gid)
    temporary.chmod(stat.S_IMODE(before.st_mode))


_cleared: set[Path] = set()


def _clear_once(folder: Path) -> None:
    place = folder.absolute()
    if place not in _cleared:
        clear_leftovers(place)
        _cleared.add(place)


def output_folder(path: str | os.PathLike[str]) -> Path:
    """A folder for results, made if it is not there.

    Raises:
        OutputError: if it cannot be made, or is a file.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OutputError(
            f"Cannot write to '{folder}': it is a file; give the name of a folder."
        ) from error
    except OSError as error:
        raise OutputError(
            f"Cannot make the folder '{folder}': {error.strerror or error}; choose a place that "
            "may be written to."
        ) from error
    return folder


def check_output_file(path: str | os.PathLike[str]) -> None:
    """Make sure, before long work, that a file can be written; clear what killed runs left there.

    Raises:
        OutputError: if the path is a folder or no name that the system takes, or the folder or an
            existing file may not be written to.
    """
    try:
        target = _end_of_links(Path(path))
        if _file_there(target, path) is not None and not os.access(target, os.W_OK):
            raise OutputError(f"Cannot write '{path}': it is write-protected; use another name.")
        _check_name(target)
        with tempfile.TemporaryFile(dir=target.parent):
            pass
        clear_leftovers(target.parent)
    except (OSError, ValueError) as error:
        raise _cannot_write(path, error) from error


def check_output_folder(path: str | os.PathLike[str]) -> None:
    """Make sure, before long work, that a folder is there or can be made; nothing is left behind.

    What killed runs left in it is cleared.

    Raises:
        OutputError: if it is a file, or may not be made or written to, or the system does not take
            its name.
    """
    folder = Path(path)
    try:
        with suppress(FileNotFoundError):
            folder.lstat()  # names that the system does not take
        there = next(place for place in (folder, *folder.parents) if place.exists())
        for part in folder.relative_to(there).parts:
            _check_name(there / part)
        with tempfile.TemporaryFile(dir=there):
            pass
        clear_leftovers(folder)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"Cannot write to the folder '{folder}': {reason}; choose a place that may be written "
            "to."
        ) from error


def _check_name(path: Path) -> None:
    """Ask the system about a name in a folder that is there.

    Raises:
        OSError: if the system does not take it.
    """
    if sys.platform == "win32" and (":" in path.name or PureWindowsPath(path.name).is_reserved()):
        raise OSError(errno.EINVAL, "this name means something else to Windows")
    with suppress(FileNotFoundError):
        path.lstat()
