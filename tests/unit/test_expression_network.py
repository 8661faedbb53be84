import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from osmnet_sdk.audio.mel import mel_windows
from osmnet_sdk.bundle import find_bundle
from osmnet_sdk.conventions import ARKIT_NAMES, SAMPLE_RATE, frame_count
from osmnet_sdk.errors import Cancelled, InputError, ModelError
from osmnet_sdk.expression.level import level_gain, levelled
from osmnet_sdk.expression.lips import FREE, OVERLAP, TOUCH, LipGeometry, smoothed, touched
from osmnet_sdk.expression.network import (
    ExpressionExtractor,
    ExtractorConfig,
    LandmarkLoss,
    extractor_from,
)
from osmnet_sdk.expression.predict import ExpressionPredictor
from osmnet_sdk.face.landmark_sets import LIPS_INNER, NOSE_BRIDGE
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.options import ExpressionOptions

SMALL = ExtractorConfig(past=3, ahead=1, identity=50, width=16, hidden=16, dropout=0.0)
JAW, CLOSE = ARKIT_NAMES.index("jawOpen"), ARKIT_NAMES.index("mouthClose")


@pytest.fixture(scope="module")
def model():
    return load_face_model(find_bundle())


@pytest.fixture
def network():
    torch.manual_seed(0)
    return ExpressionExtractor(SMALL).eval()


