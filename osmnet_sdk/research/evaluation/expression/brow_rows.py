"""How often, how far and when brows rise in speech: tracked ones and those sampled with takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.audio.activity import speech_energy, voice_activity
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.expression.brows import SMALLEST, sample_brows
from osmnet_sdk.face.landmark_sets import LEFT_BROW, RIGHT_BROW
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

_TAKES = 8
"""Takes sampled for each clip."""
_SHORTEST = 100
"""Frames of the shortest clip that is measured (4 s)."""
_SMOOTH, _DRIFT = 1.5, 25.0
"""Standard deviations in frames of the Gaussians that take out noise and slow drift."""
_REACH = 10
"""Frames by which brows may precede or follow the loudness (0.4 s)."""
_SILENT = 25
"""Frames without speech around a raise in silence (1 s)."""
_MOUTH_AND_LIDS = (
    "eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthClose", "mouthSmileLeft", "mouthSmileRight",
    "mouthPucker", "mouthFunnel", "mouthUpperUpLeft", "mouthUpperUpRight",
)  # fmt: skip
_BROWS = np.array([name.startswith("brow") for name in ARKIT_NAMES])


@dataclass(frozen=True)
class BrowFigures:
    """Raises of one clip, by at least 0.75 mm.

    Attributes:
        speaker: who is seen.
        rate: raises per minute of speech.
        silent: raises per minute of silence, where that lasts; None without such silence.
        sizes: of each raise, millimetres.
        durations: of each raise at half its height, seconds.
        correlations: (21,) of height and loudness, brows 0.4 s before to 0.4 s after.
    """

    speaker: str
    rate: float
    silent: float | None
    sizes: Array
    durations: Array
    correlations: Array


def brow_height(model: FaceModel, coefficients: ArrayLike) -> Array:
    """Mean height (T,) of the brows' landmarks over rest, millimetres on the average head.

    Args:
        model: the head.
        coefficients: (T, 52); those of the brows count.
    """
    marks = model.landmark_expression[:, list(LEFT_BROW + RIGHT_BROW), 1].mean(axis=1)
    rises = np.where(_BROWS, 1000.0 * marks, 0.0)
    result: Array = np.asarray(coefficients, float) @ rises
    return result


def brow_figures(clip: TrainingClip, height: ArrayLike) -> BrowFigures:
    """Measure raises.

    What turns of the head, the mouth and the lids explain of the height is taken out first, since
    they leak into tracked brows.

    Args:
        clip: with sound.
        height: (T,) of `brow_height`.
    """
    from scipy.signal import find_peaks, peak_widths

    assert clip.samples is not None
    own = _own(clip.take, np.asarray(height, float))
    peaks, found = find_peaks(own, prominence=SMALLEST)
    spoken = voice_activity(clip.samples) >= 0.5
    quiet = np.convolve(spoken, np.ones(2 * _SILENT + 1), "same") == 0
    minutes = 60.0 * float(FPS)
    return BrowFigures(
        clip.speaker,
        float(len(peaks) / max(spoken.sum(), 1) * minutes),
        float(quiet[peaks].sum() / quiet.sum() * minutes) if quiet.any() else None,
        found["prominences"],
        peak_widths(own, peaks, 0.5)[0] / float(FPS),
        _correlations(own, speech_energy(clip.samples).astype(float)),
    )


def brow_rows(clips: Sequence[TrainingClip], model: FaceModel) -> list[Figure]:
    """Rows of the table: tracked brows, and those of eight takes for each voice.

    There are none where no brow was seen to rise.

    Args:
        clips: with sound; those of 4 s and more are measured.
        model: the average head.
    """
    clips = [clip for clip in clips if len(clip) >= _SHORTEST]
    real = [
        brow_figures(clip, brow_height(model, clip.take.expression.coefficients)) for clip in clips
    ]
    sampled = []
    for clip in clips:
        assert clip.samples is not None
        level, speech = speech_energy(clip.samples), voice_activity(clip.samples)
        for take in range(_TAKES):
            brows = sample_brows(level, speech, seed=0, take=take)
            sampled.append(brow_figures(clip, brow_height(model, brows)))
    if not all(any(len(one.sizes) for one in side) for side in (real, sampled)):
        return []
    rows = []
    for name, unit, value in (
        ("brow raises of 0.75 mm and more", "per minute of speech", _rate),
        ("brow raises: size, median", "mm", lambda group: _middle([one.sizes for one in group])),
        (
            "brow raises: duration at half height, median",
            "s",
            lambda group: _middle([one.durations for one in group]),
        ),
    ):
        there, made = (_by_speaker(figures, value) for figures in (real, sampled))
        expected, middle = float(np.median(there)), float(np.median(made))
        rows.append(
            Figure(
                name=name, unit=unit, values={REAL: expected, PREDICTED: middle},
                intervals={REAL: median_interval(there), PREDICTED: median_interval(made)},
                asked="half to twice real", passed=0.5 * expected <= middle <= 2.0 * expected,
            )
        )  # fmt: skip
    rows += [_silent_row(real, sampled), *_accent_rows(real, sampled)]
    return counted(rows, [one.speaker for one in real])


def _silent_row(real: Sequence[BrowFigures], sampled: Sequence[BrowFigures]) -> Figure:
    there, made = (
        [one.silent for one in side if one.silent is not None] for side in (real, sampled)
    )
    value = float(np.mean(made)) if made else 0.0
    return Figure(
        name="brow raises in silence of 2 s and more", unit="per minute",
        values={REAL: float(np.mean(there)) if there else None, PREDICTED: value},
        asked="≤ 1", passed=value <= 1.0,
    )  # fmt: skip


def _accent_rows(real: Sequence[BrowFigures], sampled: Sequence[BrowFigures]) -> list[Figure]:
    """Correlation with loudness, at the one lag at which its mean is highest."""
    lags = np.arange(-_REACH, _REACH + 1) / float(FPS)
    means = [np.mean([one.correlations for one in side], axis=0) for side in (real, sampled)]
    best = [int(mean.argmax()) for mean in means]
    heights = [float(mean[index]) for mean, index in zip(means, best, strict=True)]
    bounds = [_mean_interval(side, at) for side, at in zip((real, sampled), best, strict=True)]
    leads = [-1000.0 * float(lags[index]) for index in best]
    return [
        Figure(
            name="brow height: correlation with loudness",
            values={REAL: heights[0], PREDICTED: heights[1]},
            intervals={REAL: bounds[0], PREDICTED: bounds[1]},
            asked="above 0 (90 %)", passed=bounds[1][0] > 0,
        ),
        Figure(
            name="brow height: lead at that correlation", unit="ms",
            values={REAL: leads[0], PREDICTED: leads[1]}, asked="0 to 200",
            passed=0 <= leads[1] <= 200,
        ),
    ]  # fmt: skip


def _own(take: Take, height: Array) -> Array:
    """Height without drift, noise, and what head, mouth and lids explain of it."""
    from scipy.ndimage import gaussian_filter1d

    turns, shifts = take.motion.rotation.astype(float), take.motion.translation.astype(float)
    others = [take.expression.column(name).astype(float) for name in _MOUTH_AND_LIDS]
    leaks = np.column_stack([turns, turns**2, shifts, *others])
    leaks -= gaussian_filter1d(leaks, _DRIFT, axis=0)
    moved = height - gaussian_filter1d(height, _DRIFT)
    share = np.linalg.lstsq(leaks, moved, rcond=None)[0]
    result: Array = gaussian_filter1d(moved - leaks @ share, _SMOOTH)
    return result


def _correlations(height: Array, level: Array) -> Array:
    from scipy.ndimage import gaussian_filter1d

    heard = np.maximum(level, np.percentile(level, 95) - 30.0)
    heard = gaussian_filter1d(heard, _SMOOTH) - gaussian_filter1d(heard, _DRIFT)
    if min(heard.std(), height.std()) < 1e-9:
        return np.zeros(2 * _REACH + 1)
    inside = slice(_REACH, len(heard) - _REACH)
    return np.array([
        np.corrcoef(np.roll(height, -lag)[inside], heard[inside])[0, 1]
        for lag in range(-_REACH, _REACH + 1)
    ])  # fmt: skip


def _rate(group: Sequence[BrowFigures]) -> float:
    return float(np.mean([one.rate for one in group]))


def _middle(values: Sequence[Array]) -> float:
    joined = np.concatenate(values)
    return float(np.median(joined)) if len(joined) else float("nan")


def _mean_interval(figures: Sequence[BrowFigures], lag: int) -> Interval:
    """Bootstrap interval over speakers of the mean correlation at a lag."""
    values = _by_speaker(figures, lambda group: np.mean([one.correlations[lag] for one in group]))
    low, high = bootstrap(values, np.mean, SEED)
    return float(low), float(high)


def _by_speaker(
    figures: Sequence[BrowFigures], value: Callable[[Sequence[BrowFigures]], float | np.floating]
) -> Array:
    """(S,) values of the speakers that have one."""
    names = dict.fromkeys(one.speaker for one in figures)
    found = [value([one for one in figures if one.speaker == name]) for name in names]
    return np.array([one for one in found if np.isfinite(one)])
