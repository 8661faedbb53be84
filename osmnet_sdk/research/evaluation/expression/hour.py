"""A minute and an hour of speech: what predicting their expression costs in time and memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.research.evaluation.long_sound import (
    HOUR,
    MINUTE,
    measured_alone,
    peak_megabytes,
    repeated,
)
from osmnet_sdk.research.evaluation.table import Figure, at_most

_THREADS = 2
_TRIES = 3
"""Times that the minute is predicted; the quickest counts, since other work may disturb."""

_MINUTE_SECONDS = 1.0
_FLAT = 50.0
"""Megabytes that an hour may take beyond a minute, its sound and its track, to count as flat."""


@dataclass(frozen=True)
class ExpressionHour:
    """What a minute and an hour took.

    Attributes:
        minute: work for 60 s of sound on two cores, the weights loaded, seconds.
        hour: the same for an hour.
        growth: most memory for the hour beyond the most for the minute, less the hour's samples and
            its track, megabytes; None where the system does not tell.
    """

    minute: float
    hour: float
    growth: float | None


def hour_figures(
    bundle: Path, voices: Sequence[NDArray[np.float32]], seconds: int = HOUR
) -> ExpressionHour:
    """Predict a minute and an hour in a process of its own, so that its memory can be told.

    Args:
        bundle: folder of a bundle.
        voices: sounds, 16 kHz mono; they are strung together and repeated until an hour is full.
        seconds: length of the hour.
    """
    return measured_alone(_measured, bundle, voices, seconds)


def hour_rows(found: ExpressionHour) -> list[Figure]:
    """The rows of the table; nothing real stands beside them."""
    limits = [("60 s: work", "s", found.minute, _MINUTE_SECONDS)]
    if found.growth is not None:
        limits.append(("hour: memory beyond a minute, sound and track", "MB", found.growth, _FLAT))
    return [at_most(name, value, limit, unit=unit) for name, unit, value, limit in limits]


def _measured(bundle: Path, speech: NDArray[np.float32], longest: int) -> ExpressionHour:
    import torch

    from osmnet_sdk.core.bundle import find_bundle
    from osmnet_sdk.expression.predict import ExpressionPredictor

    torch.set_num_threads(_THREADS)
    predictor = ExpressionPredictor.from_bundle(find_bundle(bundle), "cpu")
    times, peaks = [], []
    for seconds in (*[MINUTE] * (1 + _TRIES), longest):  # the first imports and compiles
        sound = repeated(speech, seconds)
        start = time.perf_counter()
        track = predictor.predict(sound)
        times.append(time.perf_counter() - start)
        peaks.append(peak_megabytes())
    growth = None
    if peaks[-2] is not None and peaks[-1] is not None:
        own = sound.samples.nbytes + track.coefficients.nbytes
        growth = peaks[-1] - peaks[-2] - own / 1e6
    return ExpressionHour(min(times[1:-1]), times[-1], growth)
