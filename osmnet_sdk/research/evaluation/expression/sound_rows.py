"""Rows of the table about sounds without a voice, and voices as they are seldom recorded."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.errors import OSMNetWarning
from osmnet_sdk.research.evaluation.expression.lips import (
    CLOSED_SHARE,
    OPEN_SHARE,
    LipSamples,
    pooled_figures,
)
from osmnet_sdk.research.evaluation.expression.still_sounds import still_sounds
from osmnet_sdk.research.evaluation.expression.voiced_sounds import voiced_sounds
from osmnet_sdk.research.evaluation.table import Figure, at_least, at_most

Samples = NDArray[np.float32]

_STILL = 0.03
"""Standard deviation of the gap without a voice over that in speech."""
_TOLD, _TOLD_NONE = 0.90, 0.05
"""Shares of the frames in which a voice must, and may, be told."""
_POINTS = 0.10
"""By how much less than in speech the mouth may be open in vowels that are held."""


class Hears(Protocol):
    """What is measured."""

    def gap(self, samples: Samples) -> NDArray[np.float32]:
        """(T,) lip gap on the average head."""

    def told(self, samples: Samples) -> NDArray[np.bool_]:
        """(T,) in which frames a voice is told."""


def still_rows(lips: Hears, voices: Sequence[Samples]) -> list[Figure]:
    """How far the mouth moves and opens without a voice, over what it does in speech."""
    gaps = [lips.gap(voice) for voice in voices]
    deviation = float(np.mean([gap.std() for gap in gaps])) + 1e-9
    wide = float(np.mean([np.percentile(gap, 95) for gap in gaps])) + 1e-9
    rows = []
    for name, sound in still_sounds().items():
        gap = _gap(lips, sound)
        moved, opened = float(gap.std()) / deviation, float(np.percentile(gap, 95)) / wide
        for what, value, most in (
            ("deviation of the gap over that in speech", moved, _STILL),
            ("95th percentile of the gap over that in speech", opened, CLOSED_SHARE),
            ("frames in which a voice is told", float(lips.told(sound).mean()), _TOLD_NONE),
        ):
            rows.append(at_most(f"{name}: {what}", value, most, clips=1))
    return rows


def voiced_rows(
    lips: Hears, voices: Sequence[Samples], found: Sequence[LipSamples]
) -> list[Figure]:
    """Whether voices as they are seldom recorded are told, and held vowels keep the mouth open."""
    speech = pooled_figures(found).opening if found else None
    rows = []
    for name, sounds in voiced_sounds(voices).items():
        told = np.concatenate([lips.told(one.samples)[one.spoken] for one in sounds])
        rows.append(at_least(f"{name}: frames in which a voice is told", float(told.mean()), _TOLD,
                             clips=len(sounds)))  # fmt: skip
        held = [one for one in sounds if one.open.any()]
        if held and speech is not None:
            gaps = [(_gap(lips, one.samples), one.open) for one in held]
            # As wide as in speech means against the gap of speech, not of the vowel itself.
            wide = float(np.mean([recording.percentile for recording in found]))
            opened = np.concatenate([gap[where] > OPEN_SHARE * wide for gap, where in gaps])
            rows.append(at_least(f"{name}: frames in which the mouth is open", float(opened.mean()),
                                 speech - _POINTS, clips=len(held)))  # fmt: skip
    return rows


def _gap(lips: Hears, sound: Samples) -> NDArray[np.float32]:
    """The gap, without a warning of sounds in which nobody is heard."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OSMNetWarning)
        return lips.gap(sound)
