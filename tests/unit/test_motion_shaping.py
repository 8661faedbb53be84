import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from osmnet_sdk.motion import shaping
from osmnet_sdk.motion.shaping import (
    blend_steps,
    integrate_steps,
    into_ball,
    mean_speed,
    relative_clips,
    rise,
    smooth,
    soft_limit,
)

finite = st.floats(-100.0, 100.0, allow_nan=False, width=32)


def wave(frames: int, seed: int, degrees: float = 12.0) -> NDArray[np.float64]:
    """A smooth path of poses that starts at the zero pose."""
    generator = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / 25.0
    rate = generator.uniform(1.0, 5.0, 6)
    phase = generator.uniform(0.0, 2 * math.pi, 6)
    size = np.array([degrees] * 3 + [0.02] * 3) * generator.uniform(0.5, 1.0, 6)
    path = size * (np.sin(rate * time + phase) - np.sin(phase))
    return np.asarray(path)


@pytest.mark.parametrize("block", [1, 7, 60])
def test_blocks_of_frames_do_not_show(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wave(64, 0)
    clips = relative_clips(path[:, :3], path[:, 3:], 5).astype(np.float32)
    whole = blend_steps(clips)
    monkeypatch.setattr(shaping, "_BLOCK", block)
    np.testing.assert_array_equal(blend_steps(clips), whole)
    np.testing.assert_array_equal(blend_steps(clips.astype(float)), whole)


def test_clips_are_relative_to_their_first_frame_in_its_own_axes() -> None:
    rotation = np.array([[0.0, 90.0, 0.0], [0.0, 100.0, 0.0], [10.0, 90.0, 0.0]])
    translation = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.1, 2.0, 3.0]])
    (clip,) = relative_clips(rotation, translation, 3)
    # A head that looks to its left (+X of the rest head): moving along +X is moving forwards.
    expected = [[0, 0, 0, 0, 0, 0], [0, 10, 0, 0, 0, 0], [10, 0, 0, 0, 0, 0.1]]
    np.testing.assert_allclose(clip, expected, atol=1e-9)


