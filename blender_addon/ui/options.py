# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of takes as properties of settings and operators, made of the SDK's own list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..core.option_fields import OptionField
from ..core.options import simple_options

PREFIXES = {"motion": "", "expression": "expression_"}
"""What stands before an option's name in that of its property: both have an `intensity`."""

OPTIONS = {
    part: {PREFIXES[part] + name: field for name, field in fields.items()}
    for part, fields in simple_options().items()
}
"""Options by the names of their properties, of "motion" and of "expression"."""

_DIGITS = 6
"""Decimals of a number: Blender stores 0.2 as 0.2000000030, which would be out of range."""

_Class = TypeVar("_Class", bound=type)


def with_options(owner: _Class) -> _Class:
    """Give a class that is not registered yet a property for each option."""
    return _with(owner, OPTIONS)


def with_motion(owner: _Class) -> _Class:
    """Give it one for each option of motion alone."""
    return _with(owner, ("motion",))


def _with(owner: _Class, parts: Iterable[str]) -> _Class:
    for part in parts:
        fields = OPTIONS[part].items()
        owner.__annotations__.update({name: _property(field) for name, field in fields})
    return owner


def _property(field: OptionField) -> Any:
    shared = {"name": field.title, "description": field.sentence.rstrip(".")}
    if field.kind == "switch":
        return BoolProperty(default=field.default, **shared)
    if field.kind == "choice":
        items = [(name, name.capitalize(), "") for name in field.choices]
        return EnumProperty(items=items, default=field.default, **shared)
    kind = FloatProperty if field.kind == "number" else IntProperty
    return kind(default=field.default, min=field.least, max=field.largest, **shared)


def chosen(owner: Any) -> dict[str, dict[str, Any]]:
    """What `sample_takes` of the engine takes as `motion` and `expression`."""
    return {part: chosen_of(owner, part) for part in OPTIONS}


def chosen_of(owner: Any, part: str) -> dict[str, Any]:
    """The options of one part."""
    return {field.name: _plain(getattr(owner, name)) for name, field in OPTIONS[part].items()}


def _plain(value: Any) -> Any:
    return round(value, _DIGITS) if isinstance(value, float) else value


def follow_property() -> Any:
    """The property of an operator that says what takes go around."""
    return StringProperty(
        name="Follow",
        description="Name of an action with head motion, or a video or take file, whose slow "
        "motion the takes go around; empty for none",
    )


def followed(settings: Any) -> str:
    """What the settings say of it."""
    action = settings.follow_action
    return action.name if action is not None else str(settings.follow_file)


def hand_over(source: Any, target: Any, *parts: str) -> None:
    """Set the options of an operator to those of the settings; of these parts, or of all."""
    for part in parts or OPTIONS:
        for name in OPTIONS[part]:
            setattr(target, name, getattr(source, name))
