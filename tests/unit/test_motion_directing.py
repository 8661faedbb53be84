"""Smoothing, limits, ends, calm ranges, tempo, basis gains and references of a take."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motion_paths import RATE, acceleration, free_motion, poses, seeds, speed, track

from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.edit.directing import directed
from osmnet_sdk.motion.edit.follow import CENTRE_SECONDS, centre_motion
from osmnet_sdk.motion.edit.hold import IDLE, merged_holds, with_holds
from osmnet_sdk.motion.features import MotionFeatures, played, stretched, with_gains
from osmnet_sdk.motion.shaping import smooth
from osmnet_sdk.options import Limits, Pin, SampleOptions


def test_smoothing_shifts_no_time_and_keeps_the_start() -> None:
    free = free_motion(300, 4)
    path = directed(free, SampleOptions(smoothing=0.2))
    np.testing.assert_array_equal(path[0], 0.0)
    assert np.abs(path[1, :3]).max() < 0.01
    assert acceleration(path) < 0.5 * acceleration(free)
    lags = range(-5, 6)
    match = [np.corrcoef(path[50:250, 1], free[50 + lag : 250 + lag, 1])[0, 1] for lag in lags]
    assert lags[int(np.argmax(match))] == 0


def test_limits_hold_for_each_axis() -> None:
    free = free_motion(300, 4) * 6
    limits = Limits(pitch=4.0, yaw=10.0, roll=2.0, translation=0.005)
    path = directed(free, SampleOptions(limits=limits))
    assert (np.abs(path).max(axis=0) <= [4, 10, 2, 0.005, 0.005, 0.005]).all()
    assert (np.abs(path).max(axis=0) > [3.5, 9, 1.8, 0.004, 0.004, 0.004]).all()


@given(seeds, poses, poses)
@settings(max_examples=30)
def test_start_and_end_are_met_at_rest(
    seed: int, start: tuple[float, float, float], end: tuple[float, float, float]
) -> None:
    free = free_motion(150, seed)
    path = directed(free, SampleOptions(start=start, end=(*end, 0.0, 0.01, 0.0)))
    np.testing.assert_allclose(path[0], [*start, 0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(path[-1], [*end, 0.0, 0.01, 0.0], atol=1e-9)
    assert np.abs(path[1] - path[0]).max() * RATE < 2.0  # degrees per second
    assert np.abs(path[-1] - path[-2]).max() * RATE < 2.0


def test_the_head_settles_and_sets_out_again() -> None:
    free = free_motion(300, 5)
    path = directed(free, SampleOptions(hold=[(4.0, 6.0)]))
    inside = slice(100, 151)
    assert speed(path[inside]) == pytest.approx(IDLE * speed(free[inside]), rel=1e-6)
    assert speed(path[inside]) > 0
    np.testing.assert_array_equal(path[:80], free[:80])
    np.testing.assert_array_equal(path[170:], free[170:])
    assert acceleration(path) < acceleration(free) + 150.0


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0.01, 5)), min_size=1, max_size=8), seeds)
@settings(max_examples=40)
def test_calm_ranges_of_any_kind_give_smooth_takes_that_start_at_rest(
    ranges: list[tuple[float, float]], seed: int
) -> None:
    free = free_motion(250, seed)
    merged = merged_holds([(a, a + length) for a, length in ranges], 10.0)
    assert all(one[1] < two[0] for one, two in pairwise(merged))
    path = with_holds(free, merged, RATE, end_is_given=True)
    np.testing.assert_array_equal(path[0], free[0])
    np.testing.assert_allclose(path[-1], free[-1], atol=1e-12)
    assert acceleration(path) < acceleration(free) + 1500.0


@given(st.integers(1, 60), st.floats(0.5, 2.0))
def test_a_stretched_recording_has_the_length_that_is_played(frames: int, tempo: float) -> None:
    before = 3
    time = np.arange(frames + before, dtype=np.float32)
    moments = np.array([[before + frames / 2, 1.5]])
    features = MotionFeatures(np.stack([time, 1 - time], axis=1), time, time[:, None], moments)
    fast = stretched(features, tempo, before)
    assert len(fast.weights) - before >= 1 + (frames - 1) * tempo - 1e-6
    np.testing.assert_allclose(fast.weights.sum(axis=1), 1.0, atol=1e-4)
    heard = np.repeat(fast.liveliness[before:, None].astype(float), 6, axis=1)
    again = played(heard, tempo, frames)
    # What was heard at a frame is played at that frame.
    np.testing.assert_allclose(again[:-1, 0], time[before:-1], atol=0.7)
    np.testing.assert_allclose(fast.asked[:, 0], fast.liveliness)
    assert fast.moments[0, 0] - before == pytest.approx(frames / 2 * tempo)
    assert fast.moments[0, 1] == 1.5


def test_gains_change_how_much_a_vector_varies() -> None:
    attention = np.random.default_rng(0).dirichlet(np.ones(4), 50).astype(np.float32)
    ones = np.ones(50, np.float32)
    features = MotionFeatures(attention.copy(), ones, ones[:, None], np.zeros((0, 2)))
    same = with_gains(features, attention, {2: 1.0})
    np.testing.assert_array_equal(same.weights, features.weights)
    none = with_gains(features, attention, {2: 0.0, 4: 3.0})
    assert none.weights[:, 1].std() < 1e-6
    np.testing.assert_allclose(none.weights[:, 3].std(), 3 * attention[:, 3].std(), rtol=1e-4)
    np.testing.assert_allclose(none.weights.mean(axis=0), attention.mean(axis=0), atol=1e-6)
    for number in (0, 5, -1):
        with pytest.raises(InputError, match="1 to 4"):
            with_gains(features, attention, {number: 2.0})


def test_the_centre_of_a_reference_is_its_slow_motion() -> None:
    path = free_motion(200, 7)
    centre = centre_motion(track(path), 150)
    np.testing.assert_allclose(centre, smooth(path, CENTRE_SECONDS * RATE)[:150], atol=1e-5)
    other_rate = centre_motion(track(path).resample(60), 150)
    assert np.abs(other_rate - centre)[:140].max() < 0.1


@pytest.mark.parametrize("frames", [1, 2, 3, 80])
def test_after_a_short_reference_the_head_goes_to_rest(frames: int) -> None:
    path = free_motion(frames, 7) + np.array([0, 12.0, 0, 0, 0, 0])
    centre = centre_motion(track(path), frames + 100)
    assert len(centre) == frames + 100
    np.testing.assert_allclose(centre[frames + 30 :], 0.0, atol=1e-9)
    assert speed(centre[max(frames - 3, 0) :]) < 60.0
    assert acceleration(centre[max(frames - 3, 0) :]) < 400.0


@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_the_shortest_takes_can_be_asked_for_anything(frames: int) -> None:
    free = free_motion(frames, 0)
    for options in (
        SampleOptions(start=(5, 0, 0)),
        SampleOptions(end=(5, 0, 0)),
        SampleOptions(hold=[(0, 9)], smoothing=0.5),
        SampleOptions(pins=[Pin(0, (5, 0, 0))]),
        SampleOptions(hold=[(0, 9)], pins=[Pin(0, (5, 0, 0))]),
    ):
        path = directed(free, options)
        assert np.isfinite(path).all()
        assert path.shape == (frames, 6)
    if frames == 1:
        with pytest.raises(InputError, match="one frame"):
            directed(free, SampleOptions(start=(5, 0, 0), end=(0, 5, 0)))
        path = directed(free, SampleOptions(start=(5, 0, 0), end=(5, 0, 0)))
    else:
        path = directed(free, SampleOptions(start=(5, 0, 0), end=(0, 5, 0)))
        np.testing.assert_allclose(path[-1, :3], (0, 5, 0))
    np.testing.assert_allclose(path[0, :3], (5, 0, 0))
