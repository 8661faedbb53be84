"""Sizes of the Video Generator."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.motion.network import POSE_SIZE

DRIVING_CHANNELS = POSE_SIZE + len(ARKIT_NAMES)
"""Numbers that drive one frame: the pose (6) and the expression coefficients (52)."""

Width = Annotated[int, Field(ge=4)]


class GeneratorConfig(BaseModel):
    """Sizes of the network; the defaults are the paper's where it names them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_size: int = Field(default=256, ge=32, le=2048, multiple_of=8)
    """Height and width of the source and of a frame, pixels."""
    half_window: int = Field(default=8, ge=0, le=50)
    """k: a frame is driven by the 2k + 1 frames around it; 0 is the ablation without a window."""
    driving_size: Width = 256
    """Width of the driving vector, and of the 1-D convolutions that make it."""
    driving_blocks: int = Field(default=4, ge=1, le=16)
    """1-D convolution blocks; together they narrow the window to its middle frame."""
    channels: tuple[Width, Width, Width] = (64, 128, 256)
    """Channels of the three convolutions from the image inwards; the last is that of the residual
    layers. Ours: the paper gives none."""
    residual_layers: int = Field(default=5, ge=0, le=32)
    """Residual layers at the smallest size."""
    slope: float = Field(default=0.1, ge=0.0, le=1.0)
    """Slope of LeakyReLU below 0."""

    @property
    def window(self) -> int:
        """Frames in a window, 2k + 1."""
        return 2 * self.half_window + 1
