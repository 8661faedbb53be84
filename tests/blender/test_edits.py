"""Edits of a take, made in Blender's own ways, and what becomes of them over new samples."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from support import JAW_OPEN, YAW, add_to_key, curve
from take_support import (
    MADE,
    add_take,
    all_keys,
    at_samples,
    keys_of,
    smooth,
    timing,
    whole_frames,
)


@pytest.fixture(params=[25, 24])
def take(request, addon, fake, rig):
    """A chosen take in a scene whose frames lie on the samples, or do not."""
    bpy.context.scene.render.fps = request.param
    add_take(addon, rig, 1)
    addon.takes.nla.choose(rig, 0)
    return rig.osmnet.takes[0]


def resample(addon, rig, seed, count=50, channels=range(58), **options):
    addon.takes.collection.layers.replace_samples(
        rig, 0, timing(addon, rig, count), smooth(count, seed), MADE, channels, **options
    )


def unedited(addon, rig, seed, count=50):
    """What a take of these samples alone does at the whole frames."""
    index = add_take(addon, rig, seed, count)
    addon.takes.nla.choose(rig, index)
    values = addon.takes.evaluation.read(rig, whole_frames(addon, rig, index))
    addon.takes.collection.remove(rig, index)
    addon.takes.nla.choose(rig, 0)
    return values


def is_edited(addon, take):
    return addon.takes.collection.layers.is_edited(take)


def yaw(addon, take):
    return curve(addon, take.action, YAW)


def move_one_key(addon, rig, take):
    add_to_key(addon, take.action, YAW, 20, 0.15)


def insert_a_key(addon, rig, take):
    """As an animator does: pose the head at a frame and press I."""
    bpy.context.scene.frame_set(22)
    bone = rig.pose.bones["head"]
    bone.rotation_euler[1] += 0.2
    assert bone.keyframe_insert("rotation_euler", index=1)


def insert_between_frames(addon, rig, take):
    yaw(addon, take).keyframe_points.insert(20.47, 0.3)
    yaw(addon, take).update()


def delete_keys(addon, rig, take):
    points = yaw(addon, take).keyframe_points
    for point in reversed(list(points)[10:30]):
        points.remove(point)


def move_many_keys(addon, rig, take):
    values = keys_of(yaw(addon, take))
    points = yaw(addon, take).keyframe_points
    values[10:40, 1] += 0.1
    points.foreach_set("co", values[:, :2].ravel())
    yaw(addon, take).update()


def move_keys_in_time(addon, rig, take):
    values = keys_of(yaw(addon, take))
    values[:, 0] += 6
    yaw(addon, take).keyframe_points.foreach_set("co", values[:, :2].ravel())
    yaw(addon, take).update()


def hold_values(addon, rig, take):
    for point in list(yaw(addon, take).keyframe_points)[5:15]:
        point.interpolation = "CONSTANT"


def open_the_jaw(addon, rig, take):
    add_to_key(addon, take.action, JAW_OPEN, 12, 0.05)
    add_to_key(addon, take.action, JAW_OPEN, 49, 0.04)


WAYS = [
    move_one_key, insert_a_key, insert_between_frames, delete_keys, move_many_keys,
    move_keys_in_time, hold_values, open_the_jaw,
]  # fmt: skip


@pytest.mark.parametrize("edit", WAYS)
def test_edits_survive_new_samples(addon, rig, take, edit):
    frames = whole_frames(addon, rig, 0)
    assert not is_edited(addon, take)
    sampled = addon.takes.evaluation.read(rig, frames)
    edit(addon, rig, take)
    if edit is hold_values and bpy.context.scene.render.fps == 25:
        assert not is_edited(addon, take)  # nothing to be seen on any frame
        return
    assert is_edited(addon, take)
    change = addon.takes.evaluation.read(rig, frames) - sampled
    if edit is not insert_between_frames or bpy.context.scene.render.fps != 25:
        assert np.abs(change).max() > 0.003
    resample(addon, rig, 2)
    assert take.layer is not None
    assert rig.animation_data.action == take.layer
    assert not addon.takes.nla.track_of(rig, take.action).mute
    expected = unedited(addon, rig, 2) + change
    np.testing.assert_allclose(
        addon.takes.evaluation.read(rig, frames), expected, atol=2e-5, rtol=0
    )
    np.testing.assert_allclose(
        addon.takes.actions.sampled_curves(take.action), smooth(50, 2), atol=1e-6, rtol=0
    )
    # once more, with the same layer
    resample(addon, rig, 3)
    expected = unedited(addon, rig, 3) + change
    np.testing.assert_allclose(
        addon.takes.evaluation.read(rig, frames), expected, atol=3e-5, rtol=0
    )
    # merging changes nothing, and the merged edits are edits still
    bpy.ops.osmnet.merge_edits()
    assert take.layer is None
    assert rig.animation_data.action == take.action
    np.testing.assert_allclose(
        addon.takes.evaluation.read(rig, frames), expected, atol=3e-5, rtol=0
    )
    assert is_edited(addon, take)
    resample(addon, rig, 1)
    np.testing.assert_allclose(
        addon.takes.evaluation.read(rig, frames), sampled + change, atol=5e-5, rtol=0
    )
    bpy.ops.osmnet.discard_edits()
    assert take.layer is None
    assert not is_edited(addon, take)
    np.testing.assert_allclose(addon.takes.evaluation.read(rig, frames), sampled, atol=1e-6, rtol=0)


def test_one_edited_key_is_a_layer_with_exactly_the_difference(addon, rig, take):
    frame = add_to_key(addon, take.action, YAW, 20, 0.15)
    resample(addon, rig, 2)
    assert addon.takes.actions.channels_of(take.layer) == [YAW]
    keys = keys_of(curve(addon, take.layer, YAW))[:, :2]
    edited = keys[np.abs(keys[:, 1]) > 1e-4]
    at = edited[np.abs(edited[:, 0] - frame) < 1e-3]
    np.testing.assert_allclose(at, [[frame, 0.15]], atol=1e-6)
    assert keys[0, 1] == keys[-1, 1] == 0
    assert np.ptp(keys[:, 0]) < 8


def test_an_edit_of_the_layer_survives_as_well(addon, rig, take):
    add_to_key(addon, take.action, YAW, 20, 0.15)
    resample(addon, rig, 2)
    frames = whole_frames(addon, rig, 0)
    bpy.context.scene.frame_set(30)
    bone = rig.pose.bones["head"]
    shown = bone.rotation_euler[0]
    bone.rotation_euler[0] = shown + 0.2
    bone.keyframe_insert("rotation_euler", index=0)
    assert addon.takes.actions.channels_of(take.layer) == [0, YAW]
    change = addon.takes.evaluation.read(rig, frames) - unedited(addon, rig, 2)
    assert change[29, 0] == pytest.approx(0.2, abs=1e-5)
    assert np.abs(change[:, YAW]).max() > 0.1
    resample(addon, rig, 3)
    np.testing.assert_allclose(
        addon.takes.evaluation.read(rig, frames),
        unedited(addon, rig, 3) + change,
        atol=2e-5,
        rtol=0,
    )


def test_new_samples_without_edits_make_no_layer(addon, rig, take):
    resample(addon, rig, 2)
    assert take.layer is None
    add_to_key(addon, take.action, YAW, 20, 0.15)
    resample(addon, rig, 3, discard=True)
    assert take.layer is None
    assert not is_edited(addon, take)
    add_to_key(addon, take.action, YAW, 20, 0.15)
    resample(addon, rig, 2)
    resample(addon, rig, 3, discard=True)
    assert take.layer is None
    np.testing.assert_allclose(at_samples(addon, rig, 0), smooth(50, 3), atol=1e-6)


@pytest.mark.parametrize("count", [30, 80])
def test_a_voice_of_another_length(addon, rig, take, count):
    """Edits end with a shorter take; a longer one goes on without them."""
    values = keys_of(yaw(addon, take))
    values[20:, 1] += 0.1
    yaw(addon, take).keyframe_points.foreach_set("co", values[:, :2].ravel())
    yaw(addon, take).update()
    resample(addon, rig, 2, count)
    expected = smooth(count, 2)
    expected[20:50, YAW] += 0.1
    np.testing.assert_allclose(at_samples(addon, rig, 0), expected, atol=2e-5, rtol=0)
    track = addon.takes.nla.track_of(rig, take.action)
    last = addon.takes.actions.timing_of(take.action).frames[-1]
    assert track.strips[0].frame_end == pytest.approx(last, abs=1e-3)


def test_resampling_after_the_scene_changed_moves_the_edits(addon, rig, take):
    add_to_key(addon, take.action, YAW, 20, 0.15)
    bpy.context.scene.render.fps = 30
    rig.osmnet.voice_start = 50.0
    resample(addon, rig, 2)
    expected = smooth(50, 2)
    expected[20, YAW] += 0.15
    got = at_samples(addon, rig, 0)
    np.testing.assert_allclose(got[20], expected[20], atol=1e-5)
    assert addon.takes.actions.timing_of(take.action).frames[0] == 50.0
    far = [n for n in range(50) if abs(n - 20) > 3]
    np.testing.assert_allclose(got[far], expected[far], atol=1e-5)


def test_expression_leaves_the_motion_and_its_edits_alone(addon, fake, rig):
    for seed in range(2):
        add_take(addon, rig, seed, count=75)
    addon.takes.nla.choose(rig, 0)
    take = rig.osmnet.takes[0]
    add_to_key(addon, take.action, YAW, 20, 0.15)
    add_to_key(addon, take.action, JAW_OPEN, 30, 0.05)
    before = at_samples(addon, rig, 0)
    motion = [keys_of(curve(addon, take.action, channel)) for channel in range(6)]
    assert bpy.ops.osmnet.predict_expression() == {"FINISHED"}
    assert addon.takes.actions.channels_of(take.layer) == [JAW_OPEN]
    now = [keys_of(curve(addon, take.action, channel)) for channel in range(6)]
    np.testing.assert_array_equal(now, motion)
    after = at_samples(addon, rig, 0)
    np.testing.assert_allclose(after[:, :6], before[:, :6], atol=1e-6)
    sampled = addon.takes.actions.sampled_curves(take.action)
    difference = after[:, 6:] - sampled[:, 6:]
    assert difference[30, JAW_OPEN - 6] == pytest.approx(0.05, abs=1e-5)
    difference[30, JAW_OPEN - 6] = 0
    np.testing.assert_allclose(difference, 0, atol=1e-5)
    assert rig.osmnet.takes[1].layer is None
    # motion is still the same take's: its edit is told from its samples
    np.testing.assert_allclose(sampled[:, :6], smooth(75, 0)[:, :6], atol=1e-6)
    # a second time, the layer stays; then it is forgotten
    bpy.ops.osmnet.predict_expression(all_takes=False)
    np.testing.assert_allclose(at_samples(addon, rig, 0), after, atol=1e-6)
    bpy.ops.osmnet.predict_expression(discard_edits=True)
    assert take.layer is None
    np.testing.assert_allclose(at_samples(addon, rig, 0)[:, 6:], sampled[:, 6:], atol=1e-6)
    np.testing.assert_allclose(at_samples(addon, rig, 0)[:, :6], before[:, :6], atol=1e-6)


def test_expression_for_takes_of_another_rate_and_length(addon, fake, rig):
    """An imported take keeps its own times."""
    addon.takes.nla.choose(rig, add_take(addon, rig, 1, count=240, channels=range(6), fps=60))
    addon.takes.nla.choose(rig, add_take(addon, rig, 2, count=75, channels=range(6)))
    bpy.ops.osmnet.predict_expression()
    ours, plain = (addon.takes.actions.sampled_curves(t.action) for t in rig.osmnet.takes)
    assert ours.shape == (240, 58)
    # 0.2 s is sample 12 of 60 per second, and sample 5 of 25
    np.testing.assert_allclose(ours[::12, 6:][:15], plain[::5, 6:], atol=1e-6)
    np.testing.assert_allclose(ours[180:, 6:], np.tile(plain[-1:, 6:], (60, 1)), atol=1e-6)


def test_a_motion_only_take_stays_one(addon, fake, rig):
    addon.takes.nla.choose(rig, add_take(addon, rig, 1, count=75, channels=range(6)))
    take = rig.osmnet.takes[0]
    bpy.context.scene.frame_set(10)
    rig.pose.bones["head"].keyframe_insert('["jawOpen"]')
    bpy.ops.osmnet.resample_take(seed=4)
    assert addon.takes.actions.channels_of(take.action) == [*range(6), JAW_OPEN]
    assert take.layer is None


def test_curves_that_were_deleted_stay_deleted(addon, rig, take):
    addon.compat.curves_of(take.action).remove(yaw(addon, take))
    assert is_edited(addon, take)
    resample(addon, rig, 2)
    assert yaw(addon, take) is None
    assert take.layer is None
    bpy.ops.osmnet.discard_edits()
    assert not is_edited(addon, take)
    np.testing.assert_allclose(at_samples(addon, rig, 0), smooth(50, 2), atol=1e-6)
    # all of them gone: sampling is asked for them anew
    for channel in range(58):
        found = curve(addon, take.action, channel)
        addon.compat.curves_of(take.action).remove(found)
    bpy.ops.osmnet.resample_take(seed=3)
    assert addon.takes.actions.channels_of(take.action) == list(range(58))


def test_modifiers_and_settings_of_curves_stay(addon, rig, take):
    """Cycling goes on after the take, over new samples as well."""
    edited = yaw(addon, take)
    edited.modifiers.new("CYCLES")
    edited.lock = True
    assert is_edited(addon, take)
    beyond = addon.takes.actions.timing_of(take.action).frames[-1] + 10
    before = addon.takes.evaluation.read(rig, [beyond, 12])
    first = smooth(50, 1)[:, YAW]
    assert abs(before[0, YAW] - first[-1]) > 0.01
    add_to_key(addon, take.action, 0, 20, 0.1)
    resample(addon, rig, 2)
    edited = yaw(addon, take)
    assert (len(edited.modifiers), edited.lock) == (1, True)
    assert addon.takes.actions.channels_of(take.layer) == [0]
    np.testing.assert_allclose(at_samples(addon, rig, 0)[:, YAW], smooth(50, 2)[:, YAW], atol=1e-6)
    bpy.ops.osmnet.discard_edits()
    assert not len(yaw(addon, take).modifiers)


def test_drivers_constraints_and_the_neck_are_read_and_stay(addon, rig, take):
    frames = whole_frames(addon, rig, 0)
    before = addon.takes.evaluation.read(rig, frames)
    neck, head = rig.pose.bones["neck"], rig.pose.bones["head"]
    neck.rotation_mode = "XYZ"
    neck.rotation_euler[1] = 0.3
    turned = addon.takes.evaluation.read(rig, frames)
    assert np.abs(turned - before)[:, :3].max() > 0.2
    limit = head.constraints.new("LIMIT_ROTATION")
    limit.use_limit_x = limit.use_limit_y = limit.use_limit_z = True
    limit.owner_space = "LOCAL"
    held = addon.takes.evaluation.read(rig, frames)
    assert np.ptp(held[:, :3], axis=0).max() < 1e-5
    driver = head.driver_add('["jawOpen"]').driver
    driver.type, driver.expression = "SCRIPTED", "frame * 0.01"
    driven = addon.takes.evaluation.read(rig, frames)
    np.testing.assert_allclose(driven[:, JAW_OPEN], frames * 0.01, atol=1e-6)
    # none of that is an edit of the curves
    assert not is_edited(addon, take)
    # what is baked leaves out what goes on acting
    bpy.ops.osmnet.keep_only(name="baked")
    np.testing.assert_allclose(addon.takes.evaluation.read(rig, frames), driven, atol=1e-5)
    head.constraints.remove(limit)
    neck.rotation_euler[1] = 0.0
    head.driver_remove('["jawOpen"]')
    np.testing.assert_allclose(
        addon.takes.evaluation.read(rig, frames)[:, :6], before[:, :6], atol=2e-3
    )
    np.testing.assert_allclose(at_samples(addon, rig, 0)[:, :6], smooth(50, 1)[:, :6], atol=1e-6)


def test_keys_of_other_bones_in_our_actions_are_kept(addon, rig, take):
    neck = rig.pose.bones["neck"]
    neck.keyframe_insert("location", frame=5)
    add_to_key(addon, take.action, YAW, 20, 0.1)
    resample(addon, rig, 2)
    neck.keyframe_insert("scale", frame=5)
    paths = {'pose.bones["neck"].location', 'pose.bones["neck"].scale'}
    before = {
        key: value
        for action in (take.action, take.layer)
        for key, value in all_keys(addon, action).items()
        if key[0] in paths
    }
    assert len(before) == 6
    resample(addon, rig, 3)
    bpy.ops.osmnet.merge_edits()
    resample(addon, rig, 4)
    bpy.ops.osmnet.discard_edits()
    now = {
        key: value
        for action in (take.action, take.layer)
        for key, value in all_keys(addon, action).items()
        if key[0] in paths
    }
    assert now == before
