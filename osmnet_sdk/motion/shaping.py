"""Arithmetic on pose paths: clips, chaining, leak to rest, gains and limits. No network, no torch.

A pose is six columns: pitch, yaw, roll in degrees, x, y, z in metres (see `conventions`). A step is
the change from one frame to the next, in the axes of the head at the former frame.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.conventions import EULER_ORDER, FPS
from osmnet_sdk.core.curves import smoothstep

Array = NDArray[np.float64]

_HARDNESS = 4.0
"""The higher, the closer `into_ball` is to a plain projection."""

_BLOCK = 1024
"""Frames whose steps are blended at once, so that an hour needs no more memory than a minute."""

_MAX_PITCH = 85.0
"""Beyond this pitch, in degrees, Euler angles degenerate; integration holds there."""


def relative_clips(
    rotation: ArrayLike, translation: ArrayLike, clip_frames: int, stride: int = 1
) -> Array:
    """Cut a track into clips, each relative to its first frame and in that frame's axes.

    Args:
        rotation: (N, 3), degrees.
        translation: (N, 3), metres.
        clip_frames: T, 2 or more.
        stride: frames from the start of a clip to the start of the next.

    Returns:
        (K, T, 6) with K = (N − T) // stride + 1, or no clips where N < T.
    """
    from scipy.spatial.transform import Rotation  # slow to import

    angles, places = np.asarray(rotation, float), np.asarray(translation, float)
    starts = np.arange(0, len(angles) - clip_frames + 1, stride)
    if not len(starts):
        return np.zeros((0, clip_frames, 6))
    frames = starts[:, None] + np.arange(clip_frames)
    heads = Rotation.from_euler(EULER_ORDER, angles[:, [1, 0, 2]], degrees=True)
    first = heads[np.repeat(starts, clip_frames)].inv()
    turned = (first * heads[frames.ravel()]).as_euler(EULER_ORDER, degrees=True)[:, [1, 0, 2]]
    moved = first.apply((places[frames] - places[starts][:, None]).reshape(-1, 3))
    clips: Array = np.hstack([turned, moved]).reshape(len(starts), clip_frames, 6)
    clips[:, 0] = 0.0
    return clips


def blend_steps(clips: ArrayLike) -> Array:
    """Steps of a track from clips that start at every frame, each step seen by T − 1 clips.

    Neighbouring clips overlap and fade into one another under a sine-squared window, so a path of
    clips that changes smoothly gives steps that change smoothly: joins are C1. The step of clip k
    from its frame j to j + 1 belongs to frame k + j of the track.

    Args:
        clips: (K, T, 6), K ≥ T − 1.

    Returns:
        (K − T + 2, 6): the steps from frame T − 2 of the first clip on, where all clips are there.
    """
    every = np.asarray(clips)
    overlap = every.shape[1] - 1
    window = np.sin(np.pi * (np.arange(overlap) + 0.5) / overlap) ** 2
    window /= window.sum()
    blended = np.zeros((len(every) - overlap + 1, every.shape[2]))
    for first in range(0, len(blended), _BLOCK):
        block = blended[first : first + _BLOCK]
        steps = _steps_within(every[first : first + len(block) + overlap - 1].astype(float))
        for position in range(overlap):
            start = overlap - 1 - position
            block += window[position] * steps[start : start + len(block), position]
    return blended


def _steps_within(clips: Array) -> Array:
    """Steps between the poses of clips, in the axes of the moving head: (K, T, 6) → (K, T − 1, 6).

    Angles within a clip are small: the turn is taken at the middle of a step (the inverse of what
    `integrate_steps` does), and places are turned to first order.
    """
    change = np.diff(clips, axis=1)
    middle = np.radians((clips[:, 1:, :3] + clips[:, :-1, :3]) / 2)
    x, z = middle[..., 0], middle[..., 2]
    pitch, yaw, roll = change[..., 0], change[..., 1], change[..., 2]
    turn = np.stack(
        [
            pitch * np.cos(z) + yaw * np.cos(x) * np.sin(z),
            yaw * np.cos(x) * np.cos(z) - pitch * np.sin(z),
            roll - yaw * np.sin(x),
        ],
        axis=-1,
    )
    angles = np.radians(clips[:, :-1, :3])
    moved = change[..., 3:] - np.cross(angles, change[..., 3:])
    return np.concatenate([turn, moved], axis=-1)


def integrate_steps(steps: ArrayLike, leaks: ArrayLike, drift_seconds: float) -> Array:
    """Chain steps at 25 fps into poses from the zero pose on, with a weak pull back to it.

    Angles turn about the head's own axes, so rates are those of the Euler angles at the present
    pose. The pull is a leak of the sum and the removal of what remains on average over
    `drift_seconds`: together, a constant step leads back to rest, so no length of sound drifts.

    Args:
        steps: (N, 6), degrees and metres per frame, in the axes of the moving head.
        leaks: () or (6,), seconds, time constant of each column's leak; infinity is none.
        drift_seconds: time constant of the mean's removal; infinity switches it off.

    Returns:
        (N + 1, 6): poses; the first is zero.
    """
    changes = np.asarray(steps, float)
    if not len(changes):
        return np.zeros((1, 6))
    frame = 1.0 / float(FPS)
    keep = np.broadcast_to(np.exp(-frame / np.asarray(leaks, float)), 6)
    follow = 1.0 - math.exp(-frame / drift_seconds)
    angles = _integrated_angles(changes[:, :3], keep[:3].tolist(), follow)
    return np.hstack([angles, _integrated_places(angles, changes[:, 3:], keep[3:], follow)])


def _integrated_angles(steps: Array, keep: list[float], follow: float) -> Array:
    angles = np.zeros((len(steps) + 1, 3))
    radians = math.pi / 180.0
    pitch = yaw = roll = 0.0
    sums, means, rates = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], (0.0, 0.0, 0.0)
    for index, (about_x, about_y, about_z) in enumerate(steps.tolist(), start=1):
        # The pose at the middle of the step, as far as the step before foretells it.
        x = max(-_MAX_PITCH, min(_MAX_PITCH, pitch + rates[0] / 2)) * radians
        z = (roll + rates[2] / 2) * radians
        cos_z, sin_z = math.cos(z), math.sin(z)
        yaw_rate = (about_x * sin_z + about_y * cos_z) / math.cos(x)
        rates = (about_x * cos_z - about_y * sin_z, yaw_rate, about_z + yaw_rate * math.sin(x))
        for axis in range(3):
            sums[axis] = keep[axis] * sums[axis] + rates[axis]
            means[axis] += follow * (sums[axis] - means[axis])
        pitch, yaw, roll = (total - mean for total, mean in zip(sums, means, strict=True))
        angles[index] = pitch, yaw, roll
    return angles


def _integrated_places(angles: Array, steps: Array, keep: Array, follow: float) -> Array:
    """Places of the head joint: steps turned into the rest head's axes, then leaky sums."""
    from scipy.signal import lfilter
    from scipy.spatial.transform import Rotation

    heads = Rotation.from_euler(EULER_ORDER, angles[:-1, [1, 0, 2]], degrees=True)
    moved = heads.apply(steps)
    places = np.zeros_like(angles)
    for axis in range(3):
        total = lfilter([1.0], [1.0, -keep[axis]], moved[:, axis])
        places[1:, axis] = total - lfilter([follow], [1.0, follow - 1.0], total)
    return places


