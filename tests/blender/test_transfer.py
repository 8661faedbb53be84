"""Takes on other rigs: bones of any rest axes and rotation mode, objects, shape keys, mappings."""

from __future__ import annotations

import json

import bpy
import numpy as np
import pytest
from support import JAW_OPEN, YAW, sentence_of, status
from take_support import add_take, all_keys, at_samples, foreign_action, keys_of, smooth

MODES = ["QUATERNION", "XYZ", "ZXY", "AXIS_ANGLE"]
BONES = {
    "up": ((0, 0, 0), (0, 0, 0.2), 0.0),
    "down": ((0, 0, 1), (0, 0, 0.4), 0.3),
    "sideways": ((0, 0, 1), (0.3, 0.05, 1), -0.8),
    "forward": ((0, 0, 1), (0, -0.3, 1.1), 0.0),
}
"""Head, tail and roll at rest."""


@pytest.fixture
def rig(rig, addon, fake):
    bpy.context.scene.render.fps = 24
    add_take(addon, rig, 1)
    addon.takes.nla.choose(rig, 0)
    return rig


def build_armature(bones=BONES):
    """A character's armature, turned and moved in the world, with a bone that the head hangs on."""
    data = bpy.data.armatures.new("character")
    target = bpy.data.objects.new("character", data)
    bpy.context.collection.objects.link(target)
    before = bpy.context.view_layer.objects.active
    bpy.context.view_layer.objects.active = target
    bpy.ops.object.mode_set(mode="EDIT")
    spine = data.edit_bones.new("spine")
    spine.head, spine.tail = (0, 0.1, 0), (0, 0, 1)
    for name, (head, tail, roll) in bones.items():
        bone = data.edit_bones.new(name)
        bone.head, bone.tail, bone.roll, bone.parent = head, tail, roll, spine
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.objects.active = before
    target.location, target.rotation_euler = (1, 2, 3), (0.0, 0.0, 0.7)
    return target


def build_mesh(names, name="face"):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    face = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(face)
    face.shape_key_add(name="Basis")
    for key in names:
        face.shape_key_add(name=key).value = 0.0
    return face


FRAMES = (1, 6, 13.5, 20, 33, 41.25)


def evaluated(frames, value):
    """(N, …) what `value(depsgraph)` tells at scene frames."""
    rows = []
    for frame in frames:
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        rows.append(np.array(value(bpy.context.evaluated_depsgraph_get())))
    return np.array(rows)


def bone_motion(owner, bone, frames=FRAMES):
    """(N, 4, 4) how a bone has moved against its rest, in the axes of its armature."""
    rest = np.array(owner.data.bones[bone].matrix_local)

    def moved(depsgraph):
        pose = np.array(owner.evaluated_get(depsgraph).pose.bones[bone].matrix)
        return pose @ np.linalg.inv(rest)

    return evaluated(frames, moved)


def key_values(mesh, names, frames):
    """(N, K) values of shape keys, evaluated."""

    def values(depsgraph):
        keys = mesh.data.shape_keys.evaluated_get(depsgraph)
        return [keys.key_blocks[name].value for name in names]

    return evaluated(frames, values)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("bone", BONES)
def test_a_bone_turns_as_our_head_does(addon, rig, bone, mode):
    target = build_armature()
    target.pose.bones[bone].rotation_mode = mode
    frames = addon.takes.actions.timing_of(rig.osmnet.takes[0].action).frames[::5]
    ours = bone_motion(rig, "head", frames)
    assert np.abs(ours - np.eye(4)).max() > 0.1
    bpy.ops.osmnet.apply_to_rig(target="character", bone=bone)
    assert status().note == f"Applied to {bone}."
    theirs = bone_motion(target, bone, frames)
    np.testing.assert_allclose(theirs[:, :3, :3], ours[:, :3, :3], atol=2e-5)
    # translation: the joint moves alike, wherever it is
    joints = {owner: np.array([*owner.data.bones[name].head_local, 1.0])
              for owner, name in ((rig, "head"), (target, bone))}  # fmt: skip
    moved = [motion @ joints[owner] - joints[owner] for motion, owner in
             ((ours, rig), (theirs, target))]  # fmt: skip
    np.testing.assert_allclose(moved[1], moved[0], atol=2e-5)
    # between the keys as well, up to what interpolation of another kind of angle means
    np.testing.assert_allclose(
        bone_motion(target, bone)[:, :3, :3], bone_motion(rig, "head")[:, :3, :3], atol=2e-3
    )
    made = json.loads(target.animation_data.action["osmnet"]["provenance"])
    assert made["audio"] == "voice.wav"


