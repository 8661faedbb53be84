"""Figures of head motion against paths whose figures are known."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from osmnet_sdk.errors import InputError
from osmnet_sdk.research.data import motion_statistics as statistics
from osmnet_sdk.research.evaluation.motion.classifier import (
    real_from_real,
    takes_from_real,
    window_features,
)
from osmnet_sdk.research.evaluation.motion.hour import HourFigures
from osmnet_sdk.research.evaluation.motion.rows import hour_rows

Array = NDArray[np.float64]


def sine(frames: int, hertz: float, size: float = 1.0) -> Array:
    return size * np.sin(2 * np.pi * hertz * np.arange(frames)[:, None] / 25.0)


@given(st.integers(0, 450))
def test_windows_are_whole_and_do_not_overlap(frames: int) -> None:
    path = np.arange(frames)[:, None] * [1.0, 2.0]
    cut = statistics.windows(path)
    assert cut.shape == (frames // 100, 100, 2)
    np.testing.assert_array_equal(cut.reshape(-1, 2), path[: len(cut) * 100])


def test_sizes_by_hand() -> None:
    wave = sine(100, 0.5, 4.0)[None]  # two whole periods
    np.testing.assert_allclose(statistics.deviation(wave), 4 / np.sqrt(2))
    np.testing.assert_allclose(statistics.speed(wave), 4 * 4 * 0.5, rtol=0.02)
    rate = 2 * np.pi * 0.5
    np.testing.assert_allclose(statistics.acceleration(wave), 4 * rate**2 * 2 / np.pi, rtol=0.03)
    np.testing.assert_allclose(statistics.extent(wave), 8.0, rtol=0.01)
    line = np.arange(100.0)[None, :, None]
    assert statistics.speed(line)[0, 0] == pytest.approx(25.0)
    assert statistics.acceleration(line)[0, 0] == pytest.approx(0.0)


@pytest.mark.parametrize(("hertz", "octave"), [(0.6, 0), (1.2, 1), (2.4, 2), (5.0, 3)])
def test_power_lies_in_its_octave_and_grows_with_size(hertz: float, octave: int) -> None:
    power = statistics.octave_power(np.hstack([sine(500, hertz), sine(500, hertz, 10.0)]))
    assert power.shape == (4, 2)
    assert power[:, 0].argmax() == octave
    np.testing.assert_allclose(power[octave, 1] - power[octave, 0], 20.0)


def test_joins_show_where_clips_are_hung_together() -> None:
    path = np.random.default_rng(0).standard_normal((4001, 3)).cumsum(axis=0)
    assert statistics.join_ratio(path, 5) == pytest.approx(1.0, abs=0.1)
    kinks = np.zeros((401, 3))
    kinks[:, 1] = np.abs(np.arange(401) % 8 - 4)  # turns back at every fourth frame
    assert statistics.join_ratio(kinks, 5) > 100
    assert statistics.join_ratio(np.roll(kinks, 1, axis=0), 5) < 1


def test_distances_by_hand() -> None:
    zero, one = np.zeros((1, 100, 3)), np.ones((2, 100, 3))
    one[1, 50:] = 0.0
    np.testing.assert_allclose(statistics.distances(zero, one), [[1.0, np.sqrt(0.5)]])


def test_speed_that_follows_the_sound_correlates_and_moved_sound_does_not() -> None:
    generator = np.random.default_rng(1)
    level = statistics.smooth(generator.standard_normal(600), 6.0)
    path = np.zeros((600, 6))
    path[:, 1] = np.cumsum(2.0 + level) / 25
    found = statistics.shifted_correlations(statistics.head_speed(path), level)
    assert found[0] == found.max() > 0.9
    assert abs(found[100:500].mean()) < 0.1
    late = statistics.shifted_correlations(statistics.head_speed(path), np.roll(level, -60))
    assert late.argmax() == 60
    assert statistics.permutation_p([found], 0) < 0.01
    assert statistics.permutation_p([late], 0) > 0.05
    assert (statistics.shifted_correlations(np.ones(50), level[:50]) == 0).all()


def test_p_is_even_where_there_is_nothing() -> None:
    generator = np.random.default_rng(2)
    smooth = statistics.smooth
    chance = [
        statistics.permutation_p(
            [
                statistics.shifted_correlations(
                    smooth(generator.standard_normal(300), 3.0),
                    smooth(generator.standard_normal(300), 3.0),
                )
                for _ in range(3)
            ],
            0,
            rounds=199,
        )
        for _ in range(60)
    ]
    assert 0.35 < np.mean(chance) < 0.65
    assert np.mean(np.array(chance) < 0.1) < 0.25


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.booleans())
def test_pauses_are_silences_of_a_second_and_more(lengths: list[int], first: bool) -> None:
    spoken = np.concatenate([np.full(n, (i % 2 == 0) == first) for i, n in enumerate(lengths)])
    expected = np.concatenate(
        [np.full(n, (i % 2 == 0) != first and n >= 25) for i, n in enumerate(lengths)]
    )
    np.testing.assert_array_equal(statistics.pauses(spoken), expected)


def test_bootstrap_covers_as_often_as_it_says() -> None:
    generator = np.random.default_rng(3)
    hits = 0
    for seed in range(100):
        low, high = statistics.bootstrap(generator.standard_normal(40), np.mean, seed)
        hits += bool(low <= 0 <= high)
    assert 80 <= hits <= 97
    low, high = statistics.bootstrap(np.full((5, 2), 3.0), np.median, 0)
    assert (low == 3.0).all()
    assert (high == 3.0).all()


def speakers(seed: int, size: float) -> list[Array]:
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(8):
        noise = generator.standard_normal((500, 6)) * generator.uniform(0.7, 1.4)
        found.append(window_features(size * statistics.smooth(noise, 4.0)))
    return found


def test_a_classifier_tells_what_differs_and_nothing_else() -> None:
    real = speakers(0, 1.0)
    assert real[0].shape == (5, 61)
    assert takes_from_real(real, speakers(1, 4.0), 0, rounds=3).min() > 0.95
    alike = takes_from_real(real, speakers(1, 1.0), 0, rounds=6)
    assert 0.3 < alike.mean() < 0.7
    assert 0.3 < real_from_real(real, 0, rounds=6).mean() < 0.7
    with pytest.raises(InputError, match="4 speakers"):
        takes_from_real(real[:3], real[:3], 0)


def test_rows_of_an_hour_are_plain_values() -> None:
    hour = HourFigures(np.float64(20.0), 1.0, 6.0, 900.0, 0.2)
    rows = hour_rows(hour)
    assert [row.passed for row in rows] == [True] * 5
    assert json.loads(json.dumps([asdict(row) for row in rows]))[0]["values"]["takes"] == 20.0
    assert not hour_rows(HourFigures(36.0, 1.0, 6.0, None, 0.2))[0].passed
