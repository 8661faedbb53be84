# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering frames, and rendering again what changed."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty

from ...core.errors import AddonError
from ...engine import jobs
from ...frames import rendering
from ...rig.head import find_rig, need_rig
from ..properties import (
    ABOUT_RANGE,
    ABOUT_RENDERER,
    ABOUT_SIZE,
    FRAME_RANGES,
    FRAME_SIZES,
    RENDERERS,
)
from .base import JobOperator, a_rig, a_take, no_job


class RenderFrames(JobOperator, bpy.types.Operator):
    """Render the frames of the chosen take that are not in the cache, and show all on the plane."""

    bl_idname = "osmnet.render_frames"
    bl_label = "Render Frames"
    title = "Rendering frames"
    needs = (no_job, a_take)

    size: EnumProperty(  # type: ignore[valid-type]
        name="Size", description=ABOUT_SIZE, items=FRAME_SIZES, default="crop"
    )
    range: EnumProperty(  # type: ignore[valid-type]
        name="Range", description=ABOUT_RANGE, items=FRAME_RANGES, default="TAKE"
    )
    label: BoolProperty(  # type: ignore[valid-type]
        name="Label", description='Write "AI-generated" into each frame', default=True
    )
    renderer: EnumProperty(  # type: ignore[valid-type]
        name="Renderer", description=ABOUT_RENDERER, items=RENDERERS, default="auto"
    )

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Render what is not there."""
        rig = need_rig(context)
        return rendering.render(
            rig, context.scene, self.size, self.label, self.range, self.renderer
        )


_NO_FRAMES = "There are no frames yet; press Render Frames first."


def _frames(context: bpy.types.Context) -> str:
    rig = find_rig(context)
    return "" if rig is not None and rig.osmnet.made_with else _NO_FRAMES


class UpdateFrames(JobOperator, bpy.types.Operator):
    """Render only the frames whose evaluated values changed since they were rendered."""

    bl_idname = "osmnet.update_frames"
    bl_label = "Update Frames"
    title = "Updating frames"
    needs = (no_job, a_rig, _frames, a_take)

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Render with the settings of the frames on the plane."""
        rig = need_rig(context)
        before = rendering.made_with(rig)
        if not before:
            raise AddonError(_NO_FRAMES)
        return rendering.render(
            rig, context.scene, before["size"], before["label"], before["range"],
            before.get("renderer", "auto"),
        )  # fmt: skip


CLASSES = (RenderFrames, UpdateFrames)
