# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering frames, and rendering again what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...core.errors import AddonError
from ...core.sequences import read_index
from ...engine import jobs
from ...frames import rendering
from ...rig.head import find_rig, need_rig, rig_of_id
from ...takes import actions, nla, voices
from ..properties import (
    ABOUT_RANGE,
    ABOUT_RENDERER,
    ABOUT_SIZE,
    FRAME_RANGES,
    FRAME_SIZES,
    RENDERERS,
)
from .base import FileWindow, JobOperator, a_rig, a_take, existing_file, no_job, output_file


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


class ExportVideo(FileWindow, JobOperator, bpy.types.Operator):
    """Write the frames as a video with the voice; frames that changed are rendered first."""

    bl_idname = "osmnet.export_video"
    bl_label = "Export Video"
    title = "Exporting a video"
    needs = (no_job, a_rig, a_take)

    filter_glob: StringProperty(default="*.mp4;*.mov;*.mkv", options={"HIDDEN"})  # type: ignore[valid-type]
    check_existing: BoolProperty(  # type: ignore[valid-type]
        name="Check Existing",
        description="Ask before a file is overwritten",
        default=True,
        options={"HIDDEN"},
    )
    sound: BoolProperty(  # type: ignore[valid-type]
        name="Sound", description="Put the voice into the video", default=True
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Open the file browser with the take's name."""
        if not self.filepath:
            self.filepath = f"{bpy.path.clean_name(_playing(need_rig(context)))}.mp4"
        return super().invoke(context, event)

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Render as the plane's frames are, or as the panel says, and write."""
        rig, settings = need_rig(context), context.scene.osmnet
        target = output_file(self.filepath, ".mp4")
        made = rendering.made_with(rig) or {
            "size": settings.frame_size, "label": settings.label, "range": settings.frame_range,
            "renderer": settings.renderer,
        }  # fmt: skip
        return _export(rig, context.scene, target, made, self.sound)


def _playing(rig: bpy.types.Object) -> str:
    return str(nla.playing_takes(rig)[0].name)


def _export(
    rig: bpy.types.Object, scene: bpy.types.Scene, target: Path, made: dict[str, Any], sound: bool
) -> jobs.Steps:
    rig_id, scene_name = rig.osmnet.rig_id, scene.name
    voice = existing_file(rig.osmnet.voice, "a voice") if sound and rig.osmnet.voice else None
    yield from rendering.render(
        rig, scene, made["size"], made["label"], made["range"], made.get("renderer", "auto")
    )
    rig, scene = rig_of_id(rig_id), bpy.data.scenes[scene_name]
    frames, wanted = rendering.wanted_frames(rig, scene, made["range"])
    index = read_index(Path(rig.osmnet.sequence))
    if not wanted or index is None or not all(index.final[number] for number in wanted):
        raise AddonError("Some frames were not rendered, so there is no video; export it again.")
    rate = actions.scene_rate(scene)
    params = {
        "folder": rig.osmnet.sequence, "first": wanted[0], "count": len(wanted),
        "fps": str(rate), "output": str(target),
    }  # fmt: skip
    if voice is not None:
        begin = max(0.0, (frames[wanted[0]] - rig.osmnet.voice_start) / float(rate))
        params |= {"audio": str(voice), "start": begin, **voices.parameters(rig.osmnet)}
    yield jobs.Request("write_video", params)
    seconds = float(len(wanted) / rate)
    return f"'{target.name}' written: {len(wanted)} frames, {seconds:.1f} s."


CLASSES = (RenderFrames, UpdateFrames, ExportVideo)
