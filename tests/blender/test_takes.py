"""The list of takes: sampling, choosing, renaming, copying, deleting, moving in time, undo."""

from __future__ import annotations

import json

import bpy
import numpy as np
import pytest
from support import JAW_OPEN, YAW, add_to_key, curve, sentence_of, status
from take_support import (
    add_take,
    all_keys,
    at_samples,
    keys_of,
    smooth,
    state_of,
    timing,
    whole_frames,
)

RATES = [(24, 1.0), (25, 1.0), (30, 1.001), (60, 1.0)]


@pytest.mark.parametrize(("fps", "base"), RATES)
def test_sampled_takes_lie_at_their_exact_times(addon, fake, rig, fps, base):
    render = bpy.context.scene.render
    render.fps, render.fps_base = fps, base
    rig.osmnet.voice_start = 7.25
    assert bpy.ops.osmnet.sample_takes(count=3, seed=5, expression=True) == {"FINISHED"}
    takes, tracks = rig.osmnet.takes, rig.animation_data.nla_tracks
    assert [take.name for take in takes] == ["my voice 01", "my voice 02", "my voice 03"]
    assert [track.name for track in tracks] == [take.name for take in takes]
    assert all(track.mute and len(track.strips) == 1 for track in tracks)
    assert [track.strips[0].action for track in tracks] == [take.action for take in takes]
    assert rig.animation_data.action == takes[0].action
    assert rig.osmnet.chosen == rig.osmnet.index == 0
    expected = np.float32(7.25 + np.arange(75) / 25 * (fps / base))
    for number, take in enumerate(takes):
        made = json.loads(take.action["osmnet"]["provenance"])
        assert (made["seed"], made["take"], made["audio"]) == (5, number, "my voice.wav")
        for channel in (0, YAW, 5, JAW_OPEN, 57):
            keys = keys_of(curve(addon, take.action, channel))
            np.testing.assert_allclose(keys[:, 0], expected, atol=2e-4 * fps / 25, rtol=0)
        strip = tracks[number].strips[0]
        assert strip.frame_start == pytest.approx(7.25)
        assert strip.frame_end == pytest.approx(expected[-1], abs=1e-3)
        bpy.ops.osmnet.choose_take(index=number)
        sampled = addon.takes.actions.sampled_curves(take.action)
        np.testing.assert_allclose(at_samples(addon, rig, number), sampled, atol=1e-6, rtol=0)
    first, second = (addon.takes.actions.sampled_curves(takes[n].action) for n in (0, 1))
    assert np.abs(first[:, :6] - second[:, :6]).max() > 0.01
    # without an active action the tracks tell the same
    bpy.ops.osmnet.blend_takes()
    np.testing.assert_allclose(
        at_samples(addon, rig, 2),
        addon.takes.actions.sampled_curves(takes[2].action),
        atol=1e-5,
        rtol=0,
    )


def test_a_file_gives_its_values_back(addon, fake, rig, tmp_path):
    values = smooth(40, 1)
    file = addon.core.takes.TakeFile(
        take_fps := timing(addon, rig, 1).fps, np.degrees(values[:, :3]), values[:, 3:6],
        values[:, 6:],
    )  # fmt: skip
    source, target = tmp_path / "Rolle ä 1.npz", tmp_path / "zurück.npz"
    addon.core.takes.write_take(source, file)
    bpy.ops.osmnet.import_take(filepath=str(source))
    assert rig.osmnet.takes[0].name == "Rolle ä 1"
    bpy.ops.osmnet.export_take(filepath=str(target))
    read = addon.core.takes.read_take(target)
    assert read.fps == take_fps
    np.testing.assert_allclose(read.rotation, file.rotation, atol=1e-4)
    np.testing.assert_allclose(read.translation, file.translation, atol=1e-6)
    np.testing.assert_allclose(read.coefficients, file.coefficients, atol=1e-6)


