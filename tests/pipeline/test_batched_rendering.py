"""Whole frames of the batch renderer, against those of the CPU's renderer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from osmnet_sdk.conventions import ARKIT_NAMES
from osmnet_sdk.render.batched.renderer import BatchedRenderer
from osmnet_sdk.render.renderer import FrameRenderer, crop_view, photo_view

CPU = torch.device("cpu")
MOVES = (
    ((0, 0, 0), {}),
    ((5, 14, -6), {"jawOpen": 0.6}),
    ((-10, -24, 4), {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}),
    ((12, -5, 10), {"mouthPucker": 0.8, "eyeBlinkRight": 0.7}),
)


def performance(face):
    """Turned and shifted heads that open the mouth and close their eyes."""
    poses, values = [], np.repeat(face.fit.expression[None], len(MOVES), 0)
    for index, (rotation, changes) in enumerate(MOVES):
        poses.append(face.fit.pose.moved(rotation, (0.01 * index, -0.004 * index, 0.0)))
        for name, value in changes.items():
            values[index, ARKIT_NAMES.index(name)] = value
    return poses, values


@pytest.mark.parametrize("size", [(128, 128), (96, 200), "photo"])
def test_frames_are_those_of_the_cpus_renderer(face, size):
    view = photo_view(face) if size == "photo" else crop_view(face, *size)
    renderer = FrameRenderer(face, view)
    poses, values = performance(face)
    frames = BatchedRenderer(renderer.scene, CPU).draw_batch(poses, values).numpy()
    assert frames.shape == (len(poses), view.height, view.width, 3)
    for pose, expression, frame in zip(poses, values, frames, strict=True):
        change = np.abs(renderer.draw(pose, expression).astype(int) - frame)
        assert change.mean() < 0.05
        # where a pixel lies on an edge, rounding decides what it shows
        assert (change > 4).any(-1).mean() < 1e-3


def test_a_batch_is_its_frames_one_by_one(face):
    renderer = BatchedRenderer(FrameRenderer(face, crop_view(face, 96, 96)).scene, CPU)
    poses, values = performance(face)
    batch = renderer.draw_batch(poses, values)
    assert len({frame.numpy().tobytes() for frame in batch}) == len(poses)
    for index, frame in enumerate(batch):
        one = renderer.draw_batch(poses[index : index + 1], values[index : index + 1])
        assert (one[0].int() - frame.int()).abs().max() <= 1
