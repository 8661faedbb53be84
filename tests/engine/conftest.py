"""What tests of the engine share: its input files, in a folder with a difficult name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from engine_client import FAKE, Engine
from PIL import Image


@pytest.fixture
def engine():
    """The fake one, running."""
    with Engine(FAKE) as running:
        yield running


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "Größe ü 日本 with spaces"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def photo(tmp_path_factory, astronaut) -> str:
    path = tmp_path_factory.mktemp("photo with spaces") / "Porträt 日本.png"
    Image.fromarray(astronaut).save(path)
    return str(path)


def write_tracks(path, keys, /, **changes) -> str:
    """A tracks file of frames with growing yaw."""
    count = len(keys)
    arrays = {
        "rotation": np.stack([np.zeros(count), np.linspace(0, 12, count), np.zeros(count)], 1),
        "translation": np.zeros((count, 3)),
        "coefficients": np.zeros((count, 52)),
        "keys": np.array(keys),
        **changes,
    }
    arrays = {
        name: value.astype(np.float32) if value.dtype.kind == "f" else value
        for name, value in arrays.items()
        if value is not None
    }
    np.savez(path, **arrays)
    return str(path)


@pytest.fixture
def tracks(folder):
    """Makes a tracks file of keys."""
    return lambda keys, /, **changes: write_tracks(folder / "tracks.npz", keys, **changes)
