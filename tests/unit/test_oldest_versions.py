"""The oldest versions are those that the wheel's own metadata name for a Python."""

from __future__ import annotations

import runpy
import zipfile
from pathlib import Path

import pytest

VERSIONS = runpy.run_path(str(Path(__file__).parents[1] / "install" / "versions.py"))


def wheel(path: Path, *needs: str) -> Path:
    lines = [
        "Metadata-Version: 2.1",
        "Name: x",
        "Version: 1",
        *(f"Requires-Dist: {n}" for n in needs),
    ]
    with zipfile.ZipFile(path / "x-1.whl", "w") as archive:
        archive.writestr("x-1.dist-info/METADATA", "\n".join(lines) + "\n")
    return path / "x-1.whl"


def test_each_package_is_pinned_to_its_oldest_version_for_a_python(tmp_path):
    made = wheel(
        tmp_path, "av<20,>=18.0.0", "packaging>=24.0", "new>=2.0; python_version >= '3.13'",
        "new>=1.0; python_version < '3.13'", "never>=1; extra == 'dev'",
    )  # fmt: skip
    older = VERSIONS["oldest_versions"](made, "3.11.7")
    assert older == ["av==18.0.0", "packaging==24.0", "new==1.0"]
    assert VERSIONS["oldest_versions"](made, "3.13.0")[-1] == "new==2.0"
    with pytest.raises(ValueError, match="oldest"):
        VERSIONS["oldest_versions"](wheel(tmp_path, "open<3"), "3.11.7")


def test_the_project_names_an_oldest_version_of_everything(tmp_path):
    import tomllib

    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    needs = tomllib.loads(text)["project"]["dependencies"]
    for python in ("3.11.0", "3.12.0", "3.13.0"):
        assert len(VERSIONS["oldest_versions"](wheel(tmp_path, *needs), python)) == len(needs)
