# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking Blender to draw only what has changed: the panel, or the views that show the plane."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

_PICTURES = {"MATERIAL", "RENDERED"}
"""Kinds of shading that show the plane's picture."""

_drawn: tuple[object, ...] = ()


def sidebars() -> None:
    """Draw the panel anew where it is open, if what it tells has changed."""
    global _drawn
    status = bpy.data.window_managers[0].osmnet
    told = (
        status.title, status.stage, status.left, round(status.factor, 2), status.error,
        status.note, status.warnings, status.changed, status.engine,
    )  # fmt: skip
    if told == _drawn:
        return
    _drawn = told
    for area in _areas():
        wanted = {"VIEW_3D": "UI", "PREFERENCES": "WINDOW"}.get(area.type)
        for region in area.regions:
            if region.type == wanted and region.width > 1:
                region.tag_redraw()


def views() -> None:
    """Draw the views anew that show the plane's picture."""
    for area in _areas():
        if area.type == "VIEW_3D" and area.spaces.active.shading.type in _PICTURES:
            for region in area.regions:
                if region.type == "WINDOW":
                    region.tag_redraw()


def _areas() -> Iterator[bpy.types.Area]:
    for window in bpy.data.window_managers[0].windows:
        yield from window.screen.areas
