# SPDX-License-Identifier: GPL-3.0-or-later
"""What an animator changed in a take, and the layer that carries it over new samples.

Changes are looked at where they can be seen: at the samples, at whole frames of the scene and at
keys that the animator has set. A channel whose curve was deleted stays without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..core import edits
from ..core.channels import COUNT, MOTION
from ..core.errors import AddonError
from ..core.pins import Pin
from . import actions, nla
from .actions import Timing

_SAME_FRAME = 1e-3


def is_edited(take: Any) -> bool:
    """Whether a take's curves differ from what was sampled."""
    action = take.action
    if (take.layer is not None and actions.channels_of(take.layer)) or _deleted(action):
        return True
    if any(len(curve.modifiers) for curve in compat.curves_of(action)):
        return True
    return bool(own_edits(action, _grid(actions.timing_of(action), [action])).any())


def replace_samples(
    rig: bpy.types.Object,
    index: int,
    timing: Timing,
    curves: np.ndarray,
    provenance: dict[str, Any],
    channels: range,
    *,
    discard: bool = False,
    forget: float | None = None,
    pins: Sequence[Pin] = (),
) -> None:
    """Put new samples into a take; what was edited stays as a layer added on top.

    Args:
        rig: the head rig.
        index: of the take.
        timing: where the new samples lie.
        curves: (count, 58) new values; only `channels` are used.
        provenance: what made them.
        channels: which channels are replaced; the others keep their curves and edits.
        discard: forget what was edited in these channels.
        forget: scene frame around which edits of the head's motion are forgotten, as `edits_at`.
        pins: that the new values meet.
    """
    take = nla.take_at(rig, index)
    action = take.action
    retime(rig, take, timing)
    before, played = actions.timing_of(action), nla.reach(action)
    deleted = [] if discard else [c for c in _deleted(action) if c in channels]
    if len(deleted) == len(channels):  # all gone: they are wanted again
        deleted = []
    grid, change = _edits(take, forget)
    change[:, deleted] = 0.0
    if discard:
        change[:] = 0.0
        actions.remove_curves(action, channels)
    actions.write_samples(action, timing, curves, provenance, channels, pins=pins)
    actions.remove_curves(action, deleted)
    nla.fit_strips(rig, action, played)
    grid, change = _cut(grid, change, before, timing)
    set_layer(rig, take, grid, change, channels)
    play_again(rig, index)


def edits_at(take: Any, frames: Sequence[int], *, forget: float | None = None) -> np.ndarray:
    """(N, 58) what was edited in a take at whole scene frames, its layer included.

    Args:
        take: of a rig.
        frames: (N,) whole scene frames.
        forget: scene frame; edits of the head's motion that lie around it without a gap count as 0.
    """
    if not len(frames):
        return np.zeros((0, COUNT))
    grid, change = _edits(take, forget)
    return np.stack([np.interp(frames, grid, column) for column in change.T], axis=1)


