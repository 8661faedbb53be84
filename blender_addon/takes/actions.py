# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes as actions: keys at the exact times of the samples, and what the add-on knows of them.

An action of ours has a custom property group "osmnet": when its samples lie (`start`, `fps`,
`rate`, `count`), which channels were sampled, the values as sampled, and the provenance. It needs
nothing of the add-on to be played.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..core import edits, timing
from ..core.channels import CHANNELS, COUNT
from ..core.splicing import Keys, Kinds

KEY = "osmnet"
"""Name of the custom property group on an action of ours."""
VOICE = "voice"
"""Name in it of the digest of the voice's file, if the take was sampled here."""
FOLLOW = "follow"
"""Name in it of the action or file that the take follows, if it does."""

_SAME_SAMPLE = 1e-3
"""Share of a sample's time by which Blender's 32 bits may put a key off it."""

_BEZIER = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["BEZIER"].value
_LINEAR = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value
_HANDLES = bpy.types.Keyframe.bl_rna.properties["handle_left_type"].enum_items
_AUTO_CLAMPED = _HANDLES["AUTO_CLAMPED"].value

KINDS = Kinds(_BEZIER, _HANDLES["FREE"].value, _AUTO_CLAMPED)
"""Blender's numbers of interpolations and handles."""


@dataclass(frozen=True)
class Timing:
    """Where the samples of a take lie in a scene.

    Attributes:
        start: scene frame of the first sample, which is that of the voice's start.
        fps: samples per second.
        rate: scene frames per second.
        count: number of samples.
    """

    start: float
    fps: Fraction
    rate: Fraction
    count: int

    @property
    def frames(self) -> np.ndarray:
        """(count,) scene frames of the samples, most of them between whole frames."""
        return timing.key_frames(self.count, self.fps, self.start, self.rate)

    @property
    def scene_frames(self) -> range:
        """The whole scene frames during the take."""
        return timing.scene_frames(self.count, self.fps, self.start, self.rate)


def scene_rate(scene: bpy.types.Scene) -> Fraction:
    """Frames per second of a scene, exactly."""
    return timing.scene_rate(scene.render.fps, scene.render.fps_base)


def is_ours(action: bpy.types.Action | None) -> bool:
    """Whether the add-on made this action."""
    return action is not None and KEY in action


def mark(action: bpy.types.Action) -> None:
    """Make an action of ours one of its own: Blender's copies of it have the same identifier."""
    action[KEY]["id"] = uuid.uuid4().hex


def is_copy(action: bpy.types.Action | None, of: bpy.types.Action) -> bool:
    """Whether an action is another one of ours, or Blender's copy of it."""
    return is_ours(action) and action[KEY].get("id") == of[KEY]["id"]


def timing_of(action: bpy.types.Action) -> Timing:
    """Where the samples of an action of ours lie."""
    data = action[KEY]
    return Timing(
        float(data["start"]), Fraction(data["fps"]), Fraction(data["rate"]), int(data["count"])
    )


def provenance_of(action: bpy.types.Action) -> dict[str, Any]:
    """What made the take, as in its take file."""
    return json.loads(action[KEY]["provenance"])


def sampled_curves(action: bpy.types.Action) -> np.ndarray:
    """(count, 58) values as sampled, in units of the curves; 0 where nothing was sampled."""
    return edits.unpack(bytes(action[KEY]["sampled"]))


def make_action(
    name: str,
    timing: Timing,
    curves: np.ndarray,
    provenance: dict[str, Any],
    channels: Iterable[int] = range(COUNT),
) -> bpy.types.Action:
    """A new action of a take.

    Args:
        name: of the action; Blender adds a number if it is taken.
        timing: where the samples lie.
        curves: (count, 58) values in units of the curves.
        provenance: what made the take.
        channels: which channels get curves.
    """
    action = compat.new_action(name)
    action[KEY] = {}
    mark(action)
    write_samples(action, timing, curves, provenance, channels)
    return action


