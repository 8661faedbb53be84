"""Bundles: folders of weights with a manifest that holds the SHA-256 of each file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osmnet_sdk.core.conventions import RENDERERS, RendererName
from osmnet_sdk.core.files import replaced
from osmnet_sdk.core.json_reading import Unreadable, check_schema, parse_json
from osmnet_sdk.core.reading import file_name, read_small
from osmnet_sdk.errors import InputError, ModelError
from osmnet_sdk.progress import check_cancelled

MANIFEST = "manifest.json"
SCHEMA = "osmnet.bundle/1"
RENDERER_WEIGHTS = {"guided": "guided.safetensors", "paper": "generator.safetensors"}
"""The weights in a bundle that a renderer needs; the warp needs none."""

_PACKAGE = Path(__file__).parents[1]
_BLOCK = 1 << 22
"""Bytes read at a time, between questions whether to go on."""
_ADVICE = "get the bundle again"

_MAX_BYTES = 4_000_000_000
"""Of one file of a bundle."""
Text = Annotated[str, Field(max_length=200)]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
"""A name in the bundle's folder, and nothing that leads out of it."""


class BundleFile(BaseModel):
    """One file of a bundle: its SHA-256 in hex and its size in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0, le=_MAX_BYTES)]


class Manifest(BaseModel):
    """What a bundle holds (schema "osmnet.bundle/1")."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_name: Text
    name: Text
    version: Text
    licence: Text
    renderer: RendererName = "warp"
    """How frames are drawn unless another renderer is asked for."""
    files: Annotated[dict[FileName, BundleFile], Field(max_length=1000)]
    """Every weight file and card by name."""


