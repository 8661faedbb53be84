"""Going on where a killed run stopped: which files of a folder are finished, and what made them.

A ledger beside the files names for each the digest of its job (all that it was made from) and its
size and SHA-256. A file counts as finished only if all three still agree, so that one that was
edited, cut short or made from something else is made again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from osmnet_sdk.core.files import replaced
from osmnet_sdk.errors import OutputError
from osmnet_sdk.version import __version__

LEDGER = "osmnet-made.json"
"""Name of the ledger of a folder."""

_LARGEST = 256_000_000
"""Bytes that a ledger may have; a million files take 120 MB."""
_DRAWN_BY = ("av", "numba", "numpy", "opencv-python-headless", "pillow", "scipy", "torch")
"""Packages whose versions may change a pixel or a byte."""


class _Made(BaseModel):
    """The ledger's contents (schema "osmnet.made/1")."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_name: str = "osmnet.made/1"
    jobs: dict[str, dict[str, tuple[int, str]]] = {}
    """By the digest of each job, size and SHA-256 of its files by their names."""


class Ledger:
    """The finished files of a folder; used as a context manager, which writes what is new.

    It is written every second or so, by renaming: whenever a run is killed, the ledger is whole,
    and at worst the last second's files are made again. Of two runs that write to one folder at the
    same time, one may forget what the other finished; neither takes a wrong file for finished.

        with Ledger(folder) as ledger:
            for name in names:
                if not ledger.holds(name, job):
                    make(folder / name)
                    ledger.add(name, job)

    Args:
        folder: the folder; it must exist when something is added.

    Raises:
        OutputError: from `add` and at the end of the block, if the ledger cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        self._jobs = _read(self._folder / LEDGER)
        self._changed = False
        self._due = 0.0

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._save()
        except OutputError:
            if error is None:
                raise

    def holds(self, name: str, job: str) -> bool:
        """Whether the file of that name is finished and is what the job made."""
        noted = self._jobs.get(job, {}).get(name)
        try:
            return noted is not None and noted == _stamp(self._folder / name, noted[0])
        except OSError:
            return False

    def add(self, name: str, job: str) -> None:
        """Note that a job has made the file of that name."""
        for files in self._jobs.values():
            files.pop(name, None)
        try:
            stamp = _stamp(self._folder / name)
        except OSError as error:
            raise OutputError(
                f"'{self._folder / name}' cannot be read again ({error.strerror or error}); leave "
                "files alone while they are made."
            ) from error
        if stamp is not None:
            self._jobs.setdefault(job, {})[name] = stamp
        self._changed = True
        if time.monotonic() >= self._due:
            self._save()

    def _save(self) -> None:
        if not self._changed:
            return
        start = time.monotonic()
        made = _Made(jobs={job: files for job, files in sorted(self._jobs.items()) if files})
        with replaced(self._folder / LEDGER) as temporary:
            text = json.dumps(made.model_dump(), sort_keys=True, indent=0)
            temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
        self._changed = False
        now = time.monotonic()
        self._due = now + max(1.0, 20 * (now - start))


def _read(path: Path) -> dict[str, dict[str, tuple[int, str]]]:
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        made = _Made.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return {}  # damaged or somebody else's: everything is made again
    return made.jobs if made.schema_name == _Made().schema_name else {}


def _stamp(path: Path, size: int | None = None) -> tuple[int, str] | None:
    """Size and SHA-256 of a file; None if the size is known to be another."""
    found = path.stat().st_size
    if size is not None and found != size:
        return None
    with path.open("rb") as stream:
        return found, hashlib.file_digest(stream, "sha256").hexdigest()


def job_digest(**parts: Any) -> str:
    """SHA-256, in hex, of all that something is made from.

    The versions of this package and of those that draw and encode count, too.

    Args:
        parts: by name: numbers, texts, arrays, and sequences, mappings and dataclasses of them.

    Raises:
        TypeError: if a part is none of these.
    """
    found = hashlib.sha256()
    packages = {name: _version(name) for name in _DRAWN_BY}
    _feed(found, {"sdk": __version__, "packages": packages, **parts})
    return found.hexdigest()


def _feed(found: Any, value: Any) -> None:
    """Each value with its kind and length before it, so that no two jobs read the same."""
    if isinstance(value, np.ndarray):
        found.update(f"array {value.dtype.str} {value.shape}\n".encode())
        found.update(np.ascontiguousarray(value).data)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _feed(found, {f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    elif isinstance(value, Mapping):
        found.update(f"mapping {len(value)}\n".encode())
        for key in sorted(value):
            _feed(found, str(key))
            _feed(found, value[key])
    elif value is None or isinstance(value, (bool, int, float, Fraction, str, np.generic)):
        text = repr(value.item() if isinstance(value, np.generic) else value)
        found.update(f"{type(value).__name__} {len(text)} {text}\n".encode())
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        found.update(f"sequence {len(value)}\n".encode())
        for item in value:
            _feed(found, item)
    else:
        raise TypeError(f"{type(value).__name__} has no digest")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
