"""Checkpoints of a training run as safetensors: weights, optimiser state, stage and step."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from osmnet_sdk.errors import ModelError
from osmnet_sdk.files import replaced

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimiser: torch.optim.Adam,
    *,
    stage: str,
    step: int,
    fingerprint: str,
) -> None:
    """Write a checkpoint.

    Args:
        path: of the file; an older one is replaced.
        network: its weights and buffers are kept.
        optimiser: its moments are kept.
        stage: name of the stage that runs.
        step: steps of it that are done.
        fingerprint: of recipe and data; a checkpoint of another one is not taken up.

    Raises:
        OutputError: if the file cannot be written.
    """
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": state[name] for name in _MOMENTS}
    meta = {"stage": stage, "step": step, "fingerprint": fingerprint}
    with replaced(path) as temporary:
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in tensors.items()},
            temporary,
            metadata={"checkpoint": json.dumps(meta)},
        )


class Checkpoint:
    """A checkpoint that was read.

    Attributes:
        stage: name of the stage that ran.
        step: steps of it that were done.
    """

    def __init__(self, tensors: dict[str, Tensor], stage: str, step: int) -> None:
        self._tensors = tensors
        self.stage = stage
        self.step = step

    def restore_network(self, network: nn.Module) -> None:
        """Put weights and buffers back."""
        head = "network."
        network.load_state_dict(
            {name[len(head) :]: v for name, v in self._tensors.items() if name.startswith(head)}
        )

    def restore_optimiser(self, optimiser: torch.optim.Adam) -> None:
        """Put the optimiser's moments back."""
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in self._tensors.items():
            if key.startswith("optimiser."):
                _, index, name = key.split(".")
                state.setdefault(int(index), {})[name] = value
        if state:
            groups = optimiser.state_dict()["param_groups"]
            optimiser.load_state_dict({"state": state, "param_groups": groups})


def load_checkpoint(path: Path, fingerprint: str) -> Checkpoint | None:
    """Read a checkpoint, or None where there is none or it belongs to another recipe or data.

    Raises:
        ModelError: if the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as stream:
            meta = json.loads((stream.metadata() or {})["checkpoint"])
            tensors = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
        checkpoint = Checkpoint(tensors, str(meta["stage"]), int(meta["step"]))
        return checkpoint if meta["fingerprint"] == fingerprint else None
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"The checkpoint '{path}' is damaged; delete it to start anew.") from error
