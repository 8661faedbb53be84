"""The rows of `osmnet evaluate motion`: one figure of real clips and of takes after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.research.data import motion_statistics as statistics
from osmnet_sdk.research.evaluation.motion import classifier
from osmnet_sdk.research.evaluation.motion.hour import HourFigures
from osmnet_sdk.research.evaluation.table import (
    REAL,
    SEED,
    TAKES,
    ComparedClip,
    Figure,
    Interval,
    Sides,
    at_most,
    both_sides,
    by_speaker,
    median_interval,
)

Array = NDArray[np.float64]

ANGLES = ("pitch", "yaw", "roll")
PLACES = ("x", "y", "z")

SETTLED = 25
"""Frames at the beginning of clips and takes that are left out."""

CORRELATION = "correlation of head speed with level"
DIVERSITY = "diversity over time, whole clips, over real"
CLASSIFIER = "classifier: area under the curve"

_SPECTRUM = 250
"""Frames of the shortest clip whose spectrum is measured (10 s)."""


def figures(clips: Sequence[ComparedClip]) -> list[Figure]:
    """Every figure of clips and the takes for them, but those of an hour of speech.

    Args:
        clips: of four speakers or more.
    """
    return [
        *_sizes(clips),
        *_quartiles(clips),
        *_spectrum(clips),
        _joins(clips),
        *_diversity(clips),
        *_sound(clips),
        *_pauses(clips),
        _classifier(clips),
    ]


def hour_rows(hour: HourFigures) -> list[Figure]:
    """The figures of an hour of speech, which have no real counterpart."""
    limits = [
        ("hour: largest angle", "°", hour.angle, 35.0),
        ("hour: largest mean of a minute", "°", hour.minute, 4.0),
        ("hour: work", "s", hour.seconds, 30.0),
        ("60 s × 5 takes: work", "s", hour.short_seconds, 0.5),
    ]
    if hour.megabytes is not None:
        limits.append(("hour: memory", "MB", hour.megabytes, 1000.0))
    return [at_most(name, value, limit, unit=unit, of=TAKES) for name, unit, value, limit in limits]


def _inside(_: float, takes: float, interval: Interval) -> bool:
    return interval[0] <= takes <= interval[1]


_INSIDE = "in the real interval"


def _sizes(clips: Sequence[ComparedClip]) -> Iterator[Figure]:
    """Size and speed of motion on each axis, and range of translation."""
    measures: list[tuple[str, str, Callable[[Array], Array]]] = [
        ("standard deviation", "°", statistics.deviation),
        ("mean speed", "°/s", statistics.speed),
        ("mean acceleration", "°/s²", statistics.acceleration),
    ]
    for name, unit, measure in measures:
        sides = both_sides(clips, lambda path, f=measure: f(statistics.windows(path[:, :3])))  # type: ignore[misc]
        for column, axis in enumerate(ANGLES):
            yield sides.figure(column, f"{axis}: {name}", unit, _INSIDE, _inside)
        if measure is statistics.speed:
            for column, axis in enumerate(ANGLES):
                yield sides.ratio(column, f"{axis}: speed over real", (0.7, 1.4), np.median)
    sides = both_sides(
        clips, lambda path: statistics.extent(statistics.windows(path[:, 3:])) * 1000
    )
    for column, axis in enumerate(PLACES):
        yield sides.figure(column, f"{axis}: range", "mm", _INSIDE, _inside)


def _quartiles(clips: Sequence[ComparedClip]) -> Iterator[Figure]:
    """Quartiles of the performances' sizes and speeds: a speaker is one, and so is a take."""
    groups = by_speaker(clips)
    for name, unit, measure in (
        ("standard deviation", "°", statistics.deviation),
        ("mean speed", "°/s", statistics.speed),
    ):

        def performed(path: Array, f: Callable[[Array], Array] = measure) -> Array:
            return f(statistics.windows(path[:, :3]))

        real = np.array(
            [np.median(np.concatenate([performed(c.real) for c in g]), axis=0) for g in groups]
        )
        # The takes of one number of all clips of a speaker are one performance.
        takes = np.array([
            [
                np.median(np.concatenate([performed(c.takes[seed, take]) for c in g]), axis=0)
                for seed in range(len(g[0].takes)) for take in range(g[0].takes.shape[1])
            ]
            for g in groups
        ])  # fmt: skip
        for share, which in ((0.25, "lower"), (0.75, "upper")):
            ends = statistics.bootstrap(real, partial(np.quantile, q=share), SEED)
            for column, axis in enumerate(ANGLES):
                bounds = (float(ends[0][column]), float(ends[1][column]))
                value = float(np.quantile(takes[:, :, column], share))
                yield Figure(
                    name=f"{axis}: {name}, {which} quartile", unit=unit,
                    values={REAL: float(np.quantile(real[:, column], share)), TAKES: value},
                    intervals={REAL: bounds}, asked=_INSIDE,
                    passed=bounds[0] <= value <= bounds[1], clips=len(clips), speakers=len(groups),
                )  # fmt: skip


