"""Options as their JSON schema tells them: name, default, range, unit and a sentence of each.

`osmnet_sdk.options` is the only list of options. Its schema goes to the command line, to the manual
and, by the engine's method `options`, to other programs. The Blender extension carries it as a file
and a copy of this module, so that this needs the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["number", "whole", "switch", "choice", "other"]

_KINDS: dict[str, Kind] = {"number": "number", "integer": "whole", "boolean": "switch"}


@dataclass(frozen=True)
class OptionField:
    """One option.

    Attributes:
        name: as in Python and in requests to the engine.
        kind: a number, a whole number, a switch, one of `choices`, or none of these.
        default: as JSON has it.
        says: what it does, a sentence without its full stop.
        least: smallest value of a number, or of each number in the value; None if there is none.
        largest: largest one.
        choices: what may be chosen; empty if it is no choice.
        unit: of these numbers, such as "s"; empty if they have none.
        title: a few words for panels.
        flags: names on the command line.
        grammar: how the command line writes a value of kind "other"; empty if it has no way.
    """

    name: str
    kind: Kind
    default: Any
    says: str
    least: float | None
    largest: float | None
    choices: tuple[str, ...]
    unit: str
    title: str
    flags: tuple[str, ...]
    grammar: str

    @property
    def range(self) -> str:
        """The range in words, such as "0 to 0.5 s", or the choices; empty if there is none."""
        if self.choices:
            return ", ".join(self.choices)
        if self.least is None or self.largest is None:
            return ""
        return f"{_number(self.least)} to {_number(self.largest)} {self.unit}".rstrip()

    @property
    def sentence(self) -> str:
        """What it does, with its range."""
        return f"{self.says} ({self.range})." if self.range else f"{self.says}."


def option_fields(schema: Mapping[str, Any]) -> dict[str, OptionField]:
    """The options of a class by name, in their order.

    Args:
        schema: its JSON schema, as `model_json_schema` gives it.

    Example:
        >>> from osmnet_sdk.options import SampleOptions
        >>> option_fields(SampleOptions.model_json_schema())["smoothing"].range
        '0 to 0.5 s'
    """
    return {name: _field(name, facts) for name, facts in schema["properties"].items()}


def _field(name: str, facts: Mapping[str, Any]) -> OptionField:
    numbers = facts.get("additionalProperties") or facts  # a mapping to numbers, or a number
    flag = "--" + name.replace("_", "-")
    return OptionField(
        name=name,
        kind="choice" if "enum" in facts else _KINDS.get(facts.get("type", ""), "other"),
        default=facts.get("default"),
        says=facts.get("description", "").rstrip("."),
        least=numbers.get("minimum"),
        largest=numbers.get("maximum"),
        choices=tuple(facts.get("enum", ())),
        unit=facts.get("unit", ""),
        title=facts.get("panel", name.replace("_", " ").capitalize()),
        flags=tuple(facts.get("flags", (flag,))),
        grammar=facts.get("grammar", ""),
    )


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")
