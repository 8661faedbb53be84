"""How much takes move: spread over takes as speakers are, and uneven over time."""

from dataclasses import replace

import numpy as np
import pytest
from small_sampler import small_sampler

from osmnet_sdk.motion.amplitude import take_pace, take_size, take_tremor
from osmnet_sdk.motion.bursts import burst_course

CALIBRATION = replace(small_sampler().calibration, flicks=np.zeros(3))


def moments(frames, every=13.0):
    places = np.arange(5.0, frames, every)
    return np.stack([places, 1.0 + 0.5 * np.sin(places)], axis=1)


def logs_of_pace(calibration, count=24, frames=2000):
    said = moments(frames)
    paces = [take_pace(calibration, said, frames, seed=1, take=take) for take in range(count)]
    return np.log(np.concatenate(paces))


def test_pace_has_the_spread_of_bursts_moods_and_flicks() -> None:
    bursts = np.array([0.2, 0.9, 0.5, 0.1, 0.4, 0.3])
    only = logs_of_pace(replace(CALIBRATION, bursts=bursts, moods=0.0))
    assert only.std(axis=0) == pytest.approx(0.9 * bursts, rel=0.1)
    assert (np.abs(only).max(axis=0) <= 2.0 * bursts).all()  # nobody moves without bound
    assert np.abs(np.corrcoef(only.T)).min() > 0.999  # the columns burst together
    both = logs_of_pace(replace(CALIBRATION, bursts=np.zeros(6), moods=0.4))
    assert both.std(axis=0) == pytest.approx(np.full(6, 0.4), rel=0.2)
    assert np.abs(np.corrcoef(both.T) - np.eye(6)).max() < 0.2  # each has its own moods
    flicks = np.array([0.3, 0.8, 0.5])
    own = logs_of_pace(replace(CALIBRATION, bursts=np.zeros(6), moods=0.0, flicks=flicks))
    assert own[:, :3].std(axis=0) == pytest.approx(flicks, rel=0.1)
    assert np.abs(np.corrcoef(own[:, :3].T) - np.eye(3)).max() < 0.2
    assert not own[:, 3:].any()


def test_bursts_come_at_the_moments_and_chance_says_which() -> None:
    said = moments(4000, every=40.0)
    said = said[np.random.default_rng(0).random(len(said)) < 0.7]  # and gaps between
    courses = [burst_course(said, 4000, np.random.default_rng(take))[:, 0] for take in range(20)]
    places = np.rint(said[:, 0]).astype(int)
    at = np.mean([course[places - 2] for course in courses], axis=0)  # a movement leads its accent
    between = np.mean([course[places - 20] for course in courses], axis=0)
    assert at.mean() > 0.3 > 0.0 > between.mean()
    # Not every take has a gesture at a moment, and not of one size.
    sizes = np.array([course[places - 2] for course in courses])
    assert (sizes < 0.2).mean(axis=0).max() > 0.1
    assert sizes.std(axis=0).mean() > 0.2
    loud = said[:, 1] > 1.3
    assert at[loud].mean() > at[~loud].mean()


def test_without_chance_all_takes_have_one_pace() -> None:
    said = moments(600)
    one, other = (
        take_pace(CALIBRATION, said, 600, seed=take, take=take, chance=0.0) for take in (0, 1)
    )
    assert np.array_equal(one, other)
    assert np.log(one).std() > 0.1


def test_pace_goes_on_where_a_longer_one_is_asked_for() -> None:
    said = np.zeros((0, 2))
    calm = replace(CALIBRATION, bursts=np.zeros(6))
    short = take_pace(calm, said, 300, seed=4, take=2)
    longer = take_pace(calm, said, 300, seed=4, take=2, length=450)
    assert longer.shape == (450, 6)
    assert np.array_equal(longer[:300], short)
    assert not np.array_equal(take_pace(calm, said, 300, seed=4, take=3), short)


def test_tremor_is_small_fast_and_the_takes_own() -> None:
    steps = take_tremor(CALIBRATION, 4000, seed=1, take=0)
    assert steps.std(axis=0) == pytest.approx(CALIBRATION.tremor, rel=0.1)
    turns = (np.diff(np.sign(steps[:, :3]), axis=0) != 0).mean(axis=0)
    assert (turns > 0.2).all()
    assert not np.array_equal(take_tremor(CALIBRATION, 4000, seed=1, take=1), steps)


def test_sizes_of_takes_spread_around_one() -> None:
    sizes = np.log([take_size(CALIBRATION, 400, seed=2, take=take) for take in range(200)])
    assert np.median(sizes) == pytest.approx(0.0, abs=0.1)
    shared = sizes.mean(axis=1)
    assert 0.25 < shared.std() < 0.5
    few = np.log([take_size(CALIBRATION, 400, seed=2, take=take) for take in range(5)]).mean(axis=1)
    assert few.min() < -0.1 < 0.1 < few.max()  # five takes are calm and lively ones
