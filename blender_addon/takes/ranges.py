# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranges of frames in which a take is made anew; outside, no key and no value changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..core import sparse, splicing
from ..core.channels import CHANNELS
from ..core.errors import AddonError
from ..core.pins import Pin
from . import actions, keying, layers, nla
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
    curves: np.ndarray, provenance: dict[str, Any], channels: range, pins: Sequence[Pin] = (),
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
        pins: within the rows, which the new values meet.
    """
    take = nla.take_at(rig, index)
    action = take.action
    grid, total, own = layers.edits_of(take)
    known = actions.sampled_curves(action)
    known[rows, channels.start : channels.stop] = curves[rows, channels.start : channels.stop]
    sampled = [channel for channel in actions.sampled_channels(action) if channel in channels]
    present = [channel for channel in actions.channels_of(action) if channel in channels]
    keys, plain = actions.sampled_keys(action), actions.as_sampled(action)
    cut = _Cut(actions.timing_of(action), chosen_range, rows)
    few = [channel for channel in sampled if channel in keys]
    fitted = cut.fitted(plain, known, few, pins)
    for channel in present:
        cut.splice(action, channel, known, fitted.get(channel))
    for channel in few:
        keys[channel] = cut.splice(plain, channel, known, fitted[channel])
    bpy.data.actions.remove(plain)
    every = {*sampled, *actions.sampled_channels(action)}
    actions.note_samples(action, cut.timing, known, provenance, every, keys)
    left = layers.own_edits(action, grid)
    touched = [channel for channel in present if (own - left)[:, channel].any()]
    if touched:  # what went from the curves goes into the layer
        layers.set_layer(rig, take, grid, total - left, touched)
    layers.play_again(rig, index)


@dataclass(frozen=True)
class _Cut:
    """Where curves are cut open.

    Attributes:
        timing: of the take.
        window: first and last scene frame at which anything may change.
        rows: samples that are replaced.
    """

    timing: Timing
    window: tuple[float, float]
    rows: slice

    @property
    def _around(self) -> tuple[int, int]:
        """The samples beside those, at which the old curve goes on; else the outermost."""
        return max(self.rows.start - 1, 0), min(self.rows.stop, self.timing.count - 1)

    @property
    def _open(self) -> tuple[bool, bool]:
        """Whether there is something before and after."""
        return self.rows.start > 0, self.rows.stop < self.timing.count

    def fitted(
        self, plain: bpy.types.Action, known: np.ndarray, channels: list[int], pins: Sequence[Pin]
    ) -> dict[int, np.ndarray]:
        """Few keys for the rows, from where the old curve is left to where it goes on."""
        if not channels:
            return {}
        first, last = self._around
        values = known[first : last + 1].copy()
        for row, goes_on in zip((0, -1), self._open, strict=True):
            if goes_on:  # the curve as keyed may miss the sample by the tolerance
                frame = self.timing.frames[[first, last][row]]
                values[row] = actions.read_curves(plain, np.array([frame]))[0]
        slope = sparse.slopes(known)[first : last + 1]
        return keying.few_keys(values, channels, self.timing, pins, first=first, slope=slope)

    def splice(
        self, action: bpy.types.Action, channel: int, known: np.ndarray, fitted: np.ndarray | None
    ) -> np.ndarray:
        """Put the new keys into a curve; return all its keys as rows of `sparse.Spline`."""
        path, index = CHANNELS[channel].data_path, CHANNELS[channel].index
        curve = compat.curves_of(action).find(path, index=index)
        old = keying.read_keys(curve)
        frames = self.timing.frames.astype(np.float32).astype(np.float64)
        ends = tuple(
            frames[row] if goes_on else None
            for row, goes_on in zip(self._around, self._open, strict=True)
        )
        if fitted is None:
            values = known[self.rows, channel]
            new = splicing.new_keys(frames[self.rows], values, old, keying.KINDS)
            arms = (None, None)
        else:
            every = keying.keys_at(fitted, self.timing)
            inner = slice(int(self._open[0]), len(every) - int(self._open[1]))
            new = every.taken(np.arange(len(every))[inner])
            arms = (every.right[0] - every.co[0], every.left[-1] - every.co[-1])
        spliced = splicing.spliced(
            old, self.window, new, (ends[0], ends[1]), curve.evaluate, keying.KINDS, arms
        )
        keying.put_keys(curve, spliced)
        return keying.rows_of(keying.read_keys(curve), self.timing)