def write_samples(
    action: bpy.types.Action,
    timing: Timing,
    curves: np.ndarray,
    provenance: dict[str, Any],
    channels: Iterable[int],
) -> None:
    """Replace the keys of these channels by samples, and note them as sampled."""
    channels = list(channels)
    known = np.zeros((timing.count, COUNT))
    noted = set(channels)
    if "sampled" in action[KEY]:
        before = sampled_curves(action)[: timing.count]
        known[: len(before)], known[len(before) :] = before, before[-1]
        noted |= set(sampled_channels(action))
    known[:, channels] = curves[:, channels]
    for channel in channels:
        write_keys(action, channel, timing.frames, curves[:, channel])
    _note(action, timing, known, provenance, noted)


def note_samples(
    action: bpy.types.Action, timing: Timing, known: np.ndarray, provenance: dict[str, Any],
    channels: Iterable[int],
) -> None:  # fmt: skip
    """Note (count, 58) values as sampled, whose keys are there already, and what made them."""
    _note(action, timing, known, provenance, {*channels, *sampled_channels(action)})


def _note(
    action: bpy.types.Action, timing: Timing, known: np.ndarray, provenance: dict[str, Any],
    channels: set[int],
) -> None:  # fmt: skip
    note = {
        **{name: action[KEY][name] for name in ("id", VOICE, FOLLOW) if name in action[KEY]},
        "start": float(timing.start),
        "fps": str(timing.fps),
        "rate": str(timing.rate),
        "count": timing.count,
        "channels": sorted(channels),
        "sampled": edits.pack(known),
        "provenance": json.dumps(provenance),
    }
    del action[KEY]  # Blender cuts bytes at the first zero when it overwrites them in place
    action[KEY] = note


def sampled_channels(action: bpy.types.Action) -> list[int]:
    """Numbers of the channels that were sampled, even if their curves were deleted since."""
    return [int(number) for number in action[KEY]["channels"]]


def write_keys(
    action: bpy.types.Action, channel: int, frames: np.ndarray, values: np.ndarray, *,
    linear: bool = False,
) -> None:  # fmt: skip
    """Replace one channel's keys by keys at `frames` (K,) with `values` (K,).

    The curve itself stays as the animator has set it: muted, locked, extrapolated, modified.
    """
    path, index = CHANNELS[channel].data_path, CHANNELS[channel].index
    curve = compat.curves_of(action).find(path, index=index)
    if curve is None:
        curve = compat.new_curve(action, path, index, CHANNELS[channel].group)
    curve.keyframe_points.clear()
    fill_curve(curve, frames, values, linear=linear)


def remove_curves(action: bpy.types.Action, channels: Iterable[int]) -> None:
    """Remove the curves of these channels."""
    curves = compat.curves_of(action)
    for channel in channels:
        curve = curves.find(CHANNELS[channel].data_path, index=CHANNELS[channel].index)
        if curve is not None:
            curves.remove(curve)


def fill_curve(curve: Any, frames: np.ndarray, values: np.ndarray, *, linear: bool = False) -> None:
    """Put keys into an empty F-curve: smooth with clamped handles, or straight lines.

    A key shapes the curve to the next key but one and no further: Blender's default, continuous
    acceleration, would let an edit change frames far away.
    """
    curve.auto_smoothing = "NONE"
    count = len(frames)
    points = curve.keyframe_points
    points.add(count)
    points.foreach_set("co", np.column_stack([frames, values]).astype(np.float32).ravel())
    kind = np.full(count, _LINEAR if linear else _BEZIER, np.int32)
    points.foreach_set("interpolation", kind)
    handles = np.full(count, _AUTO_CLAMPED, np.int32)
    points.foreach_set("handle_left_type", handles)
    points.foreach_set("handle_right_type", handles)
    # Blender selects new keys, and one G or X would act on all of them
    for part in ("select_control_point", "select_left_handle", "select_right_handle"):
        points.foreach_set(part, np.zeros(count, bool))
    curve.update()


_PLACES = {"co": "co", "left": "handle_left", "right": "handle_right"}
_OTHER = {
    **dict.fromkeys(("interpolation", "easing", "type"), np.int32),
    **dict.fromkeys(("handle_left_type", "handle_right_type"), np.int32),
    **dict.fromkeys(("amplitude", "back", "period"), np.float32),
    **dict.fromkeys(("select_control_point", "select_left_handle", "select_right_handle"), bool),
}
"""What a key has besides its place and handles."""


