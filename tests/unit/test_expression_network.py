import numpy as np
import pytest
import torch

from osmnet_sdk.audio.mel import mel_windows
from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES, SAMPLE_RATE
from osmnet_sdk.errors import ModelError
from osmnet_sdk.expression.network import (
    FORMATS,
    PHONE_CLASSES,
    ExpressionExtractor,
    ExtractorConfig,
    LandmarkLoss,
)
from osmnet_sdk.face.landmark_sets import LIPS_INNER, NOSE_BRIDGE
from osmnet_sdk.face.model import load_face_model

SMALL = ExtractorConfig(bands=16, layers=1, ahead=1, identity=50, width=16, hidden=16, dropout=0.0)
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
    result = network(mel, torch.zeros(2, 50)).coefficients
    assert result.shape == (2, 7, 52)
    assert result.min() >= 0
    assert result.max() <= 1


def test_a_frame_sees_its_context_and_nothing_else(network):
    samples = voice(2.0)
    windows = torch.from_numpy(mel_windows(samples))[None]
    base = network(windows, torch.zeros(1, 50)).coefficients[0]
    changed = windows.clone()
    # Windows overlap, so change one hop of sound in all windows that hold it.
    hop = 4 * 20
    for frame in range(windows.shape[1]):
        place = hop - 4 * frame
        if 0 <= place < 16:
            changed[0, frame, :, place] += 3.0
    moved = (network(changed).coefficients[0] - base).abs().amax(1)
    seen = torch.nonzero(moved > 1e-6).flatten()
    # Output frame i has windows i to i + past + ahead; a hop at 80 lies in windows 17 to 20.
    assert seen.min() == 17 - 4
    assert seen.max() == 20


def test_identity_matters(network):
    mel = torch.randn(1, 10, 16, 16) - 5
    still, other = (network(mel, face).coefficients for face in (None, torch.ones(1, 50)))
    assert not torch.allclose(still, other)


def test_landmark_loss_is_the_weighted_squared_distance_in_pixels(model):
    loss = LandmarkLoss(model)
    weights = np.ones(478)
    weights[list(LIPS_INNER + NOSE_BRIDGE)] = 20.0
    torch.manual_seed(1)
    one, other = 0.3 * torch.rand(2, 4, 52), 0.3 * torch.rand(2, 4, 52)
    identity = torch.randn(2, 50)
    apart = loss.project(one, identity) - loss.project(other, identity)
    exact = (apart.square().sum(-1).numpy() * weights).sum(-1) / len(weights)  # eq. 9
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


def test_weights_that_do_not_fit_are_refused(network):
    arrays = {name: value.numpy() for name, value in network.state_dict().items()}
    config = SMALL.model_dump_json()
    rebuilt = FORMATS["mel"].build(arrays, {"config": config}, "a test")
    mel = torch.randn(1, 6, 16, 16)
    torch.testing.assert_close(rebuilt(mel).coefficients, network(mel).coefficients)
    other = dict(arrays)
    other.pop("out.bias")
    for wrong, text in ((arrays, "{}"), (other, config), (arrays, "no json")):
        with pytest.raises(ModelError, match="a test"):
            FORMATS["mel"].build(wrong, {"config": text}, "a test")
    with pytest.raises(ModelError):
        FORMATS["mel"].build(arrays, {}, "a test")


def test_config_says_how_far_it_looks_ahead():
    config = ExtractorConfig()
    # From the time of the frame to the end of the last hop's window, in seconds.
    ahead = config.ahead * 0.04 + 0.02 + (config.hops // 2 - 1) * 0.01 + 0.0125
    assert ahead <= 0.2


def test_features_of_speech_give_lips_phones_and_voice():
    config = ExtractorConfig(features="speech", speech=8, layers=2, ahead=0, width=16, hidden=16)
    torch.manual_seed(0)
    network = ExpressionExtractor(config).eval()
    features = torch.randn(1, 2 * (config.past + 20) + 3, 8)
    found = network(features)
    assert found.coefficients.shape == (1, 20, 52)
    assert found.phones.shape == (1, 20, 2, len(PHONE_CLASSES))
    assert found.voice.shape == (1, 20, 2)
    torch.testing.assert_close(
        network(features, torch.ones(1, 50)).coefficients, found.coefficients
    )
    changed = features.clone()
    changed[0, 60, 0] += 3.0
    moved = (network(changed).coefficients[0] - found.coefficients[0]).abs().amax(1)
    seen = torch.nonzero(moved > 1e-6).flatten()
    # Frame i has features 2 i to 2 (i + past) + 4 of these: 60 comes last in 28 - past.
    assert (int(seen.min()), int(seen.max())) == (28 - config.past, 19)
