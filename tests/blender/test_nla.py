"""Takes in the NLA: blending, baking, beside animation that is not ours, without the add-on."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from support import YAW, add_to_key
from take_support import (
    add_take,
    all_keys,
    at_samples,
    foreign_action,
    smooth,
    state_of,
    whole_frames,
)

MODULE = "bl_ext.user_default.osmnet"


@pytest.fixture
def two(addon, fake, rig):
    """A rig with two takes, the first one chosen."""
    bpy.context.scene.render.fps = 25
    for seed in range(2):
        add_take(addon, rig, seed)
    addon.takes.nla.choose(rig, 0)
    return rig.osmnet.takes


def both_on(addon, rig):
    bpy.ops.osmnet.blend_takes()
    for take in rig.osmnet.takes:
        take.playing = True


def close(values, expected, atol=1e-5):
    np.testing.assert_allclose(values, expected, atol=atol, rtol=0)


def test_half_an_influence_is_the_mean_of_two_takes(addon, rig, two):
    both_on(addon, rig)
    assert rig.animation_data.action is None
    assert [take.playing for take in two] == [True, True]
    two[1].influence = 0.5
    assert two[1].influence == pytest.approx(0.5)
    first, second = smooth(50, 0), smooth(50, 1)
    close(at_samples(addon, rig, 0), (first + second) / 2)
    two[1].influence = 0.25
    close(at_samples(addon, rig, 0), 0.75 * first + 0.25 * second)
    two[1].playing = False
    close(at_samples(addon, rig, 0), first)


def test_edits_are_blended_with_their_take(addon, rig, two):
    add_to_key(addon, two[0].action, YAW, 20, 0.1)
    bpy.ops.osmnet.resample_take(index=0, seed=7)
    alone = addon.takes.evaluation.read(rig, np.arange(1, 51))
    bpy.ops.osmnet.choose_take(index=1)
    add_to_key(addon, two[1].action, YAW, 30, 0.2)
    bpy.ops.osmnet.resample_take(index=1, seed=8)
    other = addon.takes.evaluation.read(rig, np.arange(1, 51))
    both_on(addon, rig)
    two[1].influence = 0.5
    close(addon.takes.evaluation.read(rig, np.arange(1, 51)), (alone + other) / 2)
    # weights are for blending only
    bpy.ops.osmnet.choose_take(index=1)
    close(addon.takes.evaluation.read(rig, np.arange(1, 51)), other)
    both_on(addon, rig)
    close(addon.takes.evaluation.read(rig, np.arange(1, 51)), (alone + other) / 2)


def test_solo_and_mute(addon, rig, two):
    both_on(addon, rig)
    tracks = [addon.takes.nla.track_of(rig, take.action) for take in two]
    close(at_samples(addon, rig, 0), smooth(50, 1))
    tracks[0].is_solo = True
    close(at_samples(addon, rig, 0), smooth(50, 0))
    assert list(addon.takes.nla.playing_takes(rig)) == [two[0]]
    bpy.ops.osmnet.choose_take(index=1)
    assert not tracks[0].is_solo
    close(at_samples(addon, rig, 0), smooth(50, 1))
    both_on(addon, rig)
    tracks[1].mute = True
    close(at_samples(addon, rig, 0), smooth(50, 0))
    assert list(addon.takes.nla.playing_takes(rig)) == [two[0]]
    tracks[0].mute = True
    with pytest.raises(RuntimeError, match="All takes are muted"):
        bpy.ops.osmnet.keep_only()


@pytest.mark.parametrize("remove", [True, False])
def test_keep_only_bakes_the_blend(addon, rig, two, remove):
    both_on(addon, rig)
    two[1].influence = 0.5
    before = at_samples(addon, rig, 0)
    bpy.ops.osmnet.keep_only(name="Mischung", remove_others=remove)
    takes, chosen = rig.osmnet.takes, rig.osmnet.chosen
    assert [take.name for take in takes] == (
        ["Mischung"] if remove else ["voice 00", "voice 01", "Mischung"]
    )
    assert chosen == rig.osmnet.index == len(takes) - 1
    assert not rig.osmnet.blending
    assert rig.animation_data.action == takes[chosen].action
    assert len(rig.animation_data.nla_tracks) == len(takes)
    close(at_samples(addon, rig, chosen), before, 1e-6)
    made = addon.takes.actions.provenance_of(takes[chosen].action)
    assert (made["source"], made["audio"]) == ("edited", "voice.wav")
    assert not addon.takes.collection.layers.is_edited(takes[chosen])


def test_keep_only_of_the_chosen_one_with_edits(addon, rig, two):
    add_to_key(addon, two[0].action, YAW, 20, 0.1)
    bpy.ops.osmnet.resample_take(index=0, seed=7)
    before = at_samples(addon, rig, 0)
    bpy.ops.osmnet.keep_only()
    assert [take.name for take in rig.osmnet.takes] == ["my voice blend"]
    assert rig.osmnet.takes[0].layer is None
    close(at_samples(addon, rig, 0), before, 1e-6)
    assert len(bpy.data.actions) == 1


def test_keep_only_bakes_no_more_channels_than_play(addon, fake, rig):
    addon.takes.nla.choose(rig, add_take(addon, rig, 1, channels=range(6)))
    bpy.ops.osmnet.keep_only()
    assert addon.takes.actions.channels_of(rig.osmnet.takes[0].action) == list(range(6))


def test_an_animators_action_is_kept_and_plays_on(addon, fake, rig, tmp_path):
    """It goes below the takes, with its keys, its times and its way of blending."""
    mine = foreign_action("neck by hand")
    keys = all_keys(addon, mine)
    animation = rig.animation_data_create()
    addon.compat.set_action(animation, mine)
    scene = bpy.context.scene
    neck = 'pose.bones["neck"].location'

    def neck_at(frame):
        scene.frame_set(int(frame), subframe=frame % 1)
        depsgraph = bpy.context.evaluated_depsgraph_get()
        return rig.evaluated_get(depsgraph).pose.bones["neck"].location.x

    frames = (1, 3.4, 8, 10.7, 15.25, 30)
    before = [neck_at(frame) for frame in frames]
    assert max(before) > 0.01, neck
    for seed in range(2):
        add_take(addon, rig, seed)
    for index in (0, 1, 0):
        bpy.ops.osmnet.choose_take(index=index)
        assert animation.action == rig.osmnet.takes[index].action
    assert animation.nla_tracks[0].strips[0].action == mine
    assert [strip.action for track in animation.nla_tracks for strip in track.strips] == [
        mine, *(take.action for take in rig.osmnet.takes)
    ]  # fmt: skip
    np.testing.assert_allclose([neck_at(frame) for frame in frames], before, atol=1e-6)
    assert all_keys(addon, mine) == keys
    assert mine.users > 0
    path = tmp_path / "kept.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert all_keys(addon, bpy.data.actions["neck by hand"]) == keys


def test_an_action_on_the_head_itself_does_not_cover_a_take(addon, rig, two):
    """Keys that the animator made on the head while blending, then a take with edits is chosen."""
    add_to_key(addon, two[0].action, YAW, 20, 0.1)
    bpy.ops.osmnet.resample_take(index=0, seed=7)
    edited = at_samples(addon, rig, 0)
    both_on(addon, rig)
    two[0].influence = 0.75
    rig.pose.bones["head"].keyframe_insert("rotation_euler", frame=5)
    mine = rig.animation_data.action
    keys = all_keys(addon, mine)
    assert not addon.takes.actions.is_ours(mine)
    bpy.ops.osmnet.choose_take(index=0)
    close(at_samples(addon, rig, 0), edited)
    assert all_keys(addon, mine) == keys
    assert mine.users > 0
    assert two[0].influence == pytest.approx(0.75)
    names = [track.name for track in rig.animation_data.nla_tracks]
    assert names == [mine.name, "voice 00", "voice 00 edits", "voice 01"]


def test_a_copy_of_a_take_made_by_hand_is_kept(addon, rig, two):
    copy = two[0].action.copy()
    addon.compat.set_action(rig.animation_data, copy)
    add_to_key(addon, copy, YAW, 10, 0.1)
    keys = all_keys(addon, copy)
    bpy.ops.osmnet.choose_take(index=1)
    assert copy.users > 0
    assert all_keys(addon, copy) == keys
    close(at_samples(addon, rig, 1), smooth(50, 1))
    # and deleting takes does not drop what is active
    addon.compat.set_action(rig.animation_data, copy)
    bpy.ops.osmnet.delete_take(index=1)
    assert copy.users > 0
    assert all_keys(addon, copy) == keys


def test_foreign_tracks_are_left_as_they_are(addon, rig, two):
    mine = foreign_action("mine", 'pose.bones["neck"].scale')
    tracks = rig.animation_data.nla_tracks
    track = tracks.new()
    track.name = "my track"
    strip = track.strips.new("my strip", 10, mine)
    strip.scale, strip.blend_type = 2.0, "ADD"
    track.is_solo = True

    def seen():
        found = next(t for t in tracks if t.name == "my track")
        one = found.strips[0]
        return (
            found.mute, found.is_solo, one.name, one.action.name, one.frame_start, one.frame_end,
            one.scale, one.blend_type, one.mute, all_keys(addon, mine),
        )  # fmt: skip

    before = seen()
    for name, options in (
        ("choose_take", {"index": 1}),
        ("duplicate_take", {"index": 0}),
        ("resample_take", {"index": 0}),
        ("predict_expression", {}),
        ("blend_takes", {}),
        ("delete_take", {"index": 0}),
        ("fit_takes", {}),
        ("keep_only", {}),
    ):
        getattr(bpy.ops.osmnet, name)(**options)
        assert seen() == before, name
    assert [track.name for track in tracks].count("my track") == 1


def test_tweak_mode_is_left(addon, rig, two):
    both_on(addon, rig)
    animation = rig.animation_data
    for track in animation.nla_tracks:
        track.select = False
    track = addon.takes.nla.track_of(rig, two[0].action)
    track.select = track.strips[0].select = True
    animation.use_tweak_mode = True
    assert animation.use_tweak_mode
    assert animation.action is not None
    bpy.ops.osmnet.choose_take(index=1)
    assert not animation.use_tweak_mode
    assert animation.action == two[1].action
    close(at_samples(addon, rig, 1), smooth(50, 1))


def test_tracks_that_the_animator_deleted_come_back(addon, rig, two):
    tracks = rig.animation_data.nla_tracks
    for track in list(tracks):
        tracks.remove(track)
    bpy.ops.osmnet.choose_take(index=1)
    close(at_samples(addon, rig, 1), smooth(50, 1))
    bpy.ops.osmnet.blend_takes()
    close(at_samples(addon, rig, 1), smooth(50, 1))
    two[0].playing = True
    assert len(tracks) == 2


def evaluated(rig, head, frames):
    """Through the scene itself: bone channels, and the shape keys that they drive."""
    scene, rows = bpy.context.scene, []
    for frame in frames:
        scene.frame_set(int(frame), subframe=frame % 1)
        depsgraph = bpy.context.evaluated_depsgraph_get()
        bone = rig.evaluated_get(depsgraph).pose.bones["head"]
        keys = head.evaluated_get(depsgraph).data.shape_keys
        if keys is None:
            keys = head.data.shape_keys.evaluated_get(depsgraph)
        rows.append([*bone.rotation_euler, *bone.location, keys.key_blocks["jawOpen"].value])
    return np.array(rows)


@pytest.mark.parametrize("how", ["chosen", "edited", "blended"])
def test_without_the_addon_everything_plays(addon, rig, two, tmp_path, how):
    """Saved, the add-on switched off, opened again: the same values, from Blender alone."""
    if how == "edited":
        add_to_key(addon, two[0].action, YAW, 20, 0.1)
        bpy.ops.osmnet.resample_take(index=0, seed=7, discard_edits=False)
    if how == "blended":
        both_on(addon, rig)
        two[1].influence = 0.5
    frames = (1, 7, 20.3, 21, 33.7, 49)
    before = evaluated(rig, rig.osmnet.head, frames)
    assert np.ptp(before[:, 6]) > 0.05
    names, state = (rig.name, rig.osmnet.head.name), state_of(addon, rig)
    first, second = tmp_path / "mit.blend", tmp_path / "ohne.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(first))
    bpy.ops.preferences.addon_disable(module=MODULE)
    try:
        assert not hasattr(bpy.types.Object, "osmnet")
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)
        bpy.ops.wm.open_mainfile(filepath=str(first))
        close(evaluated(*(bpy.data.objects[name] for name in names), frames), before, 1e-7)
        # and saved once more by someone who does not have it
        bpy.ops.wm.save_as_mainfile(filepath=str(second))
        bpy.ops.wm.open_mainfile(filepath=str(second))
        close(evaluated(*(bpy.data.objects[name] for name in names), frames), before, 1e-7)
    finally:
        bpy.ops.preferences.addon_enable(module=MODULE)
    bpy.ops.wm.open_mainfile(filepath=str(second))
    rig = bpy.data.objects[names[0]]
    assert state_of(addon, rig) == state
    close(evaluated(rig, bpy.data.objects[names[1]], frames), before, 1e-7)
    bpy.ops.osmnet.choose_take(index=1)
    assert len(whole_frames(addon, rig, 1)) == 50
    close(at_samples(addon, rig, 1), smooth(50, 1))
