# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages the extension with the files that it shares with the engine, and builds its zip.

    python blender_addon/build.py stage FOLDER      the add-on as Blender will see it
    python blender_addon/build.py zip FILE          the extension, built and validated

The second needs the bpy package, whose own command line builds and validates extensions.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ADDON = Path(__file__).resolve().parent
SDK = ADDON.parent / "osmnet_sdk"

SHARED = {
    "core/conventions.py": SDK / "core" / "conventions.py",
    "core/finding.py": SDK / "engine" / "finding.py",
    "core/json_reading.py": SDK / "core" / "json_reading.py",
    "core/npz_reading.py": SDK / "core" / "npz_reading.py",
    "core/option_fields.py": SDK / "core" / "option_fields.py",
    "core/protocol.py": SDK / "engine" / "protocol.py",
    "core/wording.py": SDK / "core" / "wording.py",
}
"""Files of the zip that are copies of the SDK's, byte for byte."""


def stage(folder: Path) -> Path:
    """Copy the add-on and the shared files into a folder that must not exist; return it."""
    shutil.copytree(
        ADDON, folder, ignore=shutil.ignore_patterns("__pycache__", Path(__file__).name)
    )
    for name, source in SHARED.items():
        shutil.copyfile(source, folder / name)
    return folder


def blender_extension_tool() -> Path:
    """The command line for extensions that comes with the bpy package of this Python."""
    found = importlib.util.find_spec("bpy")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("This Python has no bpy; run `make extension`.")
    package = Path(next(iter(found.submodule_search_locations)))
    return next(package.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))


def build(archive: Path) -> Path:
    """Build and validate the zip with Blender's own tool; return its path."""
    tool = [sys.executable, str(blender_extension_tool())]
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        source = stage(Path(temporary) / "osmnet")
        output = Path(temporary) / "zip"
        output.mkdir()
        subprocess.run(
            [*tool, "build", "--source-dir", str(source), "--output-dir", str(output)], check=True
        )
        (built,) = output.glob("*.zip")
        subprocess.run([*tool, "validate", str(built)], check=True)
        return Path(shutil.copy(built, archive))


def main() -> None:
    """Run from the command line."""
    if len(sys.argv) != 3 or sys.argv[1] not in ("stage", "zip"):
        raise SystemExit(__doc__)
    call = stage if sys.argv[1] == "stage" else build
    print(call(Path(sys.argv[2])))


if __name__ == "__main__":
    main()
