"""Parameters of commands out of what their functions ask for: options, a voice, a device.

A function says `options: SampleOptions`, and its command has an option for each field of that
class, with the sentence, range and unit that the field has. So an option is written once.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from osmnet_sdk.cli.arguments import InOneText, Run
from osmnet_sdk.cli.console import plain_errors, progress_bars
from osmnet_sdk.cli.grammars import GRAMMARS, Grammar, named_options
from osmnet_sdk.core.option_fields import OptionField, option_fields
from osmnet_sdk.options import Options

_KINDS = {"number": float, "whole": int}


@dataclass(frozen=True)
class Without:
    """In an annotation: fields that the command does not offer."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class _Part:
    """A parameter of a function: those of the command line that it is made of, and how.

    Those in `last` stand at the end of the command's help.
    """

    parameters: list[inspect.Parameter]
    made: Callable[[Mapping[str, Any]], Any]
    last: Sequence[inspect.Parameter] = ()


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function a command: its errors are plain, its parameters those that typer reads.

    A parameter of a class of options becomes an option for each field, one of a dataclass a
    parameter for each of its fields, and any other stays as it is.
    """
    hints = get_type_hints(function, include_extras=True)
    parts = {
        name: _part(given.replace(annotation=hints[name]))
        for name, given in inspect.signature(function).parameters.items()
    }

    @functools.wraps(function)
    def run(**given: Any) -> None:
        with plain_errors():
            made = {name: part.made(given) for name, part in parts.items()}
            running = next((value for value in made.values() if isinstance(value, Run)), Run())
            with progress_bars(running.as_json) as running.progress:
                function(**made)

    parameters = [parameter for part in parts.values() for parameter in part.parameters]
    parameters.sort(key=[each for part in parts.values() for each in part.last].__contains__)
    del run.__wrapped__  # typer would read the parameters of the function within
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def _part(asked: inspect.Parameter) -> _Part:
    kind, extra = asked.annotation, list[Any]()
    if get_origin(kind) is Annotated:
        kind, *extra = get_args(kind)
    if isinstance(kind, type) and issubclass(kind, Options):
        text = next((each for each in extra if isinstance(each, InOneText)), None)
        if text is not None:
            return _in_one_text(asked.name, kind, text)
        left_out = next((each.names for each in extra if isinstance(each, Without)), ())
        return _each_option(kind, left_out)
    if is_dataclass(kind):
        return _each_field(kind)
    asked = asked.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    return _Part([asked], lambda given: given[asked.name])


def _each_field(kind: Any) -> _Part:
    """The fields of a dataclass that it is made of."""
    hints = get_type_hints(kind, include_extras=True)
    parameters = [
        _parameter(each.name, hints[each.name], each.default) for each in fields(kind) if each.init
    ]
    names = [each.name for each in parameters]
    optional = [each for each in parameters if each.default is not each.empty]
    return _Part(parameters, lambda given: kind(**{n: given[n] for n in names}), optional)


def _each_option(kind: type[Options], left_out: tuple[str, ...]) -> _Part:
    """An option of the command line for each field."""
    found = option_fields(kind.model_json_schema())
    offered = {name: field for name, field in found.items() if name not in left_out}
    parameters, values = _options_of(kind, offered)
    return _Part(parameters, lambda given: kind(**values(given)))


def _options_of(
    kind: type[Options], offered: Mapping[str, OptionField]
) -> tuple[list[inspect.Parameter], Callable[[Mapping[str, Any]], dict[str, Any]]]:
    """Options of the command line for fields, and what makes values of those that are given."""
    grammars = {
        name: _grammar(kind, field) for name, field in offered.items() if field.kind == "other"
    }

    def values(given: Mapping[str, Any]) -> dict[str, Any]:
        result = {}
        for name, field in offered.items():
            value, grammar = given[name], grammars.get(name)
            if value is None or value == []:
                continue
            if grammar is not None:
                if grammar.gathered:
                    value = grammar.gathered([grammar.read(field.flags[0], t) for t in value])
                else:
                    value = grammar.read(field.flags[0], value)
            result[name] = value
        return result

    return [_option(field, grammars.get(name)) for name, field in offered.items()], values


def _grammar(kind: type[Options], field: OptionField) -> Grammar:
    if field.grammar != "options":
        return GRAMMARS[field.grammar]
    inner = kind.model_fields[field.name].annotation
    assert isinstance(inner, type)
    assert issubclass(inner, Options)
    example = " ".join(f"{name}={value:g}" for name, value in field.default.items())
    return Grammar(f'"{example}"; {_ranges(inner)}', named_options(inner, example))


def _ranges(kind: type[Options]) -> str:
    """The ranges of all fields, those of one range together: "pitch, yaw: 0.1 to 80 degrees"."""
    same: dict[str, list[str]] = {}
    for name, field in option_fields(kind.model_json_schema()).items():
        says = field.range or ("yes or no" if field.kind == "switch" else "")
        if field.grammar not in ("", "names"):
            continue
        if field.grammar == "names":
            name = f"{name}.NAME"
        same.setdefault(says, []).append(name)
    return "; ".join(f"{', '.join(names)}: {says}" for says, names in same.items())


def _option(field: OptionField, grammar: Grammar | None) -> inspect.Parameter:
    flags, says, default = list(field.flags), field.sentence, field.default
    annotation: Any
    if grammar is not None:
        annotation, default = (list[str] if grammar.gathered else str) | None, None
        again = "; may be repeated" if grammar.gathered else ""
        says = f"{says.rstrip('.')}: {grammar.example}{again}."
    elif field.kind == "switch":
        annotation = bool
        flags[0] = f"{flags[0]}/--no-{flags[0][2:]}"
    elif field.kind == "choice":
        annotation = str
    else:
        annotation = _KINDS[field.kind]
    return _parameter(field.name, Annotated[annotation, typer.Option(*flags, help=says)], default)


def _in_one_text(name: str, kind: type[Options], text: InOneText) -> _Part:
    """One option for a text that names fields, and one for each of those that stand apart."""
    read = named_options(kind, text.example)
    found = option_fields(kind.model_json_schema())
    apart, values = _options_of(kind, {key: found[key] for key in text.apart})
    apart = [each.replace(default=None, annotation=_or_none(each)) for each in apart]
    about = (inspect.getdoc(kind) or "").split("\n")[0].rstrip(".")
    says = f'{about}: "{text.example}". {_ranges(kind)}.'
    option = Annotated[str | None, typer.Option(text.flag, metavar="TEXT", help=says)]

    def made(given: Mapping[str, Any]) -> Options:
        told = kind() if given[name] is None else read(text.flag, given[name])
        others = values(given)
        return kind(**{**dict(told), **others}) if others else told

    return _Part([_parameter(name, option, None), *apart], made)


def _or_none(parameter: inspect.Parameter) -> Any:
    """The annotation of an option that may be left out."""
    kind, *extra = get_args(parameter.annotation)
    return Annotated[kind | None, *extra]


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    empty = inspect.Parameter.empty
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=annotation,
        default=empty if default is MISSING else default,
    )
