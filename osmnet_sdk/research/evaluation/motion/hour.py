"""An hour of speech: how far a head strays, and what an hour costs in time and memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.core.conventions import FPS, SAMPLE_RATE
from osmnet_sdk.research.evaluation.process_memory import peak_megabytes

_HOUR = 3600
_MINUTE = 60
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
    weights: Path, voices: Sequence[NDArray[np.float32]], seconds: int = _HOUR
) -> HourFigures:
    """Sample an hour in a process of its own, so that its memory can be told.

    Args:
        weights: a motion weights file.
        voices: sounds, 16 kHz mono; they are strung together and repeated until an hour is full.
        seconds: length of the hour, whole minutes.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measured, weights, np.concatenate(voices), seconds).result()


def _repeated(speech: NDArray[np.float32], seconds: int) -> NDArray[np.float32]:
    """Speech repeated or cut; `np.resize` would keep a whole number of copies in memory."""
    samples = np.empty(seconds * SAMPLE_RATE, np.float32)
    for start in range(0, len(samples), len(speech)):
        part = samples[start : start + len(speech)]
        part[:] = speech[: len(part)]
    return samples


def _measured(weights: Path, speech: NDArray[np.float32], longest: int) -> HourFigures:
    from osmnet_sdk.research.evaluation.motion.folds import load_sampler

    sampler = load_sampler(weights)
    minute = Audio(_repeated(speech, _MINUTE), "minute")
    sampler.sample(sampler.features(minute), take=0, seed=1)  # first calls import and compile
    start = time.perf_counter()
    features = sampler.features(minute)
    for take in range(_TAKES):
        sampler.sample(features, take=take, seed=0)
    short = time.perf_counter() - start
    start = time.perf_counter()
    hour = Audio(_repeated(speech, longest), "hour")
    track = sampler.sample(sampler.features(hour), take=0, seed=0)
    seconds = time.perf_counter() - start
    angles = track.rotation.astype(np.float64)
    minutes = angles.reshape(-1, _MINUTE * int(FPS), 3).mean(axis=1)
    return HourFigures(
        float(np.abs(angles).max()), float(np.abs(minutes).max()), seconds, peak_megabytes(), short
    )
