"""Makes the pictures of docs/blender.md: uses the built extension as an animator would.

    .venv-blender-5.3/bin/python docs/images/blender.py ZIP ENGINE_PYTHON

Blender's package draws no windows, so these are Cycles renders. It has no Pillow and no matplotlib
either: sheets.py, which the engine's Python runs, puts the pictures together.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
VOICE = HERE.parents[1] / "examples" / "voice.flac"
MODULE = "bl_ext.user_default.osmnet"

SEED = 3
FPS = 24
"""Not the 25 of the takes, so that keys lie between frames."""
RANGE = (1, 96)
"""Scene frames that are looked at: the first sentence and a bit."""
EDIT_DEGREES = 16.0
AROUND = 2
"""Frames shown before and after the edited key."""
SIZE = "512"

_PORTRAIT = """
import sys
from PIL import Image
from skimage.data import astronaut
Image.fromarray(astronaut()).save(sys.argv[1])
"""
"""Run by the engine's Python."""


def main() -> None:
    """Install, make a performance, edit it, render."""
    archive, python = (Path(argument).absolute() for argument in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["BLENDER_USER_RESOURCES"] = str(folder / "profile")
        portrait = folder / "portrait.png"
        subprocess.run([python, "-c", _PORTRAIT, portrait], check=True)
        _install(archive, python, folder / "cache")
        parts = _pictures(portrait, folder)
        _check_manual(parts["note"])
        (folder / "parts.json").write_text(json.dumps(parts), encoding="utf-8")
        subprocess.run([python, HERE / "sheets.py", folder, HERE], check=True)


def _check_manual(note: str) -> None:
    """The manual says below the picture how many frames were rendered again."""
    count = note.removesuffix(" rendered.")
    if f"{count} were rendered again" not in (HERE.parent / "blender.md").read_text("utf-8"):
        print(f"docs/blender.md must say: {count} were rendered again.", file=sys.stderr)


def _install(archive: Path, python: Path, cache: Path) -> None:
    import bpy

    importlib.import_module("addon_utils").enable("bl_pkg")
    bpy.ops.extensions.package_install_files(
        filepath=str(archive), repo="user_default", enable_on_install=True
    )
    settings = bpy.context.preferences.addons[MODULE].preferences
    settings.engine_python, settings.cache_folder = str(python), str(cache)


def _pictures(portrait: Path, folder: Path) -> dict[str, Any]:
    """Render all pictures into a folder; return what sheets.py needs to know of them."""
    import bpy

    scene, osmnet = bpy.context.scene, bpy.ops.osmnet
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    scene.camera = None
    scene.render.fps = FPS
    scene.frame_start, scene.frame_end = RANGE
    osmnet.create_head(portrait=str(portrait), voice=str(VOICE))
    rig = bpy.context.view_layer.objects.active
    osmnet.sample_takes(count=5, seed=SEED, expression=True)
    _soft_light(scene)

    yaw = _yaw_of(rig, _widest(rig))
    key = _liveliest(yaw)
    frame = yaw.keyframe_points[key].co[0]
    middle = round(frame)
    shown = list(range(middle - AROUND, middle + AROUND + 1))
    osmnet.render_frames(size=SIZE, range="SCENE")
    moments = _moments(yaw)
    for moment in moments:
        _render_both(rig, moment, folder / f"both {moment}.png")
    before = _samples(yaw)
    for number in shown:
        _render_plane(scene, rig, number, folder / f"before {number}.png")

    yaw.keyframe_points[key].co[1] += math.radians(EDIT_DEGREES)
    yaw.update()
    osmnet.update_frames()
    note = bpy.context.window_manager.osmnet.note
    print(note)
    for number in shown:
        _render_plane(scene, rig, number, folder / f"after {number}.png")
    return {
        "moments": moments,
        "shown": shown,
        "note": note,
        "key": frame,
        "keys": [list(point.co) for point in yaw.keyframe_points],
        "before": before,
        "after": _samples(yaw),
        "fps": FPS,
        "range": RANGE,
    }


def _yaw_of(rig: Any, index: int) -> Any:
    """Choose a take and return its yaw curve."""
    import bpy

    bpy.ops.osmnet.choose_take(index=index)
    compat = importlib.import_module(f"{MODULE}.compat")
    curves = compat.curves_of(rig.osmnet.takes[index].action)
    return curves.find('pose.bones["head"].rotation_euler', index=1)


def _widest(rig: Any) -> int:
    """The take that turns the head most within the range."""

    def width(index: int) -> float:
        values = [value for _, value in _samples(_yaw_of(rig, index))]
        return max(values) - min(values)

    return max(range(len(rig.osmnet.takes)), key=width)


def _samples(curve: Any) -> list[tuple[float, float]]:
    """(frame, radians) of a curve, eight for each frame of the range."""
    first, last = RANGE
    frames = [first + number / 8 for number in range(8 * (last - first) + 1)]
    return [(frame, curve.evaluate(frame)) for frame in frames]


def _liveliest(curve: Any) -> int:
    """Number of a key in the middle of the range where the head is near its rest."""
    first, last = RANGE
    inner = range(round(first + (last - first) * 0.3), round(last - (last - first) * 0.3))
    points = curve.keyframe_points
    return min(
        (n for n in range(len(points)) if round(points[n].co[0]) in inner),
        key=lambda n: abs(points[n].co[1]),
    )


def _moments(curve: Any) -> list[int]:
    """The frames of the range that look most to either side, and one between, in order of time."""
    values = {frame: curve.evaluate(frame) for frame in range(RANGE[0], RANGE[1] + 1)}
    left, right = max(values, key=values.__getitem__), min(values, key=values.__getitem__)
    middle = min(values, key=lambda f: abs(values[f] - (values[left] + values[right]) / 2))
    return sorted((left, middle, right))


def _soft_light(scene: Any) -> None:
    """A light, plain background, dimmer as a light than to the eye, and a large soft lamp."""
    import bpy

    world = scene.world or bpy.data.worlds.new("World")
    scene.world = world
    tree = world.node_tree
    background = tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.82, 0.84, 0.87, 1.0)
    seen = tree.nodes.new("ShaderNodeLightPath").outputs["Is Camera Ray"]
    strength = tree.nodes.new("ShaderNodeMapRange")
    strength.inputs["To Min"].default_value = 0.72
    tree.links.new(seen, strength.inputs["Value"])
    tree.links.new(strength.outputs["Result"], background.inputs["Strength"])
    lamp = bpy.data.lights.new("soft", "AREA")
    lamp.size, lamp.energy = 1.0, 11.0
    item = bpy.data.objects.new("soft", lamp)
    item.location, item.rotation_euler = (-0.8, -1.0, 0.7), (math.radians(62), 0, math.radians(-38))
    scene.collection.objects.link(item)
    scene.render.engine = "CYCLES"


