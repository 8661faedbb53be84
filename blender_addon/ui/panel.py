# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar panel *OSM-Net* in the 3D view."""

from __future__ import annotations

import os
from typing import Any

import bpy

from .. import preferences, status
from ..rig import sound
from ..rig.head import find_rig
from ..takes import actions, voices
from . import messages, options


class SidebarPanel:
    """Where our panels stand."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "OSM-Net"


_NO_VOICE = "Choose a voice first."

_ALWAYS = ("count", "seed", "epsilon", "intensity", "with_expression", "keys")
"""Settings of takes that are always to be seen."""


def _needing(layout: Any, field: object, sentence: str) -> Any:
    """A row for a button that needs a field: while it is empty, the button says so and is off."""
    row = layout.row(align=True)
    if not field:
        row.context_string_set(messages.MISSING, sentence)
    return row


def fields(layout: Any) -> Any:
    """A layout in which names stand to the left of their fields."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    return layout


class OSMNET_UL_takes(bpy.types.UIList):
    """Takes with radio buttons; while blending, with switches and weights instead."""

    def draw_item(
        self, context: bpy.types.Context, layout: Any, data: Any, item: Any, icon: int,
        active_data: Any, active_property: str, index: int = 0, flt_flag: int = 0,
    ) -> None:  # fmt: skip
        """Draw one take."""
        row = layout.row(align=True)
        if item.action is None:
            row.label(text="(action deleted)", icon="ERROR")
            return
        if not data.blending:
            radio = "RADIOBUT_ON" if data.chosen == index else "RADIOBUT_OFF"
            row.operator("osmnet.choose_take", text="", icon=radio, emboss=False).index = index
        star = "SOLO_ON" if item.star else "SOLO_OFF"
        row.prop(item, "star", text="", icon=star, emboss=False)
        row.prop(item, "name", text="", emboss=False)
        amount = actions.amount_of(item.action)
        if amount is not None and not data.blending:
            end = row.row()
            end.alignment = "RIGHT"
            end.label(text=f"{amount:.0f}°/s")
        if item.layer is not None:
            row.label(text="", icon="MOD_DATA_TRANSFER")
        if data.blending:
            row.prop(item, "influence", text="", slider=True)
            row.prop(item, "playing", text="")


class OSMNET_PT_status(SidebarPanel, bpy.types.Panel):
    """What goes on, on top of the others and always there."""

    bl_idname = "OSMNET_PT_status"
    bl_label = "Status"
    bl_options = {"HIDE_HEADER"}
    bl_order = 0

    def draw(self, context: bpy.types.Context) -> None:
        """Draw progress, errors and notes; without an engine, how to find one."""
        if not preferences.get().engine_python and not os.environ.get("OSMNET_PYTHON"):
            self.layout.label(text="No engine is set.", icon="INFO")
            self.layout.operator("osmnet.find_engine")
        messages.draw_status(self.layout, context)


