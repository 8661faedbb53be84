"""The guided generator over the warped photo: what it may change, splits, weights, errors."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.core.bundle import find_bundle, save_arrays, write_manifest
from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import DeviceError, InputError, ModelError
from osmnet_sdk.face.camera import Pose
from osmnet_sdk.rendering.guided.frame import GuidedRenderer
from osmnet_sdk.rendering.guided.guides import GUIDES, FaceGuides, FaceWindow
from osmnet_sdk.rendering.guided.network import (
    FORMAT,
    GuidedConfig,
    GuidedPainter,
    finished,
    stored_guided,
)
from osmnet_sdk.rendering.paper.painting import to_images
from osmnet_sdk.rendering.view import crop_view, photo_view

SMALL = GuidedConfig(window_size=64, driving_size=8, channels=(4, 6, 8), residual_layers=1)


def painter(seed: int = 0, scale: float = 0.0) -> GuidedPainter:
    """A small network; `scale` is that of its last layer's random weights."""
    torch.manual_seed(seed)
    made = GuidedPainter(SMALL).eval()
    torch.nn.init.normal_(made.image.weight, std=scale)
    return made


def performance(face, count=3):  # type: ignore[no-untyped-def]
    """Poses and expressions with turns, an open mouth and shut eyes."""
    poses, values = [], np.repeat(face.fit.expression[None], count, 0)
    for index in range(count):
        poses.append(face.fit.pose.moved((2.0 * index, 8.0 - 6.0 * index, 1.0), (0, 0, 0)))
    values[:, ARKIT_NAMES.index("jawOpen")] = np.linspace(0.1, 0.7, count)
    values[:, ARKIT_NAMES.index("eyeBlinkLeft")] = np.linspace(1, 0, count)
    return poses, values


@pytest.mark.parametrize("size", [(256, 256), (300, 170), "photo"])
def test_an_untrained_network_leaves_the_warp_as_it_is(face, size):
    view = photo_view(face) if size == "photo" else crop_view(face, *size)
    renderer = GuidedRenderer(face, view, painter())
    poses, values = performance(face)
    for pose, value, frame in zip(poses, values, renderer.draw_batch(poses, values), strict=True):
        assert np.array_equal(frame, renderer.plain.draw(pose, value))


def test_only_what_is_in_doubt_changes(face):
    renderer = GuidedRenderer(face, crop_view(face, 256, 256), painter(scale=0.3))
    poses, values = performance(face)
    plain, drawn = renderer.plain.draw(poses[1], values[1]), renderer.draw(poses[1], values[1])
    guides = FaceGuides(renderer.plain.geometry, renderer.plain.view, 64)
    window, _ = guides.draw(renderer.plain.scene.posed(poses[1], values[1]))
    change = np.abs(drawn.astype(int) - plain).max(-1)
    inside = np.zeros((256, 256), bool)
    rows = slice(max(window.top, 0), window.top + window.side)
    columns = slice(max(window.left, 0), window.left + window.side)
    inside[rows, columns] = True
    assert change[inside].max() > 20
    assert change[~inside].max() == 0
    middle = change[window.top + window.side // 8, window.left + window.side // 2]
    assert middle <= 1  # the forehead is known


def test_guides_say_where_mouth_and_eyes_are(face):
    view = crop_view(face, 256, 256)
    renderer = GuidedRenderer(face, view, painter())
    guides = FaceGuides(renderer.plain.geometry, view, 128)
    poses, values = performance(face)
    heads = [renderer.plain.scene.posed(p, v) for p, v in zip(poses, values, strict=True)]
    pictures = [dict(zip(GUIDES, np.moveaxis(guides.draw(head)[1], -1, 0), strict=True))
                for head in heads]  # fmt: skip
    shut, last = pictures[0], pictures[-1]
    assert all(p.min() >= 0 and p.max() <= 1 for p in shut.values())
    assert last["inside"].sum() > 3 * shut["inside"].sum() > 0  # the jaw opens
    assert shut["lids"].max() > 0.8 > 0.3 > last["lids"].max()  # the left eye opens
    rows, columns = np.nonzero(last["inside"])
    assert 64 < rows.mean() < 110
    assert 45 < columns.mean() < 83
    assert last["doubt"][rows, columns].min() > 0.5
    eyes, _ = np.nonzero(last["eyes"] > 0.5)
    assert eyes.mean() < 64
    edge = last["doubt"].copy()
    edge[2:-2, 2:-2] = 0
    assert edge.max() < 0.1


def test_a_batch_equals_single_frames_and_splits_do_not_matter(face):
    renderer = GuidedRenderer(face, crop_view(face, 256, 256), painter(scale=0.3))
    poses, values = performance(face, 4)
    whole = renderer.draw_batch(poses, values)
    single = [renderer.draw(p, v) for p, v in zip(poses, values, strict=True)]
    split = renderer.draw_batch(poses[:1], values[:1]) + renderer.draw_batch(poses[1:], values[1:])
    for frame, *others in zip(whole, single, split, strict=True):
        for other in others:
            assert np.abs(frame.astype(int) - other).max() <= 1
    assert renderer.draw_batch([], np.zeros((0, 52))) == []


@pytest.mark.parametrize("room", [0, 2])
def test_less_memory_means_smaller_batches(face, room, monkeypatch):
    made = painter(scale=0.3)
    renderer = GuidedRenderer(face, crop_view(face, 128, 128), made)
    poses, values = performance(face, 4)
    wanted = renderer.draw_batch(poses, values)
    forward = GuidedPainter.forward

    def limited(self, warp, *others):  # type: ignore[no-untyped-def]
        if len(warp) > room:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, warp, *others)

    monkeypatch.setattr(GuidedPainter, "forward", limited)
    if room:
        for frame, other in zip(renderer.draw_batch(poses, values), wanted, strict=True):
            assert np.abs(frame.astype(int) - other).max() <= 1
        return
    with pytest.raises(DeviceError, match="no memory for one frame"):
        renderer.draw_batch(poses, values)


