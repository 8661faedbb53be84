"""The Video Generator: shapes, windows, AdaIN, poses in torch, weights and painting."""

import json
import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from osmnet_sdk.errors import DeviceError, InputError, ModelError
from osmnet_sdk.face.camera import euler_angles, rotation_matrix
from osmnet_sdk.motion.network import MotionConfig, PoseDecoder
from osmnet_sdk.motion.shaping import relative_clips
from osmnet_sdk.rendering.paper import painting
from osmnet_sdk.rendering.paper.blocks import AdaptiveInstanceNorm, layer_norm
from osmnet_sdk.rendering.paper.config import GeneratorConfig
from osmnet_sdk.rendering.paper.driving import DrivingEncoder, driving_features, window_frames
from osmnet_sdk.rendering.paper.generator import FORMAT, VideoGenerator, stored_generator
from osmnet_sdk.rendering.paper.painting import paint_frames, to_images, to_network
from osmnet_sdk.rendering.paper.poses import chained_poses, rotation_angles, rotation_matrices

SMALL = GeneratorConfig(image_size=32, half_window=2, driving_size=16, channels=(4, 6, 8))


def small_generator(config: GeneratorConfig = SMALL) -> VideoGenerator:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return VideoGenerator(config).eval()


def inputs(count: int, config: GeneratorConfig = SMALL) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    size, window = config.image_size, config.window
    source = torch.rand(count, 3, size, size, generator=generator) * 2 - 1
    poses = torch.randn(count, window, 6, generator=generator) * torch.tensor(
        [5.0] * 3 + [0.01] * 3
    )
    return source, poses, torch.rand(count, window, 52, generator=generator)


def test_the_papers_sizes():
    config = GeneratorConfig()
    assert (config.image_size, config.window, config.driving_size) == (256, 17, 256)
    network = VideoGenerator(config)
    assert len(network.painter.down) == 3
    assert len(network.painter.residual) == 5
    assert len(network.painter.up) == 3
    assert network.encoder(torch.zeros(2, 58, 17)).shape == (2, 256)


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("half", [0, 1, 8])
def test_a_frame_for_each_window(size, half):
    config = SMALL.model_copy(update={"image_size": size, "half_window": half})
    frames = small_generator(config)(*inputs(2, config))
    assert frames.shape == (2, 3, size, size)
    assert frames.abs().max() <= 1


@given(half=st.integers(0, 20), blocks=st.integers(1, 9))
def test_any_window_narrows_to_its_middle(half, blocks):
    encoder = DrivingEncoder(
        GeneratorConfig(half_window=half, driving_blocks=blocks, driving_size=4)
    )
    window = torch.zeros(1, 58, 2 * half + 1, requires_grad=True)
    vector = encoder(window)
    assert vector.shape == (1, 4)
    vector.sum().backward()
    assert (window.grad.abs().sum(dim=1) > 0).all()  # every frame of it counts


def test_the_residual_link_is_the_middle_frame():
    encoder = DrivingEncoder(SMALL)
    for block in encoder.blocks:
        torch.nn.init.zeros_(block.convolution.weight)
        torch.nn.init.zeros_(block.convolution.bias)
    window = torch.randn(3, 58, 5)
    middle = encoder.entry(window[..., 2:3])[..., 0]
    assert torch.allclose(encoder(window), middle, atol=1e-5)


@given(total=st.integers(1, 40), half=st.integers(0, 12))
def test_windows_repeat_the_ends(total, half):
    windows = window_frames(np.arange(total), half, total)
    assert windows.shape == (total, 2 * half + 1)
    assert (windows[:, half] == np.arange(total)).all()
    assert windows.min() == 0
    assert windows.max() == total - 1
    assert (np.diff(windows, axis=1) >= 0).all()
    assert (windows[0, : half + 1] == 0).all()


def test_driving_features_are_pose_and_expression():
    poses = torch.tensor([[[10.0, -20.0, 0.0, 0.02, 0.0, -0.04]]])
    features = driving_features(poses, torch.full((1, 1, 52), 0.5))
    assert features.shape == (1, 58, 1)
    assert torch.allclose(features[0, :6, 0], torch.tensor([1.0, -2, 0, 1, 0, -2]))
    assert (features[0, 6:] == 0.5).all()


