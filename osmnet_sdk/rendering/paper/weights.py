"""The generator's weights in a bundle."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from osmnet_sdk.core.bundle import RENDERER_WEIGHTS, Bundle
from osmnet_sdk.core.weights import WeightsFormat, network_arrays
from osmnet_sdk.errors import ModelError
from osmnet_sdk.motion.network import PoseDecoder
from osmnet_sdk.rendering.paper.config import GeneratorConfig
from osmnet_sdk.rendering.paper.generator import VideoGenerator

FILE = RENDERER_WEIGHTS["paper"]
"""Name of the weights in a bundle."""

FORMAT = WeightsFormat(
    FILE,
    "generator weights",
    GeneratorConfig,
    VideoGenerator,
    "osmnet.generator/1",
    prefix="generator.",
)


def stored_generator(
    generator: VideoGenerator, decoder: PoseDecoder
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Arrays (half precision) and metadata for `bundle.save_arrays`.

    Args:
        generator: on the CPU.
        decoder: the motion decoder as it was trained end to end with the generator. Takes are made
            with that of motion.safetensors; this one is kept with the weights that it belongs to.
    """
    arrays = network_arrays(generator, FORMAT.prefix) | network_arrays(decoder, "decoder.")
    return arrays, FORMAT.metadata(generator.config)


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
    return FORMAT.load(bundle)


def generator_config(bundle: Bundle) -> GeneratorConfig:
    """Sizes of the generator of a bundle that has one; errors as for `load_generator`."""
    return FORMAT.read_config(bundle.metadata(FILE), f"bundle '{bundle.name}'")
