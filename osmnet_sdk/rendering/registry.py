"""Which renderer draws: by name, or as the bundle says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from osmnet_sdk.core.bundle import Bundle
from osmnet_sdk.core.conventions import RENDERERS
from osmnet_sdk.core.devices import draws_batches, resolve_device
from osmnet_sdk.errors import InputError
from osmnet_sdk.rendering.base import Renderer
from osmnet_sdk.rendering.warp.framewise import FramewiseRenderer

if TYPE_CHECKING:
    import torch

    from osmnet_sdk.rendering.guided.network import GuidedPainter


def renderer_name(name: str, bundle: Bundle) -> str:
    """The name of the renderer that is meant, "auto" being the bundle's default.

    Raises:
        InputError: if there is no such renderer.
    """
    if name == "auto":
        return bundle.manifest.renderer
    if name not in RENDERERS:
        raise InputError(f"renderer must be auto, {', '.join(RENDERERS)}, not '{name}'.")
    return name


def renderer_windows(bundle: Bundle) -> dict[str, int]:
    """The renderers that a bundle has the weights for, with each one's `Renderer.window`.

    Raises:
        ModelError: if weights are damaged.
    """
    from osmnet_sdk.rendering.guided.weights import FILE as GUIDED
    from osmnet_sdk.rendering.paper.weights import FILE as PAPER
    from osmnet_sdk.rendering.paper.weights import generator_config

    windows = {"warp": FramewiseRenderer.window}
    if GUIDED in bundle.manifest.files:
        windows["guided"] = FramewiseRenderer.window
    if PAPER in bundle.manifest.files:
        windows["paper"] = generator_config(bundle).half_window
    return windows


def load_renderer(name: str, bundle: Bundle, device: str) -> Renderer:
    """Make the renderer of a name that `renderer_name` gave.

    Args:
        name: one of `conventions.RENDERERS`.
        bundle: with its weights.
        device: where frames are drawn. A processor warps them one by one, which it is faster at.

    Raises:
        ModelError: if the bundle has no weights for it, or they are damaged.
    """
    place = resolve_device(device)
    if name == "warp":
        return _batched_warp(place) if draws_batches(place) else FramewiseRenderer()
    if name == "guided":
        from osmnet_sdk.rendering.guided.weights import load_guided

        return guided_renderer(load_guided(bundle), place)
    from osmnet_sdk.rendering.paper.painting import prepared
    from osmnet_sdk.rendering.paper.renderer import PaperRenderer
    from osmnet_sdk.rendering.paper.weights import load_generator

    return PaperRenderer(prepared(load_generator(bundle), device))


def _batched_warp(device: torch.device) -> Renderer:
    from osmnet_sdk.rendering.warp.batched.frames import BatchwiseRenderer
    from osmnet_sdk.rendering.warp.batched.renderer import BatchedRenderer

    return BatchwiseRenderer(partial(BatchedRenderer, device=device), device)


def guided_renderer(painter: GuidedPainter, device: torch.device) -> Renderer:
    """The renderer of a guided generator, drawing on a device."""
    import torch

    if draws_batches(device):
        from osmnet_sdk.rendering.guided.batched_frame import BatchedGuidedRenderer, prepared
        from osmnet_sdk.rendering.warp.batched.frames import BatchwiseRenderer

        whole = partial(BatchedGuidedRenderer, painter=prepared(painter, device))
        return BatchwiseRenderer(whole, device)
    from osmnet_sdk.rendering.guided.frame import GuidedRenderer

    # Frames are drawn side by side, so torch's own threads would only stand in each other's way.
    make = partial(GuidedRenderer, painter=painter.to(device))
    return FramewiseRenderer(make, begin=partial(torch.set_num_threads, 1))
