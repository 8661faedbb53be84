"""Frames into files: what a video or a PNG sequence is made from, and going on with one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.container import checked_path
from osmnet_sdk.audio.load import Audio, AudioSource
from osmnet_sdk.core.bundle import Bundle, file_sha256
from osmnet_sdk.core.files import output_folder
from osmnet_sdk.core.provenance import file_metadata, of_photo
from osmnet_sdk.core.resuming import Ledger, job_digest
from osmnet_sdk.errors import AudioError, InputError
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.progress import Reporter
from osmnet_sdk.rendering.registry import renderer_name
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

Draw = Callable[[Sequence[int] | None], Iterator[NDArray[np.uint8]]]
"""Draws frames by their numbers, None for all."""


@dataclass(frozen=True, eq=False)
class Job:
    """All that frames and the files of them are made from.

    Attributes:
        face: the photo.
        motion: T frames.
        expression: T frames.
        made_by: JSON of `frame_provenance`.
        bundle: of the weights.
        device: where they are drawn.
        settings: "renderer" and whatever else `render` is called with.
    """

    face: SourceFace
    motion: MotionTrack
    expression: ExpressionTrack
    made_by: str
    bundle: Bundle
    device: str
    settings: dict[str, Any]

    @property
    def metadata(self) -> dict[str, str]:
        """Title and comment of the files."""
        return file_metadata(self.made_by)

    def digest(self, **more: Any) -> str:
        """What tells the files of this job from those of another; `more` counts as settings."""
        # The model and the photo's faults follow from the bundle and the photo.
        photo = {f.name: getattr(self.face, f.name) for f in fields(self.face)}
        del photo["model"], photo["quality"], photo["notes"]
        others = {name: value for name, value in self.settings.items() if name != "renderer"}
        return job_digest(
            bundle=self.bundle.sha256,
            device=self.device.partition(":")[0],
            renderer=renderer_name(self.settings["renderer"], self.bundle),
            face=photo,
            fps=self.motion.fps,
            values=(self.motion.rotation, self.motion.translation, self.expression.coefficients),
            metadata=self.metadata,
            settings=others | more,
        )


def write_video(
    job: Job, draw: Draw, path: Path, audio: AudioSource | None, resume: bool, report: Reporter
) -> Path:
    """Write the video of a job, unless `resume` is asked for and it is there; return its path."""
    from osmnet_sdk.formats.video_writer import VideoWriter

    ledger = Ledger(path.parent) if resume else None
    digest = job.digest(sound=sound_digest(audio)) if resume else ""
    if ledger is not None and ledger.holds(path.name, digest):
        report.step("Rendering", len(job.motion), len(job.motion))
        return path
    with VideoWriter(path, fps=job.motion.fps, audio=audio, metadata=job.metadata) as writer:
        for frame in draw(None):
            writer.write(frame)
    if ledger is not None:
        with ledger:
            ledger.add(path.name, digest)
    return path


def write_images(job: Job, draw: Draw, folder: Path, resume: bool, report: Reporter) -> int:
    """Write the PNG files of a job, with `resume` only those that are missing; return T."""
    from osmnet_sdk.formats.image_sequence import FRAME_NAME, warn_of_rest, write_png_sequence

    target = output_folder(folder)
    if not resume:
        return write_png_sequence(target, draw(None), metadata=job.metadata)
    digest = job.digest()
    frames = len(job.motion)
    with Ledger(target) as ledger:
        left = []
        for number in range(frames):
            report.step("Looking for finished frames", number, frames)
            if not ledger.holds(FRAME_NAME.format(number), digest):
                left.append(number)
        drawn = draw(left)
        write_png_sequence(
            target, drawn if left else (), metadata=job.metadata, numbers=left,
            written=lambda name: ledger.add(name, digest),
        )  # fmt: skip
    warn_of_rest(target, frames)
    return frames


def sound_digest(audio: AudioSource | None) -> str | None:
    """SHA-256 of a sound as a video carries it: of its file or samples, its channel and track.

    Raises:
        AudioError: if the file cannot be read.
    """
    if audio is None:
        return None
    if isinstance(audio, (str, os.PathLike)):
        return file_sha256(Path(checked_path(audio, AudioError, "a sound or video file")))
    if isinstance(audio, Audio):
        source, channel, track = audio.origin.source, audio.origin.channel, audio.origin.track
        named = source if isinstance(source, (str, os.PathLike, tuple)) else None
        return job_digest(
            heard=audio.sha256, source=sound_digest(named), channel=channel, track=track
        )
    if isinstance(audio, tuple):
        return job_digest(samples=audio)
    raise InputError("A video whose sound is an open file cannot be gone on with; give its path.")


def frame_provenance(face: SourceFace, take: Take | MotionTrack) -> str:
    """What frames come from, as JSON for the metadata of their files: the take and the photo.

    A take that names neither sound nor video is told from others by its values.
    """
    text = take.provenance.model_dump_json(exclude_defaults=True)
    made_by = take.provenance
    if not made_by.audio_sha256 and "video_sha256" not in made_by.options:
        text = json.dumps({**json.loads(text), "take_sha256": _digest(take)})
    return of_photo(text, face.photo, face.index)


def _digest(take: Take | MotionTrack) -> str:
    motion = take.motion if isinstance(take, Take) else take
    digest = hashlib.sha256(motion.rotation.tobytes() + motion.translation.tobytes())
    if isinstance(take, Take):
        digest.update(take.expression.coefficients.tobytes())
    return digest.hexdigest()


def tracks_of(
    take: Take | MotionTrack, expression: ExpressionTrack | None
) -> tuple[MotionTrack, ExpressionTrack]:
    """Motion and expression of what is to be rendered.

    Raises:
        InputError: if there is no expression, or one beside that of a take.
    """
    if isinstance(take, Take):
        if expression is not None:
            raise InputError("A take has its own expression; pass its motion to use another.")
        return take.motion, take.expression
    if not isinstance(take, MotionTrack) or not isinstance(expression, (ExpressionTrack, NoneType)):
        raise InputError(
            "render needs a Take, or a MotionTrack and an ExpressionTrack; read files with "
            "load_take, MotionTrack.load or ExpressionTrack.load."
        )
    if expression is None:
        raise InputError("A motion track needs an expression track beside it, or pass a take.")
    return take, expression
