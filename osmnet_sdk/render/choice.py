"""Which renderer draws: by name, or as the bundle says."""

from __future__ import annotations

from functools import partial

from osmnet_sdk.bundle import Bundle
from osmnet_sdk.conventions import RENDERERS
from osmnet_sdk.devices import resolve_device
from osmnet_sdk.errors import InputError
from osmnet_sdk.render.renderers import FramewiseRenderer, Renderer


def chosen_renderer(name: str, bundle: Bundle) -> str:
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
    from osmnet_sdk.render.guided.weights import FILE as GUIDED
    from osmnet_sdk.render.network.weights import FILE as PAPER
    from osmnet_sdk.render.network.weights import generator_config

    windows = {"warp": FramewiseRenderer.window}
    if GUIDED in bundle.manifest.files:
        windows["guided"] = FramewiseRenderer.window
    if PAPER in bundle.manifest.files:
        windows["paper"] = generator_config(bundle).half_window
    return windows


def load_renderer(name: str, bundle: Bundle, device: str) -> Renderer:
    """Make the renderer of a name that `chosen_renderer` gave.

    Args:
        name: one of `conventions.RENDERERS`.
        bundle: with its weights.
        device: where networks draw.

    Raises:
        ModelError: if the bundle has no weights for it, or they are damaged.
    """
    if name == "warp":
        return FramewiseRenderer()
    if name == "guided":
        from osmnet_sdk.render.guided.renderer import GuidedRenderer
        from osmnet_sdk.render.guided.weights import load_guided

        painter = load_guided(bundle).to(resolve_device(device))
        return FramewiseRenderer(partial(GuidedRenderer, painter=painter))
    from osmnet_sdk.render.network.painting import prepared
    from osmnet_sdk.render.network.paper import PaperRenderer
    from osmnet_sdk.render.network.weights import load_generator

    return PaperRenderer(prepared(load_generator(bundle), device))
