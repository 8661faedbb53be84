"""What an animator asks of expression curves: intensities, gains, smoothing, moods, offsets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.expression.lips import closedness, kept_closed
from osmnet_sdk.expression.moods import with_moods
from osmnet_sdk.options import ExpressionOptions

FloatArray = NDArray[np.float32]

_GROUPS = {
    "jaw": ("jaw",),
    "lips": ("mouth", "tongue"),
    "brows": ("brow",),
    "cheeks": ("cheek", "noseSneer"),
}
_MOUTH = np.array([name.startswith(("jaw", "mouth", "tongue")) for name in ARKIT_NAMES])
_REACH = 3.0  # standard deviations of the Gaussian that are added up on each side


def group_gains(options: ExpressionOptions) -> FloatArray:
    """(52,) gain of the group that each coefficient belongs to; eyes have 1."""
    gains = np.ones(len(ARKIT_NAMES), np.float32)
    for group, beginnings in _GROUPS.items():
        members = [name.startswith(beginnings) for name in ARKIT_NAMES]
        gains[members] = getattr(options, group)
    return gains


def single_gains(options: ExpressionOptions) -> FloatArray:
    """(52,) gain of each coefficient by its name."""
    return np.array([options.gains.get(name, 1.0) for name in ARKIT_NAMES], np.float32)


class Adjustment:
    """Options applied to curves that arrive frame by frame.

    Args:
        options: all but lag and rest in silence.
        lip_gain: (52,) of `LipGeometry`.

    Attributes:
        reach: frames by which results lag behind what is pushed; those that smoothing looks ahead.
    """

    def __init__(self, options: ExpressionOptions, lip_gain: FloatArray) -> None:
        self._groups = options.intensity * group_gains(options)
        self._single = single_gains(options)
        self._offsets = np.array([options.offsets.get(n, 0.0) for n in ARKIT_NAMES], np.float32)
        self._lip_gain = lip_gain
        self._kernel = _gaussian(options.smoothing * float(FPS))
        self.reach = len(self._kernel) // 2
        self._context: FloatArray | None = None
        self._options = options
        self._given = 0

    def push(self, curves: FloatArray) -> FloatArray:
        """Take curves (n, 52) and return those that are ready, (m, 52) in [0, 1]."""
        if len(curves) == 0:
            return curves
        scaled = np.minimum(self._groups * curves, 1.0)
        scaled = kept_closed(scaled, curves, self._lip_gain) * self._single
        if self._context is None:
            self._context = np.repeat(scaled[:1], self.reach, axis=0)
        joined = np.concatenate([self._context, scaled])
        ready = max(len(joined) - 2 * self.reach, 0)
        self._context = joined[ready:]
        soft = self._smoothed(joined, ready)
        moody = with_moods(soft, self._options, self._given, self._lip_gain)
        self._given += ready
        result: FloatArray = np.clip(moody + self._offsets, 0.0, 1.0)
        return result

    def _smoothed(self, joined: FloatArray, ready: int) -> FloatArray:
        if self.reach == 0:
            return joined
        now = joined[self.reach : self.reach + ready]
        soft = np.zeros_like(now)
        for place, weight in enumerate(self._kernel):
            soft += weight * joined[place : place + ready]
        keep = closedness(now, self._lip_gain)[:, None] * _MOUTH
        result: FloatArray = keep * now + (1.0 - keep) * soft
        return result


def _gaussian(deviation: float) -> FloatArray:
    """Weights of an odd number of frames that add up to 1; `deviation` in frames."""
    reach = int(np.ceil(_REACH * deviation))
    places = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (places / max(deviation, 1e-9)) ** 2)
    result: FloatArray = (weights / weights.sum()).astype(np.float32)
    return result
