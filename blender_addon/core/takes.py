# SPDX-License-Identifier: GPL-3.0-or-later
"""Take files: one head performance as .npz, the same that the engine reads and writes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .channels import curve_values
from .conventions import (
    ARKIT_NAMES,
    HIGHEST_FPS,
    LOWEST_FPS,
    MAX_ANGLE,
    MAX_TRANSLATION,
    TAKE_SCHEMA,
    exact_rate,
)
from .errors import AddonError
from .files import about_file, replaced
from .npz import read_npz
from .npz_reading import Numbers
from .wording import quoted

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
        angle, distance, coefficients = MAX_ANGLE, MAX_TRANSLATION, len(ARKIT_NAMES)
        for name, shape, low, high, unit in (
            ("rotation", (frames, 3), -angle, angle, "°"),
            ("translation", (frames, 3), -distance, distance, " m"),
            ("coefficients", (frames, coefficients), 0.0, 1.0, ""),
            ("rest_rotation", (3,), -angle, angle, "°"),
            ("rest_translation", (3,), -distance, distance, " m"),
        ):
            array = checked_numbers(getattr(self, name), name, shape, low, high, unit)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "fps", _frame_rate(self.fps))

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
    except (TypeError, ValueError, OverflowError) as error:
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
            "rotation": Numbers(("frames", 3)),
            "translation": Numbers(("frames", 3)),
            "coefficients": Numbers(("frames", len(ARKIT_NAMES))),
        },
        {"frames": MAX_FRAMES},
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
    if not isinstance(meta.get("fps"), str):
        raise AddonError("Its 'fps' is no text such as '25/1'; choose another file.")
    return TakeFile(
        _frame_rate(meta["fps"]),
        arrays["rotation"],
        arrays["translation"],
        arrays["coefficients"],
        _vector(meta, "rest_rotation"),
        _vector(meta, "rest_translation"),
        provenance,
    )


def _vector(meta: Mapping[str, Any], name: str) -> Float32Array:
    values = meta.get(name)
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        raise AddonError(f"Its '{name}' is no list of numbers; choose another file.")
    return np.array(values, np.float32)


def _frame_rate(value: Fraction | str) -> Fraction:
    """The frame rate of a number or a text such as "30000/1001"."""
    try:
        return exact_rate(value)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise AddonError(
            f"Its frame rate {quoted(value)} is no number from {LOWEST_FPS} to {HIGHEST_FPS}."
        ) from error
