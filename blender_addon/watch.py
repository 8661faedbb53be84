# SPDX-License-Identifier: GPL-3.0-or-later
"""Noticing edits: counts the frames that changed, and renders them if the animator wants that.

Blender tells of a change at once but not of what changed. A mark is set; when nothing has happened
for a moment a timer compares the curves (a few milliseconds), and only if they differ the rig is
read over the whole take.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent

from . import actions, compat, engine, evaluation, frames, jobs, nla, showing
from .core.errors import AddonError
from .rig import find_rig

_TICK = 0.25
_QUIET_SECONDS = 0.4
"""How long nothing must have happened before edits are looked at."""

_touched = 0.0
_digests: dict[str, bytes] = {}


@persistent
def _on_update(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    global _touched
    if evaluation.is_reading():
        return
    for update in depsgraph.updates:
        if isinstance(update.id, (bpy.types.Action, bpy.types.Object, bpy.types.Scene)):
            _touched = time.perf_counter()
            return


@persistent
def _on_undo(*_: Any) -> None:
    global _touched
    showing.refresh_sequences()
    _touched = time.perf_counter()


@persistent
def _on_load(*_: Any) -> None:
    jobs.stop()
    _digests.clear()
    showing.refresh_sequences()


@persistent
def _before_load(*_: Any) -> None:
    jobs.stop()


def _tick() -> float:
    """Look at edits once things are quiet."""
    global _touched
    if not _touched or time.perf_counter() - _touched < _QUIET_SECONDS:
        return _TICK
    job = jobs.current()
    if _playing() or (job is not None and not job.finished):
        return _TICK
    _touched = 0.0
    with jobs.ready_context():
        look(bpy.context)
    return _TICK


def look(context: bpy.types.Context) -> None:
    """Count the frames that changed since they were rendered; start Auto update if it is on."""
    rig = find_rig(context)
    status = context.window_manager.osmnet
    if rig is None or not rig.osmnet.made_with:
        status.changed = -1
        return
    digest = curves_digest(rig, context.scene)
    if _digests.get(rig.osmnet.rig_id) == digest and status.changed >= 0:
        return
    _digests[rig.osmnet.rig_id] = digest
    try:
        status.changed = frames.changed_frames(rig, context.scene)
        # another take would render at length unasked
        same = nla.playing_takes(rig)[0].name == frames.made_with(rig).get("take")
        if status.changed and same and context.scene.osmnet.auto_update:
            with suppress(RuntimeError):  # what it reports is in the panel; this timer must go on
                bpy.ops.osmnet.update_frames()
    except AddonError as error:
        status.changed = -1
        jobs.show_error(error)


def curves_digest(rig: bpy.types.Object, scene: bpy.types.Scene) -> bytes:
    """A digest of what can move the rig: its actions' keys, the NLA, the scene's frame rate."""
    digest = hashlib.sha256(repr(actions.scene_rate(scene)).encode())
    animation = rig.animation_data
    if animation is None:
        return digest.digest()
    used = [animation.action] if animation.action is not None else []
    digest.update(f"{animation.action_blend_type} {animation.action_influence}".encode())
    for track in animation.nla_tracks:
        digest.update(f"{track.mute} {track.is_solo}".encode())
        if track.mute:
            continue
        for strip in track.strips:
            digest.update(_strip_state(strip).encode())
            used += [strip.action] if strip.action is not None else []
    for action in used:
        for curve in compat.all_curves(action):
            digest.update(f"{curve.data_path}[{curve.array_index}] {curve.mute}".encode())
            for name in ("co", "handle_left", "handle_right"):
                digest.update(_points(curve, name))
    return digest.digest()


def _points(curve: Any, name: str) -> bytes:
    values = np.empty(2 * len(curve.keyframe_points), np.float32)
    curve.keyframe_points.foreach_get(name, values)
    return values.tobytes()


def _strip_state(strip: Any) -> str:
    influence = [tuple(point.co) for curve in strip.fcurves for point in curve.keyframe_points]
    return (
        f"{strip.frame_start} {strip.frame_end} {strip.action_frame_start} {strip.scale} "
        f"{strip.repeat} {strip.blend_type} {strip.extrapolation} {strip.mute} "
        f"{strip.use_reverse} {influence}"
    )


def _playing() -> bool:
    return any(window.screen.is_animation_playing for window in bpy.data.window_managers[0].windows)


_HANDLERS = (
    ("depsgraph_update_post", _on_update),
    ("undo_post", _on_undo),
    ("redo_post", _on_undo),
    ("load_pre", _before_load),
    ("load_post", _on_load),
)


def start() -> None:
    """Begin to watch."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    bpy.app.timers.register(_tick, first_interval=_TICK, persistent=True)


def stop() -> None:
    """Stop watching, and end what was started."""
    for name, handler in _HANDLERS:
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    jobs.stop()
    engine.stop()
