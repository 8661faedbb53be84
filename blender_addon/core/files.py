# SPDX-License-Identifier: GPL-3.0-or-later
"""Files: written under a temporary name and renamed; what goes wrong, said in one sentence."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import AddonError

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_FOLDER = {errno.ENOTDIR, errno.EEXIST}
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def temporary_beside(path: Path) -> Path:
    """A name for a temporary file in the same folder; it begins with a dot and keeps the suffix."""
    return path.with_name(f".{path.stem[:80]}-{secrets.token_hex(6)}{path.suffix}")


def reason(error: OSError) -> str:
    """What an error of the disk means and what to do, to follow "Cannot write '…': "."""
    if error.errno in _FULL:
        return "the disk is full; free some space or choose another disk."
    if error.errno in _FORBIDDEN:
        return "it may not be written to, or another program has it open; choose another folder."
    if error.errno in _NO_FOLDER:
        return "a file stands where a folder is needed; choose another folder."
    if error.errno == errno.ENOENT:
        return "the folder does not exist; choose one that does."
    return f"{error.strerror or error}."


def _end_of_links(path: Path) -> Path:
    """The path itself, or where a symbolic link of that name leads in the end.

    Raises:
        AddonError: if the link leads in a circle.
        OSError: if the system does not take the name.
    """
    if not path.is_symlink():
        return path
    end = Path(os.path.realpath(path))
    if end.is_symlink():
        raise AddonError(f"Cannot write '{path}': the link leads in a circle; delete it.")
    return end


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Give a stream to a temporary file; it becomes `path` when the block ends well.

    As in the SDK, a file that was there keeps its rights, and a symbolic link stays: what it leads
    to is replaced.

    Raises:
        AddonError: if the file cannot be written.
    """
    try:
        target = _end_of_links(path)
    except OSError as error:
        raise AddonError(f"Cannot write '{path}': {reason(error)}") from error
    temporary = temporary_beside(target)
    try:
        if target.is_dir():
            raise AddonError(f"Cannot write '{path}': it is a folder; give a file name.")
        rights = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        # Nobody else may read the new contents of a private file, not even for a moment.
        handle = os.open(temporary, _NEW_FILE, 0o666 if rights is None else 0o600)
        with os.fdopen(handle, "wb") as stream:
            yield stream
        if rights is not None:
            temporary.chmod(rights)
        temporary.replace(target)
    except OSError as error:
        raise AddonError(f"Cannot write '{path}': {reason(error)}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def opened(path: str | os.PathLike[str], kind: str) -> Iterator[BinaryIO]:
    """Open a file for reading; `kind` names it in the sentence, for example "take file".

    Raises:
        AddonError: if the file is missing, is a folder, or cannot be read.
    """
    source = Path(path)
    if not source.exists():
        raise AddonError(f"The {kind} '{source}' does not exist; choose another file.")
    if not source.is_file():
        raise AddonError(f"'{source}' is not a file; choose a {kind}.")
    try:
        stream = source.open("rb")
    except OSError as error:
        raise AddonError(f"Cannot read the {kind} '{source}': {error.strerror}.") from error
    with stream:
        yield stream


def about_file(kind: str, path: str | os.PathLike[str], error: AddonError) -> AddonError:
    """The same error with the file named in front: "Take file '…': it has no frames; …"."""
    text = str(error)
    sentence = text[:1].lower() + text[1:] if text.startswith("It") else text
    return AddonError(f"{kind.capitalize()} '{os.fspath(path)}': {sentence}", error.details)


def check_schema(found: object, expected: str) -> None:
    """Compare a file's schema, such as "osmnet.take/1", with the one that is read here.

    Raises:
        AddonError: if it is newer or another; the message follows "Take file '…': ".
    """
    if found == expected:
        return
    name, _, version = expected.partition("/")
    found_name, _, found_version = str(found).partition("/")
    newer = found_version.isascii() and found_version.isdigit() and len(found_version) < 10
    if found_name == name and newer and int(found_version) > int(version):
        raise AddonError(
            f"It was written by a newer OSM-Net (schema '{found}'); update the extension."
        )
    raise AddonError(f"Its schema is '{str(found)[:40]}', not '{expected}'; choose another file.")
