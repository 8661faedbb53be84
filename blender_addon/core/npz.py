# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading .npz files that may be damaged, huge or malicious: headers first, then bounded data."""

from __future__ import annotations

import json
import math
import os
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .errors import AddonError
from .files import about_file, check_schema, opened

_MAX_META = 1_000_000
"""Characters that the text "meta" may have."""

_MAX_BYTES = 1_000_000_000
"""Bytes that all arrays together may have."""


@dataclass(frozen=True)
class Header:
    """What the header of an array in the file says: (…) shape and type."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npz(
    path: str | os.PathLike[str],
    kind: str,
    schema: str,
    columns: Mapping[str, tuple[int | None, ...]],
    check_headers: Callable[[Mapping[str, Header]], None],
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read the number arrays and the JSON text "meta" of an .npz file.

    Args:
        path: of the file.
        kind: what it is, in sentences: "take file".
        schema: that `meta` must name.
        columns: shape of each array that must be there; None where any length will do.
        check_headers: raises AddonError for lengths that are not allowed, before data are read.

    Returns:
        The arrays, and `meta`.

    Raises:
        AddonError: if the file cannot be read or is not what it should be.
    """
    with opened(path, kind) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                meta = _read_meta(archive, schema)
                headers = {name: _number_header(archive, name) for name in columns}
                for name, shape in columns.items():
                    _check_shape(name, headers[name].shape, shape)
                check_headers(headers)
                if sum(header.size for header in headers.values()) > _MAX_BYTES:
                    raise AddonError("It is too large.")
                return {name: _read_array(archive, name) for name in columns}, meta
        except AddonError as error:
            raise about_file(kind, path, error) from error
        except Exception as error:  # zipfile, zlib, numpy and ast raise nearly anything for damage
            raise AddonError(
                f"'{path}' is no {kind}, or is damaged; choose another file.", str(error)
            ) from error


def _read_meta(archive: zipfile.ZipFile, schema: str) -> dict[str, Any]:
    header = _header(archive, "meta")
    if header.shape != () or header.dtype.kind != "U" or header.size > 4 * _MAX_META:
        raise AddonError("Its 'meta' is not one text; choose another file.")
    meta = json.loads(str(_read_array(archive, "meta")))
    if not isinstance(meta, dict):
        raise AddonError("Its 'meta' text is not a JSON object; choose another file.")
    check_schema(meta.get("schema"), schema)
    return meta


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    try:
        return archive.getinfo(f"{name}.npy")
    except KeyError as error:
        raise AddonError(f"It has no '{name}'; it was not written by OSM-Net.") from error


def _number_header(archive: zipfile.ZipFile, name: str) -> Header:
    header = _header(archive, name)
    if header.dtype.kind not in "fiu":
        raise AddonError(f"Its '{name}' does not hold numbers; choose another file.")
    return header


def _header(archive: zipfile.ZipFile, name: str) -> Header:
    """The header of an array, whose size must be that of the file in the archive."""
    info = _member(archive, name)
    with archive.open(info) as stream:
        header = _parse_header(stream)
        if header.dtype.hasobject:
            raise AddonError(f"Its '{name}' holds pickled objects, which are never read.")
        if stream.tell() + header.size != info.file_size:
            raise AddonError(f"Its '{name}' is damaged; choose another file.")
    return header


def _parse_header(stream: IO[bytes]) -> Header:
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of files that Python 2 wrote
        shape, _, dtype = read(stream)
    return Header(shape, dtype)


def _read_array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(_member(archive, name)) as stream:
        array: NDArray[Any] = npy.read_array(stream, allow_pickle=False)
    return array


def _check_shape(name: str, found: tuple[int, ...], wanted: tuple[int | None, ...]) -> None:
    fits = len(found) == len(wanted) and all(
        size is None or size == length for size, length in zip(wanted, found, strict=True)
    )
    if not fits:
        text = ", ".join("any" if size is None else str(size) for size in wanted)
        raise AddonError(f"'{name}' must have shape ({text}), not {found}.")
