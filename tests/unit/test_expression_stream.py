"""Expression as it is heard: however it is cut, and with no more look-ahead than is said."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from expression_support import SMALL, small_extractor, voice
from hypothesis import given, settings
from hypothesis import strategies as st

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import SAMPLE_RATE, frame_count
from osmnet_sdk.errors import AudioError, Cancelled, InputError
from osmnet_sdk.expression.ears import MelEar, frames_ahead
from osmnet_sdk.expression.loudness import levelled, loudness_gain
from osmnet_sdk.expression.network import ExtractorConfig
from osmnet_sdk.expression.predict import ExpressionPredictor
from osmnet_sdk.expression.stream import ExpressionStream
from osmnet_sdk.options import ExpressionOptions

PREDICTOR = ExpressionPredictor(small_extractor())
OPTIONS = [
    ExpressionOptions(),
    ExpressionOptions(smoothing=0.06, jaw=1.5, offsets={"browInnerUp": 0.1}),
    ExpressionOptions(lag_ms=130.0, rest_in_silence=False),
    ExpressionOptions(lag_ms=200.0, gains={"jawOpen": 2.0}),
    ExpressionOptions(lag_ms=-73.0, smoothing=0.02, intensity=0.5),
]


def ear(network):
    return MelEar(network, np.zeros(50, np.float32), "cpu")


def fed(stream, samples, cuts):
    edges = [0, *sorted(min(cut, len(samples)) for cut in cuts), len(samples)]
    parts = [stream.feed(samples[a:b]) for a, b in itertools.pairwise(edges)]
    return parts, np.concatenate([*parts, stream.finish()])


@settings(deadline=None, max_examples=60)
@given(
    count=st.integers(1, 3 * SAMPLE_RATE),
    cuts=st.lists(st.integers(0, 3 * SAMPLE_RATE), max_size=30),
    options=st.sampled_from(OPTIONS),
    seed=st.integers(0, 50),
)
def test_pieces_give_what_the_whole_gives(count, cuts, options, seed):
    samples = voice(3.0, seed)[:count]
    whole = PREDICTOR.predict((samples, SAMPLE_RATE), options=options).coefficients
    _, pieces = fed(PREDICTOR.stream(options=options), samples, cuts)
    assert pieces.shape == (frame_count(count), 52)
    assert pieces.dtype == np.float32
    np.testing.assert_allclose(pieces, whole, atol=1e-5)


@settings(deadline=None, max_examples=40)
@given(
    frame=st.integers(0, 40),
    options=st.sampled_from(OPTIONS),
    ahead=st.integers(0, 2),
    seed=st.integers(0, 50),
)
def test_what_comes_after_the_look_ahead_changes_nothing(frame, options, ahead, seed):
    network = small_extractor(SMALL.model_copy(update={"ahead": ahead}))
    samples = voice(3.0, seed)
    stream = ExpressionStream(ear(network), options)
    assert stream.look_ahead <= (0.2 if options.smoothing == 0 else 0.6) + 0.1
    known = int(np.ceil(frame * 640 + stream.look_ahead * SAMPLE_RATE - 1e-6))
    known = max(known, frame * 640 + 1)
    first = stream.feed(samples[:known])
    assert len(first) > frame  # the frame is there as soon as its look-ahead is
    other = ExpressionStream(ear(network), options)
    changed = np.concatenate([samples[:known], voice(2.0, seed + 1)])
    np.testing.assert_allclose(other.feed(changed)[: frame + 1], first[: frame + 1], atol=1e-5)


def test_a_frame_needs_all_of_the_look_ahead_of_the_network():
    network = small_extractor(ExtractorConfig(layers=1, width=16, hidden=16, dropout=0.0))
    samples = voice(3.0, 4)
    changed = samples.copy()
    changed[20 * 640 + 2700 :] += 0.1
    streams = [ExpressionStream(ear(network)) for _ in range(2)]
    one, two = (s.feed(sound) for s, sound in zip(streams, (samples, changed), strict=True))
    assert not np.allclose(one[20], two[20], atol=1e-4)
    assert np.array_equal(one[:19], two[:19])


@pytest.mark.parametrize(("features", "seconds"), [("speech", 0.28), ("mel", 0.2)])
def test_the_starter_looks_less_than_a_third_of_a_second_ahead(features, seconds):
    predictor = ExpressionPredictor.from_bundle(find_bundle(), "cpu", features)
    assert predictor.stream().look_ahead == pytest.approx(seconds)
    lagging = predictor.stream(options=ExpressionOptions(lag_ms=120.0))
    assert lagging.look_ahead == pytest.approx(predictor.stream().look_ahead - 0.12)
    smooth = predictor.stream(options=ExpressionOptions(smoothing=0.04))
    assert smooth.look_ahead == pytest.approx(predictor.stream().look_ahead + 0.12)


def test_frames_ahead_count_to_the_end_of_the_last_window():
    # 2 frames, half a frame to its middle, 7 hops and half a window: 182.5 ms, so five frames.
    assert frames_ahead(ExtractorConfig()) == 5
    assert frames_ahead(ExtractorConfig(ahead=0)) == 3
    assert frames_ahead(ExtractorConfig(ahead=1)) == 4


def test_a_stream_never_runs_ahead_of_its_sound():
    stream = PREDICTOR.stream(options=ExpressionOptions(lag_ms=200.0))
    given_so_far = 0
    for count in range(1, 40):
        given_so_far += len(stream.feed(np.full(257, 0.1, np.float32)))
        assert given_so_far <= frame_count(257 * count)


def test_a_stream_holds_no_more_the_longer_it_runs():
    import tracemalloc

    stream, piece = PREDICTOR.stream(), voice(2.0)
    for _ in range(15):  # past the 20 s that voice activity remembers
        stream.feed(piece)
    tracemalloc.start()
    try:
        for _ in range(40):
            stream.feed(piece)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 500_000  # a piece and a half; 80 s of sound are 5 MB


def test_lag_shifts_the_curves():
    samples = voice(4.0)
    late = PREDICTOR.predict((samples, SAMPLE_RATE), options=ExpressionOptions(lag_ms=120))
    early = PREDICTOR.predict((samples, SAMPLE_RATE), options=ExpressionOptions(lag_ms=-120))
    base = PREDICTOR.predict((samples, SAMPLE_RATE)).coefficients
    # The first two frames are smoothed with what comes before them, which a lag changes.
    np.testing.assert_allclose(late.coefficients[5:-5], base[2:-8], atol=1e-5)
    np.testing.assert_allclose(early.coefficients[15:-5], base[18:-2], atol=2e-3)


@pytest.mark.parametrize("wrong", [np.zeros((3, 2)), np.array([0.0, np.nan]), np.float32(1)])
def test_what_is_no_sound_is_refused(wrong):
    with pytest.raises(AudioError, match="finite samples"):
        PREDICTOR.stream().feed(wrong)


def test_a_finished_stream_takes_nothing():
    stream = PREDICTOR.stream()
    assert stream.feed([]).shape == (0, 52)
    assert stream.finish().shape == (0, 52)
    for call in (lambda: stream.feed(voice(1.0)), stream.finish):
        with pytest.raises(InputError, match="finished"):
            call()


def test_blocks_do_not_show(monkeypatch):
    import osmnet_sdk.expression.predict as predict
    import osmnet_sdk.expression.stream as stream

    samples = voice(7.3)
    whole = PREDICTOR.predict((samples, SAMPLE_RATE))
    monkeypatch.setattr(stream, "BLOCK", 40)
    pieces = PREDICTOR.predict((samples, SAMPLE_RATE))
    monkeypatch.setattr(predict, "BLOCK", 33)
    blocks = PREDICTOR.predict((samples, SAMPLE_RATE))
    np.testing.assert_allclose(pieces.coefficients, whole.coefficients, atol=1e-5)
    np.testing.assert_allclose(blocks.coefficients, whole.coefficients, atol=1e-5)


def test_predict_is_deterministic_and_has_a_frame_for_each_25th_second():
    for seconds in (0.05, 1.0, 2.345):
        samples = voice(seconds)
        track = PREDICTOR.predict((samples, SAMPLE_RATE))
        assert len(track) == frame_count(len(samples))
        assert track == PREDICTOR.predict((samples, SAMPLE_RATE))
        assert track.provenance.source == "predicted"
        assert track.provenance.audio_sha256


def test_silence_rests_whatever_the_network_says():
    silence = (np.zeros(32_000, np.float32), SAMPLE_RATE)
    assert not PREDICTOR.predict(silence).coefficients.any()
    awake = PREDICTOR.predict(silence, options=ExpressionOptions(rest_in_silence=False))
    assert awake.coefficients.any()


def test_the_mouth_is_free_before_the_voice_begins_and_rests_after():
    samples = np.concatenate([np.zeros(SAMPLE_RATE), voice(1.0, 2)[:6400], np.zeros(SAMPLE_RATE)])
    first = np.flatnonzero(samples)[0] // 640
    last = np.flatnonzero(samples)[-1] // 640
    track = PREDICTOR.predict((samples.astype(np.float32), SAMPLE_RATE)).coefficients
    assert not track[: first - 3].any()
    assert track[first - 2].any()
    assert track[last + 3].any()
    assert not track[last + 8 :].any()


def test_wrong_identity_is_refused():
    for wrong in (np.zeros(51), np.zeros((1, 50)), np.array([np.nan])):
        with pytest.raises(InputError, match="identity"):
            PREDICTOR.predict((voice(1.0), SAMPLE_RATE), identity=wrong)
        with pytest.raises(InputError, match="identity"):
            PREDICTOR.stream(identity=wrong)


def test_predict_can_be_cancelled_and_reports():
    with pytest.raises(Cancelled):
        PREDICTOR.predict((voice(1.0), SAMPLE_RATE), cancel=lambda: True)
    seen = []
    PREDICTOR.predict(
        (voice(1.0), SAMPLE_RATE), progress=lambda stage, done, total: seen.append((done, total))
    )
    assert seen[-1] == (25, 25)


@settings(deadline=None, max_examples=30)
@given(gain=st.floats(-40, 0), seed=st.integers(0, 1000))
def test_level_does_not_matter(gain, seed):
    samples = voice(2.0, seed) + np.float32(1e-9)
    if np.abs(samples).max() < 0.01:
        return
    quiet = (samples * 10 ** (gain / 20)).astype(np.float32)
    loud_level = levelled(samples, loudness_gain(samples))
    quiet_level = levelled(quiet, loudness_gain(quiet))
    np.testing.assert_allclose(quiet_level, loud_level, atol=1e-3)


def test_a_gain_needs_nothing_that_follows():
    samples = voice(4.0)
    later = samples.copy()
    later[53 * 640 :] *= 4
    assert np.array_equal(loudness_gain(samples)[:53], loudness_gain(later)[:53])
    assert len(levelled(samples[:1000], loudness_gain(samples[:1000]))) == 1000


@pytest.mark.parametrize("features", ["speech", "mel"])
def test_a_real_voice_in_pieces(features):
    speech = load_audio(Path(__file__).parents[1] / "data" / "speech_kal16.flac").samples
    predictor = ExpressionPredictor.from_bundle(find_bundle(), "cpu", features)
    whole = predictor.stream()
    at_once = np.concatenate([whole.feed(speech), whole.finish()])
    _, pieces = fed(predictor.stream(), speech, range(0, len(speech), 1111))
    np.testing.assert_allclose(pieces, at_once, atol=1e-4)
