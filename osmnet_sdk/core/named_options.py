"""Options that a call is given by their own names, and what to write for a name that is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from osmnet_sdk.errors import InputError


def near_name(name: str, names: Iterable[str]) -> str:
    """What to write in place of a name that is unknown: the near one, or all that there are."""
    known = list(names)
    near = get_close_matches(name, known, 1) or [
        one for one in known if one.lower() == name.lower()
    ]
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."


def with_named(
    named: Mapping[str, Any], given: Mapping[str, BaseModel], others: Iterable[str] = ()
) -> list[Any]:
    """The options of a call, changed by those that it was given by their own names.

    Args:
        named: values by the names of options.
        given: objects of options, by the names of the call's arguments that take them.
        others: names of the call's other arguments, for what is misspelt.

    Raises:
        InputError: if there is no such option, or two objects have one of that name.
    """
    changes: dict[str, dict[str, Any]] = {argument: {} for argument in given}
    for name, value in named.items():
        homes = [
            argument
            for argument, options in given.items()
            if name in type(options).model_fields or (name == "still" and argument == "options")
        ]
        if len(homes) > 1:
            ways = " or ".join(f"{a}={type(given[a]).__name__}({name}=…)" for a in homes)
            raise InputError(f"'{name}' is an option of motion and of expression; write {ways}.")
        if not homes:
            known = [field for options in given.values() for field in type(options).model_fields]
            raise InputError(f"There is no option '{name}'; {near_name(name, [*known, *others])}")
        changes[homes[0]][name] = value
    return [
        type(options)(**{**dict(options), **changes[argument]}) if changes[argument] else options
        for argument, options in given.items()
    ]
