# SPDX-License-Identifier: GPL-3.0-or-later
"""The part *Directing* of the panel: poses that takes meet, and ranges that are made anew."""

from __future__ import annotations

from math import degrees
from typing import Any

import bpy

from ..rig.head import find_rig
from ..takes import pins, ranges
from . import options
from .panel import SidebarPanel, fields

_HOW = {"markers": "selected markers", "preview": "preview range", "scene": "the whole scene"}


class OSMNET_UL_pins(bpy.types.UIList):
    """Pins with their frame and angles; those whose marker was deleted are grey."""

    def draw_item(
        self, context: bpy.types.Context, layout: Any, data: Any, item: Any, icon: int,
        active_data: Any, active_property: str, index: int = 0, flt_flag: int = 0,
    ) -> None:  # fmt: skip
        """Draw one pin."""
        row = layout.row(align=True)
        if pins.marker_of(item) is None:
            row.label(text=f"{item.name}: no marker")
            row.operator("osmnet.show_pin", text="", icon="MARKER", emboss=False).index = index
            return
        row.prop(item, "name", text="", emboss=False, icon="PINNED")
        row.prop(item, "frame", text="", emboss=False)
        row.label(text=_angles(item))


def _angles(pin: Any) -> str:
    """Pitch, yaw and roll of a pin in few letters; a dash where the axis is free."""
    values = zip(pins.AXES, (pin.pitch, pin.yaw, pin.roll), strict=False)
    return " ".join(f"{degrees(v):.0f}°" if axis in pin.axes else "–" for axis, v in values)


class OSMNET_PT_directing(SidebarPanel, bpy.types.Panel):
    """Ranges and pins."""

    bl_idname = "OSMNET_PT_directing"
    bl_label = "Directing"
    bl_parent_id = "OSMNET_PT_takes"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the range, the list of pins, and the marked one."""
        layout, rig = self.layout, find_rig(context)
        if rig is None:
            return
        if len(rig.osmnet.takes):
            self._draw_range(layout, context)
        layout.operator("osmnet.pin_pose", icon="PINNED")
        if len(rig.osmnet.pins):
            self._draw_pins(layout, rig.osmnet)

    @staticmethod
    def _draw_range(layout: Any, context: bpy.types.Context) -> None:
        """The range that is selected, and what can be done with it."""
        chosen = ranges.chosen(context.scene)
        text = f"Frames {chosen.first} to {chosen.last} ({_HOW[chosen.how]})"
        layout.label(text=text, icon="PREVIEW_RANGE")
        row = layout.row(align=True)
        row.operator("osmnet.hold_range", icon="FREEZE")
        again = row.operator("osmnet.retake_range", icon="FILE_REFRESH")
        options.hand_over(context.scene.osmnet, again, "motion")
        again.follow = options.followed(context.scene.osmnet)

    @staticmethod
    def _draw_pins(layout: Any, state: Any) -> None:
        """The list of pins, and the marked one."""
        row = layout.row()
        row.template_list("OSMNET_UL_pins", "", state, "pins", state, "pin_index", rows=3)
        side = row.column(align=True)
        side.operator("osmnet.delete_pin", text="", icon="REMOVE").index = state.pin_index
        side.operator("osmnet.set_pin", text="", icon="EYEDROPPER").index = state.pin_index
        if 0 <= state.pin_index < len(state.pins):
            _draw_pin(layout, state.pins[state.pin_index])
        if len(state.takes):
            row = layout.row(align=True)
            row.operator("osmnet.meet_pins", icon="CURVE_PATH")
            row.operator("osmnet.edit_to_pin")


def _draw_pin(layout: Any, pin: Any) -> None:
    row = layout.row(align=True)
    row.prop(pin, "axes")
    column = fields(layout.column(align=True))
    for name in ("pitch", "yaw", "roll"):
        if name.upper() in pin.axes:
            column.prop(pin, name)
    if "PLACE" in pin.axes:
        column.prop(pin, "place")


CLASSES = (OSMNET_UL_pins, OSMNET_PT_directing)