def test_adain_sets_mean_and_deviation_of_each_channel():
    norm = AdaptiveInstanceNorm(2, 3)
    with torch.no_grad():
        norm.style.weight.zero_()
        norm.style.weight[0, 0] = 1.0  # γ of channel 0 is the vector's first number
        norm.style.bias.copy_(torch.tensor([0.0, 1.0, 5.0, -2.0]))
    features = torch.randn(2, 2, 16, 16) * 7 + 3
    out = norm(features, torch.tensor([[2.0, 9, 9], [0.5, 9, 9]]))
    means = torch.tensor([[5.0, -2.0], [5.0, -2.0]])
    deviations = torch.tensor([[3.0, 2.0], [1.5, 2.0]])
    assert torch.allclose(out.mean(dim=(2, 3)), means, atol=1e-4)
    assert torch.allclose(out.std(dim=(2, 3), correction=0), deviations, atol=1e-3)


def test_layer_norm_is_over_channels_and_picture():
    out = layer_norm(5)(torch.randn(3, 5, 8, 8) * 4 + 1)
    assert torch.allclose(out.mean(dim=(1, 2, 3)), torch.zeros(3), atol=1e-5)


def test_every_weight_gets_a_gradient():
    generator = small_generator()
    generator(*inputs(2)).square().sum().backward()
    for name, value in generator.named_parameters():
        assert value.grad is not None, name
        # a bias before a norm over the whole picture of one channel cannot matter
        assert value.grad.abs().sum() > 0 or name.endswith("bias"), name


def test_source_pose_and_expression_all_change_the_frame():
    generator = small_generator()
    plain = inputs(1)
    frame = generator(*plain)
    for index in range(3):
        changed = list(plain)
        changed[index] = changed[index] * 0.5
        assert not torch.allclose(generator(*changed), frame, atol=1e-5)


@given(angles=st.lists(st.floats(-80, 80), min_size=3, max_size=3))
def test_rotations_are_those_of_the_camera(angles):
    tensor = torch.tensor(angles, dtype=torch.float64)
    matrix = rotation_matrices(tensor)
    assert np.allclose(matrix.numpy(), rotation_matrix(angles), atol=1e-9)
    assert np.allclose(rotation_angles(matrix).numpy(), euler_angles(matrix.numpy()), atol=1e-4)


def test_chained_clips_give_the_track_back():
    generator = np.random.default_rng(0)
    poses = np.cumsum(generator.normal(size=(13, 6)) * ([2.0] * 3 + [0.01] * 3), axis=0)
    clips = relative_clips(poses[:, :3], poses[:, 3:], 5, stride=4)
    assert len(clips) == 3
    chained = chained_poses(torch.tensor(poses[None, 0]), torch.tensor(clips[None]))
    assert np.allclose(chained[0].numpy(), poses, atol=1e-4)


def test_chained_poses_pass_gradients_on():
    clips = torch.zeros(1, 2, 3, 6, requires_grad=True)
    chained_poses(torch.zeros(1, 6), clips).sum().backward()
    assert torch.isfinite(clips.grad).all()
    assert (clips.grad[:, :, 1:].abs().sum(dim=-1) > 0)[0, :, -1].all()


@pytest.mark.parametrize(
    "wrong",
    [{"image_size": 100}, {"half_window": -1}, {"channels": (4, 4)}, {"unknown": 1}],
)
def test_wrong_sizes_are_refused(wrong):
    with pytest.raises(ValidationError):
        GeneratorConfig(**wrong)


def stored() -> tuple[dict, dict]:
    return stored_generator(small_generator(), PoseDecoder(MotionConfig(feature_size=8)))


def test_weights_come_back_in_half_precision():
    arrays, metadata = stored()
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float16)}
    assert any(name.startswith("decoder.") for name in arrays)
    generator = FORMAT.build(arrays, metadata, "a test")
    assert not generator.training
    expected = small_generator()(*inputs(1))
    assert torch.allclose(generator(*inputs(1)), expected, atol=0.02)


