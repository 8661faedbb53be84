"""Takes that go around an action, another take, a take file, or a video."""

from __future__ import annotations

from math import radians

import bpy
import numpy as np
import pytest
from support import YAW, add_to_key, curve, sentence_of
from take_support import at_samples, foreign_action, whole_frames


def yaw(addon, action, frames):
    return np.degrees([curve(addon, action, YAW).evaluate(frame) for frame in frames])


def turning_action(addon, frames=(1, 14, 28, 42, 72), degrees=(0, 25, 25, -20, -20)):
    """The animator's blocking: a few keys of the head bone."""
    blocking = addon.compat.new_action("blocking")
    addon.takes.actions.write_keys(
        blocking, YAW, np.array(frames, float), np.radians(np.array(degrees, float))
    )
    return blocking


@pytest.mark.parametrize(("fps", "start"), [(24, 1.0), (30, 7.25)])
def test_takes_follow_an_action(addon, fake, rig, fps, start):
    bpy.context.scene.render.fps = fps
    rig.osmnet.voice_start = start
    blocking = turning_action(addon)
    bpy.ops.osmnet.sample_takes(count=2, epsilon=0.0, follow=blocking.name)
    frames = [21, 55]
    for take in rig.osmnet.takes:
        np.testing.assert_allclose(yaw(addon, take.action, frames), (25, -20), atol=1.5)
    bpy.ops.osmnet.sample_takes(count=1, epsilon=0.0)
    np.testing.assert_allclose(yaw(addon, rig.osmnet.takes[2].action, frames), 0, atol=1e-6)


def test_a_take_follows_another_with_its_edits(addon, fake, rig):
    bpy.ops.osmnet.sample_takes(count=1)
    first = rig.osmnet.takes[0]
    for key in range(20, 45):
        add_to_key(addon, first.action, YAW, key, radians(20))
    bpy.ops.osmnet.resample_take(index=0)  # the edit is a layer now
    frames = whole_frames(addon, rig, 0)[28:36]
    wanted = np.degrees(addon.takes.evaluation.read(rig, frames)[:, YAW])
    assert first.layer is not None
    bpy.ops.osmnet.sample_takes(count=1, epsilon=0.0, follow=first.name)
    np.testing.assert_allclose(yaw(addon, rig.osmnet.takes[1].action, frames), wanted, atol=1)


def test_a_take_file_is_followed_and_a_retake_follows_too(addon, fake, rig, tmp_path):
    bpy.ops.osmnet.sample_takes(count=1, seed=5, epsilon=3)
    bpy.ops.osmnet.export_take(filepath=str(tmp_path / "ä b.npz"))
    bpy.ops.osmnet.sample_takes(count=1, epsilon=0.0)
    still = rig.osmnet.takes[1]
    assert not at_samples(addon, rig, 1)[:, :3].any()
    bpy.ops.osmnet.retake_range(start=20, end=60, epsilon=0.0, follow=str(tmp_path / "ä b.npz"))
    frames = range(38, 44)
    np.testing.assert_allclose(
        yaw(addon, still.action, frames), yaw(addon, rig.osmnet.takes[0].action, frames), atol=1
    )


def test_pins_are_met_around_what_is_followed(addon, fake, rig):
    blocking = turning_action(addon)
    bpy.ops.osmnet.sample_takes(count=1, epsilon=0.0, follow=blocking.name)
    take = rig.osmnet.takes[0]
    before = yaw(addon, take.action, [20])
    bpy.ops.osmnet.pin_pose(frame=60, pitch=0, yaw=radians(12), roll=0, place=(0, 0, 0))
    assert bpy.ops.osmnet.meet_pins() == {"FINISHED"}
    np.testing.assert_allclose(yaw(addon, take.action, [20]), before, atol=1)
    np.testing.assert_allclose(yaw(addon, take.action, [60]), 12, atol=0.01)
    bpy.ops.osmnet.resample_take(index=0, epsilon=0.0)  # follows nothing now
    assert np.abs(yaw(addon, take.action, [20])).max() < 5


def test_what_cannot_be_followed_is_refused(addon, fake, rig):
    def refused(**properties):
        with pytest.raises(RuntimeError) as error:
            bpy.ops.osmnet.sample_takes(count=1, **properties)
        return sentence_of(error.value)

    foreign = foreign_action("door")
    assert "no keys for the bone 'head'" in refused(follow=foreign.name)
    assert "/none/video.mp4" in refused(follow="/none/video.mp4")
    late = turning_action(addon)
    rig.osmnet.voice_start = 500.0
    assert "ends before the voice begins" in refused(follow=late.name)
    assert not len(rig.osmnet.takes)


def test_the_panel_hands_over_what_is_followed(addon, fake, rig):
    settings = bpy.context.scene.osmnet
    followed = addon.ui.options.followed
    assert followed(settings) == ""
    settings.follow_file = "//film.mp4"
    assert followed(settings) == "//film.mp4"
    settings.follow_action = turning_action(addon)
    assert followed(settings) == settings.follow_action.name
