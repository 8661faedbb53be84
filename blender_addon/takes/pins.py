# SPDX-License-Identifier: GPL-3.0-or-later
"""Pins of a rig: poses at timeline markers, which sampled takes meet.

A pin is where its marker is, so that moving the marker moves the pin; the two are tied by the
marker's name, since Blender's markers carry nothing else. A pin whose marker was deleted stays in
the list but is not met.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..core.channels import BONE, CHANNELS, MOTION
from ..core.errors import AddonError
from ..core.pins import LARGEST_ANGLE, LARGEST_PLACE, Pin, check_pose
from . import actions
from .actions import Timing

AXES = ("PITCH", "YAW", "ROLL", "PLACE")
"""What of a pose may be pinned: each angle, and the place as a whole."""

_NEAR = 1e-6
"""Radians or metres to which keys are fitted to a pin; 0.0001°."""
_ROUNDS = 50


def marker_of(pin: Any) -> Any:
    """The timeline marker of a pin, the nearest of its name, or None."""
    named = [
        marker
        for scene in bpy.data.scenes
        for marker in scene.timeline_markers
        if marker.name == pin.marker
    ]
    return min(named, key=lambda marker: abs(marker.frame - pin.kept_frame), default=None)


def frame_of(pin: Any) -> int:
    """The scene frame of a pin: its marker's, or where that was when it was made."""
    marker = marker_of(pin)
    return int(pin.kept_frame if marker is None else marker.frame)


def move(pin: Any, frame: int) -> None:
    """Move a pin and its marker."""
    marker = marker_of(pin)
    pin.kept_frame = frame
    if marker is not None:
        marker.frame = frame


def rename(pin: Any, name: str) -> None:
    """Rename a pin and its marker; a name that others have gets a number."""
    marker = marker_of(pin)
    name = name.strip()
    if not name or name == pin.marker:
        return
    pin.marker = _free_name(name)
    if marker is not None:
        marker.name = pin.marker


def add(rig: bpy.types.Object, scene: bpy.types.Scene, frame: int, pose: Sequence[float]) -> Any:
    """Add a pin with its marker; (6,) pose in radians and metres. One at that frame is replaced.

    Raises:
        AddonError: if the head cannot be asked for that pose.
    """
    check_pose(pose)
    state = rig.osmnet
    for index, pin in enumerate(state.pins):
        if marker_of(pin) is not None and frame_of(pin) == frame:
            state.pin_index = index
            set_pose(pin, pose)
            return pin
    pin = state.pins.add()
    pin.marker, pin.kept_frame = _free_name("Pin"), frame
    set_pose(pin, pose)
    scene.timeline_markers.new(pin.marker, frame=frame)
    state.pin_index = len(state.pins) - 1
    return pin


def show_marker(pin: Any, scene: bpy.types.Scene) -> None:
    """Give a pin whose marker was deleted a new one."""
    if marker_of(pin) is None:
        scene.timeline_markers.new(pin.marker, frame=pin.kept_frame)


def set_pose(pin: Any, pose: Sequence[float]) -> None:
    """Let a pin have another pose, (6,) in radians and metres."""
    check_pose(pose)
    pin.pitch, pin.yaw, pin.roll = pose[:3]
    pin.place = pose[3:]


def remove(rig: bpy.types.Object, index: int) -> None:
    """Remove a pin with its marker.

    Raises:
        AddonError: if there is no such pin.
    """
    pin = at(rig, index)
    marker, name = marker_of(pin), pin.marker
    rig.osmnet.pins.remove(index)
    rig.osmnet.pin_index = max(0, min(rig.osmnet.pin_index, len(rig.osmnet.pins) - 1))
    if marker is not None and name not in _names_of_pins():  # a copied rig has the same
        marker.id_data.timeline_markers.remove(marker)


def at(rig: bpy.types.Object, index: int) -> Any:
    """A pin by its place in the list.

    Raises:
        AddonError: if there is no such pin.
    """
    if not 0 <= index < len(rig.osmnet.pins):
        raise AddonError(f"There is no pin number {index + 1}; the rig has {len(rig.osmnet.pins)}.")
    return rig.osmnet.pins[index]


