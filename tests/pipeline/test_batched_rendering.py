"""Whole frames of the batch renderer, against those of the CPU's renderer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from osmnet_sdk.client import OSMNet
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.errors import DeviceError
from osmnet_sdk.rendering import registry as choice
from osmnet_sdk.rendering.frames import render_frames
from osmnet_sdk.rendering.guided import batched_frame as guided
from osmnet_sdk.rendering.guided.batched_frame import BatchedGuidedRenderer
from osmnet_sdk.rendering.guided.frame import GuidedRenderer
from osmnet_sdk.rendering.guided.network import FORMAT, GuidedConfig, GuidedPainter
from osmnet_sdk.rendering.view import crop_view, photo_view
from osmnet_sdk.rendering.warp.batched import frames
from osmnet_sdk.rendering.warp.batched.posing import HeadPoser
from osmnet_sdk.rendering.warp.batched.renderer import BatchedRenderer
from osmnet_sdk.rendering.warp.frame import FrameRenderer
from osmnet_sdk.rendering.warp.scene import build_scene
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

CPU = torch.device("cpu")
MOVES = (
    ((0, 0, 0), {}),
    ((5, 14, -6), {"jawOpen": 0.6}),
    ((-10, -24, 4), {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}),
    ((12, -5, 10), {"mouthPucker": 0.8, "eyeBlinkRight": 0.7}),
    ((-3, 6, 0), {"jawOpen": 0.0, "mouthSmileLeft": 0.0, "mouthSmileRight": 0.0}),
)


def performance(face):
    """Turned and shifted heads that open the mouth and close their eyes."""
    poses, values = [], np.repeat(face.fit.expression[None], len(MOVES), 0)
    for index, (rotation, changes) in enumerate(MOVES):
        poses.append(face.fit.pose.moved(rotation, (0.01 * index, -0.004 * index, 0.0)))
        for name, value in changes.items():
            values[index, ARKIT_NAMES.index(name)] = value
    return poses, values


def test_heads_are_posed_as_on_the_cpu(face):
    scene = build_scene(face, photo_view(face))
    geometry, (poses, values) = scene.geometry, performance(face)
    heads = HeadPoser(geometry, scene.grid, CPU).heads(poses, values)
    for index, (pose, expression) in enumerate(zip(poses, values, strict=True)):
        vertices = geometry.posed(expression)
        assert_allclose(heads.vertices[index], vertices, atol=1e-6)
        closure = list(geometry.closure(vertices).values())
        assert_allclose(heads.closure[index], closure, atol=1e-3)
        points, relief = (
            geometry.project(vertices, pose),
            scene.grid.posed(geometry, vertices, pose),
        )
        for wanted, posed in ((points, heads.points[index]), (relief, heads.relief[index])):
            assert_allclose(posed[:, :2], wanted[:, :2], atol=0.01)
            assert_allclose(posed[:, 2], wanted[:, 2], atol=1e-5)


@pytest.mark.parametrize("size", [(128, 128), (96, 200), "photo"])
def test_frames_are_those_of_the_cpus_renderer(face, size):
    view = photo_view(face) if size == "photo" else crop_view(face, *size)
    renderer = FrameRenderer(face, view)
    poses, values = performance(face)
    drawn = BatchedRenderer(renderer.scene, CPU).draw_batch(poses, values).numpy()
    assert drawn.shape == (len(poses), view.height, view.width, 3)
    for pose, expression, frame in zip(poses, values, drawn, strict=True):
        change = np.abs(renderer.draw(pose, expression).astype(int) - frame)
        assert change.mean() < 0.005
        # where a pixel lies on an edge, rounding decides what it shows
        assert (change > 2).any(-1).sum() <= 4


def test_a_batch_is_its_frames_one_by_one(face):
    renderer = BatchedRenderer(FrameRenderer(face, crop_view(face, 96, 96)).scene, CPU)
    poses, values = performance(face)
    batch = renderer.draw_batch(poses, values)
    assert len({frame.numpy().tobytes() for frame in batch}) == len(poses)
    for index, frame in enumerate(batch):
        one = renderer.draw_batch(poses[index : index + 1], values[index : index + 1])
        assert (one[0].int() - frame.int()).abs().max() <= 1


@pytest.fixture
def on_device(osm, monkeypatch):
    """Lets the CPU draw as a device does, four frames at a time."""
    osm.renderer_window("warp")  # loaded before, it draws as a CPU, now and in other tests
    monkeypatch.setattr(frames, "_MOST_FRAMES", 4)
    monkeypatch.setattr(choice, "draws_batches", lambda device: True)
    return OSMNet(device="cpu")


def take(count):
    rotation = np.zeros((count, 3))
    rotation[:, 1] = np.linspace(-10, 10, count)
    motion = MotionTrack(FPS, rotation, np.zeros((count, 3)))
    return motion, ExpressionTrack(FPS, np.linspace(0, 0.5, count)[:, None].repeat(52, 1))


def test_a_device_renders_what_the_cpu_renders(osm, face, on_device):
    motion, spoken = take(5)
    wanted = list(osm.render(face, motion, spoken, renderer="warp", size=(64, 64)))
    drawn = list(on_device.render(face, motion, spoken, renderer="warp", size=(64, 64)))
    assert np.abs(np.array(wanted, int) - drawn).mean() < 0.05
    some = on_device.render(face, motion, spoken, renderer="warp", size=(64, 64), frames=[3, 0])
    for number, frame in zip((3, 0), some, strict=True):
        assert np.abs(frame.astype(int) - drawn[number]).max() <= 1


@pytest.mark.parametrize("room", [2, 0])
def test_less_memory_means_smaller_batches(face, on_device, monkeypatch, room):
    draw, sizes = BatchedRenderer.frames, []

    def limited(self, heads):
        sizes.append(len(heads.vertices))
        if sizes[-1] > room:
            raise torch.OutOfMemoryError("out of memory")
        return draw(self, heads)

    monkeypatch.setattr(BatchedRenderer, "frames", limited)
    drawn = on_device.render(face, *take(5), renderer="warp", size=(64, 64))
    if not room:
        with pytest.raises(DeviceError, match="no memory for one frame of 64 × 64 pixels"):
            next(drawn)
        return
    assert len(list(drawn)) == 5
    assert sizes == [4, 2, 2, 2]


def test_a_head_that_does_not_fit_into_memory_is_said_plainly(face, on_device, monkeypatch):
    def full(self, scene, device):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(BatchedRenderer, "__init__", full)
    with pytest.raises(DeviceError, match="'cpu' has no memory"):
        next(on_device.render(face, *take(2), renderer="warp"))


def painter():
    """A small network with random weights that changes colours and looks beside."""
    torch.manual_seed(0)
    config = GuidedConfig(window_size=64, driving_size=8, channels=(4, 6, 8), residual_layers=1)
    made = GuidedPainter(config).eval()
    torch.nn.init.normal_(made.image.weight, std=0.1)
    return made


@pytest.mark.parametrize("size", [(128, 128), (100, 300), "photo"])
def test_guided_frames_are_those_of_the_cpu(face, size):
    view = photo_view(face) if size == "photo" else crop_view(face, *size)
    renderer = GuidedRenderer(face, view, painter())
    poses, values = performance(face)
    plain = renderer.plain
    drawn = BatchedGuidedRenderer(plain.scene, painter()).draw_batch(poses, values).numpy()
    wanted = np.array(renderer.draw_batch(poses, values), int)
    warped = np.array([plain.draw(*row) for row in zip(poses, values, strict=True)], int)
    changed = (np.abs(wanted - warped) > 3).any(-1)
    assert changed.mean() > 0.01
    off = np.abs(wanted - drawn)
    assert off.mean() < 0.1
    assert off[changed].mean() < 0.5


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_device_finishes_frames_as_the_cpu_does(face, monkeypatch, precision):
    motion, spoken = take(3)
    see = {"size": (128, 128), "label": False}
    plain = choice.guided_renderer(painter(), CPU)
    wanted = np.array(list(render_frames(face, motion, spoken, renderer=plain, **see)), int)
    monkeypatch.setattr(choice, "draws_batches", lambda device: True)
    monkeypatch.setattr(frames, "_MOST_FRAMES", 2)
    monkeypatch.setattr(guided, "fast_precision", lambda device: precision)
    batched = choice.guided_renderer(painter(), CPU)
    drawn = np.array(list(render_frames(face, motion, spoken, renderer=batched, **see)), int)
    assert np.abs(wanted - drawn).mean() < 0.2
    some = list(render_frames(face, motion, spoken, renderer=batched, frames=[2], **see))
    assert np.abs(some[0].astype(int) - drawn[2]).max() <= 1


def test_shipped_guided_frames_do_not_depend_on_the_split(osm, face, monkeypatch):
    monkeypatch.setattr(choice, "draws_batches", lambda device: True)
    monkeypatch.setattr(frames, "_MOST_FRAMES", 8)
    batched = choice.guided_renderer(FORMAT.load(osm.bundle), CPU)
    see = {"renderer": batched, "size": (96, 96), "label": False}
    tracks = take(46)
    whole = np.array(list(render_frames(face, *tracks, frames=range(30, 45), **see)))
    part = np.array(list(render_frames(face, *tracks, frames=range(33, 40), **see)))
    np.testing.assert_array_equal(part, whole[3:10])
    assert len({frame.tobytes() for frame in part}) == len(part)
    monkeypatch.setattr(frames, "_MOST_FRAMES", 1)
    single = list(render_frames(face, *tracks, frames=[30, 34, 37], **see))
    assert np.abs(whole[[0, 4, 7]].astype(int) - single).max() <= 1
