"""What takes lose when a part is taken away: the control rows of `osmnet evaluate motion`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.motion.features import MotionFeatures
from osmnet_sdk.motion.sampler import MotionSampler
from osmnet_sdk.options import SampleOptions
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.evaluation.motion.rows import (
    CLASSIFIER,
    CORRELATION,
    DIVERSITY,
    figures,
)
from osmnet_sdk.research.evaluation.table import ComparedClip
from osmnet_sdk.research.tables import markdown_table

WHOLE = "as it ships"
UNTRAINED = "untrained network, calibrated alike"
OTHER_SOUND = "another recording's sound"
NO_SOUND = "no sound"
NO_BURSTS = "without bursts"
NO_CHANCE = "ε = 0"
CONTROLS = (WHOLE, UNTRAINED, OTHER_SOUND, NO_SOUND, NO_BURSTS, NO_CHANCE)


@dataclass(frozen=True)
class ControlRow:
    """Takes with a part left out.

    Attributes:
        name: what was left out.
        passed: figures as asked.
        asked: figures of which something is asked.
        correlation: of head speed with level.
        area: under the classifier's curve.
        diversity: over time, whole clips, over real.
    """

    name: str
    passed: int
    asked: int
    correlation: float
    area: float
    diversity: float


def control_row(name: str, clips: Sequence[ComparedClip]) -> ControlRow:
    """The row of takes that were sampled under a control."""
    found = figures(clips)
    values = {row.name: row.value for row in found}
    asked = [row for row in found if row.passed is not None]
    return ControlRow(
        name,
        sum(bool(row.passed) for row in asked),
        len(asked),
        values[CORRELATION],
        values[CLASSIFIER],
        values[DIVERSITY],
    )


def control_table(rows: Sequence[ControlRow]) -> str:
    """The rows as a table of Markdown."""
    titles = ["takes", "figures as asked", CORRELATION, CLASSIFIER, DIVERSITY]
    cells = [
        [
            row.name,
            f"{row.passed} of {row.asked}",
            *(f"{value:.3f}" for value in (row.correlation, row.area, row.diversity)),
        ]
        for row in rows
    ]
    return markdown_table(titles, cells)


def controlled(
    name: str, sampler: MotionSampler, clip: TrainingClip, other: TrainingClip
) -> tuple[MotionSampler, MotionFeatures, SampleOptions]:
    """What samples takes of a clip under a control, from what, and with which options.

    Args:
        name: one of `CONTROLS`; for `UNTRAINED` give the sampler of an untrained network.
        sampler: that has not seen the clip's speaker.
        clip: with sound.
        other: with sound, of somebody else.
    """
    assert clip.samples is not None
    assert other.samples is not None
    samples = clip.samples
    if name == OTHER_SOUND:
        samples = np.resize(other.samples, len(samples))
    features = sampler.features(Audio(samples, clip.name))
    if name == NO_SOUND:
        features = deaf(features)
    if name == NO_BURSTS:
        still = replace(sampler.calibration, bursts=np.zeros(6))
        sampler = MotionSampler(sampler.network, still)
    return sampler, features, SampleOptions(epsilon=0.0 if name == NO_CHANCE else 1.0)


def deaf(features: MotionFeatures) -> MotionFeatures:
    """Features of the same length in which nothing of the sound is left but its averages."""
    return MotionFeatures(
        np.repeat(features.weights.mean(axis=0, keepdims=True), len(features.weights), axis=0),
        np.full_like(features.liveliness, features.liveliness.mean()),
        np.zeros_like(features.asked),
        np.zeros((0, 2)),
    )
