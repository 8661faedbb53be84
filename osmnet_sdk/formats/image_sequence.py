"""Frames as numbered PNG files, which editors and Blender read without loss."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from osmnet_sdk.core.files import check_output_folder, output_folder, replaced
from osmnet_sdk.errors import OSMNetWarning, PhotoError

FRAME_NAME = "frame_{:06d}.png"
"""File name of a frame, counted from 0."""

_COMPRESSION = 3
"""zlib level: a third of the default's time for files a few per cent larger."""


def write_png_sequence(
    folder: str | os.PathLike[str],
    frames: Iterable[NDArray[np.uint8]],
    *,
    numbers: Iterable[int] | None = None,
    written: Callable[[str], None] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Write frames as frame_000000.png, frame_000001.png and so on.

    Frames of the same numbers are replaced.

    Args:
        folder: made if it is not there.
        frames: uint8 (H, W, 3) RGB or (H, W, 4) RGBA each; taken one by one.
        numbers: of the frames, one each; None counts from 0.
        written: called with the name of each file that is there.
        metadata: put into each file as text.

    Returns:
        Number of frames written.

    Raises:
        OutputError: if the folder cannot be made or written to; tested before the first frame is
            taken.
        PhotoError: if a frame is not uint8 of shape (H, W, 3) or (H, W, 4).

    Warns:
        OSMNetWarning: if an earlier, longer sequence in the folder goes on behind the last frame,
            unless `numbers` are given.
    """
    target = Path(folder)
    check_output_folder(output_folder(target))
    done = 0
    # Frames first, so that whatever makes them comes to its own end.
    for frame, number in zip(frames, count() if numbers is None else numbers, strict=False):
        name = FRAME_NAME.format(number)
        write_png(target / name, frame, metadata, name=f"Frame {number}")
        if written is not None:
            written(name)
        done += 1
    if numbers is None:
        warn_of_rest(target, done)
    return done


def write_png(
    path: str | os.PathLike[str],
    image: NDArray[np.uint8],
    metadata: Mapping[str, str] | None = None,
    *,
    name: str = "The picture",
) -> None:
    """Write one PNG file; it appears only when it is complete.

    Args:
        path: the file; its folder must exist.
        image: uint8 (H, W, 3) RGB or (H, W, 4) RGBA.
        metadata: put into the file as text.
        name: how messages call the picture.

    Raises:
        OutputError: if the file cannot be written.
        PhotoError: if the image is not uint8 of shape (H, W, 3) or (H, W, 4).
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4):
        raise PhotoError(
            f"{name} must be uint8 of shape (height, width, 3 or 4), not {image.dtype} of shape "
            f"{image.shape}."
        )
    info = PngInfo()
    for key, text in (metadata or {}).items():
        info.add_itxt(key, text)
    with replaced(path) as temporary:
        picture = Image.fromarray(np.ascontiguousarray(image))
        picture.save(temporary, "PNG", compress_level=_COMPRESSION, pnginfo=info)


def warn_of_rest(folder: Path, count: int) -> None:
    """Warn if a folder holds frames of an earlier, longer sequence than one of `count` frames."""
    if (folder / FRAME_NAME.format(count)).exists():
        warnings.warn(
            f"'{folder}' still holds frames of an earlier sequence from number {count} on; delete "
            "them, or they will be taken for the end of this one.",
            OSMNetWarning,
            stacklevel=3,
        )
