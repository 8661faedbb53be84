"""The operations of the face networks' op graphs, as torch modules and functions.

Images are (batch, channels, H, W) inside; graphs speak TFLite's vocabulary, so its rules for
padding and for the order of channels are kept where they differ from torch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

Operation = Callable[..., Tensor]


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after one axis so that the output has ceil(size / stride) entries.

    TensorFlow's SAME rule: an odd total puts the extra zero after.
    """
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Convolution(nn.Module):
    """Convolution with explicit, SAME or no padding, and an optional rectifier."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, step: Mapping[str, Any]) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        self._stride = list(step["stride"])
        self._groups = int(step["groups"])
        self._padding = step["padding"]
        self._rectify = step.get("activation") == "relu"
        self._for_size: tuple[int, int] | None = None
        self._inner = [0, 0]
        self._outer: list[int] | None = None

    def _plan(self, height: int, width: int) -> None:
        """Split the padding for this image size: symmetric parts go into the convolution."""
        if self._padding == "valid":
            amounts = [0, 0, 0, 0]
        elif self._padding == "same":
            _, _, kernel_height, kernel_width = self.weight.shape
            amounts = [
                *same_padding(width, kernel_width, self._stride[1]),
                *same_padding(height, kernel_height, self._stride[0]),
            ]
        else:
            amounts = list(self._padding)
        left, right, top, bottom = amounts
        if left == right and top == bottom:
            self._inner, self._outer = [top, left], None
        else:
            self._inner, self._outer = [0, 0], amounts
        self._for_size = (height, width)

    def forward(self, image: Tensor) -> Tensor:
        """Convolve (batch, channels, H, W)."""
        size = (image.shape[2], image.shape[3])
        if size != self._for_size:
            self._plan(*size)
        if self._outer is not None:
            image = F.pad(image, self._outer)
        out = torch.conv2d(
            image, self.weight, self.bias, self._stride, self._inner, [1, 1], self._groups
        )
        return out.relu_() if self._rectify else out


class TransposedConvolution(nn.Module):
    """Transposed convolution whose patches do not overlap (kernel equals stride), with bias."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, stride: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        self._stride = list(stride)

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge (batch, channels, H, W) by the stride."""
        return F.conv_transpose2d(image, self.weight, self.bias, self._stride)


class PRelu(nn.Module):
    """Rectifier with one learned slope per channel for negative values."""

    slope: Tensor

    def __init__(self, slope: Tensor) -> None:
        super().__init__()
        self.register_buffer("slope", slope)

    def forward(self, image: Tensor) -> Tensor:
        """Rectify (batch, channels, H, W)."""
        return torch.prelu(image, self.slope)


class Multiply(nn.Module):
    """Product of two values, or of one value and a constant."""

    factor: Tensor | None

    def __init__(self, factor: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("factor", factor)

    def forward(self, value: Tensor, other: Tensor | None = None) -> Tensor:
        """Multiply by `other`, or by the constant without it."""
        factor = other if other is not None else self.factor
        assert factor is not None
        return value * factor


class LandmarksToMatrix(nn.Module):
    """Transform from a small upright crop to the region around some landmarks.

    The landmarks `left` and `right` are to lie along the crop's x axis. The subset is turned so,
    its bounding box is taken and enlarged by `scale`, and the matrix maps crop pixels onto it.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__()
        self._subset = np.array(options["subset_idxs"], np.intp)
        self._left = int(options["left_rotation_idx"])
        self._right = int(options["right_rotation_idx"])
        self._target = float(options.get("target_rotation_radians", 0.0))
        size = np.array([options["output_width"], options["output_height"]], np.float64)
        self._scale = np.array([options["scale_x"], options["scale_y"]]) / size
        self._middle = size / 2

    def forward(self, landmarks: Tensor) -> Tensor:
        """Matrix (1, 4, 4) for landmarks (1, n, 3) in the pixels of the features."""
        # A dozen operations on a few numbers: numpy is ten times as fast as torch here.
        points = landmarks[0, :, :2].cpu().numpy()
        along = points[self._right] - points[self._left]
        turn = self._target - math.atan2(float(along[1]), float(along[0]))
        cos, sin = math.cos(turn), math.sin(turn)
        back = np.array([[cos, sin], [-sin, cos]])
        turned = points[self._subset] @ back
        low, high = turned.min(0), turned.max(0)
        linear = back * ((high - low) * self._scale)
        matrix = np.eye(4, dtype=np.float32)
        matrix[:2, :2] = linear
        matrix[:2, 3] = back @ ((low + high) / 2) - linear @ self._middle
        return torch.from_numpy(matrix[None]).to(landmarks.device)


