"""Frames that a client asks for: which values they have, and the files that they become."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS, MAX_FRAMES
from osmnet_sdk.core.files import output_folder
from osmnet_sdk.core.json_reading import Unreadable, parse_json
from osmnet_sdk.core.npz_reading import Numbers, Texts
from osmnet_sdk.core.provenance import file_metadata
from osmnet_sdk.core.reading import file_name, read_npz
from osmnet_sdk.core.wording import quoted
from osmnet_sdk.engine.request import Request
from osmnet_sdk.errors import InputError, TrackError
from osmnet_sdk.formats.image_sequence import write_png
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance

_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""What every file system takes as a file's name, and nothing that leads out of a folder."""

_ARRAYS: dict[str, Numbers | Texts] = {
    "rotation": Numbers(("rows", 3)),
    "translation": Numbers(("rows", 3)),
    "coefficients": Numbers(("rows", len(ARKIT_NAMES))),
    "keys": Texts(("frames",), longest=1000),
    "frames": Numbers(("frames",), read_as=np.int64, optional=True),
    "meta": Texts(optional=True),
}


@dataclass(frozen=True, eq=False)
class FrameTracks:
    """N frames that are to be rendered, among the values of T.

    Attributes:
        motion: T poses; the frame rate means nothing.
        expression: T expressions.
        frames: numbers of the N frames.
        keys: their N file names, without suffix.
        metadata: text for each file.
        made_by: the sound of the take, as far as `meta` names it.
    """

    motion: MotionTrack
    expression: ExpressionTrack
    frames: tuple[int, ...]
    keys: tuple[str, ...]
    metadata: dict[str, str]
    made_by: Provenance = field(default_factory=Provenance)


def read_frame_tracks(path: str | os.PathLike[str]) -> FrameTracks:
    """Read the `tracks` file of `render_frames`.

    Raises:
        TrackError: if the file cannot be read, or holds values that are not allowed.
    """
    arrays = read_npz(path, "tracks file", _ARRAYS, {"rows": MAX_FRAMES, "frames": MAX_FRAMES})
    try:
        return _frame_tracks(arrays)
    except (InputError, Unreadable) as error:
        raise TrackError(f"Tracks file {file_name(path)}: {error}") from error


def _frame_tracks(arrays: dict[str, NDArray[Any]]) -> FrameTracks:
    motion = MotionTrack(FPS, arrays["rotation"], arrays["translation"])
    expression = ExpressionTrack(FPS, arrays["coefficients"])
    keys, frames = arrays["keys"], arrays.get("frames", np.arange(len(motion)))
    if len(keys) != len(frames):
        raise TrackError(f"it has {len(keys)} keys for {len(frames)} frames.")
    beyond = frames[(frames < 0) | (frames >= len(motion))]
    if len(beyond):
        raise TrackError(f"it names frame {beyond[0]}, but has rows 0 to {len(motion) - 1}.")
    names = tuple(str(key) for key in keys)
    text = str(arrays["meta"]) if "meta" in arrays else "{}"
    for name in names:
        if not _KEY.fullmatch(name):
            raise TrackError(
                f"the key {quoted(name)} must be 1 to 100 letters a–z, digits, - and _."
            )
    if len({name.lower() for name in names}) < len(names):
        raise TrackError("two of its keys are the same, so one frame would replace the other.")
    return FrameTracks(
        motion,
        expression,
        tuple(int(number) for number in frames),
        names,
        file_metadata(text),
        _sound(parse_json(text)),
    )


def _sound(meta: Any) -> Provenance:
    """What `meta` says of the take's sound; whatever else it holds is the client's own."""
    if not isinstance(meta, dict):
        return Provenance()
    try:
        return Provenance(audio=meta.get("audio"), audio_sha256=meta.get("audio_sha256"))
    except ValidationError as error:
        raise TrackError("its 'meta' text names no sound by 'audio' and 'audio_sha256'.") from error


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
