"""Moves that an animator asks for: minimum-jerk curves over time. No network, no torch.

A move is laid over a take, so the take's own motion goes on under it. Its time grows with its size,
as that of people's does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.curves import ramp

Array = NDArray[np.float64]

SHORTEST_MOVE = 0.5
"""Seconds that the smallest move takes."""

SECONDS_PER_DEGREE = 0.02
"""What each degree adds: a move of 30° takes 1.1 s and peaks at 51° per second."""

DEGREES_PER_METRE = 500.0
"""How far a head turns that takes as long as a translation of one metre."""


class Knot(NamedTuple):
    """A value that a move passes at a time.

    Attributes:
        time: seconds.
        value: degrees or metres.
        slope: per second; None is that of the neighbouring knots, 0 at an extremum.
        curvature: per second squared.
    """

    time: float
    value: float
    slope: float | None = None
    curvature: float = 0.0


def move_seconds(change: ArrayLike) -> float:
    """Time that a move takes: (6,) or fewer columns of a change of pose → seconds."""
    size = np.abs(np.atleast_1d(np.asarray(change, float)))
    size[3:] *= DEGREES_PER_METRE
    return SHORTEST_MOVE + SECONDS_PER_DEGREE * float(size.max())


def move_curve(knots: Sequence[Knot], times: ArrayLike) -> Array:
    """The curve of least jerk from knot to knot (C2); the first and last value are held.

    Args:
        knots: in order of time, at least one.
        times: (N,) seconds.

    Returns:
        (N,).
    """
    from scipy.interpolate import BPoly

    at = np.asarray(times, float)
    if len(knots) == 1:
        return np.full(at.shape, knots[0].value)
    places = np.array([knot.time for knot in knots])
    slopes = _slopes(places, np.array([knot.value for knot in knots]))
    states = [
        [knot.value, slope if knot.slope is None else knot.slope, knot.curvature]
        for knot, slope in zip(knots, slopes, strict=True)
    ]
    curve: Array = BPoly.from_derivatives(places, states)(np.clip(at, places[0], places[-1]))
    return curve


def _slopes(times: Array, values: Array) -> Array:
    """Slopes that do not overshoot: the harmonic mean of both sides, 0 at extrema and ends."""
    secants = np.diff(values) / np.diff(times)
    before, after = secants[:-1], secants[1:]
    same = before * after > 0
    slopes = np.zeros(len(times))
    inner = slopes[1:-1]
    inner[same] = 2.0 / (1.0 / before[same] + 1.0 / after[same])
    return slopes


def come_from(poses: Array, pose: ArrayLike, frames: float) -> Array:
    """Poses that start at `pose` with zero velocity and are as they were after `frames`.

    Args:
        poses: (N, 6).
        pose: (6,).
        frames: length of the move, above 0.
    """
    share = ramp(np.arange(len(poses)) / frames)[:, None]
    came: Array = np.asarray(pose) + share * (poses - np.asarray(pose))
    return came


def go_to(poses: Array, pose: ArrayLike, frames: float) -> Array:
    """Poses that end at `pose` with zero velocity; `come_from` backwards in time."""
    return come_from(poses[::-1], pose, frames)[::-1]