def read_keys(curve: Any) -> Keys:
    """All that the keys of an F-curve have."""
    points = curve.keyframe_points
    places, other = {}, {}
    for name, attribute in _PLACES.items():
        values = np.empty(2 * len(points), np.float32)
        points.foreach_get(attribute, values)
        places[name] = values.reshape(-1, 2).astype(np.float64)
    for name, kind in _OTHER.items():
        other[name] = np.empty(len(points), kind)
        points.foreach_get(name, other[name])
    return Keys(**places, other=other)


def put_keys(curve: Any, keys: Keys) -> None:
    """Replace the keys of an F-curve; the curve itself stays as the animator has set it."""
    points = curve.keyframe_points
    points.clear()
    points.add(len(keys))
    for name, values in keys.other.items():
        points.foreach_set(name, values)
    for name, attribute in _PLACES.items():
        points.foreach_set(attribute, getattr(keys, name).astype(np.float32).ravel())
    curve.update()


def read_curves(action: bpy.types.Action, frames: np.ndarray) -> np.ndarray:
    """(len(frames), 58) values of an action's own keys; 0 where it has no curve.

    Modifiers of the curves do not count.
    """
    if any(len(curve.modifiers) for curve in compat.curves_of(action)):
        plain = action.copy()
        for curve in compat.curves_of(plain):
            for modifier in reversed(list(curve.modifiers)):
                curve.modifiers.remove(modifier)
        values = _evaluated(plain, frames)
        bpy.data.actions.remove(plain)
        return values
    return _evaluated(action, frames)


def _evaluated(action: bpy.types.Action, frames: np.ndarray) -> np.ndarray:
    curves = compat.curves_of(action)
    values = np.zeros((len(frames), COUNT))
    for column, channel in enumerate(CHANNELS):
        curve = curves.find(channel.data_path, index=channel.index)
        if curve is not None:
            values[:, column] = [curve.evaluate(frame) for frame in frames.tolist()]
    return values


def key_frames_of(action: bpy.types.Action, channels: Iterable[int] = range(COUNT)) -> np.ndarray:
    """(K,) scene frames at which these channels of an action have keys, not in order."""
    curves, frames = compat.curves_of(action), [np.empty(0, np.float32)]
    for channel in channels:
        curve = curves.find(CHANNELS[channel].data_path, index=CHANNELS[channel].index)
        if curve is not None:
            values = np.empty(2 * len(curve.keyframe_points), np.float32)
            curve.keyframe_points.foreach_get("co", values)
            frames.append(values[0::2])
    return np.unique(np.concatenate(frames)).astype(np.float64)


def channels_of(action: bpy.types.Action) -> list[int]:
    """Numbers of the channels that an action has curves for."""
    curves = compat.curves_of(action)
    return [
        number
        for number, channel in enumerate(CHANNELS)
        if curves.find(channel.data_path, index=channel.index) is not None
    ]


def move_keys(curve: Any, moved: Callable[[np.ndarray], Any]) -> None:
    """Move the keys of a curve and their handles in time."""
    points = curve.keyframe_points
    for name in ("co", "handle_left", "handle_right"):
        values = np.empty(2 * len(points), np.float32)
        points.foreach_get(name, values)
        values[0::2] = moved(values[0::2].astype(np.float64))
        points.foreach_set(name, values)
    curve.update()


def retime(action: bpy.types.Action, before: Timing, after: Timing) -> None:
    """Move all keys of an action of ours from one timing to another."""
    for curve in compat.all_curves(action):
        move_keys(curve, lambda frames: moved_frames(frames, before, after))
    if "sampled" in action[KEY]:
        action[KEY]["start"], action[KEY]["rate"] = float(after.start), str(after.rate)


def moved_frames(frames: np.ndarray, before: Timing, after: Timing) -> np.ndarray:
    """Scene frames (N,) of one timing in another, those of samples exactly."""
    seconds = (frames - before.start) / float(before.rate)
    number = seconds * float(before.fps)
    whole = np.rint(number)
    near = np.abs(number - whole) < _SAME_SAMPLE
    seconds = np.where(near, whole / float(before.fps), seconds)
    return after.start + seconds * float(after.rate)