def test_a_bone_with_locations_in_its_parents_axes(addon, rig):
    target = build_armature()
    target.data.bones["sideways"].use_local_location = False
    frames = addon.takes.actions.timing_of(rig.osmnet.takes[0].action).frames[::9]
    bpy.ops.osmnet.apply_to_rig(target="character", bone="sideways")
    joint = np.array([*target.data.bones["sideways"].head_local, 1.0])
    moved = (bone_motion(target, "sideways", frames) @ joint - joint)[:, :3]
    ours = bone_motion(rig, "head", frames)[:, :3, 3]
    np.testing.assert_allclose(moved, ours, atol=2e-5)


@pytest.mark.parametrize("mode", MODES)
def test_an_object_turns_as_our_head_does_from_where_it_stands(addon, rig, mode):
    target = bpy.data.objects.new("mask", None)
    bpy.context.collection.objects.link(target)
    target.rotation_euler, target.location = (0.1, 0.2, 1.5), (3, 2, 1)
    bpy.context.view_layer.update()
    rest = np.array(target.matrix_world)
    target.rotation_mode = mode
    if mode == "QUATERNION":
        target.rotation_quaternion = target.matrix_world.to_quaternion()
    elif mode == "AXIS_ANGLE":
        axis, angle = target.matrix_world.to_quaternion().to_axis_angle()
        target.rotation_axis_angle = (angle, *axis)
    else:
        target.rotation_euler = target.matrix_world.to_euler(mode)
    frames = addon.takes.actions.timing_of(rig.osmnet.takes[0].action).frames[::7]
    ours = bone_motion(rig, "head", frames)
    for _ in range(2):  # a second time it starts from the same rest
        bpy.context.scene.frame_set(20)
        bpy.ops.osmnet.apply_to_rig(target="mask")
        world = evaluated(frames, lambda d: target.evaluated_get(d).matrix_world)
        np.testing.assert_allclose(world, rest @ ours, atol=1e-5)
    tracks = target.animation_data.nla_tracks
    assert [track.mute for track in tracks] == [True]


def test_what_plays_is_applied_with_its_edits_and_the_neck(addon, rig):
    target = build_armature()
    rig.pose.bones["neck"].rotation_mode = "XYZ"
    rig.pose.bones["neck"].rotation_euler = (0.1, 0.2, 0.0)
    add_take(addon, rig, 2)
    bpy.ops.osmnet.blend_takes()
    rig.osmnet.takes[1].playing = True
    rig.osmnet.takes[1].influence = 0.5
    frames = addon.takes.actions.timing_of(rig.osmnet.takes[0].action).frames[::9]
    ours = bone_motion(rig, "head", frames)
    bpy.ops.osmnet.apply_to_rig(target="character", bone="down")
    theirs = bone_motion(target, "down", frames)
    np.testing.assert_allclose(theirs[:, :3, :3], ours[:, :3, :3], atol=2e-5)


