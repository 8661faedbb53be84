"""Accents and phrases of made-up sounds of which they are known."""

from __future__ import annotations

import numpy as np
import pytest

from osmnet_sdk.audio.analysis import SpeechAnalysis
from osmnet_sdk.audio.prosody import phrases
from osmnet_sdk.core.conventions import FPS, SAMPLE_RATE


def said(times, sizes, seconds, noise=0.0003):
    """Syllables of 0.2 s that are loudest at some times: tones with harmonics."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 15))
    loud = np.zeros_like(time)
    for at, size in zip(times, sizes, strict=True):
        loud += size * np.exp(-0.5 * ((time - at) / 0.05) ** 2)
    hiss = noise * np.random.default_rng(0).standard_normal(len(time))
    return (0.1 * tone * loud + hiss).astype(np.float32)


TIMES = np.concatenate([np.arange(1.0, 3.0, 0.4), np.arange(4.0, 6.0, 0.4)])
SIZES = np.where(np.arange(len(TIMES)) % 2, 1.0, 0.35)


def test_accents_are_where_syllables_are_loudest() -> None:
    found = SpeechAnalysis(said(TIMES, SIZES, 7.0)).prosody
    assert len(found.accents) == len(TIMES)
    np.testing.assert_allclose(found.accents, TIMES, atol=0.041)  # a frame is 0.04 s
    assert (found.prominences >= 3.0).all()


def test_loud_syllables_are_stronger_than_soft_ones_at_any_gain() -> None:
    for gain in (1.0, 0.05):
        found = SpeechAnalysis(gain * said(TIMES, SIZES, 7.0, noise=0.0)).prosody
        loud = SIZES > 0.5
        inner = np.arange(len(TIMES)) % 5 != 0  # the first of a phrase rises out of silence
        assert found.strengths[loud & inner].mean() > 1.2 * found.strengths[~loud & inner].mean()
        assert (found.strengths >= 0).all()
        assert (found.strengths <= 3).all()


def test_phrases_are_parted_by_pauses_and_not_by_closures() -> None:
    found = SpeechAnalysis(said(TIMES, SIZES, 7.0)).prosody
    np.testing.assert_allclose(found.starts, [0.9, 3.9], atol=0.1)
    np.testing.assert_allclose(found.ends, [2.9, 5.9], atol=0.25)
    spoken = np.ones(100, bool)
    spoken[40:46] = False  # 0.24 s, a closure
    spoken[70:85] = False
    starts, ends = phrases(spoken)
    np.testing.assert_allclose(starts, [0.0, 85 / 25])
    np.testing.assert_allclose(ends, [70 / 25, 4.0])


@pytest.mark.parametrize("samples", [0, 1, 640, 16000])
def test_silence_has_no_moments(samples: int) -> None:
    found = SpeechAnalysis(np.zeros(samples, np.float32)).prosody
    for values in (found.accents, found.strengths, found.starts, found.ends):
        assert len(values) == 0


def test_a_long_sound_has_the_moments_of_its_parts() -> None:
    """It is worked out in blocks, whose borders must not show."""
    part = said(TIMES, SIZES, 7.0, noise=0.0)
    once = SpeechAnalysis(part).prosody
    long = SpeechAnalysis(np.tile(part, 8)).prosody
    assert len(long.accents) == 8 * len(once.accents)
    within = long.accents.reshape(8, -1) - 7.0 * np.arange(8)[:, None]
    np.testing.assert_allclose(within, np.tile(within[0], (8, 1)), atol=1e-6)
    strengths = long.strengths.reshape(8, -1)
    np.testing.assert_allclose(strengths[2:], np.tile(strengths[1], (6, 1)), rtol=0.02)
    assert 8 * 7.0 * float(FPS) > 1024  # more than a block
