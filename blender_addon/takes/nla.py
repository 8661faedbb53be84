# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes in the NLA: one track each, a track of edits above it, and which of them plays.

The chosen take's action is the active one, so that its curves can be edited at once, and the
tracks are muted. If it has a layer of edits, its own track plays and the layer is the active
action, added on top. While takes are blended no action is active and the tracks speak.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from .. import compat
from ..core.channels import BONE
from ..core.errors import AddonError
from . import actions

NO_TAKE = "There is no take yet; sample takes or import one first."

_SAME_FRAME, _SAME_SCALE = 1e-2, 1e-4
"""Up to which Blender's 32 bits may be off."""


def animation_of(rig: bpy.types.Object) -> bpy.types.AnimData:
    """The rig's animation data, made if there is none."""
    return rig.animation_data or rig.animation_data_create()


def strips_of(rig: bpy.types.Object, action: bpy.types.Action | None) -> list[tuple[Any, Any]]:
    """The NLA tracks and strips of a rig that play an action."""
    if action is None or rig.animation_data is None:
        return []
    return [
        (track, strip)
        for track in rig.animation_data.nla_tracks
        for strip in track.strips
        if strip.action == action
    ]


def track_of(rig: bpy.types.Object, action: bpy.types.Action | None) -> Any:
    """The NLA track whose strip plays an action of ours, or None."""
    found = strips_of(rig, action)
    return found[0][0] if found else None


def add_track(
    rig: bpy.types.Object, action: bpy.types.Action, *, above: Any = None, add: bool = False
) -> Any:
    """A muted track that plays an action; `add` lets it add to what lies below."""
    tracks = animation_of(rig).nla_tracks
    track = tracks.new(prev=above) if above is not None else tracks.new()
    track.name = action.name
    strip = compat.new_nla_strip(track, action)
    strip.extrapolation = "HOLD"
    if add:
        strip.blend_type = "ADD"
    track.mute = True
    return track


def move_strips(
    rig: bpy.types.Object, action: bpy.types.Action, moved: Callable[[float], float]
) -> None:
    """After an action's keys were moved in time: move its strips and their influence as well."""
    for _, strip in strips_of(rig, action):
        of_action = moved(strip.action_frame_start), moved(strip.action_frame_end)
        of_scene = moved(strip.frame_start), moved(strip.frame_end)
        compat.set_strip_range(strip, of_action, of_scene)
        for curve in strip.fcurves:
            actions.move_keys(curve, lambda frames: [moved(frame) for frame in frames.tolist()])


def reach(action: bpy.types.Action) -> tuple[float, float]:
    """First and last frame of an action's keys, now: Blender's own vector changes with them."""
    start, end = action.curve_frame_range
    return start, end


def fit_strips(
    rig: bpy.types.Object, action: bpy.types.Action, before: tuple[float, float]
) -> None:
    """After an action got other keys: let strips that played all its frames `before` do so again.

    Strips that the animator has cut or stretched stay as they are.
    """
    start, end = reach(action)
    for _, strip in strips_of(rig, action):
        played = strip.action_frame_start, strip.action_frame_end
        whole = all(abs(a - b) < _SAME_FRAME for a, b in zip(played, before, strict=True))
        if whole and abs(strip.scale - 1) < _SAME_SCALE and strip.repeat == 1.0:
            offset = strip.frame_start - strip.action_frame_start
            last = max(end, start + 1)
            compat.set_strip_range(strip, (start, last), (start + offset, last + offset))


def remove_track(rig: bpy.types.Object, action: bpy.types.Action | None) -> None:
    """Take an action's track away."""
    track = track_of(rig, action)
    if track is not None:
        rig.animation_data.nla_tracks.remove(track)


def rename(take: Any, name: str) -> None:
    """Rename a take: its action, and the track and strip that carry it."""
    if take.action is None or not name.strip():
        return
    _rename(take.id_data, take.action, name.strip())
    if take.layer is not None:
        _rename(take.id_data, take.layer, layer_name(take))


def layer_name(take: Any) -> str:
    """Name of the layer of edits of a take."""
    return f"{take.action.name} edits"


def _rename(rig: bpy.types.Object, action: bpy.types.Action, name: str) -> None:
    action.name = name
    for track, strip in strips_of(rig, action):
        track.name = strip.name = action.name


def influence(take: Any) -> float:
    """Weight of a take's strip, 0 to 1."""
    for _, strip in strips_of(take.id_data, take.action):
        curve = strip.fcurves.find("influence")
        if curve is not None and len(curve.keyframe_points):
            return curve.evaluate(bpy.context.scene.frame_current_final)
    return 1.0  # strip.influence says nothing unless it is animated


def set_influence(take: Any, value: float) -> None:
    """Set the weight of a take, and of its edits, for the whole length."""
    for action in (take.action, take.layer):
        for _, strip in strips_of(take.id_data, action):
            _key_influence(strip, [(strip.frame_start, value)])
            strip.influence = value


def set_aside(
    animation: bpy.types.AnimData, *, keep_playing: bool = True, above: Any = None
) -> Any:
    """Keep the active action: put it on an NLA track of its own, itself unchanged.

    Args:
        animation: that has an active action, or none.
        keep_playing: whether the track is on.
        above: the track below the new one; on top without it.

    Returns:
        The track, or None if there was no action.
    """
    animation.use_tweak_mode = False
    action = animation.action
    if action is None:
        return None
    tracks = animation.nla_tracks
    track = tracks.new(prev=above) if above is not None else tracks.new()
    track.name = action.name
    strip = compat.new_nla_strip(track, action, getattr(animation, "action_slot", None))
    strip.blend_type = animation.action_blend_type
    strip.extrapolation = animation.action_extrapolation
    if animation.action_influence < 1.0:
        _key_influence(strip, [(strip.frame_start, animation.action_influence)])
    track.mute = not keep_playing
    make_active(animation, None)
    return track


