"""The generator's weights in a bundle."""

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
from osmnet_sdk.motion.network import PoseDecoder
from osmnet_sdk.render.network.config import GeneratorConfig
from osmnet_sdk.render.network.generator import VideoGenerator

FILE = "generator.safetensors"
"""Name of the weights in a bundle."""

SCHEMA = "osmnet.generator/1"

_GENERATOR, _DECODER = "generator.", "decoder."


def stored_generator(
    generator: VideoGenerator, decoder: PoseDecoder
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Arrays (half precision) and metadata for `bundle.save_arrays`.

    Args:
        generator: on the CPU.
        decoder: the motion decoder as it was trained end to end with the generator. Takes are made
            with that of motion.safetensors; this one is kept with the weights that it belongs to.
    """
    arrays = {}
    for head, module in ((_GENERATOR, generator), (_DECODER, decoder)):
        for name, value in module.state_dict().items():
            arrays[head + name] = value.numpy().astype(np.float16)
    return arrays, {"schema": SCHEMA, "config": json.dumps(generator.config.model_dump())}


def load_generator(bundle: Bundle) -> VideoGenerator:
    """The generator of a bundle, on the CPU and ready to draw.

    Raises:
        ModelError: if the bundle has none, or its weights are damaged or do not fit this version.
    """
    if FILE not in bundle.manifest.files:
        if (bundle.folder / FILE).is_file():
            raise ModelError(
                f"'{bundle.folder / FILE}' is not in the bundle's manifest; write it anew with "
                f"`osmnet train manifest {bundle.folder} --name {bundle.name}`."
            )
        raise ModelError(
            f"The bundle '{bundle.name}' has no weights of the paper's generator ('{FILE}'); train "
            "them with `osmnet train generator`, see docs/training.md, and name that bundle."
        )
    arrays, metadata = bundle.arrays(FILE)
    return generator_from(arrays, metadata, f"bundle '{bundle.name}'")


def generator_config(bundle: Bundle) -> GeneratorConfig:
    """Sizes of the generator of a bundle that has one; errors as for `load_generator`."""
    return _config(bundle.metadata(FILE), f"bundle '{bundle.name}'")


def _config(metadata: Mapping[str, str], origin: str) -> GeneratorConfig:
    if metadata.get("schema") != SCHEMA:
        raise ModelError(
            f"The generator weights of {origin} have schema '{metadata.get('schema')}', this "
            f"version reads '{SCHEMA}'; use a bundle that fits."
        )
    try:
        return GeneratorConfig.model_validate_json(metadata["config"])
    except (KeyError, ValidationError) as error:
        raise _unfit(origin) from error


def _unfit(origin: str) -> ModelError:
    return ModelError(
        f"The generator weights of {origin} do not fit this version; get the bundle again."
    )


def generator_from(
    arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], origin: str
) -> VideoGenerator:
    """Build a generator from stored weights.

    Args:
        arrays: weights by name; half precision is widened.
        metadata: with "schema" and "config", as of `stored_generator`.
        origin: where the weights come from, for messages.

    Raises:
        ModelError: if the schema is another one, weights and configuration do not fit together,
            or a weight is not a number.
    """
    generator = VideoGenerator(_config(metadata, origin))
    try:
        state = {
            name.removeprefix(_GENERATOR): torch.from_numpy(np.array(value, np.float32))
            for name, value in arrays.items()
            if name.startswith(_GENERATOR)
        }
        generator.load_state_dict(state)
    except (TypeError, ValueError, RuntimeError) as error:
        raise _unfit(origin) from error
    if not all(bool(value.isfinite().all()) for value in state.values()):
        raise ModelError(
            f"The generator weights of {origin} hold values that are not numbers; train or get "
            "them again."
        )
    return generator.eval()
