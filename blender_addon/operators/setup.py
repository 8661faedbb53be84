# SPDX-License-Identifier: GPL-3.0-or-later
"""Create head: rig, mesh, plane, camera and voice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, StringProperty

from .. import jobs, plane, preferences, rig, sound
from ..core.errors import AddonError
from ..core.head import read_head
from .base import EditOperator, JobOperator, existing_file


class CreateHead(JobOperator, bpy.types.Operator):
    """Build the head rig of a portrait and put the voice into the sequencer."""

    bl_idname = "osmnet.create_head"
    bl_label = "Create Head"
    title = "Creating the head"

    portrait: StringProperty(  # type: ignore[valid-type]
        name="Portrait", description="Photo; empty takes the panel's", subtype="FILE_PATH"
    )
    voice: StringProperty(  # type: ignore[valid-type]
        name="Voice", description="Sound file; empty takes the panel's", subtype="FILE_PATH"
    )
    face_index: IntProperty(  # type: ignore[valid-type]
        name="Face",
        description="Which face of the photo, counted from the largest; -1 takes the largest",
        default=-1,
        min=-1,
    )
    voice_start: FloatProperty(  # type: ignore[valid-type]
        name="Voice starts at frame", description="If not given, the panel's", default=1.0
    )
    set_up_scene: BoolProperty(  # type: ignore[valid-type]
        name="Set up scene",
        description="If the scene has no camera: use the head's, render squares of 512 pixels and "
        "let frames keep their colours (view transform Standard)",
        default=True,
    )

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Fit the photo, then build."""
        settings = context.scene.osmnet
        portrait = existing_file(self.portrait or settings.portrait, "a portrait")
        voice = self.voice or settings.voice
        voice = existing_file(voice, "a voice") if voice else None
        given = self.properties.is_property_set("voice_start")
        start = self.voice_start if given else settings.voice_start
        return _build(
            context.scene.name, portrait, voice, start, self.face_index, self.set_up_scene
        )


def _build(
    scene_name: str, portrait: Path, voice: Path | None, start: float, face_index: int,
    set_up: bool,
) -> jobs.Steps:  # fmt: skip
    name = hashlib.sha256(f"{portrait}|{portrait.stat().st_mtime_ns}".encode()).hexdigest()[:16]
    folder = preferences.own_folder("heads") / name
    folder.mkdir(parents=True, exist_ok=True)
    params = {"photo": str(portrait), "folder": str(folder)}
    if face_index >= 0:
        params["face_index"] = face_index
    made = yield jobs.Request("fit_head", params)
    head = read_head(Path(made["head"]))
    scene = bpy.data.scenes[scene_name]
    first = scene.camera is None
    collection = bpy.data.collections.new(f"OSM-Net {portrait.stem}")
    scene.collection.children.link(collection)
    armature = rig.build_rig(portrait.stem, head, made["portrait"], collection)
    armature.location = scene.cursor.location
    state = armature.osmnet
    state.portrait, state.face_index = str(portrait), face_index
    state.still, state.voice_start = made["still"], start
    state.plane = plane.build_plane(
        f"{portrait.stem} frames", armature, tuple(state.crop), Path(made["still"]), collection
    )
    camera = plane.build_camera(f"{portrait.stem} camera", state.plane, collection)
    _make_active(armature)
    if first and set_up:
        _set_up(scene, camera)
    note = f"Head of '{portrait.name}' created."
    if voice is None:
        return note
    state.voice = str(voice)
    try:
        sound.add_voice(scene, voice, round(start), bpy.context.workspace)
    except AddonError as error:  # the head stands all the same
        note = f"{note} {error}"
    return note


def _make_active(armature: bpy.types.Object) -> None:
    layer = bpy.context.view_layer
    if armature.name in layer.objects:
        for item in list(bpy.context.selected_objects):
            item.select_set(False)
        armature.select_set(True)
        layer.objects.active = armature


def _set_up(scene: bpy.types.Scene, camera: bpy.types.Object) -> None:
    scene.camera = camera
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x = scene.render.resolution_y = 512


class VoiceFromStrip(EditOperator, bpy.types.Operator):
    """Take the active sound strip of the sequencer as the voice."""

    bl_idname = "osmnet.voice_from_strip"
    bl_label = "Use Sound Strip"

    def edit(self, context: bpy.types.Context) -> str:
        """Take over its file, and its start if there is a rig."""
        path, start = sound.active_voice(context.scene)
        context.scene.osmnet.voice = path
        context.scene.osmnet.voice_start = start
        armature = rig.find_rig(context)
        if armature is not None:
            armature.osmnet.voice, armature.osmnet.voice_start = path, start
        return f"The voice is '{Path(path).name}', from frame {start:g} on."


CLASSES = (CreateHead, VoiceFromStrip)
