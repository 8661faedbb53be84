"""The guided generator's weights in a bundle."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from osmnet_sdk.core.bundle import RENDERER_WEIGHTS, Bundle
from osmnet_sdk.core.weights import WeightsFormat, network_arrays
from osmnet_sdk.rendering.guided.network import GuidedConfig, GuidedPainter

FILE = RENDERER_WEIGHTS["guided"]
"""Name of the weights in a bundle."""

FORMAT = WeightsFormat(
    FILE, "guided generator's weights", GuidedConfig, GuidedPainter, "osmnet.guided/1"
)


def stored_guided(painter: GuidedPainter) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Arrays (half precision) and metadata for `bundle.save_arrays`; the painter is on the CPU."""
    return network_arrays(painter), FORMAT.metadata(painter.config)


def load_guided(bundle: Bundle) -> GuidedPainter:
    """The guided generator of a bundle, on the CPU and ready to draw.

    Raises:
        ModelError: if the bundle has none, or its weights are damaged or do not fit this version.
    """
    return FORMAT.load(bundle)
