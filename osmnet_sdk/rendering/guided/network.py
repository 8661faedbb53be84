"""The guided generator's network, and how its weights lie in a bundle."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from osmnet_sdk.core.bundle import RENDERER_WEIGHTS
from osmnet_sdk.core.weights import WeightsFormat, network_arrays
from osmnet_sdk.progress import check_cancelled
from osmnet_sdk.rendering.guided.guides import DOUBT, GUIDES
from osmnet_sdk.rendering.paper.blocks import DrivenConvolution, ResidualLayer, UpBlock, painted
from osmnet_sdk.rendering.paper.config import GeneratorConfig
from osmnet_sdk.rendering.paper.driving import DrivingEncoder, driving_features

Width = Annotated[int, Field(ge=4)]

_FOLD = 2
"""Pixels of the window, across and down, that are taken together as channels."""
_REACH = 8.0
"""Pixels of the window that an output of 1 moves by."""


class GuidedConfig(BaseModel):
    """Sizes of the guided generator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_size: int = Field(default=128, ge=32, le=1024, multiple_of=8)
    """Height and width of the face window, pixels."""
    driving_size: Width = 64
    """Width of the driving vector."""
    driving_blocks: int = Field(default=2, ge=1, le=16)
    """Blocks that make it."""
    channels: tuple[Width, Width, Width] = (24, 48, 96)
    """Channels at a half, a quarter and an eighth of the window's size."""
    residual_layers: int = Field(default=4, ge=0, le=32)
    """Residual layers at the smallest size."""
    slope: float = Field(default=0.1, ge=0.0, le=1.0)
    """Slope of LeakyReLU below 0."""


class GuidedPainter(nn.Module):
    """Changes to the warped photo where that is in doubt; an auto-encoder that AdaIN steers.

    The paper's generator made small, with the warp, its guides and the photo's own face as its
    picture. A frame is driven by its own pose and expression alone. The last layer starts at 0, so
    an untrained network leaves the warp as it is.

    Args:
        config: sizes.
    """

    def __init__(self, config: GuidedConfig) -> None:
        super().__init__()
        self.config = config
        outer, middle, inner = config.channels
        driving, slope = config.driving_size, config.slope
        self.encoder = DrivingEncoder(
            GeneratorConfig(
                half_window=0,
                driving_size=driving,
                driving_blocks=config.driving_blocks,
                slope=slope,
            )
        )
        inputs = (3 + 3 + len(GUIDES)) * _FOLD**2
        self.down = nn.ModuleList(
            DrivenConvolution(nn.Conv2d(into, out, 3, padding=1), out, driving, slope)
            for into, out in ((inputs, outer), (outer, middle), (middle, inner))
        )
        self.residual = nn.ModuleList(
            ResidualLayer(inner, driving, slope) for _ in range(config.residual_layers)
        )
        self.up = nn.ModuleList(
            [
                UpBlock(inner, middle, middle, driving, slope),
                UpBlock(middle, outer, outer, driving, slope),
            ]
        )
        self.image = nn.Conv2d(outer, 5 * _FOLD**2, 3, padding=1)
        nn.init.zeros_(self.image.weight)
        nn.init.zeros_(self.image.bias)  # type: ignore[arg-type]

    def forward(
        self, warp: Tensor, source: Tensor, guides: Tensor, poses: Tensor, expression: Tensor
    ) -> Tensor:
        """How to finish the warp, see `finished`.

        Args:
            warp: (B, 3, S, S) the face window of the warped photo, in [−1, 1].
            source: (B, 3, S, S) the face window of the photo as it is, in [−1, 1].
            guides: (B, 10, S, S) in [0, 1], in the order of `GUIDES`.
            poses: (B, 6) degrees and metres, relative to the pose in the photo.
            expression: (B, 52) coefficients in [0, 1].

        Returns:
            (B, 5, S, S): colours to add, then x and y in pixels of the window by which to look
            beside; 0 where nothing is in doubt.
        """
        kind = self.image.weight.dtype
        driving = self.encoder(driving_features(poses[:, None], expression[:, None])).to(kind)
        pictures = torch.cat([warp, source, 2 * guides - 1], dim=1)
        features = functional.pixel_unshuffle(pictures, _FOLD).to(kind)
        skips: list[Tensor] = []
        for index, part in enumerate(self.down):
            check_cancelled()
            plain = part.plain(features)  # type: ignore[operator]
            features = part.adapt(plain, driving)  # type: ignore[operator]
            if index < 2:
                skips.append(plain)
                features = functional.avg_pool2d(features, 2)
        features = painted(self.residual, self.up, features, skips, driving)
        out = functional.pixel_shuffle(self.image(features), _FOLD).to(guides.dtype)
        out = out * guides[:, DOUBT : DOUBT + 1]
        return torch.cat([out[:, :3], _REACH * out[:, 3:]], dim=1)


def finished(warp: Tensor, out: Tensor) -> Tensor:
    """The warp, looked up beside itself and coloured as the network says.

    Args:
        warp: (B, 3, S, S) in [−1, 1].
        out: (B, 5, S, S), what `GuidedPainter` gives.

    Returns:
        (B, 3, S, S), about in [−1, 1].
    """
    size = out.new_tensor(warp.shape[:-3:-1])  # width and height
    rows, columns = (torch.arange(n, device=out.device) for n in warp.shape[2:])
    place = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1).to(out.dtype)
    grid = (2 * (place + out[:, 3:].movedim(1, -1)) + 1) / size - 1
    moved = functional.grid_sample(
        warp, grid, mode="bicubic", padding_mode="border", align_corners=False
    )
    return moved + out[:, :3]


FORMAT = WeightsFormat(
    RENDERER_WEIGHTS["guided"],
    "guided generator's weights",
    GuidedConfig,
    GuidedPainter,
    "osmnet.guided/1",
    trained_by="guided",
)


def stored_guided(painter: GuidedPainter) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Arrays (half precision) and metadata for `bundle.save_arrays`; the painter is on the CPU."""
    return network_arrays(painter), FORMAT.metadata(painter.config)