def test_only_the_chosen_take_plays(addon, fake, rig):
    for seed in range(3):
        add_take(addon, rig, seed)
    for index in (2, 0, 1):
        bpy.ops.osmnet.choose_take(index=index)
        np.testing.assert_allclose(
            at_samples(addon, rig, index), smooth(50, index), atol=1e-6, rtol=0
        )


def test_renaming(addon, fake, rig):
    index = add_take(addon, rig, 1)
    other = add_take(addon, rig, 2)
    addon.takes.nla.choose(rig, index)
    add_to_key(addon, rig.osmnet.takes[index].action, YAW, 10, 0.1)
    bpy.ops.osmnet.resample_take(index=index, seed=8)
    take = rig.osmnet.takes[index]
    bpy.ops.osmnet.rename_take(index=index, name="  Großaufnahme ")
    tracks = [addon.takes.nla.track_of(rig, action) for action in (take.action, take.layer)]
    assert take.name == take.action.name == tracks[0].name == tracks[0].strips[0].name
    assert take.name == "Großaufnahme"
    assert take.layer.name == tracks[1].name == tracks[1].strips[0].name == "Großaufnahme edits"
    take.name = "by the list"
    assert take.layer.name == "by the list edits"
    # Blender adds a number to a name that is taken
    bpy.ops.osmnet.rename_take(index=other, name="by the list")
    assert rig.osmnet.takes[other].name == "by the list.001"
    with pytest.raises(RuntimeError, match=r"Error: A take needs a name\."):
        bpy.ops.osmnet.rename_take(index=other, name="  ")


def test_deleting(addon, fake, rig):
    for seed in range(4):
        add_take(addon, rig, seed, name=f"t{seed}")
    state = rig.osmnet

    def names():
        return [take.name for take in state.takes]

    bpy.ops.osmnet.choose_take(index=2)
    bpy.ops.osmnet.delete_take(index=0)
    assert names() == ["t1", "t2", "t3"]
    assert (state.chosen, state.index) == (1, 1)
    assert rig.animation_data.action.name == "t2"
    bpy.ops.osmnet.delete_take(index=2)
    assert (names(), state.chosen) == (["t1", "t2"], 1)
    bpy.ops.osmnet.delete_take()
    assert (names(), state.chosen, state.index) == (["t1"], 0, 0)
    assert rig.animation_data.action.name == "t1"
    bpy.ops.osmnet.delete_take(index=0)
    assert (names(), state.chosen, state.index) == ([], -1, 0)
    assert rig.animation_data.action is None
    assert not len(rig.animation_data.nla_tracks)
    assert not len(bpy.data.actions)


def test_deleting_while_blending_goes_on_blending(addon, fake, rig):
    for seed in range(3):
        add_take(addon, rig, seed)
    addon.takes.nla.choose(rig, 1)
    bpy.ops.osmnet.blend_takes()
    bpy.ops.osmnet.delete_take(index=1)
    assert rig.osmnet.blending
    assert rig.animation_data.action is None
    assert rig.osmnet.chosen == 1
    for _ in range(2):
        bpy.ops.osmnet.delete_take(index=0)
    assert not rig.osmnet.blending


def test_a_copy_has_the_edits_and_is_independent(addon, fake, rig):
    add_take(addon, rig, 1, name="one")
    addon.takes.nla.choose(rig, 0)
    add_to_key(addon, rig.osmnet.takes[0].action, YAW, 10, 0.1)
    bpy.ops.osmnet.resample_take(index=0, seed=2)
    add_to_key(addon, rig.osmnet.takes[0].action, 0, 20, 0.1)
    before = at_samples(addon, rig, 0)
    bpy.ops.osmnet.duplicate_take(index=0)
    one, copy = rig.osmnet.takes
    assert (rig.osmnet.chosen, copy.name, copy.layer.name) == (1, "one.001", "one.001 edits")
    assert addon.takes.nla.track_of(rig, copy.action).name == "one.001"
    np.testing.assert_allclose(at_samples(addon, rig, 1), before, atol=1e-6)
    kept = all_keys(addon, one.action), all_keys(addon, one.layer)
    add_to_key(addon, copy.action, YAW, 30, 0.2)
    bpy.ops.osmnet.discard_edits(index=1)
    assert copy.layer is None
    assert (all_keys(addon, one.action), all_keys(addon, one.layer)) == kept


