"""Curves of the extension's takes, by its operators alone; for a Python with bpy."""

from __future__ import annotations

import importlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from golden_digests import digest

_MATERIAL = """
import sys
from pathlib import Path
from golden_outputs import Outputs
made = Outputs(Path(sys.argv[1])).files
"""
"""Run by the engine's Python: a portrait and a voice, as the SDK's outputs have them."""


def blender_curves(archive: Path, engine_python: Path) -> dict[str, str]:
    """Curves of the extension's takes, by its operators alone; runs in a Python with bpy."""
    with tempfile.TemporaryDirectory() as profile:
        os.environ.update(BLENDER_USER_RESOURCES=profile)
        import bpy  # type: ignore[import-not-found]

        importlib.import_module("addon_utils").enable("bl_pkg")
        bpy.ops.extensions.package_install_files(
            filepath=str(archive), repo="user_default", enable_on_install=True
        )
        module = "bl_ext.user_default.osmnet"
        settings = bpy.context.preferences.addons[module].preferences
        settings.engine_python, settings.device = str(engine_python), "cpu"
        settings.cache_folder = f"{profile}/cache"
        fake = str(Path(__file__).parent / "engine" / "fake_engine.py")
        locate: Any = importlib.import_module(f"{module}.core.locate")
        locate.engine_command = lambda python: [python, "-u", fake]
        photo, voice = Path(profile, "portrait.png"), Path(profile, "voice.wav")
        here = Path(__file__).parent
        subprocess.run([engine_python, "-c", _MATERIAL, profile], cwd=here, check=True)
        digests = {}
        for fps in (25, 30):
            bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
            render = bpy.context.scene.render
            render.fps = fps
            bpy.ops.osmnet.create_head(portrait=str(photo), voice=str(voice))
            bpy.ops.osmnet.sample_takes(count=2, seed=5, expression=True)
            bpy.ops.osmnet.resample_take(index=0, seed=8)
            bpy.ops.osmnet.choose_take(index=1)
            for action in sorted(bpy.data.actions, key=lambda action: action.name):
                digests[f"Blender, {fps} per second, {action.name}"] = digest(_keys(action))
        bpy.ops.preferences.addon_disable(module=module)
    return digests


def _keys(action: Any) -> dict[str, Any]:
    """Keys and handles of all curves of an action of Blender 5."""
    found = {}
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                for curve in bag.fcurves:
                    values = {}
                    for part in ("co", "handle_left", "handle_right"):
                        values[part] = np.empty(2 * len(curve.keyframe_points), np.float32)
                        curve.keyframe_points.foreach_get(part, values[part])
                    found[f"{curve.data_path}[{curve.array_index}]"] = values
    return found
