"""Performances drawn in batches on a device."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from osmnet_sdk.face.camera import Pose
from osmnet_sdk.rendering.base import Image, Performance
from osmnet_sdk.rendering.batches import Batches, memory_for_a_frame
from osmnet_sdk.rendering.warp.scene import Scene, build_scene

_MOST_FRAMES, _MOST_PIXELS = 32, 32 * 256**2
"""Of a batch: few frames leave a device idle between steps, more need memory and bring little."""


class BatchDrawer(Protocol):
    """Draws frames of one scene, such as `BatchedRenderer`."""

    def draw_batch(self, poses: Sequence[Pose], expressions: ArrayLike) -> Tensor:
        """Frames (B, height, width, 3) uint8 of absolute poses and coefficients (B, 52)."""
        ...


class BatchwiseRenderer:
    """Draws each frame from its own pose and expression alone, many at a time on a device.

    Args:
        make: makes what draws a scene.
        device: where that draws.
    """

    window = 0

    def __init__(self, make: Callable[[Scene], BatchDrawer], device: torch.device) -> None:
        self._make, self._device = make, device

    def draw(self, performance: Performance, frames: Sequence[int]) -> Generator[Image]:
        """Draw frames, see `Renderer.draw`; the next batch while the last one is used.

        Raises:
            DeviceError: if there is no memory for a single frame.
        """
        view = performance.view
        shape = view.height, view.width
        with memory_for_a_frame(self._device, shape):
            drawer = self._make(build_scene(performance.face, view))

        def draw(numbers: Sequence[int]) -> Sequence[Image]:
            poses = [performance.pose(number) for number in numbers]
            drawn = drawer.draw_batch(poses, performance.expression[list(numbers)])
            return list(drawn.cpu().numpy())

        size = max(1, min(_MOST_FRAMES, _MOST_PIXELS // (view.width * view.height)))
        return Batches(draw, size, self._device, shape).ahead(frames)
