"""Takes with few keys: within the tolerance at every frame, and everything works with them."""

from __future__ import annotations

from math import radians

import bpy
import numpy as np
import pytest
from support import JAW_OPEN, YAW, curve
from take_support import FPS, all_keys, smooth, state_of, timing, whole_frames

TOLERANCE = np.array([radians(0.2)] * 3 + [0.001] * 3 + [0.01] * 52)


def keys_in(addon, action):
    return sum(len(each.keyframe_points) for each in addon.compat.all_curves(action))


def pull(addon, action, channel, frame, value):
    """Move the key nearest to a frame as an animator would, with its handles; return its frame."""
    moved = curve(addon, action, channel)
    point = min(moved.keyframe_points, key=lambda each: abs(each.co[0] - frame))
    for place in (point.co, point.handle_left, point.handle_right):
        place[1] += value
    moved.update()
    return point.co[0]


def played(addon, rig, frames):
    return addon.takes.evaluation.read(rig, np.asarray(frames, float))


@pytest.fixture
def take(addon, fake, rig):
    assert bpy.ops.osmnet.sample_takes(count=1, expression=True, keys="FEW") == {"FINISHED"}
    return rig.osmnet.takes[0]


@pytest.mark.parametrize(("fps", "start"), [(24, 1.0), (25, 1.0), (60, 7.25)])
def test_every_frame_is_within_the_tolerance(addon, fake, rig, fps, start):
    bpy.context.scene.render.fps = fps
    rig.osmnet.voice_start = start
    for keys in ("EVERY", "FEW"):
        bpy.ops.osmnet.sample_takes(count=1, expression=True, keys=keys)
    every, few = (take.action for take in rig.osmnet.takes)
    frames = whole_frames(addon, rig, 0)
    dense, sparse = (addon.takes.actions.read_curves(action, frames) for action in (every, few))
    assert (np.abs(dense - sparse).max(axis=0) <= TOLERANCE).all()
    assert np.abs(dense - sparse).max() > 0
    assert keys_in(addon, few) < 0.5 * keys_in(addon, every)
    sampled = [addon.takes.actions.sampled_curves(action) for action in (every, few)]
    np.testing.assert_array_equal(*sampled)
    assert not addon.takes.layers.is_edited(rig.osmnet.takes[1])


def test_faster_motion_is_within_the_tolerance_too(addon, fake, rig):
    values = smooth(400, 5)
    when = timing(addon, rig, 400, FPS)
    index = addon.takes.collection.add(rig, "waves", when, values, {}, few=True)
    dense = addon.takes.collection.add(rig, "all", when, values, {})
    frames = whole_frames(addon, rig, index)
    found, wanted = (
        addon.takes.actions.read_curves(rig.osmnet.takes[number].action, frames)
        for number in (index, dense)
    )
    assert (np.abs(found - wanted).max(axis=0) <= TOLERANCE).all()


def test_pins_are_met_in_few_keys(addon, fake, rig):
    wanted = {20: (12, -25, 4), 21: (11, -24, 4), 47: (-3, 18, 0)}
    for frame, pose in wanted.items():
        angles = dict(zip(("pitch", "yaw", "roll"), map(radians, pose), strict=True))
        bpy.ops.osmnet.pin_pose(frame=frame, place=(0.01, 0, 0), **angles)
    bpy.ops.osmnet.sample_takes(count=2, seed=4, keys="FEW")
    bpy.ops.osmnet.choose_take(index=1)
    for again in ("sample", "meet_pins", "resample_take", "retake_range"):
        if again == "retake_range":
            bpy.ops.osmnet.retake_range(start=10, end=60)
        elif again != "sample":
            getattr(bpy.ops.osmnet, again)()
        for frame, pose in wanted.items():
            values = np.degrees(played(addon, rig, [frame])[0, :3])
            np.testing.assert_allclose(values, pose, atol=0.01, rtol=0, err_msg=again)
        assert not addon.takes.layers.is_edited(rig.osmnet.takes[1])


