"""Curves and seeds that are written once."""

import numpy as np
import pytest

from osmnet_sdk.core.curves import cosine, named_seed, smoothstep


def test_a_smooth_step_rises_from_0_to_1_without_slope_at_its_ends():
    t = np.linspace(0, 1, 1001)
    step = smoothstep(t)
    assert np.array_equal(smoothstep(np.array([-3.0, 0.0, 0.25, 0.5, 1.0, 7.0])),
                          [0.0, 0.0, 5 / 32, 0.5, 1.0, 1.0])  # fmt: skip
    slope = np.gradient(step, t)
    assert slope.min() >= 0
    assert slope[500] == pytest.approx(1.5, abs=1e-4)
    assert max(slope[0], slope[-1]) < 0.01


def test_half_a_cosine_falls_to_its_floor():
    assert [cosine(step, 10, 0.2) for step in (0, 5, 10)] == pytest.approx([1.0, 0.6, 0.2])


def test_a_named_seed_is_the_same_on_every_machine():
    # The first seven bytes of the SHA-256 of "7 audio 0", by sha256sum.
    assert named_seed(7, "audio", 0) == 0xEA841603387A26
    assert named_seed(7, "audio", 1) != named_seed(7, "audio", 0) < 2**56