class TransformFeatures(nn.Module):
    """Samples features at matrix · (x + ½, y + ½) − ½: bilinear, zeros outside."""

    centres: Tensor

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        ones = torch.ones(height, width)
        centres = torch.stack((x + 0.5, y + 0.5, 0 * ones, ones), -1)
        self.register_buffer("centres", centres.reshape(-1, 4))
        self._size = (height, width)

    def forward(self, features: Tensor, matrix: Tensor) -> Tensor:
        """Sample (1, channels, H, W) with a matrix (1, 4, 4)."""
        _, _, height, width = features.shape
        # grid_sample without aligned corners measures from pixel corners, as the matrix does,
        # but in half pictures from the middle.
        places = self.centres @ matrix[0, :2].T
        places[:, 0] *= 2 / width
        places[:, 1] *= 2 / height
        grid = (places - 1.0).reshape(1, *self._size, 2)
        return F.grid_sample(features, grid, "bilinear", "zeros", align_corners=False)


def transform_landmarks(points: Tensor, matrix: Tensor) -> Tensor:
    """Apply the 2-D part of a 4×4 matrix to points (1, n, 2)."""
    return points @ matrix[0, :2, :2].T + matrix[0, :2, 3]


def depth_to_space(image: Tensor, block: int) -> Tensor:
    """Spread channels over block × block pixels, in TensorFlow's channel order."""
    batch, channels, height, width = image.shape
    parts = image.reshape(batch, block, block, channels // block**2, height, width)
    spread = parts.permute(0, 3, 4, 1, 5, 2)
    return spread.reshape(batch, channels // block**2, height * block, width * block)


def reshape(value: Tensor, shape: Sequence[int]) -> Tensor:
    """Reshape as TFLite would: images are read and written in NHWC order."""
    if value.ndim == 4:
        value = value.permute(0, 2, 3, 1)
    value = value.reshape(tuple(shape))
    return value.permute(0, 3, 1, 2) if value.ndim == 4 else value


def join(*images: Tensor) -> Tensor:
    """Put the channels of images of one size side by side."""
    return torch.cat(images, 1).contiguous(memory_format=torch.channels_last)


def take_members(image: Tensor, members: int, order: Sequence[int]) -> Tensor:
    """Choose among the `members` equal blocks of channels, in `order`."""
    blocks = image.chunk(members, 1)
    return blocks[order[0]] if len(order) == 1 else join(*(blocks[i] for i in order))


def pad_members(image: Tensor, amounts: Sequence[int], members: int) -> Tensor:
    """Pad with zeros (`amounts` as for torch); channels are padded block by block."""
    if members == 1:
        return F.pad(image, list(amounts))
    return join(*(F.pad(block, list(amounts)) for block in image.chunk(members, 1)))


def _addition(reuse: int | None, rectify: bool) -> Operation:
    """Sum of two images; `reuse` is the operand that may be overwritten, if any."""

    def add(first: Tensor, second: Tensor) -> Tensor:
        if reuse == 0:
            total = first.add_(second)
        elif reuse == 1:
            total = second.add_(first)
        else:
            total = first + second
        return total.relu_() if rectify else total

    return add


def operation(step: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Operation:
    """The callable of one step."""
    kind = step["op"]
    if kind == "convolution":
        return Convolution(tensors[step["weight"]], tensors[step["bias"]], step)
    if kind == "transposed_convolution":
        return TransposedConvolution(tensors[step["weight"]], tensors[step["bias"]], step["stride"])
    if kind == "prelu":
        return PRelu(tensors[step["slope"]])
    if kind == "multiply":
        return Multiply(tensors[step["factor"]] if "factor" in step else None)
    if kind == "landmarks_to_matrix":
        return LandmarksToMatrix(step)
    if kind == "transform_features":
        return TransformFeatures(int(step["output_width"]), int(step["output_height"]))
    if kind == "add":
        return _addition(step.get("reuse"), step["activation"] == "relu")
    if kind == "pad":
        return lambda image: pad_members(image, step["amounts"], step.get("members", 1))
    if kind == "take":
        return lambda image: take_members(image, step["members"], step["order"])
    if kind == "max_pool":
        return lambda image: F.max_pool2d(image, step["kernel"])
    if kind == "mean":
        return lambda image: image.mean((2, 3), keepdim=True)
    if kind == "resize":
        return lambda image: F.interpolate(
            image, tuple(step["size"]), mode="bilinear", align_corners=False
        )
    if kind == "depth_to_space":
        return lambda image: depth_to_space(image, step["block"])
    if kind == "reshape":
        return lambda value: reshape(value, step["shape"])
    if kind == "concatenate":
        return lambda *values: torch.cat(values, step["axis"])
    simple: dict[str, Operation] = {
        "join": join,
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "hard_swish": F.hardswish,
        "transform_landmarks": transform_landmarks,
    }
    return simple[kind]
