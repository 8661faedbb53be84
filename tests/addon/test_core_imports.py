"""The core stands on its own: no Blender, no SDK, and the shared files are the SDK's."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import osmnet_addon
import pytest

import osmnet_sdk

STAGED = Path(osmnet_addon.__file__).parent
SHARED = {
    "conventions.py": "core/conventions.py",
    "finding.py": "engine/finding.py",
    "json_reading.py": "core/json_reading.py",
    "npz_reading.py": "core/npz_reading.py",
    "option_fields.py": "core/option_fields.py",
    "protocol.py": "engine/protocol.py",
    "wording.py": "core/wording.py",
}
CORE = sorted((STAGED / "core").glob("*.py"))
ALLOWED = {*sys.stdlib_module_names, "numpy"}


def absolute_imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_core_imports_numpy_and_the_standard_library_only(path: Path) -> None:
    assert absolute_imports(path) <= ALLOWED


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_relative_imports_stay_in_the_core(path: Path) -> None:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    levels = {node.level for node in nodes if isinstance(node, ast.ImportFrom)}
    assert levels <= {0, 1}


def test_core_loads_without_blender_and_sdk() -> None:
    names = [f"osmnet_addon.core.{path.stem}" for path in CORE if path.stem != "__init__"]
    code = (
        f"import importlib, sys; sys.path.insert(0, {str(STAGED.parent)!r})\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print([name for name in ('bpy', 'osmnet_sdk', 'torch', 'scipy') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr


@pytest.mark.parametrize(("copy", "original"), SHARED.items())
def test_shared_files_are_those_of_the_sdk(copy: str, original: str) -> None:
    sdk = Path(osmnet_sdk.__file__).parent
    assert (STAGED / "core" / copy).read_bytes() == (sdk / original).read_bytes()


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_files_of_the_add_on_name_their_licence(path: Path) -> None:
    if path.name not in SHARED:
        assert path.read_text(encoding="utf-8").startswith(
            "# SPDX-License-Identifier: GPL-3.0-or-later\n"
        )
