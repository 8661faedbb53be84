"""A range of a take sampled anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motion_paths import RATE, acceleration, free_motion, seeds, track

from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.edit.directing import directed
from osmnet_sdk.motion.edit.min_jerk import move_seconds
from osmnet_sdk.motion.edit.pins import pose_at
from osmnet_sdk.motion.edit.retake import frame_range, with_range
from osmnet_sdk.options import Pin, SampleOptions


@given(seeds, st.integers(0, 199), st.integers(1, 200))
@settings(max_examples=60)
def test_a_retake_changes_its_range_alone_and_joins_smoothly(
    seed: int, first: int, length: int
) -> None:
    stop = min(first + length, 200)
    before, after = free_motion(200, seed), free_motion(200, seed + 1000)
    old, new = track(before), track(after)
    result = with_range(old, new, first, stop)
    for one, two in ((result.rotation, old.rotation), (result.translation, old.translation)):
        np.testing.assert_array_equal(one[:first], two[:first])
        np.testing.assert_array_equal(one[stop:], two[stop:])
    middle = result.rotation[first:stop].astype(float)
    low = np.minimum(old.rotation, new.rotation)[first:stop] - 1e-4
    high = np.maximum(old.rotation, new.rotation)[first:stop] + 1e-4
    assert ((low <= middle) & (middle <= high)).all()
    if stop - first >= 30:
        most = max(acceleration(before[:, :3]), acceleration(after[:, :3]))
        change = np.abs(before - after)[:, :3].max()
        seconds = min(move_seconds([change]), 0.6)
        assert acceleration(result.rotation.astype(float)) <= 2 * most + 6 * change / seconds**2


def test_a_long_range_is_the_new_take_in_its_middle() -> None:
    old, new = track(free_motion(300, 1)), track(free_motion(300, 2))
    result = with_range(old, new, 100, 200)
    np.testing.assert_allclose(result.rotation[130:170], new.rotation[130:170], atol=1e-5)
    whole = with_range(old, new, 0, 300)
    np.testing.assert_allclose(whole.rotation, new.rotation, atol=1e-5)


def test_pins_hold_in_a_retake() -> None:
    pins = [Pin(4.28, (3.0, 20.0, None)), Pin(7.513, (None, -20.0, None))]
    old = track(free_motion(300, 1))
    new = track(directed(free_motion(300, 2), SampleOptions(pins=pins)))
    result = with_range(old, new, 100, 200, pins)
    np.testing.assert_allclose(result.rotation[107, :2], (3.0, 20.0), atol=1e-5)
    path = np.hstack([result.rotation, result.translation]).astype(float)
    assert pose_at(path, 7.513, RATE)[1] == pytest.approx(-20.0, abs=1e-4)


@pytest.mark.parametrize(
    ("start", "end"), [(-1, 2), (3, 3), (5, 4), (9, 20), (float("nan"), 2), (1.01, 1.02)]
)
def test_ranges_that_are_none(start: float, end: float) -> None:
    with pytest.raises(InputError, match="range"):
        frame_range(start, end, 250, RATE)


def test_ranges_in_frames() -> None:
    assert frame_range(2.0, 5.0, 250, RATE) == (50, 125)
    assert frame_range(0.0, 10.0, 250, RATE) == (0, 250)
    assert frame_range(0.01, 0.05, 250, RATE) == (1, 2)
