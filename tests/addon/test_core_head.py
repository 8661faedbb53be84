from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from osmnet_addon.core import head, retarget
from osmnet_addon.core.errors import AddonError

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.engine.head_file import Head, write_head


def some_head() -> Head:
    random = np.random.default_rng(0)
    return Head(
        vertices=random.normal(size=(20, 3)).astype(np.float32),
        shapes=random.normal(size=(52, 20, 3)).astype(np.float32),
        triangles=random.integers(0, 20, (30, 3)),
        parts=random.integers(0, 2, 30),
        part_names=("skin", "left_eye"),
        uv=random.uniform(0, 1, (20, 2)).astype(np.float32),
        rest_expression=random.uniform(0, 1, 52).astype(np.float32),
        rest_rotation=np.array([1, 2, 3], np.float32),
        rest_translation=np.array([0, 0, -0.6], np.float32),
        photo_sha256="ab" * 32,
        photo_size=(1080, 1920),
        crop_size=(256, 256),
        warnings=("The mouth is open.",),
    )


def test_heads_of_the_engine_are_read(tmp_path: Path) -> None:
    written = some_head()
    read = head.read_head(write_head(tmp_path / "kopf ü.npz", written))
    for field in dataclasses.fields(read):
        ours = getattr(read, field.name)
        if field.name == "names":
            assert ours == ARKIT_NAMES
            continue
        theirs = getattr(written, "crop_size" if field.name == "crop" else field.name)
        np.testing.assert_array_equal(ours, theirs, err_msg=field.name)
    assert {read.vertices.dtype, read.shapes.dtype, read.uv.dtype} == {np.dtype(np.float32)}
    assert {read.triangles.dtype, read.parts.dtype} == {np.dtype(np.int32)}
    assert isinstance(read.photo_size, tuple)


BROKEN: dict[str, tuple[dict[str, object], dict[str, object], str]] = {
    "newer": ({}, {"schema": "osmnet.head/2"}, "newer OSM-Net"),
    "take": ({}, {"schema": "osmnet.take/1"}, "schema is 'osmnet.take/1'"),
    "no shapes": ({"shapes": None}, {}, "no 'shapes'"),
    "few shapes": ({"shapes": np.zeros((51, 20, 3))}, {}, "shape (52, vertices, 3)"),
    "other shapes": ({"shapes": np.zeros((52, 19, 3))}, {}, "same number of vertices"),
    "uv": ({"uv": np.zeros((19, 2))}, {}, "same number of vertices"),
    "parts": ({"parts": np.zeros(3, int)}, {}, "same number of triangles"),
    "part": ({"parts": np.full(30, 2)}, {}, "from 0 to 1"),
    "index": ({"triangles": np.full((30, 3), 20)}, {}, "from 0 to 19"),
    "negative": ({"triangles": np.full((30, 3), -1)}, {}, "from 0 to 19"),
    "float index": ({"triangles": np.zeros((30, 3))}, {}, "whole numbers"),
    "NaN": ({"vertices": np.full((20, 3), np.nan)}, {}, "is nan"),
    "shape NaN": ({"shapes": np.full((52, 20, 3), np.nan)}, {}, "not finite"),
    "no vertices": ({"vertices": np.zeros((0, 3))}, {}, "0 vertices"),
    "many": (
        {
            "vertices": np.zeros((300_000, 3), np.int8),
            "shapes": np.zeros((52, 300_000, 3), np.int8),
        },
        {},
        "300000 vertices",
    ),
    "names": ({}, {"names": ["a"]}, "52 ARKit names"),
    "part names": ({}, {"parts": "skin"}, "not a list of texts"),
    "size": ({}, {"photo_size": [0, 5]}, "'photo_size'"),
    "crop": ({}, {"crop": "256"}, "'crop'"),
    "pose": ({}, {"rest_rotation": [0, 0]}, "'rest_rotation'"),
    "warnings": ({}, {"warnings": None}, "'warnings'"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_heads_are_refused_with_a_sentence(case: str, tmp_path: Path) -> None:
    arrays, changed_meta, sentence = BROKEN[case]
    path = write_head(tmp_path / "head.npz", some_head())
    with np.load(path) as file:
        contents = {name: file[name] for name in file.files}
    meta = {**json.loads(str(contents["meta"])), **changed_meta}
    contents.update(arrays, meta=np.array(json.dumps(meta)))  # type: ignore[call-overload]
    np.savez(path, **{name: value for name, value in contents.items() if value is not None})
    with pytest.raises(AddonError) as caught:
        head.read_head(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)


def test_missing_head(tmp_path: Path) -> None:
    with pytest.raises(AddonError, match=r"head file .* does not exist"):
        head.read_head(tmp_path / "head.npz")


def test_axes() -> None:
    left, up, out = head.to_blender(np.eye(3))
    assert left.tolist() == [1, 0, 0]
    assert up.tolist() == [0, 0, 1]
    assert out.tolist() == [0, -1, 0]
    points = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    found = head.to_blender(points)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, points @ retarget.HEAD_TO_BLENDER.T, atol=1e-7)
