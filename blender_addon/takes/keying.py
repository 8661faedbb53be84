# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of F-curves read and written whole, and the few keys that stand for many samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import bpy
import numpy as np

from ..core import sparse
from ..core.pins import Pin
from ..core.splicing import Keys, Kinds

_HANDLES = bpy.types.Keyframe.bl_rna.properties["handle_left_type"].enum_items
_BEZIER = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["BEZIER"].value
_ALIGNED = _HANDLES["ALIGNED"].value

KINDS = Kinds(_BEZIER, _HANDLES["FREE"].value, _HANDLES["AUTO_CLAMPED"].value)
"""Blender's numbers of interpolations and handles."""

_PLACES = {"co": "co", "left": "handle_left", "right": "handle_right"}
_OTHER = {
    **dict.fromkeys(("interpolation", "easing", "type"), np.int32),
    **dict.fromkeys(("handle_left_type", "handle_right_type"), np.int32),
    **dict.fromkeys(("amplitude", "back", "period"), np.float32),
    **dict.fromkeys(("select_control_point", "select_left_handle", "select_right_handle"), bool),
}
"""What a key has besides its place and handles."""


class Timing(Protocol):
    """Where samples lie; see `actions.Timing`."""

    start: float
    fps: Any
    rate: Any
    count: int


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


def few_keys(
    values: np.ndarray, channels: Sequence[int], timing: Timing, pins: Sequence[Pin] = (), *,
    first: int = 0, slope: np.ndarray | None = None,
) -> dict[int, np.ndarray]:  # fmt: skip
    """Keys that stand for samples within the tolerance, and meet pins exactly.

    Args:
        values: (T, 58) samples.
        channels: that are wanted.
        timing: where the samples lie.
        pins: that the samples meet.
        first: number of the first sample.
        slope: (T, 58) slopes at the samples, if others are known beside them.

    Returns:
        (K, 6) of each channel, as of `sparse.Spline.rows`.
    """
    places = {pin.frame: _place(timing, pin.frame) - first for pin in pins}
    places = {frame: at for frame, at in places.items() if 0 <= at <= len(values) - 1}
    kept = [int(whole(at)) for at in places.values() for whole in (np.floor, np.ceil)]
    columns = list(channels)
    steep = None if slope is None else slope[:, columns]
    found = sparse.fit(values[:, columns], sparse.TOLERANCE[columns], kept, steep)
    rows = {}
    for channel, spline in zip(columns, found, strict=True):
        points = [
            (places[pin.frame], value)
            for pin in pins
            if channel < len(pin.pose) and pin.frame in places
            for value in [pin.pose[channel]]
            if value is not None
        ]
        rows[channel] = spline.through(points).rows()
        rows[channel][:, 0::2] += first
    return rows


def _place(timing: Timing, frame: float) -> float:
    return (frame - timing.start) * float(timing.fps / timing.rate)


def keys_at(rows: np.ndarray, timing: Timing) -> Keys:
    """The keys that (K, 6) rows are at the scene's frames; handles are aligned where they are."""
    step = float(timing.rate / timing.fps)
    scaled = rows.copy()
    scaled[:, 0::2] = timing.start + scaled[:, 0::2] * step
    other = {name: np.zeros(len(rows), kind) for name, kind in _OTHER.items()}
    other["interpolation"][:] = _BEZIER
    for side in ("handle_left_type", "handle_right_type"):
        other[side][:] = np.where(_straight(rows), _ALIGNED, KINDS.free)
    return Keys(scaled[:, 0:2], scaled[:, 2:4], scaled[:, 4:6], other)


def _straight(rows: np.ndarray) -> np.ndarray:
    """(K,) whether the two handles of a key lie on a line with it."""
    left, right = rows[:, 2:4] - rows[:, 0:2], rows[:, 4:6] - rows[:, 0:2]
    bend = np.abs(left[:, 0] * right[:, 1] - left[:, 1] * right[:, 0])
    return np.asarray(bend <= 1e-6 * np.abs(left[:, 0] * right[:, 0]))


def rows_of(keys: Keys, timing: Timing) -> np.ndarray:
    """`keys_at` backwards; kinds of handles are forgotten."""
    rows = np.column_stack([keys.co, keys.left, keys.right])
    rows[:, 0::2] = (rows[:, 0::2] - timing.start) * float(timing.fps / timing.rate)
    return rows
