"""Interrupted training goes on from here: weights and Adam's moments as safetensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from osmnet_sdk.bundle import save_arrays
from osmnet_sdk.errors import ModelError

_MOMENTS = ("exp_avg", "exp_avg_sq")


def save_checkpoint(
    path: Path,
    network: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
    step: int,
    history: dict[str, Any],
) -> None:
    """Write what is needed to go on after `step` steps.

    Raises:
        OutputError: if the file cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for name, parameter in network.named_parameters():
        arrays[f"weight/{name}"] = parameter.detach().numpy()
        for moment in _MOMENTS:
            arrays[f"{moment}/{name}"] = optimiser.state[parameter][moment].numpy()
    save_arrays(path, arrays, {"step": str(step), "history": json.dumps(history)})


def load_checkpoint(
    path: Path, network: torch.nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[int, dict[str, Any]]:
    """Restore a checkpoint; return the steps done and the history so far.

    Raises:
        ModelError: if the file is no checkpoint of this network.
    """
    try:
        with safe_open(path, framework="np") as stream:
            metadata = stream.metadata() or {}
            step, history = int(metadata["step"]), dict(json.loads(metadata["history"]))
            for name, parameter in network.named_parameters():
                value = torch.from_numpy(np.array(stream.get_tensor(f"weight/{name}")))
                with torch.no_grad():
                    parameter.copy_(value)
                state = optimiser.state[parameter]
                state["step"] = torch.tensor(float(step))
                for moment in _MOMENTS:
                    state[moment] = torch.from_numpy(
                        np.array(stream.get_tensor(f"{moment}/{name}"))
                    )
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"'{path}' is no checkpoint of this recipe; delete it to start anew."
        ) from error
    return step, history
