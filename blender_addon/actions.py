# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes as actions: keys at the exact times of the samples, and what the add-on knows of them.

An action of ours has a custom property group "osmnet": when its samples lie (`start`, `fps`,
`rate`, `count`), which channels were sampled, the values as sampled, and the provenance. It needs
nothing of the add-on to be played.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import bpy
import numpy as np

from . import compat
from .core import edits, timing
from .core.channels import CHANNELS, COUNT

KEY = "osmnet"
"""Name of the custom property group on an action of ours."""

_BEZIER = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["BEZIER"].value
_LINEAR = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value
_AUTO_CLAMPED = (
    bpy.types.Keyframe.bl_rna.properties["handle_left_type"].enum_items["AUTO_CLAMPED"].value
)


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
    write_samples(action, timing, curves, provenance, channels)
    return action


def write_samples(
    action: bpy.types.Action,
    timing: Timing,
    curves: np.ndarray,
    provenance: dict[str, Any],
    channels: Iterable[int],
) -> None:
    """Replace the curves of these channels by samples, and note them as sampled."""
    channels = list(channels)
    known = np.zeros((timing.count, COUNT))
    if "sampled" in action[KEY]:
        before = sampled_curves(action)[: timing.count]
        known[: len(before)] = before
    known[:, channels] = curves[:, channels]
    for channel in channels:
        write_keys(action, channel, timing.frames, curves[:, channel])
    note = {
        "start": float(timing.start),
        "fps": str(timing.fps),
        "rate": str(timing.rate),
        "count": timing.count,
        "sampled": edits.pack(known),
        "provenance": json.dumps(provenance),
    }
    del action[KEY]  # Blender cuts bytes at the first zero when it overwrites them in place
    action[KEY] = note


def write_keys(
    action: bpy.types.Action, channel: int, frames: np.ndarray, values: np.ndarray, *,
    linear: bool = False,
) -> None:  # fmt: skip
    """Replace one channel's curve by keys at `frames` (K,) with `values` (K,)."""
    path, index = CHANNELS[channel].data_path, CHANNELS[channel].index
    curves = compat.curves_of(action)
    old = curves.find(path, index=index)
    if old is not None:
        curves.remove(old)
    curve = compat.new_curve(action, path, index, CHANNELS[channel].group)
    fill_curve(curve, frames, values, linear=linear)


def fill_curve(curve: Any, frames: np.ndarray, values: np.ndarray, *, linear: bool = False) -> None:
    """Put keys into an empty F-curve: smooth with clamped handles, or straight lines.

    A key shapes the curve to the next key but one and no further: continuous acceleration, Blender's
    default, would let an edit change frames far away.
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
    curve.update()


def read_curves(action: bpy.types.Action, frames: np.ndarray) -> np.ndarray:
    """(len(frames), 58) values of an action's own curves; 0 where it has none."""
    curves = compat.curves_of(action)
    values = np.zeros((len(frames), COUNT))
    for column, channel in enumerate(CHANNELS):
        curve = curves.find(channel.data_path, index=channel.index)
        if curve is not None:
            values[:, column] = [curve.evaluate(frame) for frame in frames.tolist()]
    return values


def channels_of(action: bpy.types.Action) -> list[int]:
    """Numbers of the channels that an action has curves for."""
    curves = compat.curves_of(action)
    return [
        number
        for number, channel in enumerate(CHANNELS)
        if curves.find(channel.data_path, index=channel.index) is not None
    ]


def shift_and_scale(action: bpy.types.Action, before: Timing, after: Timing) -> None:
    """Move all keys of an action of ours from one timing to another."""
    scale = float(after.rate / before.rate)
    for curve in compat.curves_of(action):
        points = curve.keyframe_points
        for name in ("co", "handle_left", "handle_right"):
            values = np.empty(2 * len(points), np.float32)
            points.foreach_get(name, values)
            frames = values[0::2].astype(np.float64)
            values[0::2] = after.start + (frames - before.start) * scale
            points.foreach_set(name, values)
        curve.update()
    if "sampled" in action[KEY]:
        action[KEY]["start"], action[KEY]["rate"] = float(after.start), str(after.rate)
