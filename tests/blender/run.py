"""Tests of the extension inside Blender: installs a built zip into a fresh profile, then runs pytest.

    .venv-blender-5.0/bin/python tests/blender/run.py ZIP ENGINE_PYTHON [pytest arguments]

One process for each version of bpy. It ends without Blender's own exit, which can hang.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    archive, python = (Path(argument).absolute() for argument in sys.argv[1:3])
    profile = tempfile.TemporaryDirectory(prefix="osmnet blender ü ")
    os.environ["BLENDER_USER_RESOURCES"] = profile.name
    os.environ["OSMNET_TEST_ENGINE"] = str(python)
    import addon_utils
    import bpy
    import pytest

    print(f"Blender {bpy.app.version_string}, Python {sys.version.split()[0]}", flush=True)
    addon_utils.enable("bl_pkg")
    done = bpy.ops.extensions.package_install_files(
        filepath=str(archive), repo="user_default", enable_on_install=True
    )
    assert done == {"FINISHED"}, done
    code = pytest.main([str(HERE), "-p", "no:cacheprovider", *sys.argv[3:]])
    bpy.ops.preferences.addon_disable(module="bl_ext.user_default.osmnet")
    profile.cleanup()
    return int(code)


if __name__ == "__main__":
    result = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(result)
