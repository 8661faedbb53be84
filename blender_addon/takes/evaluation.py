# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what the rig really does at a frame: after NLA, drivers, constraints and other bones.

The rig is evaluated in a scene of its own that exists only for the reading, so the animator's
playhead stays where it is and nothing else of their scene is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np

from ..core.channels import BONE, COUNT, EULER_MODE, EXPRESSION
from ..core.conventions import ARKIT_NAMES

_NAME = "OSM-Net reading"
_SLICE = 360
"""Frames that are read in one go while a window waits, some 50 ms; it is drawn between slices."""
_reading = False


def is_reading() -> bool:
    """Whether a reading goes on; handlers should not look at its updates."""
    return _reading


@contextmanager
def _scene_with(rig: bpy.types.Object) -> Iterator[bpy.types.Scene]:
    """A scene that evaluates the rig, even if the rig itself is hidden everywhere."""
    global _reading
    scene = bpy.data.scenes.new(_NAME)
    follower = None
    _reading = True
    try:
        if rig.hide_viewport:  # then only what depends on it brings it in
            follower = bpy.data.objects.new(_NAME, None)
            constraint = follower.constraints.new("COPY_TRANSFORMS")
            constraint.target, constraint.subtarget = rig, BONE
        scene.collection.objects.link(follower or rig)
        yield scene
    finally:
        bpy.data.scenes.remove(scene)
        if follower is not None:
            bpy.data.objects.remove(follower)
        _reading = False


def _poses(rig: bpy.types.Object, frames: Iterable[float]) -> Iterator[bpy.types.PoseBone]:
    """The head bone as evaluated at each scene frame."""
    with _scene_with(rig) as scene:
        for frame in frames:
            whole = int(np.floor(frame))
            scene.frame_set(whole, subframe=float(frame) - whole)
            evaluated = rig.evaluated_get(scene.view_layers[0].depsgraph)
            yield evaluated.pose.bones[BONE]


def read(rig: bpy.types.Object, frames: Sequence[float]) -> np.ndarray:
    """What the rig does at scene frames (N,): (N, 58) in units of the curves.

    The head's pose counts relative to its rest and in the rest head's axes, wherever it comes from:
    keys, NLA, the neck, constraints.
    """
    values = np.empty((len(frames), COUNT))
    to_rest = rig.data.bones[BONE].matrix_local.inverted()
    for row, bone in enumerate(_poses(rig, frames)):
        moved = to_rest @ bone.matrix
        values[row, 0:3] = moved.to_euler(EULER_MODE)
        values[row, 3:6] = moved.translation
        values[row, EXPRESSION] = [bone.get(name, 0.0) for name in ARKIT_NAMES]
    return values


def in_slices() -> bool:
    """Whether there is a window that must not be held up."""
    return not bpy.app.background


def read_in_slices(
    find: Callable[[], bpy.types.Object], frames: Sequence[float]
) -> Generator[None, None, np.ndarray]:
    """As `read`, but yields after each slice so that a window can breathe; returns the values.

    Args:
        find: gives the rig, which events between the slices may have replaced.
        frames: (N,) scene frames.
    """
    if not in_slices():
        return read(find(), frames)
    slices = []
    for first in range(0, len(frames), _SLICE):
        if first:
            yield
        slices.append(read(find(), frames[first : first + _SLICE]))
    return np.concatenate(slices)


def read_channels(rig: bpy.types.Object, frames: Sequence[float]) -> np.ndarray:
    """(N, 58) values that NLA and drivers give the rig's channels at scene frames (N,).

    Unlike `read`, this is the head bone's own motion, before the neck and constraints.
    """
    values = np.empty((len(frames), COUNT))
    for row, bone in enumerate(_poses(rig, frames)):
        values[row, 0:3], values[row, 3:6] = bone.rotation_euler, bone.location
        values[row, EXPRESSION] = [bone.get(name, 0.0) for name in ARKIT_NAMES]
    return values
