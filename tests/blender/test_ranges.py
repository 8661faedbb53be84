"""Hold Here and Retake Range: what changes, what does not, what becomes of edits."""

from __future__ import annotations

from math import radians

import bpy
import numpy as np
import pytest
from support import JAW_OPEN, YAW, add_to_key, curve, sentence_of, status
from take_support import all_keys, keys_of, state_of, whole_frames

FIRST, LAST = 25, 50


def select_markers(*frames):
    scene = bpy.context.scene
    scene.timeline_markers.clear()
    for frame in frames:
        scene.timeline_markers.new(f"at {frame}", frame=frame).select = True


def outside(addon, rig, index, first=FIRST, last=LAST):
    frames = whole_frames(addon, rig, index)
    return frames[(frames < first) | (frames > last)]


def keys_outside(addon, action, first=FIRST, last=LAST):
    """Every key of an action that lies outside, with its handles."""
    found = {}
    for each in addon.compat.all_curves(action):
        keys = keys_of(each)
        kept = (keys[:, 0] < first) | (keys[:, 0] > last)
        found[each.data_path, each.array_index] = keys[kept].tobytes()
    return found


def yaw_at(addon, rig, frames):
    return np.degrees(addon.takes.evaluation.read(rig, np.asarray(frames, float))[:, YAW])


@pytest.mark.parametrize(
    ("fps", "base", "start"), [(24, 1.0, 1.0), (25, 1.0, 1.0), (30, 1.001, 7.25)]
)
def test_a_retake_changes_the_range_alone(addon, fake, rig, fps, base, start):
    render = bpy.context.scene.render
    render.fps, render.fps_base = fps, base
    rig.osmnet.voice_start = start
    bpy.ops.osmnet.sample_takes(count=2, expression=True)
    action = rig.osmnet.takes[0].action
    far, other = outside(addon, rig, 0), all_keys(addon, rig.osmnet.takes[1].action)
    before, keys = addon.takes.evaluation.read(rig, far), keys_outside(addon, action)
    inside = np.arange(FIRST + 8, LAST - 8)
    yaw = yaw_at(addon, rig, inside)
    select_markers(FIRST, LAST)
    assert bpy.ops.osmnet.retake_range() == {"FINISHED"}
    np.testing.assert_array_equal(addon.takes.evaluation.read(rig, far), before)
    assert keys_outside(addon, action) == keys
    assert np.abs(yaw_at(addon, rig, inside) - yaw).max() > 0.5
    assert all_keys(addon, rig.osmnet.takes[1].action) == other
    assert rig.osmnet.takes[0].layer is None
    assert not addon.takes.layers.is_edited(rig.osmnet.takes[0])
    (retake,) = addon.takes.actions.provenance_of(action)["options"]["retakes"]
    assert (retake["seed"], retake["eyes"]) == (1, True)
    assert status().note == "'my voice 01', frames 25 to 50, sampled anew with seed 1."
    once = yaw_at(addon, rig, inside)
    bpy.ops.osmnet.retake_range()
    assert np.abs(yaw_at(addon, rig, inside) - once).max() > 0.5


def test_a_hold_keeps_the_pose_at_the_playhead(addon, fake, rig):
    bpy.ops.osmnet.sample_takes(count=1, seed=5, epsilon=2)
    scene = bpy.context.scene
    far = outside(addon, rig, 0)
    before, free = addon.takes.evaluation.read(rig, far), yaw_at(addon, rig, range(FIRST, LAST))
    here = yaw_at(addon, rig, [30])[0]
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = FIRST, LAST
    scene.frame_set(30)
    assert bpy.ops.osmnet.hold_range() == {"FINISHED"}
    np.testing.assert_array_equal(addon.takes.evaluation.read(rig, far), before)
    middle = yaw_at(addon, rig, range(35, 41))
    np.testing.assert_allclose(middle, here, atol=0.6)
    assert np.ptp(middle) < 0.3 * np.ptp(free)
    assert status().note.endswith("frames 25 to 50, held.")


