"""A video of frames that a client has already, with sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.core.provenance import file_metadata
from osmnet_sdk.engine.parameters import WriteVideo
from osmnet_sdk.engine.request import Request
from osmnet_sdk.errors import PhotoError
from osmnet_sdk.formats.image_sequence import FRAME_NAME
from osmnet_sdk.formats.photo import load_photo
from osmnet_sdk.formats.video_writer import VideoWriter, check_writable
from osmnet_sdk.tracks import checked_fps


def video_of_frames(wanted: WriteVideo, request: Request) -> Path:
    """Write pictures as a video whose tags are those of the first; return its path.

    Args:
        wanted: folder, numbers, rate, sound and path.
        request: is told how far it is, and may be cancelled.

    Raises:
        PhotoError: if a picture is missing, cannot be read, or has another size.
        AudioError: if the sound cannot be read.
        OutputError: if the video cannot be written.
        Cancelled: if the request is cancelled; a video that was there before stays.
    """
    check_writable(wanted.output)
    fps = checked_fps(wanted.fps)
    sound = None
    if wanted.audio is not None:
        sound = load_audio(
            wanted.audio, channel=wanted.channel, track=wanted.track,
            progress=request.progress, cancel=request.cancelled,
        )  # fmt: skip
    folder = Path(wanted.folder)
    places = [folder / FRAME_NAME.format(wanted.first + n) for n in range(wanted.count)]
    with VideoWriter(
        wanted.output, fps=fps, audio=sound, metadata=_tags(places[0]),
        audio_start=Fraction(wanted.start).limit_denominator(1_000_000),
    ) as writer:  # fmt: skip
        for number, place in enumerate(places):
            request.progress("Writing the video", number, len(places))
            request.check_cancelled()
            writer.write(np.ascontiguousarray(load_photo(place)))
    request.progress("Writing the video", len(places), len(places))
    return Path(wanted.output)


def _tags(place: Path) -> dict[str, str]:
    """What a frame says of itself in its metadata; that it is generated, whatever it says."""
    tags = file_metadata("{}")
    try:
        with Image.open(place) as picture:
            said = getattr(picture, "text", {})
    except OSError as error:
        raise PhotoError(f"There is no frame '{place}'; render the frames again.") from error
    return tags | {name: str(said[name]) for name in tags if said.get(name)}
