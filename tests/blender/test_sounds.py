"""Which sound of a file is heard, and that frames of a take tell when it is shown with another."""

from __future__ import annotations

import wave

import bpy
import numpy as np
import pytest
from support import YAW, add_to_key, sentence_of, status

RATE = 16_000


@pytest.fixture
def stereo(tmp_path):
    """Two tones, one in each channel."""
    times = np.arange(RATE) / RATE
    tones = np.stack([0.3 * np.sin(2 * np.pi * hertz * times) for hertz in (220, 330)], axis=1)
    path = tmp_path / "zwei Stimmen.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.rint(tones * 32767).astype("<i2").tobytes())
    return path


def heard(addon, rig) -> str:
    """The digest of the sound that a new take is made from."""
    bpy.ops.osmnet.sample_takes(count=1)
    made = addon.takes.actions.provenance_of(rig.osmnet.takes[-1].action)
    assert made["audio"] == "zwei Stimmen.wav"
    return made["audio_sha256"]


def test_a_channel_is_chosen(addon, rig, stereo, fake):
    rig.osmnet.voice = str(stereo)
    sounds = {}
    for channel in ("left", "right", "mix"):
        rig.osmnet.channel = channel
        sounds[channel] = heard(addon, rig)
    assert len(set(sounds.values())) == 3
    rig.osmnet.channel, rig.osmnet.channel_number = "number", 2
    assert heard(addon, rig) == sounds["right"]
    rig.osmnet.channel_number = 3
    with pytest.raises(RuntimeError) as error:
        bpy.ops.osmnet.sample_takes(count=1)
    assert "has 2 channels and no channel '3'" in sentence_of(error.value)


def test_a_track_is_chosen(addon, rig, stereo, fake):
    rig.osmnet.voice = str(stereo)
    automatic = heard(addon, rig)
    rig.osmnet.track = 1
    assert heard(addon, rig) == automatic
    rig.osmnet.track = 2
    with pytest.raises(RuntimeError) as error:
        bpy.ops.osmnet.sample_takes(count=1)
    assert "track 2" in sentence_of(error.value)


def test_a_rig_takes_the_panels_channel_with_its_voice(addon, material, stereo, fake):
    panel = bpy.context.scene.osmnet
    panel.voice, panel.channel, panel.track = str(stereo), "right", 1
    bpy.ops.osmnet.create_head(portrait=str(material.portrait))
    rig = addon.rig.head.need_rig(bpy.context)
    assert (rig.osmnet.voice, rig.osmnet.channel) == (str(stereo), "right")
    assert addon.takes.voices.parameters(rig.osmnet) == {"channel": "right", "track": 1}
    rig.osmnet.voice, rig.osmnet.channel, rig.osmnet.track = "", "auto", 0
    panel.channel = "left"
    bpy.ops.osmnet.sample_takes(count=1)
    assert (rig.osmnet.voice, rig.osmnet.channel) == (str(stereo), "left")


def test_frames_of_another_sound_are_rendered_and_told_of_once(addon, rig, stereo, fake):
    bpy.ops.osmnet.sample_takes(count=1)
    bpy.ops.osmnet.render_frames()
    assert "another sound" not in status().warnings
    rig.osmnet.voice = str(stereo)
    action = rig.osmnet.takes[0].action
    for number in (10, 20, 30):
        add_to_key(addon, action, YAW, number, 0.2)
    bpy.ops.osmnet.update_frames()
    rendered = int(status().note.split()[0])
    assert rendered > 1
    assert status().warnings.count("another sound ('my voice.wav')") == 1


def test_one_channel_of_the_voice_is_its_own_sound(rig, stereo, fake):
    rig.osmnet.voice, rig.osmnet.channel = str(stereo), "left"
    bpy.ops.osmnet.sample_takes(count=1)
    bpy.ops.osmnet.render_frames()
    assert "another sound" not in status().warnings