def test_the_range_is_that_of_markers_then_the_preview_range_then_the_scenes(addon, fake, rig):
    scene, chosen = bpy.context.scene, addon.takes.ranges.chosen
    scene.frame_start, scene.frame_end = 3, 60
    found = chosen(scene)
    assert (found.first, found.last) == (3, 60)
    assert "No range was chosen" in found.hint
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 10, 40
    assert (chosen(scene).first, chosen(scene).last, chosen(scene).hint) == (10, 40, "")
    select_markers(44)
    assert chosen(scene).first == 10
    select_markers(44, 12, 30)
    assert (chosen(scene).first, chosen(scene).last) == (12, 44)
    scene.timeline_markers.clear()
    scene.use_preview_range = False
    bpy.ops.osmnet.sample_takes(count=1)
    bpy.ops.osmnet.retake_range()
    assert "No range was chosen" in status().note


@pytest.mark.parametrize("again", ["hold_range", "retake_range"])
def test_edits_survive_as_a_layer_in_the_range_and_in_place_outside(addon, fake, rig, again):
    bpy.ops.osmnet.sample_takes(count=1, expression=True)
    take = rig.osmnet.takes[0]
    inner = add_to_key(addon, take.action, YAW, 38, radians(9))
    jaw = add_to_key(addon, take.action, JAW_OPEN, 40, 0.3)
    outer = add_to_key(addon, take.action, YAW, 10, radians(-5))
    far = outside(addon, rig, 0)
    before, keys = addon.takes.evaluation.read(rig, far), keys_outside(addon, take.action)
    plain = addon.takes.actions.sampled_curves(take.action)
    assert getattr(bpy.ops.osmnet, again)(start=FIRST, end=LAST) == {"FINISHED"}
    assert keys_outside(addon, take.action) == keys
    np.testing.assert_allclose(addon.takes.evaluation.read(rig, far), before, atol=1e-7, rtol=0)
    sampled = addon.takes.actions.sampled_curves(take.action)
    assert np.abs(sampled - plain).max() > radians(0.2)
    for channel, frame, size in ((YAW, inner, radians(9)), (JAW_OPEN, jaw, 0.3)):
        assert curve(addon, take.layer, channel).evaluate(frame) == pytest.approx(size, abs=1e-5)
    assert curve(addon, take.layer, YAW).evaluate(outer) == 0
    layer = all_keys(addon, take.layer)
    bpy.ops.osmnet.retake_range(start=FIRST, end=LAST)  # and again: the layer is left as it is
    assert all_keys(addon, take.layer) == layer
    bpy.ops.osmnet.discard_edits()
    assert not addon.takes.layers.is_edited(take)


def test_an_edit_across_the_end_of_the_range_keeps_its_sum(addon, fake, rig):
    bpy.ops.osmnet.sample_takes(count=1)
    take = rig.osmnet.takes[0]
    for key in range(44, 54):
        add_to_key(addon, take.action, YAW, key, radians(6))
    frames = whole_frames(addon, rig, 0)
    edits = addon.takes.layers.edits_at(take, frames.astype(int))
    bpy.ops.osmnet.retake_range(start=FIRST, end=LAST)
    after = addon.takes.layers.edits_at(take, frames.astype(int))
    np.testing.assert_allclose(after, edits, atol=2e-6)


def test_curves_with_few_keys_keep_their_shape_outside(addon, fake, rig):
    """Keys deleted by the animator: the range's ends lie between two that are far apart."""
    bpy.ops.osmnet.sample_takes(count=1)
    take = rig.osmnet.takes[0]
    moved = curve(addon, take.action, YAW)
    for number in reversed(range(len(moved.keyframe_points))):
        if number % 30:
            moved.keyframe_points.remove(moved.keyframe_points[number])
    moved.update()
    far = outside(addon, rig, 0)
    before = addon.takes.evaluation.read(rig, far)
    bpy.ops.osmnet.retake_range(start=FIRST, end=LAST)
    np.testing.assert_allclose(addon.takes.evaluation.read(rig, far), before, atol=1e-6, rtol=0)


