"""Frames as numbered PNG files, which editors and Blender read without loss."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from osmnet_sdk.errors import OSMNetWarning, OutputError, PhotoError
from osmnet_sdk.files import replaced
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter

FRAME_NAME = "frame_{:06d}.png"
"""File name of a frame, counted from 0."""

_COMPRESSION = 3
"""zlib level: a third of the default's time for files a few per cent larger."""


def write_png_sequence(
    folder: str | os.PathLike[str],
    frames: Iterable[NDArray[np.uint8]],
    *,
    metadata: Mapping[str, str] | None = None,
    total: int = 0,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> int:
    """Write frames as frame_000000.png, frame_000001.png and so on.

    Frames of the same numbers are replaced.

    Args:
        folder: made if it is not there.
        frames: uint8 (H, W, 3) RGB each; taken one by one.
        metadata: put into each file as text.
        total: number of frames for `progress`, 0 if unknown.
        progress: called with ("Writing frames", done, total).
        cancel: asked before each frame.

    Returns:
        Number of frames written.

    Raises:
        OutputError: if the folder cannot be made or written to; tested before the first frame is
            taken.
        PhotoError: if a frame is not uint8 of shape (H, W, 3).
        Cancelled: if `cancel` returns True; the frames written so far stay.

    Warns:
        OSMNetWarning: if an earlier, longer sequence in the folder goes on behind the last frame.
    """
    target = Path(folder)
    _prepare(target)
    info = PngInfo()
    for key, text in (metadata or {}).items():
        info.add_itxt(key, text)
    report = Reporter(progress, cancel)
    count = 0
    report.step("Writing frames", 0, total)
    for frame in frames:
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise PhotoError(
                f"Frame {count} must be uint8 of shape (height, width, 3), not {frame.dtype} of "
                f"shape {frame.shape}."
            )
        with replaced(target / FRAME_NAME.format(count)) as temporary:
            image = Image.fromarray(np.ascontiguousarray(frame))
            image.save(temporary, "PNG", compress_level=_COMPRESSION, pnginfo=info)
        count += 1
        report.step("Writing frames", count, total)
    _warn_of_rest(target, count)
    return count


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replaced(folder / ".writable"):
            pass
        (folder / ".writable").unlink()
    except FileExistsError as error:
        raise OutputError(
            f"Cannot write frames to '{folder}': it is a file; give the name of a folder."
        ) from error
    except OSError as error:
        raise OutputError(
            f"Cannot write frames to '{folder}': {error.strerror or error}; choose a folder that "
            "may be written to."
        ) from error


def _warn_of_rest(folder: Path, count: int) -> None:
    if (folder / FRAME_NAME.format(count)).exists():
        warnings.warn(
            f"'{folder}' still holds frames of an earlier sequence from number {count} on; delete "
            "them, or they will be taken for the end of this one.",
            OSMNetWarning,
            stacklevel=3,
        )
