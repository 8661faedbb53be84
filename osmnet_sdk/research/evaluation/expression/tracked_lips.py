"""Predicted lips against those that were tracked in real clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.errors import InputError
from osmnet_sdk.face.camera import Camera, Pose, rotation_matrix
from osmnet_sdk.face.landmark_sets import LIPS_INNER, LIPS_OUTER
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.data.motion_statistics import bootstrap
from osmnet_sdk.research.evaluation.table import (
    PREDICTED,
    REAL,
    SEED,
    Figure,
    Interval,
    counted,
    median_interval,
)
from osmnet_sdk.tracks import Take

Array = NDArray[np.float64]
Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Gives coefficients (T, 52) for samples (n,) at 16 kHz."""

IMAGE = 256
LIPS = LIPS_OUTER + LIPS_INNER

_SHORTEST = 50
"""Frames of the shortest clip that is measured (2 s)."""
_REACH = 10
"""Frames by which the lag of lips is searched on each side (0.4 s)."""
_STEPS = 4
"""Lags tried in a frame."""
_IN_TIME = 0.040
"""Seconds by which predicted lips may be off."""
_CORRELATION = 0.6
_JITTER = 1.3
DISTANCE = 3.1
"""Mean landmark distance of the mouth that is asked for, in pixels at 256²."""


@dataclass(frozen=True)
class TrackedClip:
    """Predicted against tracked lips of one clip.

    Attributes:
        name: of the clip.
        speaker: who is seen and heard.
        offset: seconds by which the listing says that the lips come after the sound.
        lag: seconds by which tracked lips come after predicted ones, the offset taken out.
        correlation: of the two lip gaps, the offset taken out.
        raw_correlation: of the two with the sound as it was recorded.
        best_correlation: of the two at the best lag within 0.4 s.
        jitter: mean |second difference| of the lip gap per frame, tracked and predicted.
        distance: mean distance of the lips' landmarks from the tracked ones, pixels at 256².
    """

    name: str
    speaker: str
    offset: float
    lag: float
    correlation: float
    raw_correlation: float
    best_correlation: float
    jitter: tuple[float, float]
    distance: float


def measurable(clips: Sequence[TrainingClip]) -> list[TrainingClip]:
    """Clips with sound of 2 s or more."""
    return [clip for clip in clips if clip.samples is not None and len(clip) >= _SHORTEST]


def tracked_clip(clip: TrainingClip, predict: Predict, model: FaceModel) -> TrackedClip:
    """Compare the lips of one clip.

    Raises:
        InputError: if the clip has no sound.
    """
    if clip.samples is None:
        raise InputError(f"The clip '{clip.name}' has no sound to predict lips from.")
    predicted = predict(clip.samples)
    tracked = clip.take.expression.coefficients
    real, made = model.lip_gap(tracked), model.lip_gap(predicted)
    lags, correlations = lagged_correlations(made, real)
    best = int(np.argmax(correlations))
    apart = np.linalg.norm(
        lips_seen(model, clip.take, tracked) - lips_seen(model, clip.take, predicted), axis=-1
    )
    return TrackedClip(
        clip.name,
        clip.speaker,
        clip.lag,
        float(lags[best]),
        float(correlations[lags == 0][0]),
        # what was recorded has the lips later by the offset that was taken out
        float(lagged_correlations(made, real, [-clip.lag])[1][0]),
        float(correlations[best]),
        (jitter(real), jitter(made)),
        float(apart.mean()),
    )


def lagged_correlations(
    predicted: ArrayLike, tracked: ArrayLike, lags: ArrayLike | None = None
) -> tuple[Array, Array]:
    """Correlation of two lip gaps where the second comes later by some lags.

    Args:
        predicted: (T,).
        tracked: (T,).
        lags: (n,) seconds; None is −0.4 to 0.4 in steps of 10 ms.

    Returns:
        Lags and correlations, (n,); a correlation is 0 where one side does not move.
    """
    first, second = np.asarray(predicted, float), np.asarray(tracked, float)
    if lags is None:
        frames = np.arange(-_REACH * _STEPS, _REACH * _STEPS + 1) / _STEPS
    else:
        frames = np.asarray(lags, float) * float(FPS)
    places = np.arange(len(first), dtype=float)
    found = []
    for lag in frames:
        inside = (places + lag >= 0) & (places + lag <= len(first) - 1)
        later = np.interp(places[inside] + lag, places, second)
        now = first[inside]
        varied = len(now) > 2 and min(now.std(), later.std()) > 1e-9
        found.append(np.corrcoef(now, later)[0, 1] if varied else 0.0)
    return frames / float(FPS), np.array(found)


