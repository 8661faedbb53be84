# SPDX-License-Identifier: GPL-3.0-or-later
"""Create head: rig, mesh, plane, camera and voice."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, StringProperty
from mathutils import Vector

from ...compat import PATH_OPTIONS
from ...core.errors import AddonError
from ...core.head import read_head
from ...engine import jobs
from ...frames import plane
from ...rig import sound
from ...rig.head import build_rig, find_rig, is_rig, need_rig
from ...takes import actions, voices
from .. import first_view
from .base import EditOperator, JobOperator, a_rig, existing_file, no_job

_ROOM = 0.8
"""Metres from one head to the next: a head and its plane."""


class CreateHead(JobOperator, bpy.types.Operator):
    """Build the head rig of a portrait and put the voice into the sequencer."""

    bl_idname = "osmnet.create_head"
    bl_label = "Create Head"
    title = "Creating the head"

    portrait: StringProperty(  # type: ignore[valid-type]
        name="Portrait",
        description="Photo; empty takes the panel's",
        subtype="FILE_PATH",
        options=PATH_OPTIONS,
    )
    voice: StringProperty(  # type: ignore[valid-type]
        name="Voice",
        description="Sound file; empty takes the panel's",
        subtype="FILE_PATH",
        options=PATH_OPTIONS,
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
        description="If the scene has no camera, do what Set Up Scene does",
        default=True,
    )

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Fit the photo, then build."""
        settings = context.scene.osmnet
        portrait = existing_file(self.portrait or settings.portrait, "a portrait")
        voice = _voice(context, self.voice)
        if self.properties.is_property_set("voice_start"):
            voice["voice_start"] = self.voice_start
        given = self.properties.is_property_set("face_index")
        face_index = self.face_index if given else settings.face_index
        return _build(context.scene.name, portrait, voice, face_index, self.set_up_scene)


def _voice(context: bpy.types.Context, given: str) -> dict[str, Any]:
    """Fields of the next head's voice: the panel's, which are a rig's where there is one."""
    rig, settings = find_rig(context), context.scene.osmnet
    if given:
        start = (settings if rig is None else rig.osmnet).voice_start
        voice = {"voice": given, "voice_start": start}
    else:
        voice = sound.voice_fields(rig, context.scene)
    if voice["voice"]:
        voice["voice"] = str(existing_file(voice["voice"], "a voice"))
    return voice


def build_head(context: bpy.types.Context, portrait: Path, voice: Path | None = None) -> jobs.Steps:
    """The job of Create Head for a photo, with a voice or the panel's."""
    fields = _voice(context, "" if voice is None else str(voice))
    return _build(context.scene.name, portrait, fields, -1, True)


def _build(
    scene_name: str, portrait: Path, voice: dict[str, Any], face_index: int, set_up: bool
) -> jobs.Steps:
    with tempfile.TemporaryDirectory(prefix="osmnet-") as folder:
        params = {"photo": str(portrait), "folder": folder}
        if face_index >= 0:
            params["face_index"] = face_index
        made = yield jobs.Request("fit_head", params)
        head = read_head(Path(made["head"]))
        picture = plane.load_packed(Path(made["portrait"]), f"{portrait.stem} portrait")
        still = plane.load_packed(Path(made["still"]), f"{portrait.stem} still")
    scene = bpy.data.scenes[scene_name]
    collection = bpy.data.collections.new(f"OSM-Net {portrait.stem}")
    scene.collection.children.link(collection)
    place = _free_place(scene)
    armature = build_rig(portrait.stem, head, picture, collection)
    armature.location = place
    state = armature.osmnet
    state.portrait, state.face_index = str(portrait), face_index
    state.still = still
    voices.put(state, voice)
    state.plane = plane.build_plane(
        f"{portrait.stem} frames", armature, tuple(state.crop), still, collection
    )
    state.camera = plane.build_camera(f"{portrait.stem} camera", state.plane, collection)
    note = f"Head of '{portrait.name}' created."
    if state.voice:
        start = round(state.voice_start)
        try:
            sound.add_voice(scene, Path(state.voice), start, bpy.context.workspace)
        except AddonError as error:  # the head stands all the same
            note = f"{note} {error}"
    if set_up and scene.camera is None:
        set_up_scene(scene, armature)
    first_view.show(scene, armature)
    return note


def _free_place(scene: bpy.types.Scene) -> Vector:
    """The cursor, or beside it if a head stands there already."""
    place = scene.cursor.location.copy()
    others = [item.location for item in scene.objects if is_rig(item)]
    while any((place - other).length < _ROOM / 2 for other in others):
        place.x += _ROOM
    return place


def set_up_scene(scene: bpy.types.Scene, armature: bpy.types.Object) -> None:
    """Let a scene render the plane: its camera, the frames' own colours, the voice's length."""
    state = armature.osmnet
    if state.camera is not None:
        scene.camera = state.camera
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    height, width = state.crop
    scene.render.resolution_y = 512
    scene.render.resolution_x = round(512 * width / height)
    ends = [sound.voice_end(scene, Path(bpy.path.abspath(state.voice)))] if state.voice else []
    for take in state.takes:
        if take.action is not None:
            ends.append(actions.timing_of(take.action).scene_frames[-1])
    scene.frame_end = max([scene.frame_start + 1, *ends] if ends else [scene.frame_end])


class SetUpScene(EditOperator, bpy.types.Operator):
    """Use the head's camera, let the frames keep their colours, fit the range to the takes."""

    bl_idname = "osmnet.set_up_scene"
    bl_label = "Set Up Scene"
    needs = (no_job, a_rig)

    def edit(self, context: bpy.types.Context) -> str:
        """Do so."""
        set_up_scene(context.scene, need_rig(context))
        return "The scene shows the plane through the head's camera."


def _a_sound(context: bpy.types.Context) -> str:
    return "" if sound.active_strip(context.scene) is not None else sound.NO_STRIP


class VoiceFromStrip(EditOperator, bpy.types.Operator):
    """Take the active sound strip of the sequencer as the voice."""

    bl_idname = "osmnet.voice_from_strip"
    bl_label = "Use Sound Strip"
    needs = (no_job, _a_sound)

    def edit(self, context: bpy.types.Context) -> str:
        """Take over its file, and its start if there is a rig."""
        path, start = sound.active_voice(context.scene)
        context.scene.osmnet.voice = path
        context.scene.osmnet.voice_start = start
        armature = find_rig(context)
        if armature is not None:
            armature.osmnet.voice, armature.osmnet.voice_start = path, start
        return f"The voice is '{Path(path).name}', from frame {start:g} on."


CLASSES = (CreateHead, SetUpScene, VoiceFromStrip)