class OSMNET_PT_setup(SidebarPanel, bpy.types.Panel):
    """Voice and portrait."""

    bl_idname = "OSMNET_PT_setup"
    bl_label = "Set Up"
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the fields; the voice is that of the rig where there is one."""
        layout, settings = fields(self.layout), context.scene.osmnet
        rig = find_rig(context)
        voice = rig.osmnet if rig is not None else settings
        row = layout.row(align=True)
        row.prop(voice, "voice")
        row.operator("osmnet.voice_from_strip", text="", icon="SEQUENCE")
        strip = None if voice.voice else sound.active_strip(context.scene)
        if strip is not None:
            messages.draw_text(
                layout, context, f"The active strip '{strip.name}' is the voice.", icon="SEQUENCE"
            )
        layout.prop(voice, "voice_start")
        layout.prop(voice, "channel")
        if voice.channel == "number":
            layout.prop(voice, "channel_number")
        layout.prop(voice, "track")
        layout.prop(settings, "portrait")
        layout.prop(settings, "face_index")
        _needing(layout, settings.portrait, "Choose a portrait first.").operator(
            "osmnet.create_head", icon="OUTLINER_OB_ARMATURE"
        )
        if rig is not None and context.scene.view_settings.view_transform != "Standard":
            messages.draw_text(
                layout, context, "The view transform changes the frames' colours.", icon="INFO"
            )
            layout.operator("osmnet.set_up_scene", icon="SCENE_DATA")


class OSMNET_PT_takes(SidebarPanel, bpy.types.Panel):
    """Sampling and choosing takes."""

    bl_idname = "OSMNET_PT_takes"
    bl_label = "Takes"
    bl_order = 2

    def draw(self, context: bpy.types.Context) -> None:
        """Draw fields and list."""
        layout, settings = self.layout, context.scene.osmnet
        rig = find_rig(context)
        if rig is None:
            layout.label(text="Create or select a head rig.", icon="INFO")
            return
        column = fields(layout.column())
        for name in _ALWAYS:
            column.prop(settings, name)
        voice = sound.voice_fields(rig, context.scene)["voice"]
        sample = _needing(column, voice, _NO_VOICE).operator("osmnet.sample_takes", icon="ADD")
        sample.count, sample.seed = settings.count, settings.seed
        options.hand_over(settings, sample)
        sample.expression, sample.keys = settings.with_expression, settings.keys
        sample.follow = options.followed(settings)
        if not len(rig.osmnet.takes):
            return
        row = layout.row()
        row.template_list("OSMNET_UL_takes", "", rig.osmnet, "takes", rig.osmnet, "index", rows=5)
        self._draw_side(row.column(align=True), rig, settings)
        if 0 <= rig.osmnet.index < len(rig.osmnet.takes):
            fields(layout.column()).prop(rig.osmnet.takes[rig.osmnet.index], "note")
        predict = _needing(layout, voice, _NO_VOICE).operator(
            "osmnet.predict_expression", icon="SHAPEKEY_DATA"
        )
        options.hand_over(settings, predict)
        other = voices.mismatch(rig)
        if other:
            messages.draw_text(layout.box(), context, other, icon="ERROR")
        self._draw_edits(layout, rig, context)
        self._draw_timing(layout, rig, context)

    @staticmethod
    def _draw_side(column: Any, rig: bpy.types.Object, settings: Any) -> None:
        index = rig.osmnet.index
        for name, icon in (
            ("osmnet.duplicate_take", "DUPLICATE"),
            ("osmnet.delete_take", "REMOVE"),
        ):
            column.operator(name, text="", icon=icon).index = index
        again = column.operator("osmnet.resample_take", text="", icon="FILE_REFRESH")
        again.index = index
        options.hand_over(settings, again)
        again.follow = options.followed(settings)

    @staticmethod
    def _draw_edits(layout: Any, rig: bpy.types.Object, context: bpy.types.Context) -> None:
        state = rig.osmnet
        row = layout.row(align=True)
        if 0 <= state.chosen < len(state.takes) and state.takes[state.chosen].layer is not None:
            messages.draw_text(
                layout, context, "Your edits lie in a layer on top.", icon="MOD_DATA_TRANSFER"
            )
            row = layout.row(align=True)
            row.operator("osmnet.merge_edits")
        row.operator("osmnet.discard_edits")
        row = layout.row(align=True)
        if state.blending:
            row.operator("osmnet.choose_take", text="Back to One Take", icon="LOOP_BACK")
        else:
            row.operator("osmnet.blend_takes", icon="NLA")
        row.operator("osmnet.keep_only", icon="ACTION_TWEAK")

    @staticmethod
    def _draw_timing(layout: Any, rig: bpy.types.Object, context: bpy.types.Context) -> None:
        rate = actions.scene_rate(context.scene)
        timings = [actions.timing_of(take.action) for take in rig.osmnet.takes if take.action]
        if any(t.rate != rate or t.start != rig.osmnet.voice_start for t in timings):
            messages.draw_text(
                layout, context, "The takes do not fit the scene's frame rate or voice.",
                icon="ERROR",
            )  # fmt: skip
            layout.operator("osmnet.fit_takes")


def draw_options(layout: Any, settings: Any, part: str) -> None:
    """Draw a field for each option of a part that the panel of takes has not."""
    column = fields(layout.column())
    for name in options.OPTIONS[part]:
        if name not in _ALWAYS:
            column.prop(settings, name)


class _Options(SidebarPanel):
    """Options of takes, closed until they are wanted."""

    bl_parent_id = "OSMNET_PT_takes"
    bl_options = {"DEFAULT_CLOSED"}
    part = ""

    def draw(self, context: bpy.types.Context) -> None:
        """Draw a field for each option that the panel of takes has not."""
        draw_options(self.layout, context.scene.osmnet, self.part)


class OSMNET_PT_motion(_Options, bpy.types.Panel):
    """How head motion, blinks, gaze and brows are sampled."""

    bl_idname = "OSMNET_PT_motion"
    bl_label = "Motion"
    part = "motion"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what is followed on top."""
        settings = context.scene.osmnet
        column = fields(self.layout.column())
        column.prop(settings, "follow_action")
        if settings.follow_action is None:
            column.prop(settings, "follow_file")
        draw_options(self.layout, settings, self.part)


