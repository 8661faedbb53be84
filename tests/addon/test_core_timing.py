from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from osmnet_addon.core import timing


@pytest.mark.parametrize(
    ("fps", "base", "rate"),
    [
        (24, 1.0, Fraction(24)),
        (30, 1.001, Fraction(30000, 1001)),
        (24, 1.001, Fraction(24000, 1001)),
        (60, 1.001, Fraction(60000, 1001)),
        (60, 1.0, Fraction(60)),
        (30, 30 / 29.97, Fraction(2997, 100)),
        (1, 0.5, Fraction(2)),
    ],
)
def test_scene_rate_is_exact(fps: int, base: float, rate: Fraction) -> None:
    assert timing.scene_rate(fps, base) == rate
    assert timing.scene_rate(fps, float(np.float32(base))) == rate


@given(st.integers(1, 32767), st.floats(2.0**-16, 1e6, width=32))
def test_scene_rate_is_near_for_any_base(fps: int, base: float) -> None:
    assert math.isclose(timing.scene_rate(fps, base), fps / base, rel_tol=2e-7)


@pytest.mark.parametrize("rate", [24, 25, Fraction(30000, 1001), 30, 60])
def test_keys_lie_at_the_times_of_the_samples(rate: Fraction) -> None:
    frames = timing.key_frames(1500, Fraction(25), 1.0, Fraction(rate))
    assert frames.shape == (1500,)
    seconds = [timing.frame_time(frame, 1.0, Fraction(rate)) for frame in frames]
    np.testing.assert_allclose(seconds, np.arange(1500) / 25, atol=1e-9)


@pytest.mark.parametrize(
    ("count", "fps", "start", "rate", "expected"),
    [
        (25, 25, 1.0, 24, range(1, 25)),
        (25, 25, 1.0, 25, range(1, 26)),
        (25, 25, 1.5, 25, range(2, 27)),
        (26, 25, 1.0, 24, range(1, 26)),
        (1, 25, 10.0, 60, range(10, 13)),
        (1500, 25, 0.0, Fraction(30000, 1001), range(0, 1799)),
        (25, 25, 0.1 + 0.2 + 0.7, 25, range(1, 26)),
        (25, 25, -3.0, 25, range(-3, 22)),
    ],
)
def test_scene_frames(count: int, fps: int, start: float, rate: Fraction, expected: range) -> None:
    assert timing.scene_frames(count, Fraction(fps), start, Fraction(rate)) == expected


@given(
    st.integers(1, 3000),
    st.sampled_from([Fraction(25), Fraction(30000, 1001), Fraction(60)]),
    st.integers(-1000, 1000),
    st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60)]),
)
def test_scene_frames_are_all_those_within_the_take(
    count: int, fps: Fraction, start: int, rate: Fraction
) -> None:
    frames = timing.scene_frames(count, fps, float(start), rate)
    inside = [
        frame
        for frame in range(start - 2, start + math.ceil(count * rate / fps) + 3)
        if 0 <= (frame - start) / rate < count / fps
    ]
    assert list(frames) == inside


def test_samples_at_another_rate() -> None:
    values = np.column_stack([np.arange(5.0), 10.0 - np.arange(5.0)])
    same = timing.resampled(values, Fraction(25), Fraction(25), 5)
    np.testing.assert_array_equal(same, values)
    longer = timing.resampled(values, Fraction(25), Fraction(25), 8)
    np.testing.assert_array_equal(longer, [*values, values[-1], values[-1], values[-1]])
    np.testing.assert_array_equal(
        timing.resampled(values, Fraction(25), Fraction(25), 2), values[:2]
    )
    double = timing.resampled(values, Fraction(25), Fraction(50), 9)
    np.testing.assert_allclose(double[:, 0], np.arange(9) / 2)
