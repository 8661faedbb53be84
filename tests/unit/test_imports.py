"""The import direction of docs/architecture.md, walked over the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "osmnet_sdk"

LAYERS = (
    {"errors", "progress", "version", "core"},
    {"tracks", "options"},
    {"audio", "face", "formats"},
    {"motion", "expression", "rendering"},
    {"client"},
    {"research", "research.tables", "research.data"},
    {"research.trainers"},
    {"research.evaluation"},
    {"cli", "engine", "__main__"},
    {"research.cli"},
)
"""From the bottom up; a module imports only from its own layer or from below."""

SHARED = {"json_reading", "npz_reading"}

TOP = {"": len(LAYERS)}  # the package itself offers names of every layer


def level(module: str) -> int:
    parts = module.removeprefix("osmnet_sdk").lstrip(".").split(".")
    part = parts[0]
    for index, layer in reversed(list(enumerate(LAYERS))):
        if part in layer or ".".join(parts[:2]) in layer:
            return index
    assert part in TOP, f"module '{module}' has no layer: add it to LAYERS"
    return TOP[part]


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            # The extension has copies of these, in a package of another name.
            assert path.stem in SHARED, f"{path}: relative import"
            assert node.level == 1
            found.add(f"osmnet_sdk.core.{node.module}")
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def modules() -> list[tuple[str, Path]]:
    result = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("osmnet_sdk", *path.relative_to(PACKAGE).with_suffix("").parts)
        result.append((".".join(part for part in parts if part != "__init__"), path))
    return result


def test_there_is_something_to_walk():
    assert len(modules()) > 40


@pytest.mark.parametrize(("name", "path"), modules(), ids=[name for name, _ in modules()])
def test_imports_point_down(name, path):
    own = level(name)
    for imported in imports_of(path):
        if imported.split(".")[0] != "osmnet_sdk":
            continue
        if imported == "osmnet_sdk":
            raise AssertionError(f"{name} imports the package's top; name the module")
        assert level(imported) <= own, f"{name} imports {imported}, which is above it"


def edges() -> dict[str, set[str]]:
    """Modules that each module imports, functions' own imports included."""
    names = {name for name, _ in modules()}
    return {name: (imports_of(path) & names) - {name} for name, path in modules() if "." in name}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of nodes each of which leads to all others of its group."""

    def reached(start: str) -> set[str]:
        found, waiting = set(), [start]
        while waiting:
            new = graph.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    leads = {node: reached(node) for node in graph}
    lying = {node: {o for o in leads[node] if node in leads.get(o, ())} for node in graph}
    return [sorted(group) for node, group in lying.items() if group and node == min(group)]


def package_of(module: str) -> str:
    """The package that a module belongs to; those of research count each for itself."""
    first, *others = module.split(".")[1:]
    if first == "research":
        return ".".join([first, *others[:1]])
    return "core" if first in LAYERS[0] else first


def test_no_circles():
    found = edges()
    assert circles(found) == []
    packages: dict[str, set[str]] = {}
    for name, imported in found.items():
        packages.setdefault(package_of(name), set()).update(map(package_of, imported))
    assert circles({name: others - {name} for name, others in packages.items()}) == []


def test_only_the_command_line_imports_research():
    for name, imported in edges().items():
        if package_of(name).split(".")[0] not in ("research", "cli"):
            assert not any(".research" in other for other in imported), name


def test_only_devices_names_a_kind_of_device():
    for name, path in modules():
        if name == "osmnet_sdk.core.devices" or name.startswith("osmnet_sdk.cli"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if text and node.value.split(":")[0] == "cuda":
                raise AssertionError(f"{name}, line {node.lineno}, names a CUDA device")


def loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_bare_import_loads_nothing_heavy():
    assert not loaded_after("import osmnet_sdk") & {"numpy", "pydantic", "librosa", "torch"}


@pytest.mark.parametrize(
    "statement",
    [
        "import osmnet_sdk.tracks",
        "import osmnet_sdk.formats.video, osmnet_sdk.formats.photo, osmnet_sdk.formats.overview",
        "import osmnet_sdk.audio.load, osmnet_sdk.audio.mel",
        "import osmnet_sdk.cli.application",
    ],
)
def test_what_needs_no_network_loads_no_torch(statement):
    assert "torch" not in loaded_after(statement)


def test_the_command_line_loads_research_when_it_is_asked_for_it():
    assert not any("research" in name for name in loaded_after("import osmnet_sdk.cli.application"))
    from typer.main import get_group

    from osmnet_sdk.cli.application import app
    from osmnet_sdk.research.cli import commands

    shown = {name: get_group(app).commands[name].get_short_help_str(1000) for name in commands()}
    assert shown == {name: it.get_short_help_str(1000) for name, it in commands().items()}


def test_public_names_are_all_there():
    import osmnet_sdk

    assert sorted(dir(osmnet_sdk)) == osmnet_sdk.__all__
    for name in osmnet_sdk.__all__:
        assert getattr(osmnet_sdk, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = osmnet_sdk.nothing