def _spectrum(clips: Sequence[ComparedClip]) -> Iterator[Figure]:
    """Power of the angles in each octave."""
    long = [clip for clip in clips if len(clip.real) + SETTLED >= _SPECTRUM]
    if not long:
        return
    sides = both_sides(long, lambda path: statistics.octave_power(path[:, :3]).reshape(1, -1))
    column = 0
    for low, high in zip(statistics.OCTAVES[:-1], statistics.OCTAVES[1:], strict=True):
        for axis in ANGLES:
            yield sides.figure(
                column, f"{axis}: power {low:g}–{high:g} Hz", "dB", "3 dB, or in interval",
                lambda real, takes, bounds: abs(takes - real) <= 3 or _inside(real, takes, bounds),
            )  # fmt: skip
            column += 1


def _joins(clips: Sequence[ComparedClip]) -> Figure:
    rows = np.array([np.median([clip.joins for clip in group]) for group in by_speaker(clips)])
    value = float(np.median(rows))
    return at_most(
        "joins: speed steps over those inside", value, 1.1, of=TAKES,
        intervals={TAKES: median_interval(rows)}, clips=len(clips), speakers=len(rows),
    )  # fmt: skip


def _diversity(clips: Sequence[ComparedClip]) -> Iterator[Figure]:
    """The paper's figure, and distances between takes and between real clips."""

    def in_windows(path: Array) -> Array:
        found = statistics.deviation(statistics.windows(path[:, :3]))
        rows: Array = found.mean(axis=1, keepdims=True)
        return rows

    def in_whole(path: Array) -> Array:
        return np.full((1, 1), path[:, :3].std(axis=0).mean())

    asked = (0.9, 1.25)
    for name, measure in (("windows", in_windows), ("whole clips", in_whole)):
        sides = both_sides(clips, measure, np.mean)
        yield sides.ratio(0, f"diversity over time, {name}, over real", asked, np.mean)
    yield _between(clips).ratio(
        0, "distance between takes over that between clips", (0.8, float("inf")), np.mean
    )


def _between(clips: Sequence[ComparedClip]) -> Sides:
    """Mean distance between takes of a voice, and between windows of different real clips."""

    def centred(path: Array) -> Array:
        angles = path[:, :3]
        return statistics.windows(angles - np.median(angles, axis=0))

    cut = {clip.name: centred(clip.real) for clip in clips}
    real, takes = [], []
    for group in by_speaker(clips):
        real.append(
            np.mean([
                statistics.distances(cut[clip.name], cut[other.name]).mean()
                for clip in group for other in clips if other.name != clip.name
            ])
        )  # fmt: skip
        takes.append(
            np.mean([[_spread([centred(t) for t in row]) for row in c.takes] for c in group], 0)
        )
    by_seed = np.array(takes).T[:, :, None]
    return Sides(np.array(real)[:, None], by_seed.mean(axis=0), by_seed, len(clips))


def _spread(takes: Sequence[Array]) -> float:
    """Mean distance of takes of one voice in the same window."""
    pairs = [(a, b) for i, a in enumerate(takes) for b in takes[i + 1 :]]
    return float(np.mean([np.sqrt(((a - b) ** 2).mean(axis=(1, 2))).mean() for a, b in pairs]))


