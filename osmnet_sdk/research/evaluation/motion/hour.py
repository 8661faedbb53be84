"""An hour of speech: how far a head strays, and what an hour costs in time and memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.research.evaluation.long_sound import (
    HOUR,
    MINUTE,
    measured_alone,
    peak_megabytes,
    repeated,
)

_TAKES = 5


@dataclass(frozen=True)
class HourFigures:
    """What one take for an hour of speech did.

    Attributes:
        angle: largest angle from rest on any axis, degrees.
        minute: largest mean of a minute on any axis, degrees from rest.
        seconds: work for the hour, the weights loaded.
        megabytes: most memory of the process that did it; None where the system does not tell.
        short_seconds: work for five takes of one minute, the weights loaded.
    """

    angle: float
    minute: float
    seconds: float
    megabytes: float | None
    short_seconds: float


def hour_figures(
    weights: Path, voices: Sequence[NDArray[np.float32]], seconds: int = HOUR
) -> HourFigures:
    """Sample an hour in a process of its own, so that its memory can be told.

    Args:
        weights: a motion weights file.
        voices: sounds, 16 kHz mono; they are strung together and repeated until an hour is full.
        seconds: length of the hour, whole minutes.
    """
    return measured_alone(_measured, weights, voices, seconds)


def _measured(weights: Path, speech: NDArray[np.float32], longest: int) -> HourFigures:
    from osmnet_sdk.research.evaluation.motion.folds import load_sampler

    sampler = load_sampler(weights)
    minute = repeated(speech, MINUTE)
    sampler.sample(sampler.features(minute), take=0, seed=1)  # first calls import and compile
    start = time.perf_counter()
    features = sampler.features(minute)
    for take in range(_TAKES):
        sampler.sample(features, take=take, seed=0)
    short = time.perf_counter() - start
    start = time.perf_counter()
    hour = repeated(speech, longest)
    track = sampler.sample(sampler.features(hour), take=0, seed=0)
    seconds = time.perf_counter() - start
    angles = track.rotation.astype(np.float64)
    minutes = angles.reshape(-1, MINUTE * int(FPS), 3).mean(axis=1)
    return HourFigures(
        float(np.abs(angles).max()), float(np.abs(minutes).max()), seconds, peak_megabytes(), short
    )
