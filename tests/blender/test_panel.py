"""The panels name only properties and operators that exist, in every state of a scene."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from support import status

ROOT = Path(__file__).parents[2]


class Layout:
    """Takes what a panel draws and checks it against Blender; remembers texts and operators."""

    def __init__(self, seen=None):
        self.__dict__["seen"] = [] if seen is None else seen

    def _inside(self, *args, **options):
        return Layout(self.seen)

    row = column = box = split = _inside

    def context_string_set(self, name, value):
        self.seen.append(value)

    def label(self, text="", icon="NONE"):
        self.icon(icon)
        self.seen.append(text)

    def prop(self, data, name, text=None, icon="NONE", **options):
        assert name in data.bl_rna.properties, (data, name)
        self.icon(icon)
        self.seen.append(f"{type(data).__name__}.{name}")

    def prop_search(self, data, name, where, collection, **options):
        self.prop(data, name)
        assert collection in where.bl_rna.properties

    def operator(self, name, text="", icon="NONE", emboss=True):
        group, operator = name.split(".")
        kind = getattr(getattr(bpy.ops, group), operator).get_rna_type()
        self.icon(icon)
        self.seen.append(name)
        return _Properties(kind)

    def progress(self, factor=0.0, text=""):
        assert 0 <= factor <= 1
        self.seen.append(text)

    def template_list(self, kind, identifier, data, name, active, active_name, rows=5):
        assert name in data.bl_rna.properties
        assert active_name in active.bl_rna.properties
        from bl_ext.user_default.osmnet.ui import directing, panel

        rows = {each.__name__: each for each in (panel.OSMNET_UL_takes, directing.OSMNET_UL_pins)}
        for index, item in enumerate(getattr(data, name)):
            rows[kind].draw_item(
                None, bpy.context, Layout(self.seen), data, item, 0, active, active_name, index
            )

    def icon(self, name):
        known = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items
        assert name in known, name


class _Self:
    """Stands for a panel: Blender alone can make one."""

    def __init__(self, kind, layout):
        self.kind, self.layout = kind, layout

    def __getattr__(self, name):
        return getattr(self.kind, name)


class _Properties:
    def __init__(self, kind):
        self.__dict__["kind"] = kind

    def __setattr__(self, name, value):
        assert name in self.kind.properties, (self.kind.identifier, name)


@pytest.fixture
def drawn(addon):
    """Everything that all panels draw now."""

    def draw():
        layout = Layout()
        for kind in (*addon.ui.panel.CLASSES[1:], *addon.ui.directing.CLASSES[1:]):
            kind.draw(_Self(kind, layout), bpy.context)
        return layout.seen

    return draw


def test_an_empty_scene(drawn):
    seen = drawn()
    assert "osmnet.create_head" in seen
    assert "osmnet.sample_takes" not in seen


def test_a_rig_with_takes(drawn, rig, fake):
    assert "osmnet.render_frames" not in drawn()
    bpy.ops.osmnet.sample_takes(count=3)
    seen = drawn()
    assert seen.count("osmnet.choose_take") == 3
    assert "osmnet.render_frames" in seen
    assert "OSMNetSettings.renderer" in seen
    assert "osmnet.update_frames" not in seen
    bpy.ops.osmnet.render_frames()
    assert "osmnet.update_frames" in drawn()


def test_pins_are_listed_with_their_angles(drawn, rig, fake):
    assert "osmnet.delete_pin" not in drawn()
    bpy.ops.osmnet.pin_pose(frame=10, pitch=0, yaw=0.3, roll=-0.1, place=(0, 0, 0))
    seen = drawn()
    assert "0° 17° -6°" in seen
    assert "osmnet.meet_pins" not in seen
    rig.osmnet.pins[0].axes = {"YAW"}
    bpy.ops.osmnet.sample_takes(count=1)
    seen = drawn()
    assert "– 17° –" in seen
    assert "osmnet.meet_pins" in seen
    assert "OSMNetPin.place" not in seen
    bpy.context.scene.timeline_markers.clear()
    assert "Pin 1: no marker" in drawn()


def test_the_selected_range_is_told(drawn, rig, fake):
    scene = bpy.context.scene
    scene.frame_end = 75
    assert "osmnet.retake_range" not in drawn()
    bpy.ops.osmnet.sample_takes(count=1)
    assert "Frames 1 to 75 (the whole scene)" in drawn()
    for frame in (60, 20):
        scene.timeline_markers.new("here", frame=frame).select = True
    seen = drawn()
    assert "Frames 20 to 60 (selected markers)" in seen
    assert "osmnet.hold_range" in seen


def test_takes_are_told_apart_in_their_rows(addon, drawn, rig, fake):
    bpy.ops.osmnet.sample_takes(count=2, intensity=0)
    bpy.ops.osmnet.sample_takes(count=1)
    seen = drawn()
    assert seen.count("0°/s") == 2
    amounts = [addon.takes.actions.amount_of(take.action) for take in rig.osmnet.takes]
    steps = np.diff(
        np.degrees(addon.takes.actions.sampled_curves(rig.osmnet.takes[2].action)), axis=0
    )
    assert amounts[2] == pytest.approx(25 * np.sqrt((steps[:, :3] ** 2).sum(axis=1)).mean())
    assert f"{amounts[2]:.0f}°/s" in seen
    assert {"OSMNetTake.star", "OSMNetTake.note"} <= set(seen)
    rig.osmnet.takes[2].note = "the calm one"
    bpy.ops.osmnet.duplicate_take(index=2)
    assert rig.osmnet.takes[3].note == "the calm one"


def test_blending_and_a_layer(addon, drawn, rig, fake):
    bpy.ops.osmnet.sample_takes(count=2)
    from support import YAW, add_to_key

    add_to_key(addon, rig.osmnet.takes[0].action, YAW, 5, 0.2)
    bpy.ops.osmnet.resample_take(index=0)
    assert "Your edits lie in a layer on top." in drawn()
    bpy.ops.osmnet.blend_takes()
    assert "OSMNetTake.influence" in drawn()


def test_another_frame_rate_is_said(drawn, rig, fake):
    bpy.ops.osmnet.sample_takes(count=1)
    assert "osmnet.fit_takes" not in drawn()
    bpy.context.scene.render.fps = 30
    assert "osmnet.fit_takes" in drawn()


def test_errors_and_progress(addon, drawn, rig, fake):
    error = addon.core.errors.AddonError("The engine stopped; it is started again.", "last lines")
    addon.status.show_error(error)
    seen = drawn()
    assert "osmnet.show_details" in seen
    assert any("engine stopped" in text for text in seen)
    bpy.ops.osmnet.show_details()
    assert "last lines" in bpy.data.texts["OSM-Net details"].as_string()
    bpy.ops.osmnet.clear_error()
    assert "osmnet.show_details" not in drawn()
    assert not status().error


def test_targets_and_mapping(drawn, rig, fake):
    bpy.ops.osmnet.sample_takes(count=1)
    armature = bpy.data.objects.new("other", bpy.data.armatures.new("other"))
    bpy.context.scene.collection.objects.link(armature)
    mesh = bpy.data.objects.new("face", rig.osmnet.head.data.copy())
    bpy.context.scene.collection.objects.link(mesh)
    settings = bpy.context.scene.osmnet
    settings.target, settings.target_mesh = armature, mesh
    bpy.ops.osmnet.match_shape_keys()
    seen = drawn()
    assert seen.count("OSMNetMappingRow.shape_key") == 52
    assert "OSMNetSettings.target_bone" in seen


def test_preferences(addon):
    layout = Layout()
    kind = addon.ui.preferences.OSMNetPreferences
    kind.draw(_Self(kind, layout), bpy.context)
    assert "osmnet.find_engine" in layout.seen
    assert "osmnet.check_engine" in layout.seen


def test_check_tells_versions_device_and_bundle():
    assert bpy.ops.osmnet.check_engine() == {"FINISHED"}
    text = status().engine
    for word in ("OSM-Net", "Python", "cpu", "starter"):
        assert word in text


def test_options_of_takes_are_the_properties_that_the_sdk_lists(addon, rig, fake):
    """And the largest numbers pass, which Blender stores as slightly larger ones."""
    schemas = json.loads((ROOT / "blender_addon" / "core" / "options.json").read_text("utf-8"))
    given, chosen = {}, {}
    for prefix, part in (("", "motion"), ("expression_", "expression")):
        for name, facts in schemas[part]["properties"].items():
            stored = bpy.types.Scene.bl_rna.properties["osmnet"].fixed_type.properties
            if facts.get("type") == "number":
                has = stored[prefix + name]
                assert has.hard_max == pytest.approx(facts["maximum"])
                assert has.hard_min == pytest.approx(facts["minimum"])
                assert has.default == pytest.approx(facts["default"])
                assert facts["description"] in has.description
                given[prefix + name] = facts["maximum"]
            elif "enum" in facts:
                has = stored[prefix + name]
                assert [item.identifier for item in has.enum_items] == facts["enum"]
                assert has.default == facts["default"]
                assert facts["description"] in has.description
                chosen[prefix + name] = facts["enum"][-1]
            else:
                assert (prefix + name in stored) == (facts.get("type") == "boolean")
    assert len(given) > 12
    assert list(chosen) == ["expression_mood"]
    given |= {"epsilon": 0.1, "intensity": 0.1}  # a head turns by less than 180°
    assert bpy.ops.osmnet.sample_takes(
        count=1, expression_rest_in_silence=False, **given, **chosen
    ) == {"FINISHED"}
    made = addon.takes.actions.provenance_of(rig.osmnet.takes[0].action)["options"]
    assert made["motion"] == {
        name: value for name, value in given.items() if not name.startswith("expression_")
    }
    assert made["expression"]["smoothing"] == 0.2
    assert made["expression"]["rest_in_silence"] is False
    assert made["expression"]["mood"] == "tired"
