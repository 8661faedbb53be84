# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what the rig really does at a frame: after NLA, drivers, constraints and other bones.

The rig is evaluated in a scene of its own that exists only for the reading, so the animator's
playhead stays where it is and nothing else of their scene is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from .core.channels import BONE, COUNT, EULER_MODE
from .core.conventions import ARKIT_NAMES

_SCENE = "OSM-Net reading"
_reading = False


def is_reading() -> bool:
    """Whether a reading goes on; handlers should not look at its updates."""
    return _reading


@contextmanager
def _scene_with(rig: bpy.types.Object) -> Iterator[bpy.types.Scene]:
    global _reading
    scene = bpy.data.scenes.new(_SCENE)
    _reading = True
    try:
        scene.collection.objects.link(rig)
        yield scene
    finally:
        bpy.data.scenes.remove(scene)
        _reading = False


def read(rig: bpy.types.Object, frames: Iterable[float]) -> np.ndarray:
    """What the rig does at scene frames (N,): (N, 58) in units of the curves.

    The head's pose counts relative to its rest and in the rest head's axes, wherever it comes from:
    keys, NLA, the neck, constraints.
    """
    frames = [float(frame) for frame in frames]
    values = np.empty((len(frames), COUNT))
    to_rest = rig.data.bones[BONE].matrix_local.inverted()
    with _scene_with(rig) as scene:
        for row, frame in enumerate(frames):
            whole = int(np.floor(frame))
            scene.frame_set(whole, subframe=frame - whole)
            evaluated = rig.evaluated_get(scene.view_layers[0].depsgraph)
            bone = evaluated.pose.bones[BONE]
            moved = to_rest @ bone.matrix
            values[row, 0:3] = moved.to_euler(EULER_MODE)
            values[row, 3:6] = moved.translation
            values[row, 6:] = [bone.get(name, 0.0) for name in ARKIT_NAMES]
    return values
