from __future__ import annotations

import numpy as np
import pytest
from osmnet_addon.core import channels

from osmnet_sdk.core.conventions import ARKIT_NAMES


def test_the_58_channels() -> None:
    assert channels.COUNT == len(channels.CHANNELS) == 58
    paths = [(channel.data_path, channel.index) for channel in channels.CHANNELS]
    assert paths[:6] == [
        *(('pose.bones["head"].rotation_euler', index) for index in range(3)),
        *(('pose.bones["head"].location', index) for index in range(3)),
    ]
    assert paths[channels.EXPRESSION] == [(f'pose.bones["head"]["{n}"]', 0) for n in ARKIT_NAMES]
    assert [channel.group for channel in channels.CHANNELS[channels.MOTION]] == ["Head"] * 6
    assert {c.group for c in channels.CHANNELS[channels.EXPRESSION]} == {"Expression"}
    labels = [channel.label for channel in channels.CHANNELS]
    assert labels[:3] == ["Pitch", "Yaw", "Roll"]
    assert len(set(labels)) == 58


def test_values_go_to_curves_and_back() -> None:
    random = np.random.default_rng(0)
    rotation = random.uniform(-180, 180, (9, 3)).astype(np.float32)
    translation = random.uniform(-1, 1, (9, 3)).astype(np.float32)
    coefficients = random.uniform(0, 1, (9, 52)).astype(np.float32)
    curves = channels.curve_values(rotation, translation, coefficients)
    assert curves.shape == (9, 58)
    assert curves.dtype == np.float64
    back = channels.performance_values(curves)
    np.testing.assert_allclose(back[0], rotation, atol=1e-12)
    np.testing.assert_array_equal(back[1], translation)
    np.testing.assert_array_equal(back[2], coefficients)


def test_rotations_are_radians_in_curves() -> None:
    curves = channels.curve_values([[90, 0, -180]], [[0, 0, 0]], np.zeros((1, 52)))
    assert curves[0, :3] == pytest.approx([np.pi / 2, 0, -np.pi])


def test_coefficients_of_overshooting_curves_are_clipped() -> None:
    curves = np.zeros((2, 58))
    curves[0, 6], curves[1, 57] = -0.2, 1.3
    _, _, coefficients = channels.performance_values(curves)
    assert coefficients[0, 0] == 0.0
    assert coefficients[1, 51] == 1.0
