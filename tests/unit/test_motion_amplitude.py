"""How much takes move: spread over takes as speakers are, and uneven over time."""

from dataclasses import replace

import numpy as np
import pytest
from small_sampler import small_sampler

from osmnet_sdk.motion.amplitude import take_pace, take_size

CALIBRATION = small_sampler().calibration


def logs_of_pace(calibration, count=24, frames=2000):
    paces = [take_pace(calibration, frames, seed=1, take=take) for take in range(count)]
    return np.log(np.concatenate(paces))


def test_pace_has_the_spread_of_bursts_and_moods() -> None:
    bursts = np.array([0.2, 0.9, 0.5, 0.1, 0.4, 0.3])
    only = logs_of_pace(replace(CALIBRATION, bursts=bursts, moods=0.0))
    assert only.std(axis=0) == pytest.approx(0.9 * bursts, rel=0.1)
    assert (np.abs(only).max(axis=0) <= 2.0 * bursts).all()  # nobody moves without bound
    assert np.abs(np.corrcoef(only.T)).min() > 0.999  # the columns burst together
    both = logs_of_pace(replace(CALIBRATION, bursts=np.zeros(6), moods=0.4))
    assert both.std(axis=0) == pytest.approx(np.full(6, 0.4), rel=0.2)
    assert np.abs(np.corrcoef(both.T) - np.eye(6)).max() < 0.2  # each has its own moods


def test_pace_goes_on_where_a_longer_one_is_asked_for() -> None:
    short = take_pace(CALIBRATION, 300, seed=4, take=2)
    longer = take_pace(CALIBRATION, 300, seed=4, take=2, length=450)
    assert longer.shape == (450, 6)
    assert np.array_equal(longer[:300], short)
    assert not np.array_equal(take_pace(CALIBRATION, 300, seed=4, take=3), short)


def test_sizes_of_takes_spread_around_one() -> None:
    sizes = np.log([take_size(CALIBRATION, 400, seed=2, take=take) for take in range(200)])
    assert np.median(sizes) == pytest.approx(0.0, abs=0.1)
    shared = sizes.mean(axis=1)
    assert 0.25 < shared.std() < 0.45
    few = np.log([take_size(CALIBRATION, 400, seed=2, take=take) for take in range(5)]).mean(axis=1)
    assert few.min() < -0.1 < 0.1 < few.max()  # five takes are calm and lively ones
