# SPDX-License-Identifier: GPL-3.0-or-later
"""Mapping tables: which shape key of a mesh shows which of the 52 ARKit coefficients."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from .conventions import ARKIT_NAMES
from .errors import AddonError
from .files import about_file, check_schema, opened, replaced
from .json_reading import Unreadable, parse_json
from .wording import quoted

MAPPING_SCHEMA = "osmnet.mapping/1"
"""Schema name and version written into every mapping file."""

_MAX_BYTES = 1_000_000
_LONGEST_NAME = 1000

_PREFIX = re.compile(r"^(?:(?:blendshapes?\d*|bs|shapes?|face|head)[\W_]+|arkit[\W_]*)", re.I)
_SIDE = re.compile(r"(?:[\W_]+(?=[LRlr]$)|(?<=[a-z])(?=[LR]$))(.)$")
_SEPARATORS = re.compile(r"[\W_]+")


def _plain(name: str) -> str:
    """A name without prefix, separators and case, its side as a word: "Face_eyeBlink_L"."""
    shortened = _PREFIX.sub("", name)
    while shortened != name:
        name, shortened = shortened, _PREFIX.sub("", shortened)
    side = _SIDE.search(name)
    if side:
        name = name[: side.start()] + {"l": "left", "r": "right"}[side.group(1).lower()]
    return _SEPARATORS.sub("", name).casefold()


_PLAIN_ARKIT = {_plain(name): name for name in ARKIT_NAMES}


def match(names: Sequence[str]) -> dict[str, str]:
    """Find the shape keys that show ARKit coefficients.

    Exact names win; then case, separators, common prefixes ("blendShape1.", "ARKit_", "Face_")
    and the spelling of the side ("_L", ".R", "Left") do not count, and the first one wins.

    Args:
        names: of the shape keys.

    Returns:
        Shape key by ARKit name, in the order of `conventions.ARKIT_NAMES`; no shape key twice.
    """
    found: dict[str, str] = {}
    for name in names:
        arkit = _PLAIN_ARKIT.get(_plain(name))
        if arkit is not None:
            found.setdefault(arkit, name)
    found.update({name: name for name in names if name in ARKIT_NAMES})
    return {name: found[name] for name in ARKIT_NAMES if name in found}


def save_mapping(path: str | os.PathLike[str], table: Mapping[str, str | None]) -> None:
    """Write a mapping table as JSON.

    Args:
        path: of the file.
        table: shape key, or None, by ARKit name.

    Raises:
        AddonError: if the table has a name that is not ARKit's, or the file cannot be written.
    """
    content = {"schema": MAPPING_SCHEMA, "shape_keys": _checked(dict(table))}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    with replaced(Path(path)) as stream:
        stream.write(text.encode("utf-8", "surrogatepass") + b"\n")


def load_mapping(path: str | os.PathLike[str]) -> dict[str, str | None]:
    """Read a mapping table: shape key, or None, by ARKit name.

    Raises:
        AddonError: if the file is missing, damaged, of a newer version, or names what is not
            ARKit's.
    """
    with opened(path, "mapping file") as stream:
        data = stream.read(_MAX_BYTES + 1)
    try:
        if len(data) > _MAX_BYTES:
            raise AddonError("It is too large; choose another file.")
        try:
            content = parse_json(data.decode("utf-8", "surrogatepass"))
        except Unreadable as error:
            raise AddonError(f"{error} Choose another file.") from error
        except ValueError as error:
            raise AddonError("It is not JSON; choose another file.", str(error)) from error
        if not isinstance(content, dict):
            raise AddonError("It is not a mapping table; choose another file.")
        check_schema(content.get("schema"), MAPPING_SCHEMA)
        return _checked(content.get("shape_keys"))
    except AddonError as error:
        raise about_file("mapping file", path, error) from error


def _checked(table: object) -> dict[str, str | None]:
    if not isinstance(table, dict):
        raise AddonError("It has no table 'shape_keys'; choose another file.")
    for arkit, shape_key in table.items():
        if arkit not in ARKIT_NAMES:
            raise AddonError(f"{quoted(arkit)} is not one of the 52 ARKit names.")
        named = isinstance(shape_key, str) and len(shape_key) <= _LONGEST_NAME
        if shape_key is not None and not named:
            raise AddonError(f"The shape key of '{arkit}' is not a name.")
    return table
