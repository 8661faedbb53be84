# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on and what was said, as the panel and the preferences draw it."""

from __future__ import annotations

from typing import Any

import blf
import bpy

from .. import status
from ..core.wrapping import wrap
from ..engine import jobs

MISSING = "osmnet_missing"
"""Name of the text that the panel hangs on a button with an empty field."""

_BESIDE = 76.0
"""Pixels of a sidebar beside the text of a label in a box, before the interface's scale."""
_ICON = 24.0
"""Pixels of a button or icon beside a text."""
_UNKNOWN_WIDTH = 300.0


def draw_text(
    layout: Any, context: bpy.types.Context, text: str, *, beside: float = 0.0, icon: str = "NONE"
) -> None:
    """A text in as many labels as it needs where it is drawn.

    Args:
        layout: where to.
        context: of the drawing: its region is as wide as it is.
        text: one or more sentences; line breaks stay.
        beside: pixels that something else takes beside it, before the interface's scale.
        icon: of the first line.
    """
    system = context.preferences.system
    scale = system.ui_scale or 1.0  # none without a window
    region = context.region
    width = float(region.width) if region is not None else _UNKNOWN_WIDTH
    width -= (_BESIDE + beside + (_ICON if icon != "NONE" else 0.0)) * scale
    font = 0  # the interface's own
    blf.size(font, context.preferences.ui_styles[0].widget.points * scale)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(wrap(text, width, lambda part: blf.dimensions(font, part)[0])):
        column.label(text=line, icon="BLANK1" if number and icon != "NONE" else icon)


def draw_progress(layout: Any, context: bpy.types.Context) -> None:
    """What the engine does, how far it is, and Cancel; nothing if no job runs."""
    if not jobs.busy():
        return
    told = status.get()
    what = told.stage or told.title
    box = layout.box()
    box.progress(factor=told.factor, text=f"{what}, {told.left}" if told.left else what)
    box.operator("osmnet.cancel", icon="CANCEL")


def draw_status(layout: Any, context: bpy.types.Context) -> None:
    """Progress with Cancel, the last error with Details, what the engine noticed, the last note."""
    told = status.get()
    draw_progress(layout, context)
    if told.error:
        row = layout.box().row()
        column = row.column()
        column.alert = True
        draw_text(column, context, told.error, beside=_ICON, icon="ERROR")
        if told.details:
            column.operator("osmnet.show_details")
        row.operator("osmnet.clear_error", text="", icon="X", emboss=False)
    if told.warnings:
        row = layout.box().row()
        column = row.column()
        for warning in told.warnings.splitlines():
            draw_text(column, context, warning, beside=_ICON, icon="INFO")
        row.operator("osmnet.clear_warnings", text="", icon="X", emboss=False)
    if told.note and not told.error:
        draw_text(layout, context, told.note)


def draw_engine(layout: Any, context: bpy.types.Context) -> None:
    """In the preferences: what Check does, and what it or Find has found."""
    told = status.get()
    draw_progress(layout, context)
    text = told.error or told.engine or told.note
    if text and not jobs.busy():
        draw_text(layout, context, text, icon="ERROR" if told.error else "CHECKMARK")


def are_seen(context: bpy.types.Context) -> bool:
    """Whether what was said is on the screen: in the panel, or where the preferences were used."""
    if context.area is not None and context.area.type == "PREFERENCES":
        return True
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type != "VIEW_3D" or not area.spaces.active.show_region_ui:
                continue
            for region in area.regions:
                open_ = region.type == "UI" and region.width > 1
                if open_ and region.active_panel_category == "OSM-Net":
                    return True
    return False