def test_an_edit_bends_the_curve_and_survives_as_a_layer(addon, rig, take):
    frames = whole_frames(addon, rig, 0)
    before = played(addon, rig, frames)
    where = pull(addon, take.action, YAW, 40, radians(9))
    edited = played(addon, rig, frames)
    change = np.degrees(edited - before)[:, YAW]
    assert change.max() == pytest.approx(9, abs=0.3)
    assert (np.abs(change) > 0.5).sum() > 3  # no spike of one frame
    assert addon.takes.layers.is_edited(take)
    plain = addon.takes.actions.as_sampled(take.action)
    bpy.ops.osmnet.resample_take(index=0, seed=0)  # the same samples
    assert take.layer is not None
    np.testing.assert_allclose(played(addon, rig, frames), edited, atol=2e-5)
    assert all_keys(addon, take.action) == all_keys(addon, plain)
    assert curve(addon, take.layer, YAW).evaluate(where) == pytest.approx(radians(9), abs=1e-4)
    bpy.ops.osmnet.discard_edits()
    np.testing.assert_allclose(played(addon, rig, frames), before, atol=2e-5)
    assert not addon.takes.layers.is_edited(take)


@pytest.mark.parametrize("name", ["retake_range", "hold_range"])
def test_ranges_leave_the_rest(addon, rig, take, name):
    frames = whole_frames(addon, rig, 0)
    far = frames[(frames < 25) | (frames > 50)]
    pull(addon, take.action, YAW, 12, radians(4))
    pull(addon, take.action, JAW_OPEN, 38, 0.2)
    before, edits = played(addon, rig, far), addon.takes.layers.edits_at(take, [12, 38])
    for _ in range(3):
        getattr(bpy.ops.osmnet, name)(start=25, end=50)
        np.testing.assert_allclose(played(addon, rig, far), before, atol=2e-6, rtol=0)
        again = addon.takes.layers.edits_at(take, [12, 38])
        np.testing.assert_allclose(again, edits, atol=3e-5, rtol=0)
    inside = np.arange(25.0, 51.0)
    plain = addon.takes.actions.as_sampled(take.action)
    sampled = addon.takes.actions.sampled_curves(take.action)
    when = addon.takes.actions.timing_of(take.action)
    wanted = [np.interp(inside, when.frames, column) for column in sampled.T]
    error = addon.takes.actions.read_curves(plain, inside) - np.transpose(wanted)
    assert (np.abs(error).max(axis=0) < 1.5 * TOLERANCE).all()
    assert keys_in(addon, take.action) < 0.6 * 58 * when.count
    bpy.ops.osmnet.discard_edits()
    assert not addon.takes.layers.is_edited(take)


def test_moving_in_time_is_no_edit(addon, rig, take):
    scene = bpy.context.scene
    for fps, start in ((30, 1.0), (24, 12.5), (25, 1.0)):
        scene.render.fps, rig.osmnet.voice_start = fps, start
        bpy.ops.osmnet.fit_takes()
        assert not addon.takes.layers.is_edited(take)
    bpy.ops.osmnet.duplicate_take(index=0)
    assert not addon.takes.layers.is_edited(rig.osmnet.takes[1])


def test_update_renders_what_a_pulled_key_changes(addon, rig, take):
    bpy.context.scene.render.fps = 25
    bpy.ops.osmnet.fit_takes()
    bpy.ops.osmnet.render_frames()
    assert addon.frames.rendering.changed_frames(rig, bpy.context.scene) == 0
    pull(addon, take.action, YAW, 40, radians(9))
    changed = addon.frames.rendering.changed_frames(rig, bpy.context.scene)
    assert 3 < changed < 60
    bpy.ops.osmnet.update_frames()
    assert addon.frames.rendering.changed_frames(rig, bpy.context.scene) == 0


def test_undo_and_the_file_bring_few_keys_back(addon, rig, take, tmp_path):
    before = state_of(addon, rig)
    bpy.ops.osmnet.resample_take(index=0, seed=8)
    bpy.ops.ed.undo()
    rig = addon.rig.head.need_rig(bpy.context)
    assert state_of(addon, rig) == before
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "few.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "few.blend"))
    rig = addon.rig.head.need_rig(bpy.context)
    assert state_of(addon, rig) == before
    assert not addon.takes.layers.is_edited(rig.osmnet.takes[0])


def test_imported_takes_have_few_keys_if_wanted(addon, rig, take, tmp_path):
    path = str(tmp_path / "take.npz")
    bpy.ops.osmnet.export_take(filepath=path)
    bpy.ops.osmnet.import_take(filepath=path, keys="FEW")
    bpy.ops.osmnet.import_take(filepath=path)
    few, every = (keys_in(addon, rig.osmnet.takes[index].action) for index in (1, 2))
    assert few < 0.6 * every
    assert bpy.context.scene.osmnet.keys == "FEW"  # what the panel's buttons ask for
