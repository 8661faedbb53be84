"""JSON of any origin, within bounds; standard library only, the extension has a copy."""

from __future__ import annotations

import json
import math
from typing import Any

from .conventions import MAX_INTEGER, MAX_JSON, MAX_NESTING, MAX_TEXT
from .wording import quoted


class Unreadable(ValueError):
    """Why a file or a text is refused: a sentence that follows the name of it and a colon."""


def parse_json(text: str | bytes, longest: int = MAX_JSON) -> Any:
    """The value of a JSON text.

    Args:
        text: the text, or its UTF-8 bytes.
        longest: characters or bytes that it may have.

    Raises:
        Unreadable: if it is no JSON, or goes beyond a bound on length, nesting, numbers or texts.
    """
    if len(text) > longest:
        raise Unreadable(f"its text has {len(text)} characters; at most {longest} are read.")
    try:
        value = json.loads(
            text, parse_int=_integer, parse_float=_number, parse_constant=_no_constant
        )
    except Unreadable:
        raise
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise Unreadable("its text is not JSON.") from error
    _check_bounds(value)
    return value


def check_schema(found: object, expected: str) -> None:
    """Compare a schema, such as "osmnet.take/1", with the one that is read here.

    Raises:
        Unreadable: if it is newer, or another one.
    """
    if found == expected:
        return
    name, _, version = expected.partition("/")
    found_name, _, newer = str(found).partition("/")
    number = newer.isascii() and newer.isdigit() and len(newer) < 10
    if found_name == name and number and int(newer) > int(version):
        raise Unreadable(
            f"it was written by a newer OSM-Net (schema {quoted(found)}, this version reads "
            f"'{expected}'); update OSM-Net."
        )
    raise Unreadable(f"its schema is {quoted(found)}, not '{expected}'.")


def _integer(text: str) -> int:
    if len(text) > len(str(-MAX_INTEGER)) or abs(int(text)) > MAX_INTEGER:
        raise Unreadable(f"its text holds the number {quoted(text, 24)}, which is too large.")
    return int(text)


def _number(text: str) -> float:
    value = float(text) if len(text) <= 1000 else math.inf
    if not math.isfinite(value):
        raise Unreadable(f"its text holds the number {quoted(text, 24)}, which is too large.")
    return value


def _no_constant(name: str) -> None:
    raise Unreadable(f"its text holds '{name}', which is not a number.")


def _too_deep() -> Unreadable:
    return Unreadable(
        f"lists and objects in its text lie more than {MAX_NESTING} deep in one another."
    )


def _check_bounds(value: Any) -> None:
    level = [value]
    for _ in range(MAX_NESTING + 2):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                for key in item:
                    _check_text(key)
                below += item.values()
            elif isinstance(item, list):
                below += item
        if not below:
            return
        level = below
    raise _too_deep()


def _check_text(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise Unreadable(f"it holds a text of {len(text)} characters; at most {MAX_TEXT} are read.")
