"""Pins in seconds and degrees."""

from __future__ import annotations

from fractions import Fraction
from math import radians

import pytest
from osmnet_addon.core import edits
from osmnet_addon.core.errors import AddonError
from osmnet_addon.core.pins import Pin, check_pose, pin_parameters

import osmnet_sdk as sdk


def test_pins_are_told_in_seconds_and_degrees():
    pins = [
        Pin("b", 61, (None, radians(20), None, 0.01, 0.0, 0.0)),
        Pin("none", 5, (None,) * 6),
        Pin("a", 13, (radians(-5), None, None, None, None, None)),
    ]
    first, second = pin_parameters(pins, 1.0, Fraction(24))
    assert first == {
        "time": 0.5, "rotation": [pytest.approx(-5), None, None], "translation": [None] * 3,
    }  # fmt: skip
    assert second["time"] == 2.5
    options = sdk.SampleOptions(pins=[first, second])
    assert options.pins[1].pose == (None, pytest.approx(20), None, 0.01, 0.0, 0.0)
    with pytest.raises(AddonError, match="'a' lies at frame 13, before the voice"):
        pin_parameters(pins, 20.0, Fraction(24))


@pytest.mark.parametrize(("axis", "most"), [(0, radians(80)), (2, radians(80)), (4, 0.5)])
def test_a_pin_may_have_what_the_sdk_lets_it_have(axis, most):
    pose = [0.0] * 6
    for sign in (1, -1):
        pose[axis] = sign * most
        check_pose(pose)
        sdk.Pin(0.0, tuple(round(v * 180 / 3.141592653589793, 6) for v in pose[:3]), pose[3:])
        pose[axis] = sign * most * 1.02
        with pytest.raises(AddonError, match="at most"):
            check_pose(pose)
        with pytest.raises(sdk.InputError):
            sdk.Pin(0.0, tuple(v * 180 / 3.141592653589793 for v in pose[:3]), tuple(pose[3:]))


@pytest.mark.parametrize(
    ("frame", "rows"),
    [(0, []), (2, [1, 2]), (1.2, [1, 2]), (3, []), (4, [4, 5]), (9, [4, 5])],
)
def test_a_stretch_of_edits_ends_where_nothing_was_edited(frame, rows):
    found = edits.stretch([0, 1, 2, 3, 4, 5], [0, 1, -1, 0, 2, 2], frame)
    assert list(range(6))[found] == rows