def test_values_that_are_no_numbers_are_refused(face):
    renderer = GuidedRenderer(face, crop_view(face, 64, 64), painter())
    (pose,), values = performance(face, 1)
    with pytest.raises(InputError, match="not numbers"):
        renderer.draw(pose, np.full(52, np.nan))
    with pytest.raises(InputError, match="not numbers"):
        renderer.draw(Pose(pose.rotation, np.array([0, np.inf, 0])), values[0])
    with pytest.raises(InputError, match=r"\(1, 52\)"):
        renderer.draw(pose, np.zeros(51))


@given(
    left=st.integers(-40, 60), top=st.integers(-40, 60), side=st.integers(8, 50),
    size=st.sampled_from([16, 32]),
)  # fmt: skip
def test_windows_may_reach_beyond_the_frame(left, top, side, size):
    frame = np.random.default_rng(0).integers(50, 200, (40, 30, 3)).astype(np.uint8)
    window, before = FaceWindow(left, top, side), frame.copy()
    cut = window.cut(frame, size)
    assert cut.shape == (size, size, 3)
    out = np.zeros((size, size, 5), np.float32)
    window.finish(frame, out)
    assert np.array_equal(frame, before)
    out[..., :3] = 10
    window.finish(frame, out)
    changed = np.zeros((40, 30), bool)
    changed[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = True
    assert (frame[changed] == before[changed] + 10).all()
    assert (frame[~changed] == before[~changed]).all()


@pytest.mark.parametrize("side", [16, 48])
def test_a_window_looks_beside_itself(side):
    frame = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    before, out = frame.copy(), np.zeros((16, 16, 5), np.float32)
    out[..., 3:] = 2 * 16 / side, -1 * 16 / side
    FaceWindow(8, 8, side).finish(frame, out)
    inside = slice(8, 8 + side)
    assert np.array_equal(frame[inside, inside], before[7 : 7 + side, 10 : 10 + side])


def test_the_network_and_the_frame_finish_alike():
    draw = np.random.default_rng(0)
    frame = cv2.GaussianBlur(draw.integers(0, 255, (32, 32, 3)).astype(np.uint8), (0, 0), 2)
    out = np.zeros((32, 32, 5), np.float32)
    out[8:24, 8:24] = draw.normal(size=5) * (10, 10, 10, 1.5, 1.5)
    tensors = [
        torch.from_numpy(p)[None].movedim(-1, 1) for p in (frame / np.float32(127.5) - 1, out)
    ]
    tensors[1] = torch.cat([tensors[1][:, :3] / 127.5, tensors[1][:, 3:]], dim=1)
    wanted = to_images(finished(*tensors))[0]
    FaceWindow(0, 0, 32).finish(frame, out)
    assert np.abs(frame.astype(int) - wanted).mean() < 1
    assert np.array_equal(
        to_images(finished(tensors[0], torch.zeros(1, 5, 32, 32)))[0][:8], frame[:8]
    )


def test_weights_come_back_in_half_precision(tmp_path: Path):
    made = painter(scale=0.3)
    save_arrays(tmp_path / FORMAT.file, *stored_guided(made))
    write_manifest(tmp_path, name="small", version="1", licence="none")
    found = FORMAT.load(find_bundle(tmp_path))
    assert found.config == SMALL
    assert not found.training
    for name, value in found.state_dict().items():
        assert torch.allclose(value, made.state_dict()[name], rtol=1e-3, atol=1e-4)


def test_a_bundle_without_weights_is_said(tmp_path: Path):
    save_arrays(tmp_path / "other.safetensors", {"x": np.zeros(1)}, {})
    write_manifest(tmp_path, name="bare", version="1", licence="none")
    with pytest.raises(ModelError, match=r"'bare' has no .*'guided\.safetensors'.*train guided"):
        FORMAT.load(find_bundle(tmp_path))


@pytest.mark.parametrize("kind", ["schema", "config", "shape", "missing", "nan"])
def test_damaged_weights_are_refused(kind):
    arrays, metadata = stored_guided(painter())
    name = "image.bias"
    match kind:
        case "schema":
            metadata["schema"] = "osmnet.guided/9"
        case "config":
            metadata["config"] = "{"
        case "shape":
            arrays[name] = arrays[name][:-1]
        case "missing":
            del arrays[name]
        case "nan":
            arrays[name] = np.full_like(arrays[name], np.nan)
    with pytest.raises(ModelError, match="a test"):
        FORMAT.build(arrays, metadata, "a test")