@pytest.mark.parametrize("count", [75, 20])
def test_takes_fit_another_frame_rate_and_start(addon, fake, rig, count):
    scene = bpy.context.scene
    scene.render.fps = 24
    add_take(addon, rig, 1, count)
    addon.takes.nla.choose(rig, 0)
    action = rig.osmnet.takes[0].action
    moved = curve(addon, action, YAW)
    point = moved.keyframe_points[7]
    point.interpolation, point.handle_right_type = "BEZIER", "FREE"
    point.co[1] += 0.1
    point.handle_right = point.co[0] + 0.5, point.co[1] + 0.2
    moved.update()
    bpy.ops.osmnet.resample_take(seed=4)
    add_to_key(addon, action, 0, 3, 0.1)
    rig.pose.bones["neck"].keyframe_insert("location", frame=13)
    track = addon.takes.nla.track_of(rig, action)
    at = addon.takes.actions.timing_of(action).frames
    before, keys = addon.takes.evaluation.read(rig, at), keys_of(curve(addon, action, 0))
    scene.render.fps, scene.render.fps_base = 60, 1.001
    rig.osmnet.voice_start = 101.5
    bpy.ops.osmnet.fit_takes()
    assert status().note == "1 takes moved."
    after = addon.takes.actions.timing_of(action)
    assert (after.start, after.rate) == (101.5, addon.takes.actions.scene_rate(scene))
    rate = 60 / 1.001
    exact = np.float32(101.5 + np.arange(len(keys)) / 25 * rate)
    now = keys_of(curve(addon, action, 0))
    np.testing.assert_allclose(now[:, 0], exact, atol=1e-4, rtol=0)
    np.testing.assert_allclose(now[:, 4], 101.5 + (keys[:, 4] - 1) / 24 * rate, atol=2e-3, rtol=0)
    np.testing.assert_allclose(addon.takes.evaluation.read(rig, after.frames), before, atol=1e-5)
    assert track.strips[0].frame_start == pytest.approx(101.5)
    assert track.strips[0].frame_end == pytest.approx(exact[-1], abs=1e-3)
    bpy.ops.osmnet.fit_takes()
    assert status().note == "0 takes moved."
    # moving is no edit
    bpy.ops.osmnet.discard_edits()
    assert not addon.takes.collection.layers.is_edited(rig.osmnet.takes[0])
    scene.render.fps, scene.render.fps_base = 24, 1.0
    bpy.ops.osmnet.fit_takes()
    assert not addon.takes.collection.layers.is_edited(rig.osmnet.takes[0])


def test_fitting_moves_nla_strips_as_they_are(addon, fake, rig):
    scene = bpy.context.scene
    scene.render.fps = 25
    for seed in range(2):
        add_take(addon, rig, seed)
    addon.takes.nla.choose(rig, 0)
    bpy.ops.osmnet.blend_takes()
    tracks = rig.animation_data.nla_tracks
    tracks[0].mute = tracks[1].mute = False
    strip = tracks[1].strips[0]
    addon.compat.set_strip_range(strip, (11, 31), (16, 36))  # cut, and later
    rig.osmnet.takes[1].influence = 0.25
    before = addon.takes.evaluation.read(rig, np.arange(1, 50))
    scene.render.fps = 50
    bpy.ops.osmnet.fit_takes()
    after = addon.takes.evaluation.read(rig, 1 + 2 * np.arange(0, 49))
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert rig.osmnet.takes[1].influence == pytest.approx(0.25)


