"""Exact digests of any value, and texts without what no two runs have in common."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "osmnet_sdk"

_TEMPORARY = re.compile(re.escape(tempfile.gettempdir()) + r"[/\\]tmp\w+")


def plain(value: Any) -> Iterator[bytes]:
    """Any value as bytes that differ if it does: names, numbers, exact arrays."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    if isinstance(value, dict):
        for name in sorted(value, key=str):
            if name != "sdk_version":
                yield f"{name}=".encode()
                yield from plain(value[name])
    elif isinstance(value, list | tuple):
        yield f"[{len(value)}]".encode()
        for item in value:
            yield from plain(item)
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype.str}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, bytes):
        yield value
    elif isinstance(value, str):
        yield _TEMPORARY.sub("<folder>", value).encode()
    else:
        yield repr(value).encode()


def digest(value: Any) -> str:
    """SHA-256 of `plain`."""
    total = hashlib.sha256()
    for piece in plain(value):
        total.update(piece + b"\0")
    return total.hexdigest()


def steady(text: str, *folders: Path) -> str:
    """A text without what no two runs have in common: folders, versions, process, times."""
    for folder in sorted({*folders, ROOT}, key=lambda path: -len(str(path))):
        text = text.replace(json.dumps(str(folder))[1:-1], "<folder>").replace(
            str(folder), "<folder>"
        )
    text = re.sub(r'("pid": ?)\d+', r"\1<pid>", text)
    text = re.sub(r'("(?:version|python|sdk_version|device)": ?)"[^"]*"', r'\1"…"', text)
    return re.sub(r"\b\d+(?:\.\d+)? ?(?:s|seconds)\b(?= left)", "<time>", text)


def npz(path: Path) -> dict[str, Any]:
    """The arrays of a take file or a head, its texts read as JSON."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return {n: json.loads(str(a)) if a.dtype.kind == "U" else a for n, a in arrays.items()}


def named(name: str) -> Any:
    """A class, function or constant of the package by its name, wherever it lives today."""
    pattern = re.compile(rf"^(?:class |def )?{name}\b(?:[:(]| ?=)", re.MULTILINE)
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        if pattern.search(path.read_text(encoding="utf-8")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            module = ".".join(part for part in parts if part != "__init__")
            return getattr(importlib.import_module(module), name)
    raise LookupError(f"Nothing in {PACKAGE} is named '{name}'.")
