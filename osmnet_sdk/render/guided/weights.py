"""The guided generator's weights in a bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from osmnet_sdk.bundle import Bundle
from osmnet_sdk.errors import ModelError
from osmnet_sdk.render.guided.network import GuidedConfig, GuidedPainter

FILE = "guided.safetensors"
"""Name of the weights in a bundle."""

SCHEMA = "osmnet.guided/1"


def stored_guided(painter: GuidedPainter) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Arrays (half precision) and metadata for `bundle.save_arrays`; the painter is on the CPU."""
    arrays = {
        name: value.numpy().astype(np.float16) for name, value in painter.state_dict().items()
    }
    return arrays, {"schema": SCHEMA, "config": json.dumps(painter.config.model_dump())}


def load_guided(bundle: Bundle) -> GuidedPainter:
    """The guided generator of a bundle, on the CPU and ready to draw.

    Raises:
        ModelError: if the bundle has none, or its weights are damaged or do not fit this version.
    """
    arrays, metadata = bundle.arrays(FILE)
    return guided_from(arrays, metadata, f"bundle '{bundle.name}'")


def guided_from(
    arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], origin: str
) -> GuidedPainter:
    """Build a guided generator from stored weights.

    Args:
        arrays: weights by name; half precision is widened.
        metadata: with "schema" and "config", as of `stored_guided`.
        origin: where the weights come from, for messages.

    Raises:
        ModelError: if the schema is another one, weights and configuration do not fit together,
            or a weight is not a number.
    """
    if metadata.get("schema") != SCHEMA:
        raise ModelError(
            f"The guided generator's weights of {origin} have schema '{metadata.get('schema')}', "
            f"this version reads '{SCHEMA}'; use a bundle that fits."
        )
    try:
        painter = GuidedPainter(GuidedConfig.model_validate_json(metadata["config"]))
        state = {
            name: torch.from_numpy(np.array(value, np.float32)) for name, value in arrays.items()
        }
        painter.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError, ValidationError) as error:
        raise ModelError(
            f"The guided generator's weights of {origin} do not fit this version; get the bundle "
            "again."
        ) from error
    if not all(bool(value.isfinite().all()) for value in state.values()):
        raise ModelError(
            f"The guided generator's weights of {origin} hold values that are not numbers; train "
            "or get them again."
        )
    return painter.eval()
