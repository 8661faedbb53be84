"""Parts of the image generator; every one of them is steered by the driving vector."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional

from osmnet_sdk.progress import check_cancelled


class AdaptiveInstanceNorm(nn.Module):
    """AdaIN: each channel normalised over the picture, then scaled and shifted as driven.

    Args:
        channels: of the feature map.
        driving_size: width of the driving vector.
    """

    def __init__(self, channels: int, driving_size: int) -> None:
        super().__init__()
        self.style = nn.Linear(driving_size, 2 * channels)

    def forward(self, features: Tensor, driving: Tensor) -> Tensor:
        """(1 + γ) (x − mean) / deviation + β.

        Args:
            features: (B, C, H, W), or (1, C, H, W) for all.
            driving: (B, driving_size); γ and β are linear in it.

        Returns:
            (B, C, H, W).
        """
        gamma, beta = self.style(driving)[..., None, None].chunk(2, dim=1)
        adapted: Tensor = functional.instance_norm(features) * (1.0 + gamma) + beta
        return adapted


def layer_norm(channels: int) -> nn.GroupNorm:
    """Layer norm of feature maps: over channels and picture together, with a gain per channel."""
    return nn.GroupNorm(1, channels)


class DrivenConvolution(nn.Module):
    """A convolution part: convolution, layer norm, LeakyReLU, then AdaIN.

    Args:
        convolution: the convolution, plain or transposed.
        channels: that come out of it.
        driving_size: width of the driving vector.
        slope: of LeakyReLU; 1 leaves it out.
    """

    def __init__(
        self, convolution: nn.Module, channels: int, driving_size: int, slope: float
    ) -> None:
        super().__init__()
        self.convolution = convolution
        self.norm = layer_norm(channels)
        self.adapt = AdaptiveInstanceNorm(channels, driving_size)
        self.slope = slope

    def plain(self, features: Tensor) -> Tensor:
        """The part before AdaIN, which knows the source alone."""
        return functional.leaky_relu(self.norm(self.convolution(features)), self.slope)

    def forward(self, features: Tensor, driving: Tensor) -> Tensor:
        """(B, C, H, W) and (B, driving_size) → a feature map."""
        adapted: Tensor = self.adapt(self.plain(features), driving)
        return adapted


class ResidualLayer(nn.Module):
    """Two convolution parts and a link around them; the size of the map stays.

    Args:
        channels: that come in and go out.
        driving_size: width of the driving vector.
        slope: of LeakyReLU.
    """

    def __init__(self, channels: int, driving_size: int, slope: float) -> None:
        super().__init__()
        self.first = DrivenConvolution(
            nn.Conv2d(channels, channels, 3, padding=1), channels, driving_size, slope
        )
        self.second = DrivenConvolution(
            nn.Conv2d(channels, channels, 3, padding=1), channels, driving_size, 1.0
        )

    def forward(self, features: Tensor, driving: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H, W)."""
        changed: Tensor = self.second(self.first(features, driving), driving)
        return features + changed


class UpBlock(nn.Module):
    """A residual block with a transposed convolution, joined with the skip of the new size.

    Args:
        channels: that come in.
        outputs: channels that go out.
        skip: channels of the skip.
        driving_size: width of the driving vector.
        slope: of LeakyReLU.
    """

    def __init__(
        self, channels: int, outputs: int, skip: int, driving_size: int, slope: float
    ) -> None:
        super().__init__()
        self.up = DrivenConvolution(
            nn.ConvTranspose2d(channels, outputs, 4, stride=2, padding=1),
            outputs,
            driving_size,
            slope,
        )
        self.convolution = DrivenConvolution(
            nn.Conv2d(outputs, outputs, 3, padding=1), outputs, driving_size, 1.0
        )
        self.shortcut = nn.Conv2d(channels, outputs, 1)
        self.join = nn.Conv2d(outputs + skip, outputs, 3, padding=1)
        self.norm = layer_norm(outputs)
        self.slope = slope

    def forward(self, features: Tensor, skip: Tensor, driving: Tensor) -> Tensor:
        """(B, C, H, W) and the skip (B or 1, S, 2H, 2W) → (B, outputs, 2H, 2W)."""
        grown = functional.interpolate(self.shortcut(features), scale_factor=2.0)
        changed: Tensor = self.convolution(self.up(features, driving), driving)
        joined = self.norm(self._joined(grown + changed, skip))
        return functional.leaky_relu(joined, self.slope)

    def _joined(self, features: Tensor, skip: Tensor) -> Tensor:
        """`join` of both, one after the other: a skip that all frames share is convolved once."""
        weight, bias, own = self.join.weight, self.join.bias, features.shape[1]
        joined = functional.conv2d(features, weight[:, :own], bias, padding=1)
        return joined + functional.conv2d(skip, weight[:, own:], padding=1)


def painted(
    residual: Iterable[nn.Module],
    up: Iterable[nn.Module],
    features: Tensor,
    skips: list[Tensor],
    driving: Tensor,
) -> Tensor:
    """Features (B, C, h, w) through residual layers, then upwards over the skips, coarsest last."""
    for layer in residual:
        check_cancelled()
        features = layer(features, driving)
    for block in up:
        check_cancelled()
        features = block(features, skips.pop(), driving)
    return features
