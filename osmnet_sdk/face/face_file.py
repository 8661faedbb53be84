"""A fitted photo as an .npz file without pickle: written, and read from wherever it comes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Annotated, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osmnet_sdk.core.conventions import ARKIT_NAMES, MAX_ARRAYS, MIN_PHOTO_SIDE
from osmnet_sdk.core.json_reading import Unreadable, check_schema, parse_json
from osmnet_sdk.core.npz_reading import Numbers, Texts
from osmnet_sdk.core.reading import file_name, read_npz
from osmnet_sdk.core.wording import one_line
from osmnet_sdk.errors import InputError, OutputError
from osmnet_sdk.face.camera import Camera, Pose
from osmnet_sdk.face.fit import MAX_IDENTITY, FaceFit
from osmnet_sdk.face.landmark_sets import LANDMARK_COUNT
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.photo_quality import PhotoAspect, PhotoQuality
from osmnet_sdk.version import __version__

SCHEMA = "osmnet.face/1"

_WANTED: dict[str, Numbers | Texts] = {
    "photo": Numbers(("height", "width", 3), np.uint8),
    "mask": Numbers(("height", "width"), np.uint8),
    "alpha": Numbers(("height", "width"), np.uint8, optional=True),
    "landmarks": Numbers((LANDMARK_COUNT, 2)),
    "crop": Numbers((3,), np.float64),
    "identity": Numbers(("components",), np.float64),
    "expression": Numbers((len(ARKIT_NAMES),), np.float64),
    "rotation": Numbers((3, 3), np.float64),
    "translation": Numbers((3,), np.float64),
    "camera": Numbers((3,), np.float64),
    "residual": Numbers((), np.float64),
    "meta": Texts(),
}
_LONGEST = {"height": 100_000, "width": 100_000, "components": 1000}

_OFF = 0.1
"""How far a fit may be off its landmarks in the mean, over the side of the head's square."""

_Sentence = Annotated[str, Field(max_length=2000)]


class _Aspect(BaseModel):
    name: Annotated[str, Field(max_length=40)]
    score: Annotated[float, Field(ge=0.0, le=1.0)]
    advice: _Sentence | None


class _Meta(BaseModel):
    """The text "meta", but for its schema."""

    model_config = ConfigDict(extra="ignore")

    face_model_sha256: str
    index: Annotated[int, Field(ge=0, lt=1000)]
    quality: Annotated[tuple[_Aspect, ...], Field(min_length=1, max_length=40)]
    notes: Annotated[tuple[_Sentence, ...], Field(max_length=40)]


def write_face(stream: BinaryIO, face: Mapping[str, Any]) -> None:
    """Write a face into an open binary file.

    Args:
        stream: the file.
        face: the fields of a `SourceFace` by name.

    Raises:
        OutputError: if the photo is larger than what would be read again.
    """
    crop, fit, camera = face["crop"], face["fit"], face["fit"].camera
    arrays: dict[str, Any] = {
        "photo": face["photo"],
        "mask": face["mask"],
        **({} if face["alpha"] is None else {"alpha": face["alpha"]}),
        "landmarks": face["landmarks"],
        "crop": np.array([crop.x, crop.y, crop.side]),
        "identity": fit.identity,
        "expression": fit.expression,
        "rotation": fit.pose.rotation,
        "translation": fit.pose.translation,
        "camera": np.array([camera.focal, *camera.centre]),
        "residual": np.array(fit.residual),
    }
    meta = {
        "schema": SCHEMA,
        "sdk_version": __version__,
        "face_model_sha256": face["model"].sha256,
        "index": face["index"],
        "quality": [
            {"name": one.name, "score": one.score, "advice": one.advice}
            for one in face["quality"].aspects
        ],
        "notes": face["notes"],
    }
    arrays["meta"] = np.array(json.dumps(meta))
    size = sum(array.nbytes for array in arrays.values())
    if size > MAX_ARRAYS:
        raise OutputError(
            f"The photo is too large to be saved with its face ({size // 10**6} MB, at most "
            f"{MAX_ARRAYS // 10**6}); scale it down before it is fitted."
        )
    np.savez_compressed(stream, **arrays)


