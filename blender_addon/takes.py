# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of a rig: adding, removing, sampling anew without losing edits, baking a blend."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import actions, compat, evaluation, nla
from .actions import Timing
from .core import edits
from .core.channels import COUNT, EXPRESSION, MOTION, performance_values
from .core.errors import AddonError
from .core.takes import TakeFile

ALL = range(COUNT)
MOTION_CHANNELS = range(MOTION.start, MOTION.stop)
EXPRESSION_CHANNELS = range(EXPRESSION.start, EXPRESSION.stop)


def timing_for(rig: bpy.types.Object, take: TakeFile, scene: bpy.types.Scene) -> Timing:
    """Where a take file's samples lie: from the voice's start on."""
    return Timing(rig.osmnet.voice_start, take.fps, actions.scene_rate(scene), len(take))


def add(
    rig: bpy.types.Object,
    name: str,
    timing: Timing,
    curves: np.ndarray,
    provenance: dict[str, Any],
    channels: range = ALL,
) -> int:
    """Add a take at the end of the list, with an action and a muted NLA track; return its index."""
    action = actions.make_action(name, timing, curves, provenance, channels)
    nla.add_track(rig, action)
    take = rig.osmnet.takes.add()
    take.action = action
    return len(rig.osmnet.takes) - 1


def take_name(rig: bpy.types.Object, provenance: dict[str, Any]) -> str:
    """Name of a sampled take: the voice's and the take's number, counted from 1."""
    voice = Path(bpy.path.abspath(rig.osmnet.voice)).stem or "take"
    return f"{voice} {int(provenance.get('take') or 0) + 1:02d}"


def remove(rig: bpy.types.Object, index: int) -> None:
    """Remove a take with its actions; another one is chosen if it was the chosen one."""
    takes, chosen = rig.osmnet.takes, rig.osmnet.chosen
    take = takes[index]
    doomed = [action for action in (take.action, take.layer) if action is not None]
    if chosen == index:
        compat.assign_action(nla.animation_of(rig), None)
    for action in doomed:
        nla.remove_track(rig, action)
    takes.remove(index)
    for action in doomed:
        bpy.data.actions.remove(action)
    rig.osmnet.index = max(0, min(rig.osmnet.index, len(takes) - 1))
    if chosen > index:
        rig.osmnet.chosen = chosen - 1
    elif chosen == index:
        rig.osmnet.chosen = -1
        if len(takes):
            nla.choose(rig, min(index, len(takes) - 1))


def duplicate(rig: bpy.types.Object, index: int) -> int:
    """Copy a take with its edits; return the copy's index."""
    source = nla.take_at(rig, index)
    copies = [
        action.copy() if action is not None else None for action in (source.action, source.layer)
    ]
    track = nla.add_track(rig, copies[0])
    if copies[1] is not None:
        nla.add_track(rig, copies[1], above=track, add=True)
    take = rig.osmnet.takes.add()
    take.action, take.layer = copies
    return len(rig.osmnet.takes) - 1


def replace_samples(
    rig: bpy.types.Object,
    index: int,
    timing: Timing,
    curves: np.ndarray,
    provenance: dict[str, Any],
    channels: range = ALL,
    *,
    discard_edits: bool = False,
) -> None:
    """Put new samples into a take; what was edited stays as a layer added on top.

    Args:
        rig: the head rig.
        index: of the take.
        timing: where the new samples lie.
        curves: (count, 58) new values; only `channels` are used.
        provenance: what made them.
        channels: which channels are replaced; the others keep their curves.
        discard_edits: forget what was edited in these channels.
    """
    take = nla.take_at(rig, index)
    action = take.action
    layer = np.zeros((timing.count, COUNT))
    before = actions.timing_of(action)
    if take.layer is not None:
        layer += edits.resampled_difference(
            actions.read_curves(take.layer, before.frames), timing.count
        )
    edited = actions.read_curves(action, before.frames)
    difference = edits.difference(edited, actions.sampled_curves(action))
    layer[:, channels] += edits.resampled_difference(difference, timing.count)[:, channels]
    if discard_edits:
        layer[:, channels] = 0.0
    actions.write_samples(action, timing, curves, provenance, channels)
    nla.fit_strip(rig, action)
    _set_layer(rig, take, timing, layer)
    if rig.osmnet.chosen == index and not rig.osmnet.blending:
        nla.choose(rig, index)


