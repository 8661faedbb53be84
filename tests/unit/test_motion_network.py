import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from osmnet_sdk.motion.network import (
    MotionConfig,
    MotionNetwork,
    basis_loss,
    distance_loss,
    divergence_loss,
    pose_loss,
)

SMALL = MotionConfig(basis_vectors=6, feature_size=32, hidden_size=16, audio_size=8)


@pytest.fixture
def network() -> MotionNetwork:
    torch.manual_seed(0)
    return MotionNetwork(SMALL).eval()


def clips(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    poses = torch.randn(count, SMALL.clip_frames, 6, generator=generator)
    poses[:, 0] = 0.0
    return poses


def test_defaults_are_those_of_the_paper() -> None:
    config = MotionConfig()
    assert (config.clip_frames, config.basis_vectors, config.feature_size) == (5, 48, 512)
    assert (config.mel_bands, config.mel_hops) == (16, 16)
    assert MotionNetwork(config).kappa.item() == pytest.approx(10.0)


@pytest.mark.parametrize("values", [{"clip_frames": 1}, {"kappa": 0.0}, {"unknown": 1}])
def test_sizes_are_checked(values: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        MotionConfig.model_validate(values)


def test_shapes(network: MotionNetwork) -> None:
    features = network.motion_features(clips(3))
    assert features.shape == (3, 32)
    assert network.log_attention(features).shape == (3, 6)
    assert network.combine(torch.rand(3, 6)).shape == (3, 32)
    assert network.decode(features).shape == (3, 5, 6)
    assert network.audio_log_weights(torch.randn(3, 5, 16, 16)).shape == (3, 6)


@pytest.mark.parametrize(("bands", "hops"), [(16, 16), (40, 16), (10, 7)])
def test_other_mel_sizes(bands: int, hops: int) -> None:
    config = SMALL.model_copy(update={"mel_bands": bands, "mel_hops": hops})
    weights = MotionNetwork(config).audio_log_weights(torch.randn(2, 5, bands, hops))
    torch.testing.assert_close(weights.exp().sum(1), torch.ones(2))


def test_attention_by_hand(network: MotionNetwork) -> None:
    with torch.no_grad():
        network.directions.zero_()
        network.directions[0, 0] = 3.0  # its length does not count, only its direction
        network.directions[1:, 1] = 1.0
        network.log_kappa.fill_(math.log(2.0))
    feature = torch.zeros(1, 32)
    feature[0, 0] = 0.5
    # Cosines 1, 0, 0, 0, 0, 0; κ = 2: e² / (e² + 5) and 1 / (e² + 5).
    total = math.e**2 + 5
    expected = torch.tensor([[math.e**2] + [1.0] * 5]) / total
    torch.testing.assert_close(network.log_attention(feature).exp(), expected)


def test_combination_by_hand(network: MotionNetwork) -> None:
    with torch.no_grad():
        network.directions.copy_(torch.arange(6.0)[:, None].expand(6, 32))
        network.feature_scale.fill_(2.0)
    weights = torch.tensor([[0.5, 0.0, 0.0, 0.0, 0.0, 0.5]])
    torch.testing.assert_close(network.combine(weights), torch.full((1, 32), 5.0))


def test_basis_loss_by_hand() -> None:
    features = torch.tensor([[1.0, -2.0], [0.0, 0.0]])
    combined = torch.tensor([[0.0, 0.0], [0.5, 0.5]])
    assert basis_loss(features, combined).item() == pytest.approx((3.0 + 1.0) / 2)


def test_divergence_by_hand() -> None:
    weights = torch.tensor([[0.5, 0.5], [1.0, 1e-30]])
    audio = torch.tensor([[0.25, 0.75], [0.5, 0.5]])
    first = 0.5 * math.log(2) + 0.5 * math.log(2 / 3)
    expected = (first + math.log(2)) / 2
    assert divergence_loss(weights.log(), audio.log()).item() == pytest.approx(expected, rel=1e-5)
    assert divergence_loss(audio.log(), audio.log()).item() == pytest.approx(0.0, abs=1e-7)


def test_pose_loss_by_hand() -> None:
    target = torch.zeros(1, 3, 6)
    decoded = torch.zeros(1, 3, 6)
    decoded[0, 1, 0] = 4.0
    decoded[0, 0, 0] = 100.0  # the first frame is zero by definition and is not compared
    scale = torch.tensor([2.0, 1, 1, 1, 1, 1])
    assert pose_loss(decoded, target, scale).item() == pytest.approx(2.0 / 12)


def test_distance_loss_by_hand() -> None:
    pair = torch.zeros(2, 2, 6)
    pair[1, 1, 0] = math.sqrt(6.0)  # distance of the clips: root mean square 1
    features = torch.tensor([[0.0, 0.0], [0.3, 0.4]])
    wanted = 0.5 / math.sqrt(1.25)
    expected = abs(0.5 - wanted) / 0.5
    assert distance_loss(features, pair, torch.ones(6), 0.5).item() == pytest.approx(expected)


def test_rest_decodes_to_exactly_no_motion(network: MotionNetwork) -> None:
    poses = network.decode(network.still_feature())
    assert torch.equal(poses, torch.zeros(1, 5, 6))


def test_first_pose_of_a_clip_is_zero(network: MotionNetwork) -> None:
    poses = network.decode(torch.randn(4, 32))
    assert torch.equal(poses[:, 0], torch.zeros(4, 6))


def test_first_frame_is_not_read(network: MotionNetwork) -> None:
    poses = clips(2)
    shifted = poses.clone()
    shifted[:, 0] = 7.0
    torch.testing.assert_close(network.motion_features(shifted), network.motion_features(poses))


def test_features_lie_on_the_sphere(network: MotionNetwork) -> None:
    network.feature_scale.fill_(3.0)
    lengths = network.motion_features(clips(5)).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((5,), 3.0))


def test_units_cancel_out(network: MotionNetwork) -> None:
    """The scale of features and of poses changes units, not what is decoded."""
    poses = clips(3)
    before = network.decode(network.motion_features(poses))
    network.feature_scale.fill_(4.0)
    torch.testing.assert_close(network.decode(network.motion_features(poses)), before)
    network.pose_scale.mul_(10.0)
    after = network.decode(network.motion_features(poses * 10.0))
    torch.testing.assert_close(after, before * 10.0, rtol=1e-4, atol=1e-5)


def test_small_steps_in_feature_space_are_small_in_pose(network: MotionNetwork) -> None:
    features = network.motion_features(clips(3))
    poses = network.decode(features)
    step = torch.randn(3, 32)
    changes = [
        float((network.decode(features + size * step) - poses).detach().norm())
        for size in (1e-1, 1e-2, 1e-3)
    ]
    assert changes[1] / changes[0] == pytest.approx(0.1, rel=0.3)
    assert changes[2] / changes[1] == pytest.approx(0.1, rel=0.3)


def test_gradients_reach_what_each_loss_trains(network: MotionNetwork) -> None:
    network.train()
    features = network.motion_features(clips(4))
    attention = network.log_attention(features)
    combined = network.combine(attention.exp())
    loss = basis_loss(features, combined)
    loss = loss + pose_loss(network.decode(combined), clips(4), network.pose_scale)
    loss = loss + divergence_loss(
        attention.detach(), network.audio_log_weights(torch.randn(4, 5, 16, 16))
    )
    loss.backward()  # type: ignore[no-untyped-call]
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.abs().sum() > 0), name


def test_gradients_are_those_of_finite_differences() -> None:
    torch.manual_seed(3)
    network = MotionNetwork(SMALL).double()
    poses = clips(2).double()

    def losses(directions: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            network.directions.copy_(directions)
        features = network.motion_features(poses)
        similarity = torch.nn.functional.normalize(features, dim=-1) @ (
            torch.nn.functional.normalize(directions, dim=-1).T
        )
        weights = torch.softmax(network.kappa * similarity, dim=-1)
        torch.testing.assert_close(weights, network.log_attention(features).exp())
        return basis_loss(features, weights @ directions)

    start = network.directions.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(losses, (start,), atol=1e-5)


def test_state_survives_a_round_trip(network: MotionNetwork) -> None:
    other = MotionNetwork(SMALL).eval()
    other.load_state_dict(network.state_dict())
    poses = clips(3)
    np.testing.assert_array_equal(
        other.motion_features(poses).detach().numpy(),
        network.motion_features(poses).detach().numpy(),
    )