class OSMNET_PT_expression(_Options, bpy.types.Panel):
    """How the expression is predicted."""

    bl_idname = "OSMNET_PT_expression"
    bl_label = "Expression"
    part = "expression"


class OSMNET_PT_frames(SidebarPanel, bpy.types.Panel):
    """Rendering frames onto the plane."""

    bl_idname = "OSMNET_PT_frames"
    bl_label = "Frames"
    bl_order = 3

    def draw(self, context: bpy.types.Context) -> None:
        """Draw settings, and what changed."""
        layout, settings = self.layout, context.scene.osmnet
        rig = find_rig(context)
        if rig is None or not len(rig.osmnet.takes):
            layout.label(text="Sample takes first.", icon="INFO")
            return
        column = fields(layout.column())
        for name in ("renderer", "frame_size", "frame_range", "label"):
            column.prop(settings, name)
        render = layout.operator("osmnet.render_frames", icon="RENDER_ANIMATION")
        render.size, render.range = settings.frame_size, settings.frame_range
        render.label, render.renderer = settings.label, settings.renderer
        layout.operator("osmnet.export_video", icon="FILE_MOVIE")
        if not rig.osmnet.made_with:
            return
        changed = status.get().changed
        row = layout.row(align=True)
        row.enabled = changed != 0
        text = (
            "Update" if changed < 0 else f"Update ({changed} changed)" if changed else "Up to date"
        )
        row.operator("osmnet.update_frames", text=text, icon="FILE_REFRESH")
        layout.prop(settings, "auto_update")


class OSMNET_PT_files(SidebarPanel, bpy.types.Panel):
    """Loading, saving and other rigs."""

    bl_idname = "OSMNET_PT_files"
    bl_label = "Load, Save, Apply"
    bl_order = 4
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the operators."""
        layout, settings = self.layout, context.scene.osmnet
        row = layout.row(align=True)
        row.operator("osmnet.import_take", icon="IMPORT").keys = settings.keys
        row.operator("osmnet.export_take", icon="EXPORT")
        column = fields(layout.column())
        column.prop(settings, "target")
        if settings.target is not None and settings.target.type == "ARMATURE":
            column.prop_search(settings, "target_bone", settings.target.data, "bones")
        column.prop(settings, "target_mesh")
        self._draw_mapping(layout, settings)
        target = settings.target or settings.target_mesh
        _needing(layout, target, "Choose a target or a mesh first.").operator(
            "osmnet.apply_to_rig", icon="ARMATURE_DATA"
        )

    @staticmethod
    def _draw_mapping(layout: Any, settings: Any) -> None:
        mesh = settings.target_mesh
        if mesh is None or mesh.data.shape_keys is None:
            return
        row = layout.row(align=True)
        row.operator("osmnet.match_shape_keys")
        row.operator("osmnet.load_mapping", text="", icon="FILE_FOLDER")
        row.operator("osmnet.save_mapping", text="", icon="FILE_TICK")
        box = layout.column(align=True)
        for line in settings.mapping:
            box.prop_search(
                line, "shape_key", mesh.data.shape_keys, "key_blocks", text=line.blendshape
            )


CLASSES = (
    OSMNET_UL_takes,
    OSMNET_PT_status,
    OSMNET_PT_setup,
    OSMNET_PT_takes,
    OSMNET_PT_motion,
    OSMNET_PT_expression,
    OSMNET_PT_frames,
    OSMNET_PT_files,
)
