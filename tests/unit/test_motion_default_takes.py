"""Takes with no new option are what they were: compared with figures that are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_sampler import small_sampler, small_voice

from osmnet_sdk.options import SampleOptions

STORED = Path(__file__).parents[1] / "data" / "default_takes.npz"
OPTIONS = {
    "default": SampleOptions(),
    "narrow": SampleOptions(epsilon=0.5),
    "centre": SampleOptions(epsilon=0.0),
    "gains": SampleOptions(intensity=1.7, yaw=0.4, translation=2.0),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_takes_are_those_that_are_stored(name: str) -> None:
    """They may differ in the last bits, which depend on the processor, and in no more."""
    sampler = small_sampler()
    track = sampler.sample(sampler.features(small_voice()), take=1, seed=3, options=OPTIONS[name])
    with np.load(STORED) as stored:
        expected = stored[name]
    np.testing.assert_allclose(track.rotation, expected[:, :3], atol=2e-4)
    np.testing.assert_allclose(track.translation, expected[:, 3:], atol=2e-6)
    assert np.ptp(expected, axis=0).min() > 0.001