def _sound(clips: Sequence[ComparedClip]) -> Iterator[Figure]:
    """Whether heads move more where the voice is louder."""

    def of(clip: ComparedClip, path: Array) -> Array:
        return statistics.shifted_correlations(statistics.head_speed(path), clip.level)

    real = {clip.name: of(clip, clip.real) for clip in clips}
    takes = {
        clip.name: np.array([[of(clip, path) for path in row] for row in clip.takes]).mean(axis=1)
        for clip in clips
    }
    groups = by_speaker(clips)
    seeds = np.array([np.mean([takes[c.name][:, 0] for c in group], axis=0) for group in groups])
    sides = Sides(
        np.array([[np.mean([real[clip.name][0] for clip in group])] for group in groups]),
        seeds.mean(axis=1)[:, None],
        seeds.T[:, :, None],
        len(clips),
    )
    low, high = np.percentile([row[0] for row in real.values()], [5, 95])
    yield sides.figure(
        0, CORRELATION, "",
        f"> 0, {low:.2f} to {high:.2f}",
        lambda _, found, __: found > 0 and low <= found <= high,
    )  # fmt: skip
    chance = statistics.permutation_p([row.mean(axis=0) for row in takes.values()], SEED)
    each = [
        statistics.permutation_p([row[seed] for row in takes.values()], SEED)
        for seed in range(seeds.shape[1])
    ]
    yield Figure(
        name="p that shifted sound does as well",
        values={REAL: statistics.permutation_p(list(real.values()), SEED), TAKES: chance},
        seeds=(min(each), max(each)), asked="< 0.05", passed=chance < 0.05,
        clips=len(clips), speakers=len(groups),
    )  # fmt: skip


def _pauses(clips: Sequence[ComparedClip]) -> Iterator[Figure]:
    """Speed in pauses of 1 s or more over that in speech."""
    quiet = {clip.name: statistics.pauses(clip.spoken) for clip in clips}
    speakers = {c.speaker for c in clips if quiet[c.name].any() and c.spoken.any()}
    groups = by_speaker([clip for clip in clips if clip.speaker in speakers])
    if not groups:
        return

    def ratio(group: Sequence[ComparedClip], paths: Sequence[Array]) -> float:
        speeds = np.concatenate([statistics.head_speed(path) for path in paths])
        pause = np.concatenate([quiet[clip.name] for clip in group])
        speech = np.concatenate([clip.spoken for clip in group])
        return float(speeds[pause].mean() / speeds[speech].mean())

    seeds = np.array([
        [
            np.mean([ratio(g, [c.takes[seed, take] for c in g]) for take in range(c0.shape[1])])
            for seed in range(len(c0))
        ]
        for g in groups for c0 in [g[0].takes]
    ])  # fmt: skip
    sides = Sides(
        np.array([[ratio(group, [clip.real for clip in group])] for group in groups]),
        seeds.mean(axis=1)[:, None],
        seeds.T[:, :, None],
        sum(bool(found.any()) for found in quiet.values()),
    )
    yield sides.figure(
        0, "speed in pauses over that in speech", "", "within 0.2 of real",
        lambda real, takes, _: abs(takes - real) <= 0.2,
    )  # fmt: skip


def _classifier(clips: Sequence[ComparedClip]) -> Figure:
    groups = by_speaker(clips)
    seen = classifier.window_features
    real = [np.concatenate([seen(clip.real) for clip in group]) for group in groups]
    takes = [
        np.concatenate([seen(path) for clip in group for row in clip.takes for path in row])
        for group in groups
    ]
    against_takes = classifier.takes_from_real(real, takes, SEED)
    against_real = classifier.real_from_real(real, SEED)
    value = float(np.mean(against_takes))

    def ends(areas: Array) -> Interval:
        low, high = np.percentile(areas, [5, 95])
        return float(low), float(high)

    return Figure(
        name=CLASSIFIER,
        values={REAL: float(np.mean(against_real)), TAKES: value},
        intervals={REAL: ends(against_real), TAKES: ends(against_takes)},
        asked="≤ 0.68", passed=value <= 0.68, clips=len(clips), speakers=len(groups),
    )  # fmt: skip
