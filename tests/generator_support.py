"""Made-up segments for the generator: a square that moves as its head does."""

from __future__ import annotations

import numpy as np

from osmnet_sdk.rendering.paper.config import GeneratorConfig
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.data.segments import Segment
from osmnet_sdk.research.trainers.generator.recipe import GeneratorRecipe
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

SIZE = 32

RECIPE = GeneratorRecipe(
    config=GeneratorConfig(
        image_size=SIZE, half_window=2, driving_size=16, channels=(4, 6, 8), residual_layers=1
    ),
    steps=4,
    batch=2,
    learning_rate=2e-3,
    perceptual_weight=0.0,
    style_weight=0.0,
    validation_share=0.0,
)


def segment(name: str, *, frames: int = 12, sound: bool = True, size: int = SIZE) -> Segment:
    """A bright square on a slope of colours, which goes right and left with yaw."""
    generator = np.random.default_rng(len(name) + sum(name.encode()))
    time = np.arange(frames) / 25
    poses = np.zeros((frames, 6))
    poses[:, 1] = 8.0 * np.sin(6.0 * time + generator.uniform(0, 6))
    pictures = np.zeros((frames, size, size, 3), np.uint8)
    pictures[..., :2] = np.linspace(0, 200, size)[:, None, None]
    for index, yaw in enumerate(poses[:, 1]):
        left = size // 2 + round(yaw / 2) - 4
        pictures[index, 10:20, left : left + 8] = generator.integers(200, 255, 3)
    take = Take(
        MotionTrack(25, poses[:, :3], poses[:, 3:]),  # type: ignore[arg-type]
        ExpressionTrack(25, generator.random((frames, 52))),  # type: ignore[arg-type]
    )
    samples = 0.1 * generator.standard_normal(frames * 640).astype(np.float32)
    clip = TrainingClip(name, f"speaker of {name}", take, samples if sound else None)
    return Segment(clip, pictures)
