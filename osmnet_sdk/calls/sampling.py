"""Calls of `OSMNet` that make tracks and takes from a voice."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.activity import speech_energy, voice_activity
from osmnet_sdk.audio.load import Audio, AudioSource, load_audio
from osmnet_sdk.calls.models import Models
from osmnet_sdk.errors import OSMNetWarning
from osmnet_sdk.options import ExpressionOptions, SampleOptions, check_sampling
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter, asks_often
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take
from osmnet_sdk.version import __version__

if TYPE_CHECKING:
    from osmnet_sdk.expression.stream import ExpressionStream
    from osmnet_sdk.face.source import SourceFace
    from osmnet_sdk.motion.basis import BasisVector

_Performance = TypeVar("_Performance", MotionTrack, Take)

_LEAST_SPEECH = 3
"""Frames (0.12 s); no syllable is shorter."""
_OPEN = 0.03
"""Lip gap from which the mouth is seen to open."""
_SELDOM = 0.02
"""Share of the frames with sound in which it opens at least if a voice is heard."""
_JUDGED = 25
"""Frames with sound (1 s) from which lips that keep shut tell music; a word may be an M."""
_OPENING = {"intensity", "jaw", "lips", "gains", "offsets"}
"""Options that change how far the mouth opens."""


class SamplingCalls(Models):
    """Sampling head motion, predicting expression, both together as takes."""

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

        Example:
            >>> first, second = sdk.sample_motions("speech.wav", n=2, seed=7)
            >>> first.rotation.shape  # 2 s of sound: 50 frames of pitch, yaw and roll
            (50, 3)
            >>> first == second
            False
        """
        check_sampling(n, seed, first)
        options = options or SampleOptions()
        report = Reporter(progress, cancel)
        recording = load_audio(audio, progress=progress, cancel=cancel)
        self.check_options(recording, options)
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
            options: strength, smoothing, lag and the like.
            progress: called with (stage, done, total).
            cancel: asked between steps.

        Returns:
            A track at 25 fps of T = ceil(25 · seconds) frames.

        Raises:
            AudioError: if the sound cannot be read.

        Warns:
            OSMNetWarning: if nobody speaks in the sound, unless options leave silence to the
                network.

        Example:
            >>> expression = sdk.predict_expression("speech.wav")
            >>> bool(expression.column("jawOpen").max() > 0.1)
            True
        """
        options = options or ExpressionOptions()
        recording = load_audio(audio, progress=progress, cancel=cancel)
        identity = None if face is None else face.identity
        track = self._predictor.predict(
            recording, identity, options, progress=progress, cancel=cancel
        )
        if options.rest_in_silence:
            opened = (
                None
                if _OPENING & options.changed().keys()
                else self.face_model.lip_gap(track.coefficients, identity)
            )
            _warn_without_voice(recording, opened)
        return track

    def expression_stream(
        self, *, face: SourceFace | None = None, options: ExpressionOptions | None = None
    ) -> ExpressionStream:
        """Predict expression from sound that is still going on.

            stream = osm.expression_stream()
            for samples in microphone:                # float, 16 kHz mono, pieces of any length
                coefficients = stream.feed(samples)   # (frames, 52), those that are ready
            coefficients = stream.finish()            # the rest

        The frames are those of `predict_expression`, however the sound is cut; a frame is ready
        `stream.look_ahead` seconds (0.2) after its time.

        Args:
            face: the face that speaks; None is the average head.
            options: strength, smoothing, lag and the like.

        Example:
            >>> stream = sdk.expression_stream()
            >>> samples = sdk.load_audio("speech.wav").samples
            >>> ready = stream.feed(samples[:8000]), stream.feed(samples[8000:])
            >>> sum(map(len, ready)) + len(stream.finish())
            50
        """
        identity = None if face is None else face.identity
        return self._predictor.stream(identity, options or ExpressionOptions())

    @asks_often
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
        """Sample whole performances: head motion, expression; blinks, gaze and brows with each.

        Args:
            audio: as for `sample_motions`.
            n: number of takes, 1 to 1000.
            seed: 0 or more.
            first: as for `sample_motions`.
            face: the face that speaks; its pose becomes the takes' rest pose.
            options: for motion, blinks, gaze and brows.
            expression_options: for expression; gains on brows, cheeks and single coefficients act
                on what is sampled, too.
            follow: as for `sample_motions`.
            progress: called with (stage, done, total).
            cancel: asked between steps.

        Raises:
            AudioError: if the sound cannot be read.
            InputError: if n, seed or first is out of range, or options do not fit the sound.

        Warns:
            OSMNetWarning: as `predict_expression`.

        Example:
            >>> takes = sdk.sample_takes("speech.wav", n=2, seed=7)
            >>> takes[0].save("take.npz").name
            'take.npz'
        """
        from osmnet_sdk.expression.adjusting import group_gains, single_gains
        from osmnet_sdk.expression.blink import combine, sample_eyes
        from osmnet_sdk.expression.brows import sample_brows

        options = options or SampleOptions()
        wanted = expression_options or ExpressionOptions()
        recording = load_audio(audio, progress=progress, cancel=cancel)
        calls: dict[str, Any] = {"progress": progress, "cancel": cancel}
        motions = self.sample_motions(
            recording, n=n, seed=seed, first=first, options=options, follow=follow, **calls
        )
        spoken = self.predict_expression(recording, face=face, options=wanted, **calls)
        level, speech = speech_energy(recording.heard), voice_activity(recording.heard)
        gains = group_gains(wanted) * single_gains(wanted)
        rest = np.zeros((2, 3))
        if face is not None:
            rest = np.stack([face.fit.pose.angles, face.fit.pose.translation])
        takes = []
        for index, motion in enumerate(motions, first):
            eyes = sample_eyes(
                len(motion), seed=seed, take=index, options=options, speech=speech, motion=motion
            )
            brows = sample_brows(level, speech, seed=seed, take=index, options=options)
            changed = {"motion": motion.provenance.options, "expression": wanted.changed()}
            takes.append(
                Take(
                    motion,
                    combine(spoken, gains * (eyes + brows)),
                    rest[0].astype(np.float32),
                    rest[1].astype(np.float32),
                    self._provenance(recording, seed, index, changed),
                )
            )
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
    ) -> _Performance:
        """Sample a range of time of a take anew; outside the range not a bit changes.

        The head motion of the range becomes that of another take, into which the old one fades at
        the joins (C2). A take's blinks and gaze go with it, since eyes make up for the turns of the
        head; what is said, and with it brows and the rest of the expression, stays as it is.

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
            progress: called with (stage, done, total).
            cancel: asked between steps.

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
        from osmnet_sdk.calls.retake import (
            check_same_length,
            retaken_eyes,
            retaken_motion,
            retaken_provenance,
            unused_seed,
        )
        from osmnet_sdk.calls.same_sound import warn_of_other_sound
        from osmnet_sdk.motion.edit.retake import frame_range

        seed = unused_seed(track.provenance) if seed is None else seed
        check_sampling(1, seed, take)
        frame_range(start, end, len(track), float(track.fps))
        options = options or SampleOptions()
        calls: dict[str, Any] = {"progress": progress, "cancel": cancel}
        recording = load_audio(audio, **calls)
        check_same_length(track, recording)
        warn_of_other_sound([track.provenance], recording)
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
            spoken = self._predictor.predict(recording, **calls)
            expression = retaken_eyes(
                expression, spoken, joined, start, end,
                options=options, seed=seed, take=take, speech=voice_activity(recording.heard),
            )  # fmt: skip
        return replace(track, motion=joined, expression=expression, provenance=origin)

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


