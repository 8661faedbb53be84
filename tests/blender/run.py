"""Tests of the extension inside Blender: installs a built zip into a fresh profile, runs pytest.

    .venv-blender-5.3/bin/python tests/blender/run.py ZIP ENGINE_PYTHON [pytest arguments]

One process for each version of bpy. It ends without Blender's own exit, which can hang.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
VOICE = HERE.parents[1] / "examples" / "voice.flac"

_MATERIAL = """
import sys, soundfile
from PIL import Image
from skimage.data import astronaut
Image.fromarray(astronaut()).save(sys.argv[1] + "/portrait.png")
samples, rate = soundfile.read(sys.argv[2])
soundfile.write(sys.argv[1] + "/voice.wav", samples[: 3 * rate], rate)
"""
"""Run by the engine's Python: a portrait and three seconds of speech."""


def main() -> int:
    archive, python = (Path(argument).absolute() for argument in sys.argv[1:3])
    profile = tempfile.TemporaryDirectory(prefix="osmnet blender ü ")
    os.environ["BLENDER_USER_RESOURCES"] = profile.name
    material = tempfile.mkdtemp(dir=profile.name)
    subprocess.run([python, "-c", _MATERIAL, material, VOICE], check=True)
    os.environ["OSMNET_TEST_ENGINE"] = str(python)
    os.environ["OSMNET_TEST_MATERIAL"] = material
    import bpy  # first: it makes the next one importable
    import pytest

    addon_utils = importlib.import_module("addon_utils")

    print(f"Blender {bpy.app.version_string}, Python {sys.version.split()[0]}", flush=True)
    addon_utils.enable("bl_pkg")
    done = bpy.ops.extensions.package_install_files(
        filepath=str(archive), repo="user_default", enable_on_install=True
    )
    assert done == {"FINISHED"}, done
    options = ["-p", "no:cacheprovider", f"--confcutdir={HERE}"]
    chosen = sys.argv[3:]
    if not any(Path(argument.split("::")[0]).exists() for argument in chosen):
        chosen = [*chosen, str(HERE)]
    code = pytest.main([*options, *chosen])
    bpy.ops.preferences.addon_disable(module="bl_ext.user_default.osmnet")
    profile.cleanup()
    return int(code)


if __name__ == "__main__":
    result = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(result)
