"""Recipe of the guided generator: everything that decides what training makes."""

from __future__ import annotations

from pydantic import Field

from osmnet_sdk.rendering.guided.network import GuidedConfig
from osmnet_sdk.research.trainers.feature_extractors import ExtractorName
from osmnet_sdk.research.trainers.recipes import PictureRecipe, Share, Weight


class GuidedRecipe(PictureRecipe):
    """Recipe of the guided generator; all numbers are ours."""

    config: GuidedConfig = GuidedConfig()
    image_size: int = Field(default=256, ge=64, le=2048)
    """Height and width of the head crops that samples are made from, pixels."""
    frames: int | None = Field(default=250, ge=2)
    sources: int = Field(default=5, ge=1)
    """Frames of each clip that serve as photos."""
    drivers: int = Field(default=40, ge=1)
    """Frames that each of them is moved to."""
    cycles: int = Field(default=12, ge=0)
    """Times that each portrait is moved away and back."""
    patch_steps: int = Field(default=4000, ge=1)
    """On patches of windows around places of mouth and eyes, which is fast."""
    patch_size: int = Field(default=64, ge=16, multiple_of=8)
    """Height and width of patches, pixels; no larger than the window."""
    window_steps: int = Field(default=1000, ge=0)
    """On whole windows, afterwards."""
    adversarial_steps: int = Field(default=1000, ge=0)
    """On whole windows with the adversary, at last."""
    learning_rate: float = Field(default=1e-3, gt=0.0)
    """Of Adam at the start of the stage of patches; it falls to a tenth along half a cosine."""
    window_learning_rate: float = Field(default=3e-4, gt=0.0)
    """The same, of the two stages of windows."""
    gradient_weight: Weight = 4.0
    """Of the L1 distance of differences between neighbouring pixels, at three sizes."""
    structure_weight: Weight = 1.0
    """Of 1 − SSIM."""
    perceptual_weight: Weight = 0.02
    adversarial_weight: Weight = 0.02
    """Of what the adversary says."""
    adversary_channels: int = Field(default=24, ge=4)
    """Channels of the adversary's first layer; they double twice."""
    extractor: ExtractorName = "efficientnet-lite0"
    validation_share: Share = 0.12
