"""What the tests inside Blender share. `run.py` has installed the extension before."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import time
import types
from pathlib import Path

import pytest

if "bpy" not in sys.modules:  # collected by the SDK's own pytest
    collect_ignore_glob = ["test_*.py"]
else:
    import bpy

    MODULE = "bl_ext.user_default.osmnet"

ROOT = Path(__file__).parents[2]


def pytest_configure(config):
    config.addinivalue_line("markers", "real: needs the engine with its networks, not the fake one")


def pytest_collection_modifyitems(items):
    """Tests with the real engine come last and one after the other, so that it starts once."""
    for item in items:
        if "fake" not in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real)
    items.sort(key=lambda item: item.get_closest_marker("real") is not None)


@pytest.fixture(scope="session")
def addon() -> types.ModuleType:
    """The installed add-on, with all its modules: `addon.takes.actions` and so on."""
    package = importlib.import_module(MODULE)
    for found in pkgutil.walk_packages(package.__path__, f"{MODULE}."):
        importlib.import_module(found.name)
    return package


@pytest.fixture(scope="session")
def material(tmp_path_factory) -> types.SimpleNamespace:
    """A portrait and a voice, in a folder with spaces and letters beyond ASCII."""
    import shutil

    folder = tmp_path_factory.mktemp("Ton und Bild ä 声")
    source = Path(os.environ["OSMNET_TEST_MATERIAL"])
    portrait, voice = folder / "Porträt eins.png", folder / "my voice.wav"
    shutil.copy(source / "portrait.png", portrait)
    shutil.copy(source / "voice.wav", voice)
    return types.SimpleNamespace(portrait=portrait, voice=voice, folder=folder)


@pytest.fixture(autouse=True)
def fresh(addon, tmp_path):
    """An empty file, and preferences as a user would set them."""
    addon.engine.jobs.stop()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    settings = addon.preferences.get()
    settings.engine_python = os.environ["OSMNET_TEST_ENGINE"]
    settings.device = "cpu"
    settings.cache_folder = str(tmp_path / "Zwischenspeicher ß")
    os.environ.pop("OSMNET_FAKE_FRAME_SECONDS", None)
    yield
    addon.engine.jobs.stop()


@pytest.fixture
def fake(addon, monkeypatch):
    """The torch-free engine; the next test goes on with it, unless this one has slowed it down."""
    engine = str(ROOT / "tests" / "engine" / "fake_engine.py")
    monkeypatch.setattr(addon.core.locate, "engine_command", lambda python: [python, "-u", engine])
    yield
    if "OSMNET_FAKE_FRAME_SECONDS" in os.environ:
        addon.engine.process.stop()


@pytest.fixture
def rig(request, addon, material):
    """A head rig of the portrait with the voice, by the fake engine if the test asks for it."""
    if "fake" in request.fixturenames:
        request.getfixturevalue("fake")
    assert bpy.ops.osmnet.create_head(
        portrait=str(material.portrait), voice=str(material.voice)
    ) == {"FINISHED"}
    return addon.rig.head.need_rig(bpy.context)


@pytest.fixture
def windowed(addon, monkeypatch):
    """Operators return at once, as in a window; `drive` stands for Blender's timer."""

    def run(title, steps, *, undo, wait=False):
        job = addon.engine.jobs.Job(title, steps, undo)
        monkeypatch.setattr(addon.engine.jobs, "_job", job)
        job.start()
        return job

    monkeypatch.setattr(addon.engine.jobs, "run", run)

    def drive(until=lambda: False):
        longest, deadline = 0.0, time.monotonic() + 60
        while addon.engine.jobs.current() is not None and time.monotonic() < deadline:
            before = time.perf_counter()
            addon.engine.jobs._tick()
            longest = max(longest, time.perf_counter() - before)
            if addon.engine.jobs.current().finished or until():
                return longest
            time.sleep(0.005)
        raise AssertionError("the job did not end")

    return drive
