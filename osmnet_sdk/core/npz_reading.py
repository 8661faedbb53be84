"""Arrays of .npz files of any origin: directory and headers are checked before data are read.

Standard library and numpy only; the extension has a copy.
"""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from .conventions import MAX_ARRAYS, MAX_DIRECTORY, MAX_JSON, MAX_MEMBERS
from .json_reading import Unreadable
from .wording import quoted

_CHUNK = 1 << 20
"""Bytes that are read at a time."""
_ENCRYPTED = 0x1 | 0x40
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those that numpy writes; others can ask for gigabytes to unpack a few bytes."""
_LAST_LETTER = 0x10FFFF
"""Beyond it Python fails as it makes a text of an array."""
_SIZES = {"f": (2, 4, 8), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8)}
_FITTING: dict[type[np.number[Any]], tuple[str, ...]] = {
    np.float32: ("f", "i", "u"),
    np.float64: ("f", "i", "u"),
    np.int64: ("i", "u"),
    np.uint8: ("u1",),
}
"""Starts of the types, as numpy writes them, that are read as each type."""
_HEADER = re.compile(
    r"\{\s*['\"]descr['\"]\s*:\s*['\"]([<>|=]?)([a-zA-Z])(\d{1,10})['\"]\s*,"
    r"\s*['\"]fortran_order['\"]\s*:\s*(True|False)\s*,"
    r"\s*['\"]shape['\"]\s*:\s*\(((?:\s*\d{1,15}\s*,)*\s*(?:\d{1,15})?)\s*\)\s*,?\s*\}\s*"
)
"""A header of the .npy format with numbers or text; records, objects and the rest are refused."""


@dataclass(frozen=True)
class Numbers:
    """An array of numbers that a file holds.

    Attributes:
        shape: lengths; a name in place of a number stands for one that is the same wherever it
            occurs.
        read_as: float32 or float64, of any numbers; int64, of whole ones; uint8, of these alone.
        optional: whether the array may be missing.
    """

    shape: tuple[int | str, ...]
    read_as: type[np.number[Any]] = np.float32
    optional: bool = False


@dataclass(frozen=True)
class Texts:
    """An array of texts that a file holds, or one text, without a shape.

    Attributes:
        shape: as that of `Numbers`.
        longest: characters that one may have.
        optional: whether the array may be missing.
    """

    shape: tuple[int | str, ...] = ()
    longest: int = MAX_JSON
    optional: bool = False


@dataclass
class _Array:
    """What the header of an array says."""

    info: zipfile.ZipInfo
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    offset: int = field(default=0)
    """Bytes of the header, after which the values begin."""

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_arrays(
    stream: BinaryIO, wanted: Mapping[str, Numbers | Texts], longest: Mapping[str, int]
) -> dict[str, NDArray[Any]]:
    """Read the arrays of an .npz file that are wanted; others are passed over.

    Args:
        stream: the file, open for reading, at its start.
        wanted: what each array must be.
        longest: the largest length for each name in a shape, 1 being the smallest.

    Returns:
        The arrays by name, which cannot be written to; those that are optional and missing are
        left out.

    Raises:
        Unreadable: if the file is no .npz file, is damaged, or holds something else than is wanted.
    """
    try:
        with zipfile.ZipFile(cast("IO[bytes]", _Guarded(stream))) as archive:
            members = _members(archive)
            found: dict[str, _Array] = {}
            for name, kind in wanted.items():
                if name in members:
                    found[name] = _header(archive, members[name], name, kind)
                elif not kind.optional:
                    raise Unreadable(f"it has no '{name}'; it was not written by OSM-Net.")
            _check_lengths(found, wanted, longest)
            size = sum(array.size for array in found.values())
            if size > MAX_ARRAYS:
                raise Unreadable(
                    f"its arrays have {size} bytes together; at most {MAX_ARRAYS} are read."
                )
            return {name: _values(archive, found[name], wanted[name]) for name in found}
    except Unreadable:
        raise
    except Exception as error:  # zipfile, zlib and struct raise nearly anything for damage
        raise Unreadable("it is no .npz file, or is damaged.") from error


class _Guarded:
    """A binary file of which nobody reads more than a little at a time.

    A directory is read whole as a zip file is opened, and its size is what the file claims.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(_CHUNK + 1 if size < 0 else min(size, _CHUNK + 1))
        if len(data) > _CHUNK:
            raise Unreadable("its directory is too large.")
        return data


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries of the directory by array name."""
    entries = archive.infolist()
    claimed = sum(46 + len(entry.filename) + len(entry.extra) for entry in entries)
    if len(entries) > MAX_MEMBERS or claimed > MAX_DIRECTORY:
        raise Unreadable(f"it has {len(entries)} parts; at most {MAX_MEMBERS} are read.")
    return {entry.filename.removesuffix(".npy"): entry for entry in entries}


def _header(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, kind: Numbers | Texts
) -> _Array:
    """The header of an array, whose size must be that of its part of the archive."""
    if info.flag_bits & _ENCRYPTED:
        raise Unreadable(f"its '{name}' is encrypted; give a file without a password.")
    if info.compress_type not in _METHODS:
        raise Unreadable(f"its '{name}' is packed in a way that is not read; save it with numpy.")
    with archive.open(info) as stream:
        array = _parsed(stream, info, name)
    if isinstance(kind, Texts):
        if array.dtype.kind != "U" or not 0 < array.dtype.itemsize <= 4 * kind.longest:
            raise Unreadable(f"its '{name}' is no text of at most {kind.longest} characters.")
    elif not any(map(array.dtype.str[1:].startswith, _FITTING[kind.read_as])):
        numbers = "numbers" if issubclass(kind.read_as, np.floating) else "whole numbers"
        raise Unreadable(f"its '{name}' does not hold {numbers}.")
    if array.offset + array.size != info.file_size:
        raise Unreadable(f"its '{name}' is damaged: its size is not what it says.")
    return array


def _parsed(stream: IO[bytes], info: zipfile.ZipInfo, name: str) -> _Array:
    start = stream.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:] not in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        raise Unreadable(f"its '{name}' is no array of numpy.")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > MAX_DIRECTORY:
        raise Unreadable(f"its '{name}' is damaged: its header has {length} bytes.")
    text = stream.read(length).decode("utf-8", "replace")
    found = _HEADER.fullmatch(text)
    if found is None:
        raise Unreadable(f"its '{name}' is damaged: its header is {quoted(text)}.")
    order, letter, digits, fortran, lengths = found.groups()
    size = int(digits)
    if size not in _SIZES.get(letter, (size,) if letter == "U" else ()):
        raise Unreadable(f"its '{name}' holds neither numbers nor text.")
    if letter == "U" and size > MAX_JSON:
        raise Unreadable(f"its '{name}' has texts of {size} characters.")
    shape = tuple(int(part) for part in lengths.split(",") if part.strip())
    if len(shape) > 4:
        raise Unreadable(f"its '{name}' has {len(shape)} axes.")
    dtype = np.dtype(f"{'' if order == '|' else order}{letter}{size}")
    return _Array(info, dtype, shape, fortran == "True", 8 + width + length)


def _check_lengths(
    found: Mapping[str, _Array],
    wanted: Mapping[str, Numbers | Texts],
    longest: Mapping[str, int],
) -> None:
    lengths: dict[str, int] = {}
    for name, array in found.items():
        shape = wanted[name].shape
        fits = len(shape) == len(array.shape) and all(
            isinstance(size, str) or size == length
            for size, length in zip(shape, array.shape, strict=True)
        )
        if not fits:
            text = ", ".join(str(size) for size in shape)
            raise Unreadable(f"its '{name}' must have shape ({text}), not {array.shape}.")
        for size, length in zip(shape, array.shape, strict=True):
            if isinstance(size, str):
                if not 1 <= length <= longest[size]:
                    raise Unreadable(f"it has {length} {size}; it must be 1 to {longest[size]}.")
                if lengths.setdefault(size, length) != length:
                    raise Unreadable(
                        f"its arrays must have the same number of {size}, not {lengths[size]} and "
                        f"{length} ('{name}')."
                    )


def _values(archive: zipfile.ZipFile, array: _Array, kind: Numbers | Texts) -> NDArray[Any]:
    """The values, read piece by piece into what is kept."""
    target = array.dtype.newbyteorder("=")
    if isinstance(kind, Numbers):
        target = np.dtype(kind.read_as)
    order: Any = "F" if array.fortran else "C"
    result = np.empty(array.shape, target, order)
    values = result.reshape(-1, order=order)
    step = max(1, _CHUNK // array.dtype.itemsize)
    with archive.open(array.info) as stream, np.errstate(all="ignore"):
        stream.read(array.offset)
        for start in range(0, len(values), step):
            wanted = min(step, len(values) - start)
            data = stream.read(wanted * array.dtype.itemsize)
            values[start : start + wanted] = np.frombuffer(data, array.dtype)
        if stream.read(1):  # its end, where the checksum is compared
            raise Unreadable("it is damaged.")
    if target.kind == "U" and values.view(np.uint32).max(initial=0) > _LAST_LETTER:
        raise Unreadable("its text is damaged.")
    result.flags.writeable = False
    return result
