"""The head file (schema "osmnet.head/1"): a fitted head for programs without this package."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.core.files import replaced
from osmnet_sdk.engine.protocol import HEAD_SCHEMA


@dataclass(frozen=True, eq=False)
class Head:
    """A head as it was fitted to a photo, in the head frame (`conventions`), metres.

    Attributes:
        vertices: (V, 3) the head at rest: neutral expression, the photo's identity.
        shapes: (52, V, 3) what each blendshape at 1 adds, in the order of `ARKIT_NAMES`.
        triangles: (F, 3), counter-clockwise seen from outside.
        parts: (F,) index into `part_names` for each triangle.
        part_names: names of the parts.
        uv: (V, 2) where the photo shows each vertex, in the photo's own pose and expression, as
            fractions of the photo: u from the left, v from the bottom edge.
        rest_expression: (52,) the photo's own expression.
        rest_rotation: (3,) degrees, the photo's own pose.
        rest_translation: (3,) metres.
        photo_sha256: of the photo's file, in hex.
        photo_size: (height, width) of the upright photo in pixels.
        crop_size: (height, width) of a frame of size "crop".
        warnings: what may disappoint about the photo.
    """

    vertices: ArrayLike
    shapes: ArrayLike
    triangles: ArrayLike
    parts: ArrayLike
    part_names: Sequence[str]
    uv: ArrayLike
    rest_expression: ArrayLike
    rest_rotation: ArrayLike
    rest_translation: ArrayLike
    photo_sha256: str
    photo_size: tuple[int, int]
    crop_size: tuple[int, int]
    warnings: Sequence[str] = ()


def photo_fractions(pixels: NDArray[np.floating], height: int, width: int) -> NDArray[np.float32]:
    """Pixel positions (V, 2) of a photo, centres at integers, as its fractions (u, v)."""
    u = (pixels[:, 0] + 0.5) / width
    v = 1.0 - (pixels[:, 1] + 0.5) / height
    return np.stack([u, v], axis=1).astype(np.float32)


def write_head(path: str | os.PathLike[str], head: Head) -> Path:
    """Write a head as .npz without pickle; return the path.

    Raises:
        OutputError: if the file cannot be written.
    """
    meta = {
        "schema": HEAD_SCHEMA,
        "names": list(ARKIT_NAMES),
        "parts": list(head.part_names),
        "rest_rotation": np.asarray(head.rest_rotation, float).tolist(),
        "rest_translation": np.asarray(head.rest_translation, float).tolist(),
        "photo_sha256": head.photo_sha256,
        "photo_size": list(head.photo_size),
        "crop": list(head.crop_size),
        "warnings": list(head.warnings),
    }
    with replaced(path) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            vertices=np.asarray(head.vertices, np.float32),
            shapes=np.asarray(head.shapes, np.float32),
            triangles=np.asarray(head.triangles, np.int32),
            parts=np.asarray(head.parts, np.int32),
            uv=np.asarray(head.uv, np.float32),
            rest_expression=np.asarray(head.rest_expression, np.float32),
            meta=np.array(json.dumps(meta)),
        )
    return Path(path)
