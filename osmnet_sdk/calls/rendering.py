"""Calls of `OSMNet` that draw a face: frames, videos, PNG files, one turned picture."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.load import Audio, AudioSource
from osmnet_sdk.calls.models import Models, PathLike
from osmnet_sdk.errors import AudioError, InputError
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter, asks_often
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take
from osmnet_sdk.version import __version__

if TYPE_CHECKING:
    from osmnet_sdk.face.source import SourceFace
    from osmnet_sdk.motion.turning import HeadTurn
    from osmnet_sdk.rendering.frames import Size


class RenderingCalls(Models):
    """Rendering a face that moves, or one that is turned."""

    @asks_often
    def render(
        self,
        face: SourceFace,
        take: Take | MotionTrack,
        expression: ExpressionTrack | None = None,
        *,
        renderer: str = "auto",
        size: Size = "crop",
        label: bool = True,
        keep_rest: bool = True,
        frames: Sequence[int] | None = None,
        alpha: bool = False,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> Iterator[NDArray[np.uint8]]:
        """Render frames one by one; nothing is drawn before the first is asked for.

        Args:
            face: from `fit_face`.
            take: a take, or a motion track together with `expression`.
            expression: expression of a motion track.
            renderer: "warp" (the photo warped by the fitted head), "guided" (the warp finished by a
                network), "paper" (the paper's Video Generator), or "auto" for the bundle's default.
            size: "crop" (256 × 256 around the head), "photo" (the whole photo) or
                (height, width) in pixels.
            label: whether each frame says "AI-generated"; leave it on for what others will see.
            keep_rest: whether the photo's own brows, lids, gaze and half of its mouth's shape stay
                under the track's; lips part and meet as in the track all the same.
            frames: numbers of the frames to render, from 0; each is what it would be among all
                others, of which "paper" looks at some before and after. None renders all.
            alpha: whether frames of a photo with transparent places have them, too: a fourth
                channel of straight alpha. Without it they lie on white.
            progress: called with (stage, done, total).
            cancel: asked before each frame.

        Returns:
            An iterator of (height, width, 3) uint8 RGB frames at the track's frame rate, or of
            (height, width, 4) if `alpha` is asked for and the photo has it.

        Raises:
            InputError: if tracks do not fit each other, or the size, the renderer or a frame's
                number is not allowed.
            ModelError: if the bundle has no weights for the renderer, or they are damaged.
            DeviceError: while rendering, if there is no memory for a single frame.

        Warns:
            OSMNetWarning: if the photo cannot carry the motion.

        Example:
            >>> face = sdk.fit_face("portrait.png")
            >>> take = sdk.sample_takes("speech.wav")[0]
            >>> for frame in sdk.render(face, take, frames=range(10, 12)):
            ...     print(frame.shape, frame.dtype)
            (256, 256, 3) uint8
            (256, 256, 3) uint8
        """
        from osmnet_sdk.rendering.frames import render_frames

        motion, spoken = _tracks(take, expression)
        return render_frames(
            face,
            motion,
            spoken,
            renderer=self._renderer(renderer),
            size=size,
            label=label,
            keep_rest=keep_rest,
            frames=frames,
            alpha=alpha,
            reporter=Reporter(progress, cancel),
        )

    def renderer_window(self, renderer: str = "auto") -> int:
        """How many neighbours on either side a frame depends on besides its own values.

        Raises:
            InputError: if there is no such renderer.
            ModelError: if the bundle has no weights for it, or they are damaged.

        Example:
            >>> sdk.OSMNet(device="cpu").renderer_window("guided")
            0
        """
        return self._renderer(renderer).window

    @asks_often
    def render_video(
        self,
        face: SourceFace,
        take: Take | MotionTrack,
        path: PathLike,
        *,
        expression: ExpressionTrack | None = None,
        audio: AudioSource | None = None,
        fps: Fraction | int | str | None = None,
        renderer: str = "auto",
        size: Size = "crop",
        label: bool = True,
        keep_rest: bool = True,
        resume: bool = False,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> Path:
        """Render a video file (H.264, with AAC sound if `audio` is given); return its path.

        The file's metadata says that it is generated and what made it, whatever `label` says.

        Args:
            face: from `fit_face`.
            take: a take, or a motion track together with `expression`.
            path: .mp4, .mov or .mkv; it appears only when the video is complete.
            expression: expression of a motion track.
            audio: the sound.
            fps: frame rate of the video; None keeps that of the track.
            renderer: as for `rendering`.
            size: as for `rendering`; odd sizes grow by one line, since H.264 needs it.
            label: as for `rendering`.
            keep_rest: as for `rendering`.
            resume: whether a finished video of that name is kept if the same things made it, as
                the ledger osmnet-made.json beside it says; without, no ledger is written.
            progress: called with (stage, done, total).
            cancel: asked before each frame.

        Raises:
            OutputError: if the file cannot be written.
            Cancelled: if `cancel` returns True; no file is left.

        Warns:
            OSMNetWarning: if the sound is not the one that the take was made from.

        Example:
            >>> face = sdk.fit_face("portrait.png")
            >>> take = sdk.sample_takes("speech.wav")[0].slice(0, 5)
            >>> sdk.render_video(face, take, "take.mp4", audio="speech.wav", size=(128, 128)).name
            'take.mp4'
        """
        from osmnet_sdk.calls.same_sound import warn_of_other_sound
        from osmnet_sdk.core.provenance import file_metadata
        from osmnet_sdk.core.resuming import Ledger
        from osmnet_sdk.formats.video_writer import VideoWriter, check_writable
        from osmnet_sdk.rendering.frames import checked_size

        target = Path(path)
        check_writable(target)
        checked_size(size)
        motion, spoken = _tracks(take, expression)
        if fps is not None:
            motion, spoken = motion.resample(fps), spoken.resample(fps)
        if audio is not None:
            tied = (take.provenance, spoken.provenance)
            warn_of_other_sound(tied, audio, progress=progress, cancel=cancel)
        metadata = file_metadata(frame_provenance(face, take))
        drawn: dict[str, Any] = {
            "renderer": renderer, "size": size, "label": label, "keep_rest": keep_rest,
        }  # fmt: skip
        ledger = Ledger(target.parent) if resume else None
        job = None
        if ledger is not None:
            sound = _sound_digest(audio)
            job = self._job(face, motion, spoken, metadata, sound=sound, **drawn)
            if ledger.holds(target.name, job):
                Reporter(progress, cancel).step("Rendering", len(motion), len(motion))
                return target
        with VideoWriter(target, fps=motion.fps, audio=audio, metadata=metadata) as writer:
            for frame in self.render(
                face, motion, spoken, **drawn, progress=progress, cancel=cancel
            ):
                writer.write(frame)
        if ledger is not None and job is not None:
            with ledger:
                ledger.add(target.name, job)
        return target

    @asks_often
    def render_images(
        self,
        face: SourceFace,
        take: Take | MotionTrack,
        folder: PathLike,
        *,
        expression: ExpressionTrack | None = None,
        renderer: str = "auto",
        size: Size = "crop",
        label: bool = True,
        keep_rest: bool = True,
        resume: bool = True,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> int:
        """Render numbered PNG files (frame_000000.png, …) into a folder; return their number.

        They have the alpha of a photo that is cut out.

        A run that was stopped or killed is gone on with by the same call: frames that are there
        are kept if the same things made them, as the ledger osmnet-made.json beside them says.
        The files are the same, byte for byte, as those of an undisturbed run.

        Arguments and errors are those of `render_video`, but for `resume`: False draws all frames
        anew and writes no ledger.

        Example:
            >>> face = sdk.fit_face("portrait.png")
            >>> take = sdk.sample_takes("speech.wav")[0].slice(0, 2)
            >>> sdk.render_images(face, take, "frames", size=(128, 128))  # frame_000000.png and on
            2
        """
        from osmnet_sdk.core.files import output_folder
        from osmnet_sdk.core.provenance import file_metadata
        from osmnet_sdk.core.resuming import Ledger
        from osmnet_sdk.formats.image_sequence import FRAME_NAME, warn_of_rest, write_png_sequence

        motion, spoken = _tracks(take, expression)
        metadata = file_metadata(frame_provenance(face, take))
        drawn: dict[str, Any] = {
            "renderer": renderer, "size": size, "label": label, "keep_rest": keep_rest,
        }  # fmt: skip
        target = output_folder(folder)
        shared: dict[str, Any] = {"alpha": True, "progress": progress, "cancel": cancel}
        if not resume:
            frames = self.render(face, motion, spoken, **drawn, **shared)
            return write_png_sequence(target, frames, metadata=metadata)
        job = self._job(face, motion, spoken, metadata, **drawn)
        report = Reporter(progress, cancel)
        with Ledger(target) as ledger:
            left = []
            for number in range(len(motion)):
                report.step("Looking for finished frames", number, len(motion))
                if not ledger.holds(FRAME_NAME.format(number), job):
                    left.append(number)
            frames = self.render(face, motion, spoken, **drawn, **shared, frames=left)
            write_png_sequence(
                target, frames if left else (), metadata=metadata, numbers=left,
                written=lambda name: ledger.add(name, job),
            )  # fmt: skip
        warn_of_rest(target, len(motion))
        return len(motion)

    def _job(
        self,
        face: SourceFace,
        motion: MotionTrack,
        expression: ExpressionTrack,
        metadata: Mapping[str, str],
        *,
        renderer: str,
        **settings: Any,
    ) -> str:
        """Digest of all that frames and the files of them are made from."""
        from osmnet_sdk.core.resuming import job_digest
        from osmnet_sdk.rendering.registry import renderer_name

        # The model and the photo's faults follow from the bundle and the photo.
        photo = {f.name: getattr(face, f.name) for f in fields(face)}
        del photo["model"], photo["quality"], photo["notes"]
        return job_digest(
            bundle=self.bundle.sha256,
            device=self.device.partition(":")[0],
            renderer=renderer_name(renderer, self.bundle),
            face=photo,
            fps=motion.fps,
            values=(motion.rotation, motion.translation, expression.coefficients),
            metadata=metadata,
            settings=settings,
        )

    def head_turn(
        self,
        face: SourceFace | None = None,
        *,
        pitch: float = 0.0,
        yaw: float = 0.0,
        roll: float = 0.0,
        frontal: bool = False,
    ) -> HeadTurn:
        """Combine basis vectors into the motion that turns a head (paper section IV-E3).

        Args:
            face: from `fit_face`; needed for `frontal`.
            pitch: degrees, −45 to 45, above 0 looks down.
            yaw: degrees, −45 to 45, above 0 turns to the subject's left.
            roll: degrees, −45 to 45, above 0 tilts towards the subject's right shoulder.
            frontal: whether the angles are those before the camera, so that 0, 0, 0 is the view
                from the front, instead of relative to the photo's own pose.

        Returns:
            The motion, the basis vectors' weights, and how far the last pose is from the asked
            one: 0.5° at most.

        Raises:
            InputError: if an angle is out of its range, or `frontal` has no face.
            ModelError: if the bundle's basis does not span the pose.

        Example:
            >>> turn = sdk.head_turn(yaw=10)
            >>> bool(abs(turn.motion.rotation[-1, 1] - 10) < 0.5)
            True
        """
        from dataclasses import replace

        from osmnet_sdk.motion.turning import turn_head, wanted_rotation

        if frontal and face is None:
            raise InputError("frontal needs a face: pass what fit_face returned.")
        rest = face.fit.pose.rotation if frontal and face is not None else None
        turn = turn_head(self._sampler.network, wanted_rotation((pitch, yaw, roll), rest))
        made_by = Provenance(
            source="edited",
            sdk_version=__version__,
            bundle=self.bundle.name,
            bundle_sha256=self.bundle.sha256,
            options={"pitch": pitch, "yaw": yaw, "roll": roll, "frontal": frontal},
        )
        return replace(turn, motion=replace(turn.motion, provenance=made_by))

    def rotate(
        self,
        face: SourceFace,
        *,
        pitch: float = 0.0,
        yaw: float = 0.0,
        roll: float = 0.0,
        frontal: bool = False,
        renderer: str = "auto",
        size: Size = "crop",
        label: bool = True,
    ) -> NDArray[np.uint8]:
        """Draw a face turned by `head_turn`, with the photo's own expression.

        Args:
            face: from `fit_face`.
            pitch: as for `head_turn`, and so yaw, roll and frontal.
            yaw: degrees.
            roll: degrees.
            frontal: whether the angles are those before the camera.
            renderer: as for `rendering`.
            size: as for `rendering`.
            label: as for `rendering`.

        Returns:
            (height, width, 3) uint8 RGB.

        Raises:
            InputError: if an angle or the size is out of its range, or there is no such renderer.
            ModelError: if the bundle's basis does not span the pose, or it has no weights for the
                renderer.

        Warns:
            OSMNetWarning: if the photo cannot carry the pose.

        Example:
            >>> sdk.rotate(sdk.fit_face("portrait.png"), yaw=10).shape
            (256, 256, 3)
        """
        turn = self.head_turn(face, pitch=pitch, yaw=yaw, roll=roll, frontal=frontal)
        last = turn.motion.slice(len(turn.motion) - 1, len(turn.motion))
        own = ExpressionTrack(last.fps, face.fit.expression[None].astype(np.float32))
        [image] = self.render(
            face, last, own, renderer=renderer, size=size, label=label, keep_rest=False
        )
        return image


def _sound_digest(audio: AudioSource | None) -> str | None:
    """SHA-256 of a sound's file, or of its samples.

    Raises:
        AudioError: if the file cannot be read.
    """
    from osmnet_sdk.audio.container import checked_path
    from osmnet_sdk.core.bundle import file_sha256
    from osmnet_sdk.core.resuming import job_digest

    if audio is None:
        return None
    if isinstance(audio, (str, os.PathLike)):
        return file_sha256(Path(checked_path(audio, AudioError, "a sound or video file")))
    if isinstance(audio, Audio):
        return audio.sha256
    if isinstance(audio, tuple):
        return job_digest(samples=audio)
    raise InputError("A video whose sound is an open file cannot be gone on with; give its path.")


def frame_provenance(face: SourceFace, take: Take | MotionTrack) -> str:
    """What frames come from, as JSON for the metadata of their files: the take and the photo.

    A take that names neither sound nor video is told from others by its values.
    """
    from osmnet_sdk.core.provenance import of_photo

    text = take.provenance.model_dump_json(exclude_defaults=True)
    made_by = take.provenance
    if not made_by.audio_sha256 and "video_sha256" not in made_by.options:
        text = json.dumps({**json.loads(text), "take_sha256": _digest(take)})
    return of_photo(text, face.photo)


def _digest(take: Take | MotionTrack) -> str:
    motion = take.motion if isinstance(take, Take) else take
    digest = hashlib.sha256(motion.rotation.tobytes() + motion.translation.tobytes())
    if isinstance(take, Take):
        digest.update(take.expression.coefficients.tobytes())
    return digest.hexdigest()


def _tracks(
    take: Take | MotionTrack, expression: ExpressionTrack | None
) -> tuple[MotionTrack, ExpressionTrack]:
    if isinstance(take, Take):
        if expression is not None:
            raise InputError("A take has its own expression; pass its motion to use another.")
        return take.motion, take.expression
    if expression is None:
        raise InputError("A motion track needs an expression track beside it, or pass a take.")
    return take, expression
