"""osmnet doctor: every line of it, where all is well and where something is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from osmnet_sdk.cli import diagnosis, probes
from osmnet_sdk.engine import finding
from osmnet_sdk.version import __version__

ROOT = Path(__file__).parents[2]


def distribution(folder: Path, name: str, version: str, needs: tuple[str, ...] = ()) -> None:
    """A package as pip leaves its metadata."""
    place = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    place.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {need}" for need in needs]
    (place / "METADATA").write_text("\n".join(lines) + "\n")


def doctor(*words: str, **variables: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "osmnet_sdk", *words],
        capture_output=True, text=True, timeout=300, env=os.environ | variables,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_a_command_line_that_cannot_start_is_told_about(tmp_path):
    (tmp_path / "typer.py").write_text("raise OSError('typer.so: undefined symbol')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    code, told, said = doctor("info", PYTHONPATH=path)
    assert (code, told) == (2, "")
    assert said.count("\n") == 1
    assert "undefined symbol" in said
    assert "osmnet doctor" in said
    code, told, said = doctor("doctor", "--json", PYTHONPATH=path)
    assert code == 1, said
    answer = json.loads(told)
    found = {one["name"]: one for one in answer["findings"]}
    assert not answer["good"]
    assert found["typer"]["state"] == "bad"
    assert "undefined symbol" in found["typer"]["text"]
    assert "pip install" in found["typer"]["mend"]
    for name in ("Python", "numpy", "torch", "device", "ffmpeg", "bundle"):
        assert found[name]["state"] != "bad", found[name]


def test_packages_that_fail_are_told_apart(tmp_path, monkeypatch):
    (tmp_path / "damaged_one.py").write_text("raise ImportError('no libfoo.so')")
    (tmp_path / "crashing_one.py").write_text("import os; os.abort()")
    (tmp_path / "sound_one.py").write_text("print('hello')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    names = ["json", "damaged_one", "crashing_one", "sound_one", "absent_one"]
    broken = probes.broken_imports(names)
    assert set(broken) == {"damaged_one", "crashing_one", "absent_one"}
    assert "no libfoo.so" in broken["damaged_one"]
    assert broken["crashing_one"]


def test_versions_outside_the_range_and_missing_ones(tmp_path, monkeypatch):
    distribution(tmp_path, "thing-one", "3.2")
    monkeypatch.syspath_prepend(tmp_path)
    for allowed, tested, state, words in [
        (">=3,<4", "3.2", "good", "3.2"),
        (">=3,<4", "3.1", "good", "tested with 3.1"),
        (">=3.3,<4", None, "bad", ">=3.3,<4 is needed"),
        (">=2,<3", None, "bad", ">=2,<3 is needed"),
    ]:
        found = diagnosis._package("thing-one", allowed, tested, None)
        assert (found.state, words in found.text) == (state, True), found
        assert bool(found.mend) == (state == "bad")
    found = diagnosis._package("thing-two", ">=1", None, None)
    assert (found.state, found.text) == ("bad", "not installed")
    assert '"thing-two>=1"' in found.mend


def test_two_wheels_of_opencv_are_told(tmp_path, monkeypatch):
    assert not list(diagnosis._doubled_opencv())
    distribution(tmp_path, "opencv-python", "5.0")
    distribution(tmp_path, "opencv-python-headless", "5.0")
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = diagnosis._doubled_opencv()
    assert found.state == "bad"
    assert "uninstall opencv-python opencv-python-headless" in found.mend


def test_every_package_that_is_needed_was_tested():
    import tomllib

    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tested = diagnosis.tested_versions()
    for text in project["dependencies"]:
        needed = Requirement(text)
        assert needed.specifier.contains(tested[needed.name]), text


def test_a_damaged_bundle_is_told(tmp_path):
    folder = shutil.copytree(ROOT / "models" / "starter", tmp_path / "mine")
    assert diagnosis.weights(str(folder)).state == "good"
    with (folder / "motion.md").open("a") as stream:
        stream.write("!")
    found = diagnosis.weights(str(folder))
    assert found.state == "bad"
    assert "motion.md" in found.text


def test_a_full_disk_and_an_old_engine_are_told(monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(diagnosis.shutil, "disk_usage", lambda path: usage._replace(free=5e8))
    assert {found.state for found in diagnosis.room()} == {"bad"}
    engines = [(Path("/a/python"), __version__), (Path("/b/python"), "0.0.1")]
    monkeypatch.setattr(diagnosis, "find_all", lambda: iter(engines))
    first, second = diagnosis.engines()
    assert (first.state, second.state) == ("good", "note")
    assert "0.0.1" in second.text
    monkeypatch.setattr(diagnosis, "find_all", lambda: iter(()))
    (none,) = diagnosis.engines()
    assert sys.executable in none.mend


def test_engines_are_found_as_blender_finds_them(tmp_path):
    variables = {"OSMNET_PYTHON": sys.executable, "PATH": ""}
    assert (Path(sys.executable), __version__) in list(finding.find_all(variables))
    assert finding.find(variables) == Path(sys.executable)


@pytest.mark.parametrize("version", [(3, 10, 1), (3, 14, 0)])
def test_a_python_that_is_not_supported_is_told(monkeypatch, version):
    monkeypatch.setattr(diagnosis.sys, "version_info", version)
    found = diagnosis.python()
    assert found.state == "bad"
    assert "3.11" in found.mend


def test_a_line_holds_no_more_than_a_line():
    found = diagnosis.Finding("thing", "bad", "a\nb", "do\nthis")
    assert found.line() == "bad   thing: a b; do this"
