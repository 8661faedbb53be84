"""Pins: what takes meet, what markers do, what becomes of edits."""

from __future__ import annotations

from math import radians

import bpy
import numpy as np
import pytest
from support import YAW, add_to_key, curve, sentence_of
from take_support import at_samples, state_of, whole_frames

NEAR = 0.01
"""Degrees."""


def markers():
    return {marker.name: marker.frame for marker in bpy.context.scene.timeline_markers}


def keyed(addon, action, frame, channels=range(3)):
    """Degrees that the curves of an action have at a frame."""
    return [np.degrees(curve(addon, action, channel).evaluate(frame)) for channel in channels]


def pin(frame, pitch, yaw, roll, place=(0.0, 0.0, 0.0)):
    angles = {"pitch": radians(pitch), "yaw": radians(yaw), "roll": radians(roll)}
    assert bpy.ops.osmnet.pin_pose(frame=frame, place=place, **angles) == {"FINISHED"}


@pytest.mark.parametrize(
    ("fps", "base", "start"), [(24, 1.0, 1.0), (25, 1.0, 1.0), (30, 1.001, 7.25), (60, 1.0, -20.0)]
)
def test_sampled_takes_meet_pins_in_their_keys(addon, fake, rig, fps, base, start):
    render = bpy.context.scene.render
    render.fps, render.fps_base = fps, base
    rig.osmnet.voice_start = start
    seconds = (0.61, 0.68, 1.4, 2.9)
    wanted = [(12, -25, 4), (-3, 18, 0), (0, 0, 0), (9, 30, -12)]
    frames = [round(start + second * fps / base) for second in seconds]
    for frame, pose in zip(frames, wanted, strict=True):
        pin(frame, *pose, place=(0.01, 0.0, -0.02))
    assert list(markers().values()) == frames
    bpy.ops.osmnet.sample_takes(count=3, seed=4)
    for take in rig.osmnet.takes:
        for frame, pose in zip(frames, wanted, strict=True):
            np.testing.assert_allclose(keyed(addon, take.action, frame), pose, atol=NEAR, rtol=0)
            place = [curve(addon, take.action, c).evaluate(frame) for c in (3, 4, 5)]
            np.testing.assert_allclose(place, (0.01, 0.0, -0.02), atol=1e-5, rtol=0)
    assert not addon.takes.layers.is_edited(rig.osmnet.takes[0])
    values = [addon.takes.actions.sampled_curves(take.action) for take in rig.osmnet.takes]
    assert np.abs(values[0][:, :3] - values[1][:, :3]).max() > radians(0.5)


def test_a_pin_is_the_pose_at_the_playhead(addon, fake, rig):
    bpy.ops.osmnet.sample_takes(count=1)
    action = rig.osmnet.takes[0].action
    bpy.context.scene.frame_set(33)
    assert bpy.ops.osmnet.pin_pose() == {"FINISHED"}
    (made,) = rig.osmnet.pins
    assert (made.name, made.frame, markers()) == ("Pin 1", 33, {"Pin 1": 33})
    angles = np.degrees([made.pitch, made.yaw, made.roll])
    np.testing.assert_allclose(angles, keyed(addon, action, 33), atol=1e-4)
    # posed by hand, not keyed
    bone = rig.pose.bones["head"]
    bone.rotation_euler = [radians(5), radians(-40), radians(2)]
    bpy.ops.osmnet.pin_pose()
    (made,) = rig.osmnet.pins
    np.testing.assert_allclose(
        np.degrees([made.pitch, made.yaw, made.roll]), [5, -40, 2], atol=1e-4
    )
    bone.rotation_euler[1] = radians(20)
    bpy.ops.osmnet.set_pin()
    assert np.degrees(made.yaw) == pytest.approx(20, abs=1e-4)


def test_a_pin_is_where_its_marker_is(addon, fake, rig):
    scene = bpy.context.scene
    scene.timeline_markers.new("Pin 1", frame=3)  # the animator's own
    pin(20, 0, 10, 0)
    pin(40, 0, -10, 0)
    first, second = rig.osmnet.pins
    assert (first.name, second.name) == ("Pin 2", "Pin 3")
    scene.timeline_markers["Pin 2"].frame = 30
    assert first.frame == 30
    first.frame = 28
    assert markers()["Pin 2"] == 28
    second.name = "look right"
    assert markers() == {"Pin 1": 3, "Pin 2": 28, "look right": 40}
    second.name = "Pin 2"
    assert second.name == "Pin 2 1"
    bpy.ops.osmnet.sample_takes(count=1)
    np.testing.assert_allclose(keyed(addon, rig.osmnet.takes[0].action, 28), (0, 10, 0), atol=NEAR)
    # a marker that is gone takes its pin out, until it is shown again
    scene.timeline_markers.remove(scene.timeline_markers["Pin 2"])
    bpy.ops.osmnet.sample_takes(count=1)
    action = rig.osmnet.takes[1].action
    assert keyed(addon, action, 28, [YAW])[0] != pytest.approx(10, abs=0.5)
    np.testing.assert_allclose(keyed(addon, action, 40), (0, -10, 0), atol=NEAR)
    bpy.ops.osmnet.show_pin(index=0)
    assert markers()["Pin 2"] == 28
    bpy.ops.osmnet.delete_pin(index=0)
    assert markers() == {"Pin 1": 3, "Pin 2 1": 40}
    assert rig.osmnet.pins[0].name == "Pin 2 1"


