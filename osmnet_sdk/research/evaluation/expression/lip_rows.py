"""Rows of the table about lips at phone labels, with intervals over speakers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

import numpy as np

from osmnet_sdk.research.evaluation.expression.lips import LipSamples, pooled_figures
from osmnet_sdk.research.evaluation.table import PREDICTED, SEED, Figure, Interval, at_least

CLOSURE = 0.97
_MARGIN = 0.40
"""By how much labels that are shifted must lower closure."""
_WORST = 0.90
_SHARE = 0.90
_WRONG = 0.10
_RATIO = 3.0
_ROUNDED, _SPREAD = 2.2, 1.0
_DEGRADED = 0.92
"""Closure that is asked of a degraded recording."""
_LANGUAGE_CLOSURE = 0.95
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
        ("wrong", "T, K, S, DH, N, L: lips closed at the middle", found.wrong, f"≤ {_WRONG:g}",
         found.wrong <= _WRONG),
        ("teeth", "F, V: lower lip to the teeth", found.teeth, f"≥ {_SHARE:g}",
         found.teeth >= _SHARE),
        ("opening", "AA, AE, AO, AY: open at the middle", found.opening, f"≥ {_SHARE:g}",
         found.opening >= _SHARE),
        ("ratio", "median gap of these vowels over that of P, B, M", found.ratio, f"≥ {_RATIO:g}",
         found.ratio >= _RATIO),
        ("rounding", "rounding of UW, OW, W, SH: d′", found.rounding, f"≥ {_ROUNDED:g}",
         found.rounding >= _ROUNDED),
        ("spreading", "spread of IY, EH, AE: d′", found.spreading, f"≥ {_SPREAD:g}",
         found.spreading >= _SPREAD),
    ]  # fmt: skip
    each = [pooled_figures([recording]).closure for speaker in speakers for recording in speaker]
    rows = [
        _row(name, value, words, passed, speakers, figure)
        for figure, name, value, words, passed in asked
        if np.isfinite(value)
    ]
    known = [value for value in each if np.isfinite(value)]
    if len(known) > 1:
        name = "P, B, M: closure, worst recording"
        rows.append(at_least(name, min(known), _WORST, clips=len(known)))
    return rows


def degraded_row(name: str, degraded: Recordings) -> Figure:
    """Closure in recordings that were made worse."""
    found = pooled_figures([recording for speaker in degraded for recording in speaker]).closure
    return _row(
        f"P, B, M: closure, {name}", found, f"≥ {_DEGRADED:g}", found >= _DEGRADED, degraded,
        "closure",
    )  # fmt: skip


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
