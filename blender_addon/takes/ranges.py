# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranges of frames in which a take is made anew; outside, no key and no value changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..core import splicing
from ..core.channels import CHANNELS
from ..core.errors import AddonError
from . import actions, layers, nla
from .actions import Timing

_MARGIN = 2
"""Samples at each end of a range that stay: a key shapes the curve to the next but one."""

NOT_SELECTED = (
    "No range was chosen, so the whole scene's was taken; select two timeline markers or set a "
    "preview range for a part of it."
)


@dataclass(frozen=True)
class Chosen:
    """A range of scene frames.

    Attributes:
        first: its first frame.
        last: its last one.
        how: "markers", "preview" or "scene".
    """

    first: int
    last: int
    how: str

    @property
    def hint(self) -> str:
        """A sentence if nobody has chosen the range, with a space before it, else ""."""
        return f" {NOT_SELECTED}" if self.how == "scene" else ""


def chosen(scene: bpy.types.Scene) -> Chosen:
    """The range that is selected: by two or more markers, the preview range, or the scene's."""
    marked = sorted(marker.frame for marker in scene.timeline_markers if marker.select)
    if len(marked) > 1 and marked[0] < marked[-1]:
        return Chosen(marked[0], marked[-1], "markers")
    if scene.use_preview_range:
        return Chosen(scene.frame_preview_start, scene.frame_preview_end, "preview")
    return Chosen(scene.frame_start, scene.frame_end, "scene")


def samples(timing: Timing, first: float, last: float) -> slice:
    """The samples that may change so that the curves do not outside of a range of scene frames.

    Raises:
        AddonError: if there are none.
    """
    frames = timing.frames
    inside = np.flatnonzero((frames >= first - 1e-3) & (frames <= last + 1e-3))
    if not len(inside):
        raise AddonError(
            f"The take plays from frame {frames[0]:g} to {frames[-1]:g}, not from {first:g} to "
            f"{last:g}; choose another range."
        )
    start, stop = int(inside[0]), int(inside[-1]) + 1
    start += _MARGIN if start > 0 or frames[0] < first else 0
    stop -= _MARGIN if stop < timing.count or frames[-1] > last else 0
    if stop - start < 2 * _MARGIN:
        raise AddonError(
            f"Frames {first:g} to {last:g} are too short a range of the take; a head needs "
            "a third of a second or more."
        )
    return slice(start, stop)


def replace(
    rig: bpy.types.Object, index: int, chosen_range: tuple[float, float], rows: slice,
    curves: np.ndarray, provenance: dict[str, Any], channels: range,
) -> None:  # fmt: skip
    """Put new samples into a range of a take; what was edited there stays as a layer on top.

    Args:
        rig: the head rig.
        index: of the take.
        chosen_range: first and last scene frame at which anything may change.
        rows: of `samples`.
        curves: (count, 58) new values; only these rows and channels are used.
        provenance: what made the take now.
        channels: that are replaced.
    """
    take = nla.take_at(rig, index)
    action = take.action
    timing = actions.timing_of(action)
    grid, total, own = layers.edits_of(take)
    known = actions.sampled_curves(action)
    known[rows, channels.start : channels.stop] = curves[rows, channels.start : channels.stop]
    present = [channel for channel in actions.channels_of(action) if channel in channels]
    for channel in present:
        _splice(action, channel, timing, chosen_range, rows, curves[rows, channel])
    actions.note_samples(action, timing, known, provenance, channels)
    left = layers.own_edits(action, grid)
    touched = [channel for channel in present if (own - left)[:, channel].any()]
    if touched:  # what went from the curves goes into the layer
        layers.set_layer(rig, take, grid, total - left, touched)
    layers.play_again(rig, index)


def _splice(
    action: bpy.types.Action, channel: int, timing: Timing, window: tuple[float, float],
    rows: slice, values: np.ndarray,
) -> None:  # fmt: skip
    curve = compat.curves_of(action).find(
        CHANNELS[channel].data_path, index=CHANNELS[channel].index
    )
    frames = timing.frames.astype(np.float32).astype(np.float64)
    ends = (
        frames[rows.start - 1] if rows.start > 0 else None,
        frames[rows.stop] if rows.stop < timing.count else None,
    )
    keys = actions.read_keys(curve)
    new = splicing.spliced(
        keys, window, frames[rows], values, ends, curve.evaluate, actions.KINDS
    )  # fmt: skip
    actions.put_keys(curve, new)
