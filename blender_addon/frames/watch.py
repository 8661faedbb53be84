# SPDX-License-Identifier: GPL-3.0-or-later
"""Noticing edits: counts the frames that changed, and renders them if the animator wants that.

Blender tells of a change at once but not of what changed. A mark is set; when nothing has happened
for a moment a timer compares what the count of changed frames depends on: what moves the rig, and
what the plane shows (a few milliseconds). Only if that differs, the rig is read over the whole
take.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent

from .. import compat, status
from ..core.channels import BONE
from ..core.errors import AddonError
from ..core.sequences import stamp
from ..engine import jobs, process
from ..rig.head import find_rig
from ..takes import actions, evaluation, nla
from . import rendering, showing

_TICK = 0.25
_AT_ONCE = 0.001
_SIMPLE = {"BOOLEAN", "INT", "FLOAT", "ENUM", "STRING"}
_QUIET_SECONDS = 0.4
"""How long nothing must have happened before edits are looked at."""

_touched = 0.0
_counted: dict[str, bytes] = {}
"""By rig: the state for which the panel's count of changed frames was made."""
_left_alone: dict[str, bytes] = {}
"""By rig: the curves for which Auto update has done its work, or was stopped."""
_noted = ""
"""The panel's note at the last look: by the next change of the curves it is old."""
_job: jobs.Job | None = None
_count: Generator[None, None, None] | None = None
"""A count on its way."""


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
    _forget_messages()
    showing.refresh_sequences()
    _touched = time.perf_counter()


@persistent
def _on_load(*_: Any) -> None:
    global _touched
    jobs.stop()
    _counted.clear()
    _left_alone.clear()
    _forget_messages()
    status.show_error(None)
    status.get().changed = -1
    showing.refresh_sequences()
    _touched = time.perf_counter()


def _forget_messages() -> None:
    """What was said of a state of the file that is no more."""
    if jobs.busy():
        return
    told = status.get()
    told.note = told.warnings = ""


@persistent
def _before_load(*_: Any) -> None:
    jobs.stop()


def _tick() -> float:
    """Look at edits once things are quiet."""
    global _touched, _count
    _notice_end_of_job()
    quiet = _touched and time.perf_counter() - _touched >= _QUIET_SECONDS
    if _playing() or jobs.busy() or (_count is None and not quiet):
        return _TICK
    with jobs.ready_context():
        if _count is None:
            _touched, _count = 0.0, _looking(bpy.context)
        try:
            next(_count)
        except StopIteration:
            _count = None
    status.changed()
    return _TICK if _count is None else _AT_ONCE


def _notice_end_of_job() -> None:
    """A job that has ended may have left other frames on the plane than the curves ask for."""
    global _job, _touched
    job = jobs.current()
    if job is None or job is _job or not job.finished:
        return
    _job, _touched = job, time.perf_counter()
    rig = find_rig(bpy.context)
    if job.cancelled and rig is not None:
        # what the animator has stopped must not begin again by itself
        _left_alone[rig.osmnet.rig_id] = curves_digest(rig, bpy.context.scene)


def look(context: bpy.types.Context) -> None:
    """Count the frames that changed since they were rendered; start Auto update if it is on."""
    for _ in _looking(context):
        pass


def _looking(context: bpy.types.Context) -> Generator[None, None, None]:
    """As `look`; yields now and then so that the window can breathe."""
    rig = find_rig(context)
    told = status.get()
    if rig is None or not rig.osmnet.made_with:
        told.changed = -1
        return
    rig_id, scene = rig.osmnet.rig_id, context.scene
    curves = curves_digest(rig, scene)
    state = curves + _shown_digest(rig, scene)
    if _counted.get(rig_id) == state and told.changed >= 0:
        return
    _drop_old_note()
    try:
        made_with, sequence = rendering.made_with(rig), rig.osmnet.sequence
        range_ = made_with.get("range", "TAKE")
        plan = yield from rendering.plan_in_slices(rig, scene, made_with, range_)
        told.changed = rendering.stale_frames(plan, sequence)
        _counted[rig_id] = state
        _update_by_itself(context, curves)
    except AddonError as error:
        _counted[rig_id] = state
        told.changed = -1
        status.show_error(error)


