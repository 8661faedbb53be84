"""What a renderer is, and what it draws from."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face.camera import Pose
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.rendering.view import View
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

    def pose(self, frame: int) -> Pose:
        """The absolute pose of a frame before the photo's camera."""
        rotation, translation = self.motion.rotation[frame], self.motion.translation[frame]
        return self.face.fit.pose.moved(rotation, translation)


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
