"""Frames that a client asks for: which values they have, and the files that they become."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.conventions import FPS
from osmnet_sdk.engine.request import Request
from osmnet_sdk.errors import InputError, TrackError
from osmnet_sdk.files import output_folder, read_npz
from osmnet_sdk.formats.image_sequence import write_png
from osmnet_sdk.provenance import file_metadata
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""What every file system takes as a file's name, and nothing that leads out of a folder."""


@dataclass(frozen=True, eq=False)
class FrameTracks:
    """N frames that are to be rendered, among the values of T.

    Attributes:
        motion: T poses; the frame rate means nothing.
        expression: T expressions.
        frames: numbers of the N frames.
        keys: their N file names, without suffix.
        metadata: text for each file.
    """

    motion: MotionTrack
    expression: ExpressionTrack
    frames: tuple[int, ...]
    keys: tuple[str, ...]
    metadata: dict[str, str]


def read_frame_tracks(path: str | os.PathLike[str]) -> FrameTracks:
    """Read the `tracks` file of `render_frames`.

    Raises:
        TrackError: if the file cannot be read, or holds values that are not allowed.
    """
    arrays = read_npz(path, "tracks file")
    try:
        return _frame_tracks(arrays)
    except InputError as error:
        raise TrackError(f"Tracks file '{path}': {error}") from error


def _frame_tracks(arrays: dict[str, NDArray[Any]]) -> FrameTracks:
    wanted = ("rotation", "translation", "coefficients", "keys")
    missing = [name for name in wanted if name not in arrays]
    if missing:
        raise TrackError(f"it has no '{missing[0]}'.")
    motion = MotionTrack(FPS, arrays["rotation"], arrays["translation"])
    expression = ExpressionTrack(FPS, arrays["coefficients"])
    keys, frames = arrays["keys"], arrays.get("frames", np.arange(len(motion)))
    if len(expression) != len(motion):
        raise TrackError(
            f"it needs as many rows of coefficients ({len(expression)}) as of motion "
            f"({len(motion)})."
        )
    numbers, texts = frames.dtype.kind in "iu", keys.dtype.kind == "U"
    if not (numbers and texts and frames.ndim == 1 and keys.shape == frames.shape):
        raise TrackError(
            f"it needs as many keys, as text ({keys.dtype}, {keys.shape}), as it names frames, as "
            f"whole numbers ({frames.dtype}, {frames.shape})."
        )
    beyond = frames[(frames < 0) | (frames >= len(motion))]
    if len(beyond):
        raise TrackError(f"it names frame {beyond[0]}, but has rows 0 to {len(motion) - 1}.")
    names = tuple(str(key) for key in keys)
    for name in names:
        if not _KEY.fullmatch(name):
            raise TrackError(
                f"the key '{name[:100]}' must be 1 to 100 letters a–z, digits, - and _."
            )
    if len({name.lower() for name in names}) < len(names):
        raise TrackError("two of its keys are the same, so one frame would replace the other.")
    return FrameTracks(
        motion,
        expression,
        tuple(int(number) for number in frames),
        names,
        file_metadata(str(arrays["meta"]) if "meta" in arrays else "{}"),
    )


def write_frames(
    folder: str | os.PathLike[str],
    tracks: FrameTracks,
    frames: Iterable[NDArray[np.uint8]],
    request: Request,
) -> int:
    """Write each frame as folder/key.png and tell the client when it is there; return their number.

    Raises:
        OutputError: if a file cannot be written.
        Cancelled: if the request is cancelled; the frames written so far stay.
    """
    target = output_folder(folder)
    for index, (key, image) in enumerate(zip(tracks.keys, frames, strict=True)):
        request.check_cancelled()
        write_png(target / f"{key}.png", image, tracks.metadata)
        request.frame(index)
    return len(tracks.keys)
