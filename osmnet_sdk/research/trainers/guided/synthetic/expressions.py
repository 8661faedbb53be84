"""Expressions that made-up heads are drawn with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES

Array = NDArray[np.float64]

_QUIET = 0.25
"""Share of a tracked expression that a photo shows."""
_SMILE = dict.fromkeys(("mouthSmileLeft", "mouthSmileRight"), (0.4, 1.0))
_TEETH_SHOWN = dict.fromkeys(("mouthUpperUpLeft", "mouthUpperUpRight"), (0.2, 0.6))
_SHUT = dict.fromkeys(("eyeBlinkLeft", "eyeBlinkRight"), (0.5, 1.0))
_ACTED: tuple[dict[str, tuple[float, float]], ...] = (
    {"jawOpen": (0.3, 0.9)},
    {"jawOpen": (0.1, 0.4), **_SMILE},
    {**_SMILE, **_TEETH_SHOWN},
    {**_SHUT},
    {"mouthPucker": (0.4, 1.0)},
    {"mouthFunnel": (0.4, 0.9), "jawOpen": (0.1, 0.4)},
)
"""Wide expressions: ranges of coefficients."""


def acted_expressions(
    tracked: NDArray[np.floating], count: int, draw: np.random.Generator
) -> tuple[Array, Array]:
    """A quiet expression for the photo, and others to move it to.

    Args:
        tracked: (N, 52) expressions of real people.
        count: of the others.
        draw: decides.

    Returns:
        (52,) near rest; (count, 52), every second a tracked one and between them wide ones:
        tracked ones with an open jaw, a smile, shut eyes, puckered or rounded lips.
    """
    chosen = np.asarray(tracked[draw.integers(len(tracked), size=count + 1)], np.float64)
    quiet, others = _QUIET * chosen[0], chosen[1:]
    for row in others[::2]:
        for name, (low, high) in _ACTED[draw.integers(len(_ACTED))].items():
            index = ARKIT_NAMES.index(name)
            row[index] = max(row[index], draw.uniform(low, high))
    return quiet, others