def _render_both(rig: Any, frame: int, path: Path) -> None:
    """The head mesh with the plane beside it, seen from the front."""
    import bpy

    scene, plane = bpy.context.scene, rig.osmnet.plane
    camera = bpy.data.cameras.get("both") or bpy.data.cameras.new("both")
    camera.type = "ORTHO"
    camera.ortho_scale = 0.62
    item = bpy.data.objects.get("both") or bpy.data.objects.new("both", camera)
    if item.name not in scene.collection.objects:
        scene.collection.objects.link(item)
    item.location = (plane.location.x / 2 + 0.025, -1.5, plane.location.z)
    item.rotation_euler = (math.radians(90), 0, 0)
    scene.render.resolution_x, scene.render.resolution_y = 660, 345
    scene.cycles.samples = 64
    _render(scene, item, frame, path)


def _render_plane(scene: Any, rig: Any, frame: int, path: Path) -> None:
    """What the head's own camera sees."""
    camera = next(item for item in rig.children if item.type == "CAMERA")
    scene.render.resolution_x = scene.render.resolution_y = int(SIZE)
    scene.cycles.samples = 1  # it gives light and takes none
    _render(scene, camera, frame, path)


def _render(scene: Any, camera: Any, frame: int, path: Path) -> None:
    import bpy

    scene.camera = camera
    scene.frame_set(frame)
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # Blender's own exit can hang
