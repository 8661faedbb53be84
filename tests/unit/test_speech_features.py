"""Features of the speech encoder, however sound is cut, with no more look-ahead than is said."""

import itertools

import numpy as np
import pytest
import torch
from expression_support import small_encoder, voice
from hypothesis import given, settings
from hypothesis import strategies as st

from osmnet_sdk.audio.speech_encoder import encoder_mel, load_encoder, scaled_mel
from osmnet_sdk.audio.speech_features import STREAM, WHOLE, SpeechFeatureStream, Windows
from osmnet_sdk.core.bundle import find_bundle

ENCODER = small_encoder()
SHORT = Windows(before=20, block=30, ahead=10)


def features(samples, windows, cuts=()):
    stream = SpeechFeatureStream(ENCODER, windows)
    edges = [0, *sorted(min(cut, len(samples)) for cut in cuts), len(samples)]
    parts = [stream.push(samples[a:b]) for a, b in itertools.pairwise(edges)]
    return np.concatenate([*parts, stream.finish(-(-len(samples) // 320))])


@settings(deadline=None, max_examples=30)
@given(
    count=st.integers(1, 40_000),
    cuts=st.lists(st.integers(0, 40_000), max_size=12),
    windows=st.sampled_from([STREAM, SHORT]),
)
def test_pieces_give_what_the_whole_gives(count, cuts, windows):
    samples = voice(2.5, 1)[:count]
    whole = features(samples, windows)
    assert whole.shape == (-(-count // 320), ENCODER.config.width)
    np.testing.assert_allclose(features(samples, windows, cuts), whole, atol=1e-4)


def test_a_stream_waits_no_longer_than_its_windows_ask():
    samples = voice(4.0, 2)
    stream = SpeechFeatureStream(ENCODER, STREAM)
    given = 0
    for frame in range(100):
        given += len(stream.push(samples[640 * frame : 640 * (frame + 1)]))
        heard = 2 * frame + 1  # features whose columns are whole after this frame
        assert given >= heard - STREAM.ahead - STREAM.block
        assert given % STREAM.block == 0


def test_what_comes_after_the_look_ahead_changes_nothing():
    samples = voice(4.0, 3)
    changed = samples.copy()
    changed[32_000:] = voice(2.0, 4)
    one, other = (SpeechFeatureStream(ENCODER, STREAM).push(s) for s in (samples, changed))
    same = np.abs(one - other).max(axis=1) < 1e-6
    first = int(np.argmin(same))
    assert 100 - STREAM.ahead - STREAM.block - 2 <= first <= 100


def test_a_long_recording_keeps_no_more_than_a_window():
    stream = SpeechFeatureStream(ENCODER, WHOLE)
    for seed in range(8):
        stream.push(voice(20.0, seed))
        assert stream._logs.shape[1] <= 2 * (WHOLE.whole + WHOLE.block)
        assert len(stream._samples) < 400 + 160


def test_columns_are_powers_in_bands():
    times = np.arange(16_240) / 16_000
    tone = np.sin(2 * np.pi * 1000 * times).astype(np.float32)
    logs = encoder_mel(tone)
    assert logs.shape == (80, 100)
    assert np.ptp(logs.argmax(axis=0)) == 0
    quieter = encoder_mel(0.1 * tone)
    assert float(np.median(logs.max(axis=0) - quieter.max(axis=0))) == pytest.approx(2.0, abs=0.01)
    assert scaled_mel(logs, 3.0).min() == pytest.approx((3.0 - 8.0 + 4.0) / 4.0)


def test_the_shipped_encoder_is_that_of_its_card():
    """A few values as they were when `convert_speech_encoder.py --check` compared it."""
    encoder = load_encoder(find_bundle())
    times = np.arange(32_000) / 16_000
    sound = 0.2 * np.sin(2 * np.pi * 150 * times * (1 + 0.1 * np.sin(3 * times)))
    sound = (sound * np.sin(5 * times) ** 2).astype(np.float32)
    with torch.inference_mode():
        logs = encoder_mel(np.pad(sound, 200))[:, :200]
        found = encoder(torch.from_numpy(scaled_mel(logs, float(logs.max())))[None])[0].numpy()
    assert found.shape == (100, 384)
    np.testing.assert_allclose(found[REFERENCE_ROWS][:, REFERENCE_COLUMNS], REFERENCE, atol=2e-3)


REFERENCE_ROWS, REFERENCE_COLUMNS = [10, 50, 90], [0, 7, 100, 200, 383]
REFERENCE = np.array(
    [
        [0.9012, 1.2977, 1.4777, 1.8489, 0.4648],
        [0.7844, 1.3955, 0.9977, -0.1372, 0.3832],
        [0.0538, 1.1443, 1.1866, 0.2381, 0.8565],
    ]
)
