"""Runs the converted face networks: a small executor for op graphs in TFLite's vocabulary.

A graph file is a safetensors file (half-precision weights in torch layout) whose metadata entry
`graph` lists the steps as JSON; `models/recipes/convert_face_networks.py` writes it. Images are
NCHW inside; everything is computed in single precision.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from osmnet_sdk.errors import ModelError, PhotoError

FORMAT = "osmnet.graph/1"
"""Format name and version in the graph's JSON."""


@dataclass(frozen=True)
class GraphWeights:
    """Weights and op graph of one network, as read from its file.

    Attributes:
        tensors: constants by name, in torch layout.
        graph: the op graph (`input`, `outputs`, `steps`).
        origin: the file they come from, for messages.
    """

    tensors: Mapping[str, Tensor]
    graph: Mapping[str, Any]
    origin: str


def load_graph(path: str | Path) -> GraphWeights:
    """Read a graph file.

    Raises:
        ModelError: if the file is missing, is not a safetensors file or holds no op graph.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"The network file '{path}' cannot be read ({error}); install the bundle again."
        ) from None
    try:
        graph = json.loads(metadata["graph"])
        known = graph["format"] == FORMAT
    except (KeyError, TypeError, ValueError):
        known = False
    if not known:
        raise ModelError(
            f"The network file '{path}' holds no '{FORMAT}' op graph; install the bundle again."
        )
    return GraphWeights(tensors, graph, str(path))


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

    subset: Tensor

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__()
        subset = torch.tensor(options["subset_idxs"], dtype=torch.long)
        self.register_buffer("subset", subset)
        self._left = int(options["left_rotation_idx"])
        self._right = int(options["right_rotation_idx"])
        self._target = float(options.get("target_rotation_radians", 0.0))
        self._width = float(options["output_width"])
        self._height = float(options["output_height"])
        self._scale = (float(options["scale_x"]), float(options["scale_y"]))

    def forward(self, landmarks: Tensor) -> Tensor:
        """Matrix (1, 4, 4) for landmarks (1, n, 3) in the pixels of the features."""
        points = landmarks[0, :, :2]
        along = points[self._right] - points[self._left]
        turn = self._target - torch.atan2(along[1], along[0])
        cos, sin = torch.cos(turn), torch.sin(turn)
        forth = torch.stack((torch.stack((cos, -sin)), torch.stack((sin, cos))))
        turned = points[self.subset] @ forth.T
        low, high = turned.amin(0), turned.amax(0)
        centre = forth.T @ ((low + high) / 2)
        size = high - low
        scale_x = size[0] * (self._scale[0] / self._width)
        scale_y = size[1] * (self._scale[1] / self._height)
        matrix = torch.zeros(1, 4, 4, dtype=points.dtype, device=points.device)
        matrix[0, 0, 0], matrix[0, 0, 1] = cos * scale_x, sin * scale_y
        matrix[0, 1, 0], matrix[0, 1, 1] = -sin * scale_x, cos * scale_y
        half = torch.tensor((self._width / 2, self._height / 2), device=points.device)
        matrix[0, :2, 3] = centre - matrix[0, :2, :2] @ half
        matrix[0, 2, 2] = matrix[0, 3, 3] = 1.0
        return matrix


class TransformFeatures(nn.Module):
    """Samples features at matrix · (x + ½, y + ½) − ½: bilinear, zeros outside."""

    centres: Tensor

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        centres = torch.stack((x + 0.5, y + 0.5, torch.ones(height, width)), -1)
        self.register_buffer("centres", centres.reshape(-1, 3))
        self._size = (height, width)

    def forward(self, features: Tensor, matrix: Tensor) -> Tensor:
        """Sample (1, channels, H, W) with a matrix (1, 4, 4)."""
        _, _, height, width = features.shape
        extent = torch.tensor((width, height), dtype=torch.float32, device=features.device)
        places = self.centres @ matrix[0, :2][:, [0, 1, 3]].T
        # grid_sample without aligned corners measures from pixel corners, as the matrix does.
        grid = (places * (2.0 / extent) - 1.0).reshape(1, *self._size, 2)
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


Operation = Callable[..., Tensor]


def _operation(step: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Operation:
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
        rectify = step["activation"] == "relu"
        return lambda a, b: (a + b).relu_() if rectify else a + b
    if kind == "pad":
        return lambda image: F.pad(image, step["amounts"])
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
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "hard_swish": F.hardswish,
        "transform_landmarks": transform_landmarks,
    }
    return simple[kind]


class GraphNetwork(nn.Module):
    """A network built from an op graph.

    Args:
        weights: what `load_graph` read.
        device: torch device that holds the weights and computes.

    Raises:
        ModelError: if the graph names an op or a tensor that is not there.
    """

    def __init__(self, weights: GraphWeights, device: torch.device | str = "cpu") -> None:
        super().__init__()
        graph = weights.graph
        tensors = {name: value.float() for name, value in weights.tensors.items()}
        self.input_shape: tuple[int, int, int, int] = tuple(graph["input"]["shape"])
        slots = {graph["input"]["name"]: 0}
        self.modules_of_steps = nn.ModuleList()
        self._plan: list[tuple[Operation, tuple[int, ...], int]] = []
        try:
            for step in graph["steps"]:
                operation = _operation(step, tensors)
                if isinstance(operation, nn.Module):
                    self.modules_of_steps.append(operation)
                    operation = operation.forward
                sources = tuple(slots[name] for name in step["in"])
                target = slots.setdefault(step["out"], len(slots))
                self._plan.append((operation, sources, target))
            self._outputs = {name: slots[value] for name, value in graph["outputs"].items()}
        except KeyError as error:
            raise ModelError(
                f"The network file '{weights.origin}' asks for {error}, which this version does "
                "not know; install the bundle that belongs to it."
            ) from None
        self._slot_count = len(slots)
        self.device = torch.device(device)
        self.to(self.device)
        for buffer in self.buffers():
            if buffer.ndim == 4:
                # Markedly faster on CPU than NCHW in memory.
                buffer.data = buffer.data.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Run the network on one image (1, channels, height, width); outputs by name."""
        values: list[Tensor | None] = [None] * self._slot_count
        values[0] = image
        for operation, sources, target in self._plan:
            values[target] = operation(*[values[i] for i in sources])
        outputs = ((name, values[i]) for name, i in self._outputs.items())
        return {name: value for name, value in outputs if value is not None}


def check_image(image: NDArray[np.uint8]) -> None:
    """Refuse what is not a picture: uint8 RGB (height, width, 3) of at least one pixel.

    Raises:
        PhotoError: if it is not.
    """
    shape = getattr(image, "shape", None)
    kind = getattr(image, "dtype", None)
    if shape is None or len(shape) != 3 or shape[2] != 3 or kind != np.uint8 or 0 in shape:
        raise PhotoError(
            f"A picture must be uint8 RGB of shape (height, width, 3), not {kind} of {shape}; "
            "convert it first."
        )


def image_tensor(image: NDArray[np.uint8], low: float, high: float, device: torch.device) -> Tensor:
    """Turn uint8 RGB (H, W, 3) into float (1, 3, H, W) that spans [low, high]."""
    values = torch.from_numpy(image).to(device)
    # A permuted NHWC tensor is already in the channels-last layout that the networks like.
    return values.permute(2, 0, 1)[None].float().mul_((high - low) / 255).add_(low)