def _key_influence(strip: bpy.types.NlaStrip, points: list[tuple[float, float]]) -> None:
    """Blender ignores a strip's influence unless it is animated."""
    strip.use_animated_influence = True
    curve = strip.fcurves.find("influence")
    curve.keyframe_points.clear()
    for frame, value in points:
        curve.keyframe_points.insert(frame, value)
    curve.update()


def make_active(
    animation: bpy.types.AnimData, action: bpy.types.Action | None, *, add: bool = False
) -> None:
    """Let an action be the active one, alone on top or added to the tracks below."""
    animation.use_tweak_mode = False  # Blender does not let the action be changed in it
    compat.assign_action(animation, action)
    animation.action_blend_type = "ADD" if add else "REPLACE"
    animation.action_extrapolation = "HOLD"
    animation.action_influence = 1.0


def _own_actions(rig: bpy.types.Object) -> list[bpy.types.Action]:
    return [a for take in rig.osmnet.takes for a in (take.action, take.layer) if a is not None]


def _set_aside_foreign(rig: bpy.types.Object) -> None:
    """Before an action of this rig becomes active: keep one that is none of its takes.

    It goes below the takes, so that a take on an NLA track wins over it as an active one does.
    """
    animation = animation_of(rig)
    animation.use_tweak_mode = False
    if animation.action is None or animation.action in _own_actions(rig):
        return
    lowest = animation.nla_tracks[0] if len(animation.nla_tracks) else None
    on = not actions.is_ours(animation.action)
    track = set_aside(animation, keep_playing=on, above=lowest)
    if lowest is not None and any(s.action in _own_actions(rig) for s in lowest.strips):
        _move_above(rig, lowest, track)


def _move_above(rig: bpy.types.Object, track: Any, below: Any) -> None:
    """Blender has no call for it: make a track anew above another."""
    tracks = rig.animation_data.nla_tracks
    moved = tracks.new(prev=below)
    moved.name, moved.mute = track.name, track.mute
    for old in track.strips:
        if old.action is None:
            continue
        strip = compat.new_nla_strip(moved, old.action, getattr(old, "action_slot", None))
        strip.blend_type, strip.extrapolation = old.blend_type, old.extrapolation
        compat.set_strip_range(
            strip,
            (old.action_frame_start, old.action_frame_end),
            (old.frame_start, old.frame_end),
        )
        weights = old.fcurves.find("influence")
        if weights is not None and len(weights.keyframe_points):
            _key_influence(strip, [tuple(point.co) for point in weights.keyframe_points])
            strip.use_animated_influence = old.use_animated_influence
        strip.mute = old.mute
    tracks.remove(track)


def chosen_take(rig: bpy.types.Object) -> Any:
    """The chosen take.

    Raises:
        AddonError: if the rig has none.
    """
    takes = rig.osmnet.takes
    if not 0 <= rig.osmnet.chosen < len(takes):
        raise AddonError(NO_TAKE)
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
    _mute_all(rig)
    track = track_of(rig, take.action) or add_track(rig, take.action)
    if take.layer is not None:
        track.mute = False
        for _, strip in strips_of(rig, take.action):
            # weights are for blending; their keys stay
            strip.mute = strip.use_animated_influence = False
        if track_of(rig, take.layer) is None:
            add_track(rig, take.layer, above=track, add=True)
    make_active(animation_of(rig), take.layer or take.action, add=take.layer is not None)
    if not compat.selected_bones(rig):  # curve editors show the curves of selected bones alone
        compat.select_bone(rig, BONE)
    rig.osmnet.chosen = rig.osmnet.index = index
    rig.osmnet.blending = False


def blend(rig: bpy.types.Object) -> None:
    """Let the NLA tracks speak: no active action, the chosen take's track on."""
    take = chosen_take(rig)
    _set_aside_foreign(rig)
    make_active(animation_of(rig), None)
    _mute_all(rig)
    for action in _own_actions(rig):
        for _, strip in strips_of(rig, action):
            curve = strip.fcurves.find("influence")
            strip.use_animated_influence = curve is not None and len(curve.keyframe_points) > 0
    set_playing(take, True)
    rig.osmnet.blending = True


def is_playing(take: Any) -> bool:
    """Whether the track of a take is on."""
    return any(not track.mute for track, _ in strips_of(take.id_data, take.action))


def set_playing(take: Any, on: bool) -> None:
    """Switch the track of a take on or off, and that of its edits."""
    rig = take.id_data
    if take.action is not None and track_of(rig, take.action) is None:
        add_track(rig, take.action)
    for action in (take.action, take.layer):
        for track, _ in strips_of(rig, action):
            track.mute = not on


def playing_takes(rig: bpy.types.Object) -> list[Any]:
    """The takes whose tracks are on while blending, else the chosen one; first a solo one."""
    for take in rig.osmnet.takes:
        if any(track.is_solo for track, _ in strips_of(rig, take.action)):
            return [take]
    if not rig.osmnet.blending:
        return [chosen_take(rig)]
    playing = [take for take in rig.osmnet.takes if is_playing(take)]
    if not playing:
        raise AddonError("All takes are muted in the NLA; switch at least one track on.")
    return playing


def _mute_all(rig: bpy.types.Object) -> None:
    for action in _own_actions(rig):
        for track, _ in strips_of(rig, action):
            track.mute = True
            if track.is_solo:  # setting it, even to off, ends the solo of any track
                track.is_solo = False
