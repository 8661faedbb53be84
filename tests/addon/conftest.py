"""The add-on's core, staged as in the extension's zip, as the package `osmnet_addon`."""

from __future__ import annotations

import runpy
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]

_staging = tempfile.TemporaryDirectory(prefix="osmnet-addon-")
build = runpy.run_path(str(ROOT / "blender_addon" / "build.py"))
build["stage"](Path(_staging.name) / "osmnet_addon")
sys.path.insert(0, _staging.name)
