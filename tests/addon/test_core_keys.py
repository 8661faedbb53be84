from __future__ import annotations

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from osmnet_addon.core import keys

CONTEXT = {"photo": "abc", "size": [256, 256], "label": True}


def performance(frames: int = 20) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    return (
        random.uniform(-180, 180, (frames, 3)),
        random.uniform(-10, 10, (frames, 3)),
        random.uniform(0, 1, (frames, 52)),
    )


def test_rounding_is_finer_than_the_steps_and_stable() -> None:
    values = performance(2000)
    once = keys.quantise(*values)
    twice = keys.quantise(*once)
    for exact, first, second, step in zip(values, once, twice, (1e-3, 1e-6, 1e-4), strict=True):
        assert first.dtype == np.float32
        np.testing.assert_array_equal(first, second)
        assert np.abs(first - exact).max() <= step  # half a step, and float32's own rounding


@settings(deadline=None)
@given(
    arrays(np.float64, (3, 3), elements=st.floats(-180, 180)),
    arrays(np.float64, (3, 3), elements=st.floats(-10, 10)),
    arrays(np.float64, (3, 52), elements=st.floats(0, 1)),
)
def test_rounded_values_have_the_same_keys(
    rotation: np.ndarray, translation: np.ndarray, coefficients: np.ndarray
) -> None:
    once = keys.quantise(rotation, translation, coefficients)
    assert keys.frame_keys(*once, CONTEXT, 1) == keys.frame_keys(
        rotation, translation, coefficients, CONTEXT, 1
    )
    for first, second in zip(once, keys.quantise(*once), strict=True):
        assert first.tobytes() == second.tobytes()  # no −0.0 either


def test_keys_are_short_texts() -> None:
    found = keys.frame_keys(*performance(), CONTEXT, 0)
    assert len(found) == len(set(found)) == 20
    assert all(len(key) == 32 and set(key) <= set(string.hexdigits.lower()) for key in found)


@pytest.mark.parametrize("window", [0, 1, 3])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_change_shows_in_the_window_around_it(window: int, part: int) -> None:
    values = performance()
    old = keys.frame_keys(*values, CONTEXT, window)
    values[part][7, 1] += 0.01 if part != 2 else -values[2][7, 1]
    new = keys.frame_keys(*values, CONTEXT, window)
    assert keys.changed(old, new) == list(range(7 - window, 7 + window + 1))


def test_ends_stand_for_what_is_beyond() -> None:
    values = performance()
    longer = tuple(np.concatenate([part[:1], part, part[-1:]]) for part in values)
    assert keys.frame_keys(*longer, CONTEXT, 1)[1:-1] == keys.frame_keys(*values, CONTEXT, 1)


def test_a_key_does_not_depend_on_its_number() -> None:
    still = tuple(np.repeat(part[:1], 5, axis=0) for part in performance())
    assert len(set(keys.frame_keys(*still, CONTEXT, 2))) == 1


def test_context_counts_but_not_its_order() -> None:
    values = performance()
    old = keys.frame_keys(*values, CONTEXT, 0)
    assert keys.frame_keys(*values, dict(reversed(CONTEXT.items())), 0) == old
    for other in ({**CONTEXT, "label": False}, {**CONTEXT, "size": "crop"}, {}):
        assert keys.changed(old, keys.frame_keys(*values, other, 0)) == list(range(20))


def test_tiny_changes_do_not_count() -> None:
    values = keys.quantise(*performance())
    old = keys.frame_keys(*values, CONTEXT, 0)
    moved = (values[0] + 1e-5, values[1], values[2] + 1e-6)
    assert keys.frame_keys(*moved, CONTEXT, 0) == old


def test_changed_counts_new_frames_and_not_lost_ones() -> None:
    assert keys.changed(["a", "b"], ["a", "c", "d"]) == [1, 2]
    assert keys.changed(["a", "b"], ["a"]) == []
    assert keys.changed([], []) == []


def test_values_of_broken_curves_have_keys_too() -> None:
    values = performance()
    for part, value in zip(values, (np.nan, 1e300, -np.inf), strict=True):
        part[3, 0] = value
    with np.errstate(all="ignore"):
        assert len(set(keys.frame_keys(*values, CONTEXT, 0))) == 20


def test_no_frames() -> None:
    empty = np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 52))
    assert keys.frame_keys(*empty, CONTEXT, 2) == []


def test_keys_are_the_same_everywhere() -> None:
    """A cache may be shared by computers; a change here makes every cached frame useless."""
    values = np.full((1, 3), -1.2344), np.full((1, 3), 0.0625), np.full((1, 52), 0.5)
    assert keys.frame_keys(*values, {"a": 1, "é": None}, 1) == ["a98c7a5657e4858a67be67de7e52d854"]
