# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of a rig: adding, removing, copying, baking a blend, moving in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..core.channels import COUNT, EXPRESSION, MOTION, performance_values
from ..core.pins import Pin
from ..core.takes import TakeFile
from . import actions, evaluation, layers, nla, voices
from .actions import Timing

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
    channels: Iterable[int] = ALL,
    *,
    few: bool = False,
    pins: Sequence[Pin] = (),
) -> int:
    """Add a take at the end of the list, with an action and a muted NLA track; return its index.

    Args after the rig are those of `actions.make_action`.
    """
    action = actions.make_action(name, timing, curves, provenance, channels, few=few, pins=pins)
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
    state, animation = rig.osmnet, nla.animation_of(rig)
    doomed = [a for a in (state.takes[index].action, state.takes[index].layer) if a is not None]
    animation.use_tweak_mode = False
    if animation.action in doomed:
        nla.make_active(animation, None)
    for action in doomed:
        nla.remove_track(rig, action)
    state.takes.remove(index)
    for action in doomed:
        bpy.data.actions.remove(action)
    if state.index > index or state.index >= len(state.takes):
        state.index = max(0, state.index - 1)
    if state.chosen > index:
        state.chosen -= 1
    elif state.chosen == index:
        _choose_near(rig, index)


def _choose_near(rig: bpy.types.Object, index: int) -> None:
    """Choose the take at a place of the list, or the nearest one that has an action."""
    state = rig.osmnet
    usable = [number for number, take in enumerate(state.takes) if take.action is not None]
    if not usable:
        state.chosen, state.blending = -1, False
        return
    near = min(usable, key=lambda number: abs(number - index))
    if state.blending:
        state.chosen = state.index = near
    else:
        nla.choose(rig, near)


def duplicate(rig: bpy.types.Object, index: int) -> int:
    """Copy a take with its edits; return the copy's index."""
    source = nla.take_at(rig, index)
    action, layer, note = source.action, source.layer, source.note
    take = rig.osmnet.takes.add()  # after which `source` may be elsewhere
    take.note = note
    take.action = action.copy()
    actions.mark(take.action)
    track = nla.add_track(rig, take.action)
    if layer is not None:
        take.layer = layer.copy()
        actions.mark(take.layer)
        take.layer.name = nla.layer_name(take)
        nla.add_track(rig, take.layer, above=track, add=True)
    return len(rig.osmnet.takes) - 1


def separate_copy(rig: bpy.types.Object) -> None:
    """Give a rig that Blender copied takes of its own, so that edits do not show in the original.

    Blender copies none of the actions, or those that play; what it has copied is used.
    """
    animation = nla.animation_of(rig)
    animation.use_tweak_mode = False
    chosen_plays = False
    for take in rig.osmnet.takes:
        for kind in ("action", "layer"):
            old = getattr(take, kind)
            if old is None:
                continue
            strips = [strip for track in animation.nla_tracks for strip in track.strips]
            twins = [one for one in (animation, *strips) if actions.is_copy(one.action, old)]
            new = next((one.action for one in twins if one.action != old), None) or old.copy()
            actions.mark(new)
            setattr(take, kind, new)
            for one in twins:
                compat.set_action(one, new)
            chosen_plays |= animation in twins
    if chosen_plays:
        nla.choose(rig, rig.osmnet.chosen)


def keep_only(rig: bpy.types.Object, name: str, *, remove_others: bool) -> int:
    """Bake what the NLA plays now into one new take and choose it; return its index.

    The longest take that plays gives the times of the keys. Neck, constraints and drivers go on
    acting on the new take, so they are not baked.
    """
    playing = nla.playing_takes(rig)
    timing = max((actions.timing_of(take.action) for take in playing), key=lambda t: t.count)
    owners = [a for take in playing for a in (take.action, take.layer) if a is not None]
    channels = sorted({channel for owner in owners for channel in actions.channels_of(owner)})
    curves = evaluation.read_channels(rig, timing.frames)
    provenance = dict(actions.provenance_of(playing[0].action))
    provenance["source"] = "edited"
    index = add(rig, name, timing, curves, provenance, channels)
    voices.copy_note(rig.osmnet.takes[index].action, playing[0].action)
    nla.choose(rig, index)
    if remove_others:
        for other in reversed(range(index)):
            remove(rig, other)
        index = 0
    return index


def as_file(rig: bpy.types.Object) -> TakeFile:
    """What plays now as a take file at the times of its samples, edits included."""
    take = nla.playing_takes(rig)[0]
    timing = actions.timing_of(take.action)
    rotation, translation, coefficients = performance_values(evaluation.read(rig, timing.frames))
    provenance = dict(actions.provenance_of(take.action))
    if rig.osmnet.blending or layers.is_edited(take):
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
        if take.action is not None:
            before = actions.timing_of(take.action)
            after = Timing(rig.osmnet.voice_start, before.fps, rate, before.count)
            changed += layers.retime(rig, take, after)
    return changed
