"""What is said decides the mouth: sound to expression, one to one and always the same."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.audio.analysis import SpeechAnalysis
from osmnet_sdk.audio.highpass import HighPass
from osmnet_sdk.audio.load import Audio, AudioSource, load_audio
from osmnet_sdk.core.bundle import Bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS, SAMPLES_PER_FRAME, AudioFeatures
from osmnet_sdk.core.phones import PhoneTrack
from osmnet_sdk.errors import InputError, ModelError, OSMNetWarning
from osmnet_sdk.expression.ears import Ear, Heard, MelEar, RecalledEar, SpeechEar
from osmnet_sdk.expression.stream import BLOCK, ExpressionStream
from osmnet_sdk.options import ExpressionOptions
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.tracks import ExpressionTrack, Provenance

if TYPE_CHECKING:
    import torch

    from osmnet_sdk.audio.speech_encoder import SpeechEncoder
    from osmnet_sdk.expression.network import ExpressionExtractor

FloatArray = NDArray[np.float32]

_DEFAULT_OPTIONS = ExpressionOptions()

_LEAST_SPEECH = 3
"""Frames (0.12 s); no syllable is shorter."""
_OPEN = 0.03
"""Lip gap from which the mouth is seen to open."""
_BEYOND = 25
"""Frames (1 s) that are heard of the silence after a recording, for those who smooth curves."""
_SELDOM = 0.02
"""Share of the frames with sound in which it opens at least if a voice is heard."""
_JUDGED = 25
"""Frames with sound (1 s) from which lips that keep shut tell music; a word may be an M."""
OPENING = {"intensity", "jaw", "lips", "gains", "offsets"}
"""Options that change how far the mouth opens."""


class ExpressionPredictor:
    """The Expression Feature Extractor, ready for recordings of any length.

    Args:
        network: a trained extractor.
        encoder: of speech; needed if the network hears its features.
        device: where they compute, as torch names it.
        bundle: where they come from, for the provenance of tracks.
    """

    def __init__(
        self,
        network: ExpressionExtractor,
        encoder: SpeechEncoder | None = None,
        *,
        device: str | torch.device = "cpu",
        bundle: Bundle | None = None,
    ) -> None:
        self._network = network.to(device).eval()
        self._encoder = None if encoder is None else encoder.to(device).eval()
        self._device = device
        self._bundle = bundle

    @classmethod
    def from_bundle(
        cls, bundle: Bundle, device: str = "auto", audio_features: AudioFeatures = "auto"
    ) -> ExpressionPredictor:
        """Load the extractor of a bundle, with the ear that it needs.

        Args:
            bundle: of weights.
            device: where to compute.
            audio_features: what the network hears, see `conventions.AUDIO_FEATURES`.

        Raises:
            ModelError: if the bundle has none, or its weights do not fit this version.
            DeviceError: if the device is not there.
        """
        from osmnet_sdk.core.devices import resolve_device
        from osmnet_sdk.expression.network import FORMATS

        features, encoder = audio_features, None
        if features == "auto":
            features = next(iter(_there(bundle)), "speech")
        network = FORMATS[features].load(bundle)
        if features == "speech":
            from osmnet_sdk.audio.speech_encoder import load_encoder

            encoder = load_encoder(bundle)
        return cls(network, encoder, device=resolve_device(device), bundle=bundle)

    def predict(
        self,
        audio: AudioSource,
        identity: ArrayLike | None = None,
        options: ExpressionOptions = _DEFAULT_OPTIONS,
        *,
        phones: PhoneTrack | None = None,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> ExpressionTrack:
        """Predict the expression of a voice.

        Networks that hear features of speech take no identity: it is left aside. They hear a
        recording once, whoever asks (`hear`). Memory beyond the samples, the track and what is kept
        of the recording, not more than the track, does not grow with its length.

        Args:
            audio: a path, a binary file object, (samples, rate) or a loaded `Audio`.
            identity: (up to K,) identity coefficients of the face that will speak; None is the
                mean head.
            options: strength, smoothing, lag and the like.
            phones: what is said, if it is known: it decides lips and jaw (`given_phones`).
            progress: called with ("Predicting expression", frames done, frames).
            cancel: asked between blocks of 30 s.

        Returns:
            A track at 25 fps with T = ceil(25 · seconds) frames; eyes, brows and blinks at rest
            unless the sound moves them (see `expression.blink`).

        Raises:
            AudioError: if the sound cannot be read.
            InputError: if `identity` is not at most K finite numbers.
            Cancelled: if `cancel` returns True.
        """
        recording = load_audio(audio, progress=progress, cancel=cancel)
        report = Reporter(progress, cancel)
        # A lag shifts the sound by parts of a frame, so that it is another one.
        if self._encoder is None or options.lag_ms:
            ear: Ear = self._ear(identity, whole=True)
        else:
            heard = self.hear(recording, progress=progress, cancel=cancel)
            ear = RecalledEar(heard, self._network.lip_gain.cpu().numpy())
        if phones is not None:
            ear = self._saying(phones, recording, ear, options)
        stream = ExpressionStream(ear, options)
        result = np.empty((recording.frames, len(ARKIT_NAMES)), np.float32)
        done = 0
        for samples in _blocks(
            recording.samples, recording.frames, report, "Predicting expression"
        ):
            ready = stream.feed(samples)
            result[done : done + len(ready)] = ready
            done += len(ready)
        result[done:] = stream.finish()
        report.step("Predicting expression", recording.frames, recording.frames)
        return ExpressionTrack(FPS, result, provenance=self._provenance(recording, options, phones))

    def stream(
        self, identity: ArrayLike | None = None, options: ExpressionOptions = _DEFAULT_OPTIONS
    ) -> ExpressionStream:
        """A stream that predicts a voice as it is heard.

        Args:
            identity: as for `predict`.
            options: as for `predict`.

        Raises:
            InputError: if `identity` is not at most K finite numbers.
        """
        return ExpressionStream(self._ear(identity, whole=False), options)

    def hear(
        self,
        recording: Audio,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> Heard:
        """What a network that hears speech makes of a recording, and of a second of silence after.

        It is worked out once and kept with the recording: lips, phones and activity share it.

        Args:
            recording: that is heard.
            progress: called with ("Listening", frames done, frames).
            cancel: asked between blocks of 30 s.

        Raises:
            ModelError: if the network hears mel windows, which tell no phones.
            Cancelled: if `cancel` returns True.
        """
        return self._listened(recording, progress, cancel)[0]

    def listen(
        self,
        recording: Audio,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> SpeechAnalysis:
        """The analysis of a recording, told where somebody speaks if the network hears speech.

        Args:
            recording: as for `hear`, as are progress and cancel.
            progress: see there.
            cancel: see there.

        Raises:
            Cancelled: if `cancel` returns True.
        """
        if self._encoder is None:
            return recording.analysis
        return self._listened(recording, progress, cancel)[1]

    def _listened(
        self, recording: Audio, progress: ProgressCallback | None, cancel: CancelCallback | None
    ) -> tuple[Heard, SpeechAnalysis]:
        if self._encoder is None:
            raise ModelError("Phones need features of speech; leave audio_features at 'speech'.")
        sound = recording.analysis

        def listened() -> tuple[Heard, SpeechAnalysis]:
            report, ear = Reporter(progress, cancel), self._ear(None, whole=True)
            high_pass, parts = HighPass(), []
            for block in _blocks(recording.samples, recording.frames, report, "Listening"):
                whole = np.pad(high_pass.push(block), (0, -len(block) % SAMPLES_PER_FRAME))
                parts.append(ear.push(whole))
            parts.append(ear.finish(recording.frames + _BEYOND))
            report.step("Listening", recording.frames, recording.frames)
            heard = Heard.joined(parts)
            return heard, sound.told(heard.spoken[: recording.frames])

        return sound.shared(self, listened)

    def phones(
        self,
        audio: AudioSource,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> PhoneTrack:
        """Which phones are said, and when; errors are those of `hear` and of `load_audio`."""
        from osmnet_sdk.expression.network import PER_FRAME
        from osmnet_sdk.expression.phone_track import decoded

        recording = load_audio(audio, progress=progress, cancel=cancel)
        heard = self.hear(recording, progress=progress, cancel=cancel)
        steps = slice(PER_FRAME * recording.frames)
        found, voice = heard.phones[steps], heard.voice[steps]
        return decoded(found, voice, recording.seconds, self._provenance(recording))

    def _ear(self, identity: ArrayLike | None, *, whole: bool) -> Ear:
        if self._encoder is None:
            return MelEar(self._network, self._identity(identity), self._device)
        from osmnet_sdk.audio.speech_features import STREAM, WHOLE

        windows = WHOLE if whole else STREAM
        return SpeechEar(self._network, self._encoder, windows, self._device)

    def _saying(
        self, phones: PhoneTrack, recording: Audio, ear: Ear, options: ExpressionOptions
    ) -> Ear:
        """An ear whose lips say phones, on the mean head of the bundle."""
        from osmnet_sdk.core.bundle import find_bundle
        from osmnet_sdk.expression.given_phones import GivenLips, lips_of, warn_of_other_phones
        from osmnet_sdk.expression.lips import LipGeometry
        from osmnet_sdk.face.model import load_face_model

        warn_of_other_phones(phones, recording)
        geometry = LipGeometry.from_model(load_face_model(self._bundle or find_bundle()))
        return GivenLips(ear, lips_of(phones, recording, geometry, delay=options.lag_ms / 1000))

    def _identity(self, identity: ArrayLike | None) -> FloatArray:
        count = self._network.config.identity
        alpha = np.zeros(count, np.float32)
        if identity is not None:
            given = np.asarray(identity, np.float32)
            if given.ndim != 1 or len(given) > count or not np.isfinite(given).all():
                raise InputError(
                    f"identity must be at most {count} finite numbers, not of shape {given.shape}."
                )
            alpha[: len(given)] = given
        return alpha

    def _provenance(
        self,
        recording: Audio,
        options: ExpressionOptions | None = None,
        phones: PhoneTrack | None = None,
    ) -> Provenance:
        from osmnet_sdk.expression.given_phones import phones_record

        changed = {} if options is None else options.changed()
        if phones is not None:
            changed["phones"] = phones_record(phones)
        return Provenance(
            source="predicted",
            bundle=self._bundle.name if self._bundle else None,
            bundle_sha256=self._bundle.sha256 if self._bundle else None,
            audio=recording.name,
            audio_sha256=recording.sha256,
            options=changed,
        )


def _there(bundle: Bundle) -> list[AudioFeatures]:
    """What the networks of a bundle hear, the best first."""
    from osmnet_sdk.expression.network import FORMATS

    return [name for name in FORMATS if FORMATS[name].file in bundle.manifest.files]


def hears_speech(bundle: Bundle, audio_features: AudioFeatures) -> bool:
    """Whether the lips of a bundle hear features of speech, if it has weights for them."""
    there = _there(bundle)
    chosen = there[:1] if audio_features == "auto" else [audio_features]
    return chosen == ["speech"] and "speech" in there


def _blocks(samples: FloatArray, frames: int, report: Reporter, stage: str) -> Iterator[FloatArray]:
    """The samples of so many frames, `BLOCK` frames at a time."""
    for start in range(0, frames, BLOCK):
        report.step(stage, start, frames)
        yield samples[start * SAMPLES_PER_FRAME :][: BLOCK * SAMPLES_PER_FRAME]


def warn_without_voice(
    recording: Audio, sound: SpeechAnalysis, gap: NDArray[np.float32] | None
) -> None:
    """Warn of sound without speech, or of one to which the lips keep shut, as they do to music.

    Args:
        recording: what was heard.
        sound: its analysis, as `ExpressionPredictor.listen` gives it.
        gap: (T,) lip gap as it was predicted; None if options changed it.
    """
    spoken = np.count_nonzero(sound.activity > 0.5)
    sounding = np.count_nonzero(sound.sounding > 0.5)
    name = "the array" if recording.name == Audio.name else f"'{recording.name}'"
    opened = 0 if gap is None else np.count_nonzero(gap > _OPEN)
    shut = gap is not None and opened < max(_LEAST_SPEECH, _SELDOM * sounding)
    if sounding >= _JUDGED and (shut or (sound.voice is not None and spoken < _LEAST_SPEECH)):
        found = f"No voice was found in {name}, only music or noise, so the mouth hardly moves"
    elif spoken < _LEAST_SPEECH and opened < _LEAST_SPEECH:
        found = f"No speech was found in {name}, so the mouth hardly moves"
    else:
        return
    tracks = recording.origin.tracks
    named = f" or name another of its {tracks} sound tracks" if tracks > 1 else ""
    warnings.warn(
        f"{found}; use a recording in which somebody speaks{named}.", OSMNetWarning, stacklevel=4
    )
