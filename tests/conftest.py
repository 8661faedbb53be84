"""What all tests share."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from osmnet_sdk.errors import OSMNetWarning

# A first call may import scipy or compile a kernel, so deadlines would only measure the machine.
# The examples are the same in every run: a build must not fail by chance.
settings.register_profile("osmnet", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("osmnet")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def voice() -> Path:
    """The sample voice, about 10 s."""
    return ROOT / "examples" / "voice.flac"


@pytest.fixture(scope="session")
def osm() -> Any:
    """One OSMNet on the CPU with the starter bundle."""
    from osmnet_sdk.client import OSMNet

    return OSMNet(device="cpu")


@pytest.fixture(scope="session")
def astronaut() -> Any:
    """The sample photo, uint8 RGB (512, 512, 3)."""
    from skimage.data import astronaut

    return astronaut()


@pytest.fixture(scope="session")
def photo(astronaut: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample photo as a file."""
    from PIL import Image

    path = tmp_path_factory.mktemp("photo with spaces") / "Porträt.png"
    Image.fromarray(astronaut).save(path)
    return path


@pytest.fixture(scope="session")
def face(osm: Any, astronaut: Any) -> Iterator[Any]:
    """The sample photo, fitted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OSMNetWarning)
        yield osm.fit_face(astronaut)