def jitter(gap: ArrayLike) -> float:
    """Mean absolute second difference of a lip gap (T,), T ≥ 3, per frame²."""
    return float(np.abs(np.diff(np.asarray(gap, float), 2)).mean())


def lips_seen(model: FaceModel, take: Take, coefficients: ArrayLike) -> Array:
    """Landmarks of the lips in a 256-pixel head crop, at the head poses of a take.

    Args:
        model: the average head is projected; a take does not hold its speaker's shape.
        take: of T frames, tracked, so that its poses are those before the crop's camera.
        coefficients: (T, 52).

    Returns:
        (T, 40, 2) pixels.
    """
    lips = list(LIPS)
    moved = np.tensordot(np.asarray(coefficients, float), model.landmark_expression[:, lips], 1)
    points = model.landmark_mean[lips] + moved
    rest = Pose(rotation_matrix(take.rest_rotation), np.asarray(take.rest_translation, float))
    camera = Camera.of_square(IMAGE)
    motion = take.motion
    return np.stack([
        camera.project(shape, rest.moved(turn, shift))[:, :2]
        for shape, turn, shift in zip(points, motion.rotation, motion.translation, strict=True)
    ])  # fmt: skip


def tracked_rows(clips: Sequence[TrackedClip]) -> list[Figure]:
    """The rows of the table, every speaker counting alike."""

    def median(name: str) -> Array:
        return _by_speaker(clips, lambda clip: getattr(clip, name))

    def row(
        name: str, unit: str, value: float, interval: Interval, asked: str, passed: bool
    ) -> Figure:
        return Figure(
            name=name, unit=unit, values={PREDICTED: value}, intervals={PREDICTED: interval},
            asked=asked, passed=passed,
        )  # fmt: skip

    lag, in_time = median("lag"), np.array([abs(clip.lag) <= _IN_TIME + 1e-9 for clip in clips])
    middle = float(np.median(lag))
    rows = [
        row(
            "best lag of tracked lips, offset taken out", "ms", 1000 * middle,
            _scaled(median_interval(lag), 1000), "within ±40", abs(middle) <= _IN_TIME,
        ),
        Figure(
            name="clips whose best lag is within ±40 ms",
            values={PREDICTED: float(in_time.mean())}, asked="all", passed=bool(in_time.all()),
        ),
    ]  # fmt: skip
    for name, values in (
        ("offset taken out", median("correlation")),
        ("sound as recorded", median("raw_correlation")),
        ("at each clip's best lag", median("best_correlation")),
    ):
        found = float(np.median(values))
        rows.append(
            row(
                f"lip gap: correlation with tracked, {name}", "", found, median_interval(values),
                f"≥ {_CORRELATION:g}", found >= _CORRELATION,
            )
        )  # fmt: skip
    distance = median("distance")
    low, high = bootstrap(distance, np.mean, SEED)
    mean = float(distance.mean())
    rows.append(
        row(
            "mouth LMD from tracked lips, true pose, 256²", "px", mean, (float(low), float(high)),
            f"≤ {DISTANCE:g}", mean <= DISTANCE,
        )
    )  # fmt: skip
    return counted([*rows, _jitter_row(clips)], [clip.speaker for clip in clips])


def _jitter_row(clips: Sequence[TrackedClip]) -> Figure:
    sides = [_by_speaker(clips, lambda clip, s=side: clip.jitter[s]) for side in (0, 1)]  # type: ignore[misc]
    real, made = (1000 * float(np.median(side)) for side in sides)
    bounds = [_scaled(median_interval(side), 1000) for side in sides]
    return Figure(
        name="jitter of the lip gap (mean second difference)", unit="‰ of mouth width",
        values={REAL: real, PREDICTED: made}, intervals={REAL: bounds[0], PREDICTED: bounds[1]},
        asked=f"≤ {_JITTER:g} × real", passed=made <= _JITTER * real,
    )  # fmt: skip


def _by_speaker(clips: Sequence[TrackedClip], value: Callable[[TrackedClip], float]) -> Array:
    """(S,) median over the clips of each speaker."""
    names = dict.fromkeys(clip.speaker for clip in clips)
    return np.array([np.median([value(c) for c in clips if c.speaker == name]) for name in names])


def _scaled(interval: Interval, factor: float) -> Interval:
    return interval[0] * factor, interval[1] * factor
