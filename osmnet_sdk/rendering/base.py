"""What a renderer is, and the one that draws frame by frame, as the warp of the photo does."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face.camera import Pose
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.progress import awaited, cancellable
from osmnet_sdk.rendering.view import View
from osmnet_sdk.rendering.warp.frame import FrameRenderer
from osmnet_sdk.tracks import MotionTrack

Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Performance:
    """A face that moves, as one view shows it: all that a renderer draws from.

    Attributes:
        face: the fitted photo; its own pose is the rest pose of the motion.
        view: what the frames show.
        motion: head motion, T frames.
        expression: (T, 52) coefficients in [0, 1], the photo's resting look included.
    """

    face: SourceFace
    view: View
    motion: MotionTrack
    expression: NDArray[np.float64]


class Renderer(Protocol):
    """Draws frames of performances; may be used from several threads."""

    @property
    def window(self) -> int:
        """Neighbouring frames on either side that a frame depends on besides its own values."""
        ...

    def draw(self, performance: Performance, frames: Sequence[int]) -> Generator[Image]:
        """Draw some frames of a performance, each as it would be among all others.

        What the frames have in common is prepared before this returns. Both that and the frames
        ask `progress.check_cancelled` between their parts.

        Args:
            performance: what is drawn.
            frames: numbers of the frames, within [0, T − 1].

        Returns:
            (height, width, 3) uint8 RGB frames of the performance's view, in the order of `frames`.
        """
        ...


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
        motion, rest = performance.motion, performance.face.fit.pose
        stopped = threading.Event()

        def draw(index: int) -> Image:
            pose = rest.moved(motion.rotation[index], motion.translation[index])
            with cancellable(stopped.is_set):
                return drawer.draw(pose, performance.expression[index])

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
