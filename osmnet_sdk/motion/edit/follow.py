"""The centre motion of a reference, around which takes are sampled as variations."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.motion.edit.min_jerk import Knot, move_curve, move_seconds
from osmnet_sdk.motion.shaping import smooth
from osmnet_sdk.tracks import MotionTrack

Array = NDArray[np.float64]

CENTRE_SECONDS = 0.2
"""Standard deviation of the Gaussian that makes a reference a centre: slower motion than about
0.7 Hz stays, turns and postures; nods and the tracker's noise are left to the variations."""


def centre_motion(reference: MotionTrack, frames: int) -> Array:
    """Low-passed poses of a reference at 25 fps, for a take of `frames` frames.

    A longer reference is cut; after the end of a shorter one the head goes on to rest in one
    move (C2).

    Args:
        reference: at any frame rate, relative to its rest pose.
        frames: 1 or more.

    Returns:
        (frames, 6), degrees and metres.
    """
    track = reference.resample(FPS)
    rotation = np.unwrap(track.rotation.astype(np.float64), period=360.0, axis=0)
    poses = smooth(np.hstack([rotation, track.translation]), CENTRE_SECONDS * float(FPS))
    if len(poses) >= frames:
        return poses[:frames]
    return np.vstack([poses, _to_rest(poses, frames - len(poses))])


def reference_record(reference: MotionTrack) -> dict[str, Any]:
    """What provenance says of a reference: hash of its values, number of frames, source."""
    values = reference.rotation.tobytes() + reference.translation.tobytes()
    return {
        "sha256": hashlib.sha256(values).hexdigest(),
        "frames": len(reference),
        "source": reference.provenance.source,
    }


def _to_rest(poses: Array, frames: int) -> Array:
    """What follows on the last pose: (frames, 6)."""
    rate = float(FPS)
    seconds = move_seconds(poses[-1])
    recent = poses[-3:] if len(poses) >= 3 else np.repeat(poses[-1:], 3, axis=0)
    slope = (1.5 * recent[2] - 2.0 * recent[1] + 0.5 * recent[0]) * rate
    times = np.arange(1, frames + 1) / rate
    columns = [
        move_curve([Knot(0.0, value, speed), Knot(seconds, 0.0, 0.0)], times)
        for value, speed in zip(poses[-1].tolist(), slope.tolist(), strict=True)
    ]
    return np.stack(columns, axis=1)
