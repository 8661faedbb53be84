# SPDX-License-Identifier: GPL-3.0-or-later
"""Take files: one head performance as .npz, the same that the engine reads and writes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .channels import curve_values
from .conventions import ARKIT_NAMES, TAKE_SCHEMA
from .errors import AddonError
from .files import about_file, replaced
from .npz import Header, read_npz

Float32Array = NDArray[np.float32]

MAX_FRAMES = 100_000
"""Frames that a take may have: more than an hour at 25 fps."""

PROVENANCE_FIELDS = (
    "source",
    "sdk_version",
    "bundle",
    "bundle_sha256",
    "audio",
    "audio_sha256",
    "seed",
    "take",
    "options",
)
"""What the engine accepts as provenance; `write_take` leaves out the rest."""

_MAX_ANGLE = 180.0
_MAX_TRANSLATION = 10.0
_MAX_FPS = 1000
_MAX_DENOMINATOR = 100_000
_FPS = re.compile(r"\d{1,9}(\.\d{1,9})?(/\d{1,9})?")


@dataclass(frozen=True, eq=False)
class TakeFile:
    """What a take file holds.

    Attributes:
        fps: frames per second; frame i is at i / fps seconds.
        rotation: (T, 3) float32, degrees: pitch, yaw, roll, relative to the rest pose.
        translation: (T, 3) float32, metres, along the rest head's axes.
        coefficients: (T, 52) float32 in [0, 1], in the order of `conventions.ARKIT_NAMES`.
        rest_rotation: (3,) float32, degrees: absolute rest pose.
        rest_translation: (3,) float32, metres: rest position of the head joint.
        provenance: what made the take; see `PROVENANCE_FIELDS`.

    Raises:
        AddonError: if a shape or a value is not allowed.
    """

    fps: Fraction
    rotation: Float32Array
    translation: Float32Array
    coefficients: Float32Array
    rest_rotation: Float32Array = field(default_factory=lambda: np.zeros(3, np.float32))
    rest_translation: Float32Array = field(default_factory=lambda: np.zeros(3, np.float32))
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frames = len(np.asarray(self.rotation))
        _check_frames(frames)
        angle, distance, coefficients = _MAX_ANGLE, _MAX_TRANSLATION, len(ARKIT_NAMES)
        for name, shape, low, high, unit in (
            ("rotation", (frames, 3), -angle, angle, "°"),
            ("translation", (frames, 3), -distance, distance, " m"),
            ("coefficients", (frames, coefficients), 0.0, 1.0, ""),
            ("rest_rotation", (3,), -angle, angle, "°"),
            ("rest_translation", (3,), -distance, distance, " m"),
        ):
            array = checked_numbers(getattr(self, name), name, shape, low, high, unit)
            object.__setattr__(self, name, array)
        fps = Fraction(self.fps).limit_denominator(_MAX_DENOMINATOR)
        if not 0 < fps <= _MAX_FPS:
            raise AddonError(
                f"A frame rate must be above 0 and at most {_MAX_FPS}, not {self.fps}."
            )
        object.__setattr__(self, "fps", fps)

    def __len__(self) -> int:
        """Number of frames T."""
        return len(self.rotation)

    @property
    def seconds(self) -> float:
        """Length in seconds, T / fps."""
        return float(len(self) / self.fps)

    @property
    def curves(self) -> NDArray[np.float64]:
        """The (T, 58) values of the rig's channels, in curve units."""
        return curve_values(self.rotation, self.translation, self.coefficients)


def checked_numbers(
    values: ArrayLike, name: str, shape: tuple[int, ...], low: float, high: float, unit: str
) -> Float32Array:
    """The values as a float32 array that cannot be written to.

    Raises:
        AddonError: unless they have the shape, are finite and lie between `low` and `high`.
    """
    try:
        array = np.array(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise AddonError(f"'{name}' must be numbers of shape {shape}.", str(error)) from error
    if array.shape != shape:
        raise AddonError(f"'{name}' must have shape {shape}, not {array.shape}.")
    allowed = (array >= low) & (array <= high)  # false for NaN, too
    if not allowed.all():
        place = tuple(int(index) for index in np.argwhere(~allowed)[0])
        where = f"frame {place[0]}, column {place[1]}" if len(place) == 2 else f"number {place[0]}"
        raise AddonError(
            f"'{name}' must lie between {low:g} and {high:g}{unit}; {where} is {array[place]:g}."
        )
    array.flags.writeable = False
    return array


def read_take(path: str | os.PathLike[str]) -> TakeFile:
    """Read a take file.

    Raises:
        AddonError: if the file is missing, damaged, too long, of a newer version, or holds values
            that are not allowed.
    """
    arrays, meta = read_npz(
        path,
        "take file",
        TAKE_SCHEMA,
        {
            "rotation": (None, 3),
            "translation": (None, 3),
            "coefficients": (None, len(ARKIT_NAMES)),
        },
        _check_lengths,
    )
    try:
        return _take(arrays, meta)
    except AddonError as error:
        raise about_file("take file", path, error) from error


def write_take(path: str | os.PathLike[str], take: TakeFile) -> None:
    """Write a take file; a crash leaves either the old file or the new one.

    Raises:
        AddonError: if the file cannot be written.
    """
    known = {name: value for name, value in take.provenance.items() if name in PROVENANCE_FIELDS}
    meta = {
        "schema": TAKE_SCHEMA,
        "fps": f"{take.fps.numerator}/{take.fps.denominator}",
        "names": list(ARKIT_NAMES),
        "rest_rotation": [float(value) for value in take.rest_rotation],
        "rest_translation": [float(value) for value in take.rest_translation],
        "provenance": known,
    }
    with replaced(Path(path)) as stream:
        np.savez(
            stream,
            rotation=take.rotation,
            translation=take.translation,
            coefficients=take.coefficients,
            meta=np.array(json.dumps(meta)),
        )


def _check_lengths(headers: Mapping[str, Header]) -> None:
    lengths = {name: header.shape[0] for name, header in headers.items()}
    _check_frames(max(lengths.values()))
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise AddonError(f"Its arrays must have the same number of frames, not {text}.")


def _check_frames(frames: int) -> None:
    if frames > MAX_FRAMES:
        raise AddonError(
            f"It has {frames} frames; at most {MAX_FRAMES} can be used. Cut it into parts."
        )
    if frames == 0:
        raise AddonError("It has no frames; choose another file.")


def _take(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> TakeFile:
    if meta.get("names") != list(ARKIT_NAMES):
        raise AddonError("Its names are not the 52 ARKit names in their order.")
    provenance = meta.get("provenance", {})
    if not isinstance(provenance, dict):
        raise AddonError("Its provenance is not a JSON object; choose another file.")
    return TakeFile(
        _frame_rate(meta.get("fps")),
        arrays["rotation"],
        arrays["translation"],
        arrays["coefficients"],
        meta.get("rest_rotation"),  # type: ignore[arg-type]  # checked by TakeFile
        meta.get("rest_translation"),  # type: ignore[arg-type]
        provenance,
    )


def _frame_rate(value: object) -> Fraction:
    """The frame rate of a text such as "30000/1001"; a pattern, as "1e999999999" takes forever."""
    try:
        if not _FPS.fullmatch(str(value)):
            raise ValueError(value)
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError) as error:
        raise AddonError(f"Its frame rate '{str(value)[:40]}' is not a number.") from error