def _warn_without_voice(recording: Audio, gap: NDArray[np.float32] | None) -> None:
    """Warn of sound without speech, or of one to which the lips keep shut, as they do to music.

    Args:
        recording: what was heard.
        gap: (T,) lip gap as it was predicted; None if options changed it.
    """
    active = voice_activity(recording.heard) > 0.5
    name = "the array" if recording.name == Audio.name else f"'{recording.name}'"
    opened = gap is not None and np.count_nonzero(gap > _OPEN) >= _LEAST_SPEECH
    if np.count_nonzero(active) < _LEAST_SPEECH and not opened:
        found = f"No speech was found in {name}, so the mouth hardly moves"
    elif (
        gap is not None
        and np.count_nonzero(active) >= _JUDGED
        and np.count_nonzero(gap > _OPEN) < max(_LEAST_SPEECH, _SELDOM * np.count_nonzero(active))
    ):
        found = f"No voice was found in {name}, only music or noise, so the mouth hardly moves"
    else:
        return
    tracks = recording.origin.tracks
    named = f" or name another of its {tracks} sound tracks" if tracks > 1 else ""
    warnings.warn(
        f"{found}; use a recording in which somebody speaks{named}.", OSMNetWarning, stacklevel=3
    )


def _followed(reference: MotionTrack | None) -> dict[str, Any]:
    from osmnet_sdk.motion.edit.follow import reference_record

    return {} if reference is None else {"follow": reference_record(reference)}
