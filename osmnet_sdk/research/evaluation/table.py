"""Figures of real clips and of takes beside each other, every speaker counting alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.research.data.motion_statistics import bootstrap

Array = NDArray[np.float64]
Interval = tuple[float, float]

SEED = 0
"""Of bootstraps, permutations and halves."""


@dataclass(frozen=True)
class Figure:
    """One figure of real clips and of takes.

    Attributes:
        name: what is measured.
        unit: of the numbers; "" for ratios.
        real: of the real clips; None where there is no such thing.
        real_interval: its 90 % interval over speakers.
        takes: of the takes.
        takes_interval: its 90 % interval over speakers.
        seeds: its smallest and largest value over seeds.
        asked: what the takes' figure must be, in words.
        passed: whether it is.
        clips: number of real clips.
        speakers: number of their speakers.
    """

    name: str
    unit: str
    real: float | None
    real_interval: Interval | None
    takes: float
    takes_interval: Interval | None
    seeds: Interval | None
    asked: str
    passed: bool
    clips: int
    speakers: int

    def __post_init__(self) -> None:
        # comparisons of numpy's numbers give its own kind of bool, which JSON refuses
        object.__setattr__(self, "passed", bool(self.passed))


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
            name, unit, middle, bounds, sampled, median_interval(takes),
            (float(by_seed.min()), float(by_seed.max())), asked,
            judge(middle, sampled, bounds), self.clips, len(real),
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
            name, "", 1.0, None, value, (float(low), float(high)),
            (float(by_seed.min()), float(by_seed.max())),
            f"{asked[0]:g} to {asked[1]:g}" if np.isfinite(asked[1]) else f"≥ {asked[0]:g}",
            asked[0] <= value <= asked[1], self.clips, len(pairs),
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
