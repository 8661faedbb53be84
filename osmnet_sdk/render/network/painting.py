"""From a photo and a performance to frames with the generator: lazily and in batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from osmnet_sdk.devices import fast_precision, is_out_of_memory, resolve_device
from osmnet_sdk.errors import DeviceError, InputError
from osmnet_sdk.render.network.driving import window_frames
from osmnet_sdk.render.network.generator import VideoGenerator

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
    brush = _Brush(generator, photo, moved, said, batch or _BATCH[device.type != "cpu"])
    return brush.paint(windows)


_BATCH = {False: 1, True: 16}
"""Frames at a time by whether the device is an accelerator; a processor gains nothing by more."""


class _Brush:
    """Draws windows of one performance; knows how many at a time there is memory for."""

    def __init__(
        self,
        generator: VideoGenerator,
        photo: Image,
        poses: Tensor,
        expression: Tensor,
        batch: int,
    ) -> None:
        self._generator = generator
        self._device = next(generator.parameters()).device
        self._source = to_network(photo[None]).to(self._device)
        self._tracks = poses, expression
        self._batch = batch

    def paint(self, windows: NDArray[np.int64]) -> Generator[Image]:
        """The frames of windows (N, 2k + 1), one after the other."""
        with ThreadPoolExecutor(1, thread_name_prefix="osmnet-paint") as pool:
            waiting: deque[Future[NDArray[np.uint8]]] = deque()
            size = self._batch  # it may become less meanwhile
            parts = (windows[start : start + size] for start in range(0, len(windows), size))
            try:
                for part in islice(parts, 2):
                    waiting.append(pool.submit(self._drawn, part))
                while waiting:
                    images = waiting.popleft().result()
                    waiting.extend(pool.submit(self._drawn, part) for part in islice(parts, 1))
                    yield from images
            finally:
                for future in waiting:
                    future.cancel()

    def _drawn(self, windows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(B, S, S, 3) uint8, drawn in as many parts as memory asks for."""
        done: list[NDArray[np.uint8]] = []
        while sum(map(len, done)) < len(windows):
            start = sum(map(len, done))
            try:
                done.append(self._part(windows[start : start + self._batch]))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self._batch == 1:
                    raise DeviceError(
                        f"'{self._device}' has no memory for one frame of "
                        f"{self._source.shape[-1]}²; close other programs or use another device."
                    ) from error
                self._batch //= 2
        return np.concatenate(done)

    def _part(self, windows: NDArray[np.int64]) -> NDArray[np.uint8]:
        # All parts have one size, or the device might take other kernels for the last one.
        rows = torch.from_numpy(np.resize(windows, (self._batch, windows.shape[1])))
        poses, expression = (track[rows].to(self._device) for track in self._tracks)
        with torch.inference_mode():
            drawn = self._generator(self._source, poses, expression)
            return to_images(drawn[: len(windows)])
