"""From a photo and a performance to frames with the generator: lazily and in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from osmnet_sdk.devices import is_out_of_memory
from osmnet_sdk.errors import DeviceError, InputError
from osmnet_sdk.progress import Reporter
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


def paint_frames(
    generator: VideoGenerator,
    photo: Image,
    poses: ArrayLike,
    expression: ArrayLike,
    *,
    frames: Sequence[int] | None = None,
    batch: int = 8,
    reporter: Reporter | None = None,
) -> Iterator[Image]:
    """Draw frames of a performance; which others are drawn with a frame does not change it.

    Args:
        generator: on any device, in evaluation mode.
        photo: (S, S, 3) uint8 RGB, the head crop at the generator's size.
        poses: (T, 6) pitch, yaw, roll in degrees, x, y, z in metres, relative to the pose in the
            photo and in that head's axes.
        expression: (T, 52) coefficients.
        frames: numbers of those to draw; None draws all.
        batch: frames drawn at a time; halved where memory runs out.
        reporter: progress and cancel.

    Yields:
        (S, S, 3) uint8 RGB frames, in the order of `frames`.

    Raises:
        InputError: if the photo has another size, or the tracks have other shapes or hold values
            that are not numbers.
        DeviceError: if there is no memory for a single frame.
        Cancelled: if the reporter's cancel callback says so.
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
    return _painted(generator, photo, moved, said, wanted, batch, device, reporter or Reporter())


def _painted(
    generator: VideoGenerator,
    photo: Image,
    poses: Tensor,
    expression: Tensor,
    frames: Sequence[int],
    batch: int,
    device: torch.device,
    report: Reporter,
) -> Iterator[Image]:
    source = to_network(photo[None]).to(device)
    windows = window_frames(frames, generator.config.half_window, len(poses))
    done = 0
    while done < len(frames):
        report.step("Rendering", done, len(frames))
        rows = torch.from_numpy(windows[done : done + batch])
        try:
            with torch.inference_mode():
                drawn = generator(
                    source.expand(len(rows), -1, -1, -1),
                    poses[rows].to(device),
                    expression[rows].to(device),
                )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if batch == 1:
                raise DeviceError(
                    f"'{device}' has no memory for one frame of {generator.config.image_size}²; "
                    "close other programs or use another device."
                ) from error
            batch = max(1, batch // 2)
            continue
        yield from to_images(drawn)
        done += len(rows)
    report.step("Rendering", len(frames), len(frames))
