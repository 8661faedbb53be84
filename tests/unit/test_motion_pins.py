"""Poses at given times: met exactly, with natural motion in between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motion_paths import RATE, acceleration, free_motion, poses, seeds, speed, track

from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.edit.directing import directed
from osmnet_sdk.motion.edit.min_jerk import move_seconds
from osmnet_sdk.motion.edit.pins import pose_at
from osmnet_sdk.options import Pin, SampleOptions


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
    options = SampleOptions(hold=[(2.0, 3.0)], pins=[Pin(2.4, (0.0, 25.0, 0.0))])
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
        ({"hold": [(2.5, 3.0)]}, "ends at 2 s"),
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
