"""Real speakers as a source of training data: clips tracked by the project's own tracker.

What the tracker reads is a shape of the average head, so a speaker's own lips and chin are in the
coefficients, and lips that are closed in the picture seldom close in them. Both are constant in
a clip, and are mended there:

- The clip's resting shape, its mean where the lips are nearest, is taken off, but for half of
  the jaw's share: real lips meet with the jaw a little open.
- The lip gap is counted from the clip's lowest; jawOpen or mouthClose makes up what is lacking.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES, SAMPLES_PER_FRAME
from osmnet_sdk.expression.lips import JAW, LipGeometry, parted
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.trainers.expression.augmentation import AugmentationConfig, augmented
from osmnet_sdk.research.trainers.expression.clips import Clip, Hears, nothing_known

SEEN = np.array([not name.startswith(("eye", "brow")) for name in ARKIT_NAMES], np.float32)
"""Coefficients that are learned from real speakers: blinks, gaze and brows are sampled apart."""

_NEAREST = 15.0
"""Percentile of the lip gap up to which the mouth counts as at rest."""
_LOWEST = 4.0
"""Percentile of the lip gap that counts as closed."""
_JAW_KEPT = 0.12
"""jawOpen of a mouth whose lips meet in speech, about half of what is tracked there."""


def mended(tracked: NDArray[np.floating], geometry: LipGeometry) -> NDArray[np.float32]:
    """Coefficients (T, 52) of a clip without its speaker's own shape, lips meeting at the closest.

    Args:
        tracked: (T, 52), T ≥ 1.
        geometry: of the face model.
    """
    values = np.asarray(tracked, np.float64)
    gap = geometry.gap(values)
    rest = values[gap <= np.percentile(gap, _NEAREST)].mean(0)
    rest[JAW] = max(rest[JAW] - _JAW_KEPT, 0.0)
    result = np.clip(values - rest, 0.0, 1.0)
    return parted(result, gap - np.percentile(gap, _LOWEST), geometry.gain).astype(np.float32)


def recorded_clips(
    clips: Sequence[TrainingClip],
    geometry: LipGeometry,
    hear: Hears,
    augmentation: AugmentationConfig | None,
    rng: np.random.Generator,
    *,
    copies: int = 4,
    seconds: float = 10.0,
) -> Iterator[Clip]:
    """Cut real clips into pieces of `seconds` at most; silent clips are left out.

    Args:
        clips: of `read_clips`, their sound in step with the lips.
        geometry: of the face model.
        hear: how the network hears.
        augmentation: None leaves the sound as it is.
        rng: source of chance.
        copies: versions of each piece, the first of them with the sound as recorded.
        seconds: length of a piece.
    """
    for clip in clips:
        if clip.samples is None:
            continue
        truth = mended(clip.take.expression.coefficients, geometry)
        sound = clip.samples.astype(np.float64)
        pieces = max(round(len(clip) / (seconds * 25)), 1)
        edges = np.linspace(0, len(clip), pieces + 1).astype(int)
        for start, stop in pairwise(edges):
            piece = sound[start * SAMPLES_PER_FRAME : stop * SAMPLES_PER_FRAME]
            for copy in range(copies):
                heard = augmented(piece, rng, augmentation, []) if copy and augmentation else piece
                yield Clip(
                    hear(heard.astype(np.float32)),
                    truth[start:stop].astype(np.float16),
                    SEEN,
                    nothing_known(),
                )
