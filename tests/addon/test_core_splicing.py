"""Ranges of a curve's keys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from osmnet_addon.core.splicing import Keys, Kinds, new_keys, spliced, split

KINDS = Kinds(bezier=2, free=0, automatic=4)


def keys_of(times, values, slopes) -> Keys:
    """Cubic curves between keys: with handles at a third, time runs evenly."""
    times, values, slopes = (np.asarray(each, float) for each in (times, values, slopes))
    arms = np.diff(times) / 3
    before, after = np.append(1.0, arms), np.append(arms, 1.0)
    other = {
        name: np.full(len(times), kind)
        for name, kind in (("interpolation", 2), ("handle_left_type", 1), ("handle_right_type", 1))
    }
    return Keys(
        np.column_stack([times, values]),
        np.column_stack([times - before, values - slopes * before]),
        np.column_stack([times + after, values + slopes * after]),
        other,
    )


def value_at(keys: Keys, frame: float) -> float:
    """Bernstein's form, the time solved by numpy's roots."""
    place = int(np.clip(np.searchsorted(keys.co[:, 0], frame) - 1, 0, len(keys) - 2))
    points = [keys.co[place], keys.right[place], keys.left[place + 1], keys.co[place + 1]]
    x, y = np.array(points).T
    rows = np.array([[1, 0, 0, 0], [-3, 3, 0, 0], [3, -6, 3, 0], [-1, 3, -3, 1]])
    powers = rows @ x
    powers[0] -= frame
    roots = np.roots(powers[::-1])
    share = min(roots, key=lambda root: abs(root.imag) + max(0, -root.real, root.real - 1)).real
    return float(np.polyval((rows @ y)[::-1], share))


NUMBER = st.floats(-5, 5)


@given(st.lists(NUMBER, min_size=8, max_size=8), st.floats(0.5, 28.5))
def test_a_key_more_changes_nothing(numbers, frame) -> None:
    keys = keys_of([0, 7, 15, 29], numbers[:4], numbers[4:])
    more = split(keys, frame, lambda at: value_at(keys, at), KINDS)
    assert more.at(frame) >= 0
    for at in np.linspace(0.1, 28.9, 40):
        assert value_at(more, at) == pytest.approx(value_at(keys, at), abs=1e-5)


def test_what_is_outside_stays_key_by_key() -> None:
    keys = keys_of(np.arange(20.0), np.arange(20.0), np.zeros(20))
    inside = new_keys(np.arange(8.0, 12.0), np.zeros(4), keys, KINDS)
    new = spliced(keys, (5, 15), inside, (7.0, 12.0), lambda at: 0.0, KINDS)
    assert new.co[:, 0].tolist() == list(range(20))
    np.testing.assert_array_equal(
        new.co[[*range(8), *range(12, 20)], 1], [*range(8), *range(12, 20)]
    )
    assert not new.co[8:12, 1].any()
    assert (
        new.other["handle_left_type"] == np.where((new.co[:, 0] > 7) & (new.co[:, 0] < 12), 4, 1)
    ).all()


def test_keys_far_apart_are_split_and_frozen_at_the_ends() -> None:
    keys = keys_of([0, 40], [0, 8], [1, -1])
    inside = new_keys(np.array([20.0]), np.zeros(1), keys, KINDS)
    new = spliced(keys, (9, 31), inside, (10.0, 30.0), lambda at: 0.0, KINDS)
    assert new.co[:, 0].tolist() == [0, 10, 20, 30, 40]
    assert new.other["handle_right_type"].tolist() == [0, 0, 4, 0, 0]
    for at in np.linspace(0.5, 9.5, 10):
        assert value_at(new, at) == pytest.approx(value_at(keys, at), abs=1e-6)


def test_a_whole_curve_is_replaced() -> None:
    keys = keys_of([0, 40], [0, 8], [1, -1])
    inside = new_keys(np.arange(41.0), np.ones(41), keys, KINDS)
    new = spliced(keys, (0, 40), inside, (None, None), lambda at: 0.0, KINDS)
    assert (new.co[:, 1] == 1).all()
