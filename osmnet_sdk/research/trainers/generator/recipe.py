"""Recipe of the Video Generator: everything that decides what training makes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from osmnet_sdk.rendering.paper.config import GeneratorConfig
from osmnet_sdk.research.trainers.recipes import PictureRecipe, Weight


class GeneratorRecipe(PictureRecipe):
    """Recipe of the generator; the defaults are the paper's where it names them.

    The paper's ablations: `config.half_window` 0 (no window), `clip_motion` false (no clip-level
    motion). That without the landmark loss concerns the expression: its recipe's
    `landmark_weight` is 0, and the generator is driven by what was learned so.
    """

    config: GeneratorConfig = GeneratorConfig()
    clip_motion: bool = True
    """Whether motion features stand for clips, as the bundle's motion network makes them; else for
    single frames, by their pose relative to the source, and a motion space is learned along."""
    steps: int = Field(default=400_000, ge=1)
    """The paper does not say how many."""
    batch: int = Field(default=16, ge=1)
    """Frames per step, each drawn twice; ours."""
    learning_rate: float = Field(default=1e-4, gt=0.0)
    """Of Adam, at first."""
    late_learning_rate: float = Field(default=2e-5, gt=0.0)
    """Of Adam, from step `late_after` on."""
    late_after: int = Field(default=300_000, ge=0)
    perceptual_weight: Weight = 2.5
    """λ_per; λ_rec is `reconstruction_weight`."""
    style_weight: Weight = 1000.0
    """λ_style."""
    pose_weight: Weight = 1.0
    """Weight of the pose loss that keeps the motion decoder's poses true while it learns from
    frames; ours."""
    source: Literal["any", "first"] = "any"
    """Which frame of a segment is the source: any, or always the first, as in the paper's tests."""

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        return self.learning_rate if step < self.late_after else self.late_learning_rate

    @property
    def needs_extractor(self) -> bool:
        """Whether any loss looks at feature maps."""
        return bool(self.perceptual_weight or self.style_weight)
