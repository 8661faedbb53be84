"""Files: written so that a crash leaves the old one or the new one, and .npz files read safely."""

from __future__ import annotations

import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from osmnet_sdk.errors import OutputError, TrackError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well.

    The temporary name keeps the suffix of `path`, since writers choose a format by it.

    Raises:
        OutputError: if the folder does not exist or cannot be written to.
    """
    target = Path(path)
    try:
        if target.is_dir():
            raise OutputError(f"Cannot write '{target}': it is a folder; give a file name.")
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent
        )
        os.close(handle)
    except OSError as error:
        raise OutputError(
            f"Cannot write '{target}': {error.strerror or error}; choose a folder that exists "
            "and may be written to."
        ) from error
    temporary = Path(name)
    try:
        yield temporary
        _open_to_all(temporary)
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"Cannot write '{target}': {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


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
    """Make sure, before long work, that a file can be written.

    Raises:
        OutputError: if the path is a folder, or the folder or an existing file may not be written
            to.
    """
    target = Path(path)
    try:
        if target.is_dir():
            raise OutputError(f"Cannot write '{target}': it is a folder; give a file name.")
        with suppress(FileNotFoundError):
            target.lstat()  # names that the system does not take
        if target.exists() and not os.access(target, os.W_OK):
            raise OutputError(f"Cannot write '{target}': it is write-protected; use another name.")
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"Cannot write '{target}': {reason}; choose a folder that exists and may be written to."
        ) from error


def check_output_folder(path: str | os.PathLike[str]) -> None:
    """Make sure, before long work, that a folder is there or can be made; nothing is left behind.

    Raises:
        OutputError: if it is a file, or may not be made or written to.
    """
    folder = Path(path)
    try:
        with suppress(FileNotFoundError):
            folder.lstat()  # names that the system does not take
        there = next(place for place in (folder, *folder.parents) if place.exists())
        with tempfile.TemporaryFile(dir=there):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"Cannot write to the folder '{folder}': {reason}; choose a place that may be written "
            "to."
        ) from error


def file_name(file: str | os.PathLike[str] | BinaryIO) -> str:
    """How messages call a file that is given by its path or is open."""
    if isinstance(file, (str, os.PathLike)):
        return os.fsdecode(file)
    return str(getattr(file, "name", "file object"))


def read_npz(path: str | os.PathLike[str] | BinaryIO, what: str) -> dict[str, NDArray[Any]]:
    """Every array of an .npz file, without pickle.

    Args:
        path: the file, or an open binary file.
        what: how messages call it, such as "take file".

    Raises:
        TrackError: if the file is missing, is no .npz file, or is damaged.
    """
    import numpy as np

    source = file_name(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise TrackError(f"'{source}' is not a {what} (.npz).")
            return {name: archive[name] for name in archive.files}
    except OSError as error:
        raise TrackError(
            f"Cannot read the {what} '{source}': {error.strerror or 'it is no .npz file'}; "
            f"give the path of a {what} (.npz)."
        ) from error
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, KeyError, MemoryError) as error:
        raise TrackError(
            f"'{source}' is not a {what} (.npz), or is damaged; give one that OSM-Net wrote."
        ) from error


def _open_to_all(path: Path) -> None:
    """Give a temporary file, private when made, the rights of an ordinary new file."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
