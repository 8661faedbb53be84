"""Brings the size of a take into the range of real speakers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.motion.liveliness import USUAL
from osmnet_sdk.motion.shaping import mean_speed

Array = NDArray[np.float64]

DEVIATION = (1.55, 5.8)
"""Range into which the standard deviation of each angle of a take is brought, in degrees."""

SPEED = (3.1, 11.6)
"""Range into which the mean speed of each angle of a take is brought, in degrees per second."""

_LEVEL = (0.1, 6.0)
"""Range of the factor that does so."""

_LEVEL_FRAMES = 250
"""Shorter takes need not reach the lower ends of these ranges."""

_TALKATIVE = 0.5
"""Nor need recordings whose mean liveliness is below this part of that in speech."""


def natural_size(poses: Array, lively: NDArray[np.float32]) -> Array:
    """Factor on each angle, (3,), that brings a take's size into the range of real speakers.

    Where there is little speech, or the take is short, less motion is asked for.

    Args:
        poses: (F, 3) or more columns, the first three angles in degrees, at 25 fps.
        lively: size of motion over the take, within [0, 1].
    """
    deviation = poses[:, :3].std(axis=0)
    speed = mean_speed(poses[:, :3])
    share = min(1.0, float(lively.mean()) / (_TALKATIVE * USUAL)) * min(
        1.0, len(poses) / _LEVEL_FRAMES
    )
    tiny = 1e-9
    least = np.maximum(share * DEVIATION[0] / (deviation + tiny), share * SPEED[0] / (speed + tiny))
    most = np.minimum(DEVIATION[1] / (deviation + tiny), SPEED[1] / (speed + tiny))
    factor: Array = np.clip(np.minimum(np.maximum(1.0, least), most), *_LEVEL)
    return factor
