"""Runs the converted face networks: a small executor for op graphs in TFLite's vocabulary.

A graph file is a safetensors file (half-precision weights in torch layout) whose metadata entry
`graph` lists the steps as JSON; `models/recipes/convert_face_networks.py` writes it. Images are
NCHW inside; everything is computed in single precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from osmnet_sdk.core.devices import one_thread
from osmnet_sdk.core.json_reading import parse_json
from osmnet_sdk.errors import ModelError, PhotoError
from osmnet_sdk.face.graph_ops import Operation, operation
from osmnet_sdk.progress import check_cancelled

_ASK_EVERY = 32
"""Steps, of some 50 µs, between two questions whether to go on."""

FORMAT = "osmnet.graph/1"
"""Format name and version in the graph's JSON."""

_LONGEST_GRAPH = 20_000_000
"""Characters of that JSON."""


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
        graph = parse_json(metadata["graph"], longest=_LONGEST_GRAPH)
        known = graph["format"] == FORMAT
    except (KeyError, TypeError, ValueError):
        known = False
    if not known:
        raise ModelError(
            f"The network file '{path}' holds no '{FORMAT}' op graph; install the bundle again."
        )
    return GraphWeights(tensors, graph, str(path))


class GraphNetwork(nn.Module):
    """A network built from an op graph.

    Args:
        weights: what `load_graph` read.
        device: torch device that holds the weights and computes.
        name: the network that the caller needs; None takes any.

    Raises:
        ModelError: if it is another network, or the graph asks for an unknown op or tensor.
    """

    def __init__(
        self,
        weights: GraphWeights,
        device: torch.device | str = "cpu",
        *,
        name: str | None = None,
    ) -> None:
        super().__init__()
        graph = weights.graph
        if name is not None and graph.get("name") != name:
            raise ModelError(
                f"The network file '{weights.origin}' holds '{graph.get('name')}' instead of "
                f"'{name}'; install the bundle again."
            )
        tensors = {key: value.float() for key, value in weights.tensors.items()}
        self.modules_of_steps = nn.ModuleList()
        self._plan: list[tuple[Operation, tuple[int, ...], int]] = []
        try:
            self.input_shape: tuple[int, int, int, int] = tuple(graph["input"]["shape"])
            slots = {graph["input"]["name"]: 0}
            for step in graph["steps"]:
                run = operation(step, tensors)
                if isinstance(run, nn.Module):
                    self.modules_of_steps.append(run)
                    # Straight to the method: the hooks of a call cost as much as a small step.
                    run = run.forward
                sources = tuple(slots[key] for key in step["in"])
                target = slots.setdefault(step["out"], len(slots))
                self._plan.append((run, sources, target))
            self._outputs = {key: slots[value] for key, value in graph["outputs"].items()}
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ModelError(
                f"The network file '{weights.origin}' holds an op graph that this version cannot "
                f"run ({error!r}); install the bundle that belongs to it."
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
        with one_thread(self.device):
            for number, (run, sources, target) in enumerate(self._plan):
                if number % _ASK_EVERY == 0:
                    check_cancelled()
                values[target] = run(*[values[i] for i in sources])
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