@given(st.integers(0, 30), st.integers(2, 9), st.integers(1, 8))
def test_number_of_clips(frames: int, length: int, stride: int) -> None:
    clips = relative_clips(np.zeros((frames, 3)), np.zeros((frames, 3)), length, stride)
    assert clips.shape == (max(0, (frames - length) // stride + 1), length, 6)


@given(st.integers(0, 1000), st.floats(-170, 170), st.floats(-60, 60))
@settings(max_examples=25)
def test_clips_do_not_change_with_the_place_from_which_a_head_is_seen(
    seed: int, yaw: float, pitch: float
) -> None:
    path = wave(20, seed)
    seen_from = Rotation.from_euler("YX", [yaw, pitch], degrees=True)
    heads = seen_from * Rotation.from_euler("YXZ", path[:, [1, 0, 2]], degrees=True)
    angles = heads.as_euler("YXZ", degrees=True)[:, [1, 0, 2]]
    places = seen_from.apply(path[:, 3:]) + np.array([0.3, 0.1, -2.0])
    expected = relative_clips(path[:, :3], path[:, 3:], 5)
    np.testing.assert_allclose(relative_clips(angles, places, 5), expected, atol=1e-6)


@given(st.integers(0, 1000), st.sampled_from([3, 5, 9]))
@settings(max_examples=25)
def test_chained_clips_give_the_track_they_were_cut_from(seed: int, length: int) -> None:
    path = wave(60, seed)
    clips = relative_clips(path[:, :3], path[:, 3:], length)
    steps = blend_steps(clips)
    # Steps are there from frame T − 2 on; start the sum at the pose of that frame.
    first = length - 2
    start = relative_clips(path[first:, :3], path[first:, 3:], 60 - first)[0]
    chained = integrate_steps(steps, math.inf, math.inf)
    assert len(chained) == 60 - 2 * first
    error = np.abs(chained - start[: len(chained)])
    # The worst of all these paths misses by 0.23° after 60 frames.
    assert error[:, :3].max() < 0.25
    assert error[:, 3:].max() < 0.001


def test_blended_steps_are_a_weighted_mean_of_overlapping_clips() -> None:
    clips = np.zeros((4, 4, 6))
    clips[:, :, 0] = np.array([1.0, 2.0, 3.0, 4.0])[:, None] * np.arange(4)
    # Clip k moves k + 1 degrees per frame; each step is seen by three clips, windows ¼, ½, ¼.
    window = np.sin(np.pi * np.array([1, 3, 5]) / 6) ** 2
    expected = [window @ [1, 2, 3] / window.sum(), window @ [2, 3, 4] / window.sum()]
    np.testing.assert_allclose(blend_steps(clips)[:, 0], expected)


def test_joins_are_no_rougher_than_the_path_of_clips() -> None:
    speeds = np.linspace(0.0, 1.0, 40) ** 2  # a speed that rises smoothly from clip to clip
    clips = speeds[:, None, None] * np.arange(5)[:, None] * np.eye(6)[1]
    steps = blend_steps(clips)[:, 1]
    assert np.abs(np.diff(steps, 2)).max() <= np.abs(np.diff(speeds, 2)).max() + 1e-12


@given(st.integers(0, 1000), st.floats(0.3, 8.0))
@settings(max_examples=25)
def test_leak_bounds_a_constant_step(seed: int, leak: float) -> None:
    step = np.random.default_rng(seed).uniform(-0.2, 0.2, 6) * [1, 1, 1, 0.001, 0.001, 0.001]
    poses = integrate_steps(np.tile(step, (5000, 1)), leak, 10.0)
    assert np.abs(poses[-1, :3]).max() < 0.05  # back at rest although the step goes on
    assert np.isfinite(poses).all()


def test_no_steps_is_the_rest_pose() -> None:
    np.testing.assert_array_equal(integrate_steps(np.zeros((0, 6)), 1.0, 1.0), np.zeros((1, 6)))


def test_integration_turns_about_the_heads_own_axes() -> None:
    # First a quarter turn to the left, then a nod about the turned head's own X axis.
    steps = np.zeros((180, 6))
    steps[:90, 1] = 1.0
    steps[90:110, 0] = 1.0
    steps[110:, 5] = 0.001  # and forwards, which is now +X of the rest head, and down
    poses = integrate_steps(steps, math.inf, math.inf)
    np.testing.assert_allclose(poses[110, :3], [20.0, 90.0, 0.0], atol=1e-6)
    moved = poses[-1, 3:] - poses[110, 3:]
    np.testing.assert_allclose(
        moved, 0.07 * np.array([math.cos(0.349066), -math.sin(0.349066), 0.0]), atol=1e-6
    )


@given(arrays(np.float64, (7, 3), elements=finite))
def test_ball_holds_every_point_and_keeps_directions(points: NDArray[np.float64]) -> None:
    inside = into_ball(points)
    length = np.linalg.norm(inside, axis=1)
    assert (length <= 1 + 1e-9).all()
    np.testing.assert_allclose(
        inside * np.linalg.norm(points, axis=1, keepdims=True), points * length[:, None], atol=1e-6
    )


def test_ball_leaves_the_middle_alone() -> None:
    point = np.array([[0.2, 0.0]])
    np.testing.assert_allclose(into_ball(point), point, rtol=1e-3)


@given(arrays(np.float64, 20, elements=finite), st.floats(0.0, 30.0), st.floats(0.1, 30.0))
def test_soft_limit_is_odd_monotonic_and_bounded(
    values: NDArray[np.float64], knee: float, room: float
) -> None:
    limit = knee + room
    limited = soft_limit(values, knee, limit)
    assert (np.abs(limited) <= limit).all()
    np.testing.assert_array_equal(soft_limit(-values, knee, limit), -limited)
    within = np.abs(values) <= knee
    np.testing.assert_allclose(limited[within], values[within])
    assert (np.diff(soft_limit(np.sort(values), knee, limit)) >= 0).all()


@given(st.integers(1, 200), st.floats(0.0, 20.0), finite, st.floats(-1.0, 1.0))
def test_smoothing_keeps_straight_lines(
    frames: int, deviation: float, start: float, slope: float
) -> None:
    line = start + slope * np.arange(frames)
    assert smooth(line, deviation).shape == (frames,)
    np.testing.assert_allclose(smooth(line, deviation), line, atol=1e-6 * (1 + frames))


def test_smoothing_quietens_noise() -> None:
    noise = np.random.default_rng(0).standard_normal((1000, 2))
    expected = 1 / math.sqrt(2 * math.sqrt(math.pi) * 2.0)  # of white noise under a Gaussian
    np.testing.assert_allclose(smooth(noise, 2.0).std(axis=0), expected, rtol=0.15)


def test_rise_starts_and_ends_flat() -> None:
    ramp = rise(30, 10)
    assert ramp[0] == 0.0
    assert (ramp[10:] == 1.0).all()
    assert ramp[1] < 0.03
    assert (np.diff(ramp) >= 0).all()


def test_mean_speed_is_per_second() -> None:
    np.testing.assert_allclose(mean_speed(np.arange(10)[:, None] * [1.0, -2.0]), [25.0, 50.0])
    np.testing.assert_array_equal(mean_speed(np.zeros((1, 3))), np.zeros(3))


@pytest.mark.parametrize("seconds", [0.5, 4.0])
def test_leak_takes_its_time_constant(seconds: float) -> None:
    steps = np.zeros((100, 6))
    steps[0, 0] = 10.0
    poses = integrate_steps(steps, seconds, math.inf)
    frame = 1 + round(seconds * 25) if seconds < 4 else 100
    expected = 10.0 * math.exp(-(frame - 1) / 25 / seconds)
    np.testing.assert_allclose(poses[frame, 0], expected, rtol=1e-6)
