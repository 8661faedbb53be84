"""What an animator sees and touches first: selection, handles, views, buttons that say why."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from support import YAW, curve, sentence_of, status
from take_support import add_take


def selected_keys(addon, action):
    return [
        point
        for one in addon.compat.all_curves(action)
        for point in one.keyframe_points
        if point.select_control_point or point.select_left_handle or point.select_right_handle
    ]


def test_a_new_head_is_ready_to_be_posed(addon, rig, fake):
    """Curve editors show the curves of selected bones alone."""
    assert bpy.context.view_layer.objects.active == rig
    assert bpy.context.mode == "POSE"
    assert addon.compat.selected_bones(rig) == ["head"]
    assert rig.data.bones.active.name == "head"
    bpy.ops.osmnet.sample_takes(count=2, expression=True)
    assert addon.compat.selected_bones(rig) == ["head"]


def test_the_animators_selection_of_bones_stays(addon, rig, fake):
    addon.compat.select_bone(rig, "neck")
    bpy.ops.osmnet.sample_takes(count=1)
    assert addon.compat.selected_bones(rig) == ["neck"]


def test_no_key_is_selected(addon, rig, fake):
    """One G or X would act on all of them."""
    bpy.ops.osmnet.sample_takes(count=2, expression=True)
    for take in rig.osmnet.takes:
        assert not selected_keys(addon, take.action)
        assert not any(one.select for one in addon.compat.all_curves(take.action))
    chosen = curve(addon, rig.osmnet.takes[0].action, YAW)
    chosen.select = True
    bpy.ops.osmnet.resample_take(index=0, seed=9)
    assert not selected_keys(addon, rig.osmnet.takes[0].action)
    assert chosen.select  # the curve itself is the animator's


def test_bones_have_shapes_that_leave_the_face_free(rig, fake):
    head = rig.osmnet.head
    places = np.array([vertex.co for vertex in head.data.vertices])
    front = places[places[:, 1] < np.median(places[:, 1])]
    for bone in rig.pose.bones:
        ring = bone.custom_shape
        assert ring is not None
        assert not ring.users_scene
        to_rig = np.array(bone.bone.matrix_local)
        points = np.array([to_rig @ [*vertex.co, 1.0] for vertex in ring.data.vertices])[:, :3]
        above = points[:, 2].min() > front[:, 2].max()
        below = points[:, 2].max() < front[:, 2].min() + 0.05
        assert above or below
        assert np.ptp(points, axis=0)[:2].min() > 0.03


def test_the_camera_is_out_of_the_way_and_renders(rig, fake, tmp_path):
    from support import seen_on_plane

    scene = bpy.context.scene
    assert scene.camera == rig.osmnet.camera
    assert rig.osmnet.camera.hide_get()
    assert np.ptp(seen_on_plane(1, tmp_path, 64)) > 50


def test_coefficients_have_descriptions_and_can_be_overridden(addon, rig, fake, tmp_path):
    bone = rig.pose.bones["head"]
    for name, words in addon.core.coefficients.DESCRIPTIONS.items():
        assert bone.id_properties_ui(name).as_dict()["description"] == words
        assert bone.is_property_overridable_library(f'["{name}"]')
    name, path = rig.users_collection[0].name, tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.collections = [name]
    collection = bpy.data.collections[name]
    bpy.context.scene.collection.children.link(collection)
    made = collection.override_hierarchy_create(
        bpy.context.scene, bpy.context.view_layer, do_fully_editable=True
    )
    (own,) = (item for item in made.all_objects if item.type == "ARMATURE")
    own.pose.bones["head"]["jawOpen"] = 0.75
    shot = tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(shot))
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    (own,) = (
        item for item in bpy.data.objects
        if item.type == "ARMATURE" and item.override_library is not None
    )  # fmt: skip
    assert own.pose.bones["head"]["jawOpen"] == pytest.approx(0.75)


def groups_of_properties():
    """Everything whose properties a user may meet: groups, preferences and operators."""
    import importlib

    module = importlib.import_module("bl_ext.user_default.osmnet.registration")
    for kind in module._CLASSES:
        if issubclass(kind, (bpy.types.PropertyGroup, bpy.types.AddonPreferences)):
            yield kind.__name__, kind.bl_rna
        elif issubclass(kind, bpy.types.Operator):
            group, name = kind.bl_idname.split(".")
            yield kind.bl_idname, getattr(getattr(bpy.ops, group), name).get_rna_type()


def test_every_property_and_operator_has_a_description(addon):
    inherited = {"rna_type", "name", "bl_idname", "filter_glob"}
    for owner, kind in groups_of_properties():
        if owner.startswith("osmnet."):  # Blender reads no docstrings of groups
            assert len(kind.description) > 8, owner
        for prop in kind.properties:
            if prop.identifier not in inherited:
                assert len(prop.description) > 8, (owner, prop.identifier)


def polls():
    return {kind.bl_idname.removeprefix("osmnet."): kind for kind in _operators()}


def _operators():
    from bl_ext.user_default.osmnet.ui import operators

    return operators.CLASSES


def why_not(name):
    """The sentence that a button shows while it is off, "" if it is on."""
    operator = getattr(bpy.ops.osmnet, name)
    if operator.poll():
        return ""
    with pytest.raises(RuntimeError) as caught:
        operator()
    return sentence_of(caught.value)


def test_every_button_says_why_it_is_off(addon, material, fake, monkeypatch):
    off = {name: why_not(name) for name in polls()}
    on = {name for name, sentence in off.items() if not sentence}
    assert on == {
        "find_engine", "check_engine", "create_head", "add_head", "drop_files", "load_mapping",
    }  # fmt: skip
    bpy.ops.osmnet.create_head(portrait=str(material.portrait), voice=str(material.voice))
    assert not why_not("sample_takes")
    assert not why_not("import_take")
    assert "take" in why_not("render_frames")
    bpy.ops.osmnet.sample_takes(count=1)
    assert not why_not("render_frames")
    assert "Render Frames" in why_not("update_frames")
    bpy.ops.osmnet.render_frames()
    assert not why_not("update_frames")
    # while a job runs, only Cancel is on
    monkeypatch.setattr(addon.engine.jobs, "busy", lambda: "Wait for 'Rendering frames' to end.")
    still_on = {name for name in polls() if not why_not(name)}
    assert still_on == {"cancel"}


def test_checking_the_engine_leaves_the_file_alone(addon, rig, fake, tmp_path):
    pushed = []
    real = addon.engine.jobs.Job
    addon.engine.jobs.Job = lambda title, steps, undo: (
        pushed.append(undo) or real(title, steps, undo)
    )
    try:
        bpy.ops.osmnet.check_engine()
        bpy.ops.osmnet.sample_takes(count=1)
        bpy.ops.osmnet.export_take(filepath=str(tmp_path / "take.npz"))
    finally:
        addon.engine.jobs.Job = real
    assert pushed == ["", "OSM-Net: Sample Takes", ""]


def test_influence_is_what_plays(addon, rig, fake):
    """Strips play at full weight until somebody says otherwise."""
    for seed in range(3):
        add_take(addon, rig, seed)
    addon.takes.nla.choose(rig, 0)
    bpy.ops.osmnet.blend_takes()
    takes = rig.osmnet.takes
    assert [take.influence for take in takes] == [1.0, 1.0, 1.0]
    takes[1].influence = 0.25
    bpy.context.scene.frame_set(20)
    assert [take.influence for take in takes] == pytest.approx([1.0, 0.25, 1.0])
    (_, strip), *_ = addon.takes.nla.strips_of(rig, takes[2].action)
    strip.use_animated_influence = True
    weights = strip.fcurves.find("influence")
    weights.keyframe_points.insert(10, 0.0)
    weights.keyframe_points.insert(30, 1.0)
    for point in weights.keyframe_points:
        point.interpolation = "LINEAR"
    assert takes[2].influence == pytest.approx(0.5)
    bpy.context.scene.frame_set(35)
    assert takes[2].influence == pytest.approx(1.0)


def test_what_the_engine_notices_is_told_once(addon):
    """What it says while it works and what its answer carries are one list."""
    job = addon.engine.jobs.Job("x", iter(()), "")
    for message in ("The mouth is covered.", "A second face.", "A second face.", ""):
        job._warn(message)
    assert status().warnings.splitlines() == ["The mouth is covered.", "A second face."]
    words = {"warnings": ["A.", 3, "B. "], "notes": ["C."], "takes": ["no"]}
    assert addon.engine.jobs._warnings_of(words) == ["A.", "B.", "C."]
    assert addon.engine.jobs._warnings_of({"warnings": "text", "notes": None}) == []
    assert bpy.ops.osmnet.clear_warnings() == {"FINISHED"}
    assert not status().warnings


def test_another_voice_than_the_takes_is_told(addon, rig, fake, material, tmp_path, monkeypatch):
    monkeypatch.setattr(addon.takes.voices, "_FRESH", 0.0)
    bpy.ops.osmnet.sample_takes(count=1)
    assert addon.takes.voices.mismatch(rig) == ""
    other = tmp_path / "other.wav"
    other.write_bytes(material.voice.read_bytes())
    rig.osmnet.voice = str(other)
    assert addon.takes.voices.mismatch(rig) == ""  # the same sound under another name
    data = bytearray(other.read_bytes())
    data[-1000] ^= 1
    other.write_bytes(data)
    assert "other.wav" in addon.takes.voices.mismatch(rig)
    bpy.ops.osmnet.keep_only(name="baked")
    assert "other.wav" in addon.takes.voices.mismatch(rig)
    bpy.ops.osmnet.resample_take()
    assert addon.takes.voices.mismatch(rig) == ""
    data[-1000] ^= 1
    other.write_bytes(data)
    assert "changed" in addon.takes.voices.mismatch(rig)
    # of an imported take only the sound's name is known
    index = add_take(addon, rig, 1)
    addon.takes.nla.choose(rig, index)
    assert "voice.wav" in addon.takes.voices.mismatch(rig)
    rig.osmnet.voice = str(tmp_path / "voice.wav")
    assert addon.takes.voices.mismatch(rig) == ""
    rig.osmnet.voice = ""
    assert addon.takes.voices.mismatch(rig) == ""


def test_the_bundle_of_the_preferences_reaches_the_engine(addon, fake, tmp_path):
    preferences = addon.preferences
    assert preferences.bundle() == "starter"
    settings = preferences.get()
    sent = []
    real = addon.engine.process._running

    class Client:
        def request(self, method, params):
            sent.append(params)
            raise addon.core.errors.AddonError("Enough.")

    addon.engine.process._running = lambda _: Client()
    try:
        for chosen, expected in [
            ("", "starter"), ("  mine ", "mine"), (str(tmp_path), str(tmp_path)),
        ]:  # fmt: skip
            settings.bundle = chosen
            with pytest.raises(RuntimeError):
                bpy.ops.osmnet.check_engine()
            assert sent[-1]["bundle"] == expected
    finally:
        addon.engine.process._running = real
        settings.bundle = "starter"


def test_a_bundle_that_is_not_there_is_a_sentence(addon, tmp_path):
    settings = addon.preferences.get()
    settings.bundle = str(tmp_path / "no bundle")
    try:
        with pytest.raises(RuntimeError, match="no bundle"):
            bpy.ops.osmnet.check_engine()
        assert "no bundle" in status().error
    finally:
        settings.bundle = "starter"


def test_a_bundle_by_its_folder(addon):
    from pathlib import Path

    settings = addon.preferences.get()
    settings.bundle = str(Path(__file__).parents[2] / "models" / "starter")
    try:
        assert bpy.ops.osmnet.check_engine() == {"FINISHED"}
        assert "bundle starter" in status().engine
    finally:
        settings.bundle = "starter"