class Bundle:
    """A bundle on disk; each file is checked against the manifest when it is first used.

    Args:
        folder: the folder with manifest.json.

    Raises:
        ModelError: if the manifest is missing or cannot be understood.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / MANIFEST
        self._text = read_small(path, "bundle manifest", ModelError)
        try:
            values = parse_json(self._text)
            if isinstance(values, dict) and "schema_name" in values:
                check_schema(values["schema_name"], SCHEMA)
            self.manifest = Manifest.model_validate(values)
        except Unreadable as error:
            raise ModelError(
                f"Bundle manifest {file_name(path)}: {error} Use a bundle that fits."
            ) from error
        except ValidationError as error:
            raise ModelError(
                f"The bundle manifest {file_name(path)} is damaged; {_ADVICE}."
            ) from error

    @property
    def name(self) -> str:
        """Name of the bundle."""
        return self.manifest.name

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the manifest, in hex; it stands for all weights."""
        return hashlib.sha256(self._text).hexdigest()

    def path(self, name: str) -> Path:
        """The path of a file of this bundle, after its SHA-256 was checked.

        Raises:
            ModelError: if the file is not part of the bundle, is missing, or was changed.
        """
        entry = self.manifest.files.get(name)
        path = self.folder / name
        if entry is None:
            raise ModelError(f"The bundle '{self.name}' has no '{name}'; use a fuller bundle.")
        try:
            size = path.stat().st_size
            if not path.is_file() or size != entry.bytes:
                raise ModelError(
                    f"'{path}' is not as long as the manifest of bundle '{self.name}' says; "
                    f"{_ADVICE}."
                )
            found = file_sha256(path)
        except OSError as error:
            raise ModelError(
                f"'{path}' of the bundle '{self.name}' cannot be read; get the bundle again."
            ) from error
        if found != entry.sha256:
            raise ModelError(
                f"'{path}' is not what the manifest of bundle '{self.name}' names (SHA-256 "
                f"{found[:12]}…, not {entry.sha256[:12]}…); get the bundle again."
            )
        return path

    def arrays(self, name: str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
        """The tensors of a safetensors file as numpy arrays, and its metadata.

        Raises:
            ModelError: if the file is missing, changed, or no safetensors file.
        """
        return load_arrays(self.path(name), _ADVICE)

    def metadata(self, name: str) -> dict[str, str]:
        """The metadata of a safetensors file, without its tensors; errors as for `arrays`."""
        with _tensors(self.path(name), _ADVICE) as stream:
            metadata: dict[str, str] = stream.metadata() or {}
            return metadata


def find_bundle(bundle: str | os.PathLike[str] = "starter") -> Bundle:
    """Find a bundle: by path, then among the package's own, then in the checkout's models/.

    Raises:
        ModelError: if there is none.
    """
    places = [Path(bundle)]
    if os.fspath(bundle) == Path(bundle).name:
        places += [_PACKAGE / "models" / bundle, _PACKAGE.parent / "models" / bundle]
    for place in places:
        if (place / MANIFEST).is_file():
            return Bundle(place)
    raise ModelError(
        f"There is no bundle '{os.fspath(bundle)}': neither a folder with {MANIFEST} nor the name "
        "of one that came with the package; the name of the built-in one is 'starter'."
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            check_cancelled()
            found.update(block)
    return found.hexdigest()


def write_manifest(
    folder: Path, *, name: str, version: str, licence: str, renderer: str | None = None
) -> Manifest:
    """Write manifest.json for all safetensors files and cards (.md) of a folder.

    Args:
        folder: the bundle's folder.
        name: of the bundle.
        version: of the bundle.
        licence: of its files.
        renderer: how frames are drawn by default; None keeps what the manifest there says.

    Raises:
        InputError: if there is no such renderer, its weights are not there, or no weights at all.
        ModelError: if the manifest there is damaged.
    """
    if renderer is None:
        there = (folder / MANIFEST).is_file()
        renderer = Bundle(folder).manifest.renderer if there else RENDERERS[0]
    if renderer not in RENDERERS:
        raise InputError(f"renderer must be {', '.join(RENDERERS)}, not '{renderer}'.")
    names = sorted(path.name for path in folder.iterdir() if path.suffix in (".safetensors", ".md"))
    _check_weights(folder, names, renderer)
    files = {
        file: BundleFile(sha256=file_sha256(folder / file), bytes=(folder / file).stat().st_size)
        for file in names
    }
    manifest = Manifest(
        schema_name=SCHEMA,
        name=name,
        version=version,
        licence=licence,
        renderer=cast("Any", renderer),
        files=files,
    )
    text = json.dumps(manifest.model_dump(), indent=2, ensure_ascii=False) + "\n"
    with replaced(folder / MANIFEST) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return manifest


def _check_weights(folder: Path, names: list[str], renderer: str) -> None:
    if not any(name.endswith(".safetensors") for name in names):
        raise InputError(
            f"'{folder}' holds no weights (.safetensors); name the folder of a bundle, or train "
            "into it first."
        )
    needed = RENDERER_WEIGHTS.get(renderer)
    if needed is not None and needed not in names:
        raise InputError(
            f"'{folder}' has no '{needed}', which the default renderer '{renderer}' needs; put it "
            "there, or name another default with --renderer."
        )


def load_arrays(path: Path, advice: str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The tensors of a safetensors file as numpy arrays, and its metadata.

    Args:
        path: of the file.
        advice: what to do where it cannot be read, for the message.

    Raises:
        ModelError: if the file is missing or no safetensors file.
    """
    with _tensors(path, advice) as stream:
        try:
            arrays = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
        except (TypeError, ValueError, AttributeError) as error:  # of kinds that numpy has not
            raise ModelError(f"'{path}' holds numbers of an unknown kind; {advice}.") from error
        return arrays, stream.metadata() or {}


@contextmanager
def _tensors(path: Path, advice: str) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as stream:
            yield stream
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read; {advice}.") from error
    except SafetensorError as error:
        raise ModelError(f"'{path}' is no safetensors file; {advice}.") from error


def save_arrays(path: Path, arrays: dict[str, NDArray[Any]], metadata: dict[str, str]) -> None:
    """Write numpy arrays as a safetensors file, under a temporary name first."""
    from safetensors.numpy import save_file

    with replaced(path) as temporary:
        save_file(
            {key: np.ascontiguousarray(value) for key, value in arrays.items()},
            temporary,
            metadata=metadata,
        )