def _drop_old_note() -> None:
    global _noted
    told = status.get()
    if told.note and told.note == _noted:
        told.note = ""
    _noted = told.note


def _update_by_itself(context: bpy.types.Context, curves: bytes) -> None:
    """Auto update, once for each state of the curves, and never at length unasked."""
    rig = find_rig(context)
    if rig is None or not status.get().changed:
        return
    same = nla.playing_takes(rig)[0].name == rendering.made_with(rig).get("take")
    if not same or not context.scene.osmnet.auto_update:
        return
    if _left_alone.get(rig.osmnet.rig_id) == curves:
        return
    _left_alone[rig.osmnet.rig_id] = curves
    with suppress(RuntimeError):  # what it reports is in the panel; this timer must go on
        bpy.ops.osmnet.update_frames()


def _shown_digest(rig: bpy.types.Object, scene: bpy.types.Scene) -> bytes:
    """A digest of what the plane shows, and of which frames are asked for."""
    state, range_ = rig.osmnet, (scene.frame_start, scene.frame_end)
    if scene.use_preview_range:
        range_ = (scene.frame_preview_start, scene.frame_preview_end)
    shown = (
        state.sequence, state.made_with, stamp(Path(state.sequence)), state.chosen, state.blending,
        range_,
    )  # fmt: skip
    return hashlib.sha256(repr(shown).encode()).digest()


def curves_digest(rig: bpy.types.Object, scene: bpy.types.Scene) -> bytes:
    """A digest of what can move the rig: keys, the NLA, other bones, the scene's frame rate."""
    digest = hashlib.sha256(repr(actions.scene_rate(scene)).encode())
    digest.update(_unkeyed_state(rig).encode())
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
            name = f"{curve.data_path}[{curve.array_index}]"
            digest.update(f"{name} {curve.mute} {curve.extrapolation}".encode())
            digest.update(str([_simple_values(one) for one in curve.modifiers]).encode())
            for name in ("co", "handle_left", "handle_right"):
                digest.update(_points(curve, name))
            kinds = np.empty(len(curve.keyframe_points), np.int32)
            curve.keyframe_points.foreach_get("interpolation", kinds)
            digest.update(kinds.tobytes())
    return digest.digest()


def _unkeyed_state(rig: bpy.types.Object) -> str:
    """What moves the head besides keys: other bones, constraints, drivers."""
    parts: list[Any] = []
    for bone in rig.pose.bones:
        if bone.name != BONE:
            parts.append([tuple(row) for row in bone.matrix_basis])
        for constraint in bone.constraints:
            target = getattr(constraint, "target", None)
            place = [tuple(row) for row in target.matrix_world] if target is not None else []
            parts += [_simple_values(constraint), place]
    drivers = rig.animation_data.drivers if rig.animation_data is not None else ()
    parts += [(curve.data_path, curve.array_index, curve.driver.expression) for curve in drivers]
    return repr(parts)


def _simple_values(item: Any) -> list[tuple[str, object]]:
    """The numbers, words and switches of a constraint or modifier."""
    values: list[tuple[str, object]] = []
    for prop in item.bl_rna.properties:
        if prop.type in _SIMPLE and not getattr(prop, "is_deprecated", False):
            value = getattr(item, prop.identifier)
            values.append((prop.identifier, tuple(value) if _is_array(prop) else value))
    return values


def _is_array(prop: bpy.types.Property) -> bool:
    return bool(getattr(prop, "is_array", False))


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
    global _count, _job
    _count = _job = None
    for name, handler in _HANDLERS:
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    jobs.stop()
    process.stop()
