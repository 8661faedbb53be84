"""The calls that users make; an `OSMNet` owns a device and the models it has loaded."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.audio.activity import voice_activity
from osmnet_sdk.audio.load import Audio, AudioSource, load_audio
from osmnet_sdk.bundle import Bundle, find_bundle
from osmnet_sdk.conventions import FPS
from osmnet_sdk.devices import describe_device, resolve_device
from osmnet_sdk.errors import InputError
from osmnet_sdk.formats.photo import PhotoSource, load_photo
from osmnet_sdk.options import ExpressionOptions, SampleOptions
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take
from osmnet_sdk.version import __version__

if TYPE_CHECKING:
    from osmnet_sdk.expression.predict import ExpressionPredictor
    from osmnet_sdk.face.model import FaceModel
    from osmnet_sdk.face.networks import FaceNetworks
    from osmnet_sdk.face.source import SourceFace
    from osmnet_sdk.motion.basis import BasisVector
    from osmnet_sdk.motion.sampler import MotionSampler
    from osmnet_sdk.motion.turning import HeadTurn
    from osmnet_sdk.render.frames import Size

PathLike = str | os.PathLike[str]
_Part = TypeVar("_Part")
_Performance = TypeVar("_Performance", MotionTrack, Take)

_MAX_TAKES = 1000


class OSMNet:
    """One photo and one voice in, several head performances out.

    Models are loaded when they are first needed. One object may be used from several threads.

    Args:
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        bundle: name or folder of the bundle of weights.

    Raises:
        DeviceError: if the device is not there.
        ModelError: if the bundle is missing or damaged.
    """

    def __init__(self, device: str = "auto", bundle: PathLike = "starter") -> None:
        self.device = str(resolve_device(device))
        self.bundle: Bundle = find_bundle(bundle)
        self._parts: dict[str, Any] = {}
        self._lock = threading.RLock()

    def _part(self, name: str, load: Callable[[], _Part]) -> _Part:
        with self._lock:
            if name not in self._parts:
                self._parts[name] = load()
            part: _Part = self._parts[name]
            return part

    @property
    def face_model(self) -> FaceModel:
        """The morphable head model of the bundle."""
        from osmnet_sdk.face.model import load_face_model

        return self._part("face_model", lambda: load_face_model(self.bundle))

    @property
    def _networks(self) -> FaceNetworks:
        from osmnet_sdk.face.networks import load_face_networks

        return self._part("networks", lambda: load_face_networks(self.bundle, self.device))

    @property
    def _sampler(self) -> MotionSampler:
        from osmnet_sdk.motion.sampler import MotionSampler

        return self._part("sampler", lambda: MotionSampler.from_bundle(self.bundle, self.device))

    @property
    def _predictor(self) -> ExpressionPredictor:
        from osmnet_sdk.expression.predict import ExpressionPredictor

        return self._part(
            "predictor", lambda: ExpressionPredictor.from_bundle(self.bundle, self.device)
        )

    def sample_motions(
        self,
        audio: AudioSource,
        *,
        n: int = 1,
        seed: int = 0,
        first: int = 0,
        options: SampleOptions | None = None,
        follow: MotionTrack | Take | None = None,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> list[MotionTrack]:
        """Sample several different head motions for one voice (paper section III-A).

        Takes are computed one by one, so the first n of n + 1 are the same, bit for bit.

        Args:
            audio: a path, a binary file object, (samples, rate), or a loaded `Audio`.
            n: number of takes, 1 to 1000.
            seed: 0 or more; the same seed gives the same takes.
            first: number of the first take, 0 or more: takes first … first + n − 1 of the seed,
                equal to those of a longer call that starts at 0.
            options: spread, intensity, pins and the like.
            follow: a performance, as of `track_video`, whose slow motion (a Gaussian of 0.2 s) the
                takes go around; with ε = 0 they are that motion. It is cut to the sound, and
                after the end of a shorter one the head goes to rest.
            progress: called with (stage, done, total).
            cancel: asked between steps.

        Returns:
            n tracks at 25 fps of T = ceil(25 · seconds) frames that start at rest, unless options
            or a reference say otherwise.

        Raises:
            AudioError: if the sound cannot be read.
            InputError: if n, seed or first is out of range, or options do not fit the sound.
        """
        _check_sampling(n, seed, first)
        options = options or SampleOptions()
        report = Reporter(progress, cancel)
        recording = load_audio(audio, progress=progress, cancel=cancel)
        features = self._sampler.features(recording, progress=progress, cancel=cancel)
        reference = follow.motion if isinstance(follow, Take) else follow
        takes = []
        for take in range(first, first + n):
            report.step("Sampling takes", take - first, n)
            motion = self._sampler.sample(
                features, take=take, seed=seed, options=options, follow=reference
            )
            provenance = self._provenance(
                recording, seed, take, options.changed() | _followed(reference)
            )
            takes.append(MotionTrack(motion.fps, motion.rotation, motion.translation, provenance))
        report.step("Sampling takes", n, n)
        return takes

    def predict_expression(
        self,
        audio: AudioSource,
        *,
        face: SourceFace | None = None,
        options: ExpressionOptions | None = None,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> ExpressionTrack:
        """Predict what the face does while it says this (paper section III-B); deterministic.

        Args:
            audio: as for `sample_motions`.
            face: the face that speaks; None is the average head.
            options: strength and the like.
            progress: called with (stage, done, total).
            cancel: asked between steps.

        Returns:
            A track at 25 fps of T = ceil(25 · seconds) frames.

        Raises:
            AudioError: if the sound cannot be read.
        """
        identity = None if face is None else face.identity
        return self._predictor.predict(
            audio, identity, options or ExpressionOptions(), progress=progress, cancel=cancel
        )

    def sample_takes(
        self,
        audio: AudioSource,
        *,
        n: int = 1,
        seed: int = 0,
        first: int = 0,
        face: SourceFace | None = None,
        options: SampleOptions | None = None,
        expression_options: ExpressionOptions | None = None,
        follow: MotionTrack | Take | None = None,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> list[Take]:
        """Sample whole performances: head motion, expression, and blinks and gaze with each take.

        Args:
            audio: as for `sample_motions`.
            n: number of takes, 1 to 1000.
            seed: 0 or more.
            first: as for `sample_motions`.
            face: the face that speaks; its pose becomes the takes' rest pose.
            options: for motion, blinks and gaze.
            expression_options: for expression.
            follow: as for `sample_motions`.
            progress: called with (stage, done, total).
            cancel: asked between steps.

        Raises:
            AudioError: if the sound cannot be read.
            InputError: if n, seed or first is out of range, or options do not fit the sound.
        """
        from osmnet_sdk.expression.blink import combine, sample_eyes

        options = options or SampleOptions()
        recording = load_audio(audio, progress=progress, cancel=cancel)
        calls: dict[str, Any] = {"progress": progress, "cancel": cancel}
        motions = self.sample_motions(
            recording, n=n, seed=seed, first=first, options=options, follow=follow, **calls
        )
        spoken = self.predict_expression(recording, face=face, options=expression_options, **calls)
        speech = voice_activity(recording.samples)
        rest = np.zeros((2, 3))
        if face is not None:
            rest = np.stack([face.fit.pose.angles, face.fit.pose.translation])
        takes = []
        for index, motion in enumerate(motions, first):
            eyes = sample_eyes(
                len(motion), seed=seed, take=index, options=options, speech=speech, motion=motion
            )
            changed = {"motion": motion.provenance.options}
            changed["expression"] = (expression_options or ExpressionOptions()).changed()
            takes.append(
                Take(
                    motion,
                    combine(spoken, eyes),
                    rest[0].astype(np.float32),
                    rest[1].astype(np.float32),
                    self._provenance(recording, seed, index, changed),
                )
            )
        return takes

    def retake(
        self,
        track: _Performance,
        audio: AudioSource,
        start: float,
        end: float,
        *,
        seed: int | None = None,
        take: int = 0,
        options: SampleOptions | None = None,
        follow: MotionTrack | Take | None = None,
        eyes: bool = False,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> _Performance:
        """Sample a range of time of a take anew; outside the range not a bit changes.

        The head motion of the range becomes that of another take, into which the old one fades at
        the joins (C2). A take's expression stays as it is, so that an edited face is not lost;
        gaze then goes on to make up for the old turns of the head, unless `eyes` is set.

        Args:
            track: what is to be changed, a take or a motion track.
            audio: the whole sound, as for `sample_motions`.
            start: first time that may change, seconds.
            end: time from which on nothing changes, seconds.
            seed: of the new motion; None is one that is not yet in the track's provenance.
            take: number of the take in that seed, 0 or more.
            options: of the new motion; pins and calm ranges count within the range alone.
            follow: as for `sample_motions`.
            eyes: whether a take's blinks and gaze are sampled anew in the range, too; its eye
                coefficients then are those of the average face.
            progress: called with (stage, done, total).
            cancel: asked between steps.

        Returns:
            A new object of the type of `track`; its provenance lists all retakes.

        Raises:
            AudioError: if the sound cannot be read.
            InputError: if the range does not lie within the track, the sound is not as long as
                the track, or a number is out of range.
        """
        from osmnet_sdk.retaken import retaken_eyes, retaken_motion, retaken_provenance, unused_seed

        seed = unused_seed(track.provenance) if seed is None else seed
        _check_sampling(1, seed, take)
        options = options or SampleOptions()
        calls: dict[str, Any] = {"progress": progress, "cancel": cancel}
        recording = load_audio(audio, **calls)
        (new,) = self.sample_motions(
            recording, n=1, seed=seed, first=take, options=options, follow=follow, **calls
        )
        motion = track.motion if isinstance(track, Take) else track
        joined = retaken_motion(motion, new, start, end, options.pins)
        origin = retaken_provenance(track.provenance, new.provenance, start, end, eyes)
        joined = replace(joined, provenance=origin)
        if isinstance(track, MotionTrack):
            return joined
        expression = track.expression
        if eyes:
            spoken = self.predict_expression(recording, **calls)
            expression = retaken_eyes(
                expression, spoken, joined, start, end,
                options=options, seed=seed, take=take, speech=voice_activity(recording.samples),
            )  # fmt: skip
        return replace(track, motion=joined, expression=expression, provenance=origin)

    def fit_face(self, photo: PhotoSource, *, face_index: int | None = None) -> SourceFace:
        """Find and fit the face of a photo; reuse the result for any number of takes.

        The person in the photo must have agreed.

        Args:
            photo: a path, a binary file object, or uint8 RGB (H, W, 3).
            face_index: which face, counted from the largest; None takes the largest.

        Raises:
            NoFaceError: if there is no face.
            PhotoError: if the photo cannot be read or used.

        Warns:
            OSMNetWarning: if the photo will not work well, or there are several faces.
        """
        from osmnet_sdk.face.source import fit_photo

        name = f"'{photo}'" if isinstance(photo, (str, os.PathLike)) else "the photo"
        return fit_photo(
            load_photo(photo), self._networks, self.face_model, face_index=face_index, name=name
        )

    def track_video(
        self,
        path: PathLike,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> Take:
        """The take of a real performance, resampled to 25 fps; its rest is its median pose.

        Raises:
            InputError: if the video cannot be read.
            NoFaceError: if fewer than half of the frames show a face.
        """
        from osmnet_sdk.face.performance import track_frames
        from osmnet_sdk.formats.video import read_frames, video_info

        total = round(video_info(path).seconds * FPS)
        frames = (frame.image for frame in read_frames(path, fps=FPS))
        return track_frames(
            frames,
            self._networks,
            self.face_model,
            total=total,
            name=f"'{path}'",
            reporter=Reporter(progress, cancel),
        ).take

    def render(
        self,
        face: SourceFace,
        take: Take | MotionTrack,
        expression: ExpressionTrack | None = None,
        *,
        size: Size = "crop",
        label: bool = True,
        keep_rest: bool = True,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> Iterator[NDArray[np.uint8]]:
        """Render frames one by one; nothing is drawn before the first is asked for.

        Args:
            face: from `fit_face`.
            take: a take, or a motion track together with `expression`.
            expression: expression of a motion track.
            size: "crop" (256 × 256 around the head), "photo" (the whole photo) or
                (height, width) in pixels.
            label: whether each frame says "AI-generated"; leave it on for what others will see.
            keep_rest: whether the photo's own brows, lids and gaze stay under the track's.
            progress: called with (stage, done, total).
            cancel: asked before each frame.

        Returns:
            An iterator of (height, width, 3) uint8 RGB frames at the track's frame rate.

        Raises:
            InputError: if tracks do not fit each other or the size is not allowed.

        Warns:
            OSMNetWarning: if the photo cannot carry the motion.
        """
        from osmnet_sdk.render.frames import render_frames

        motion, spoken = _tracks(take, expression)
        return render_frames(
            face,
            motion,
            spoken,
            size=size,
            label=label,
            keep_rest=keep_rest,
            reporter=Reporter(progress, cancel),
        )

    def render_video(
        self,
        face: SourceFace,
        take: Take | MotionTrack,
        path: PathLike,
        *,
        expression: ExpressionTrack | None = None,
        audio: AudioSource | None = None,
        fps: Fraction | int | str | None = None,
        size: Size = "crop",
        label: bool = True,
        keep_rest: bool = True,
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
            size: as for `render`; odd sizes grow by one line, since H.264 needs it.
            label: as for `render`.
            keep_rest: as for `render`.
            progress: called with (stage, done, total).
            cancel: asked before each frame.

        Raises:
            OutputError: if the file cannot be written.
            Cancelled: if `cancel` returns True; no file is left.
        """
        from osmnet_sdk.formats.video_writer import VideoWriter
        from osmnet_sdk.provenance import file_metadata

        motion, spoken = _tracks(take, expression)
        if fps is not None:
            motion, spoken = motion.resample(fps), spoken.resample(fps)
        provenance = take.provenance.model_dump_json(exclude_defaults=True)
        with VideoWriter(
            path, fps=motion.fps, audio=audio, metadata=file_metadata(provenance)
        ) as writer:
            for frame in self.render(
                face, motion, spoken, size=size, label=label, keep_rest=keep_rest,
                progress=progress, cancel=cancel,
            ):  # fmt: skip
                writer.write(frame)
        return Path(path)

    def render_images(
        self,
        face: SourceFace,
        take: Take | MotionTrack,
        folder: PathLike,
        *,
        expression: ExpressionTrack | None = None,
        size: Size = "crop",
        label: bool = True,
        keep_rest: bool = True,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> int:
        """Render numbered PNG files (frame_000000.png, …) into a folder; return their number.

        Arguments and errors are those of `render_video`.
        """
        from osmnet_sdk.formats.image_sequence import write_png_sequence
        from osmnet_sdk.provenance import file_metadata

        frames = self.render(
            face, take, expression, size=size, label=label, keep_rest=keep_rest,
            progress=progress, cancel=cancel,
        )  # fmt: skip
        provenance = take.provenance.model_dump_json(exclude_defaults=True)
        return write_png_sequence(folder, frames, metadata=file_metadata(provenance))

    def motion_basis(self) -> list[BasisVector]:
        """What each vector of the bundle's motion basis does (paper section IV-E2).

        Returns:
            S vectors, each with a name for its action, its decoded clip (T, 6) and its motion
            when it is held for one second, in degrees and metres at 25 fps.
        """
        from osmnet_sdk.motion.basis import basis_vectors

        return basis_vectors(self._sampler.network, self._sampler.calibration)

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
            size: as for `render`.
            label: as for `render`.

        Returns:
            (height, width, 3) uint8 RGB.

        Raises:
            InputError: if an angle or the size is out of its range.
            ModelError: if the bundle's basis does not span the pose.

        Warns:
            OSMNetWarning: if the photo cannot carry the pose.
        """
        turn = self.head_turn(face, pitch=pitch, yaw=yaw, roll=roll, frontal=frontal)
        last = turn.motion.slice(len(turn.motion) - 1, len(turn.motion))
        own = ExpressionTrack(last.fps, face.fit.expression[None].astype(np.float32))
        [image] = self.render(face, last, own, size=size, label=label, keep_rest=False)
        return image

    def lip_gap(self, expression: ArrayLike | ExpressionTrack) -> NDArray[np.float32]:
        """Distance of the inner lips over the mouth's width at rest, on the average face.

        Args:
            expression: a track, or coefficients (52,) or (T, 52).

        Returns:
            (T,) or () float32, 0 when the lips touch.
        """
        values = expression.coefficients if isinstance(expression, ExpressionTrack) else expression
        return self.face_model.lip_gap(values)

    def info(self) -> dict[str, Any]:
        """Versions, device and bundle, with every file of the bundle checked.

        Raises:
            ModelError: if a file of the bundle is missing or changed.
        """
        for name in self.bundle.manifest.files:
            self.bundle.path(name)
        return {
            "version": __version__,
            "device": describe_device(self.device),
            "bundle": self.bundle.name,
            "bundle_version": self.bundle.manifest.version,
            "bundle_folder": str(self.bundle.folder),
            "bundle_sha256": self.bundle.sha256,
            "licence": self.bundle.manifest.licence,
            "files": {n: f.model_dump() for n, f in self.bundle.manifest.files.items()},
        }

    def _provenance(
        self, recording: Audio, seed: int, take: int, options: dict[str, Any]
    ) -> Provenance:
        return Provenance(
            source="sampled",
            sdk_version=__version__,
            bundle=self.bundle.name,
            bundle_sha256=self.bundle.sha256,
            audio=recording.name,
            audio_sha256=recording.sha256,
            seed=seed,
            take=take,
            options=options,
        )


def _check_sampling(n: int, seed: int, first: int) -> None:
    if not 1 <= n <= _MAX_TAKES:
        raise InputError(f"n, the number of takes, must be 1 to {_MAX_TAKES}, not {n}.")
    if seed < 0:
        raise InputError(f"seed must be 0 or more, not {seed}.")
    if first < 0:
        raise InputError(f"first, the number of the first take, must be 0 or more, not {first}.")


def _followed(reference: MotionTrack | None) -> dict[str, Any]:
    from osmnet_sdk.motion.following import reference_record

    return {} if reference is None else {"follow": reference_record(reference)}


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


@cache
def default_osmnet() -> OSMNet:
    """The one object behind the module's functions: device "auto", bundle "starter"."""
    return OSMNet()
