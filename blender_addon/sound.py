# SPDX-License-Identifier: GPL-3.0-or-later
"""The voice in the sequencer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from . import compat
from .core.errors import AddonError


def active_voice(scene: bpy.types.Scene) -> tuple[str, float]:
    """Path of the active sound strip and the scene frame at which its sound begins.

    Raises:
        AddonError: if no sound strip is active.
    """
    editor = scene.sequence_editor
    strip = editor.active_strip if editor is not None else None
    if strip is None or strip.type != "SOUND" or strip.sound is None:
        raise AddonError("Select a sound strip in the sequencer first.")
    path = bpy.path.abspath(strip.sound.filepath, library=strip.sound.library)
    # frame_start is where the sound itself begins, even if the strip is trimmed
    return path, float(strip.frame_start)


def add_voice(scene: bpy.types.Scene, path: Path, frame: int, workspace: Any = None) -> bool:
    """Add the voice as a sound strip unless it is there already; return whether it was added.

    Blender without sound support, as some builds for servers are, gets no strip.
    """
    if not compat.has_sound():
        return False
    if any(int(strip.frame_start) == frame for strip in _strips_of(scene, path)):
        return False
    strips = compat.sequencer_strips(scene.sequence_editor_create())
    channel = 1 + max((strip.channel for strip in strips), default=0)
    try:
        strips.new_sound(path.stem, str(path), channel, frame)
    except RuntimeError as error:
        raise AddonError(
            f"Blender cannot play '{path.name}' ({error}); convert it to WAV to hear it."
        ) from error
    compat.show_sequencer_scene(workspace, scene)
    scene.sync_mode = "AUDIO_SYNC"
    return True


def voice_end(scene: bpy.types.Scene, path: Path) -> int:
    """Last scene frame of the strip of a voice, or the scene's first if there is none."""
    return max(
        (int(strip.frame_final_end) - 1 for strip in _strips_of(scene, path)),
        default=scene.frame_start,
    )


def _strips_of(scene: bpy.types.Scene, path: Path) -> list[Any]:
    """The sound strips of a scene that play a file."""
    editor = scene.sequence_editor
    return [
        strip
        for strip in (compat.sequencer_strips(editor) if editor is not None else ())
        if strip.type == "SOUND"
        and strip.sound is not None
        and Path(bpy.path.abspath(strip.sound.filepath)) == path
    ]
