"""From a photo and a performance to frames with the generator: lazily and in batches."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from osmnet_sdk.core.devices import fast_precision, resolve_device
from osmnet_sdk.errors import InputError
from osmnet_sdk.rendering.batches import Batches
from osmnet_sdk.rendering.paper.driving import window_frames
from osmnet_sdk.rendering.paper.generator import VideoGenerator

Image = NDArray[np.uint8]


def to_network(images: NDArray[np.uint8] | Tensor) -> Tensor:
    """Pictures (B, H, W, 3) uint8 to (B, 3, H, W) float32 in [−1, 1], on the same device."""
    pixels = torch.as_tensor(images)
    return pixels.movedim(-1, 1).to(torch.float32, memory_format=torch.contiguous_format).div(
        127.5
    ) - 1.0  # fmt: skip


def to_images(frames: Tensor) -> NDArray[np.uint8]:
    """Network pictures (B, 3, H, W) in [−1, 1] to (B, H, W, 3) uint8."""
    pixels = ((frames.float() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
    result: NDArray[np.uint8] = pixels.movedim(1, -1).cpu().numpy()
    return result


def prepared(generator: VideoGenerator, device: str) -> VideoGenerator:
    """The generator moved to a device, as it draws fastest there.

    Convolutions get the memory layout and the precision that the device is fast in; what makes the
    driving vector of angles stays float32.
    """
    resolved = resolve_device(device)
    generator.to(resolved).eval()
    generator.painter.to(dtype=fast_precision(resolved))
    generator.painter.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return generator


def paint_frames(
    generator: VideoGenerator,
    photo: Image,
    poses: ArrayLike,
    expression: ArrayLike,
    *,
    frames: Sequence[int] | None = None,
    batch: int | None = None,
) -> Generator[Image]:
    """Draw frames of a performance; which others are drawn with a frame does not change it.

    Frames are drawn on a thread of their own, one batch ahead of what is asked for.

    Args:
        generator: on any device, in evaluation mode.
        photo: (S, S, 3) uint8 RGB, the head crop at the generator's size.
        poses: (T, 6) pitch, yaw, roll in degrees, x, y, z in metres, relative to the pose in the
            photo and in that head's axes.
        expression: (T, 52) coefficients.
        frames: numbers of those to draw; None draws all.
        batch: frames drawn at a time, halved where memory runs out; None takes what is fast.

    Returns:
        (S, S, 3) uint8 RGB frames, in the order of `frames`.

    Raises:
        InputError: if the photo has another size, or the tracks have other shapes or hold values
            that are not numbers.
        DeviceError: if there is no memory for a single frame.
    """
    config, device = generator.config, next(generator.parameters()).device
    size = config.image_size
    if photo.shape != (size, size, 3):
        raise InputError(
            f"The generator draws from a photo of {size} × {size} pixels, not of shape "
            f"{photo.shape}; cut the head out at that size."
        )
    moved, said = (torch.as_tensor(np.asarray(x, np.float32)) for x in (poses, expression))
    if moved.shape != (len(moved), 6) or said.shape != (len(moved), 52) or not len(moved):
        raise InputError(
            f"Poses must be (T, 6) and the expression (T, 52), not {tuple(moved.shape)} and "
            f"{tuple(said.shape)}."
        )
    if not (moved.isfinite().all() and said.isfinite().all()):
        raise InputError("Poses or expression hold values that are not numbers; track them again.")
    wanted = range(len(moved)) if frames is None else frames
    windows = window_frames(wanted, config.half_window, len(moved))
    brush = _Brush(generator, photo, moved, said)
    at_once = batch or _BATCH[device.type != "cpu"]
    return Batches(brush.paint, at_once, device, (size, size)).ahead(list(windows))


_BATCH = {False: 1, True: 16}
"""Frames at a time by whether the device is an accelerator; a processor gains nothing by more."""


class _Brush:
    """Draws windows of one performance."""

    def __init__(
        self, generator: VideoGenerator, photo: Image, poses: Tensor, expression: Tensor
    ) -> None:
        self._generator = generator
        self._device = next(generator.parameters()).device
        self._source = to_network(photo[None]).to(self._device)
        self._tracks = poses, expression

    def paint(self, windows: Sequence[NDArray[np.int64]]) -> Sequence[Image]:
        """The frames (B, S, S, 3) of windows (2k + 1,)."""
        rows = torch.from_numpy(np.stack(windows))
        poses, expression = (track[rows].to(self._device) for track in self._tracks)
        with torch.inference_mode():
            drawn = self._generator(self._source, poses, expression)
            return list(to_images(drawn))
