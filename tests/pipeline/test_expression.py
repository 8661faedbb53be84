"""The shipped extractor on a voice that it never heard.

tests/data/speech_kal16.flac is spoken by flite's voice kal16, which takes no part in training; the
times of its phones are those that flite reports.
"""

from pathlib import Path

import numpy as np
import pytest

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.expression.predict import ExpressionPredictor
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.research.evaluation.expression.lips import (
    BILABIAL,
    OPEN,
    lip_samples,
    load_phones,
    pooled_figures,
)

DATA = Path(__file__).parents[1] / "data"
SPEECH = DATA / "speech_kal16.flac"


@pytest.fixture(scope="module")
def predictor():
    return ExpressionPredictor.from_bundle(find_bundle(), "cpu")


@pytest.fixture(scope="module")
def model():
    return load_face_model(find_bundle())


@pytest.fixture(scope="module")
def phones():
    return load_phones(DATA / "speech_kal16.json")


@pytest.fixture(scope="module")
def speech():
    return load_audio(SPEECH).samples


def figures(predictor, model, phones, samples):
    track = predictor.predict((samples, SAMPLE_RATE))
    gap = model.lip_gap(track.coefficients)
    return pooled_figures([lip_samples(gap, phones, coefficients=track.coefficients)]), gap


def test_lips_fit_a_voice_never_heard(predictor, model, phones, speech):
    found, gap = figures(predictor, model, phones, speech)
    assert found.closure >= 0.9
    assert found.closure_shifted <= found.closure - 0.3
    assert found.opening >= 0.8
    assert found.ratio >= 3
    assert found.silence <= 0.03
    assert 0.1 < found.percentile < 0.45
    # Speech moves the mouth, but does not make it flap from frame to frame.
    assert np.abs(np.diff(gap, 2)).mean() < 0.05


def test_mouth_rests_in_the_silence_around_speech(predictor, model, speech):
    track = predictor.predict((speech, SAMPLE_RATE))
    gap = model.lip_gap(track.coefficients)
    assert gap[:8].max() < 0.02
    assert gap[-8:].max() < 0.02
    assert track.coefficients[:5].max() < 0.06


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda x: 0.01 * x, id="40 dB softer"),
        pytest.param(lambda x: np.clip(4 * x, -0.3, 0.3), id="clipped"),
        pytest.param(
            lambda x: x + 0.003 * np.random.default_rng(0).standard_normal(len(x)), id="hiss"
        ),
    ],
)
def test_poor_microphones_keep_the_closures(predictor, model, phones, speech, change):
    found, _ = figures(predictor, model, phones, change(speech).astype(np.float32))
    assert found.closure >= 0.8
    assert found.closure_shifted <= found.closure - 0.25
    assert found.opening >= 0.7


def noise(seconds):
    return 0.1 * np.random.default_rng(1).standard_normal(int(seconds * SAMPLE_RATE))


def tones(seconds):
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    beat = np.exp(-4 * (times % 0.5))
    return 0.1 * beat * sum(np.sin(2 * np.pi * f * times) for f in (220.0, 277.2, 329.6))


@pytest.mark.parametrize("sound", [noise, tones, lambda s: np.zeros(int(s * SAMPLE_RATE))])
def test_what_is_no_voice_leaves_the_mouth_closed(predictor, model, phones, speech, sound):
    still = model.lip_gap(
        predictor.predict((sound(6.0).astype(np.float32), SAMPLE_RATE)).coefficients
    )
    speaking, _ = figures(predictor, model, phones, speech)
    assert still.std() <= 0.03 * speaking.percentile
    assert np.percentile(still, 95) <= 0.1 * speaking.percentile


def test_a_gap_between_words_of_two_seconds_rests(predictor, model, speech):
    pause = np.zeros(2 * SAMPLE_RATE, np.float32)
    gap = model.lip_gap(
        predictor.predict((np.concatenate([speech, pause, speech]), SAMPLE_RATE)).coefficients
    )
    middle = len(speech) // 640 + 25
    assert gap[middle - 12 : middle + 12].max() < 0.01


def test_labels_hold_what_the_figures_need(phones):
    assert sum(phone.symbol in OPEN for phone in phones) >= 8
    assert sum(phone.symbol in BILABIAL for phone in phones) >= 10
    assert phones[-1].end == pytest.approx(len(load_audio(SPEECH).samples) / SAMPLE_RATE, abs=0.02)