def edits_of(take: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(U,) scene frames at which edits are looked at, (U, 58) all edits, and those of no layer."""
    owners = [one for one in (take.action, take.layer) if one is not None]
    grid = _grid(actions.timing_of(take.action), owners)
    own = own_edits(take.action, grid)
    if take.layer is None:
        return grid, own.copy(), own
    return grid, own + actions.read_curves(take.layer, grid), own


def _edits(take: Any, forget: float | None) -> tuple[np.ndarray, np.ndarray]:
    """(U,) scene frames at which edits are looked at, and (U, 58) the edits."""
    grid, change, _ = edits_of(take)
    if forget is not None:
        for channel in range(MOTION.start, MOTION.stop):
            change[edits.stretch(grid, change[:, channel], forget), channel] = 0.0
    return grid, change


def retime(rig: bpy.types.Object, take: Any, after: Timing) -> bool:
    """Move a take and its layer in time, if they lie elsewhere; return whether they did."""
    before = actions.timing_of(take.action)
    if (before.start, before.rate) == (after.start, after.rate):
        return False
    for action in (take.action, take.layer):
        if action is not None:
            actions.retime(action, before, after)
            nla.move_strips(
                rig, action, lambda f: float(actions.moved_frames(np.array(f), before, after))
            )
    return True


def discard_edits(rig: bpy.types.Object, index: int) -> None:
    """Bring a take back to what was sampled; curves of other bones stay."""
    take = nla.take_at(rig, index)
    action = take.action
    played = nla.reach(action)
    actions.remove_curves(action, range(COUNT))
    actions.put_samples(
        action, actions.timing_of(action), actions.sampled_curves(action),
        actions.sampled_keys(action), actions.sampled_channels(action),
    )  # fmt: skip
    nla.fit_strips(rig, action, played)
    set_layer(rig, take, np.zeros(1), np.zeros((1, COUNT)), range(COUNT))
    play_again(rig, index)


def merge_edits(rig: bpy.types.Object, index: int) -> None:
    """Add the layer of edits into the take's own curves."""
    take = nla.take_at(rig, index)
    if take.layer is None:
        raise AddonError(f"'{take.name}' has no layer of edits to merge.")
    action, played = take.action, nla.reach(take.action)
    grid = _grid(actions.timing_of(action), [action, take.layer])
    merged = actions.read_curves(action, grid) + actions.read_curves(take.layer, grid)
    for channel in actions.channels_of(take.layer):
        actions.write_keys(action, channel, grid, merged[:, channel])
    nla.fit_strips(rig, action, played)
    set_layer(rig, take, np.zeros(1), np.zeros((1, COUNT)), range(COUNT))
    play_again(rig, index)


def drop(rig: bpy.types.Object, take: Any) -> None:
    """Remove a take's layer of edits, if it has one."""
    layer = take.layer
    if layer is None:
        return
    animation = nla.animation_of(rig)
    if animation.action == layer:
        nla.make_active(animation, None)
    nla.remove_track(rig, layer)
    take.layer = None
    bpy.data.actions.remove(layer)


def play_again(rig: bpy.types.Object, index: int) -> None:
    """After a take got or lost its layer: play it as before."""
    if rig.osmnet.chosen == index and not rig.osmnet.blending:
        nla.choose(rig, index)


def _deleted(action: bpy.types.Action) -> list[int]:
    """Channels that were sampled and have no curve any more."""
    present = set(actions.channels_of(action))
    return [channel for channel in actions.sampled_channels(action) if channel not in present]


def _grid(timing: Timing, owners: list[bpy.types.Action]) -> np.ndarray:
    """(U,) rising scene frames at which changes are looked at."""
    frames = np.concatenate([timing.frames, *(actions.key_frames_of(action) for action in owners)])
    whole = np.arange(np.ceil(frames.min()), frames.max() + _SAME_FRAME)
    every = np.unique(np.concatenate([frames, whole]).astype(np.float32)).astype(np.float64)
    return every[np.concatenate([[True], np.diff(every) > _SAME_FRAME])]


def own_edits(action: bpy.types.Action, grid: np.ndarray) -> np.ndarray:
    """(U, 58) how an action's keys differ from what was sampled; 0 where a curve was deleted."""
    now = actions.read_curves(action, grid)
    timing = actions.timing_of(action)
    if len(grid) == timing.count and actions.FEW not in action[actions.KEY]:  # all are samples
        before = actions.sampled_curves(action)
    else:
        sampled = actions.as_sampled(action)
        before = actions.read_curves(sampled, grid)
        bpy.data.actions.remove(sampled)
    change = edits.difference(now, before)
    change[:, _deleted(action)] = 0.0
    return change


def _cut(
    grid: np.ndarray, change: np.ndarray, before: Timing, after: Timing
) -> tuple[np.ndarray, np.ndarray]:
    """Changes end where a shorter take ends, and fade where a longer one goes on."""
    old, new = before.frames[-1], after.frames[-1]
    if new < old - _SAME_FRAME:
        inside = grid <= new + _SAME_FRAME
        return grid[inside], change[inside]
    if new > grid[-1] + _SAME_FRAME:
        step = float(after.rate / after.fps)
        return np.append(grid, grid[-1] + step), np.vstack([change, np.zeros(COUNT)])
    return grid, change


def set_layer(
    rig: bpy.types.Object, take: Any, grid: np.ndarray, change: np.ndarray, channels: Iterable[int]
) -> None:
    """Let these channels of a take's layer be a change; without any curve there is no layer."""
    keys = {c: k for c, k in edits.layer_keys(grid, change).items() if c in channels}
    layer, played = take.layer, None
    if layer is None:
        if not keys:
            return
        layer = take.layer = compat.new_action(nla.layer_name(take))
        layer[actions.KEY] = {"layer": True}
        actions.mark(layer)
    else:
        played = nla.reach(layer)
        actions.remove_curves(layer, [channel for channel in channels if channel not in keys])
    for channel, points in keys.items():
        actions.write_keys(layer, channel, points[:, 0], points[:, 1], linear=True)
    if not len(compat.all_curves(layer)):
        drop(rig, take)
    elif played is None:
        nla.add_track(rig, layer, above=nla.track_of(rig, take.action), add=True)
    else:
        nla.fit_strips(rig, layer, played)
