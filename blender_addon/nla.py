# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes in the NLA: one track each, a track of edits above it, and which of them plays.

The chosen take's action is the active one, so that its curves can be edited at once, and the
tracks are muted. If it has a layer of edits, its own track plays and the layer is the active
action, added on top. While takes are blended no action is active and the tracks speak.
"""

from __future__ import annotations

from typing import Any

import bpy

from . import actions, compat
from .core.errors import AddonError


def animation_of(rig: bpy.types.Object) -> bpy.types.AnimData:
    """The rig's animation data, made if there is none."""
    return rig.animation_data or rig.animation_data_create()


def track_of(rig: bpy.types.Object, action: bpy.types.Action | None) -> Any:
    """The NLA track whose strip plays an action of ours, or None."""
    if action is None or rig.animation_data is None:
        return None
    for track in rig.animation_data.nla_tracks:
        if any(strip.action == action for strip in track.strips):
            return track
    return None


def add_track(
    rig: bpy.types.Object, action: bpy.types.Action, *, above: Any = None, add: bool = False
) -> Any:
    """A muted track that plays an action; `add` lets it add to what lies below."""
    tracks = animation_of(rig).nla_tracks
    track = tracks.new(prev=above) if above is not None else tracks.new()
    track.name = action.name
    strip = compat.new_nla_strip(track, action.name, action.frame_range[0], action)
    strip.extrapolation = "NOTHING" if add else "HOLD"
    if add:
        strip.blend_type = "ADD"
    track.mute = True
    return track


def fit_strip(rig: bpy.types.Object, action: bpy.types.Action) -> None:
    """Let the strip of an action reach from its first key to its last."""
    track = track_of(rig, action)
    if track is None:
        return
    old = track.strips[0]
    blend, extrapolation = old.blend_type, old.extrapolation
    track.strips.remove(old)
    strip = compat.new_nla_strip(track, action.name, action.frame_range[0], action)
    strip.blend_type, strip.extrapolation = blend, extrapolation


def remove_track(rig: bpy.types.Object, action: bpy.types.Action | None) -> None:
    """Take an action's track away."""
    track = track_of(rig, action)
    if track is not None:
        rig.animation_data.nla_tracks.remove(track)


def rename(take: Any, name: str) -> None:
    """Rename a take: its action, and the track and strip that carry it."""
    rig = take.id_data
    if take.action is None or not name.strip():
        return
    pairs = [(take.action, name.strip())]
    if take.layer is not None:
        pairs.append((take.layer, f"{name.strip()} edits"))
    for action, wanted in pairs:
        track = track_of(rig, action)
        action.name = wanted
        if track is not None:
            track.name = track.strips[0].name = action.name


def influence(take: Any) -> float:
    """Weight of a take's strip, 0 to 1."""
    track = track_of(take.id_data, take.action)
    return track.strips[0].influence if track is not None else 1.0


def set_influence(take: Any, value: float) -> None:
    """Set the weight of a take's strip for its whole length.

    Blender ignores a strip's influence unless it is animated, so it gets one key.
    """
    track = track_of(take.id_data, take.action)
    if track is None:
        return
    strip = track.strips[0]
    strip.use_animated_influence = True
    curve = strip.fcurves.find("influence")
    for point in reversed(list(curve.keyframe_points)):
        curve.keyframe_points.remove(point)
    curve.keyframe_points.insert(strip.frame_start, value)
    curve.update()
    strip.influence = value


def set_aside(animation: bpy.types.AnimData, *, keep_playing: bool = True) -> None:
    """Keep the active action: put it on an NLA track of its own, itself unchanged."""
    action = animation.action
    if action is None:
        return
    track = animation.nla_tracks.new()
    track.name = action.name
    strip = track.strips.new(action.name, int(action.frame_range[0]), action)
    if hasattr(animation, "action_slot") and animation.action_slot is not None:
        strip.action_slot = animation.action_slot
    track.mute = not keep_playing


def _set_aside_foreign(rig: bpy.types.Object) -> None:
    """Before one of our actions becomes active: keep one that the animator made."""
    animation = animation_of(rig)
    if animation.action is not None and not actions.is_ours(animation.action):
        set_aside(animation)


def chosen_take(rig: bpy.types.Object) -> Any:
    """The chosen take.

    Raises:
        AddonError: if the rig has none.
    """
    takes = rig.osmnet.takes
    if not 0 <= rig.osmnet.chosen < len(takes):
        raise AddonError("There is no take yet; sample takes or import one first.")
    return take_at(rig, rig.osmnet.chosen)


def take_at(rig: bpy.types.Object, index: int) -> Any:
    """A take by its place in the list.

    Raises:
        AddonError: if there is no such take, or its action was deleted.
    """
    takes = rig.osmnet.takes
    if not 0 <= index < len(takes):
        raise AddonError(f"There is no take number {index + 1}; the rig has {len(takes)}.")
    if takes[index].action is None:
        raise AddonError(
            f"The action of take number {index + 1} was deleted; remove the take from the list."
        )
    return takes[index]


def choose(rig: bpy.types.Object, index: int) -> None:
    """Let one take alone play, ready to be edited.

    Raises:
        AddonError: if there is no such take.
    """
    take = take_at(rig, index)
    _set_aside_foreign(rig)
    animation = animation_of(rig)
    _mute_all(rig)
    track = track_of(rig, take.action) or add_track(rig, take.action)
    track.mute = take.layer is None
    compat.assign_action(animation, take.layer or take.action)
    animation.action_blend_type = "ADD" if take.layer else "REPLACE"
    animation.action_extrapolation = "NOTHING" if take.layer else "HOLD"
    animation.action_influence = 1.0
    rig.osmnet.chosen = rig.osmnet.index = index
    rig.osmnet.blending = False


def blend(rig: bpy.types.Object) -> None:
    """Let the NLA tracks speak: no active action, the chosen take's track on."""
    take = chosen_take(rig)
    _set_aside_foreign(rig)
    compat.assign_action(animation_of(rig), None)
    _mute_all(rig)
    for action in (take.action, take.layer):
        track = track_of(rig, action)
        if track is not None:
            track.mute = False
    rig.osmnet.blending = True


def playing_takes(rig: bpy.types.Object) -> list[Any]:
    """The takes whose tracks are on while blending, else the chosen one."""
    if not rig.osmnet.blending:
        return [chosen_take(rig)]
    playing = []
    for take in rig.osmnet.takes:
        track = track_of(rig, take.action)
        if track is not None and not track.mute:
            playing.append(take)
    if not playing:
        raise AddonError("All takes are muted in the NLA; switch at least one track on.")
    return playing


def _mute_all(rig: bpy.types.Object) -> None:
    for take in rig.osmnet.takes:
        for action in (take.action, take.layer):
            track = track_of(rig, action)
            if track is not None:
                track.mute, track.is_solo = True, False
