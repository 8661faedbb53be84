"""Rows of the table about lips at phone labels, with intervals over speakers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

import numpy as np

from osmnet_sdk.research.evaluation.expression.lips import LipSamples, pooled_figures
from osmnet_sdk.research.evaluation.table import PREDICTED, SEED, Figure, Interval

CLOSURE = 0.90
_MARGIN = 0.30
"""By how much labels that are shifted must lower closure."""
_SHARE = 0.80
_RATIO = 3.0
_DISTINCT = 1.0
_LOSS = 0.10
"""Closure that a degraded recording may lose."""
_LANGUAGE_CLOSURE = 0.85
_RESAMPLES = 2000

_Speaker = TypeVar("_Speaker")

Recordings = Sequence[Sequence[LipSamples]]
"""Recordings of each speaker."""


def phone_rows(speakers: Recordings) -> list[Figure]:
    """Closure, teeth, opening, rounding and spreading; a speaker counts by his or her phones."""
    found = pooled_figures([recording for speaker in speakers for recording in speaker])
    margin = f"≥ {100 * _MARGIN:g} points below"
    asked: list[tuple[str, str, float, str, bool]] = [
        ("closure", "P, B, M: closure", found.closure, f"≥ {CLOSURE:g}", found.closure >= CLOSURE),
        ("closure_shifted", "P, B, M: closure, labels shifted 0.3–1 s", found.closure_shifted,
         margin, found.closure - found.closure_shifted >= _MARGIN),
        ("teeth", "F, V: lower lip to the teeth", found.teeth, f"≥ {_SHARE:g}",
         found.teeth >= _SHARE),
        ("opening", "AA, AE, AO, AY: open at the middle", found.opening, f"≥ {_SHARE:g}",
         found.opening >= _SHARE),
        ("ratio", "median gap of these vowels over that of P, B, M", found.ratio, f"≥ {_RATIO:g}",
         found.ratio >= _RATIO),
        ("rounding", "rounding of UW, OW, W, SH: d′", found.rounding, f"≥ {_DISTINCT:g}",
         found.rounding >= _DISTINCT),
        ("spreading", "spread of IY, EH, AE: d′", found.spreading, f"≥ {_DISTINCT:g}",
         found.spreading >= _DISTINCT),
    ]  # fmt: skip
    return [
        _row(name, value, words, passed, speakers, figure)
        for figure, name, value, words, passed in asked
        if np.isfinite(value)
    ]


def degraded_row(name: str, clean: Recordings, degraded: Recordings) -> Figure:
    """Closure in recordings that were made worse; beside it that in the clean ones."""
    before, after = (
        pooled_figures([recording for speaker in side for recording in speaker]).closure
        for side in (clean, degraded)
    )
    passed = before - after <= _LOSS + 1e-9
    asked = f"≥ {before - _LOSS:.3g}, 10 points below clean"
    return _row(f"P, B, M: closure, {name}", after, asked, passed, degraded, "closure")


def language_row(language: str, voices: Recordings) -> Figure:
    """Closure in a synthesised language."""
    found = pooled_figures([recording for voice in voices for recording in voice]).closure
    return _row(
        f"{language}: closure", found, f"≥ {_LANGUAGE_CLOSURE:g}", found >= _LANGUAGE_CLOSURE,
        voices, "closure",
    )  # fmt: skip


def _row(
    name: str, value: float, asked: str, passed: bool, speakers: Recordings, figure: str
) -> Figure:
    interval = speaker_interval(
        speakers,
        lambda chosen: float(
            getattr(pooled_figures([recording for s in chosen for recording in s]), figure)
        ),
    )
    count = sum(len(speaker) for speaker in speakers)
    return Figure(
        name=name, values={PREDICTED: value},
        intervals={} if interval is None else {PREDICTED: interval},
        asked=asked, passed=passed, clips=count, speakers=len(speakers),
    )  # fmt: skip


def speaker_interval(
    speakers: Sequence[_Speaker], statistic: Callable[[Sequence[_Speaker]], float]
) -> Interval | None:
    """Bootstrap 90 % interval over speakers of a figure of all their phones; None for one."""
    count = len(speakers)
    if count < 2:
        return None

    @cache
    def of(chosen: tuple[int, ...]) -> float:
        return statistic([speakers[index] for index in chosen])

    drawn = np.random.default_rng(SEED).integers(0, count, (_RESAMPLES, count))
    found = [of(tuple(sorted(int(index) for index in row))) for row in drawn]
    low, high = np.nanpercentile(found, [5, 95])
    return float(low), float(high)
