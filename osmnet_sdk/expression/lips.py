"""How coefficients part the lips, and what lips do that coefficients alone do not: touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.conventions import ARKIT_NAMES
from osmnet_sdk.face.landmark_sets import LOWER_LIP, MOUTH_CORNERS, UPPER_LIP
from osmnet_sdk.face.model import FaceModel

FloatArray = NDArray[np.float32]

TOUCH = 0.040
"""Lips that would be less than this apart, in widths of the mouth, touch."""

FREE = 0.060
"""Lips that are further apart than this are left as they are."""

OVERLAP = 0.030
"""How far lips may be pressed into each other, in widths of the mouth."""

_CLOSE = ARKIT_NAMES.index("mouthClose")


@dataclass(frozen=True)
class LipGeometry:
    """How far each coefficient parts the lips, as a linear function.

    Attributes:
        rest: vertical gap at rest over the mouth's width; below 0 where the lips overlap.
        gain: (52,) change of that gap for each coefficient at 1.
    """

    rest: float
    gain: NDArray[np.float64]

    @classmethod
    def from_model(cls, model: FaceModel) -> LipGeometry:
        """Read it off the mean head of a face model."""
        mean = model.landmark_mean.astype(np.float64)
        basis = model.landmark_expression.astype(np.float64)
        width = float(np.linalg.norm(mean[MOUTH_CORNERS[0]] - mean[MOUTH_CORNERS[1]]))
        rest = float(mean[UPPER_LIP, 1] - mean[LOWER_LIP, 1]) / width
        return cls(rest, (basis[:, UPPER_LIP, 1] - basis[:, LOWER_LIP, 1]) / width)

    def gap(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        """Signed vertical gap (…,) of coefficients (…, 52) over the mouth's width."""
        result: NDArray[np.float64] = self.rest + coefficients @ self.gain
        return result


def smoothed(coefficients: FloatArray, gain: FloatArray) -> FloatArray:
    """Take the jitter out of coefficients, but leave closed lips closed.

    A kernel of three frames; where the lips meet, the frame stays as it is, since a closure may
    last no longer than that one frame.

    Args:
        coefficients: (T, 52).
        gain: (52,) of `LipGeometry`.
    """
    padded = np.pad(coefficients, ((1, 1), (0, 0)), mode="edge")
    soft = 0.18 * padded[:-2] + 0.64 * padded[1:-1] + 0.18 * padded[2:]
    opening = np.maximum(coefficients @ gain, 0.0)
    keep = np.exp(-((opening / TOUCH) ** 2))[:, None]
    result: FloatArray = (keep * coefficients + (1.0 - keep) * soft).astype(np.float32)
    return result


def touched(coefficients: FloatArray, gain: FloatArray) -> FloatArray:
    """Let lips that come very close touch, and keep lips that overlap from sinking in.

    A network that learns from means of many voices shies away from the extremes and leaves a
    slit where lips should meet; soft lips leave none. Only mouthClose is changed.

    Args:
        coefficients: (T, 52).
        gain: (52,) of `LipGeometry`.
    """
    if gain[_CLOSE] >= 0:
        return coefficients
    opening = coefficients @ gain
    wanted = np.interp(opening, [-OVERLAP, 0.0, TOUCH, FREE], [-OVERLAP, 0.0, 0.0, FREE])
    wanted = np.where(opening > FREE, opening, wanted)
    result = coefficients.copy()
    result[:, _CLOSE] += ((opening - wanted) / -gain[_CLOSE]).astype(np.float32)
    return np.clip(result, 0.0, 1.0)
