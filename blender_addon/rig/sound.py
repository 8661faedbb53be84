# SPDX-License-Identifier: GPL-3.0-or-later
"""The voice in the sequencer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from .. import compat
from ..core.errors import AddonError
from ..takes import voices

NO_STRIP = "Select a sound strip in the sequencer first."


def active_strip(scene: bpy.types.Scene) -> Any:
    """The active sound strip of the sequencer, or None."""
    editor = scene.sequence_editor
    strip = editor.active_strip if editor is not None else None
    return strip if strip is not None and strip.type == "SOUND" and strip.sound else None


def active_voice(scene: bpy.types.Scene) -> tuple[str, float]:
    """Path of the active sound strip and the scene frame at which its sound begins.

    Raises:
        AddonError: if no sound strip is active.
    """
    strip = active_strip(scene)
    if strip is None:
        raise AddonError(NO_STRIP)
    path = bpy.path.abspath(strip.sound.filepath, library=strip.sound.library)
    return path, compat.strip_start(strip)


def voice_fields(rig: Any, scene: bpy.types.Scene) -> dict[str, Any]:
    """The voice of a rig, else that of the panel, else the active sound strip; see `voices.fields`.

    Args:
        rig: head rig, or None.
        scene: whose panel and sequencer count.

    Returns:
        Fields, whose "voice" is "" if there is none of the three.
    """
    for owner in ([rig.osmnet] if rig is not None else []) + [scene.osmnet]:
        if owner.voice:
            return voices.fields(owner)
    found = voices.fields(scene.osmnet if rig is None else rig.osmnet)
    if active_strip(scene) is None:
        return found
    path, start = active_voice(scene)
    return {**found, "voice": path, "voice_start": start}


def add_voice(scene: bpy.types.Scene, path: Path, frame: int, workspace: Any = None) -> bool:
    """Add the voice as a sound strip unless it is there already; return whether it was added.

    Blender without sound support, as some builds for servers are, gets no strip.
    """
    if not compat.has_sound():
        return False
    if any(int(compat.strip_start(strip)) == frame for strip in _strips_of(scene, path)):
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
        (compat.strip_end(strip) - 1 for strip in _strips_of(scene, path)),
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
