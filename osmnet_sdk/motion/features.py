"""What the sampler needs to know of a recording, and how options change it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.errors import InputError

Array = NDArray[np.float64]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class MotionFeatures:
    """What the sampler needs to know of a recording; computed once for all takes.

    Attributes:
        weights: (F + T − 2, S) float32, w^a of the clip that starts at each frame from −(T − 2) on.
        liveliness: (F + T − 2,) float32, size of motion of each of these clips, within [0, 1].
        asked: (F + T − 2, R) float32, what the voice itself asks for, as of `voice_path`.
        moments: (M, 2) float64, at which gestures come, in order: the clip, and how strong.
    """

    weights: FloatArray
    liveliness: FloatArray
    asked: FloatArray
    moments: Array


def stretched(features: MotionFeatures, tempo: float, before: int) -> MotionFeatures:
    """The recording as heard on a clock that runs `tempo` times as fast.

    Motion that is sampled for it and then played at `tempo` runs faster along its path, while
    pauses and stress stay where they are in the sound.

    Args:
        features: of the recording.
        tempo: frames of that clock in one frame of the recording.
        before: clips before the first frame, T − 2.
    """
    clips = len(features.weights)
    frames = math.ceil((clips - before - 1) * tempo) + 1
    at = np.clip((np.arange(frames + before) - before) / tempo + before, 0, clips - 1)
    lower = np.minimum(at.astype(int), max(clips - 2, 0))
    upper = np.minimum(lower + 1, clips - 1)
    share = (at - lower).astype(np.float32)

    def between(values: FloatArray) -> FloatArray:
        found: FloatArray = (values[lower].T * (1 - share) + values[upper].T * share).T
        return found

    moments = features.moments.copy()
    moments[:, 0] = (moments[:, 0] - before) * tempo + before
    return MotionFeatures(
        between(features.weights), between(features.liveliness), between(features.asked), moments
    )


def played(poses: Array, tempo: float, frames: int) -> Array:
    """Poses of the fast clock at the frames of the recording: (frames, 6)."""
    if len(poses) < 2:
        return np.repeat(poses[:1], frames, axis=0)
    from scipy.interpolate import CubicSpline

    at = np.minimum(np.arange(frames) * tempo, len(poses) - 1)
    result: Array = CubicSpline(np.arange(len(poses)), poses)(at)
    result[0] = poses[0]
    return result


def check_gains(gains: Mapping[int, float], count: int) -> None:
    """Hold that gains are of vectors of a basis.

    Raises:
        InputError: if there is no such vector.
    """
    for number in gains:
        if not 1 <= number <= count:
            raise InputError(f"There is no basis vector {number}; the numbers are 1 to {count}.")


def with_gains(
    features: MotionFeatures, attention: FloatArray, gains: Mapping[int, float]
) -> MotionFeatures:
    """Features whose motion holds more or less of single basis vectors.

    A take's features are, but for a small rest, the basis under the weights of its attention. How
    these vary about their mean makes the motion, and that variation is what the gains change.

    Args:
        features: of the recording.
        attention: (F + T − 2, S), w_m of the take's features.
        gains: by number of the basis vector, from 1.

    Raises:
        InputError: if there is no such vector.
    """
    count = features.weights.shape[1]
    check_gains(gains, count)
    change = np.zeros(count, np.float32)
    for number, gain in gains.items():
        change[number - 1] = gain - 1.0
    varying = attention - attention.mean(axis=0)
    return replace(features, weights=features.weights + change * varying)
