# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes as actions: keys at the exact times of the samples, and what the add-on knows of them.

An action of ours has a custom property group "osmnet": when its samples lie (`start`, `fps`,
`rate`, `count`), which channels were sampled, the values as sampled, and the provenance. It needs
nothing of the add-on to be played.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..core import edits, sparse, timing
from ..core.channels import CHANNELS, COUNT
from ..core.pins import Pin
from .keying import KINDS, few_keys, keys_at, put_keys

KEY = "osmnet"
"""Name of the custom property group on an action of ours."""
VOICE = "voice"
"""Name in it of the digest of the voice's file, if the take was sampled here."""
AMOUNT = "amount"
"""Name in it of how much the head turns, degrees per second."""
FEW = "keys"
"""Name in it of the keys as sampled, if there are few of them."""
FOLLOW = "follow"
"""Name in it of the action or file that the take follows, if it does."""

_SAME_SAMPLE = 1e-3
"""Share of a sample's time by which Blender's 32 bits may put a key off it."""

_BEZIER = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["BEZIER"].value
_LINEAR = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value
_AUTO_CLAMPED = KINDS.automatic


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


def amount_of(action: bpy.types.Action) -> float | None:
    """How much the head turns in a take as sampled, mean degrees per second, if it is known."""
    amount = action[KEY].get(AMOUNT) if is_ours(action) else None
    return None if amount is None else float(amount)


def sampled_keys(action: bpy.types.Action) -> dict[int, np.ndarray]:
    """(K, 6) keys as sampled of each channel that has few, as of `sparse.Spline.rows`."""
    return sparse.unpack(bytes(action[KEY][FEW])) if FEW in action[KEY] else {}


def make_action(
    name: str,
    timing: Timing,
    curves: np.ndarray,
    provenance: dict[str, Any],
    channels: Iterable[int] = range(COUNT),
    *,
    few: bool = False,
    pins: Sequence[Pin] = (),
) -> bpy.types.Action:
    """A new action of a take.

    Args:
        name: of the action; Blender adds a number if it is taken.
        timing: where the samples lie.
        curves: (count, 58) values in units of the curves.
        provenance: what made the take.
        channels: which channels get curves.
        few: whether few keys stand for the samples, within the tolerance.
        pins: that the curves meet, and few keys are to meet, too.
    """
    action = compat.new_action(name)
    action[KEY] = {}
    mark(action)
    write_samples(action, timing, curves, provenance, channels, few=few, pins=pins)
    return action


def write_samples(
    action: bpy.types.Action,
    timing: Timing,
    curves: np.ndarray,
    provenance: dict[str, Any],
    channels: Iterable[int],
    *,
    few: bool | None = None,
    pins: Sequence[Pin] = (),
) -> None:
    """Replace the keys of these channels by samples, and note them as sampled.

    Args are those of `make_action`; `few` is as the action has it already if it is None.
    """
    channels = list(channels)
    known = np.zeros((timing.count, COUNT))
    noted, keys = set(channels), sampled_keys(action)
    few = bool(keys) if few is None else few
    if "sampled" in action[KEY]:
        before = sampled_curves(action)[: timing.count]
        known[: len(before)], known[len(before) :] = before, before[-1]
        noted |= set(sampled_channels(action))
    known[:, channels] = curves[:, channels]
    keys = {channel: rows for channel, rows in keys.items() if channel not in channels}
    if few:
        keys |= few_keys(curves, channels, timing, pins)
    put_samples(action, timing, curves, keys, channels)
    note_samples(action, timing, known, provenance, noted, keys)


def put_samples(
    action: bpy.types.Action, timing: Timing, curves: np.ndarray, keys: dict[int, np.ndarray],
    channels: Iterable[int],
) -> None:  # fmt: skip
    """Give channels the keys of (count, 58) samples: those that are known, else one a sample."""
    for channel in channels:
        if channel in keys:
            put_keys(_curve(action, channel), keys_at(keys[channel], timing))
        else:
            write_keys(action, channel, timing.frames, curves[:, channel])


def as_sampled(action: bpy.types.Action) -> bpy.types.Action:
    """A new action with the keys of a take before anybody edited it; remove it after use."""
    plain = compat.new_action("as sampled")
    put_samples(
        plain, timing_of(action), sampled_curves(action), sampled_keys(action),
        sampled_channels(action),
    )  # fmt: skip
    return plain


def note_samples(
    action: bpy.types.Action, timing: Timing, known: np.ndarray, provenance: dict[str, Any],
    channels: Iterable[int], keys: dict[int, np.ndarray],
) -> None:  # fmt: skip
    """Note (count, 58) values as sampled, whose keys are there already, and what made them."""
    note = {
        **{name: action[KEY][name] for name in ("id", VOICE, FOLLOW) if name in action[KEY]},
        "start": float(timing.start),
        "fps": str(timing.fps),
        "rate": str(timing.rate),
        "count": timing.count,
        "channels": sorted(channels),
        "sampled": edits.pack(known),
        AMOUNT: edits.amount(known[:, :3], timing.fps),
        **({FEW: sparse.pack(keys)} if keys else {}),
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
    curve = _curve(action, channel)
    curve.keyframe_points.clear()
    fill_curve(curve, frames, values, linear=linear)


def _curve(action: bpy.types.Action, channel: int) -> Any:
    """The curve of a channel, a new one if there is none."""
    path, index = CHANNELS[channel].data_path, CHANNELS[channel].index
    curve = compat.curves_of(action).find(path, index=index)
    if curve is None:
        curve = compat.new_curve(action, path, index, CHANNELS[channel].group)
        curve.auto_smoothing = "NONE"
    return curve


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