def damaged(kind: str) -> tuple[dict, dict]:
    arrays, metadata = stored()
    first = next(iter(arrays))
    if kind == "missing":
        del arrays[first]
    elif kind == "shape":
        arrays[first] = arrays[first][:1]
    elif kind == "nan":
        arrays[first][...] = np.nan
    elif kind == "config":
        metadata["config"] = json.dumps({"image_size": "large"})
    else:
        metadata["schema"] = "osmnet.generator/99"
    return arrays, metadata


@pytest.mark.parametrize("kind", ["missing", "shape", "nan", "config", "schema"])
def test_damaged_weights_are_refused(kind):
    with pytest.raises(ModelError, match="a test"):
        FORMAT.build(*damaged(kind), "a test")


def performance(frames: int = 7) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(0)
    photo = generator.integers(0, 255, (32, 32, 3), dtype=np.uint8)
    poses = generator.normal(size=(frames, 6)) * ([5.0] * 3 + [0.01] * 3)
    return photo, poses, generator.random((frames, 52))


def test_a_frame_does_not_depend_on_how_they_are_split():
    generator = small_generator()
    photo, *tracks = performance()
    whole = list(paint_frames(generator, photo, *tracks))
    assert len(whole) == 7
    for batch in (1, 2, 3):
        drawn = list(paint_frames(generator, photo, *tracks, batch=batch))
        some = list(paint_frames(generator, photo, *tracks, frames=[5, 2], batch=batch))
        for one, other in zip([drawn[5], drawn[2]], some, strict=True):
            assert np.array_equal(one, other)
        for one, other in zip(whole, drawn, strict=True):
            assert np.abs(one.astype(int) - other).max() <= 1
    assert np.abs(whole[0].astype(int) - whole[3]).max() > 0


def test_one_source_serves_a_batch():
    source, *tracks = inputs(3)
    generator = small_generator()
    alone = generator(source[:1], *tracks)
    assert torch.allclose(alone, generator(source[:1].expand(3, -1, -1, -1), *tracks), atol=1e-5)


def test_what_is_fast_on_a_device_changes_little(monkeypatch):
    photo, *tracks = performance()
    exact = np.array(list(paint_frames(small_generator(), photo, *tracks)), int)
    assert np.abs(exact[0] - exact[3]).mean() > 0.1
    monkeypatch.setattr(painting, "fast_precision", lambda device: torch.bfloat16)
    generator = painting.prepared(small_generator(), "cpu")
    assert generator.painter.image.weight.dtype == torch.bfloat16
    assert generator.encoder.entry.weight.dtype == torch.float32
    rounded = np.array(list(paint_frames(generator, photo, *tracks)), int)
    assert np.abs(exact - rounded).mean() < 2


def test_frames_left_alone_leave_no_thread():
    generator, (photo, *tracks) = small_generator(), performance(200)
    frames = paint_frames(generator, photo, *tracks)
    next(frames)
    assert any(thread.name.startswith("osmnet-batch") for thread in threading.enumerate())
    frames.close()
    assert not any(thread.name.startswith("osmnet-batch") for thread in threading.enumerate())


def test_pictures_to_the_network_and_back():
    photo = performance()[0]
    assert (to_images(to_network(photo[None]))[0] == photo).all()


@pytest.mark.parametrize("wrong", ["size", "shape", "nan"])
def test_what_cannot_be_painted_is_said(wrong):
    photo, poses, expression = performance()
    if wrong == "size":
        photo = photo[:16]
    elif wrong == "shape":
        expression = expression[:-1]
    else:
        poses[3, 1] = np.nan
    with pytest.raises(InputError):
        paint_frames(small_generator(), photo, poses, expression)


@pytest.mark.parametrize("room", [2, 0])
def test_less_memory_means_smaller_batches(room, monkeypatch):
    generator = small_generator()
    photo, *tracks = performance()
    expected = list(paint_frames(generator, photo, *tracks))
    draw = generator.painter.forward

    def limited(source, driving):
        if len(source) > room:
            raise torch.OutOfMemoryError("out of memory")
        return draw(source, driving)

    monkeypatch.setattr(generator.painter, "forward", limited)
    frames = paint_frames(generator, photo, *tracks, batch=8)
    if not room:
        with pytest.raises(DeviceError, match="no memory for one frame of 32 × 32"):
            next(frames)
        return
    for one, other in zip(expected, frames, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1