def pose_now(rig: bpy.types.Object) -> list[float]:
    """(6,) the head bone's own pose as it is seen now: radians and metres."""
    bone = rig.pose.bones[BONE]
    return [*bone.rotation_euler, *bone.location]


def wanted(rig: bpy.types.Object) -> list[Pin]:
    """The pins that takes are to meet: those whose markers are there."""
    return [
        Pin(pin.marker, frame_of(pin), _pinned(pin))
        for pin in rig.osmnet.pins
        if marker_of(pin) is not None
    ]


def _pinned(pin: Any) -> tuple[float | None, ...]:
    angles = [
        value if axis in pin.axes else None
        for axis, value in zip(AXES, (pin.pitch, pin.yaw, pin.roll), strict=False)
    ]
    return (*angles, *(pin.place if "PLACE" in pin.axes else (None, None, None)))


def less(pins: Sequence[Pin], change: np.ndarray) -> list[Pin]:
    """Pins less what lies over the take: (N, 6 or more) edits at their frames.

    Raises:
        AddonError: if the take would have to turn further than the engine allows.
    """
    angle, found = np.radians(LARGEST_ANGLE), []
    for pin, row in zip(pins, change, strict=True):
        pose = tuple(
            None if value is None else float(value - row[axis])
            for axis, value in enumerate(pin.pose)
        )
        limits = [angle] * 3 + [LARGEST_PLACE] * 3
        if any(v is not None and abs(v) > top for v, top in zip(pose, limits, strict=True)):
            raise AddonError(
                f"'{pin.name}' and your edits at frame {pin.frame} pull the head apart; merge or "
                "discard the edits, or change the pin."
            )
        found.append(Pin(pin.name, pin.frame, pose))
    return found


def met(curves: np.ndarray, timing: Timing, pins: Sequence[Pin]) -> np.ndarray:
    """Curves whose keys meet pins between samples, too, as Blender draws lines between keys.

    The engine meets a pin between two samples by its own interpolation, which differs a little.

    Args:
        curves: (count, 58) of a take that meets them so.
        timing: where its samples lie.
        pins: to be met.

    Returns:
        (count, 58), the same but next to pins.
    """
    curves = curves.astype(np.float32).astype(np.float64)
    trial = compat.new_action("pins")
    try:
        for channel in range(MOTION.start, MOTION.stop):
            poses = [(pin.frame, pin.pose[channel]) for pin in pins]
            points = [(frame, value) for frame, value in poses if value is not None]
            if points:
                _meet(trial, channel, timing, curves, points)
    finally:
        bpy.data.actions.remove(trial)
    return curves


def _meet(
    trial: bpy.types.Action, channel: int, timing: Timing, curves: np.ndarray,
    points: Sequence[tuple[int, float]],
) -> None:  # fmt: skip
    """Move the samples on both sides of each point until the line passes through it."""
    path, index = CHANNELS[channel].data_path, CHANNELS[channel].index
    step = float(timing.rate / timing.fps)
    for _ in range(_ROUNDS):
        actions.write_keys(trial, channel, timing.frames, curves[:, channel])
        line = compat.curves_of(trial).find(path, index=index)
        errors = [value - line.evaluate(frame) for frame, value in points]
        if max(map(abs, errors)) < _NEAR:
            return
        for (frame, _), error in zip(points, errors, strict=True):
            place = min(max((frame - timing.start) / step, 0.0), timing.count - 1.0)
            first = min(int(place), timing.count - 1)
            shares = {first: 1.0 - (place - first)}
            if first + 1 < timing.count:
                shares[first + 1] = place - first
            weight = sum(share * share for share in shares.values())
            for sample, share in shares.items():
                curves[sample, channel] += error * share / weight


def _names_of_pins() -> set[str]:
    return {
        pin.marker
        for item in bpy.data.objects
        if item.type == "ARMATURE"
        for pin in item.osmnet.pins
    }


def _free_name(name: str) -> str:
    """A name for a marker that neither a marker nor a pin has."""
    taken = _names_of_pins() | {m.name for s in bpy.data.scenes for m in s.timeline_markers}
    if name != "Pin" and name not in taken:
        return name
    return next(f"{name} {n}" for n in range(1, len(taken) + 2) if f"{name} {n}" not in taken)
