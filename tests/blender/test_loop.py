"""The whole loop with the real engine: head, takes, expression, frames, an edit, undo, the file."""

from __future__ import annotations

import json

import bpy
import numpy as np
from support import JAW_OPEN, YAW, add_to_key, curve, picture, seen_on_plane, shown_file, status

FPS = 25


def push(name):
    bpy.ops.ed.undo_push(message=name)


def test_the_loop(addon, material, tmp_path):
    scene = bpy.context.scene
    scene.render.fps = FPS
    ops = bpy.ops.osmnet
    assert ops.create_head(portrait=str(material.portrait), voice=str(material.voice)) == {
        "FINISHED"
    }
    rig = addon.rig.head.need_rig(bpy.context)
    head = rig.osmnet.head
    assert [b.name for b in rig.data.bones] == ["neck", "head"]
    assert len(head.data.shape_keys.key_blocks) == 53
    assert scene.camera is not None

    assert ops.sample_takes(count=5, seed=3) == {"FINISHED"}
    takes = rig.osmnet.takes
    assert [take.name for take in takes] == [f"my voice {n:02d}" for n in range(1, 6)]
    assert curve(addon, takes[0].action, JAW_OPEN) is None
    assert ops.predict_expression() == {"FINISHED"}
    jaw = curve(addon, takes[4].action, JAW_OPEN)
    assert np.ptp([point.co[1] for point in jaw.keyframe_points]) > 0.05
    assert ops.choose_take(index=2) == {"FINISHED"}
    assert rig.animation_data.action == takes[2].action

    assert ops.render_frames() == {"FINISHED"}
    count = 75
    assert status().note.startswith(f"{count} of {count} frames")
    node = addon.frames.plane.texture_of(rig.osmnet.plane)
    assert node.image_user.frame_duration == count
    before = {f: picture(shown_file(addon, rig, f)) for f in range(1, count + 1)}
    assert not np.array_equal(before[1], before[40])
    seen = seen_on_plane(40, tmp_path)
    assert np.abs(seen.astype(int) - before[40]).max() <= 1
    push("rendered")

    moved = add_to_key(addon, takes[2].action, YAW, 39, 0.15)
    assert moved == 40
    push("edit one key")
    # samples lie on whole frames here, so a key shows in its own frame alone
    assert addon.frames.rendering.changed_frames(rig, scene) == 1
    assert ops.update_frames() == {"FINISHED"}
    assert status().note == f"1 of {count} frames rendered."
    after = {f: picture(shown_file(addon, rig, f)) for f in range(1, count + 1)}
    assert [f for f in before if not np.array_equal(before[f], after[f])] == [40]
    seen = seen_on_plane(40, tmp_path)
    assert np.abs(seen.astype(int) - after[40]).max() <= 1
    assert np.abs(seen.astype(int) - before[40]).max() > 30

    rig_name = rig.name
    bpy.ops.ed.undo()  # the update
    bpy.ops.ed.undo()  # the edit
    rig = bpy.data.objects[rig_name]
    assert np.array_equal(picture(shown_file(addon, rig, 40)), before[40])
    seen = seen_on_plane(40, tmp_path)
    assert np.abs(seen.astype(int) - before[40]).max() <= 1
    assert addon.frames.rendering.changed_frames(rig, bpy.context.scene) == 0
    assert ops.update_frames() == {"FINISHED"}
    assert status().note.startswith("0 of")

    path = tmp_path / "Szene mit Kopf.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    addon.engine.process.stop()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    rig = bpy.data.objects[rig_name]
    assert [take.name for take in rig.osmnet.takes] == [f"my voice {n:02d}" for n in range(1, 6)]
    assert rig.osmnet.chosen == 2
    assert rig.animation_data.action == rig.osmnet.takes[2].action
    made = json.loads(rig.osmnet.takes[2].action["osmnet"]["provenance"])
    assert (made["seed"], made["take"], made["audio"]) == (3, 2, "my voice.wav")
    seen = seen_on_plane(40, tmp_path)
    assert np.abs(seen.astype(int) - before[40]).max() <= 1
    assert addon.frames.rendering.changed_frames(rig, bpy.context.scene) == 0
    assert bpy.ops.osmnet.update_frames() == {"FINISHED"}
    assert status().note.startswith("0 of")
