# SPDX-License-Identifier: GPL-3.0-or-later
"""What sampled takes go around: the head motion of an action, or of a take file or a video."""

from __future__ import annotations

from fractions import Fraction

import bpy
import numpy as np

from .. import compat
from ..core.channels import CHANNELS, COUNT, MOTION, performance_values
from ..core.errors import AddonError
from ..core.takes import TakeFile
from . import actions

FPS = Fraction(25)
"""Samples per second of a reference; its slow motion alone counts."""


def moves_head(action: bpy.types.Action) -> bool:
    """Whether an action moves the bone `head`, as takes and keyed head rigs do."""
    paths = {channel.data_path for channel in CHANNELS[MOTION]}
    curves = compat.all_curves(action)
    return any(curve.data_path in paths and len(curve.keyframe_points) for curve in curves)


def reference(rig: bpy.types.Object, name: str, rate: Fraction) -> TakeFile:
    """The head motion of an action from the voice's start on, edits included.

    Args:
        rig: whose takes are to follow it; if it is one of its takes, its layer of edits counts.
        name: of the action.
        rate: frames per second of the scene.

    Raises:
        AddonError: if it does not move the head after the voice's start.
    """
    action = bpy.data.actions[name]
    if not moves_head(action):
        raise AddonError(
            f"'{name}' has no keys for the bone 'head'; follow a take, or an action of a head rig."
        )
    start, last = rig.osmnet.voice_start, action.frame_range[1]
    if actions.is_ours(action) and "sampled" in action[actions.KEY]:
        timing = actions.timing_of(action)
        start, rate, last = timing.start, timing.rate, float(timing.frames[-1])
    count = int(round((last - start) * FPS / rate + 1e-6, 6)) + 1
    if count < 1:
        raise AddonError(f"'{name}' ends before the voice begins, at frame {start:g}.")
    frames = start + np.arange(count) * float(rate / FPS)
    curves = actions.read_curves(action, frames)
    for take in rig.osmnet.takes:
        if take.action == action and take.layer is not None:
            curves += actions.read_curves(take.layer, frames)
    curves[:, MOTION.stop : COUNT] = 0.0
    rotation, translation, coefficients = performance_values(curves)
    return TakeFile(
        fps=FPS,
        rotation=rotation.astype(np.float32),
        translation=translation.astype(np.float32),
        coefficients=coefficients.astype(np.float32),
        provenance={"source": "edited"},
    )


def note(action: bpy.types.Action, followed: str) -> None:
    """Keep with a take what it follows, "" for nothing."""
    if followed:
        action[actions.KEY][actions.FOLLOW] = followed
    elif actions.FOLLOW in action[actions.KEY]:
        del action[actions.KEY][actions.FOLLOW]


def noted(action: bpy.types.Action) -> str:
    """What a take follows, "" for nothing."""
    return str(action[actions.KEY].get(actions.FOLLOW, ""))
