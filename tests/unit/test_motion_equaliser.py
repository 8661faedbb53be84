"""The octaves of steps: gains do what they say, rest stays rest, and nothing looks ahead."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.motion.equaliser import BANDS, equalised, octaves

FLAT = np.ones((1, len(BANDS) - 1))
FRAMES = np.arange(1000)


def wave(hertz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * FRAMES / 25.0)[:, None]


def test_gains_of_one_change_nothing() -> None:
    steps = np.random.default_rng(1).standard_normal((300, 1))
    assert np.allclose(equalised(steps, FLAT), steps, atol=1e-12)
    assert equalised(steps[:0], FLAT).shape == (0, 1)


@pytest.mark.parametrize("band", range(len(BANDS) - 1))
def test_the_middle_of_an_octave_gets_its_gain(band: int) -> None:
    gains = FLAT.copy()
    gains[0, band] = 3.0
    for other in range(len(BANDS) - 1):
        steps = wave(float(np.sqrt(BANDS[other] * BANDS[other + 1])))
        ratio = equalised(steps, gains)[500:].std() / steps[500:].std()
        assert ratio == pytest.approx(gains[0, other], rel=0.1)


def test_what_is_slower_or_quicker_has_the_gain_of_the_outer_octaves() -> None:
    gains = np.array([[2.0, 1.0, 1.0, 1.0, 0.5]])
    for hertz, gain in ((0.05, 2.0), (11.0, 0.5)):
        ratio = equalised(wave(hertz), gains)[500:].std() / wave(hertz)[500:].std()
        assert ratio == pytest.approx(gain, rel=0.1)


@given(st.lists(st.floats(0.25, 4.0), min_size=5, max_size=5), st.integers(0, 150))
def test_nothing_moves_before_the_steps_do(gains: list[float], start: int) -> None:
    steps = np.zeros((200, 1))
    steps[start:] = np.random.default_rng(2).standard_normal((200 - start, 1))
    later = equalised(steps, np.array([gains]))
    assert not later[:start].any()
    assert np.allclose(later[:100], equalised(steps[:100], np.array([gains])), atol=1e-9)


def test_the_power_of_a_wave_is_found_in_its_octave() -> None:
    power = octaves(wave(2.25).reshape(10, 100, 1))
    assert power.shape == (10, 1, len(BANDS) - 1)
    assert (power.argmax(axis=2) == 3).all()
    assert (power[..., 3] > 100 * power[..., 1]).all()
