"""When a head moves: in gestures at the moments that a voice gives. No network, no torch.

Heads of people who talk are busiest around accented syllables and where phrases begin, and calm
down as phrases end (`motion.md` has the curves of 39 speakers). Which of these moments get a
gesture, and how large, is the take's own chance.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.motion.shaping import soft_limit

Array = NDArray[np.float64]

LEAD = 0.06
"""Seconds by which a gesture is fastest before its syllable is loudest: 0.08 to 0.16 s in clips."""

WIDTH = 0.13
"""Standard deviation of a gesture's course in seconds."""

CHANCE = 0.8
"""Share of the moments that get a gesture."""

SPREAD = 0.3
"""Standard deviation of the logarithm of a gesture's size."""

IDLE_GAP = 0.5
"""Seconds without a moment after which heads move of their own accord."""

WILDEST = 2.0
"""Where bursts end, in their standard deviations: nobody moves without bound."""

_KNEE = 1.0


def burst_course(
    moments: Array, length: int, generator: np.random.Generator, chance: float = 1.0
) -> Array:
    """How busy a head is from moment to moment: (length, 1), mean 0 and variance near 1.

    Args:
        moments: (M, 2), clip and strength, in order of time.
        length: clips K.
        generator: of the take's chance.
        chance: 0 to 1, how much of it counts; at 0 every moment gets its average gesture.
    """
    every = _with_idle(moments, length, chance, generator)
    drawn = generator.random(len(every)) < CHANCE
    size = np.exp(SPREAD * generator.standard_normal(len(every)) - SPREAD**2 / 2) / CHANCE
    sizes = every[:, 1] * (1.0 + chance * (drawn * size - 1.0))
    course = pulses(every[:, 0] - LEAD * float(FPS), sizes, length, WIDTH * float(FPS))
    course -= course.mean()
    spread = float(course.std())
    if spread < 1e-6:
        return np.zeros((length, 1))
    return soft_limit(course / spread, _KNEE, WILDEST)[:, None]


def pulses(places: Array, sizes: Array, length: int, width: float) -> Array:
    """Gaussians of some height and one width at some places of a course, (length,)."""
    course = np.zeros(length)
    reach = int(np.ceil(4 * width))
    offsets = np.arange(-reach, reach + 1)
    nearest = np.round(places).astype(int)
    at = nearest[:, None] + offsets
    heights = sizes[:, None] * np.exp(-0.5 * ((at - places[:, None]) / width) ** 2)
    inside = (at >= 0) & (at < length)
    np.add.at(course, at[inside], heights[inside])
    return course


def _with_idle(moments: Array, length: int, chance: float, generator: np.random.Generator) -> Array:
    """The moments, and others of the take's own where the voice gives none for a while."""
    edges = np.concatenate([[0.0], moments[:, 0], [float(length)]])
    gap = IDLE_GAP * float(FPS)
    found = [moments]
    for first, last in pairwise(edges.tolist()):
        count = int((last - first) / gap)
        if count > 1:
            places = np.sort(generator.uniform(first + gap / 2, last - gap / 2, count - 1))
            found.append(np.stack([places, np.full(count - 1, chance)], axis=1))
    every = np.concatenate(found)
    return every[np.argsort(every[:, 0], kind="stable")]