def test_free_axes_are_the_takes_own(addon, fake, rig):
    bpy.ops.osmnet.sample_takes(count=1, seed=2)
    free = keyed(addon, rig.osmnet.takes[0].action, 37)
    pin(37, 0, 25, 0)
    rig.osmnet.pins[0].axes = {"YAW"}
    bpy.ops.osmnet.sample_takes(count=1, seed=2)
    pinned = keyed(addon, rig.osmnet.takes[1].action, 37)
    np.testing.assert_allclose(pinned, (free[0], 25, free[2]), atol=NEAR)


def test_a_take_meets_pins_that_were_moved(addon, fake, rig):
    bpy.ops.osmnet.sample_takes(count=1, seed=9, intensity=0.7)
    take = rig.osmnet.takes[0]
    free = addon.takes.actions.sampled_curves(take.action)
    pin(20, 3, 20, 0)
    bpy.ops.osmnet.meet_pins()
    np.testing.assert_allclose(keyed(addon, take.action, 20), (3, 20, 0), atol=NEAR)
    bpy.context.scene.timeline_markers["Pin 1"].frame = 50
    bpy.ops.osmnet.meet_pins()
    np.testing.assert_allclose(keyed(addon, take.action, 50), (3, 20, 0), atol=NEAR)
    back = addon.takes.actions.sampled_curves(take.action)[:15, :6]
    np.testing.assert_allclose(back, free[:15, :6], atol=1e-6)
    assert take.layer is None


@pytest.mark.parametrize("again", ["meet_pins", "resample_take"])
def test_pins_are_met_with_the_edits_on_top(addon, fake, rig, again):
    bpy.ops.osmnet.sample_takes(count=1)
    take = rig.osmnet.takes[0]
    edited = add_to_key(addon, take.action, YAW, 40, radians(9))
    pin(round(edited), 0, 12, 5)
    pin(14, 1, 2, 3)
    assert getattr(bpy.ops.osmnet, again)() == {"FINISHED"}
    assert take.layer is not None
    for frame, pose in ((round(edited), (0, 12, 5)), (14, (1, 2, 3))):
        sums = np.add(
            keyed(addon, take.action, frame),
            [keyed(addon, take.layer, frame, [c])[0] if curve(addon, take.layer, c) else 0.0
             for c in range(3)],
        )  # fmt: skip
        np.testing.assert_allclose(sums, pose, atol=NEAR)


def test_a_keyed_pose_becomes_a_pin(addon, fake, rig):
    bpy.ops.osmnet.sample_takes(count=1)
    take, scene = rig.osmnet.takes[0], bpy.context.scene
    frame = round(add_to_key(addon, take.action, YAW, 30, radians(15)))
    add_to_key(addon, take.action, YAW, 60, radians(-4))
    far = whole_frames(addon, rig, 0)[-20:]
    before = addon.takes.evaluation.read(rig, far)
    scene.frame_set(frame)
    yaw = keyed(addon, take.action, frame, [YAW])[0]
    assert bpy.ops.osmnet.edit_to_pin() == {"FINISHED"}
    (made,) = rig.osmnet.pins
    assert (made.frame, np.degrees(made.yaw)) == (frame, pytest.approx(yaw, abs=1e-3))
    assert keyed(addon, take.action, frame, [YAW])[0] == pytest.approx(yaw, abs=NEAR)
    # the spike is gone, the other edit is not
    layer = curve(addon, take.layer, YAW)
    assert layer.evaluate(frame) == 0
    np.testing.assert_allclose(addon.takes.evaluation.read(rig, far), before, atol=1e-5)
    steps = np.diff(at_samples(addon, rig, 0)[15:45, YAW])
    assert np.abs(np.degrees(steps)).max() < 3


def test_pins_are_undone_with_their_markers(addon, rig, fake):
    bpy.ops.ed.undo_push(message="before")
    pin(20, 0, 10, 0)
    bpy.ops.ed.undo_push(message="pin")
    pin(30, 0, 20, 0)
    bpy.ops.osmnet.delete_pin(index=0)
    bpy.ops.ed.undo_push(message="delete")
    bpy.ops.ed.undo()
    rig = addon.rig.head.need_rig(bpy.context)
    assert [(one.name, one.frame) for one in rig.osmnet.pins] == [("Pin 1", 20)]
    assert markers() == {"Pin 1": 20}


def test_pins_that_cannot_be_met_are_refused(addon, fake, rig):
    def refused(name, **properties):
        with pytest.raises(RuntimeError) as error:
            getattr(bpy.ops.osmnet, name)(**properties)
        return sentence_of(error.value)

    assert "no pin yet" in refused("delete_pin")
    rig.pose.bones["head"].rotation_euler = [0, radians(85), 0]
    assert "85° of yaw" in refused("pin_pose")
    assert not len(rig.osmnet.pins)
    assert not markers()
    rig.pose.bones["head"].rotation_euler = [0, 0, 0]
    pin(-5, 0, 10, 0)
    assert "'Pin 1' lies at frame -5, before the voice" in refused("sample_takes")
    rig.osmnet.pins[0].frame = 900
    assert "outside the sound" in refused("sample_takes")
    bpy.ops.osmnet.delete_pin()
    bpy.ops.osmnet.sample_takes(count=1)
    before = state_of(addon, rig)
    assert "not edited at frame 1" in refused("edit_to_pin")
    assert state_of(addon, rig) == before
