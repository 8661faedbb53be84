"""Recipe of the Video Generator: everything that decides what training makes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from osmnet_sdk.rendering.paper.config import GeneratorConfig
from osmnet_sdk.research.trainers.feature_extractors import ExtractorName
from osmnet_sdk.research.trainers.recipes import Recipe


class GeneratorRecipe(Recipe):
    """Recipe of the generator; the defaults are the paper's where it names them.

    The paper's ablations: `config.half_window` 0 (no window), `clip_motion` false (no clip-level
    motion). That without the landmark loss concerns the expression: its recipe's
    `landmark_weight` is 0, and the generator is driven by what was learned so.
    """

    seed: int = Field(default=1, ge=0)
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
    reconstruction_weight: float = Field(default=4.0, ge=0.0)
    """λ_rec."""
    perceptual_weight: float = Field(default=2.5, ge=0.0)
    """λ_per."""
    style_weight: float = Field(default=1000.0, ge=0.0)
    """λ_style."""
    pose_weight: float = Field(default=1.0, ge=0.0)
    """Weight of the pose loss that keeps the motion decoder's poses true while it learns from
    frames; ours."""
    extractor: ExtractorName = "vgg19"
    """Network of the perceptual and style losses; not needed where both weigh 0."""
    source: Literal["any", "first"] = "any"
    """Which frame of a segment is the source: any, or always the first, as in the paper's tests."""
    frames: int | None = Field(default=None, ge=2)
    """Take only so many frames of each segment, the first; None takes all."""
    validation_share: float = Field(default=0.1, ge=0.0, lt=1.0)
    """Share of the frames held out, whole speakers only."""

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        return self.learning_rate if step < self.late_after else self.late_learning_rate

    @property
    def needs_extractor(self) -> bool:
        """Whether any loss looks at feature maps."""
        return bool(self.perceptual_weight or self.style_weight)