SCENE_OPERATORS = {
    "choose_take": {"index": 1},
    "delete_take": {"index": 0},
    "duplicate_take": {"index": 0},
    "rename_take": {"index": 0, "name": "new"},
    "discard_edits": {"index": 0},
    "merge_edits": {"index": 0},
    "blend_takes": {},
    "keep_only": {"name": "baked"},
    "fit_takes": {},
    "sample_takes": {"count": 2},
    "resample_take": {"index": 0, "seed": 9},
    "predict_expression": {},
    "hold_range": {"start": 25, "end": 45},
    "retake_range": {"start": 25, "end": 45},
}


@pytest.mark.parametrize("name", SCENE_OPERATORS)
def test_each_operator_is_one_undo_step(addon, fake, rig, name):
    for seed in range(2):
        add_take(addon, rig, seed, channels=range(6))
    addon.takes.nla.choose(rig, 0)
    add_to_key(addon, rig.osmnet.takes[0].action, YAW, 10, 0.1)
    bpy.ops.osmnet.resample_take(index=0, seed=2)
    rig.osmnet.voice_start = 20.0
    bpy.ops.ed.undo_push(message="before")
    before, rig_name = state_of(addon, rig), rig.name
    operator = getattr(bpy.ops.osmnet, name)
    assert operator("EXEC_DEFAULT", True, **SCENE_OPERATORS[name]) == {"FINISHED"}
    after = state_of(addon, bpy.data.objects[rig_name])
    assert after != before
    bpy.ops.ed.undo()
    assert state_of(addon, bpy.data.objects[rig_name]) == before
    bpy.ops.ed.redo()
    assert state_of(addon, bpy.data.objects[rig_name]) == after


INDEX_OPERATORS = [name for name in SCENE_OPERATORS if "index" in SCENE_OPERATORS[name]]


def refused(addon, rig, operator, words, **options):
    """The operator says one sentence and changes nothing."""
    before = state_of(addon, rig)
    with pytest.raises(RuntimeError) as caught:
        getattr(bpy.ops.osmnet, operator)(**options)
    assert words in sentence_of(caught.value)
    assert state_of(addon, rig) == before


@pytest.mark.parametrize("name", INDEX_OPERATORS)
def test_takes_that_are_not_there(addon, fake, rig, name):
    options = dict(SCENE_OPERATORS[name])
    refused(addon, rig, name, "There is no take yet", **options)
    refused(addon, rig, name, "There is no take yet", **{**options, "index": -1})
    add_take(addon, rig, 1)
    addon.takes.nla.choose(rig, 0)
    refused(
        addon, rig, name, "There is no take number 8; the rig has 1.", **{**options, "index": 7}
    )


@pytest.mark.parametrize("name", ["blend_takes", "keep_only", "predict_expression"])
def test_without_takes(addon, fake, rig, name):
    refused(addon, rig, name, "There is no take yet")


def test_a_take_whose_action_was_deleted_by_hand(addon, fake, rig):
    for seed in range(2):
        add_take(addon, rig, seed)
    addon.takes.nla.choose(rig, 0)
    bpy.data.actions.remove(rig.osmnet.takes[0].action)
    for name in INDEX_OPERATORS:
        if name != "delete_take":
            options = {**SCENE_OPERATORS[name], "index": 0}
            refused(addon, rig, name, "The action of take number 1 was deleted", **options)
    bpy.ops.osmnet.predict_expression(all_takes=True)
    bpy.ops.osmnet.fit_takes()
    assert bpy.ops.osmnet.delete_take() == {"FINISHED"}
    assert [take.name for take in rig.osmnet.takes] == ["voice 01"]
    assert rig.animation_data.action == rig.osmnet.takes[0].action
    # the chosen one goes, and what is left has no action
    add_take(addon, rig, 2)
    bpy.data.actions.remove(rig.osmnet.takes[1].action)
    bpy.ops.osmnet.delete_take(index=0)
    assert (len(rig.osmnet.takes), rig.osmnet.chosen) == (1, -1)


