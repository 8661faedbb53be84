"""The paper's Video Generator as a renderer."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.rendering.base import Performance
from osmnet_sdk.rendering.paper.generator import VideoGenerator
from osmnet_sdk.rendering.paper.painting import paint_frames
from osmnet_sdk.rendering.pasting import Pasting
from osmnet_sdk.rendering.view import crop_view

Image = NDArray[np.uint8]


class PaperRenderer:
    """Paints the head crop with the paper's generator and puts it into the crop's place.

    Args:
        generator: the generator, on the device that is to draw.
    """

    def __init__(self, generator: VideoGenerator) -> None:
        self._generator = generator

    @property
    def window(self) -> int:
        """Frames on either side that a frame depends on: k of the generator's window."""
        return self._generator.config.half_window

    def draw(self, performance: Performance, frames: Sequence[int]) -> Generator[Image]:
        """Draw frames, see `Renderer.draw`.

        Raises:
            InputError: if the tracks hold values that are not numbers.
            DeviceError: if there is no memory for a single frame.
        """
        face, motion, size = performance.face, performance.motion, self._generator.config.image_size
        square = crop_view(face, size, size)
        poses = np.hstack([motion.rotation, motion.translation])
        painted = paint_frames(
            self._generator, square.still(face.photo), poses, performance.expression, frames=frames
        )
        pasting = Pasting(face.photo, square, performance.view)
        return (pasting(picture) for picture in painted)
