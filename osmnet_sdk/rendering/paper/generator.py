"""The paper's Video Generator (section III-C): forward maths only."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from osmnet_sdk.core.bundle import RENDERER_WEIGHTS
from osmnet_sdk.core.weights import WeightsFormat, network_arrays
from osmnet_sdk.motion.network import PoseDecoder
from osmnet_sdk.progress import check_cancelled
from osmnet_sdk.rendering.paper.blocks import DrivenConvolution, ResidualLayer, UpBlock, painted
from osmnet_sdk.rendering.paper.config import GeneratorConfig
from osmnet_sdk.rendering.paper.driving import DrivingEncoder, driving_features


class ImageGenerator(nn.Module):
    """Source image and driving vector to a frame: an auto-encoder that AdaIN steers.

    Three convolutions, each followed by average pooling, five residual layers, three residual
    blocks with a transposed convolution. What each of the three convolutions saw, before AdaIN and
    pooling, is joined again at its size: AdaIN takes a picture's own colours out, and the skips
    bring them back.

    Args:
        config: sizes.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        outer, middle, inner = config.channels
        driving, slope = config.driving_size, config.slope
        self.down = nn.ModuleList(
            [
                DrivenConvolution(nn.Conv2d(3, outer, 7, padding=3), outer, driving, slope),
                DrivenConvolution(nn.Conv2d(outer, middle, 3, padding=1), middle, driving, slope),
                DrivenConvolution(nn.Conv2d(middle, inner, 3, padding=1), inner, driving, slope),
            ]
        )
        self.residual = nn.ModuleList(
            [ResidualLayer(inner, driving, slope) for _ in range(config.residual_layers)]
        )
        self.up = nn.ModuleList(
            [
                UpBlock(inner, inner, inner, driving, slope),
                UpBlock(inner, middle, middle, driving, slope),
                UpBlock(middle, outer, outer, driving, slope),
            ]
        )
        self.image = nn.Conv2d(outer, 3, 7, padding=3)

    def forward(self, source: Tensor, driving: Tensor) -> Tensor:
        """Frames.

        Args:
            source: (B, 3, S, S) in [−1, 1], or (1, 3, S, S) for all.
            driving: (B, driving_size) driving vectors.

        Returns:
            (B, 3, S, S) in [−1, 1].
        """
        features, skips = source, []
        for part in self.down:
            check_cancelled()
            plain = part.plain(features)  # type: ignore[operator]
            skips.append(plain)
            features = functional.avg_pool2d(part.adapt(plain, driving), 2)  # type: ignore[operator]
        features = painted(self.residual, self.up, features, skips, driving)
        return torch.tanh(self.image(features))


class VideoGenerator(nn.Module):
    """Driving encoder and image generator.

    Args:
        config: sizes.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = DrivingEncoder(config)
        self.painter = ImageGenerator(config)

    def forward(self, source: Tensor, poses: Tensor, expression: Tensor) -> Tensor:
        """Frames of windows.

        Args:
            source: (B, 3, S, S) in [−1, 1], or (1, 3, S, S) for all.
            poses: (B, 2k + 1, 6) degrees and metres, relative to the pose in the source.
            expression: (B, 2k + 1, 52) coefficients in [0, 1].

        Returns:
            (B, 3, S, S) in [−1, 1], the frames in the middle of the windows.
        """
        driving = self.encoder(driving_features(poses, expression))
        kind = self.painter.image.weight.dtype
        frames: Tensor = self.painter(source.to(kind), driving.to(kind))
        return frames


FORMAT = WeightsFormat(
    RENDERER_WEIGHTS["paper"],
    "generator weights",
    GeneratorConfig,
    VideoGenerator,
    "osmnet.generator/1",
    prefix="generator.",
    trained_by="generator",
)


def stored_generator(
    generator: VideoGenerator, decoder: PoseDecoder
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Arrays (half precision) and metadata for `bundle.save_arrays`.

    Args:
        generator: on the CPU.
        decoder: the motion decoder as it was trained end to end with the generator. Takes are made
            with that of motion.safetensors; this one is kept with the weights that it belongs to.
    """
    arrays = network_arrays(generator, FORMAT.prefix) | network_arrays(decoder, "decoder.")
    return arrays, FORMAT.metadata(generator.config)
