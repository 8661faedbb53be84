"""Performances drawn frame by frame, several side by side, as the CPU draws them."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face.camera import Pose
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.progress import awaited, cancellable
from osmnet_sdk.rendering.base import Image, Performance
from osmnet_sdk.rendering.view import View
from osmnet_sdk.rendering.warp.frame import FrameRenderer


class Drawer(Protocol):
    """Draws frames of one face in one view, such as `FrameRenderer`; used from several threads."""

    def draw(self, pose: Pose, expression: NDArray[np.float64]) -> Image:
        """The frame (height, width, 3) of an absolute pose and coefficients (52,)."""
        ...


class FramewiseRenderer:
    """Draws each frame from its own pose and expression alone, several side by side.

    Args:
        make: makes what draws a face in a view; the warp of the photo by default.
        workers: threads; None uses all cores.
        begin: called in each of them first.
    """

    window = 0

    def __init__(
        self,
        make: Callable[[SourceFace, View], Drawer] = FrameRenderer,
        workers: int | None = None,
        begin: Callable[[], None] | None = None,
    ) -> None:
        self._make = make
        self._begin = begin
        self._workers = workers or os.cpu_count() or 1

    def draw(self, performance: Performance, frames: Sequence[int]) -> Generator[Image]:
        """Draw frames, see `Renderer.draw`."""
        return self._drawn(self._make(performance.face, performance.view), performance, frames)

    def _drawn(
        self, drawer: Drawer, performance: Performance, frames: Sequence[int]
    ) -> Generator[Image]:
        stopped = threading.Event()

        def draw(index: int) -> Image:
            with cancellable(stopped.is_set):
                return drawer.draw(performance.pose(index), performance.expression[index])

        with ThreadPoolExecutor(self._workers, "osmnet-render", self._begin) as pool:
            waiting: deque[Future[Image]] = deque()
            numbers = iter(frames)
            try:
                for _ in frames:
                    for number in islice(numbers, 2 * self._workers - len(waiting)):
                        waiting.append(pool.submit(draw, number))
                    yield awaited(waiting.popleft())
            finally:
                stopped.set()
                for future in waiting:
                    future.cancel()
