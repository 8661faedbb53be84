"""Recipe of the guided generator: everything that decides what training makes."""

from __future__ import annotations

from pydantic import Field

from osmnet_sdk.rendering.guided.network import GuidedConfig
from osmnet_sdk.research.trainers.feature_extractors import ExtractorName
from osmnet_sdk.research.trainers.recipes import Recipe


class GuidedRecipe(Recipe):
    """Recipe of the guided generator; all numbers are ours."""

    seed: int = Field(default=1, ge=0)
    config: GuidedConfig = GuidedConfig()
    image_size: int = Field(default=256, ge=64, le=2048)
    """Height and width of the head crops that samples are made from, pixels."""
    frames: int | None = Field(default=250, ge=2)
    """Take only so many frames of each clip, the first; None takes all."""
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
    batch: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    """Of Adam at the start of the stage of patches; it falls to a tenth along half a cosine."""
    window_learning_rate: float = Field(default=3e-4, gt=0.0)
    """The same, of the two stages of windows."""
    reconstruction_weight: float = Field(default=4.0, ge=0.0)
    """Of the L1 distance of pixels in [−1, 1]."""
    gradient_weight: float = Field(default=4.0, ge=0.0)
    """Of the L1 distance of differences between neighbouring pixels, at three sizes."""
    structure_weight: float = Field(default=1.0, ge=0.0)
    """Of 1 − SSIM."""
    perceptual_weight: float = Field(default=0.02, ge=0.0)
    """Of the distance of feature maps."""
    adversarial_weight: float = Field(default=0.02, ge=0.0)
    """Of what the adversary says."""
    adversary_channels: int = Field(default=24, ge=4)
    """Channels of the adversary's first layer; they double twice."""
    extractor: ExtractorName = "efficientnet-lite0"
    """Network of the perceptual loss; not needed where that weighs 0."""
    validation_share: float = Field(default=0.12, ge=0.0, lt=1.0)
    """Share of the clips' frames held out, whole speakers only."""
