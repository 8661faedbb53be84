"""What goes wrong is one sentence in the panel; the scene stays as it was and no file is broken."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from pathlib import Path

import bpy
import numpy as np
import pytest
from support import picture, sentence_of, status


def scene_state():
    """Everything of the scene that a failed operator might have touched."""
    state = {}
    for name in ("objects", "actions", "meshes", "materials", "images", "collections", "scenes"):
        state[name] = sorted(item.name for item in getattr(bpy.data, name))
    for image in bpy.data.images:
        state[f"image {image.name}"] = (image.filepath, image.source)
    for obj in bpy.data.objects:
        state[obj.name] = (tuple(obj.scale), obj.osmnet.sequence, obj.osmnet.made_with)
        state[f"{obj.name} takes"] = (
            [take.name for take in obj.osmnet.takes], obj.osmnet.chosen,
        )  # fmt: skip
        data = obj.animation_data
        if data is not None:
            state[f"{obj.name} nla"] = [(track.name, track.mute) for track in data.nla_tracks]
            state[f"{obj.name} action"] = data.action and data.action.name
    state["frame"] = bpy.context.scene.frame_current
    return state


def refused(operator, *words, **properties):
    """The operator says one sentence that names these words, and nothing of the scene changes."""
    before = scene_state()
    with pytest.raises(RuntimeError) as caught:
        operator(**properties)
    message = sentence_of(caught.value)
    for word in words:
        assert word in message, message
    assert scene_state() == before
    return message


def broken_files(folder: Path) -> list[str]:
    """PNG files under their final names that cannot be read."""
    bad = []
    for path in folder.rglob("*.png"):
        if path.name.startswith("."):
            continue
        data = path.read_bytes()
        if not (data.startswith(b"\x89PNG") and data.endswith(b"IEND\xaeB`\x82")):
            bad.append(path.name)
    return bad


def write_npz(path, frames, schema="osmnet.take/1"):
    from bl_ext.user_default.osmnet.core.conventions import ARKIT_NAMES

    meta = {
        "schema": schema, "fps": "25/1", "names": ARKIT_NAMES, "rest_rotation": [0, 0, 0],
        "rest_translation": [0, 0, 0], "provenance": {},
    }  # fmt: skip
    zeros = np.zeros((frames, 3), np.float32)
    np.savez_compressed(
        path, rotation=zeros, translation=zeros, meta=np.array(json.dumps(meta)),
        coefficients=np.zeros((frames, 52), np.float32),
    )  # fmt: skip
    return path


def test_no_engine_is_set(addon, material, monkeypatch):
    monkeypatch.delenv("OSMNET_PYTHON", raising=False)
    addon.preferences.get().engine_python = ""
    refused(bpy.ops.osmnet.create_head, "Find", portrait=str(material.portrait))


def test_the_engine_s_python_is_not_there(addon, material, tmp_path):
    addon.preferences.get().engine_python = str(tmp_path / "kein python")
    refused(bpy.ops.osmnet.create_head, "kein python", portrait=str(material.portrait))


def test_a_python_without_the_package(addon, material):
    import sys

    addon.preferences.get().engine_python = sys.executable
    refused(bpy.ops.osmnet.create_head, "engine", portrait=str(material.portrait))
    assert "osmnet_sdk" in status().details


def test_a_portrait_that_is_not_there(material):
    refused(
        bpy.ops.osmnet.create_head, "niemand.jpg", portrait=str(material.folder / "niemand.jpg")
    )


def test_a_photo_without_a_face(tmp_path):
    image = bpy.data.images.new("plain", 300, 300)
    path = tmp_path / "leer.png"
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    refused(bpy.ops.osmnet.create_head, "No face", "leer.png", portrait=str(path))


def test_a_missing_voice(rig, material, fake):
    rig.osmnet.voice = str(material.folder / "weg.wav")
    refused(bpy.ops.osmnet.sample_takes, "weg.wav", count=2)


def test_a_voice_that_is_no_sound(rig, tmp_path):
    path = tmp_path / "text.wav"
    path.write_text("no sound at all")
    rig.osmnet.voice = str(path)
    refused(bpy.ops.osmnet.sample_takes, "text.wav", count=2)


def test_a_take_with_a_million_frames(rig, tmp_path, fake):
    path = write_npz(tmp_path / "riesig.npz", 1_000_000)
    started = time.perf_counter()
    refused(bpy.ops.osmnet.import_take, "riesig.npz", filepath=str(path))
    assert time.perf_counter() - started < 5


def test_a_take_of_a_newer_schema(rig, tmp_path, fake):
    path = write_npz(tmp_path / "neu.npz", 10, "osmnet.take/2")
    refused(bpy.ops.osmnet.import_take, "neu.npz", "newer", filepath=str(path))


def test_a_damaged_take(rig, tmp_path, fake):
    path = write_npz(tmp_path / "halb.npz", 100)
    path.write_bytes(path.read_bytes()[:900])
    refused(bpy.ops.osmnet.import_take, "halb.npz", filepath=str(path))


def test_update_before_render_and_no_takes(rig, fake):
    refused(bpy.ops.osmnet.update_frames, "Render Frames")
    refused(bpy.ops.osmnet.render_frames, "take")
    refused(bpy.ops.osmnet.choose_take, "take", index=3)


def test_no_rig():
    refused(bpy.ops.osmnet.sample_takes, "Create Head")


@pytest.fixture
def slow(addon, monkeypatch, fake):
    """An engine that takes its time for each frame."""
    monkeypatch.setenv("OSMNET_FAKE_FRAME_SECONDS", "0.02")
    addon.engine.process.stop()


def kill_when_frames_arrive(addon, count):
    """Kill the engine as soon as some frames lie in the cache."""
    store = addon.preferences.frame_store()

    def watch():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if len(list((store.folder / "frames").rglob("*.png"))) >= count:
                addon.engine.process._client._process._child.kill()
                return
            time.sleep(0.002)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_the_engine_is_killed_while_it_renders(addon, rig, slow):
    bpy.ops.osmnet.sample_takes(count=2, expression=True)
    thread = kill_when_frames_arrive(addon, 5)
    refused(bpy.ops.osmnet.render_frames, "stopped")
    thread.join()
    store = addon.preferences.frame_store()
    assert not broken_files(store.folder)
    arrived = len(list((store.folder / "frames").rglob("*.png")))
    assert arrived >= 5
    # the engine is started again, and goes on where it was
    assert bpy.ops.osmnet.render_frames() == {"FINISHED"}
    made = int(status().note.split()[0])
    assert 0 < made <= 75 - arrived + 2
    assert not broken_files(store.folder)


def test_the_engine_is_killed_during_an_update(addon, rig, slow, material):
    """The plane goes back to the frames that it showed."""
    bpy.ops.osmnet.sample_takes(count=2, expression=True)
    bpy.ops.osmnet.render_frames()
    shown = Path(rig.osmnet.sequence)
    before = {path.name: picture(path) for path in sorted(shown.glob("*.png"))[::25]}
    bpy.ops.osmnet.choose_take(index=1)
    thread = kill_when_frames_arrive(addon, 80)
    refused(bpy.ops.osmnet.update_frames, "stopped")
    thread.join()
    assert Path(rig.osmnet.sequence) == shown
    for name, pixels in before.items():
        assert np.array_equal(picture(shown / name), pixels)


def test_the_disk_of_temporary_files_is_full(addon, rig, fake, monkeypatch):
    """It fails in Blender, when the plane shows the new sequence: it shows the old one again."""
    bpy.ops.osmnet.sample_takes(count=1)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(addon.frames.rendering.np, "savez", full)
    refused(bpy.ops.osmnet.render_frames, "No space left")


def test_the_cache_folder_is_a_file(addon, rig, tmp_path, fake):
    bpy.ops.osmnet.sample_takes(count=1, expression=True)
    path = tmp_path / "eine Datei"
    path.write_text("x")
    addon.preferences.get().cache_folder = str(path)
    refused(bpy.ops.osmnet.render_frames, "eine Datei")


def test_a_full_disk(addon, rig, tmp_path, fake):
    """A tmpfs of 400 kB holds some frames but not all."""
    folder = tmp_path / "voll"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if os.name == "nt" or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small tmpfs needs Linux and root")
    try:
        bpy.ops.osmnet.sample_takes(count=1, expression=True)
        addon.preferences.get().cache_folder = str(folder)
        message = refused(bpy.ops.osmnet.render_frames)
        assert "space" in message or "full" in message, message
        assert not broken_files(folder)
    finally:
        addon.engine.process.stop()
        subprocess.run(["umount", str(folder)], check=True)


def test_export_where_nothing_can_be_written(rig, tmp_path, fake):
    bpy.ops.osmnet.sample_takes(count=1)
    refused(
        bpy.ops.osmnet.export_take, "nicht da", filepath=str(tmp_path / "nicht da" / "take.npz")
    )
    assert not (tmp_path / "nicht da").exists()


def test_the_plane_was_deleted(addon, rig, fake):
    bpy.ops.osmnet.sample_takes(count=1)
    bpy.data.objects.remove(rig.osmnet.plane)
    refused(bpy.ops.osmnet.render_frames, "plane")


def test_a_second_job_waits(addon, rig, fake, monkeypatch):
    monkeypatch.setenv("OSMNET_FAKE_FRAME_SECONDS", "0.05")
    bpy.ops.osmnet.sample_takes(count=1)
    steps = addon.frames.rendering.render(rig, bpy.context.scene, "crop", True, "TAKE")
    job = addon.engine.jobs.Job("Rendering frames", steps, "undo")
    monkeypatch.setattr(addon.engine.jobs, "_job", job)
    job.start()
    refused(bpy.ops.osmnet.sample_takes, "Rendering frames", count=1)
    job.cancel()
    while not job.finished:
        job.poll()
