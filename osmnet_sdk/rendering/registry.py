"""Which renderer draws: by name, or as the bundle says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from osmnet_sdk.core.bundle import RENDERER_WEIGHTS, Bundle
from osmnet_sdk.core.conventions import RENDERERS, RendererName
from osmnet_sdk.core.devices import draws_batches, resolve_device
from osmnet_sdk.errors import InputError
from osmnet_sdk.rendering.base import Renderer
from osmnet_sdk.rendering.warp.framewise import FramewiseRenderer

if TYPE_CHECKING:
    import torch

    from osmnet_sdk.rendering.guided.network import GuidedPainter


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


class _Kind(NamedTuple):
    """How the renderer of a name is made from a bundle, on a device, and its `Renderer.window`."""

    load: Callable[[Bundle, torch.device], Renderer]
    window: Callable[[Bundle], int]


def _load_warp(bundle: Bundle, device: torch.device) -> Renderer:
    if not draws_batches(device):
        return FramewiseRenderer()
    from osmnet_sdk.rendering.warp.batched.frames import BatchwiseRenderer
    from osmnet_sdk.rendering.warp.batched.renderer import BatchedRenderer

    return BatchwiseRenderer(partial(BatchedRenderer, device=device), device)


def _load_guided(bundle: Bundle, device: torch.device) -> Renderer:
    from osmnet_sdk.rendering.guided.network import FORMAT

    return guided_renderer(FORMAT.load(bundle), device)


def _load_paper(bundle: Bundle, device: torch.device) -> Renderer:
    from osmnet_sdk.rendering.paper.generator import FORMAT
    from osmnet_sdk.rendering.paper.painting import prepared
    from osmnet_sdk.rendering.paper.renderer import PaperRenderer

    return PaperRenderer(prepared(FORMAT.load(bundle), str(device)))


def _paper_window(bundle: Bundle) -> int:
    from osmnet_sdk.rendering.paper.generator import FORMAT

    config = FORMAT.read_config(bundle.metadata(FORMAT.file), f"bundle '{bundle.name}'")
    return config.half_window


def _own_frame_alone(bundle: Bundle) -> int:
    return FramewiseRenderer.window


_KINDS: dict[RendererName, _Kind] = {
    "warp": _Kind(_load_warp, _own_frame_alone),
    "guided": _Kind(_load_guided, _own_frame_alone),
    "paper": _Kind(_load_paper, _paper_window),
}
"""Every renderer; `bundle.RENDERER_WEIGHTS` names the weights that one needs."""


def renderer_name(name: str, bundle: Bundle) -> RendererName:
    """The name of the renderer that is meant, "auto" being the bundle's default.

    Raises:
        InputError: if there is no such renderer.
    """
    if name == "auto":
        return bundle.manifest.renderer
    for known in _KINDS:
        if name == known:
            return known
    raise InputError(f"renderer must be auto, {', '.join(RENDERERS)}, not '{name}'.")


def renderer_windows(bundle: Bundle) -> dict[str, int]:
    """The renderers that a bundle has the weights for, with each one's `Renderer.window`.

    Raises:
        ModelError: if weights are damaged.
    """
    files = bundle.manifest.files
    return {
        name: kind.window(bundle)
        for name, kind in _KINDS.items()
        if name not in RENDERER_WEIGHTS or RENDERER_WEIGHTS[name] in files
    }


def load_renderer(name: RendererName, bundle: Bundle, device: str) -> Renderer:
    """Make the renderer of a name that `renderer_name` gave.

    Args:
        name: of the renderer.
        bundle: with its weights.
        device: where frames are drawn. A processor warps them one by one, which it is faster at.

    Raises:
        ModelError: if the bundle has no weights for it, or they are damaged.
    """
    return _KINDS[name].load(bundle, resolve_device(device))
