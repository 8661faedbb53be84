"""The calls that users make; an `OSMNet` owns a device and the models it has loaded."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.audio.load import Audio, AudioSource, load_audio
from osmnet_sdk.core.bundle import Bundle, find_bundle
from osmnet_sdk.core.conventions import AUDIO_FEATURES, FPS, AudioFeatures
from osmnet_sdk.core.devices import describe_device, resolve_device
from osmnet_sdk.core.made_by import retaken_provenance, unused_seed
from osmnet_sdk.core.named_options import with_named
from osmnet_sdk.core.phones import PhoneTrack
from osmnet_sdk.errors import InputError
from osmnet_sdk.formats.photo import PhotoSource, load_picture
from osmnet_sdk.options import ExpressionOptions, Options, SampleOptions, check_sampling
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter, asks_often
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take
from osmnet_sdk.version import __version__

if TYPE_CHECKING:
    from osmnet_sdk.audio.analysis import SpeechAnalysis
    from osmnet_sdk.expression.predict import ExpressionPredictor
    from osmnet_sdk.expression.stream import ExpressionStream
    from osmnet_sdk.face.model import FaceModel
    from osmnet_sdk.face.networks import FaceNetworks
    from osmnet_sdk.face.source import SourceFace
    from osmnet_sdk.motion.basis import BasisVector
    from osmnet_sdk.motion.sampler import MotionSampler
    from osmnet_sdk.motion.turning import HeadTurn
    from osmnet_sdk.rendering.base import Renderer
    from osmnet_sdk.rendering.frames import Size
    from osmnet_sdk.rendering.output import Draw, Job

PathLike = str | os.PathLike[str]
_Part = TypeVar("_Part")
_Performance = TypeVar("_Performance", MotionTrack, Take)


class OSMNet:
    """One photo and one voice in, several head performances out.

    Models are loaded when they are first needed, once. One object may be used from several threads.
    Every long call takes `progress`, called with (stage, done, total), and `cancel`, asked between
    steps: if it returns True, the call raises `Cancelled` and leaves no half-written file.

    Args:
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        bundle: name or folder of the bundle of weights.
        audio_features: what the lips hear: "speech", features of a pretrained speech encoder;
            "mel", mel windows as in the paper; "auto", the first that the bundle has weights for.

    Raises:
        DeviceError: if the device is not there.
        InputError: if there are no such features.
        ModelError: if the bundle is missing or damaged.

    Example:
        >>> osm = sdk.OSMNet(device="cpu")
        >>> len(osm.sample_motions("speech.wav", n=2))
        2
    """

    def __init__(
        self,
        device: str = "auto",
        bundle: PathLike = "starter",
        audio_features: AudioFeatures = "auto",
    ) -> None:
        if audio_features not in AUDIO_FEATURES:
            raise InputError(
                f"audio_features must be {', '.join(AUDIO_FEATURES[:-1])} or {AUDIO_FEATURES[-1]}, "
                f"not '{audio_features}'."
            )
        self.device = str(resolve_device(device))
        self._audio_features = audio_features
        self.bundle: Bundle = find_bundle(bundle)
        self._parts: dict[str, Any] = {}
        self._lock = threading.RLock()

    def info(self) -> dict[str, Any]:
        """Versions, device and bundle, with every file of the bundle checked.

        "renderer" is the one that "auto" means; "renderers" has each one that there are weights
        for, with the neighbouring frames on either side that a frame of it depends on.

        Raises:
            ModelError: if a file of the bundle is missing, changed or damaged.

        Example:
            >>> sdk.OSMNet(device="cpu").info()["bundle"]
            'starter'
        """
        from osmnet_sdk.rendering.registry import renderer_windows

        for name in self.bundle.manifest.files:
            self.bundle.path(name)
        return {
            "version": __version__,
            "device": describe_device(self.device),
            "bundle": self.bundle.name,
            "bundle_version": self.bundle.manifest.version,
            "bundle_folder": str(self.bundle.folder),
            "bundle_sha256": self.bundle.sha256,
            "renderer": self.bundle.manifest.renderer,
            "renderers": renderer_windows(self.bundle),
            "licence": self.bundle.manifest.licence,
            "files": {n: f.model_dump() for n, f in self.bundle.manifest.files.items()},
        }

    @asks_often
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
        **named: Any,
    ) -> list[MotionTrack]:
        """Sample several different head motions for one voice (paper section III-A).

        Takes are computed one by one, so the first n of n + 1 are the same, bit for bit; so is a
        take on every run of one kind of CPU. CPUs with other vector instructions differ by up to
        2e-5°.

        Args:
            audio: a path, a binary file object, (samples, rate), or a loaded `Audio`.
            n: number of takes, 1 to 1000.
            seed: 0 or more; the same seed gives the same takes.
            first: number of the first take, 0 or more: takes first … first + n − 1 of the seed,
                equal to those of a longer call that starts at 0.
            options: spread, intensity, pins and the like; single ones may be given by their names
                instead, as in `sample_motions(audio, epsilon=0.5)`.
            follow: a performance, as of `track_video`, whose slow motion (a Gaussian of 0.2 s) the
                takes go around; with ε = 0 they are that motion. It is cut to the sound, and
                after the end of a shorter one the head goes to rest.

        Returns:
            n tracks at 25 fps of T = ceil(25 · seconds) frames that start at rest, unless options
            or a reference say otherwise.

        Raises:
            AudioError: if the sound cannot be read.
            InputError: if n, seed or first is out of range, or options do not fit the sound.

        Example:
            >>> first, second = sdk.sample_motions("speech.wav", n=2, seed=7)
            >>> first.rotation.shape  # 2 s of sound: 50 frames of pitch, yaw and roll
            (50, 3)
            >>> first == second
            False
        """
        check_sampling(n, seed, first)
        options = self._options("sample_motions", named, options=options or SampleOptions())[0]
        recording = load_audio(audio, progress=progress, cancel=cancel)
        return self._motions(
            recording, range(first, first + n), seed, options, follow, ExpressionOptions(),
            progress, cancel,
        )  # fmt: skip

    def _motions(
        self,
        recording: Audio,
        numbers: range,
        seed: int,
        options: SampleOptions,
        follow: MotionTrack | Take | None,
        moods: ExpressionOptions,
        progress: ProgressCallback | None,
        cancel: CancelCallback | None,
    ) -> list[MotionTrack]:
        """Takes of these numbers, whose heads follow the moods of an expression."""
        from osmnet_sdk.expression.moods import bearing, has_mood
        from osmnet_sdk.motion.edit.follow import reference_record

        report = Reporter(progress, cancel)
        self.check_options(recording, options)
        turned = bearing(moods, recording.frames) if has_mood(moods) else None
        features = self._sampler.features(recording, progress=progress, cancel=cancel)
        reference = follow.motion if isinstance(follow, Take) else follow
        changed = options.changed()
        if reference is not None:
            changed["follow"] = reference_record(reference)
        takes = []
        for take in report.each("Sampling takes", numbers, len(numbers)):
            motion = self._sampler.sample(
                features, take=take, seed=seed, options=options, follow=reference, bearing=turned
            )
            made_by = self._sampled(recording, seed, take, changed)
            takes.append(replace(motion, provenance=made_by))
        return takes

    def check_options(self, audio: Audio, options: SampleOptions) -> None:
        """Hold, before long work, that options fit a sound: its length, and the bundle's basis.

        Raises:
            InputError: if they do not.

        Example:
            >>> late = sdk.SampleOptions(pins=[sdk.Pin(60.0, (0, 0, 0))])
            >>> sdk.OSMNet(device="cpu").check_options(sdk.load_audio("speech.wav"), late)
            Traceback (most recent call last):
            ...
            osmnet_sdk.errors.InputError: ...
        """
        self._sampler.check(options, audio.frames)

    @asks_often
    def predict_expression(
        self,
        audio: AudioSource,
        *,
        face: SourceFace | PhotoSource | None = None,
        options: ExpressionOptions | None = None,
        phones: PhoneTrack | PathLike | None = None,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
        **named: Any,
    ) -> ExpressionTrack:
        """Predict what the face does while it says this (paper section III-B); deterministic.

        Args:
            audio: as for `sample_motions`.
            face: the face that speaks, or its photo; None is the average head.
            options: strength, smoothing, lag and the like; single ones by their names, too.
            phones: what is said and when, if that is known, or a file that `read_phones` reads: it
                decides lips and jaw; loudness, how wide vowels open.

        Returns:
            A track at 25 fps of T = ceil(25 · seconds) frames.

        Raises:
            AudioError: if the sound cannot be read.
            TrackError: if the phones cannot be read.

        Warns:
            OSMNetWarning: if nobody speaks in the sound, unless options leave silence to the
                network or phones are given; if these go on long after the sound.

        Example:
            >>> expression = sdk.predict_expression("speech.wav")
            >>> bool(expression.column("jawOpen").max() > 0.1)
            True
        """
        from osmnet_sdk.expression.predict import OPENING, warn_without_voice

        options = self._options(
            "predict_expression", named, options=options or ExpressionOptions()
        )[0]
        said = _phones(phones)
        face = self._face(face, cancel)
        recording = load_audio(audio, progress=progress, cancel=cancel)
        identity = None if face is None else face.identity
        track = self._predictor.predict(
            recording, identity, options, phones=said, progress=progress, cancel=cancel
        )
        if options.rest_in_silence and said is None:
            changed = OPENING & options.changed().keys()
            gap = None if changed else self.face_model.lip_gap(track.coefficients, identity)
            sound = self._predictor.listen(recording, progress=progress, cancel=cancel)
            warn_without_voice(recording, sound, gap)
        return track

    @asks_often
    def predict_phones(
        self,
        audio: AudioSource,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> PhoneTrack:
        """Which speech sounds are said, and when, by the classes that lips tell apart.

        Args:
            audio: as for `sample_motions`.

        Returns:
            Phones from the first moment to the last, silence among them; edges lie on multiples of
            20 ms.

        Raises:
            AudioError: if the sound cannot be read.
            ModelError: if the lips hear mel windows, which tell no phones.

        Example:
            >>> said = sdk.predict_phones("speech.wav")
            >>> sdk.write_phones(said, "speech.TextGrid").name
            'speech.TextGrid'
        """
        return self._predictor.phones(audio, progress=progress, cancel=cancel)

    def expression_stream(
        self,
        *,
        face: SourceFace | PhotoSource | None = None,
        options: ExpressionOptions | None = None,
        **named: Any,
    ) -> ExpressionStream:
        """Predict expression from sound that is still going on.

            stream = osm.expression_stream()
            for samples in microphone:                # float, 16 kHz mono, pieces of any length
                coefficients = stream.feed(samples)   # (frames, 52), those that are ready
            coefficients = stream.finish()            # the rest

        However the sound is cut, the frames are the same; a frame is ready `stream.look_ahead`
        seconds (0.28; 0.2 with mel windows) after its time. `predict_expression` hears a recording
        in longer windows, from which lips differ by some per cent of their opening; with mel
        windows they are equal. Arguments are those of `predict_expression`.

        Example:
            >>> stream = sdk.expression_stream()
            >>> samples = sdk.load_audio("speech.wav").samples
            >>> ready = stream.feed(samples[:8000]), stream.feed(samples[8000:])
            >>> sum(map(len, ready)) + len(stream.finish())
            50
        """
        options = self._options("expression_stream", named, options=options or ExpressionOptions())[
            0
        ]
        face = self._face(face)
        return self._predictor.stream(None if face is None else face.identity, options)

    @asks_often
    def sample_takes(
        self,
        audio: AudioSource,
        *,
        n: int = 1,
        seed: int = 0,
        first: int = 0,
        face: SourceFace | PhotoSource | None = None,
        options: SampleOptions | None = None,
        expression_options: ExpressionOptions | None = None,
        follow: MotionTrack | Take | None = None,
        phones: PhoneTrack | PathLike | None = None,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
        **named: Any,
    ) -> list[Take]:
        """Sample whole performances: head motion, expression; blinks, gaze and brows with each.

        Arguments, errors and warnings are those of `sample_motions` and `predict_expression`.

        Args:
            face: the face that speaks, or its photo; its pose becomes the takes' rest pose.
            options: for motion, blinks, gaze and brows.
            expression_options: for expression; gains on brows, cheeks and single coefficients act
                on what is sampled, too.

        Example:
            >>> takes = sdk.sample_takes("speech.wav", n=2, seed=7)
            >>> takes[0].save("take.npz").name
            'take.npz'
        """
        from osmnet_sdk.expression.gestures import with_gestures

        check_sampling(n, seed, first)
        options, wanted = self._options(
            "sample_takes", named, options=options or SampleOptions(),
            expression_options=expression_options or ExpressionOptions(),
        )  # fmt: skip
        said = _phones(phones)
        face = self._face(face, cancel)
        calls: dict[str, Any] = {"progress": progress, "cancel": cancel}
        recording = load_audio(audio, **calls)
        numbers = range(first, first + n)
        motions = self._motions(recording, numbers, seed, options, follow, wanted, **calls)
        spoken = self.predict_expression(recording, face=face, options=wanted, phones=said, **calls)
        rest = np.zeros((2, 3), np.float32)
        if face is not None:
            rest = np.stack([face.fit.pose.angles, face.fit.pose.translation]).astype(np.float32)
        takes = []
        for index, motion in enumerate(motions, first):
            expression = with_gestures(
                spoken, motion, self._listen(recording, **calls),
                seed=seed, take=index, options=options, expression_options=wanted,
            )  # fmt: skip
            changed = {"motion": motion.provenance.options, "expression": wanted.changed()}
            if said is not None:
                changed["phones"] = spoken.provenance.options["phones"]
            made_by = self._sampled(recording, seed, index, changed)
            takes.append(Take(motion, expression, rest[0], rest[1], made_by))
        return takes

    @asks_often
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
        eyes: bool = True,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
        **named: Any,
    ) -> _Performance:
        """Sample a range of time of a take anew; outside the range not a bit changes.

        The head motion of the range becomes that of another take, into which the old one fades at
        the joins (C2). A take's blinks and gaze go with it, since eyes make up for the turns of the
        head; what is said, and with it brows and the rest of the expression, stays as it is. A take
        keeps the moods that its provenance names.

        Args:
            track: what is to be changed, a take or a motion track.
            audio: the whole sound, as for `sample_motions`.
            start: first time that may change, seconds.
            end: time from which on nothing changes, seconds.
            seed: of the new motion; None is one that is not yet in the track's provenance.
            take: number of the take in that seed, 0 or more.
            options: of the new motion; pins and calm ranges count within the range alone.
            follow: as for `sample_motions`.
            eyes: whether a take's blinks and gaze are sampled anew in the range, too; they and the
                lids are then those of the average face. False keeps eyes that were edited or
                tracked, which go on to make up for the old turns of the head.

        Returns:
            A new object of the type of `track`; its provenance lists all retakes.

        Raises:
            AudioError: if the sound cannot be read.
            InputError: if the range does not lie within the track, the sound is not as long as
                the track, or a number is out of range.

        Warns:
            OSMNetWarning: if the sound is as long, but not the one that the track was made from.

        Example:
            >>> take = sdk.sample_takes("speech.wav", seed=7)[0]
            >>> other = sdk.retake(take, "speech.wav", 0.4, 1.2)
            >>> changed = (other.motion.rotation != take.motion.rotation).any(axis=1)
            >>> bool(changed[11:29].all()), bool(changed[:10].any() or changed[31:].any())
            (True, False)
        """
        from osmnet_sdk.audio.same_sound import warn_of_other_sound
        from osmnet_sdk.expression.eye_range import retaken_eyes
        from osmnet_sdk.expression.moods import blinking, moods_of
        from osmnet_sdk.motion.edit.retake import check_same_length, frame_range, retaken_motion

        seed = unused_seed(track.provenance) if seed is None else seed
        check_sampling(1, seed, take)
        frames = frame_range(start, end, len(track), float(track.fps))
        options = self._options("retake", named, options=options or SampleOptions())[0]
        calls: dict[str, Any] = {"progress": progress, "cancel": cancel}
        recording = load_audio(audio, **calls)
        check_same_length(track, recording)
        warn_of_other_sound([track.provenance], recording)
        moods = moods_of(track.provenance.options)
        (new,) = self._motions(
            recording, range(take, take + 1), seed, options, follow, moods, **calls
        )
        old = track.motion if isinstance(track, Take) else track
        made_by = retaken_provenance(track.provenance, new.provenance, start, end, eyes)
        motion = replace(retaken_motion(old, new, *frames, options.pins), provenance=made_by)
        if isinstance(track, MotionTrack):
            return motion
        expression = track.expression
        if eyes:
            spoken = self._predictor.predict(recording, options=moods, **calls)
            speech = self._listen(recording, **calls).activity
            expression = retaken_eyes(
                expression, spoken, motion, *frames, options=options, seed=seed, take=take,
                speech=speech, pace=blinking(moods, recording.frames),
            )  # fmt: skip
        return replace(track, motion=motion, expression=expression, provenance=made_by)

    @asks_often
    def fit_face(
        self,
        photo: PhotoSource,
        *,
        face_index: int | None = None,
        cancel: CancelCallback | None = None,
    ) -> SourceFace:
        """Find and fit the face of a photo; reuse the result for any number of takes.

        A photo that lies on its side or stands on its head is turned upright. The person in the
        photo must have agreed.

        Args:
            photo: a path, a binary file object, or uint8 RGB (H, W, 3).
            face_index: which face, counted from the largest; None takes the largest.

        Raises:
            NoFaceError: if there is no face.
            PhotoError: if the photo cannot be read or used.

        Warns:
            OSMNetWarning: if the photo will not work well or was turned, or there are several
                faces; `SourceFace.warnings` has the same sentences.

        Example:
            >>> face = sdk.fit_face("portrait.png")
            >>> face.photo.shape
            (512, 512, 3)
        """
        from osmnet_sdk.face.source import fit_photo

        name = f"'{photo}'" if isinstance(photo, (str, os.PathLike)) else "the photo"
        picture = load_picture(photo)
        return fit_photo(
            picture.pixels, self._networks, self.face_model, alpha=picture.alpha,
            face_index=face_index, name=name,
        )  # fmt: skip

    @asks_often
    def track_video(
        self,
        path: PathLike,
        *,
        shot: int | None = None,
        face_index: int | None = None,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> Take:
        """The take of a real performance, resampled to 25 fps; its rest is its median pose.

        One shot is tracked, and one face in it.

        Args:
            path: a video file.
            shot: which shot, counted from 1; None takes the longest that shows a face.
            face_index: which face, counted from the largest where the shot begins; None takes the
                largest.

        Raises:
            InputError: if the video cannot be read, or there is no such shot.
            NoFaceError: if fewer than half of the frames show the face.

        Warns:
            OSMNetWarning: if there are several shots or faces and none was named, or the face is
                lost in some frames.

        Example:
            >>> face = sdk.fit_face("portrait.png")
            >>> take = sdk.sample_takes("speech.wav")[0].slice(0, 5)
            >>> film = sdk.render_video(face, take, "actor.mp4", renderer="warp")
            >>> len(sdk.track_video(film))
            5
        """
        from osmnet_sdk.face.footage import of_video, track_footage
        from osmnet_sdk.formats.video import read_frames, video_info

        if shot is not None and shot < 1:
            raise InputError(f"shot must be 1 or more, not {shot}; shots are counted from 1.")
        if face_index is not None and face_index < 0:
            raise InputError(f"face_index must be 0 or more, not {face_index}.")
        total = round(video_info(path).seconds * FPS)
        frames = (frame.image for frame in read_frames(path, fps=FPS))
        performance = track_footage(
            frames, self._networks, self.face_model, shot=shot, face_index=face_index,
            total=total, name=f"'{path}'", reporter=Reporter(progress, cancel),
        )  # fmt: skip
        return of_video(performance.take, Path(path), shot, face_index, performance.start)

    def lip_gap(self, expression: ArrayLike | ExpressionTrack) -> NDArray[np.float32]:
        """Distance of the inner lips over the mouth's width at rest, on the average face.

        Args:
            expression: a track, or coefficients (52,) or (T, 52).

        Returns:
            (T,) or () float32, 0 when the lips touch.

        Example:
            >>> import numpy as np
            >>> closed = np.zeros(52)
            >>> float(sdk.lip_gap(closed))
            0.0
        """
        values = expression.coefficients if isinstance(expression, ExpressionTrack) else expression
        return self.face_model.lip_gap(values)

    def motion_basis(self) -> list[BasisVector]:
        """What each vector of the bundle's motion basis does (paper section IV-E2).

        Returns:
            S vectors in the order of the basis, each with a name for its action, its decoded clip
            (T, 6) and its motion when it is held for one second, in degrees and metres at 25 fps,
            and its share of the attention over the training clips.

        Example:
            >>> vector = sdk.motion_basis()[0]
            >>> vector.label, vector.clip.shape[1]
            ('b01', 6)
        """
        from osmnet_sdk.motion.basis import basis_vectors

        sampler = self._sampler
        return basis_vectors(sampler.network, sampler.calibration, sampler.attention)

    @asks_often
    def render(
        self,
        face: SourceFace | PhotoSource,
        take: Take | MotionTrack,
        expression: ExpressionTrack | None = None,
        *,
        renderer: str = "auto",
        size: Size = "crop",
        label: bool = True,
        keep_rest: bool = True,
        frames: Sequence[int] | slice | int | None = None,
        alpha: bool = False,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> Iterator[NDArray[np.uint8]]:
        """Render frames one by one; nothing is drawn before the first is asked for.

        Args:
            face: from `fit_face`, or a photo.
            take: a take, or a motion track together with `expression`.
            expression: expression of a motion track.
            renderer: "warp" (the photo warped by the fitted head), "guided" (the warp finished by a
                network), "paper" (the paper's Video Generator), or "auto" for the bundle's default.
            size: "crop" (256 × 256 around the head), "photo" (the whole photo), (height, width)
                in pixels, or the side of a square.
            label: whether each frame says "AI-generated"; leave it on for what others will see.
            keep_rest: whether the photo's own brows, lids, gaze and half of its mouth's shape stay
                under the track's; lips part and meet as in the track all the same.
            frames: numbers of the frames to render, from 0, or a slice; each is what it would be
                among all others, of which "paper" looks at some before and after. None renders all.
            alpha: whether frames of a photo with transparent places have them, too: a fourth
                channel of straight alpha. Without it they lie on white.

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
        from osmnet_sdk.rendering.frames import checked_frames, checked_size, render_frames
        from osmnet_sdk.rendering.output import tracks_of

        motion, spoken = tracks_of(take, expression)
        size, frames = checked_size(size), checked_frames(frames, len(motion))
        chosen = self._renderer(renderer)
        return render_frames(
            self._face(face, cancel), motion, spoken, renderer=chosen, size=size, label=label,
            keep_rest=keep_rest, frames=frames, alpha=alpha, reporter=Reporter(progress, cancel),
        )  # fmt: skip

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
        face: SourceFace | PhotoSource,
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
        Arguments that are not named here, errors and warnings are those of `render`.

        Args:
            path: .mp4, .mov or .mkv; it appears only when the video is complete.
            audio: the sound.
            fps: frame rate of the video; None keeps that of the track.
            size: odd sizes grow by one line, since H.264 needs it.
            resume: whether a finished video of that name is kept if the same things made it, as
                the ledger osmnet-made.json beside it says; without, no ledger is written.

        Raises:
            OutputError: if the file cannot be written.

        Warns:
            OSMNetWarning: if the sound is not the one that the take was made from.

        Example:
            >>> face = sdk.fit_face("portrait.png")
            >>> take = sdk.sample_takes("speech.wav")[0].slice(0, 5)
            >>> sdk.render_video(face, take, "take.mp4", audio="speech.wav", size=(128, 128)).name
            'take.mp4'
        """
        from osmnet_sdk.audio.same_sound import warn_of_other_sound
        from osmnet_sdk.formats.video_writer import check_writable
        from osmnet_sdk.rendering.output import write_video

        target = Path(path)
        check_writable(target)
        calls: dict[str, Any] = {"progress": progress, "cancel": cancel}
        job, draw = self._job(
            face, take, expression, fps, calls,
            renderer=renderer, size=size, label=label, keep_rest=keep_rest,
        )  # fmt: skip
        if audio is not None:
            warn_of_other_sound((take.provenance, job.expression.provenance), audio, **calls)
        return write_video(job, draw, target, audio, resume, Reporter(**calls))

    @asks_often
    def render_images(
        self,
        face: SourceFace | PhotoSource,
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

        They have the alpha of a photo that is cut out. Arguments and errors are those of
        `render_video`, but for `resume`.

        A run that was stopped or killed is gone on with by the same call: frames that are there
        are kept if the same things made them, as the ledger osmnet-made.json beside them says.
        The files are the same, byte for byte, as those of an undisturbed run. With `resume=False`
        all frames are drawn anew and no ledger is written.

        Example:
            >>> face = sdk.fit_face("portrait.png")
            >>> take = sdk.sample_takes("speech.wav")[0].slice(0, 2)
            >>> sdk.render_images(face, take, "frames", size=(128, 128))  # frame_000000.png and on
            2
        """
        from osmnet_sdk.rendering.output import write_images

        calls: dict[str, Any] = {"progress": progress, "cancel": cancel}
        job, draw = self._job(
            face, take, expression, None, {**calls, "alpha": True},
            renderer=renderer, size=size, label=label, keep_rest=keep_rest,
        )  # fmt: skip
        return write_images(job, draw, Path(folder), resume, Reporter(**calls))

    def head_turn(
        self,
        face: SourceFace | PhotoSource | None = None,
        *,
        pitch: float = 0.0,
        yaw: float = 0.0,
        roll: float = 0.0,
        frontal: bool = False,
    ) -> HeadTurn:
        """Combine basis vectors into the motion that turns a head (paper section IV-E3).

        Args:
            face: from `fit_face`, or a photo; needed for `frontal`.
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
        from osmnet_sdk.motion.turning import turn_head, wanted_rotation

        if frontal and face is None:
            raise InputError("frontal needs a face: pass what fit_face returned.")
        face = self._face(face)
        rest = face.fit.pose.rotation if frontal and face is not None else None
        turn = turn_head(self._sampler.network, wanted_rotation((pitch, yaw, roll), rest))
        asked = {"pitch": pitch, "yaw": yaw, "roll": roll, "frontal": frontal}
        made_by = self._made_by(source="edited", options=asked)
        return replace(turn, motion=replace(turn.motion, provenance=made_by))

    def rotate(
        self,
        face: SourceFace | PhotoSource,
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

        Arguments, errors and warnings are those of `head_turn` and `render`.

        Returns:
            (height, width, 3) uint8 RGB.

        Example:
            >>> sdk.rotate(sdk.fit_face("portrait.png"), yaw=10).shape
            (256, 256, 3)
        """
        from osmnet_sdk.rendering.frames import checked_size

        size = checked_size(size)
        face = self._face(face)
        turn = self.head_turn(face, pitch=pitch, yaw=yaw, roll=roll, frontal=frontal)
        last = turn.motion.slice(len(turn.motion) - 1, len(turn.motion))
        own = ExpressionTrack(last.fps, face.fit.expression[None].astype(np.float32))
        [image] = self.render(
            face, last, own, renderer=renderer, size=size, label=label, keep_rest=False
        )
        return image

    @overload
    def _face(
        self, face: SourceFace | PhotoSource, cancel: CancelCallback | None = None
    ) -> SourceFace: ...
    @overload
    def _face(
        self, face: SourceFace | PhotoSource | None, cancel: CancelCallback | None = None
    ) -> SourceFace | None: ...
    def _face(
        self, face: SourceFace | PhotoSource | None, cancel: CancelCallback | None = None
    ) -> SourceFace | None:
        """The face that a call was given, or that of the photo or face file given instead."""
        from osmnet_sdk.face.source import SourceFace

        if face is None or isinstance(face, SourceFace):
            return face
        if isinstance(face, (str, os.PathLike)) and Path(face).suffix.lower() == ".npz":
            return SourceFace.load(face, self.face_model)
        return self.fit_face(face, cancel=cancel)

    def _options(self, call: str, named: dict[str, Any], **given: Options) -> list[Any]:
        """The options of a call together with single ones that were given by their names."""
        others = [name for name in signature(getattr(self, call)).parameters if name != "named"]
        return with_named(named, given, others)

    def _made_by(self, **values: Any) -> Provenance:
        return Provenance(
            sdk_version=__version__,
            bundle=self.bundle.name,
            bundle_sha256=self.bundle.sha256,
            **values,
        )

    def _sampled(self, audio: Audio, seed: int, take: int, options: dict[str, Any]) -> Provenance:
        return self._made_by(
            source="sampled", audio=audio.name, audio_sha256=audio.sha256, seed=seed, take=take,
            options=options,
        )  # fmt: skip

    def _job(
        self,
        face: SourceFace | PhotoSource,
        take: Take | MotionTrack,
        expression: ExpressionTrack | None,
        fps: Fraction | int | str | None,
        calls: dict[str, Any],
        **settings: Any,
    ) -> tuple[Job, Draw]:
        """What files of frames are made from, and what draws them, `render` being given `calls`."""
        from osmnet_sdk.rendering.frames import checked_size
        from osmnet_sdk.rendering.output import Job, frame_provenance, tracks_of

        settings["size"] = checked_size(settings["size"])
        motion, spoken = tracks_of(take, expression)
        face = self._face(face, calls["cancel"])
        if fps is not None:
            motion, spoken = motion.resample(fps), spoken.resample(fps)

        def draw(frames: Sequence[int] | None) -> Iterator[NDArray[np.uint8]]:
            return self.render(face, motion, spoken, **settings, frames=frames, **calls)

        made_by = frame_provenance(face, take)
        job = Job(face, motion, spoken, made_by, self.bundle, self.device, settings)
        return job, draw

    def _listen(
        self, recording: Audio, progress: ProgressCallback | None, cancel: CancelCallback | None
    ) -> SpeechAnalysis:
        """The analysis that all calls share; the lips' network tells where somebody speaks."""
        from osmnet_sdk.expression.predict import hears_speech

        if not hears_speech(self.bundle, self._audio_features):
            return recording.analysis
        return self._predictor.listen(recording, progress=progress, cancel=cancel)

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
            "predictor",
            lambda: ExpressionPredictor.from_bundle(self.bundle, self.device, self._audio_features),
        )

    def _renderer(self, name: str) -> Renderer:
        from osmnet_sdk.rendering.registry import load_renderer, renderer_name

        chosen = renderer_name(name, self.bundle)
        return self._part(
            f"renderer {chosen}", lambda: load_renderer(chosen, self.bundle, self.device)
        )


def _phones(given: PhoneTrack | PathLike | None) -> PhoneTrack | None:
    """The phones that a call was given, or those of the file given instead."""
    if given is None or isinstance(given, PhoneTrack):
        return given
    from osmnet_sdk.formats.phone_files import read_phones

    return read_phones(given)


@cache
def default_osmnet() -> OSMNet:
    """The one object behind the module's functions: device "auto", bundle "starter"."""
    return OSMNet()
