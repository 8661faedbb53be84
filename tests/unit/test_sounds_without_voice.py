import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmnet_sdk.research.trainers.expression.sounds_without_voice import sound_without_voice


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_sounds_are_finite_and_at_unit_level(seed: int) -> None:
    sound = sound_without_voice(12_000, np.random.default_rng(seed))
    assert sound.shape == (12_000,)
    assert np.isfinite(sound).all()
    assert sound.std() == pytest.approx(1.0, abs=0.01)


def test_a_seed_decides_the_sound() -> None:
    once, again, other = (sound_without_voice(8000, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)
