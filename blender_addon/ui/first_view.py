# SPDX-License-Identifier: GPL-3.0-or-later
"""What an animator sees after Create Head: head and plane from the front, ready to be posed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from .. import compat
from ..core.channels import BONE

_SENSOR = 36.0
"""Millimetres of the sensor that Blender's views have."""
_ZOOM = 2.0
"""How much more a view shows than a camera of its lens would."""
_ROOM = 1.15
"""Size of what is shown, with some room around it."""
_BESIDE = {"UI", "TOOLS", "HEADER", "TOOL_HEADER", "ASSET_SHELF"}
"""Regions that may lie over a view."""


@dataclass(frozen=True)
class Place:
    """The free part of a view, in pixels from its lower left: middle and size."""

    middle: tuple[float, float]
    size: tuple[float, float]


def show(scene: bpy.types.Scene, rig: bpy.types.Object) -> None:
    """Select the head bone in pose mode, hide the camera, and look at the head from the front."""
    hide_camera(scene, rig)
    ready_to_pose(rig)
    points = _corners([rig.osmnet.head, rig.osmnet.plane])
    for area in _views():
        space = area.spaces.active
        if space.shading.type == "SOLID":  # it does not show the plane's picture
            space.shading.type = "MATERIAL"
        space.overlay.show_relationship_lines = False  # they would cross the picture
        if not space.region_quadviews and space.region_3d.view_perspective != "CAMERA":
            look_from_front(area, points)


def hide_camera(scene: bpy.types.Scene, rig: bpy.types.Object) -> None:
    """Its frame would lie around the picture; it renders all the same."""
    camera = rig.osmnet.camera
    for layer in scene.view_layers:
        layer.update()
        if camera is not None and camera.name in layer.objects:
            camera.hide_set(True, view_layer=layer)


def ready_to_pose(rig: bpy.types.Object) -> None:
    """Make the rig the active object, in pose mode with the head bone: editors show its curves."""
    layer = bpy.context.view_layer
    if rig.name not in layer.objects:
        return
    active = layer.objects.active
    if active is not None and active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for item in list(bpy.context.selected_objects):
        item.select_set(False)
    rig.select_set(True)
    layer.objects.active = rig
    compat.select_bone(rig, BONE)
    bpy.ops.object.mode_set(mode="POSE")


def _views() -> Iterator[bpy.types.Area]:
    for window in bpy.data.window_managers[0].windows:
        with bpy.context.temp_override(window=window):
            yield from (area for area in window.screen.areas if area.type == "VIEW_3D")


def _corners(objects: list[bpy.types.Object | None]) -> np.ndarray:
    """(N, 3) corners of objects in the world."""
    bpy.context.view_layer.update()
    return np.array(
        [
            item.matrix_world @ Vector(corner)
            for item in objects
            if item
            for corner in item.bound_box
        ]
    )


def free_place(area: bpy.types.Area) -> Place:
    """The part of a 3D view that sidebar, tools and headers leave free."""
    view = next(region for region in area.regions if region.type == "WINDOW")
    left, right, low, high = 0.0, float(view.width), 0.0, float(view.height)
    for region in area.regions:
        if region.type not in _BESIDE or region.width <= 1 or region.height <= 1:
            continue
        x, y = region.x - view.x, region.y - view.y
        if x >= view.width or y >= view.height or x + region.width <= 0 or y + region.height <= 0:
            continue  # beside the view, not over it
        if region.alignment == "RIGHT":
            right = min(right, x)
        elif region.alignment == "LEFT":
            left = max(left, x + region.width)
        elif region.alignment == "TOP":
            high = min(high, y)
        elif region.alignment == "BOTTOM":
            low = max(low, y + region.height)
    if right - left < 1 or high - low < 1:
        left, right, low, high = 0.0, float(view.width), 0.0, float(view.height)
    return Place(((left + right) / 2, (low + high) / 2), (right - left, high - low))


@contextmanager
def _no_smooth_view() -> Iterator[None]:
    """Blender would move the view on for some tenths of a second, over what is set after it."""
    preferences = bpy.context.preferences
    before, changed = preferences.view.smooth_view, preferences.is_dirty
    preferences.view.smooth_view = 0
    try:
        yield
    finally:
        preferences.view.smooth_view = before
        preferences.is_dirty = changed


def look_from_front(area: bpy.types.Area, points: np.ndarray) -> None:
    """Let a 3D view show points (N, 3) of the world from the front, in its free part."""
    view = next(region for region in area.regions if region.type == "WINDOW")
    space, free = area.spaces.active, free_place(area)
    low, high = points.min(axis=0), points.max(axis=0)
    across, up = (high - low)[[0, 2]] * _ROOM
    metres = max(across / free.size[0], up / free.size[1])  # of a pixel
    middle = (low + high) / 2
    middle[0] -= (free.middle[0] - view.width / 2) * metres
    middle[2] -= (free.middle[1] - view.height / 2) * metres
    with _no_smooth_view(), bpy.context.temp_override(area=area, region=view):
        bpy.ops.view3d.view_axis(type="FRONT")
    shown = space.region_3d
    shown.view_location = middle
    shown.view_distance = metres * max(view.width, view.height) * space.lens / (_SENSOR * _ZOOM)
