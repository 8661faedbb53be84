"""Takes and tracks as .npz files without pickle: written, and read from wherever they come."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osmnet_sdk.core.conventions import ARKIT_NAMES, MAX_FRAMES, MAX_JSON, TAKE_SCHEMA
from osmnet_sdk.core.json_reading import Unreadable, check_schema, parse_json
from osmnet_sdk.core.made_by import Provenance
from osmnet_sdk.core.npz_reading import Numbers, Texts
from osmnet_sdk.core.reading import file_name, read_npz
from osmnet_sdk.core.wording import one_line, quoted
from osmnet_sdk.errors import OutputError, TrackError

FloatArray = NDArray[np.float32]

_COLUMNS = {"rotation": 3, "translation": 3, "coefficients": len(ARKIT_NAMES)}
_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Vector = tuple[_Number, _Number, _Number]


@dataclass(frozen=True)
class Kind:
    """A kind of file: its schema, how messages call it, and its arrays."""

    schema: str
    name: str
    arrays: tuple[str, ...]


TAKE = Kind(TAKE_SCHEMA, "take file", ("rotation", "translation", "coefficients"))
MOTION = Kind("osmnet.motion_track/1", "motion track file", ("rotation", "translation"))
EXPRESSION = Kind("osmnet.expression_track/1", "expression track file", ("coefficients",))
_KINDS = (TAKE, MOTION, EXPRESSION)


class TrackMeta(BaseModel):
    """The text "meta" of a file, but for its schema."""

    model_config = ConfigDict(extra="ignore")

    fps: str
    names: tuple[str, ...] = ARKIT_NAMES
    rest_rotation: _Vector = (0.0, 0.0, 0.0)
    rest_translation: _Vector = (0.0, 0.0, 0.0)
    provenance: Provenance = Provenance()


class _TakeMeta(TrackMeta):
    names: tuple[str, ...]
    rest_rotation: _Vector
    rest_translation: _Vector


def write_tracks(
    stream: BinaryIO,
    kind: Kind,
    fps: Fraction,
    provenance: Provenance,
    arrays: Mapping[str, FloatArray],
    **more: Any,
) -> None:
    """Write arrays and what is to be known of them into an open binary file.

    Raises:
        OutputError: if the provenance is too long.
    """
    meta = {
        "schema": kind.schema,
        "fps": f"{fps.numerator}/{fps.denominator}",
        **more,
        "provenance": provenance.model_dump(),
    }
    text = json.dumps(meta)
    if len(text) > MAX_JSON:
        raise OutputError(
            f"The options of the take have {len(text)} characters; a take file holds "
            f"{MAX_JSON}. Use fewer pins."
        )
    np.savez(stream, **dict(arrays), meta=np.array(text))  # type: ignore[arg-type]


def read_tracks(
    path: str | os.PathLike[str] | BinaryIO, kind: Kind
) -> tuple[dict[str, NDArray[Any]], TrackMeta]:
    """The arrays of a file and its text; a track may be read from the file of a take, too.

    Raises:
        TrackError: if the file is missing, is of another kind, or breaks a bound.
    """
    name = file_name(path)
    if name.lower().endswith(".csv'"):
        raise TrackError(
            f"{name} is not a {kind.name} (.npz); make a take file of a Live Link Face CSV with "
            "'osmnet convert' first."
        )
    wanted = {key: Numbers(("frames", _COLUMNS[key])) for key in kind.arrays}
    arrays = read_npz(path, kind.name, {**wanted, "meta": Texts()}, {"frames": MAX_FRAMES})
    try:
        return arrays, _checked_meta(arrays, kind)
    except Unreadable as error:
        raise TrackError(f"{kind.name.capitalize()} {name}: {error}") from error


@contextmanager
def naming(path: str | os.PathLike[str] | BinaryIO, kind: Kind) -> Iterator[None]:
    """Name the file in errors about the values that were read from it."""
    try:
        yield
    except TrackError as error:
        raise TrackError(f"{kind.name.capitalize()} {file_name(path)}: {error}") from error


def _checked_meta(arrays: Mapping[str, NDArray[Any]], kind: Kind) -> TrackMeta:
    values = parse_json(str(arrays["meta"]))
    if not isinstance(values, dict):
        raise Unreadable(f"its 'meta' text is not what a {kind.name} holds.")
    found = values.get("schema")
    if kind is TAKE or found != TAKE.schema:
        other = next((one for one in _KINDS if one is not kind and one.schema == found), None)
        if other is not None:
            raise Unreadable(f"it is a {other.name}; {_HOW[other.schema]}.")
        check_schema(found, kind.schema)
    try:
        return (_TakeMeta if kind is TAKE else TrackMeta).model_validate(values)
    except ValidationError as error:
        raise Unreadable(_what_is_wrong(error)) from error


_HOW = {
    TAKE.schema: "read it with load_take",
    MOTION.schema: "read it with MotionTrack.load",
    EXPRESSION.schema: "read it with ExpressionTrack.load",
}


def _what_is_wrong(error: ValidationError) -> str:
    """The first fault of a file's text, in words."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    reason = first["msg"].removeprefix("Value error, ")
    return f"its {quoted(place)} is not what a take file holds: {one_line(reason, 120)}."