def test_a_rig_that_blender_copied_gets_takes_of_its_own(addon, fake, rig):
    for seed in range(3):
        add_take(addon, rig, seed)
    addon.takes.nla.choose(rig, 1)
    add_to_key(addon, rig.osmnet.takes[1].action, YAW, 10, 0.1)
    bpy.ops.osmnet.resample_take(index=1, seed=2)
    before, state = at_samples(addon, rig, 1), state_of(addon, rig)
    plain = rig.copy()
    bpy.context.collection.objects.link(plain)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.object.select_all(action="DESELECT")
    rig.select_set(True)
    bpy.context.view_layer.objects.active = rig
    bpy.context.preferences.edit.use_duplicate_action = True
    bpy.ops.object.duplicate()
    rig_id = rig.osmnet.rig_id
    for copy in (plain, bpy.context.view_layer.objects.active):
        bpy.context.view_layer.objects.active = copy
        assert addon.rig.head.need_rig(bpy.context) == copy
        assert copy.osmnet.rig_id != rig.osmnet.rig_id
        own = {a for take in copy.osmnet.takes for a in (take.action, take.layer) if a}
        assert len(own) == 4
        used = [s.action for t in copy.animation_data.nla_tracks for s in t.strips]
        assert set(used) == own
        assert copy.animation_data.action == copy.osmnet.takes[1].layer
        np.testing.assert_allclose(at_samples(addon, copy, 1), before, atol=1e-6)
        for take in copy.osmnet.takes:
            add_to_key(addon, take.action, YAW, 5, 1.0)
        addon.takes.nla.choose(copy, 0)
        addon.takes.nla.choose(copy, 1)
    assert rig.osmnet.rig_id == rig_id
    now = state_of(addon, rig)
    assert {name: now["actions"][name] for name in state["actions"]} == state["actions"]
    assert [now[key] for key in ("takes", "list", "active", "tracks")] == [
        state[key] for key in ("takes", "list", "active", "tracks")
    ]
    np.testing.assert_allclose(at_samples(addon, rig, 1), before, atol=1e-6)


def test_reading_leaves_the_animators_scene_alone(addon, fake, rig):
    add_take(addon, rig, 1)
    addon.takes.nla.choose(rig, 0)
    scene = bpy.context.scene
    scene.frame_set(12)
    names = [item.name for item in bpy.data.scenes]
    frames = whole_frames(addon, rig, 0)
    before = addon.takes.evaluation.read(rig, frames)
    assert scene.frame_current == 12
    assert [item.name for item in bpy.data.scenes] == names
    rig.hide_set(True)
    np.testing.assert_array_equal(addon.takes.evaluation.read(rig, frames), before)
    rig.hide_viewport = True
    np.testing.assert_array_equal(addon.takes.evaluation.read(rig, frames), before)
    assert rig.hide_viewport


@pytest.mark.parametrize("kind", ["linked", "override"])
def test_a_linked_rig_is_refused(addon, fake, rig, tmp_path, kind):
    add_take(addon, rig, 1)
    addon.takes.nla.choose(rig, 0)
    name, path = rig.users_collection[0].name, tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.collections = [name]
    collection = bpy.data.collections[name]
    bpy.context.scene.collection.children.link(collection)
    if kind == "override":
        collection.override_hierarchy_create(
            bpy.context.scene, bpy.context.view_layer, do_fully_editable=True
        )
    found = [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]
    bpy.context.view_layer.objects.active = found[-1]
    for operator, options in SCENE_OPERATORS.items():
        with pytest.raises(RuntimeError, match="is linked from another file"):
            getattr(bpy.ops.osmnet, operator)(**options)
