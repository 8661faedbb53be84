"""make bench, inside Blender: importing takes of a minute, finding what changed, updating.

.venv-blender-5.3/bin/python tests/bench/blender.py ZIP ENGINE_PYTHON
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TAKES = """
import sys, numpy as np
from skimage.data import astronaut
from PIL import Image
from osmnet_sdk import OSMNet
from osmnet_sdk.audio.load import load_audio
folder = sys.argv[1]
Image.fromarray(astronaut()).save(folder + "/portrait.png")
voice = load_audio(sys.argv[2])
samples = np.tile(voice.samples, 7)[: 60 * 16_000]
for number, take in enumerate(OSMNet(device="cpu").sample_takes((samples, 16_000), n=5)):
    take.save(f"{folder}/take {number + 1}.npz")
"""
VOICE = Path(__file__).parents[2] / "examples" / "voice.flac"


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(folder: Path, python: str) -> list[tuple[str, float]]:
    """Rows of the table: what, and seconds."""
    import bpy

    frames = importlib.import_module("bl_ext.user_default.osmnet.frames.rendering")
    preferences = importlib.import_module("bl_ext.user_default.osmnet.preferences")
    rigs = importlib.import_module("bl_ext.user_default.osmnet.rig.head")
    watch = importlib.import_module("bl_ext.user_default.osmnet.frames.watch")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    settings = preferences.get()
    settings.engine_python, settings.device = python, "cpu"
    settings.cache_folder = str(folder / "cache")
    scene, ops = bpy.context.scene, bpy.ops.osmnet
    scene.render.fps = 25
    rows = [
        ("create head, with the engine's start", seconds(
            lambda: ops.create_head(portrait=str(folder / "portrait.png"))
        ))
    ]  # fmt: skip
    rig = rigs.need_rig(bpy.context)

    def import_all() -> None:
        for number in range(1, 6):
            ops.import_take(filepath=str(folder / f"take {number}.npz"))

    rows.append(("import 5 takes of 60 s (1500 x 58 each)", seconds(import_all)))
    render = seconds(ops.render_frames)
    rows.append(("render 1500 frames of 256 x 256", render))
    curves = importlib.import_module("bl_ext.user_default.osmnet.compat").curves_of
    curve = curves(rig.osmnet.takes[4].action).find('pose.bones["head"].rotation_euler', index=1)
    curve.keyframe_points[700].co[1] += 0.1
    curve.update()
    rows.append(("notice that curves changed", seconds(lambda: watch.curves_digest(rig, scene))))
    rows.append(("find the changed frames", seconds(lambda: frames.changed_frames(rig, scene))))
    rows.append(("update after one key", seconds(ops.update_frames)))
    assert bpy.context.window_manager.osmnet.note == "1 of 1500 frames rendered."
    rows.append(("choose a take", seconds(lambda: ops.choose_take(index=2))))
    return rows


def main() -> None:
    """Install the zip into a fresh profile, measure, print."""
    archive, python = (str(Path(argument).absolute()) for argument in sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="osmnet-bench-") as name:
        os.environ["BLENDER_USER_RESOURCES"] = f"{name}/profile"
        subprocess.run([python, "-c", TAKES, name, str(VOICE)], check=True)
        import bpy  # first: it makes the next one importable

        importlib.import_module("addon_utils").enable("bl_pkg")
        bpy.ops.extensions.package_install_files(
            filepath=archive, repo="user_default", enable_on_install=True
        )
        rows = measure(Path(name), python)
        bpy.ops.preferences.addon_disable(module="bl_ext.user_default.osmnet")
    print(f"\nBlender {bpy.app.version_string}, {os.cpu_count()} cores")
    for what, value in rows:
        print(f"  {what:40s} {value:8.3f} s")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
