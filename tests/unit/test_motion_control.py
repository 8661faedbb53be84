"""What an animator asks of a take: moves, pins, calm ranges, ends, retakes, references."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from osmnet_sdk.conventions import FPS
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.directing import directed
from osmnet_sdk.motion.following import CENTRE_SECONDS, centre_motion
from osmnet_sdk.motion.heard import MotionFeatures, played, stretched, with_gains
from osmnet_sdk.motion.moves import Knot, come_from, go_to, move_curve, move_seconds, ramp
from osmnet_sdk.motion.pinning import pose_at
from osmnet_sdk.motion.retaking import frame_range, with_range
from osmnet_sdk.motion.settling import IDLE, merged_ranges, settled
from osmnet_sdk.motion.shaping import smooth
from osmnet_sdk.options import Limits, Pin, SampleOptions
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


# --- moves -------------------------------------------------------------------------------


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


# --- pins --------------------------------------------------------------------------------


@given(
    seeds,
    st.dictionaries(st.integers(0, 119), poses, min_size=1, max_size=8),
)
@settings(max_examples=60)
def test_pins_are_met_exactly_at_frames(
    seed: int, wanted: dict[int, tuple[float, float, float]]
) -> None:
    pins = [Pin(frame / RATE, pose) for frame, pose in wanted.items()]
    path = directed(free_motion(120, seed), SampleOptions(pins=pins)).astype(np.float32)
    for frame, pose in wanted.items():
        np.testing.assert_allclose(path[frame, :3], pose, atol=1e-5)


@given(
    seeds,
    st.lists(
        st.tuples(st.floats(0.0, 4.76), poses),
        min_size=1,
        max_size=6,
        unique_by=lambda p: int(p[0] * 10),
    ),
)
@settings(max_examples=60)
def test_pins_between_frames_are_met_by_the_interpolated_track(
    seed: int, wanted: list[tuple[float, tuple[float, float, float]]]
) -> None:
    times = sorted(time for time, _ in wanted)
    pins = [Pin(time, pose) for time, pose in wanted]
    options = SampleOptions(pins=pins)
    if len(times) > 1 and np.diff(times).min() < 1 / RATE - 1e-6:
        with pytest.raises(InputError, match="one frame"):
            directed(free_motion(120, seed), options)
        return
    path = directed(free_motion(120, seed), options).astype(np.float32).astype(float)
    for pin in pins:
        np.testing.assert_allclose(pose_at(path, pin.time, RATE)[:3], pin.rotation, atol=1e-4)


def test_the_tracks_own_resampling_meets_a_pin_between_frames() -> None:
    path = directed(free_motion(120, 1), SampleOptions(pins=[Pin(2.01, (4.0, 25.0, -3.0))]))
    finer = track(path).resample(100)
    np.testing.assert_allclose(finer.rotation[201], (4.0, 25.0, -3.0), atol=1e-4)


@given(seeds, st.floats(1.5, 3.0), st.floats(-60.0, 60.0))
@settings(max_examples=60)
def test_a_pin_adds_only_what_its_move_needs(seed: int, time: float, yaw: float) -> None:
    """Speed and acceleration are those of the free take and of a minimum-jerk move, no more."""
    free = free_motion(120, seed)
    path = directed(free, SampleOptions(pins=[Pin(time, (None, yaw, None))]))
    distance = abs(yaw - pose_at(free, time, RATE)[1])
    seconds = move_seconds([0.0, distance, 0.0])
    yaws, moved = free[:, 1], path[:, 1]
    assert speed(moved) <= speed(yaws) + 1.9 * distance / seconds + 0.1
    bend = (speed(yaws) + 1.9 * distance / seconds) ** 2 / (0.2 * 30.0) * 0.8
    allowed = 5.8 * distance / seconds**2 + (bend if np.abs(moved).max() > 30.0 else 0.0)
    assert acceleration(moved) <= acceleration(yaws) + allowed + 1.0
    np.testing.assert_array_equal(path[:, [0, 2, 3, 4, 5]], free[:, [0, 2, 3, 4, 5]])
    far = np.abs(np.arange(120) / RATE - time) > seconds + 0.01
    np.testing.assert_array_equal(moved[far], yaws[far])


def test_early_and_late_pins_displace_the_ends() -> None:
    free = free_motion(120, 0)
    path = directed(free, SampleOptions(pins=[Pin(0.0, (0, 30, 0)), Pin(4.7, (0, -30, 0))]))
    np.testing.assert_allclose(path[0, :3], (0, 30, 0), atol=1e-6)
    assert speed(path) < speed(free) + 60.0
    assert acceleration(path) < acceleration(free) + 200.0
    # Just enough time to set out from rest:
    path = directed(free, SampleOptions(pins=[Pin(0.6, (None, 30, None))]))
    np.testing.assert_array_equal(path[0], 0.0)


def test_a_translation_can_be_pinned_alone() -> None:
    free = free_motion(120, 0)
    path = directed(free, SampleOptions(pins=[Pin(2.0, translation=(None, 0.03, None))]))
    assert path[50, 4] == pytest.approx(0.03, abs=1e-7)
    np.testing.assert_array_equal(path[:, [0, 1, 2, 3, 5]], free[:, [0, 1, 2, 3, 5]])


def test_pins_close_together_go_straight_from_one_to_the_next() -> None:
    pins = [Pin(2.0 + 0.04 * k, (None, 3.0 * k, None)) for k in range(8)]
    path = directed(np.zeros((120, 6)), SampleOptions(pins=pins))
    np.testing.assert_allclose(path[50:58, 1], 3.0 * np.arange(8), atol=1e-6)
    pins = [Pin(2.0, (None, 20.0, None)), Pin(3.0, (None, 20.0, None))]
    path = directed(np.zeros((120, 6)), SampleOptions(pins=pins))
    np.testing.assert_allclose(path[50:76, 1], 20.0, atol=1e-6)


def test_a_pin_in_a_calm_range_holds_for_all_of_it() -> None:
    options = SampleOptions(still=[(2.0, 3.0)], pins=[Pin(2.4, (0.0, 25.0, 0.0))])
    path = directed(free_motion(150, 3), options)
    assert np.abs(path[50:76, 1] - 25.0).max() < 1.5
    assert path[60, 1] == pytest.approx(25.0, abs=1e-6)


def test_a_take_near_a_pin_stays_near_its_limit() -> None:
    free = free_motion(500, 2) * 3
    path = directed(free, SampleOptions(pins=[Pin(10.0, (None, 60.0, None))]))
    assert np.abs(path).max() < 72.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pins": [Pin(1.0, (0, 0, 0)), Pin(1.02, (0, 9, 0))]}, "one frame"),
        ({"pins": [Pin(1.0, (0, 0, 0)), Pin(1.0, (0, 0, 0))]}, "one frame"),
        ({"pins": [Pin(0.0, (0, 0, 0))], "start": (1, 2, 3)}, "one frame"),
        ({"pins": [Pin(1.96, (0, 0, 0))], "end": (1, 2, 3)}, "one frame"),
        ({"pins": [Pin(2.1, (0, 0, 0))]}, "outside the sound, which ends at 2 s"),
        ({"still": [(2.5, 3.0)]}, "ends at 2 s"),
    ],
)
def test_what_does_not_fit_is_one_sentence(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        directed(free_motion(50, 0), SampleOptions(**options))
    assert "\n" not in str(caught.value)


def test_pins_of_different_axes_may_share_a_frame() -> None:
    pins = [Pin(1.0, (5.0, None, None)), Pin(1.0, (None, 9.0, None))]
    path = directed(free_motion(50, 0), SampleOptions(pins=pins))
    np.testing.assert_allclose(path[25, :2], (5.0, 9.0), atol=1e-6)


@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_the_shortest_takes_can_be_asked_for_anything(frames: int) -> None:
    free = free_motion(frames, 0)
    for options in (
        SampleOptions(start=(5, 0, 0)),
        SampleOptions(end=(5, 0, 0)),
        SampleOptions(still=[(0, 9)], smoothing=0.5),
        SampleOptions(pins=[Pin(0, (5, 0, 0))]),
        SampleOptions(still=[(0, 9)], pins=[Pin(0, (5, 0, 0))]),
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


# --- gains, smoothing, limits, ends, calm ranges -----------------------------------------


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
    path = directed(free, SampleOptions(still=[(4.0, 6.0)]))
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
    merged = merged_ranges([(a, a + length) for a, length in ranges], 10.0)
    assert all(one[1] < two[0] for one, two in pairwise(merged))
    path = settled(free, merged, RATE, end_is_given=True)
    np.testing.assert_array_equal(path[0], free[0])
    np.testing.assert_allclose(path[-1], free[-1], atol=1e-12)
    assert acceleration(path) < acceleration(free) + 1500.0


# --- tempo, basis, follow ----------------------------------------------------------------


@given(st.integers(1, 60), st.floats(0.5, 2.0))
def test_a_stretched_recording_has_the_length_that_is_played(frames: int, tempo: float) -> None:
    before = 3
    time = np.arange(frames + before, dtype=np.float32)
    features = MotionFeatures(np.stack([time, 1 - time], axis=1), time)
    fast = stretched(features, tempo, before)
    assert len(fast.weights) - before >= 1 + (frames - 1) * tempo - 1e-6
    np.testing.assert_allclose(fast.weights.sum(axis=1), 1.0, atol=1e-4)
    heard = np.repeat(fast.liveliness[before:, None].astype(float), 6, axis=1)
    again = played(heard, tempo, frames)
    # What was heard at a frame is played at that frame.
    np.testing.assert_allclose(again[:-1, 0], time[before:-1], atol=0.7)


def test_gains_change_how_much_a_vector_varies() -> None:
    attention = np.random.default_rng(0).dirichlet(np.ones(4), 50).astype(np.float32)
    features = MotionFeatures(attention.copy(), np.ones(50, np.float32))
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


# --- retakes -----------------------------------------------------------------------------


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
