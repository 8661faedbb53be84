"""Checkpoints of a training run as safetensors: weights, optimiser state, stage and step."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from osmnet_sdk.core.files import replaced
from osmnet_sdk.errors import ModelError, OSMNetWarning, OutputError

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
        fingerprint: of recipe and data.
    """

    def __init__(self, tensors: dict[str, Tensor], stage: str, step: int, fingerprint: str) -> None:
        self._tensors = tensors
        self.stage = stage
        self.step = step
        self.fingerprint = fingerprint

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
    """Read a checkpoint, or None where there is none of this recipe and data.

    One of another recipe or other data is renamed and so kept; a later call for its recipe and data
    takes it up again.

    Raises:
        ModelError: if the file is damaged.
        OutputError: if a file cannot be renamed.

    Warns:
        OSMNetWarning: if a checkpoint of another recipe or other data was there.
    """
    there, own = _fingerprint(path), _kept(path, fingerprint)
    if there == fingerprint:
        return _read(path)
    if there is not None:
        other = _kept(path, there)
        _rename(path, other)
        what = "goes on from its own" if own.is_file() else "starts anew"
        warnings.warn(
            f"The checkpoint '{path}' is of another recipe or other data; the training {what}, and "
            f"the other is kept as '{other.name}'.",
            OSMNetWarning,
            stacklevel=2,
        )
    if own.is_file():
        _rename(own, path)
    return _read(path)


def _kept(path: Path, fingerprint: str) -> Path:
    """Where the checkpoint of a recipe is while another one is trained."""
    digest = hashlib.sha256(fingerprint.encode()).hexdigest()
    return path.with_name(f"{path.stem}-{digest[:8]}{path.suffix}")


def _rename(path: Path, target: Path) -> None:
    try:
        path.replace(target)
    except OSError as error:
        raise OutputError(
            f"Cannot rename '{path}' to '{target.name}': {error.strerror or error}; give another "
            "work folder."
        ) from error


def _fingerprint(path: Path) -> str | None:
    found = _read(path)
    return None if found is None else found.fingerprint


def _read(path: Path) -> Checkpoint | None:
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as stream:
            meta = json.loads((stream.metadata() or {})["checkpoint"])
            tensors = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
        return Checkpoint(tensors, str(meta["stage"]), int(meta["step"]), str(meta["fingerprint"]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"The checkpoint '{path}' is damaged; delete it to start anew.") from error