def voice(seconds, seed=0):
    rng = np.random.default_rng(seed)
    count = int(seconds * SAMPLE_RATE)
    envelope = np.repeat(rng.random(count // 1600 + 1) > 0.4, 1600)[:count]
    return (0.2 * envelope * rng.standard_normal(count)).astype(np.float32)


def test_output_has_a_frame_for_each_frame_with_context(network):
    mel = torch.randn(2, 3 + 7 + 1, 16, 16) - 5
    result = network(mel, torch.zeros(2, 50))
    assert result.shape == (2, 7, 52)
    assert result.min() >= 0
    assert result.max() <= 1


def test_a_frame_sees_its_context_and_nothing_else(network):
    samples = voice(2.0)
    windows = torch.from_numpy(mel_windows(samples))[None]
    base = network(windows, torch.zeros(1, 50))[0]
    changed = windows.clone()
    # Windows overlap, so change one hop of sound in all windows that hold it.
    hop = 4 * 20
    for frame in range(windows.shape[1]):
        place = hop - 4 * frame
        if 0 <= place < 16:
            changed[0, frame, :, place] += 3.0
    moved = (network(changed, torch.zeros(1, 50))[0] - base).abs().amax(1)
    seen = torch.nonzero(moved > 1e-6).flatten()
    # Output frame i has windows i to i + past + ahead; a hop at 80 lies in windows 17 to 20.
    assert seen.min() == 17 - 4
    assert seen.max() == 20


def test_identity_matters(network):
    mel = torch.randn(1, 10, 16, 16) - 5
    assert not torch.allclose(network(mel, torch.zeros(1, 50)), network(mel, torch.ones(1, 50)))


def test_landmark_loss_is_the_weighted_squared_distance_in_pixels(model):
    loss = LandmarkLoss(model)
    weights = np.ones(478)
    weights[list(LIPS_INNER + NOSE_BRIDGE)] = 20.0
    torch.manual_seed(1)
    one, other = 0.3 * torch.rand(2, 4, 52), 0.3 * torch.rand(2, 4, 52)
    identity = torch.randn(2, 50)
    apart = loss.project(one, identity) - loss.project(other, identity)
    exact = (apart.square().sum(-1).numpy() * weights).sum(-1) / weights.sum()
    np.testing.assert_allclose(loss(one, other, identity).numpy(), exact, rtol=0.1)
    pixels = loss.project(torch.zeros(1, 1, 52), torch.zeros(1, 50))[0, 0]
    assert 100 < float(pixels[:, 1].max() - pixels[:, 1].min()) < 200
    assert float(loss(one, one, identity).max()) == 0


def test_landmark_loss_weighs_lips_most(model):
    loss = LandmarkLoss(model)
    zero, jaw, brow = torch.zeros(3, 1, 1, 52)
    jaw[..., JAW] = 0.5
    brow[..., ARKIT_NAMES.index("browInnerUp")] = 0.5
    identity = torch.zeros(1, 50)
    assert loss(jaw, zero, identity) > 3 * loss(brow, zero, identity)


@settings(deadline=None, max_examples=30)
@given(gain=st.floats(-40, 0), seed=st.integers(0, 1000))
def test_level_does_not_matter(gain, seed):
    samples = voice(2.0, seed) + np.float32(1e-9)
    if np.abs(samples).max() < 0.01:
        return
    quiet = (samples * 10 ** (gain / 20)).astype(np.float32)
    loud_level = levelled(samples, level_gain(samples))
    quiet_level = levelled(quiet, level_gain(quiet))
    np.testing.assert_allclose(quiet_level, loud_level, atol=1e-3)


def test_levelling_of_a_stretch_is_that_of_the_whole():
    samples = voice(4.0)
    gain = level_gain(samples)
    whole = levelled(samples, gain)
    stretch = levelled(samples[30 * 640 : 60 * 640], gain, 30)
    np.testing.assert_allclose(stretch, whole[30 * 640 : 60 * 640], rtol=1e-5)


def test_level_needs_no_more_than_two_frames_ahead():
    samples = voice(4.0)
    later = samples.copy()
    later[53 * 640 :] *= 4
    assert np.array_equal(level_gain(samples)[:50], level_gain(later)[:50])


def test_blocks_do_not_show(network, monkeypatch):
    import osmnet_sdk.expression.predict as predict

    predictor = ExpressionPredictor(network)
    samples = voice(7.3)
    whole = predictor.predict((samples, SAMPLE_RATE))
    monkeypatch.setattr(predict, "_BLOCK", 40)
    blocks = predictor.predict((samples, SAMPLE_RATE))
    np.testing.assert_allclose(blocks.coefficients, whole.coefficients, atol=1e-5)


def test_predict_is_deterministic_and_has_a_frame_for_each_25th_second(network):
    predictor = ExpressionPredictor(network)
    for seconds in (0.05, 1.0, 2.345):
        samples = voice(seconds)
        track = predictor.predict((samples, SAMPLE_RATE))
        assert len(track) == frame_count(len(samples))
        assert track == predictor.predict((samples, SAMPLE_RATE))
        assert track.provenance.source == "predicted"
        assert track.provenance.audio_sha256


def test_intensity_scales(network):
    predictor = ExpressionPredictor(network)
    samples = voice(2.0)
    base = predictor.predict((samples, SAMPLE_RATE))
    none = predictor.predict((samples, SAMPLE_RATE), options=ExpressionOptions(intensity=0.0))
    half = predictor.predict((samples, SAMPLE_RATE), options=ExpressionOptions(intensity=0.5))
    assert not none.coefficients.any()
    np.testing.assert_allclose(half.coefficients, 0.5 * base.coefficients, atol=1e-6)
    assert half.provenance.options == {"intensity": 0.5}


def test_silence_rests_whatever_the_network_says(network):
    predictor = ExpressionPredictor(network)
    silence = (np.zeros(32_000, np.float32), SAMPLE_RATE)
    assert not predictor.predict(silence).coefficients.any()
    awake = predictor.predict(silence, options=ExpressionOptions(rest_in_silence=False))
    assert awake.coefficients.any()


def test_wrong_identity_is_refused(network):
    predictor = ExpressionPredictor(network)
    for wrong in (np.zeros(51), np.zeros((1, 50)), np.array([np.nan])):
        with pytest.raises(InputError, match="identity"):
            predictor.predict((voice(1.0), SAMPLE_RATE), identity=wrong)


def test_predict_can_be_cancelled_and_reports(network):
    predictor = ExpressionPredictor(network)
    with pytest.raises(Cancelled):
        predictor.predict((voice(1.0), SAMPLE_RATE), cancel=lambda: True)
    seen = []
    predictor.predict(
        (voice(1.0), SAMPLE_RATE), progress=lambda stage, done, total: seen.append((done, total))
    )
    assert seen[-1] == (25, 25)


def test_smoothing_leaves_a_closure_of_one_frame_closed():
    track = np.zeros((9, 52), np.float32)
    track[:, JAW] = 0.3
    track[4, CLOSE] = 0.3
    gain = np.zeros(52, np.float32)
    gain[[JAW, CLOSE]] = 0.75, -0.75
    result = smoothed(track, gain)
    apart = result[:, JAW] - result[:, CLOSE]
    assert apart[4] < 0.01
    jitter = np.zeros((20, 52), np.float32)
    jitter[:, JAW] = 0.4 + 0.02 * (np.arange(20) % 2)
    assert np.ptp(smoothed(jitter, gain)[2:-2, JAW]) < 0.01


@given(jaw=st.floats(0, 1), close=st.floats(0, 1), press=st.floats(0, 1))
def test_lips_that_come_close_touch_and_do_not_sink_in(jaw, close, press):
    model = load_face_model(find_bundle())
    geometry = LipGeometry.from_model(model)
    gain = geometry.gain.astype(np.float32)
    given_values = np.zeros((1, 52), np.float32)
    given_values[0, [JAW, CLOSE]] = jaw, close
    given_values[0, ARKIT_NAMES.index("mouthPressLeft")] = press
    result = touched(given_values, gain)
    before, after = float((given_values @ gain)[0]), float((result @ gain)[0])
    if before >= FREE or close == 1:
        assert after == pytest.approx(before, abs=1e-5) or close == 1
    elif before < TOUCH:
        assert after < 1e-4
        assert model.lip_gap(result)[0] == 0
    assert after > min(-OVERLAP, before) - 1e-4
    assert np.array_equal(np.delete(result, CLOSE, 1), np.delete(given_values, CLOSE, 1))


def test_weights_that_do_not_fit_are_refused(network):
    arrays = {name: value.numpy() for name, value in network.state_dict().items()}
    config = SMALL.model_dump_json()
    rebuilt = extractor_from(arrays, {"config": config}, "a test")
    mel = torch.randn(1, 6, 16, 16)
    torch.testing.assert_close(rebuilt(mel, torch.zeros(1, 50)), network(mel, torch.zeros(1, 50)))
    other = dict(arrays)
    other.pop("out.bias")
    for wrong, text in ((arrays, "{}"), (other, config), (arrays, "no json")):
        with pytest.raises(ModelError, match="a test"):
            extractor_from(wrong, {"config": text}, "a test")
    with pytest.raises(ModelError):
        extractor_from(arrays, {}, "a test")


def test_config_says_how_far_it_looks_ahead():
    config = ExtractorConfig()
    # From the time of the frame to the end of the last hop's window, in seconds.
    ahead = config.ahead * 0.04 + 0.02 + (config.hops // 2 - 1) * 0.01 + 0.0125
    assert ahead <= 0.2
