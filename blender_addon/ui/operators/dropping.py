# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos and voices that are dropped into a view or chosen in the Add menu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import CollectionProperty, StringProperty

from ... import status
from ...compat import PATH_OPTIONS
from ...core.errors import AddonError
from ...engine import jobs
from ...rig import sound
from ...rig.head import find_rig
from .base import FileWindow, JobOperator, existing_file, no_job
from .setup import build_head

PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".tif", ".tiff", ".bmp")
"""Suffixes of what is taken for a photo."""

SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".w64")
"""Suffixes of what is taken for a voice."""


class AddHead(FileWindow, JobOperator, bpy.types.Operator):
    """Choose a photo and build its head rig; the voice is the panel's or the active sound strip."""

    bl_idname = "osmnet.add_head"
    bl_label = "OSM-Net Head"
    title = "Creating the head"
    needs = (no_job,)

    filter_glob: StringProperty(  # type: ignore[valid-type]
        default=";".join(f"*{suffix}" for suffix in PHOTOS), options={"HIDDEN"}
    )

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Build it as Create Head does."""
        return build_head(context, existing_file(self.filepath, "a portrait"))


class DropFiles(JobOperator, bpy.types.Operator):
    """Take a dropped photo as a new head, a dropped sound as the voice."""

    bl_idname = "osmnet.drop_files"
    bl_label = "OSM-Net: Photo and Voice"
    title = "Creating the head"
    needs = (no_job,)

    directory: StringProperty(  # type: ignore[valid-type]
        subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE", *PATH_OPTIONS},
        name="Folder", description="Of the files",
    )  # fmt: skip
    files: CollectionProperty(  # type: ignore[valid-type]
        type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"},
        name="Files", description="A photo, a voice, or both",
    )  # fmt: skip

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Sort the files and do what they ask for."""
        given = [Path(self.directory) / file.name for file in self.files]
        photo, voice = _one(given, PHOTOS, "photo"), _one(given, SOUNDS, "voice")
        if photo is not None:
            return build_head(context, photo, voice)
        if voice is None:
            raise AddonError("Drop a photo, a sound file, or both.")
        return _new_voice(context, voice)


def _one(files: list[Path], suffixes: tuple[str, ...], what: str) -> Path | None:
    found = [path for path in files if path.suffix.lower() in suffixes]
    if len(found) > 1:
        raise AddonError(f"{len(found)} files could be the {what}; drop one.")
    return existing_file(str(found[0]), f"a {what}") if found else None


def _new_voice(context: bpy.types.Context, voice: Path) -> jobs.Steps:
    """The voice of the head that is selected, or of the next one."""
    rig, scene = find_rig(context), context.scene
    target: Any = scene.osmnet if rig is None else rig.osmnet
    target.voice = str(voice)
    note = f"The voice is '{voice.name}', from frame {target.voice_start:g} on."
    if rig is None:
        note = f"{note} Now drop a photo."
    else:
        sound.add_voice(scene, voice, round(target.voice_start), context.workspace)
    status.changed()
    return note
    yield  # a job without a request


def add_to_menu(menu: Any, context: bpy.types.Context) -> None:
    """The entry in the Add menu of 3D views."""
    menu.layout.operator(AddHead.bl_idname, icon="USER")


def start() -> None:
    """Add the entry of the menu."""
    bpy.types.VIEW3D_MT_add.append(add_to_menu)


def stop() -> None:
    """Take it away."""
    bpy.types.VIEW3D_MT_add.remove(add_to_menu)


class OSMNET_FH_drop(bpy.types.FileHandler):
    """Lets 3D views take photos and voices that are dropped into them."""

    bl_idname = "OSMNET_FH_drop"
    bl_label = "OSM-Net Head"
    bl_import_operator = DropFiles.bl_idname
    bl_file_extensions = ";".join((*PHOTOS, *SOUNDS))

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """In 3D views alone."""
        return context.area is not None and context.area.type == "VIEW_3D"


CLASSES = (AddHead, DropFiles)
