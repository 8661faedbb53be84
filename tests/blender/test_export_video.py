"""Export Video: the plane's frames with the voice, in one step."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest
from support import YAW, add_to_key, picture, sentence_of, shown_file, status

LOOK = """
import sys, json
import av, numpy as np
with av.open(sys.argv[1]) as film:
    picture = film.streams.video[0]
    told = {"rate": str(picture.average_rate), "frames": picture.frames,
            "comment": film.metadata.get("comment", ""), "sound": len(film.streams.audio)}
    frames = [f.to_ndarray(format="rgb24") for f in film.decode(picture)]
np.save(sys.argv[1] + ".npy", np.stack(frames))
print(json.dumps(told))
"""


def looked_at(path: Path):
    """What PyAV of the engine's Python finds in a video: facts and (T, H, W, 3)."""
    settings = bpy.context.preferences.addons["bl_ext.user_default.osmnet"].preferences
    done = subprocess.run(
        [settings.engine_python, "-c", LOOK, str(path)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout), np.load(f"{path}.npy")


def test_a_video_has_the_planes_frames_and_the_voice(addon, fake, rig, tmp_path):
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 30, 1.001
    bpy.ops.osmnet.sample_takes(count=1)
    output = tmp_path / "fïlm.mp4"
    assert bpy.ops.osmnet.export_video(filepath=str(output)) == {"FINISHED"}
    assert status().note == "'fïlm.mp4' written: 90 frames, 3.0 s."
    told, frames = looked_at(output)
    assert (told["rate"], told["frames"], told["sound"]) == ("30000/1001", 90, 1)
    assert told["comment"].startswith("AI-generated")
    for number in (0, 40, 89):
        wanted = picture(shown_file(addon, rig, 1 + number)).astype(int)
        assert np.abs(frames[number] - wanted).mean() < 4


def test_edits_are_rendered_first_and_the_settings_stay(addon, fake, rig, tmp_path):
    scene = bpy.context.scene
    scene.render.fps = 25
    bpy.ops.osmnet.sample_takes(count=1)
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 20, 40
    bpy.ops.osmnet.render_frames(range="SCENE", label=False)
    add_to_key(addon, rig.osmnet.takes[0].action, YAW, 29, 0.4)
    output = tmp_path / "part.mov"
    assert bpy.ops.osmnet.export_video(filepath=str(output), sound=False) == {"FINISHED"}
    told, frames = looked_at(output)
    assert (told["frames"], told["sound"]) == (21, 0)
    assert addon.frames.rendering.made_with(rig)["label"] is False
    moved = picture(shown_file(addon, rig, 30)).astype(int)
    assert np.abs(frames[10] - moved).mean() < 4
    assert np.abs(frames[9] - moved).mean() > np.abs(frames[10] - moved).mean()
    assert addon.frames.rendering.changed_frames(rig, scene) == 0


def test_what_cannot_be_written_is_refused(addon, fake, rig, tmp_path):
    bpy.ops.osmnet.sample_takes(count=1)
    with pytest.raises(RuntimeError) as error:
        bpy.ops.osmnet.export_video(filepath=str(tmp_path / "film.gif"))
    assert "no known kind of video" in sentence_of(error.value)
    with pytest.raises(RuntimeError) as error:
        bpy.ops.osmnet.export_video()
    assert "Choose a file name first." in sentence_of(error.value)


def test_a_cancelled_rendering_writes_no_video(addon, fake, rig, tmp_path, windowed, monkeypatch):
    monkeypatch.setenv("OSMNET_FAKE_FRAME_SECONDS", "0.05")
    addon.engine.process.stop()
    bpy.ops.osmnet.sample_takes("EXEC_DEFAULT", count=1)
    windowed()
    output = tmp_path / "film.mp4"
    bpy.ops.osmnet.export_video(filepath=str(output))
    windowed(lambda: status().stage == "Rendering")
    bpy.ops.osmnet.cancel()
    windowed()
    assert "no video" in status().error
    assert not output.exists()
    addon.engine.process.stop()
