"""Poses at given times, met exactly, with the take's own motion under and between them.

For each axis, what is missing at the pins is laid over the take as one curve of least jerk. It
comes in before a pin and fades after it within the time that such a move takes (`min_jerk`); where
there is no time to fade it goes straight from pin to pin.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import AXES
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.edit.min_jerk import SHORTEST_MOVE, Knot, move_curve, move_seconds
from osmnet_sdk.motion.shaping import soft_limit
from osmnet_sdk.options import Pin

Array = NDArray[np.float64]
Range = tuple[float, float]

OVER = 0.2
"""How far the take may go beyond limit and largest pin near a pin, as part of these."""

_TOLERANCE = 1e-7
_ROUNDS = 100
_NAMES = (*AXES, "x", "y", "z")


def with_pins(
    poses: Array,
    pins: Sequence[Pin],
    fps: float,
    *,
    holds: Sequence[Range] = (),
    fixed: tuple[bool, bool] = (False, False),
    limits: Array,
) -> Array:
    """Poses that pass through pins.

    A pin within a range in which the head is still holds for that range. Where the first pin comes
    so early that less than half of the time for its move is left, the take begins displaced
    instead of at rest, and after a last pin near the end it stays displaced.

    Args:
        poses: (N, 6), degrees and metres.
        pins: in any order.
        fps: frames per second.
        holds: ranges of time, in order, apart.
        fixed: whether the first and the last pose must stay as they are.
        limits: (6,), beyond which only pins lead the head.

    Raises:
        InputError: if a pin lies outside the take, or two on one axis are less than a frame apart.
    """
    last = (len(poses) - 1) / fps
    ordered = sorted(pins, key=lambda pin: pin.time)
    wanted = np.array([[np.nan if v is None else v for v in pin.pose] for pin in ordered])
    times = np.array([_within(pin.time, last, fps) for pin in ordered])
    _check_apart(times, wanted, last, fps, fixed)
    missing = wanted - np.array([pose_at(poses, time, fps) for time in times])
    reach = [move_seconds(np.nan_to_num(row)) for row in missing]
    frames = np.arange(len(poses)) / fps
    pinned = poses.copy()
    for axis in np.flatnonzero(np.isfinite(wanted).any(axis=0)):
        chosen = np.flatnonzero(np.isfinite(wanted[:, axis]))
        spans = _spans(times[chosen], holds, last, fixed)
        plan = [(float(times[k]), span, reach[k]) for k, span in zip(chosen, spans, strict=True)]
        largest = max(limits[axis], np.abs(wanted[chosen, axis]).max())
        jumps, column = missing[chosen, axis], poses[:, axis]
        for _ in range(_ROUNDS):
            # Between frames the track is interpolated, and near its limit it bends, so that
            # the curve at a pin is not quite the track there.
            knots = _knots(plan, jumps, last, fixed)
            moved = soft_limit(column + move_curve(knots, frames), largest, largest * (1 + OVER))
            found = [pose_at(moved[:, None], times[k], fps)[0] for k in chosen]
            error = wanted[chosen, axis] - np.array(found)
            if np.abs(error).max() < _TOLERANCE:
                break
            jumps = jumps + error
        pinned[:, axis] = moved
    return pinned


def pose_at(poses: Array, time: float, fps: float) -> Array:
    """Pose between frames, (D,), by PCHIP as of `MotionTrack.resample`; exact at a frame."""
    position = time * fps
    frame = round(position)
    if abs(position - frame) < 1e-6 or len(poses) == 1:
        pose: Array = poses[frame]
        return pose
    from scipy.interpolate import PchipInterpolator

    first = max(int(position) - 1, 0)
    part = poses[first : int(position) + 3]
    pose = PchipInterpolator(np.arange(len(part)), part)(position - first)
    return pose


def _within(time: float, last: float, fps: float) -> float:
    """The pin's time; the last pose is held until the sound ends."""
    if time > last + 1.0 / fps + 1e-6:
        raise InputError(
            f"The pin at {time:g} s lies outside the sound, which ends at {last + 1 / fps:g} s."
        )
    return min(time, last)


def _check_apart(
    times: Array, wanted: Array, last: float, fps: float, fixed: tuple[bool, bool]
) -> None:
    for axis, column in enumerate(wanted.T):
        taken = times[np.isfinite(column)]
        if not len(taken):
            continue
        ends = [time for time, is_fixed in zip((0.0, last), fixed, strict=True) if is_fixed]
        every = np.sort(np.concatenate([taken, ends]))
        close = np.flatnonzero(np.diff(every) < 1.0 / fps - 1e-6)
        if len(close):
            raise InputError(
                f"Two poses are asked for in one frame: {_NAMES[axis]} at {every[close[0]]:g} s "
                f"and at {every[close[0] + 1]:g} s; keep them {1 / fps:g} s apart."
            )


def _spans(
    times: Array, holds: Sequence[Range], last: float, fixed: tuple[bool, bool]
) -> list[Range]:
    """The time for which each pin holds: its own, or up to the ends of a still range."""
    spans = []
    for index, time in enumerate(times):
        start = end = float(time)
        for low, high in holds:
            if low <= time <= high:
                first = not index or times[index - 1] < low
                final = index + 1 == len(times) or times[index + 1] > high
                if first and not (fixed[0] and low < SHORTEST_MOVE):
                    start = low
                if final and not (fixed[1] and high > last - SHORTEST_MOVE):
                    end = high
        spans.append((start, min(end, last)))
    return spans


def _knots(
    plan: Sequence[tuple[float, Range, float]],
    jumps: Array,
    last: float,
    fixed: tuple[bool, bool],
) -> list[Knot]:
    """Knots of the curve of one axis.

    Args:
        plan: time, span and time to move of each pin.
        jumps: value of the curve at each pin.
        last: time of the last frame.
        fixed: whether the curve must be 0 at the first and the last frame.
    """
    knots: list[Knot] = []

    def zero(time: float) -> None:
        if not knots or time > knots[-1].time + 1e-6:
            knots.append(Knot(time, 0.0, 0.0))

    def hold(value: float, *times: float) -> None:
        for time in times:
            if not knots or time > knots[-1].time + 1e-6:
                knots.append(Knot(time, value, 0.0 if times[0] != times[-1] else None))

    (_, (begin, _), reach) = plan[0]
    if fixed[0] or begin >= reach / 2:
        zero(max(begin - reach, 0.0))
    for index, ((time, (start, end), reach), jump) in enumerate(zip(plan, jumps, strict=True)):
        hold(float(jump), start, time, end)
        if index + 1 < len(plan):
            following, until = plan[index + 1][1][0], plan[index + 1][2]
            if following - end >= reach + until:
                zero(end + reach)
                zero(following - until)
    (_, (_, finish), reach) = plan[-1]
    if fixed[1] or finish + reach <= last:
        zero(min(finish + reach, last))
    return knots
