"""How the command line writes values that are neither numbers nor switches.

A field of options names its grammar (`options.option`); here is what reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from osmnet_sdk.core.conventions import AXES
from osmnet_sdk.errors import InputError
from osmnet_sdk.options import Mood, Options, Pin

_PLACES = ("x", "y", "z")
_POSE = (*AXES, *_PLACES)


@dataclass(frozen=True)
class Grammar:
    """A way to write a value.

    Attributes:
        example: a text, as the help shows it.
        read: makes the value that the text means; it is given the option's name, too.
        gathered: makes one value of those of several texts; None where the option is given once.
    """

    example: str
    read: Callable[[str, str], Any]
    gathered: Callable[[Sequence[Any]], Any] | None = None


def pin(flag: str, text: str) -> Pin:
    """A pin out of a text such as "3.2: yaw=30 pitch=-5"."""
    time, colon, pose = text.partition(":")
    if not colon:
        raise InputError(f"{flag} must look like '3.2: yaw=30 pitch=-5', not '{text}'.")
    values = _named(flag, pose)
    return Pin(_number(flag, time), *([values.get(n) for n in names] for names in (AXES, _PLACES)))


def pose(flag: str, text: str) -> list[float]:
    """All six numbers of a pose, of which the text names some: "yaw=10 pitch=5"."""
    values = _named(flag, text)
    return [values.get(name, 0.0) for name in _POSE]


def seconds_range(flag: str, text: str) -> tuple[float, float]:
    """Start and end out of "4-6"."""
    start, dash, end = text.partition("-")
    if not dash:
        raise InputError(f"{flag} must look like 4-6, seconds, not '{text}'.")
    return _number(flag, start), _number(flag, end)


def numbered_gain(flag: str, text: str) -> tuple[int, float]:
    """Number and gain out of "12=2.0"."""
    number, equals, gain = text.partition("=")
    number = number.strip()
    if not equals or not (number.isascii() and number.isdigit() and len(number) < _DIGITS):
        raise InputError(f"{flag} must look like 12=2.0, vector and gain, not '{text}'.")
    return int(number), _number(flag, gain)


def moods(flag: str, text: str) -> list[Mood]:
    """Moods out of "0-2.5 happy 0.6, 3-5 sad"."""
    made = []
    for part in text.split(","):
        words = part.split()
        if len(words) not in (2, 3):
            raise InputError(
                f"{flag} must look like '0-2.5 happy 0.6, 3-5 sad': seconds, mood and, if you "
                f"like, strength; not '{part.strip()}'."
            )
        strength = [_number(flag, word) for word in words[2:]]
        made.append(Mood(*seconds_range(flag, words[0]), words[1], *strength))
    return made


def _joined(parts: Sequence[list[Any]]) -> list[Any]:
    return [value for part in parts for value in part]


GRAMMARS = {
    "pins": Grammar('"3.2: yaw=30 pitch=-5"', pin, list),
    "ranges": Grammar("4-6", seconds_range, list),
    "moods": Grammar('"0-2.5 happy 0.6, 3-5 sad"', moods, _joined),
    "gains": Grammar("12=2.0", numbered_gain, dict),
    "pose": Grammar('"yaw=10 pitch=5", the rest 0', pose),
}
"""By name; beside these, "options" is a class of options, as `named_options` reads them."""

_DIGITS = 10
"""Digits that no basis vector's number has."""


def named_options(kind: type[Options], example: str) -> Callable[[str, str], Options]:
    """A reader of texts such as "jaw=1.2 lag_ms=20 gains.jawOpen=1.1 rest_in_silence=no".

    Args:
        kind: class of the options that the text names.
        example: a text, for what cannot be read.
    """

    def read(flag: str, text: str) -> Options:
        values: dict[str, Any] = {}
        for word in _words(text):
            name, equals, value = word.partition("=")
            option, dot, key = name.partition(".")
            holder = values.setdefault(option, {}) if dot else values
            key = key if dot else option
            if not equals or not key or not isinstance(holder, dict) or key in holder:
                raise InputError(
                    f"{flag} takes each NAME=VALUE once, as in '{example}', not '{word}'."
                )
            holder[key] = value
        try:
            return kind(**values)
        except InputError as error:
            raise InputError(f"{flag}: {error}") from None

    return read


def _words(text: str) -> list[str]:
    """What stands between blanks and commas; one empty word if there is nothing."""
    return re.sub(r"[\s,]+", " ", text).strip().split(" ")


def _named(flag: str, text: str) -> dict[str, float]:
    """Values of axes that a text such as "yaw=30 pitch=-5" names."""
    values: dict[str, float] = {}
    for word in _words(text):
        name, equals, value = word.partition("=")
        if not equals or name not in _POSE or name in values:
            raise InputError(
                f"{flag} takes each of {', '.join(_POSE)} once at most, as in "
                f"'yaw=30 pitch=5', not '{word}'."
            )
        values[name] = _number(flag, value)
    return values


def _number(flag: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{flag} needs a number in place of '{text.strip()}'.") from None
