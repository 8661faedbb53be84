# SPDX-License-Identifier: GPL-3.0-or-later
"""Head files: the head that the engine fitted to a portrait, with its 52 shapes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .conventions import ARKIT_NAMES
from .errors import AddonError
from .files import about_file
from .npz import read_npz
from .npz_reading import Numbers
from .protocol import HEAD_SCHEMA
from .takes import checked_numbers

Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]

MAX_VERTICES = 200_000
MAX_TRIANGLES = 400_000


@dataclass(frozen=True, eq=False)
class HeadFile:
    """What a head file holds; V vertices, F triangles; head frame, metres (`conventions`).

    Attributes:
        vertices: (V, 3) float32, the head at rest.
        shapes: (52, V, 3) float32, what each coefficient adds to the vertices at 1.
        triangles: (F, 3) int32, counter-clockwise seen from outside.
        parts: (F,) int32, index into `part_names` for each triangle.
        uv: (V, 2) float32, place on the portrait; u from the left, v from the bottom.
        rest_expression: (52,) float32 in [0, 1], coefficients that the portrait shows.
        names: the 52 ARKit names, in the order of `shapes`.
        part_names: "skin", "left_eye" and so on.
        rest_rotation: (3,) float32, degrees: the head's pose in the portrait.
        rest_translation: (3,) float32, metres: the head joint before the camera.
        photo_sha256: of the photo.
        photo_size: height and width of the photo in pixels.
        crop: height and width of the crop in pixels.
        warnings: sentences about what may disappoint.
    """

    vertices: Float32Array
    shapes: Float32Array
    triangles: Int32Array
    parts: Int32Array
    uv: Float32Array
    rest_expression: Float32Array
    names: tuple[str, ...]
    part_names: tuple[str, ...]
    rest_rotation: Float32Array
    rest_translation: Float32Array
    photo_sha256: str
    photo_size: tuple[int, int]
    crop: tuple[int, int]
    warnings: tuple[str, ...]


def to_blender(points: ArrayLike) -> NDArray[Any]:
    """Points or vectors (…, 3) of head axes in Blender's: X left, −Y out of the face, Z up."""
    array = np.asarray(points)
    return np.stack([array[..., 0], -array[..., 2], array[..., 1]], axis=-1)


def read_head(path: str | os.PathLike[str]) -> HeadFile:
    """Read a head file.

    Raises:
        AddonError: if the file is missing, damaged, of a newer version, or holds values that are
            not allowed.
    """
    coefficients = len(ARKIT_NAMES)
    arrays, meta = read_npz(
        path,
        "head file",
        HEAD_SCHEMA,
        {
            "vertices": Numbers(("vertices", 3)),
            "shapes": Numbers((coefficients, "vertices", 3)),
            "triangles": Numbers(("triangles", 3), read_as=np.int64),
            "parts": Numbers(("triangles",), read_as=np.int64),
            "uv": Numbers(("vertices", 2)),
            "rest_expression": Numbers((coefficients,)),
        },
        {"vertices": MAX_VERTICES, "triangles": MAX_TRIANGLES},
    )
    try:
        return _head(arrays, meta)
    except AddonError as error:
        raise about_file("head file", path, error) from error


def _head(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> HeadFile:
    part_names = _texts(meta, "parts")
    if _texts(meta, "names") != ARKIT_NAMES:
        raise AddonError("Its names are not the 52 ARKit names in their order.")

    def numbers(name: str, values: Any, shape: tuple[int, ...], limit: float) -> Float32Array:
        return checked_numbers(values, name, shape, -limit, limit, "")

    vertices = arrays["vertices"]
    return HeadFile(
        vertices=numbers("vertices", vertices, vertices.shape, 10.0),
        shapes=_finite(arrays["shapes"]),
        triangles=_indices(arrays["triangles"], "triangles", len(vertices)),
        parts=_indices(arrays["parts"], "parts", len(part_names)),
        uv=numbers("uv", arrays["uv"], arrays["uv"].shape, 1000.0),
        rest_expression=checked_numbers(
            arrays["rest_expression"], "rest_expression", (len(ARKIT_NAMES),), 0.0, 1.0, ""
        ),
        names=ARKIT_NAMES,
        part_names=part_names,
        rest_rotation=numbers("rest_rotation", meta.get("rest_rotation"), (3,), 180.0),
        rest_translation=numbers("rest_translation", meta.get("rest_translation"), (3,), 10.0),
        photo_sha256=str(meta.get("photo_sha256", "")),
        photo_size=_size(meta, "photo_size"),
        crop=_size(meta, "crop"),
        warnings=_texts(meta, "warnings"),
    )


def _finite(shapes: NDArray[Any]) -> Float32Array:
    array = np.array(shapes, np.float32)
    if not np.isfinite(array).all():
        raise AddonError("'shapes' holds a value that is not finite.")
    array.flags.writeable = False
    return array


def _indices(values: NDArray[Any], name: str, count: int) -> Int32Array:
    if values.min() < 0 or values.max() >= count:
        raise AddonError(f"'{name}' must be whole numbers from 0 to {count - 1}.")
    array = values.astype(np.int32)
    array.flags.writeable = False
    return array


def _texts(meta: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = meta.get(name)
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise AddonError(f"Its '{name}' is not a list of texts.")
    return tuple(value)


def _size(meta: Mapping[str, Any], name: str) -> tuple[int, int]:
    value = meta.get(name)
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not all(isinstance(one, int) and 0 < one < 1_000_000 for one in value)
    ):
        raise AddonError(f"Its '{name}' is not a height and a width in pixels.")
    return value[0], value[1]
