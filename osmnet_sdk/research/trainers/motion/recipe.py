"""Recipe of the Audio-Motion Mapping Network: everything that decides what training makes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from osmnet_sdk.motion.network import MotionConfig
from osmnet_sdk.research.trainers.recipes import Recipe, Share, Weight


class StageRecipe(BaseModel):
    """One stage of training: Adam whose learning rate falls to a tenth along a half cosine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(ge=1)
    batch: int = Field(default=256, ge=2)
    """Windows per step."""
    learning_rate: float = Field(default=1e-3, gt=0.0)


class MotionRecipe(Recipe):
    """Recipe of the motion network.

    Weights of losses are ours; the paper gives none for this network.
    """

    config: MotionConfig = MotionConfig()
    rotation_smoothing: float = Field(default=0.8, ge=0.0, le=5.0)
    """Standard deviation of the Gaussian that takes the tracker's noise out of angles, frames."""
    translation_smoothing: float = Field(default=2.0, ge=0.0, le=10.0)
    """The same for translations, in frames; one camera sees those less well than angles."""
    depth_gain: float = Field(default=1.0, ge=0.0, le=1.0)
    """Factor on tracked z, which one camera sees worst of all; the rest is taken for noise."""
    validation_share: Share = 0.2
    """Share of the frames held out, whole speakers only."""
    spread: float = Field(default=0.5, gt=0.0)
    """Distance of features per unit of distance between clips, on the unit sphere."""
    basis_weight: Weight = 1.0
    """Weight of L_basis over the spread of the batch."""
    distance_weight: Weight = 2.0
    """Weight of `distance_loss`."""
    mixture_weight: Weight = 0.5
    """Weight of the pose loss on mixtures of two clips, which keeps the decoder even."""
    motion_space: StageRecipe = StageRecipe(steps=3000)
    audio: StageRecipe = StageRecipe(steps=300, learning_rate=3e-4)

    @field_validator("config")
    @classmethod
    def _has_clips(cls, config: MotionConfig) -> MotionConfig:
        if config.clip_frames < 3:  # what the generator's ablation without clips has
            raise ValueError("clip_frames must be 3 or more, or takes cannot be chained")
        return config
