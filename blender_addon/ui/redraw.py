# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking Blender to draw the panel only when what it tells has changed."""

from __future__ import annotations

import bpy

from .. import status

_drawn: tuple[object, ...] = ()


def sidebars() -> None:
    """Draw the panel anew where it is open, if what it tells has changed."""
    global _drawn
    now = status.get()
    told = (
        now.title, now.stage, now.left, round(now.factor, 2), now.error, now.note, now.warnings,
        now.changed, now.engine,
    )  # fmt: skip
    if told == _drawn:
        return
    _drawn = told
    for window in bpy.data.window_managers[0].windows:
        for area in window.screen.areas:
            wanted = {"VIEW_3D": "UI", "PREFERENCES": "WINDOW"}.get(area.type)
            for region in area.regions:
                if region.type == wanted and region.width > 1:
                    region.tag_redraw()
