"""Where an animator wants a head to be calm: start, end, and ranges in which it settles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.curves import ramp
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.edit.min_jerk import come_from, go_to, move_seconds

Array = NDArray[np.float64]
Range = tuple[float, float]

IDLE = 0.12
"""Size of motion that remains while the head is with_holds."""

SHORTEST_BREAK = 0.4
"""Seconds; ranges that are closer together are one."""


def full_pose(pose: Sequence[float]) -> Array:
    """(6,) pose from 3 angles, whose translation is 0, or from 6 numbers."""
    return np.array([*pose, 0.0, 0.0, 0.0][:6])


def with_ends(
    poses: Array, start: Sequence[float] | None, end: Sequence[float] | None, fps: float
) -> Array:
    """Poses that start and end where they should, at zero velocity.

    Args:
        poses: (N, 6).
        start: first pose, 3 or 6 numbers; None leaves it.
        end: last pose; likewise.
        fps: frames per second.

    Raises:
        InputError: if one frame is to be both, with different poses.
    """
    if len(poses) == 1 and start is not None and end is not None:
        if not np.array_equal(full_pose(start), full_pose(end)):
            raise InputError("A take of one frame cannot both start and end in another pose.")
        return full_pose(start)[None]
    wanted = [None if pose is None else full_pose(pose) for pose in (start, end)]
    frames = [
        0.0 if pose is None else move_seconds(pose - poses[index]) * fps
        for pose, index in zip(wanted, (0, -1), strict=True)
    ]
    shrink = min(1.0, (len(poses) - 1) / max(sum(frames), 1e-9))
    lengths = [max(length * shrink, 1e-9) for length in frames]
    if wanted[0] is not None:
        poses = come_from(poses, wanted[0], lengths[0])
    if wanted[1] is not None:
        poses = go_to(poses, wanted[1], lengths[1])
    return poses


def merged_holds(ranges: Sequence[Range], seconds: float) -> list[Range]:
    """Ranges in order, those that meet or nearly meet as one, ends cut to the sound.

    Raises:
        InputError: if a range starts after the sound ends.
    """
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if start >= seconds:
            raise InputError(
                f"The head cannot settle from {start:g} to {end:g} s: the sound ends at "
                f"{seconds:g} s."
            )
        if merged and start - merged[-1][1] < SHORTEST_BREAK:
            start, end = merged[-1][0], max(end, merged[-1][1])
            merged.pop()
        merged.append((start, min(end, seconds)))
    return merged


def with_holds(
    poses: Array, ranges: Sequence[Range], fps: float, *, end_is_given: bool = False
) -> Array:
    """Poses that settle in each range at their mean there; a small part of their motion remains.

    The head slows down before a range and sets out again after it, each in the time that such a
    move takes, or in half of the break to the next range. Where there is no time to slow down
    after the beginning, it settles in its first pose; likewise in a last pose that is given.

    Args:
        poses: (N, 6).
        ranges: of `merged_holds`, seconds.
        fps: frames per second.
        end_is_given: whether the last pose must stay as it is.
    """
    times = np.arange(len(poses)) / fps
    last = float(times[-1])
    for index, (start, end) in enumerate(ranges):
        inside = (times >= start) & (times <= end)
        if not inside.any():
            continue
        before = (start - ranges[index - 1][1]) / 2 if index else np.inf
        after = (ranges[index + 1][0] - end) / 2 if index + 1 < len(ranges) else np.inf
        centre = poses[inside].mean(axis=0)
        first_inside, last_inside = np.flatnonzero(inside)[[0, -1]]
        fall = min(before, move_seconds(poses[first_inside] - centre))
        rise = min(after, move_seconds(poses[last_inside] - centre))
        first, final = start < fall, end_is_given and end + rise > last
        if first and final:
            centre = poses[0] + ramp(times / last)[:, None] * (poses[-1] - poses[0])
        elif first or final:
            centre = poses[0] if first else poses[-1]
        calm = ramp((times - (start - fall)) / fall) * ramp((end + rise - times) / rise)
        poses = poses + (1.0 - IDLE) * calm[:, None] * (centre - poses)
    return poses