@pytest.mark.parametrize(
    ("jaw", "left", "right"),
    [
        ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight"),
        ("Jaw_Open", "eyeBlink_L", "eyeBlink_R"),
        ("blendShape1.JawOpen", "Face_EyeBlink.L", "Face_EyeBlink.R"),
        ('jaw"Open\\', "eyeBlink_L", "eyeBlink_R"),
    ],
)
def test_shape_keys_by_name(addon, rig, jaw, left, right):
    face = build_mesh([jaw, "other", right, left])
    frames = addon.takes.actions.timing_of(rig.osmnet.takes[0].action).frames[::7]
    bpy.ops.osmnet.apply_to_rig(mesh="face")
    names = addon.core.conventions.ARKIT_NAMES
    columns = [6 + names.index(name) for name in ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")]
    expected, got = smooth(50, 1)[::7, columns], key_values(face, [jaw, left, right], frames)
    np.testing.assert_allclose(got, expected, atol=1e-6)
    assert not key_values(face, ["other"], frames).any()


def test_a_mapping_goes_through_a_file(addon, rig, tmp_path):
    face = build_mesh(['Mund "auf" ä', "Both eyes"])
    settings = bpy.context.scene.osmnet
    settings.target_mesh = face
    bpy.ops.osmnet.match_shape_keys()
    assert status().note.startswith("0 of 52")
    rows = {row.blendshape: row for row in settings.mapping}
    assert list(rows) == list(addon.core.conventions.ARKIT_NAMES)
    rows["jawOpen"].shape_key = 'Mund "auf" ä'
    rows["eyeBlinkLeft"].shape_key = rows["eyeBlinkRight"].shape_key = "Both eyes"
    path = tmp_path / "Zuordnung ü.json"
    bpy.ops.osmnet.save_mapping(filepath=str(path))
    table = {row.blendshape: row.shape_key for row in settings.mapping}
    settings.mapping.clear()
    bpy.ops.osmnet.load_mapping(filepath=str(path))
    assert {row.blendshape: row.shape_key for row in settings.mapping} == table
    frames = addon.takes.actions.timing_of(rig.osmnet.takes[0].action).frames[::7]
    names = addon.core.conventions.ARKIT_NAMES
    values = smooth(50, 1)[::7, 6:]
    jaw, left, right = (
        values[:, names.index(name)] for name in ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")
    )
    expected = np.column_stack([jaw, np.maximum(left, right)])
    for options in ({}, {"mesh": "face", "mapping": str(path)}):
        bpy.ops.osmnet.apply_to_rig(**options)
        got = key_values(face, ['Mund "auf" ä', "Both eyes"], frames)
        np.testing.assert_allclose(got, expected, atol=1e-6)
        settings.mapping.clear()


def test_drivers_keep_what_they_own(addon, rig):
    face = build_mesh(["jawOpen", "jawLeft"])
    driver = face.data.shape_keys.key_blocks["jawOpen"].driver_add("value").driver
    driver.type, driver.expression = "SCRIPTED", "0.125"
    frames = addon.takes.actions.timing_of(rig.osmnet.takes[0].action).frames[::7]
    bpy.ops.osmnet.apply_to_rig(mesh="face")
    got = key_values(face, ["jawOpen", "jawLeft"], frames)
    column = 6 + addon.core.conventions.ARKIT_NAMES.index("jawLeft")
    np.testing.assert_allclose(got[:, 0], 0.125)
    np.testing.assert_allclose(got[:, 1], smooth(50, 1)[::7, column], atol=1e-6)
    face.data.shape_keys.key_blocks["jawLeft"].driver_add("value")
    refused(addon, "drivers move them all", mesh="face")


def test_actions_of_the_target_are_kept(addon, rig):
    target, face = build_armature(), build_mesh(["jawOpen", "jawLeft"])
    mine = foreign_action("walk", 'pose.bones["spine"].location')
    animation = target.animation_data_create()
    addon.compat.set_action(animation, mine)
    keys = face.data.shape_keys
    keys.key_blocks["jawLeft"].value = 0.5
    keys.key_blocks["jawLeft"].keyframe_insert("value", frame=1)
    pout = keys.animation_data.action
    before = [all_keys(addon, action) for action in (mine, pout)]

    def spine():
        return evaluated(FRAMES, lambda d: target.evaluated_get(d).pose.bones["spine"].location.x)

    walked = spine()
    assert np.ptp(walked) > 0.005
    column = 6 + addon.core.conventions.ARKIT_NAMES.index("jawLeft")
    for _ in range(2):
        bpy.ops.osmnet.apply_to_rig(target="character", bone="up", mesh="face")
        assert [all_keys(addon, action) for action in (mine, pout)] == before
        assert min(mine.users, pout.users) > 0
        np.testing.assert_allclose(spine(), walked, atol=1e-6)
        frames = addon.takes.actions.timing_of(rig.osmnet.takes[0].action).frames[::7]
        got = key_values(face, ["jawLeft"], frames)
        np.testing.assert_allclose(got[:, 0], smooth(50, 1)[::7, column], atol=1e-6)


def test_applying_is_one_undo_step(addon, rig):
    build_armature()
    build_mesh(["jawOpen"])
    bpy.ops.ed.undo_push(message="before")
    count = len(bpy.data.actions)
    bpy.ops.osmnet.apply_to_rig("EXEC_DEFAULT", True, target="character", bone="up", mesh="face")
    assert len(bpy.data.actions) == count + 2
    bpy.ops.ed.undo()
    assert len(bpy.data.actions) == count
    assert bpy.data.objects["character"].animation_data is None
    assert bpy.data.objects["face"].data.shape_keys.animation_data is None
    bpy.ops.ed.redo()
    assert len(bpy.data.actions) == count + 2


def refused(addon, words, **options):
    """One sentence, and nothing has changed."""
    before = {action.name: all_keys(addon, action) for action in bpy.data.actions}
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.osmnet.apply_to_rig(**options)
    assert words in sentence_of(caught.value)
    assert {action.name: all_keys(addon, action) for action in bpy.data.actions} == before


def test_targets_that_will_not_do(addon, rig, tmp_path):
    build_armature()
    build_mesh(["jawOpen"])
    build_mesh([], "blank")
    plain = bpy.data.objects.new("plain", bpy.data.meshes.new("plain"))
    bpy.context.collection.objects.link(plain)
    refused(addon, "Choose a target")
    refused(addon, "There is no object 'nobody'", target="nobody")
    refused(addon, "There is no object 'nobody'", mesh="nobody")
    refused(addon, "has no bone 'Kopf'", target="character", bone="Kopf", mesh="face")
    refused(addon, "has no bone 'Kopf'", target="plain", bone="Kopf")
    refused(addon, "'plain' has no shape keys", target="character", bone="up", mesh="plain")
    refused(addon, "'character' has no shape keys", mesh="character")
    refused(addon, "No shape key of 'blank' fits the mapping", mesh="blank")
    refused(addon, "choose another target", target=rig.name, bone="head")
    refused(addon, "choose another target", mesh=rig.osmnet.head.name)
    refused(addon, "There is no mapping table", mesh="face", mapping=str(tmp_path / "no.json"))
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[1, 2", encoding="utf-8")
    refused(addon, "is not JSON", mesh="face", mapping=str(wrong))
    table = {"schema": "osmnet.mapping/1", "shape_keys": {"jawOpen": "gone"}}
    wrong.write_text(json.dumps(table), encoding="utf-8")
    refused(addon, "fits the mapping", mesh="face", mapping=str(wrong))
    addon.takes.collection.remove(rig, 0)
    refused(addon, "There is no take yet", target="character", bone="up")


def test_our_own_curves_are_not_touched(addon, rig):
    build_armature()
    before = all_keys(addon, rig.osmnet.takes[0].action)
    bpy.ops.osmnet.apply_to_rig(target="character", bone="up")
    assert all_keys(addon, rig.osmnet.takes[0].action) == before
    np.testing.assert_allclose(
        at_samples(addon, rig, 0)[:, [YAW, JAW_OPEN]], smooth(50, 1)[:, [YAW, JAW_OPEN]], atol=1e-6
    )
    action = bpy.data.objects["character"].animation_data.action
    keys = [len(keys_of(curve)) for curve in addon.compat.all_curves(action)]
    assert keys == [50] * 7
