"""The add-on's layers: what a file may import, and that no files import each other."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import osmnet_addon
import pytest

STAGED = Path(osmnet_addon.__file__).parent
LAYERS = (
    "core",
    "compat",
    "preferences",
    "status",
    "engine",
    "takes",
    "rig",
    "frames",
    "ui",
    "ui.operators",
    "registration",
)
"""From below: each imports of those before it only; what draws or has buttons is on top."""

FILES = {
    ".".join(path.relative_to(STAGED).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(STAGED.rglob("*.py"))
    if path != STAGED / "__init__.py"
}


def layer(module: str) -> str:
    return max((name for name in LAYERS if f"{module}.".startswith(f"{name}.")), key=len)


def imported(module: str) -> set[str]:
    """Modules of the add-on that one imports, also within functions."""
    path = FILES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) + 1 - node.level], *(node.module or "").split(".")]
            origin = ".".join(part for part in base if part)
            for alias in node.names:
                name = f"{origin}.{alias.name}".removeprefix(".")
                found.add(name if name in FILES else origin)
    return found


@pytest.mark.parametrize("module", FILES)
def test_imports_go_down(module: str) -> None:
    allowed = LAYERS[: LAYERS.index(layer(module)) + 1]
    above = {name for name in imported(module) if layer(name) not in allowed}
    assert not above, f"{module} is of the layer '{layer(module)}'"


def test_no_files_import_each_other() -> None:
    order = list(TopologicalSorter({name: imported(name) for name in FILES}).static_order())
    assert set(order) == set(FILES)


def test_imports_are_seen() -> None:
    assert {"takes.nla", "core.errors", "ui.messages"} <= imported("ui.operators.base")
    assert imported("ui.operators") == {
        f"ui.operators.{name}"
        for name in (
            "dropping",
            "engine",
            "files",
            "frames",
            "pins",
            "ranges",
            "sampling",
            "setup",
            "takes",
            "transfer",
        )
    }
