from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.blink import GAZE_DEGREES, combine, sample_eyes
from osmnet_sdk.options import SampleOptions
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

LEFT, RIGHT = ARKIT_NAMES.index("eyeBlinkLeft"), ARKIT_NAMES.index("eyeBlinkRight")


def blink_starts(eyes, column=LEFT):
    closed = eyes[:, column] > 0.5
    return np.flatnonzero(closed[1:] & ~closed[:-1]) + 1


def gaze(eyes):
    def column(name):
        return eyes[:, ARKIT_NAMES.index(name)]

    yaw = column("eyeLookOutLeft") * GAZE_DEGREES["Out"]
    yaw = yaw - column("eyeLookInLeft") * GAZE_DEGREES["In"]
    pitch = column("eyeLookDownLeft") * GAZE_DEGREES["Down"]
    return yaw, pitch - column("eyeLookUpLeft") * GAZE_DEGREES["Up"]


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32),
    take=st.integers(0, 50),
    frames=st.integers(750, 3000),
    speaking=st.booleans(),
)
def test_blink_rate_stays_human(seed, take, frames, speaking):
    speech = (np.arange(frames) // 40 % 2).astype(float) if speaking else None
    eyes = sample_eyes(frames, seed=seed, take=take, speech=speech)
    closed = eyes[:, LEFT] > 0.5
    count = len(blink_starts(eyes)) + bool(closed[0])
    # A blink that the end cuts short does not count as one.
    assert (count + 0.5) * 60 / (frames / 25) >= 2
    assert (count - 0.5) * 60 / (frames / 25) <= 30
    assert eyes.min() >= 0
    assert eyes.max() <= 1


def test_mean_rate_is_what_was_asked_for():
    for asked in (6.0, 14.0, 25.0):
        options = SampleOptions(blinks_per_minute=asked)
        counts = [
            len(blink_starts(sample_eyes(6000, seed=seed, take=0, options=options)))
            for seed in range(20)
        ]
        assert np.mean(counts) / 4 == pytest.approx(asked, rel=0.15)


def test_intervals_vary():
    starts = blink_starts(sample_eyes(30_000, seed=3, take=0)) / 25
    waits = np.diff(starts)
    assert waits.std() / waits.mean() > 0.25
    assert waits.min() > 1.9


def test_a_blink_closes_both_eyes_fast_and_opens_slowly():
    eyes = sample_eyes(1500, seed=5, take=1, options=SampleOptions(gaze=0.0))
    starts = blink_starts(eyes)
    assert len(starts) > 5
    differs = False
    for start in starts[:-1]:
        window = slice(max(start - 6, 0), start + 12)
        left, right = eyes[window, LEFT], eyes[window, RIGHT]
        assert left.max() > 0.95
        assert right.max() > 0.95
        peak = int(np.argmax(left))
        closing = np.count_nonzero((left[:peak] > 0.02) & (left[:peak] < 0.95))
        opening = np.count_nonzero((left[peak:] > 0.02) & (left[peak:] < 0.95))
        assert closing <= 2
        assert 2 <= opening <= 5
        assert left[0] < 0.05
        assert left[-1] < 0.05
        differs = differs or bool(np.abs(left - right).max() > 0.005)
    assert differs


def test_same_take_same_eyes_whatever_the_length():
    long, short = sample_eyes(2000, seed=9, take=3), sample_eyes(700, seed=9, take=3)
    assert np.array_equal(long[:690], short[:690])
    assert np.array_equal(short, sample_eyes(700, seed=9, take=3))
    assert not np.array_equal(short, sample_eyes(700, seed=9, take=4))
    assert not np.array_equal(short, sample_eyes(700, seed=10, take=3))


def test_gaze_makes_small_fast_shifts_and_comes_back():
    yaw, pitch = gaze(sample_eyes(7500, seed=2, take=0))
    size = np.hypot(yaw, pitch)
    assert 4 < size.max() < 9
    assert np.mean(size < 1.6) > 0.3
    away = size > 2
    assert 0.1 < away.mean() < 0.6
    speed = np.hypot(np.diff(yaw), np.diff(pitch)) * 25
    # Still most of the time, fast in between: saccades and fixations.
    assert np.mean(speed < 1) > 0.9
    assert speed.max() > 50


def test_both_eyes_look_the_same_way():
    eyes = sample_eyes(2000, seed=4, take=0)
    for one, other in (
        ("eyeLookOutLeft", "eyeLookInRight"),
        ("eyeLookInLeft", "eyeLookOutRight"),
        ("eyeLookDownLeft", "eyeLookDownRight"),
    ):
        np.testing.assert_allclose(
            eyes[:, ARKIT_NAMES.index(one)], eyes[:, ARKIT_NAMES.index(other)], atol=1e-6
        )
        assert eyes[:, ARKIT_NAMES.index(one)].max() > 0.05


def test_eyes_hold_on_to_the_viewer_as_the_head_turns():
    rotation = np.zeros((200, 3))
    rotation[:, 1] = 10.0
    motion = MotionTrack(FPS, rotation, np.zeros((200, 3)))
    still, _ = gaze(sample_eyes(200, seed=1, take=0))
    turned, _ = gaze(sample_eyes(200, seed=1, take=0, motion=motion))
    assert np.median(turned - still) == pytest.approx(-6.0, abs=1.5)


def test_options_switch_blinks_and_gaze_off():
    none = sample_eyes(1000, seed=1, take=0, options=SampleOptions(blinks_per_minute=0.0, gaze=0.0))
    assert not none.any()


def test_pauses_draw_blinks():
    speech = (np.arange(30_000) % 100 < 75).astype(float)
    phase = blink_starts(sample_eyes(30_000, seed=1, take=0, speech=speech)) % 100
    near = np.mean((phase >= 74) & (phase <= 80))
    without = blink_starts(sample_eyes(30_000, seed=1, take=0)) % 100
    assert near > 1.5 * np.mean((without >= 74) & (without <= 80))


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": -1, "seed": 0, "take": 0},
        {"frames": 10, "seed": -1, "take": 0},
        {"frames": 10, "seed": 0, "take": 0, "speech": np.zeros(9)},
        {
            "frames": 10,
            "seed": 0,
            "take": 0,
            "motion": MotionTrack(FPS, np.zeros((9, 3)), np.zeros((9, 3))),
        },
        {
            "frames": 10,
            "seed": 0,
            "take": 0,
            "motion": MotionTrack(Fraction(30), np.zeros((10, 3)), np.zeros((10, 3))),
        },
    ],
)
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(InputError):
        sample_eyes(wrong.pop("frames"), **wrong)


def test_combine_closes_what_is_left_open_and_adds_the_rest():
    base = np.full((5, 52), 0.4, np.float32)
    eyes = np.zeros((5, 52), np.float32)
    eyes[:, LEFT] = 0.5
    eyes[:, ARKIT_NAMES.index("eyeLookOutLeft")] = 0.9
    result = combine(ExpressionTrack(FPS, base), eyes)
    assert result.column("eyeBlinkLeft") == pytest.approx(0.7)
    assert result.column("eyeLookOutLeft") == pytest.approx(1.0)
    assert result.column("jawOpen") == pytest.approx(0.4)
    with pytest.raises(InputError):
        combine(ExpressionTrack(FPS, base), eyes[:4])
