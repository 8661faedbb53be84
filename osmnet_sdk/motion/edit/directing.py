"""From sampled poses to those of a take: what an animator asks of it, one step after another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.motion.edit.hold import full_pose, merged_holds, with_ends, with_holds
from osmnet_sdk.motion.edit.min_jerk import come_from, move_seconds
from osmnet_sdk.motion.edit.pins import with_pins
from osmnet_sdk.motion.shaping import smooth, soft_limit
from osmnet_sdk.options import Limits, SampleOptions

Array = NDArray[np.float64]

_ANGLE_KNEE = 0.6
"""Part of the largest angle from which on motion bends."""

_PLACE_KNEE = 0.5
"""The same for translations."""


def directed(
    poses: Array,
    options: SampleOptions,
    centre: Array | None = None,
    bearing: Array | None = None,
) -> Array:
    """Poses of a take at 25 fps: gains, smoothing, limits, centre, bearing, ends, holds and pins.

    Args:
        poses: (F, 6), as sampled; the first is zero.
        options: what is asked for.
        centre: (F, 6), motion of a reference on which the take lies.
        bearing: (F, 3), degrees by which a mood turns the head.

    Returns:
        (F, 6), degrees and metres.

    Raises:
        InputError: if ranges or pins do not fit the sound or each other.
    """
    gains = _gains(options)
    poses = _limited(_smoothed(poses * gains, options.smoothing), options.limits)
    if centre is not None:
        poses = poses + smooth(centre * gains, options.smoothing * float(FPS))
    if bearing is not None:
        poses = poses + np.pad(bearing, ((0, 0), (0, 3)))
    poses = with_ends(poses, options.start, options.end, float(FPS))
    holds = merged_holds(options.hold, len(poses) / float(FPS))
    poses = with_holds(poses, holds, float(FPS), end_is_given=options.end is not None)
    if not options.pins:
        return poses
    return with_pins(
        poses,
        options.pins,
        float(FPS),
        holds=holds,
        fixed=(options.start is not None, options.end is not None),
        limits=_limits_beside(options),
    )


def _gains(options: SampleOptions) -> Array:
    angles = [options.pitch, options.yaw, options.roll]
    return np.array([*angles, *[options.translation] * 3]) * options.intensity


def _smoothed(poses: Array, seconds: float) -> Array:
    """Smoothed poses that still start where they did, at zero velocity."""
    if seconds == 0.0:
        return poses
    frames = (move_seconds(0.0) + seconds) * float(FPS)
    return come_from(smooth(poses, seconds * float(FPS)), poses[0], frames)


def _limited(poses: Array, limits: Limits) -> Array:
    angles = np.array([limits.pitch, limits.yaw, limits.roll])
    places = limits.translation
    return np.hstack(
        [
            soft_limit(poses[:, :3], _ANGLE_KNEE * angles, angles),
            soft_limit(poses[:, 3:], _PLACE_KNEE * places, places),
        ]
    )


def _limits_beside(options: SampleOptions) -> Array:
    """(6,): limits of sampled motion, or poses that are given where these lie beyond."""
    limits = options.limits
    largest = np.array([limits.pitch, limits.yaw, limits.roll, *[limits.translation] * 3])
    for pose in (options.start, options.end):
        if pose is not None:
            largest = np.maximum(largest, np.abs(full_pose(pose)))
    return largest
