"""Moves of least jerk: how fast they are, the knots they pass, the ends of a take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from motion_paths import angles, free_motion, seeds

from osmnet_sdk.core.curves import ramp
from osmnet_sdk.motion.edit.min_jerk import Knot, come_from, go_to, move_curve, move_seconds


@given(st.floats(0.1, 60.0))
def test_a_move_peaks_as_minimum_jerk_does(degrees: float) -> None:
    seconds = move_seconds([degrees, 0.0, 0.0])
    times = np.linspace(0.0, seconds, 2001)
    curve = move_curve([Knot(0.0, 0.0, 0.0), Knot(seconds, degrees, 0.0)], times)
    velocity = np.gradient(curve, times)
    assert velocity.max() == pytest.approx(1.875 * degrees / seconds, rel=1e-3)
    assert np.abs(np.gradient(velocity, times)).max() <= 5.8 * degrees / seconds**2
    np.testing.assert_allclose(curve, degrees * ramp(times / seconds), atol=1e-9 * degrees)


@given(st.lists(st.tuples(st.floats(0.04, 3.0), angles), min_size=2, max_size=12))
def test_curves_pass_their_knots_and_do_not_overshoot(gaps: list[tuple[float, float]]) -> None:
    times = np.cumsum([gap for gap, _ in gaps])
    values = np.array([value for _, value in gaps])
    knots = [Knot(float(t), float(v)) for t, v in zip(times, values, strict=True)]
    np.testing.assert_allclose(move_curve(knots, times), values, atol=1e-9)
    for index in range(len(times) - 1):
        between = move_curve(knots, np.linspace(times[index], times[index + 1], 50))
        low, high = sorted(values[index : index + 2])
        over = 1e-9 + 0.05 * (high - low)
        assert low - over <= between.min() <= between.max() <= high + over


@given(seeds, st.floats(1.0, 60.0))
def test_ends_are_exact_and_at_rest(seed: int, frames: float) -> None:
    path, pose = free_motion(80, seed), np.array([5.0, -20.0, 3.0, 0.01, 0.0, 0.0])
    came, gone = come_from(path, pose, frames), go_to(path, pose, frames)
    np.testing.assert_array_equal(came[0], pose)
    np.testing.assert_array_equal(gone[-1], pose)
    after = int(np.ceil(frames))
    np.testing.assert_allclose(came[after:], path[after:], atol=1e-12)
    np.testing.assert_allclose(gone[: 80 - after], path[: 80 - after], atol=1e-12)
