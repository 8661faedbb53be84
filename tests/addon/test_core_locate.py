from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from osmnet_addon.core import locate
from osmnet_addon.core.errors import AddonError

from osmnet_sdk.version import __version__

HOME = Path("/home/ä b")


def executable(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_command() -> None:
    command = locate.engine_command("C:/é f/python.exe")
    assert command == ["C:/é f/python.exe", "-I", "-u", "-m", "osmnet_sdk.engine"]


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        (
            "linux",
            {"PATH": "/usr/bin:/opt/x", "OSMNET_PYTHON": "/o/python"},
            [
                "/o/python",
                "/usr/bin/osmnet",
                "/opt/x/osmnet",
                f"{HOME}/osmnet",
                f"{HOME}/osmnet-env",
                f"{HOME}/.venv-osmnet",
                f"{HOME}/.local/share/osmnet",
                "/usr/bin/python3",
                "/opt/x/python3",
                "/usr/bin/python",
            ],
        ),
        (
            "darwin",
            {"PATH": "/usr/bin"},
            [
                "/usr/bin/osmnet",
                f"{HOME}/osmnet",
                f"{HOME}/Library/Application Support/osmnet",
                "/usr/bin/python3",
            ],
        ),
        (
            "win32",
            {"PATH": 'C:/Python;"D:/a b";', "LOCALAPPDATA": "C:/Users/é/AppData/Local"},
            [
                "C:/Python/osmnet.exe",
                "D:/a b/osmnet.exe",
                f"{HOME}/osmnet",
                "C:/Users/é/AppData/Local/osmnet",
                "C:/Python/python.exe",
                "D:/a b/python.exe",
            ],
        ),
        ("linux", {"XDG_DATA_HOME": "/data"}, [f"{HOME}/osmnet", "/data/osmnet"]),
        ("win32", {}, [f"{HOME}/AppData/Local/osmnet"]),
    ],
)
def test_candidates(platform: str, environ: dict[str, str], expected: list[str]) -> None:
    found = locate.candidates(environ, HOME, platform)
    assert len(set(found)) == len(found)
    places = [found.index(Path(path)) for path in expected]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "python", ["bin/python", "bin/python3", "Scripts/python.exe", "python.exe"]
)
def test_environments_have_a_python(tmp_path: Path, python: str) -> None:
    wanted = executable(tmp_path / "osmnet é" / python)
    assert locate.python_of(tmp_path / "osmnet é") == wanted
    assert locate.python_of(wanted) == wanted
    assert locate.python_of(f' "{wanted}" ') == wanted
    if os.access(wanted.parent, os.X_OK):
        tool = executable(wanted.parent / ("osmnet.exe" if wanted.suffix else "osmnet"))
        assert locate.python_of(tool) == wanted


def test_scripts_of_a_system_python_on_windows(tmp_path: Path) -> None:
    wanted = executable(tmp_path / "python.exe")
    assert locate.python_of(executable(tmp_path / "Scripts" / "osmnet.exe")) == wanted


def test_scripts_name_their_python(tmp_path: Path) -> None:
    wanted = executable(tmp_path / "elsewhere" / "python3")
    script = executable(tmp_path / "bin" / "osmnet", f"#!{wanted}\nimport this\n")
    assert locate.python_of(script) == wanted


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links(tmp_path: Path) -> None:
    """The tool's link is followed, the Python's is not: it is what makes the environment."""
    system = executable(tmp_path / "usr" / "python3.12")
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(system)
    tool = tmp_path / "local" / "osmnet"
    tool.parent.mkdir()
    tool.symlink_to(executable(tmp_path / "venv" / "bin" / "osmnet"))
    assert locate.python_of(tool) == python
    assert locate.python_of(tmp_path / "venv") == python
    assert locate.python_of(python) == python


def test_what_is_no_python(tmp_path: Path) -> None:
    with pytest.raises(AddonError, match="does not exist"):
        locate.python_of(tmp_path / "none")
    with pytest.raises(AddonError, match="There is no Python at"):
        locate.python_of(tmp_path)
    with pytest.raises(AddonError, match="There is no Python at"):
        locate.python_of(executable(tmp_path / "osmnet", "echo"))


@pytest.mark.skipif(os.name == "nt", reason="every file may be run on Windows")
def test_a_picture_is_no_python(tmp_path: Path) -> None:
    (tmp_path / "portrait.jpg").write_text("")
    with pytest.raises(AddonError, match="is not a Python"):
        locate.python_of(tmp_path / "portrait.jpg")


def test_version_of_this_python(tmp_path: Path) -> None:
    assert locate.installed_version(sys.executable) == __version__
    assert locate.installed_version(tmp_path / "none") is None


def test_find_takes_the_first_that_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    executable(tmp_path / "osmnet" / "bin" / "python", "#!/bin/sh\nexit 1\n")
    path = str(Path(sys.executable).parent)
    found = locate.find({"PATH": path})
    assert found is not None
    assert found.parent == Path(sys.executable).parent
    assert locate.find({"PATH": "", "OSMNET_PYTHON": sys.executable}) == Path(sys.executable)
    assert locate.find({"PATH": str(tmp_path)}) is None
