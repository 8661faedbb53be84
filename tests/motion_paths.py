"""Smooth head motion without a network, and how it is measured, for several tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.motion.edit.min_jerk import come_from
from osmnet_sdk.tracks import MotionTrack

RATE = float(FPS)
Array = NDArray[np.float64]

angles = st.floats(-40.0, 40.0)
poses = st.tuples(angles, angles, angles)
seeds = st.integers(0, 500)


def free_motion(frames: int, seed: int) -> Array:
    """A smooth path from rest, as fast as a head in talk: some degrees, under 2 Hz."""
    random = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / RATE
    rate = random.uniform(2.0, 10.0, (4, 6))
    phase = random.uniform(0.0, 2 * np.pi, (4, 6))
    size = np.array([2.5, 3.5, 2.5, 0.003, 0.003, 0.003])
    path = sum(size / 2 * np.sin(r * time + p) for r, p in zip(rate, phase, strict=True))
    return np.asarray(come_from(path, np.zeros(6), 15.0))


def speed(path: Array) -> float:
    return float(np.abs(np.diff(path, axis=0)).max() * RATE)


def acceleration(path: Array) -> float:
    return float(np.abs(np.diff(path, 2, axis=0)).max() * RATE**2)


def track(path: Array) -> MotionTrack:
    return MotionTrack(FPS, path[:, :3].astype(np.float32), path[:, 3:].astype(np.float32))
