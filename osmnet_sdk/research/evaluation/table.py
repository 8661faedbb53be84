"""Figures of real clips and of takes beside each other, every speaker counting alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.research.data.motion_statistics import bootstrap
from osmnet_sdk.research.tables import markdown_table

Array = NDArray[np.float64]
Interval = tuple[float, float]

SEED = 0
"""Of bootstraps, permutations and halves."""


REAL, TAKES, PREDICTED = "real", "takes", "predicted"
"""Whose a value of a figure is."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure, and what is asked of it.

    Attributes:
        name: what is measured.
        unit: of the numbers; "" for ratios.
        values: by whose they are, such as `REAL` and `TAKES` or a renderer's name; None where
            there is nothing to measure.
        intervals: 90 % intervals over speakers, of the values that have one.
        seeds: smallest and largest value of takes over seeds.
        asked: what the last value must be, in words; "" if nothing is asked.
        passed: whether it is; None if nothing is asked.
        clips: number of real clips.
        speakers: number of their speakers.
    """

    name: str
    unit: str = ""
    values: Mapping[str, float | None]
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    seeds: Interval | None = None
    asked: str = ""
    passed: bool | None = None
    clips: int = 0
    speakers: int = 0

    def __post_init__(self) -> None:
        # comparisons of numpy's numbers give its own kind of bool, which JSON refuses
        if self.passed is not None:
            object.__setattr__(self, "passed", bool(self.passed))

    @property
    def value(self) -> float:
        """What is asked about: the last value."""
        last = list(self.values.values())[-1]
        return float("nan") if last is None else last


def counted(figures: Iterable[Figure], speakers: Sequence[str]) -> list[Figure]:
    """The figures, with the number of clips they are of; `speakers` names the one of each clip."""
    count = len(set(speakers))
    return [replace(row, clips=len(speakers), speakers=count) for row in figures]


def at_most(name: str, value: float, most: float, **others: Any) -> Figure:
    """A figure of what is predicted or sampled that must not be above a limit."""
    return Figure(
        name=name, values={others.pop("of", PREDICTED): value}, asked=f"≤ {most:g}",
        passed=value <= most, **others,
    )  # fmt: skip


def at_least(name: str, value: float, least: float, **others: Any) -> Figure:
    """A figure of what is predicted or sampled that must not be below a limit."""
    return Figure(
        name=name, values={others.pop("of", PREDICTED): value}, asked=f"≥ {least:.3g}",
        passed=value >= least, **others,
    )  # fmt: skip


def figure_table(figures: Sequence[Figure]) -> str:
    """The figures as a table of Markdown."""
    whose = sorted({name: 0 for row in figures for name in row.values}, key=lambda n: n != REAL)
    ranges = any(row.intervals for row in figures)
    seeds, counted = (any(getattr(row, name) for row in figures) for name in ("seeds", "clips"))
    titles = [
        "figure", *(f"{name} (90 %)" if ranges else name for name in whose),
        *(["seeds"] if seeds else []), "asked", "", *(["clips"] if counted else []),
    ]  # fmt: skip
    rows = [
        [
            f"{row.name}, {row.unit}" if row.unit else row.name,
            *(_with_range(row.values.get(name), row.intervals.get(name)) for name in whose),
            *([_with_range(None, row.seeds)] if seeds else []),
            row.asked,
            {None: "", True: "yes", False: "**no**"}[row.passed],
            *([f"{row.clips} of {row.speakers}" if row.speakers else ""] if counted else []),
        ]
        for row in figures
    ]
    return markdown_table(titles, rows)


def _with_range(value: float | None, interval: Interval | None) -> str:
    text = "" if value is None else _number(value)
    return text if interval is None else f"{text} ({' to '.join(map(_number, interval))})".strip()


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


@dataclass(frozen=True, eq=False)
class ComparedClip:
    """A real clip and the takes for its voice, the first second left out.

    Attributes:
        name: of the clip.
        speaker: who is seen and heard.
        real: (T, 6), poses without the tracker's noise, degrees and metres.
        takes: (seeds, takes, T, 6), under the same smoothing.
        joins: ratio of the speed steps at borders of clips to those inside, over all takes as
            they were sampled, without smoothing.
        level: (T,), of the sound, in dBFS.
        spoken: (T,), whether somebody speaks.
    """

    name: str
    speaker: str
    real: Array
    takes: Array
    joins: float
    level: Array
    spoken: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sides:
    """Rows (S, D) of speakers, real and sampled, and sampled of each seed, (seeds, S, D)."""

    real: Array
    takes: Array
    seeds: Array
    clips: int

    def figure(
        self,
        column: int,
        name: str,
        unit: str,
        asked: str,
        judge: Callable[[float, float, Interval], bool],
    ) -> Figure:
        """The median over speakers; `judge` is told real, takes and the real interval."""
        real, takes = self.real[:, column], self.takes[:, column]
        bounds = median_interval(real)
        by_seed = np.median(self.seeds[:, :, column], axis=1)
        middle, sampled = float(np.median(real)), float(np.median(takes))
        return Figure(
            name=name, unit=unit, values={REAL: middle, TAKES: sampled},
            intervals={REAL: bounds, TAKES: median_interval(takes)},
            seeds=(float(by_seed.min()), float(by_seed.max())), asked=asked,
            passed=judge(middle, sampled, bounds), clips=self.clips, speakers=len(real),
        )  # fmt: skip

    def ratio(
        self, column: int, name: str, asked: Interval, statistic: Callable[..., Array]
    ) -> Figure:
        """Sampled over real, of the median or mean over speakers; it must lie within `asked`."""

        def over(rows: Array, axis: int) -> Array:
            found = statistic(rows, axis=axis)
            result: Array = found[..., 1] / found[..., 0]
            return result

        pairs = np.stack([self.real[:, column], self.takes[:, column]], axis=1)
        low, high = bootstrap(pairs, over, SEED)
        real = float(statistic(pairs[:, 0], axis=0))
        by_seed = statistic(self.seeds[:, :, column], axis=1) / real
        value = float(over(pairs, 0))
        return Figure(
            name=name, values={REAL: 1.0, TAKES: value},
            intervals={TAKES: (float(low), float(high))},
            seeds=(float(by_seed.min()), float(by_seed.max())),
            asked=f"{asked[0]:g} to {asked[1]:g}" if np.isfinite(asked[1]) else f"≥ {asked[0]:g}",
            passed=asked[0] <= value <= asked[1], clips=self.clips, speakers=len(pairs),
        )  # fmt: skip


def median_interval(values: Array) -> Interval:
    """Bootstrap 90 % interval of the median over speakers; `values` is (S,)."""
    low, high = bootstrap(values, np.median, SEED)
    return float(low), float(high)


def by_speaker(clips: Sequence[ComparedClip]) -> list[list[ComparedClip]]:
    """Clips grouped by who is seen."""
    names = dict.fromkeys(clip.speaker for clip in clips)
    return [[clip for clip in clips if clip.speaker == name] for name in names]


def both_sides(
    clips: Sequence[ComparedClip],
    measure: Callable[[Array], Array],
    middle: Callable[..., Array] = np.median,
) -> Sides:
    """Measure real clips and takes.

    Args:
        clips: at least one.
        measure: gives rows (W, D) of a path (T, 6).
        middle: takes rows and `axis`; of all rows of a speaker it makes the speaker's row.
    """
    real, takes, seeds = [], [], []
    for group in by_speaker(clips):
        real.append(middle(np.concatenate([measure(clip.real) for clip in group]), axis=0))
        rows = [
            np.concatenate([measure(path) for clip in group for path in clip.takes[seed]])
            for seed in range(len(group[0].takes))
        ]
        seeds.append([middle(row, axis=0) for row in rows])
        takes.append(middle(np.concatenate(rows), axis=0))
    by_seed = np.swapaxes(np.array(seeds), 0, 1)
    return Sides(np.array(real), np.array(takes), by_seed, len(clips))
