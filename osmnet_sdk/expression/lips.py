"""How coefficients part the lips, and what lips do that coefficients alone do not: touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.face.landmark_sets import LOWER_LIP, MOUTH_CORNERS, UPPER_LIP
from osmnet_sdk.face.model import FaceModel

FloatArray = NDArray[np.float32]

TOUCH = 0.040
"""Lips that would be less than this apart, in widths of the mouth, touch."""

FREE = 0.080
"""Lips that are further apart than this are left as they are. Below it they are drawn together: the
means that a network learns keep the lower lip off the teeth."""

OVERLAP = 0.030
"""How far lips may be pressed into each other, in widths of the mouth."""

CLOSE = ARKIT_NAMES.index("mouthClose")
JAW = ARKIT_NAMES.index("jawOpen")


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


def parted(
    coefficients: NDArray[np.float64], opening: NDArray[np.float64], gain: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bring lips as far apart as they shall be: by mouthClose, and by jawOpen where that ends.

    Args:
        coefficients: (T, 52).
        opening: (T,) that the lips shall have: its gain times the coefficients, summed.
        gain: (52,) of `LipGeometry`.

    Returns:
        (T, 52) in [0, 1]; as near to `opening` as that range allows.
    """
    result = coefficients.copy()
    result[:, CLOSE] += (coefficients @ gain - opening) / -gain[CLOSE]
    short = np.minimum(result[:, CLOSE], 0.0)
    result[:, JAW] += short * gain[CLOSE] / gain[JAW]
    in_range: NDArray[np.float64] = np.clip(result, 0.0, 1.0)
    return in_range


def smoothed(coefficients: FloatArray, gain: FloatArray) -> FloatArray:
    """Take the jitter out of coefficients, but leave closed lips closed.

    A frame becomes the end of the straight line fitted to it and the two before it, which needs no
    later frame, shifts no slow movement in time, and leaves a third of what alternates from frame
    to frame. Where the lips meet the frame stays as it is, since a closure may last no longer.

    Args:
        coefficients: (2 + T, 52), beginning with the two frames before.
        gain: (52,) of `LipGeometry`.

    Returns:
        (T, 52) in [0, 1].
    """
    now = coefficients[2:]
    line = (5.0 * now + 2.0 * coefficients[1:-1] - coefficients[:-2]) / 6.0
    keep = closedness(now, gain)[:, None]
    result: FloatArray = np.clip(keep * now + (1.0 - keep) * line, 0.0, 1.0).astype(np.float32)
    return result


def closedness(coefficients: FloatArray, gain: FloatArray) -> FloatArray:
    """How nearly the lips are closed, (T,): 1 where they touch, 0.4 at `TOUCH`, 0 when open.

    Args:
        coefficients: (T, 52).
        gain: (52,) of `LipGeometry`.
    """
    opening = np.maximum(coefficients @ gain, 0.0)
    result: FloatArray = np.exp(-((opening / TOUCH) ** 2)).astype(np.float32)
    return result


def kept_closed(coefficients: FloatArray, before: FloatArray, gain: FloatArray) -> FloatArray:
    """Close lips again that were closed before the coefficients were scaled.

    Args:
        coefficients: (T, 52), after scaling.
        before: (T, 52).
        gain: (52,) of `LipGeometry`.

    Returns:
        (T, 52); only mouthClose differs.
    """
    if gain[CLOSE] >= 0:
        return coefficients
    parted = np.maximum(coefficients @ gain, 0.0) - np.maximum(before @ gain, 0.0)
    missing = closedness(before, gain) * np.maximum(parted, 0.0) / -gain[CLOSE]
    result = coefficients.copy()
    result[:, CLOSE] = np.minimum(result[:, CLOSE] + missing, 1.0)
    return result


def touched(coefficients: FloatArray, gain: FloatArray) -> FloatArray:
    """Let lips that come very close touch, and keep lips that overlap from sinking in.

    A network that learns from means of many voices shies away from the extremes and leaves a
    slit where lips should meet; soft lips leave none. Only mouthClose is changed.

    Args:
        coefficients: (T, 52).
        gain: (52,) of `LipGeometry`.
    """
    if gain[CLOSE] >= 0:
        return coefficients
    opening = coefficients @ gain
    wanted = np.interp(opening, [-OVERLAP, 0.0, TOUCH, FREE], [-OVERLAP, 0.0, 0.0, FREE])
    wanted = np.where(opening > FREE, opening, wanted)
    result = coefficients.copy()
    result[:, CLOSE] += ((opening - wanted) / -gain[CLOSE]).astype(np.float32)
    return np.clip(result, 0.0, 1.0)
