"""Few keys for many samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osmnet_addon.core import sparse
from osmnet_addon.core.errors import AddonError
from scipy.interpolate import CubicHermiteSpline


def waves(count: int, columns: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    times = np.arange(count)[:, None] / 25
    return np.sin(times * random.uniform(0.5, 8, columns) + random.uniform(0, 6, columns))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(0, 99), st.floats(1e-3, 0.5))
def test_no_sample_is_missed_by_more_than_the_tolerance(count, seed, tolerance) -> None:
    values = waves(count, 4, seed)
    for spline, column in zip(
        sparse.fit(values, np.full(4, tolerance), kept=(3, 500)), values.T, strict=True
    ):
        places = spline.place
        assert {0, count - 1} <= set(places.astype(int))
        if count > 3:
            assert 3 in places
        if len(places) > 1:
            drawn = CubicHermiteSpline(places, spline.value, spline.slope)(np.arange(count))
            assert np.abs(drawn - column).max() <= tolerance


def test_slow_motion_needs_few_keys() -> None:
    times = np.arange(1500)[:, None] / 25
    values = np.radians(10) * np.sin(2 * np.pi * 0.25 * times)
    (spline,) = sparse.fit(values, np.array([np.radians(0.2)]))
    assert len(spline.place) < 150
    (flat,) = sparse.fit(np.zeros((1500, 1)), np.array([0.01]))
    assert len(flat.place) == 2


def test_handles_lie_at_a_third_and_on_a_line() -> None:
    spline = sparse.Spline(np.array([0.0, 6.0, 9.0]), np.array([1.0, 2.0, 0.0]), np.full(3, 0.5))
    rows = spline.rows()
    np.testing.assert_allclose(rows[1], [6, 2, 4, 1, 7, 2.5])
    np.testing.assert_allclose(rows[0, 4:], [2, 2])
    np.testing.assert_allclose(rows[2, 2:4], [8, -0.5])


def test_points_between_samples_are_met() -> None:
    values = waves(50, 1, 3)
    (spline,) = sparse.fit(values, np.array([0.01]), kept=(10, 11))
    through = spline.through([(10.4, 0.123), (20.0 if 20.0 in spline.place else 0.0, -0.5)])
    drawn = CubicHermiteSpline(through.place, through.value, through.slope)
    assert drawn(10.4) == pytest.approx(0.123)
    assert -0.5 in through.value
    before = CubicHermiteSpline(spline.place, spline.value, spline.slope)
    assert through.slope[list(through.place).index(10.4)] == pytest.approx(
        before.derivative()(10.4)
    )


def test_packed_keys_come_back() -> None:
    keys = {0: np.arange(12.0).reshape(2, 6), 57: np.ones((1, 6))}
    data = sparse.pack(keys)
    back = sparse.unpack(data)
    assert list(back) == [0, 57]
    for channel, rows in keys.items():
        np.testing.assert_array_equal(back[channel], rows)
    assert sparse.unpack(sparse.pack({})) == {}
    for broken in (b"", data[:100], data[:-3], data + b"x"):
        with pytest.raises(AddonError, match="damaged"):
            sparse.unpack(broken)
