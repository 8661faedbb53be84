"""Photos and voices that are dropped, the Add menu, the active sound strip."""

from __future__ import annotations

import shutil

import bpy
import pytest
from support import sentence_of, status


def drop(folder, *names):
    return bpy.ops.osmnet.drop_files(
        directory=str(folder), files=[{"name": name} for name in names]
    )


@pytest.fixture
def folder(material):
    return material.folder


def rigs(addon):
    return [item for item in bpy.data.objects if addon.rig.head.is_rig(item)]


def test_a_photo_and_a_voice_make_a_head(addon, fake, material, folder):
    assert drop(folder, material.voice.name, material.portrait.name) == {"FINISHED"}
    (rig,) = rigs(addon)
    assert (rig.osmnet.portrait, rig.osmnet.voice) == (str(material.portrait), str(material.voice))
    assert bpy.ops.osmnet.sample_takes(count=1) == {"FINISHED"}


def test_a_voice_is_that_of_the_head_that_is_there(addon, fake, material, folder, tmp_path):
    assert drop(folder, material.voice.name) == {"FINISHED"}
    assert bpy.context.scene.osmnet.voice == str(material.voice)
    assert status().note.endswith("Now drop a photo.")
    assert drop(folder, material.portrait.name) == {"FINISHED"}
    (rig,) = rigs(addon)
    assert rig.osmnet.voice == str(material.voice)
    other = shutil.copy(material.voice, tmp_path / "other.wav")
    assert drop(tmp_path, "other.wav") == {"FINISHED"}
    assert rig.osmnet.voice == str(other)


def test_what_makes_no_head_is_refused(addon, fake, material, folder, tmp_path):
    for name in ("a.blend", "a.png", "b.png"):
        (tmp_path / name).write_bytes(b"")
    for names, words in ((["a.blend"], "Drop a photo"), (["a.png", "b.png"], "2 files could be")):
        with pytest.raises(RuntimeError) as error:
            drop(tmp_path, *names)
        assert words in sentence_of(error.value)
    assert not rigs(addon)


def test_views_take_files_of_these_kinds(addon):
    handler = addon.ui.operators.dropping.OSMNET_FH_drop
    assert handler.is_registered
    assert hasattr(bpy.ops.osmnet, handler.bl_import_operator.split(".")[1])
    assert {".jpg", ".png", ".wav", ".mp3"} <= set(handler.bl_file_extensions.split(";"))


def test_the_add_menu_makes_a_head(addon, fake, material):
    drawn = bpy.types.VIEW3D_MT_add._dyn_ui_initialize()
    assert addon.ui.operators.dropping.add_to_menu in drawn
    assert bpy.ops.osmnet.add_head(filepath=str(material.portrait)) == {"FINISHED"}
    assert len(rigs(addon)) == 1


def test_the_active_sound_strip_is_the_voice(addon, fake, material):
    if not addon.compat.has_sound():
        pytest.skip("this bpy has no sound")
    scene = bpy.context.scene
    editor = scene.sequence_editor_create()
    strip = addon.compat.sequencer_strips(editor).new_sound("v", str(material.voice), 1, 12)
    editor.active_strip = strip
    bpy.ops.osmnet.create_head(portrait=str(material.portrait))
    (rig,) = rigs(addon)
    assert (rig.osmnet.voice, rig.osmnet.voice_start) == (str(material.voice), 12)
    rig.osmnet.voice, rig.osmnet.voice_start = "", 1
    bpy.ops.osmnet.sample_takes(count=1)
    assert (rig.osmnet.voice, rig.osmnet.voice_start) == (str(material.voice), 12)
    timing = addon.takes.actions.timing_of(rig.osmnet.takes[0].action)
    assert timing.start == 12