def test_pins_in_the_range_are_met_and_the_joins_are_smooth(addon, fake, rig):
    bpy.ops.osmnet.sample_takes(count=1)
    action = rig.osmnet.takes[0].action
    bpy.ops.osmnet.pin_pose(frame=37, pitch=0.0, yaw=radians(14), roll=0.0, place=(0, 0, 0))
    bpy.ops.osmnet.pin_pose(frame=70, pitch=0.0, yaw=radians(-30), roll=0.0, place=(0, 0, 0))
    bpy.ops.osmnet.retake_range(start=20, end=60)
    assert np.degrees(curve(addon, action, YAW).evaluate(37)) == pytest.approx(14, abs=0.01)
    steps = np.diff(yaw_at(addon, rig, whole_frames(addon, rig, 0)))
    assert np.abs(steps).max() < 4


def test_takes_without_expression_and_imported_ones_are_retaken(addon, fake, rig, tmp_path):
    bpy.ops.osmnet.sample_takes(count=1)
    assert bpy.ops.osmnet.export_take(filepath=str(tmp_path / "a.csv")) == {"FINISHED"}
    bpy.ops.osmnet.import_take(filepath=str(tmp_path / "a.csv"))
    assert bpy.ops.osmnet.retake_range(start=FIRST, end=LAST) == {"FINISHED"}
    assert bpy.ops.osmnet.hold_range(start=FIRST, end=LAST) == {"FINISHED"}
    bpy.ops.osmnet.choose_take(index=0)
    assert bpy.ops.osmnet.hold_range(start=FIRST, end=LAST) == {"FINISHED"}
    channels = addon.takes.actions.channels_of(rig.osmnet.takes[0].action)
    assert channels == list(range(6))


@pytest.mark.parametrize("name", ["hold_range", "retake_range"])
def test_each_is_one_undo_step(addon, fake, rig, name):
    bpy.ops.osmnet.sample_takes(count=1)
    before = state_of(addon, rig)
    getattr(bpy.ops.osmnet, name)(start=FIRST, end=LAST)
    after = state_of(addon, rig)
    assert after != before
    bpy.ops.ed.undo()
    assert state_of(addon, addon.rig.head.need_rig(bpy.context)) == before
    bpy.ops.ed.redo()
    assert state_of(addon, addon.rig.head.need_rig(bpy.context)) == after


def test_ranges_that_cannot_be_made_anew_are_refused(addon, fake, rig):
    def refused(name="retake_range", **properties):
        with pytest.raises(RuntimeError) as error:
            getattr(bpy.ops.osmnet, name)(**properties)
        return sentence_of(error.value)

    bpy.ops.osmnet.sample_takes(count=1)
    before = state_of(addon, rig)
    assert "choose another range" in refused(start=500, end=600)
    assert "too short" in refused(start=20, end=22)
    assert "too short" in refused("hold_range", start=20, end=22)
    assert state_of(addon, rig) == before


def test_the_sdks_engine_retakes_and_holds(addon, rig):
    bpy.ops.osmnet.sample_takes(count=1, expression=True)
    far = outside(addon, rig, 0)
    before, keys = (
        addon.takes.evaluation.read(rig, far),
        keys_outside(addon, rig.osmnet.takes[0].action),
    )
    for name in ("retake_range", "hold_range"):
        assert getattr(bpy.ops.osmnet, name)(start=FIRST, end=LAST) == {"FINISHED"}
        np.testing.assert_array_equal(addon.takes.evaluation.read(rig, far), before)
        assert keys_outside(addon, rig.osmnet.takes[0].action) == keys
    assert np.ptp(yaw_at(addon, rig, range(35, 41))) < 0.5
    assert not addon.takes.layers.is_edited(rig.osmnet.takes[0])