def _set_layer(rig: bpy.types.Object, take: Any, timing: Timing, layer: np.ndarray) -> None:
    """Make, replace or remove a take's layer of edits."""
    keys = edits.layer_keys(timing.frames, layer)
    drop_layer(rig, take)
    if not keys:
        return
    name = f"{take.action.name} edits"
    action = compat.new_action(name)
    action[actions.KEY] = {"layer": True}
    for channel, points in keys.items():
        actions.write_keys(action, channel, points[:, 0], points[:, 1], linear=True)
    take.layer = action
    nla.add_track(rig, action, above=nla.track_of(rig, take.action), add=True)


def drop_layer(rig: bpy.types.Object, take: Any) -> None:
    """Remove a take's layer of edits, if it has one."""
    layer = take.layer
    if layer is None:
        return
    animation = nla.animation_of(rig)
    if animation.action == layer:
        compat.assign_action(animation, None)
    nla.remove_track(rig, layer)
    take.layer = None
    bpy.data.actions.remove(layer)


def discard_edits(rig: bpy.types.Object, index: int) -> None:
    """Bring a take back to what was sampled."""
    take = nla.take_at(rig, index)
    action = take.action
    timing, sampled = actions.timing_of(action), actions.sampled_curves(action)
    actions.write_samples(
        action, timing, sampled, actions.provenance_of(action), actions.channels_of(action)
    )
    drop_layer(rig, take)
    _play_again(rig, index)


def merge_edits(rig: bpy.types.Object, index: int) -> None:
    """Add the layer of edits into the take's own curves."""
    take = nla.take_at(rig, index)
    if take.layer is None:
        raise AddonError(f"'{take.name}' has no layer of edits to merge.")
    frames = actions.timing_of(take.action).frames
    layer = actions.read_curves(take.layer, frames)
    merged = actions.read_curves(take.action, frames) + layer
    for channel in np.flatnonzero(np.abs(layer).max(axis=0) > 0).tolist():
        actions.write_keys(take.action, channel, frames, merged[:, channel])
    drop_layer(rig, take)
    _play_again(rig, index)


def _play_again(rig: bpy.types.Object, index: int) -> None:
    if rig.osmnet.chosen == index and not rig.osmnet.blending:
        nla.choose(rig, index)


def is_edited(take: Any) -> bool:
    """Whether a take's curves differ from what was sampled."""
    if take.layer is not None:
        return True
    frames = actions.timing_of(take.action).frames
    now, sampled = actions.read_curves(take.action, frames), actions.sampled_curves(take.action)
    return bool(edits.difference(now, sampled).any())


def keep_only(rig: bpy.types.Object, name: str, *, remove_others: bool) -> int:
    """Bake what the NLA plays now into one new take and choose it; return its index.

    The longest take that plays gives the times of the keys.
    """
    playing = nla.playing_takes(rig)
    timing = max((actions.timing_of(take.action) for take in playing), key=lambda t: t.count)
    curves = evaluation.read(rig, timing.frames)
    provenance = dict(actions.provenance_of(playing[0].action))
    provenance["source"] = "edited"
    index = add(rig, name, timing, curves, provenance)
    nla.choose(rig, index)
    if remove_others:
        for other in reversed(range(len(rig.osmnet.takes) - 1)):
            remove(rig, other)
        index = 0
        nla.choose(rig, index)
    return index


def as_file(rig: bpy.types.Object) -> TakeFile:
    """What plays now as a take file at the times of its samples, edits included."""
    take = nla.playing_takes(rig)[0]
    timing = actions.timing_of(take.action)
    rotation, translation, coefficients = performance_values(evaluation.read(rig, timing.frames))
    provenance = dict(actions.provenance_of(take.action))
    if rig.osmnet.blending or is_edited(take):
        provenance["source"] = "edited"
    return TakeFile(
        fps=Fraction(timing.fps),
        rotation=rotation.astype(np.float32),
        translation=translation.astype(np.float32),
        coefficients=coefficients.astype(np.float32),
        rest_rotation=np.array(rig.osmnet.rest_rotation, np.float32),
        rest_translation=np.array(rig.osmnet.rest_translation, np.float32),
        provenance=provenance,
    )


def retime(rig: bpy.types.Object, scene: bpy.types.Scene) -> int:
    """Lay all takes out anew for the scene's frame rate and the voice's start; return how many."""
    rate, changed = actions.scene_rate(scene), 0
    for take in rig.osmnet.takes:
        if take.action is None:
            continue
        before = actions.timing_of(take.action)
        after = Timing(rig.osmnet.voice_start, before.fps, rate, before.count)
        if after == before:
            continue
        for action in (take.action, take.layer):
            if action is not None:
                actions.shift_and_scale(action, before, after)
                nla.fit_strip(rig, action)
        changed += 1
    if rig.osmnet.chosen >= 0 and not rig.osmnet.blending:
        nla.choose(rig, rig.osmnet.chosen)
    return changed
