"""The examples in the docstrings of public names run, and each public name has one."""

from __future__ import annotations

import doctest
import inspect
import warnings
from pathlib import Path
from typing import Any

import pytest

import osmnet_sdk as sdk

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def with_docstrings() -> dict[str, Any]:
    """Public functions and classes, and the methods of `OSMNet`, by name."""
    found = {}
    for name in sdk.__all__:
        thing = getattr(sdk, name)
        error = inspect.isclass(thing) and issubclass(thing, BaseException)
        if callable(thing) and not error:
            found[name] = thing
    for name, method in inspect.getmembers(sdk.OSMNet, inspect.isfunction):
        if not name.startswith("_") and name not in found:
            found[f"OSMNet.{name}"] = method
    return found


PUBLIC = with_docstrings()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, voice, photo) -> Path:
    """A folder with speech.wav (2 s) and portrait.png, in which examples run."""
    from scipy.io import wavfile

    path = tmp_path_factory.mktemp("examples")
    samples = sdk.load_audio(voice).samples[16000:48000]
    wavfile.write(path / "speech.wav", 16000, samples)
    (path / "portrait.png").write_bytes(photo.read_bytes())
    return path


@pytest.mark.parametrize("name", PUBLIC)
def test_the_example_runs(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    text = inspect.getdoc(PUBLIC[name]) or ""
    test = doctest.DocTestParser().get_doctest(text, {"sdk": sdk}, name, None, None)
    assert test.examples, f"{name} has no example in its docstring"
    said: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sdk.OSMNetWarning)
        result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append)
    assert result.failed == 0, "".join(said)
