"""The one door for files of any origin: what they claim is checked before anything is read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from osmnet_sdk.core.conventions import MAX_JSON
from osmnet_sdk.core.json_reading import Unreadable
from osmnet_sdk.core.wording import quoted
from osmnet_sdk.errors import OSMNetError, TrackError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osmnet_sdk.core.npz_reading import Numbers, Texts

LONGEST_NAME = 160
"""Characters of a file's name that messages show."""


def file_name(file: str | os.PathLike[str] | BinaryIO) -> str:
    """How messages call a file that is given by its path or is open, in quotes."""
    if isinstance(file, (str, os.PathLike)):
        return quoted(os.fsdecode(file), LONGEST_NAME)
    return quoted(getattr(file, "name", "file object"), LONGEST_NAME)


@contextmanager
def opened(
    file: str | os.PathLike[str] | BinaryIO, what: str, error: type[OSMNetError] = TrackError
) -> Iterator[BinaryIO]:
    """Open a file for reading, or take one that is open.

    Args:
        file: its path, or the open binary file.
        what: how messages call it, such as "take file".
        error: what is raised.

    Raises:
        OSMNetError: of the kind `error`, if it is missing, is no ordinary file or cannot be read,
            now or while the block lasts.
    """
    if not isinstance(file, (str, os.PathLike)):
        yield file
        return
    name = file_name(file)
    try:
        path = Path(file)
        if path.exists() and not path.is_file():  # a pipe could keep us waiting forever
            raise error(f"{name} is no ordinary file; give the path of a {what}.")
        with path.open("rb") as stream:
            yield stream
    except OSError as problem:
        raise error(
            f"Cannot read the {what} {name}: {problem.strerror or problem}; give the path of a "
            f"{what}."
        ) from problem
    except ValueError as problem:  # a null character in the name
        raise error(f"{name} is no file name; give the path of a {what}.") from problem


def read_npz(
    file: str | os.PathLike[str] | BinaryIO,
    what: str,
    wanted: Mapping[str, Numbers | Texts],
    longest: Mapping[str, int],
    error: type[OSMNetError] = TrackError,
) -> dict[str, NDArray[Any]]:
    """The wanted arrays of an .npz file; see `npz_reading.read_arrays`.

    Args:
        file: its path, or the open binary file.
        what: how messages call it, such as "take file".
        wanted: what each array must be.
        longest: the largest length for each name in a shape.
        error: what is raised.

    Raises:
        OSMNetError: of the kind `error`, if the file is missing, damaged or another one.
    """
    from osmnet_sdk.core.npz_reading import read_arrays

    with opened(file, what, error) as stream:
        try:
            return read_arrays(stream, wanted, longest)
        except Unreadable as problem:
            raise error(f"{what.capitalize()} {file_name(file)}: {problem}") from problem


def read_small(file: str | os.PathLike[str], what: str, error: type[OSMNetError]) -> bytes:
    """The bytes of a small file, such as a JSON text.

    Raises:
        OSMNetError: of the kind `error`, if it cannot be read or is larger than a megabyte.
    """
    with opened(file, what, error) as stream:
        data = stream.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise error(f"The {what} {file_name(file)} has more than {MAX_JSON} bytes; give another.")
    return data
