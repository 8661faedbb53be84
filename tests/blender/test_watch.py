"""What a window does with timers, driven by hand: jobs in the background, Cancel, Auto update."""

from __future__ import annotations

import time

import bpy
import numpy as np
import pytest
from support import YAW, add_to_key, picture, shown_file, status


@pytest.fixture
def taken(addon, rig, fake):
    bpy.ops.osmnet.sample_takes(count=2, expression=True)
    return rig


def test_frames_arrive_one_by_one_and_cancel_keeps_them(addon, taken, windowed, monkeypatch):
    addon.engine.process.stop()
    monkeypatch.setenv("OSMNET_FAKE_FRAME_SECONDS", "0.03")
    assert bpy.ops.osmnet.render_frames() == {"FINISHED"}
    job = addon.engine.jobs.current()
    assert not job.finished
    store = addon.preferences.frame_store()

    def arrived():
        return len(list((store.folder / "frames").rglob("*.png")))

    windowed(until=lambda: arrived() >= 10)
    assert not job.finished
    assert status().stage
    assert 0 < status().factor < 1
    first = picture(shown_file(addon, taken, 8))
    last = picture(shown_file(addon, taken, 75))
    assert not np.array_equal(first, last)  # the last still shows the placeholder
    assert bpy.ops.osmnet.cancel() == {"FINISHED"}
    asked = time.perf_counter()
    windowed()
    assert time.perf_counter() - asked < 2
    assert job.finished
    assert job.error is None
    assert status().note == "Stopped."
    kept = arrived()
    assert 10 <= kept < 75
    assert np.array_equal(picture(shown_file(addon, taken, 8)), first)
    monkeypatch.undo()
    plan = addon.frames.rendering.make_plan(
        taken, bpy.context.scene, addon.frames.rendering.made_with(taken), "TAKE"
    )
    waiting = sum(not store.has(key) for key in plan.keys)
    assert 0 < waiting < 75
    assert addon.frames.rendering.changed_frames(taken, bpy.context.scene) == waiting


def test_the_rig_is_deleted_meanwhile(addon, taken, windowed):
    assert bpy.ops.osmnet.sample_takes(count=2) == {"FINISHED"}
    bpy.data.objects.remove(taken)
    windowed()
    assert "deleted" in status().error


def test_the_rig_is_renamed_meanwhile(addon, taken, windowed):
    assert bpy.ops.osmnet.sample_takes(count=2) == {"FINISHED"}
    taken.name = "Kopf"
    windowed()
    assert not status().error
    assert len(taken.osmnet.takes) == 4


def test_another_file_is_opened_meanwhile(addon, taken, windowed, monkeypatch):
    monkeypatch.setenv("OSMNET_FAKE_FRAME_SECONDS", "0.05")
    addon.engine.process.stop()
    bpy.ops.osmnet.render_frames()
    windowed(until=lambda: status().factor > 0)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert addon.engine.jobs.current() is None
    assert not [image for image in bpy.data.images if image.source == "SEQUENCE"]


def test_edits_are_counted_and_rendered_by_themselves(addon, taken, windowed):
    bpy.context.scene.render.fps = 25
    bpy.ops.osmnet.fit_takes()
    bpy.ops.osmnet.render_frames()
    windowed()
    addon.frames.watch.look(bpy.context)
    assert status().changed == 0
    action = taken.osmnet.takes[0].action
    add_to_key(addon, action, YAW, 20, 0.2)
    addon.frames.watch.look(bpy.context)
    assert status().changed == 1
    assert addon.engine.jobs.current().finished
    bpy.context.scene.osmnet.auto_update = True
    add_to_key(addon, action, YAW, 22, 0.2)
    addon.frames.watch.look(bpy.context)
    windowed()
    assert status().note.startswith("2 of")
    assert status().changed == 0


def test_an_auto_update_that_fails_is_a_sentence(addon, taken):
    bpy.ops.osmnet.render_frames()
    bpy.context.scene.osmnet.auto_update = True
    addon.preferences.get().engine_python = "/no/such/python"
    add_to_key(addon, taken.osmnet.takes[0].action, YAW, 20, 0.2)
    addon.frames.watch.look(bpy.context)  # raising here would end Blender's timer
    assert "/no/such/python" in status().error


def test_reading_leaves_the_scene_alone(addon, taken):
    scene = bpy.context.scene
    scene.frame_set(17, subframe=0.25)
    names = [item.name for item in bpy.data.scenes]
    addon.frames.rendering.make_plan(taken, scene, {}, "TAKE")
    assert (scene.frame_current, round(scene.frame_subframe, 3)) == (17, 0.25)
    assert [item.name for item in bpy.data.scenes] == names
    assert taken.users_scene == (scene,)


def test_only_the_scene_s_range_is_rendered(addon, taken):
    scene = bpy.context.scene
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 10, 19
    bpy.ops.osmnet.render_frames(range="SCENE")
    assert status().note == "10 of 72 frames rendered."
    bpy.ops.osmnet.render_frames(range="TAKE")
    assert status().note == "62 of 72 frames rendered."


def test_each_size_has_frames_of_its_own(addon, taken):
    bpy.ops.osmnet.render_frames(size="crop")
    assert picture(shown_file(addon, taken, 5)).shape == (256, 256, 3)
    bpy.ops.osmnet.render_frames(size="512")
    assert picture(shown_file(addon, taken, 5)).shape == (512, 512, 3)
    bpy.ops.osmnet.render_frames(size="crop")
    assert status().note.startswith("0 of")


def test_another_take_and_back_renders_nothing_again(addon, taken):
    bpy.ops.osmnet.render_frames()
    bpy.ops.osmnet.choose_take(index=1)
    bpy.ops.osmnet.update_frames()
    assert not status().note.startswith("0 of")
    bpy.ops.osmnet.choose_take(index=0)
    bpy.ops.osmnet.update_frames()
    assert status().note.startswith("0 of")


def test_a_cache_that_is_too_large_forgets_old_frames_but_none_in_use(addon, taken, monkeypatch):
    bpy.ops.osmnet.render_frames(size="512")
    store = addon.preferences.frame_store()
    large = store.size()
    addon.preferences.get().cache_gigabytes = 0.1
    monkeypatch.setattr(addon.preferences, "frame_store", lambda: type(store)(store.folder, 1000))
    bpy.ops.osmnet.render_frames(size="crop")
    assert store.size() < large
    for frame in (1, 40, 72):
        assert picture(shown_file(addon, taken, frame)).shape == (256, 256, 3)
