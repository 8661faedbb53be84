"""Takes as files of any origin: each part can be put wrong."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from osmnet_sdk.core.conventions import ARKIT_NAMES, TAKE_SCHEMA

FRAMES = 8


def meta(**changes: Any) -> dict[str, Any]:
    """The text of a take file, as a value."""
    return {
        "schema": TAKE_SCHEMA, "fps": "25/1", "names": list(ARKIT_NAMES),
        "rest_rotation": [0.0, 0.0, 0.0], "rest_translation": [0.0, 0.0, 0.0],
        "provenance": {}, **changes,
    }  # fmt: skip


def npy(values: Any) -> bytes:
    """An array as numpy stores it."""
    stream = io.BytesIO()
    np.save(stream, np.asarray(values), allow_pickle=True)
    return stream.getvalue()


def members(text: str | None = None, **changes: Any) -> dict[str, bytes]:
    """The parts of a take file; `text` in place of its meta text, `changes` in that."""
    text = json.dumps(meta(**changes)) if text is None else text
    return {
        "rotation": npy(np.zeros((FRAMES, 3), np.float32)),
        "translation": npy(np.zeros((FRAMES, 3), np.float32)),
        "coefficients": npy(np.zeros((FRAMES, 52), np.float32)),
        "meta": npy(np.array(text)),
    }


def write_members(path: Path, parts: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """Write parts as an .npz file."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(f"{name}.npy", data)
    return path


def with_header(header: str, values: bytes = b"\0" * 4 * 3 * FRAMES) -> bytes:
    """An array with a header of one's own."""
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + values


def header(shape: str, descr: str = "'<f4'") -> str:
    """The header of an array."""
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"


def with_flags(data: bytes, *, flags: int | None = None, method: int | None = None) -> bytes:
    """An .npz file whose directory and parts have other flags or another method."""
    changed = bytearray(data)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            if flags is not None:
                changed[at + offset : at + offset + 2] = flags.to_bytes(2, "little")
            if method is not None:
                changed[at + offset + 2 : at + offset + 4] = method.to_bytes(2, "little")
            at = data.find(mark, at + 4)
    return bytes(changed)


def bad_parts() -> dict[str, tuple[dict[str, bytes], str]]:
    """Parts of files that are no takes, and a word of why, by name."""
    deep = "[" * 5000 + "]" * 5000
    nested: Any = []
    for _ in range(12):
        nested = [nested]
    rotation = {"rotation": b""}
    good = members()
    return {
        "token in a header": (good | {"rotation": with_header(header("(8,3"))}, "header"),
        "overflowing shape": (good | {"rotation": with_header(header("(9" + "9" * 14 + ", 3)"))},
                              "size"),
        "longer shape": (good | {"rotation": with_header(header("(9" + "9" * 30 + ", 3)"))},
                         "header"),
        "negative shape": (good | {"rotation": with_header(header("(-8, 3)"))}, "header"),
        "record": (good | {"rotation": with_header(header("(8,)", "[('a', '<f4')]"))}, "header"),
        "objects": (good | {"rotation": npy(np.array([[{}, 1, 2]], object))}, "header"),
        "complex": (good | {"rotation": npy(np.zeros((8, 3), complex))}, "numbers"),
        "text": (good | {"rotation": npy(np.full((8, 3), "a"))}, "numbers"),
        "empty member": (good | rotation, "numpy"),
        "future format": (good | {"rotation": b"\x93NUMPY\x09" + good["rotation"][7:]}, "numpy"),
        "huge header": (good | {"rotation": b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{"}, "header"),
        "no frames": (good | {"rotation": npy(np.zeros((0, 3), np.float32))}, "frames"),
        "other lengths": (good | {"rotation": npy(np.zeros((9, 3), np.float32))}, "frames"),
        "other shape": (good | {"rotation": npy(np.zeros((8, 3, 1), np.float32))}, "shape"),
        "out of range": (good | {"rotation": npy(np.full((8, 3), 1e300))}, "not finite"),
        "missing": ({name: good[name] for name in good if name != "meta"}, "no 'meta'"),
        "many members": (good | {f"x{i}": b"" for i in range(200)}, "parts"),
        "meta is bytes": (good | {"meta": npy(np.array(b"{}"))}, "meta"),
        "meta is no text": (good | {"meta": npy(np.array("a"))[:-4] + b"\xff" * 4}, "damaged"),
        "meta is no object": (members("[]"), "meta"),
        "no JSON": (members("{"), "JSON"),
        "deep meta": (members(deep), "deep"),
        "deep options": (members(provenance={"options": {"a": nested}}), "deep"),
        "endless meta": (members('"' + "a" * 2_000_000 + '"'), "characters"),
        "long text": (members(provenance={"audio": "a" * 2000}), "audio"),
        "long schema": (members(schema="s" * 30_000), "schema"),
        "newer schema": (members(schema="osmnet.take/2"), "newer"),
        "other schema": (members(schema={"a": 1}), "schema"),
        "rate bomb": (members(fps="1e999999999"), "rate"),
        "slow rate": (members(fps="1/100000"), "rate"),
        "fast rate": (members(fps="1001"), "rate"),
        "no rate": (members(fps="25/0"), "rate"),
        "rate of another kind": (members(fps=25), "fps"),
        "large number": (members(rest_rotation=[10**300, 0, 0]), "large"),
        "endless number": (members('{"fps": ' + "9" * 10_000 + "}"), "large"),
        "infinite number": (members('{"fps": 1e999}'), "large"),
        "no number": (members('{"fps": NaN}'), "NaN"),
        "text as a number": (members(rest_rotation=["0", 0, 0]), "rest_rotation"),
        "two numbers": (members(rest_rotation=[0, 0]), "rest_rotation"),
        "other names": (members(names=["a"] * 52), "names"),
        "unknown provenance": (members(provenance={"colour": 1}), "colour"),
        "provenance is a list": (members(provenance=[]), "provenance"),
        "retake is a number": (members(provenance={"options": {"retakes": [1]}}), "retakes"),
        "retakes are a number": (members(provenance={"options": {"retakes": 1}}), "retakes"),
        "retake without a seed": (
            members(provenance={"options": {"retakes": [{"start": 0, "end": 1}]}}), "seed"
        ),
        "seed below 0": (members(provenance={"seed": -1}), "seed"),
        "seed is a text": (members(provenance={"seed": "x"}), "seed"),
        "followed nothing": (members(provenance={"options": {"follow": 3}}), "follow"),
    }  # fmt: skip
