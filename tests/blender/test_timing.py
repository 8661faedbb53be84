"""At any frame rate lips and sound agree, to the end of a minute."""

from __future__ import annotations

import json
import wave

import bpy
import numpy as np
import pytest
from support import JAW_OPEN, curve, trim_start

SECONDS = 60
RATE = 48_000
CLICKS = (1.0, 30.5, 59.4)
"""Times at which the voice clicks and the jaw opens, in seconds."""

FRAME_RATES = [(24, 1.0), (25, 1.0), (30, 1.001), (30, 1.0), (60, 1.0)]


@pytest.fixture(scope="module")
def minute(tmp_path_factory):
    """A minute of sound with clicks, and a take of it whose jaw opens at them."""
    folder = tmp_path_factory.mktemp("minute")
    samples = np.zeros(SECONDS * RATE, np.int16)
    for click in CLICKS:
        at = round(click * RATE)
        samples[at : at + RATE // 200] = 20_000
    with wave.open(str(folder / "voice.wav"), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(RATE)
        stream.writeframes(samples.tobytes())
    from bl_ext.user_default.osmnet.core.conventions import ARKIT_NAMES

    times = np.arange(SECONDS * 25) / 25
    coefficients = np.zeros((len(times), 52), np.float32)
    for click in CLICKS:
        coefficients[:, 17] += np.clip(1 - np.abs(times - click) / 0.1, 0, 1)
    zeros = np.zeros((len(times), 3), np.float32)
    meta = {
        "schema": "osmnet.take/1", "fps": "25/1", "names": ARKIT_NAMES, "provenance": {},
        "rest_rotation": [0, 0, 0], "rest_translation": [0, 0, 0],
    }  # fmt: skip
    np.savez(
        folder / "take.npz", rotation=zeros, translation=zeros, coefficients=coefficients,
        meta=np.array(json.dumps(meta)),
    )  # fmt: skip
    return folder


def middle_of(times, values):
    """Time of a bump: the mean of the times, weighted by the values."""
    return float((times * values).sum() / values.sum())


@pytest.mark.parametrize(("fps", "base"), FRAME_RATES)
def test_lips_and_sound_agree(addon, material, fake, minute, tmp_path, fps, base):
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps, base
    rate, start = fps / base, 11
    bpy.ops.osmnet.create_head(
        portrait=str(material.portrait), voice=str(minute / "voice.wav"), voice_start=start
    )
    rig = addon.rig.head.need_rig(bpy.context)
    assert bpy.ops.osmnet.import_take(filepath=str(minute / "take.npz")) == {"FINISHED"}
    timing = addon.takes.actions.timing_of(rig.osmnet.takes[0].action)
    frames = np.array(timing.scene_frames)
    assert abs(len(frames) - SECONDS * rate) <= 1

    # keys: every sample at its exact time, though between frames
    jaw = curve(addon, rig.osmnet.takes[0].action, JAW_OPEN)
    keys = np.array([point.co[0] for point in jaw.keyframe_points])
    assert np.abs(keys - (start + np.arange(SECONDS * 25) / 25 * rate)).max() < 1e-3

    # what would be rendered at each scene frame
    plan = addon.frames.rendering.make_plan(rig, scene, {}, "TAKE")
    assert plan.first == frames[0] == start
    lips = plan.coefficients[:, 17]
    heard = clicks_heard(addon, scene, tmp_path, start, rate)
    for click, sound_frame in zip(CLICKS, heard, strict=True):
        near = np.abs(frames - (start + click * rate)) < 0.2 * rate
        lip_frame = middle_of(frames[near], lips[near])
        assert abs(lip_frame - sound_frame) < 0.5, (click, lip_frame, sound_frame)


def clicks_heard(addon, scene, tmp_path, start, rate):
    """Scene frames at which Blender's own mix of the sequencer clicks.

    Where the build has no sound (the 4.2 wheel) there is no strip: then by the clock alone.
    """
    if not addon.compat.has_sound():
        return [start + click * rate for click in CLICKS]
    (strip,) = addon.compat.sequencer_strips(scene.sequence_editor)
    assert addon.compat.strip_start(strip) == start
    assert abs(addon.compat.strip_end(strip) - start - SECONDS * rate) <= 1
    scene.frame_start, scene.frame_end = 1, int(start + SECONDS * rate + 1)
    path = tmp_path / "mix.wav"
    bpy.ops.sound.mixdown(
        filepath=str(path), container="WAV", codec="PCM", format="S16", mixrate=RATE
    )
    with wave.open(str(path)) as stream:
        channels = stream.getnchannels()
        data = np.frombuffer(stream.readframes(stream.getnframes()), np.int16)
    loud = np.flatnonzero(np.abs(data.reshape(-1, channels)[:, 0].astype(int)) > 8000)
    begins = loud[np.flatnonzero(np.diff(loud, prepend=-RATE) > RATE // 10)]
    return [1 + at / RATE * rate for at in begins]


def test_the_voice_of_a_trimmed_strip_starts_where_its_sound_does(addon, material, fake):
    if not addon.compat.has_sound():
        pytest.skip("this build of Blender has no sound")
    scene = bpy.context.scene
    editor = scene.sequence_editor_create()
    strip = addon.compat.sequencer_strips(editor).new_sound("v", str(material.voice), 1, 40)
    trim_start(strip, 12)
    editor.active_strip = strip
    bpy.ops.osmnet.voice_from_strip()
    assert scene.osmnet.voice_start == 40
    bpy.ops.osmnet.create_head(portrait=str(material.portrait))
    rig = addon.rig.head.need_rig(bpy.context)
    assert rig.osmnet.voice_start == 40
    assert len(addon.compat.sequencer_strips(editor)) == 1