def into_ball(path: ArrayLike) -> Array:
    """Bring the points of a path into the ball of radius 1, smoothly (paper eq. 5).

    Points well inside stay where they are; points far outside come to lie just inside.

    Args:
        path: (N, D).

    Returns:
        (N, D), each of length below 1.
    """
    points = np.asarray(path, float)
    ratio = np.linalg.norm(points, axis=1, keepdims=True)
    # The same number as (1 + ratio^h)^(-1/h) with the hardness h, without overflow.
    larger = np.maximum(ratio, 1.0)
    shrink = (larger**-_HARDNESS + (ratio / larger) ** _HARDNESS) ** (-1.0 / _HARDNESS) / larger
    inside: Array = points * shrink
    return inside


def soft_limit(values: ArrayLike, knee: ArrayLike, limit: ArrayLike) -> Array:
    """Values as they are up to ±`knee`, then bending (C1) towards ±`limit`, which they never pass.

    Args:
        values: any shape.
        knee: where bending starts, 0 or more; one number or one for each column.
        limit: above `knee`; likewise.
    """
    array, knee = np.asarray(values, float), np.asarray(knee, float)
    room = np.asarray(limit, float) - knee
    excess = np.maximum(np.abs(array) - knee, 0.0)
    limited: Array = np.sign(array) * (
        np.minimum(np.abs(array), knee) + room * np.tanh(excess / room)
    )
    return limited


def smooth(values: ArrayLike, deviation: float) -> Array:
    """Gaussian smoothing along time (axis 0); ends are mirrored through the end value.

    Args:
        values: (N,) or (N, D).
        deviation: standard deviation in frames; below 0.01 the values stay as they are.
    """
    from scipy.ndimage import gaussian_filter1d

    array = np.asarray(values, float)
    if deviation < 0.01 or len(array) < 2:
        return array.copy()
    # Odd reflection keeps the slope at the ends, so that a moving head does not brake there.
    pad = math.ceil(4 * deviation)
    widths = [(pad, pad)] + [(0, 0)] * (array.ndim - 1)
    padded = np.pad(array, widths, mode="reflect", reflect_type="odd")
    smoothed: Array = gaussian_filter1d(padded, deviation, axis=0, mode="nearest")[pad:-pad]
    return smoothed


def rise(frames: int, length: float) -> Array:
    """A ramp from 0 to 1 with zero slope at both ends, 1 from frame `length` on: (frames,)."""
    return smoothstep(np.arange(frames) / max(length, 1e-9))


def mean_speed(poses: ArrayLike) -> Array:
    """Mean absolute speed of each column of a 25 fps path, per second: (N, D) → (D,)."""
    array = np.asarray(poses, float)
    if len(array) < 2:
        return np.zeros(array.shape[1])
    speed: Array = np.abs(np.diff(array, axis=0)).mean(axis=0) * float(FPS)
    return speed