def read_face(path: str | os.PathLike[str] | BinaryIO, model: FaceModel) -> dict[str, Any]:
    """What a file holds, as the fields of a `SourceFace` by name; "crop" is (x, y, side).

    Args:
        path: of the file, or the open binary file.
        model: the morphable model that the face was fitted with.

    Raises:
        InputError: if the file is missing, is another one, holds values that are not allowed, or
            belongs to another model.
    """
    arrays = read_npz(path, "face file", _WANTED, _LONGEST, InputError)
    try:
        meta = _checked_meta(str(arrays["meta"]), model)
        _check_values(arrays, model)
        fit = _fit(arrays)
        _check_fit(arrays, fit, model)
    except Unreadable as error:
        raise InputError(f"Face file {file_name(path)}: {error}") from error
    aspects = (
        PhotoAspect(one_line(one.name), one.score, one.advice and one_line(one.advice))
        for one in meta.quality
    )
    return {
        "photo": arrays["photo"],
        "crop": arrays["crop"].tolist(),
        "landmarks": arrays["landmarks"],
        "fit": fit,
        "mask": arrays["mask"],
        "model": model,
        "quality": PhotoQuality(tuple(sorted(aspects, key=lambda one: one.score))),
        "alpha": arrays.get("alpha"),
        "notes": tuple(map(one_line, meta.notes)),
        "index": meta.index,
    }


def _checked_meta(text: str, model: FaceModel) -> _Meta:
    values = parse_json(text)
    if not isinstance(values, dict):
        raise Unreadable("its 'meta' text is not what a face file holds.")
    check_schema(values.get("schema"), SCHEMA)
    try:
        meta = _Meta.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = one_line(".".join(str(part) for part in first["loc"]), 60)
        raise Unreadable(f"its '{place}' is not what a face file holds.") from error
    if meta.face_model_sha256 != model.sha256:
        raise Unreadable("it was fitted with another face model; fit the photo anew.")
    return meta


def _check_values(arrays: Mapping[str, NDArray[Any]], model: FaceModel) -> None:
    for name, values in arrays.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise Unreadable(f"its '{name}' holds values that are not numbers.")
    height, width = arrays["photo"].shape[:2]
    if min(height, width) < MIN_PHOTO_SIDE:
        raise Unreadable(f"its photo has fewer than {MIN_PHOTO_SIDE} pixels on a side.")
    x, y, side = arrays["crop"]
    if not (1.0 <= side <= 100.0 * max(height, width) and -side < x < width and -side < y < height):
        raise Unreadable("the head's square is not in the photo.")
    identity, expression = arrays["identity"], arrays["expression"]
    if len(identity) > model.identity_count or np.abs(identity).max() > MAX_IDENTITY + 1e-6:
        raise Unreadable("its 'identity' is none of this face model.")
    if expression.min() < 0.0 or expression.max() > 1.0:
        raise Unreadable("its 'expression' must lie within 0 to 1.")
    rotation = arrays["rotation"]
    if np.abs(rotation).max() > 2.0 or not (
        np.abs(rotation @ rotation.T - np.eye(3)).max() < 1e-6 and np.linalg.det(rotation) > 0.0
    ):
        raise Unreadable("its 'rotation' is no rotation.")
    if np.abs(arrays["translation"]).max() > 1000.0 or not (
        0.0 < arrays["camera"][0] <= 1e3 * side
    ):
        raise Unreadable("its head is not before its camera.")
    if not 0.0 <= arrays["residual"] <= 1e6:
        raise Unreadable("its 'residual' is none of a fit.")


def _fit(arrays: Mapping[str, NDArray[Any]]) -> FaceFit:
    focal, x, y = map(float, arrays["camera"])
    pose = Pose(arrays["rotation"], arrays["translation"])
    residual = float(arrays["residual"])
    return FaceFit(arrays["identity"], arrays["expression"], pose, Camera(focal, (x, y)), residual)


def _check_fit(arrays: Mapping[str, NDArray[Any]], fit: FaceFit, model: FaceModel) -> None:
    """Hold that the fitted head lies where the landmarks are, so that it can be drawn."""
    points = model.at_landmarks(model.vertices(fit.identity, fit.expression))
    if (points @ fit.pose.rotation[2] + fit.pose.translation[2]).max() > -1e-3:
        raise Unreadable("its head is not before its camera.")
    placed = fit.camera.project(points, fit.pose)[:, :2]
    off = np.linalg.norm(placed - arrays["landmarks"], axis=1).mean()
    if not off <= _OFF * arrays["crop"][2]:
        raise Unreadable("its head does not lie on its landmarks.")
