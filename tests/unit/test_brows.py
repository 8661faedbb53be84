"""Brow raises: with emphasis, never in silence, seeded, scaled by their option."""

import numpy as np
import pytest

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.brows import INNER, LARGEST, LEAD, SMALLEST, accents, sample_brows
from osmnet_sdk.options import SampleOptions

COLUMN = ARKIT_NAMES.index("browInnerUp")
MOVED = {"browInnerUp", "browOuterUpLeft", "browOuterUpRight", "eyeWideLeft", "eyeWideRight"}


def said(seconds=60.0, seed=0):
    """Level and activity: five syllables a second, every ninth loud; 10 s of them, 5 s without."""
    frames = int(25 * seconds)
    rng = np.random.default_rng(seed)
    level = -35 + 3 * np.sin(2 * np.pi * np.arange(frames) / 5) + rng.normal(0, 0.3, frames)
    level[4::45] += 12
    level[3::45] += 8
    speech = (np.arange(frames) % 375 < 250).astype(np.float32)
    return np.where(speech > 0, level, -75.0), speech


def raises(brows):
    """Frames at which brows culminate, and coefficients there."""
    inner = brows[:, COLUMN]
    peaks = np.flatnonzero((inner[1:-1] > inner[:-2]) & (inner[1:-1] >= inner[2:])) + 1
    return peaks, inner[peaks]


def brows_of(take=0, options=None, seconds=60.0, seed=5):
    level, speech = said(seconds)
    return sample_brows(level, speech, seed=seed, take=take, options=options or SampleOptions())


def test_same_arguments_same_brows_and_takes_differ():
    assert np.array_equal(brows_of(), brows_of())
    assert not np.array_equal(brows_of(0), brows_of(1))
    assert not np.array_equal(brows_of(seed=5), brows_of(seed=6))
    assert brows_of().dtype == np.float32


def test_they_move_brows_and_lids_alone_and_stay_in_range():
    moved = {ARKIT_NAMES[i] for i in np.flatnonzero(brows_of().any(axis=0))}
    assert moved == MOVED
    for gain in (1.0, 3.0):
        brows = brows_of(options=SampleOptions(brow_activity=gain))
        assert brows.min() >= 0
        assert brows.max() <= 1


def test_rate_and_size_are_those_of_real_speakers():
    found = [raises(brows_of(take, seconds=300.0))[1] for take in range(20)]
    spoken = 300 * 250 / 375 / 60
    rates = np.array([len(sizes) / spoken for sizes in found])
    assert 10 < np.median(rates) < 25
    assert rates.std() > 2  # takes differ in liveliness as speakers do
    sizes = np.concatenate(found) / INNER
    assert sizes.min() > 0.9 * SMALLEST
    assert sizes.max() <= LARGEST * 1.01
    assert 0.9 < np.median(sizes) < 1.25


def test_none_in_long_silence():
    _, speech = said(300.0)
    quiet = np.convolve(speech, np.ones(51), "same") == 0
    assert quiet.sum() > 500
    for take in range(10):
        assert not brows_of(take, seconds=300.0)[quiet].any()
    silent = sample_brows(np.full(500, -80.0), np.zeros(500), seed=0, take=0)
    assert not silent.any()
    assert sample_brows([], [], seed=0, take=0).shape == (0, 52)


def test_they_go_with_emphasis_and_come_a_little_before():
    level, speech = said(300.0)
    loud = np.flatnonzero(level > -28)
    before, share = [], []
    for take in range(20):
        peaks, _ = raises(brows_of(take, seconds=300.0))
        nearest = loud[np.argmin(np.abs(loud[None] - (peaks[:, None] + 25 * LEAD)), axis=1)]
        near = np.abs(nearest - peaks - 25 * LEAD) <= 8
        share.append(near.mean())
        before += list((nearest - peaks)[near] / 25)
    assert np.mean(share) > 2 * 17 / 45  # twice what chance gives
    assert 0.05 < np.mean(before) < 0.2
    assert speech.any()


def test_accents_are_loud_syllables_of_speech():
    level, speech = said()
    times, strengths = accents(level, speech >= 0.5)
    frames = np.rint(times * 25).astype(int)
    assert (speech[frames] >= 0.5).all()
    strongest = frames[np.argsort(strengths)[-10:]]
    assert all(np.abs(np.arange(4, len(level), 45) - frame).min() <= 1 for frame in strongest)


def test_activity_scales_and_switches_off():
    base = brows_of()
    half = brows_of(options=SampleOptions(brow_activity=0.5))
    np.testing.assert_allclose(half, 0.5 * base, atol=1e-6)
    assert not brows_of(options=SampleOptions(brow_activity=0.0)).any()


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"take": -1}, {"speech": np.ones(4)}, {"level": np.zeros((5, 2))}]
)
def test_what_does_not_fit_is_refused(wrong):
    values = {"level": np.full(5, -30.0), "speech": np.ones(5), "seed": 0, "take": 0, **wrong}
    with pytest.raises(InputError, match="one value per frame"):
        sample_brows(values.pop("level"), values.pop("speech"), **values)
