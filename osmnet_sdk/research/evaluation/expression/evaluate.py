"""osmnet evaluate expression: lips that are predicted for voices, figure by figure.

Measured are recordings with phone labels, the same ones made worse, sounds that are no voice,
synthesised languages with the synthesiser's timings, and real clips with tracked lips.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.audio.speech_encoder import SpeechEncoder, load_encoder
from osmnet_sdk.client import OSMNet
from osmnet_sdk.core.conventions import FPS, SAMPLE_RATE, AudioFeatures
from osmnet_sdk.errors import InputError, ModelError
from osmnet_sdk.expression.network import ExpressionExtractor
from osmnet_sdk.expression.predict import ExpressionPredictor
from osmnet_sdk.face.networks import load_face_networks
from osmnet_sdk.formats.video import SUFFIXES, read_frames
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.research.data.clips import LISTING, TrainingClip, read_clips
from osmnet_sdk.research.evaluation.expression.brow_rows import brow_rows
from osmnet_sdk.research.evaluation.expression.degraded_speech import (
    faster,
    softer,
    through_telephone,
    with_babble,
)
from osmnet_sdk.research.evaluation.expression.folds import (
    ExpressionFolds,
    fold_networks,
    folded_recipe,
)
from osmnet_sdk.research.evaluation.expression.hour import hour_figures, hour_rows
from osmnet_sdk.research.evaluation.expression.lip_rows import (
    degraded_row,
    language_row,
    phone_rows,
)
from osmnet_sdk.research.evaluation.expression.lips import (
    CLOSED_SHARE,
    LabelledPhone,
    LipSamples,
    lip_samples,
    load_phones,
)
from osmnet_sdk.research.evaluation.expression.mouth_distance import (
    MAX_FRAMES,
    MouthDistance,
    distance_row,
    mouth_distance,
)
from osmnet_sdk.research.evaluation.expression.phone_rows import heard_phones, heard_rows
from osmnet_sdk.research.evaluation.expression.sound_rows import still_rows, voiced_rows
from osmnet_sdk.research.evaluation.expression.spoken_languages import languages, spoken
from osmnet_sdk.research.evaluation.expression.tracked_lips import (
    TrackedClip,
    measurable,
    tracked_clip,
    tracked_rows,
)
from osmnet_sdk.research.evaluation.table import Figure

Samples = NDArray[np.float32]

_BABBLE = 10.0
_SOFTER = 40.0
_FASTER = 2.0


@dataclass(frozen=True)
class MissedPhone:
    """A P, B or M in which the lips did not close.

    Attributes:
        recording: its name.
        symbol: of the phone.
        start: where it begins, seconds.
        end: where it ends, seconds.
        gap: lowest lip gap within 40 ms, over the recording's 95th percentile.
    """

    recording: str
    symbol: str
    start: float
    end: float
    gap: float


@dataclass(frozen=True)
class ExpressionReport:
    """What `evaluate_expression` found.

    Attributes:
        figures: all rows.
        model: which weights were measured.
        recordings: number of recordings with phone labels.
        missed: P, B, M of these in which the lips did not close.
        clips: predicted against tracked lips, clip by clip.
        pictures: distances from the lips seen in the pictures, clip by clip.
        left_out: what was not measured and why, a sentence each.
    """

    figures: list[Figure]
    model: str
    recordings: int
    missed: list[MissedPhone]
    clips: list[TrackedClip]
    pictures: list[MouthDistance]
    left_out: list[str]

    def summary(self) -> str:
        """What was measured, in a few sentences."""
        met = sum(row.passed is True for row in self.figures)
        missed = sum(row.passed is False for row in self.figures)
        said = (
            f"{self.model}: {self.recordings} recordings with phone labels, {len(self.clips)} "
            "tracked clips. Intervals are bootstraps over speakers; each labelled recording counts "
            f"as one. {met} figures as asked, {missed} not."
        )
        return " ".join([said, *self.left_out])


@dataclass(frozen=True, eq=False)
class _Recording:
    """A voice with phone labels."""

    name: str
    samples: Samples
    phones: list[LabelledPhone]


class _Lips:
    """Predicts and reads lips on the average head."""

    def __init__(self, osm: OSMNet, audio_features: AudioFeatures) -> None:
        self.osm = osm
        self._ear = ExpressionPredictor.from_bundle(osm.bundle, osm.device, audio_features)
        self.encoder: SpeechEncoder | None = None
        """That the networks for unseen speakers hear with."""
        self.unseen: dict[str, ExpressionExtractor] = {}
        self.model = osm.face_model

    def predict(self, samples: Samples) -> NDArray[np.float32]:
        return self.osm.predict_expression((samples, SAMPLE_RATE)).coefficients

    def predict_of(self, speaker: str, samples: Samples) -> NDArray[np.float32]:
        """Of a real speaker: with the network that never saw this one, where there is one."""
        if speaker not in self.unseen:
            return self.predict(samples)
        predictor = ExpressionPredictor(self.unseen[speaker], self.encoder, device=self.osm.device)
        return predictor.predict((samples, SAMPLE_RATE)).coefficients

    def told(self, samples: Samples) -> NDArray[np.bool_]:
        """In which frames a voice is told."""
        return self._ear.listen(load_audio((samples, SAMPLE_RATE))).activity > 0.5

    def gap(self, samples: Samples) -> NDArray[np.float32]:
        return self.model.lip_gap(self.predict(samples))

    def read(self, samples: Samples, phones: Sequence[LabelledPhone]) -> LipSamples:
        track = self.predict(samples)
        return lip_samples(self.model.lip_gap(track), phones, coefficients=track)


def evaluate_expression(
    folders: Sequence[str | os.PathLike[str]],
    *,
    device: str = "auto",
    bundle: str = "starter",
    audio_features: AudioFeatures = "auto",
    videos: str | os.PathLike[str] | None = None,
    speakers: Sequence[str] = (),
    folds: ExpressionFolds | None = None,
    hour: bool = False,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> ExpressionReport:
    """Measure predicted lips in all ways that the folders allow.

    Args:
        folders: each holds recordings NAME.wav with phone labels NAME.json (`load_phones`), or
            takes with their sound (`read_clips`), or both.
        device: where to predict.
        bundle: name or folder of the weights.
        audio_features: what the bundle's network hears, as for `OSMNet`.
        videos: folder with the videos NAME of the takes, for distances from what they show.
        speakers: of the takes to be measured, such as those left out of training; empty for all.
        folds: measure the lips of real speakers with networks that never saw them, instead of
            the bundle's.
        hour: whether to time a minute and an hour as well.
        progress: called with (stage, done, total).
        cancel: asked between steps.

    Raises:
        InputError: if a folder holds neither, or a speaker or video is not there.
        ModelError: if the bundle is missing or damaged.
        Cancelled: if `cancel` returns True.
    """
    recordings, takes = _found(folders, progress, cancel)
    clips = measurable(_of(takes, speakers))
    voices = [r.samples for r in recordings] + [c.samples for c in clips if c.samples is not None]
    if not voices:
        raise InputError("No clip has sound of 2 s or more; give clips that have.")
    report = Reporter(progress, cancel)
    lips = _Lips(OSMNet(device, bundle, audio_features), audio_features)
    if folds is not None:
        recipe = folded_recipe(folds)
        if recipe.config.features == "speech":
            lips.encoder = load_encoder(lips.osm.bundle)
        lips.unseen = fold_networks(
            takes, folds, recipe, lips.model, lips.encoder, progress=progress, cancel=cancel
        )
    rows: list[Figure] = []
    left_out: list[str] = []
    missed: list[MissedPhone] = []
    found: list[LipSamples] = []
    if recordings:
        found = [lips.read(recording.samples, recording.phones) for recording in recordings]
        missed = _missed(recordings, found)
        rows += phone_rows([[one] for one in found])
        rows += _degraded(lips, recordings, voices, left_out)
        rows += _heard(lips, recordings, left_out, report)
    rows += still_rows(lips, voices)
    spoken_by = [recording.samples for recording in recordings] or voices
    rows += voiced_rows(lips, spoken_by, found)
    rows += _spoken(lips, left_out, report)
    compared = []
    for index, clip in enumerate(clips):
        compared.append(tracked_clip(clip, partial(lips.predict_of, clip.speaker), lips.model))
        report.step("tracked clips", index + 1, len(clips))
    rows += [*tracked_rows(compared), *brow_rows(clips, lips.model)] if compared else []
    pictures = [] if videos is None else _pictures(lips, clips, Path(videos), report)
    rows += [distance_row(pictures)] if pictures else []
    if hour:
        rows += hour_rows(hour_figures(lips.osm.bundle.folder, voices))
    return ExpressionReport(
        rows, f"bundle '{lips.osm.bundle.name}'", len(recordings), missed, compared, pictures,
        left_out,
    )  # fmt: skip


def _found(
    folders: Sequence[str | os.PathLike[str]],
    progress: ProgressCallback | None,
    cancel: CancelCallback | None,
) -> tuple[list[_Recording], list[TrainingClip]]:
    recordings: list[_Recording] = []
    clips: list[TrainingClip] = []
    for folder in map(Path, folders):
        labels = [p for p in sorted(folder.glob("*.json")) if p.with_suffix(".wav").is_file()]
        listed = (folder / LISTING).is_file()
        if not labels and not listed:
            raise InputError(
                f"'{folder}' has neither a NAME.wav with phone labels NAME.json beside it nor "
                f"takes with a {LISTING}."
            )
        for path in labels:
            sound = load_audio(path.with_suffix(".wav"), progress=progress, cancel=cancel)
            recordings.append(_Recording(path.stem, sound.samples, load_phones(path)))
        if listed:
            clips += read_clips(folder, progress=progress, cancel=cancel)
    return recordings, clips


def _of(clips: list[TrainingClip], speakers: Sequence[str]) -> list[TrainingClip]:
    there = {clip.speaker for clip in clips}
    unknown = [name for name in speakers if name not in there]
    if unknown:
        raise InputError(f"No take is of a speaker '{unknown[0]}'.")
    return [clip for clip in clips if clip.speaker in speakers] if speakers else clips


def _missed(recordings: Sequence[_Recording], found: Sequence[LipSamples]) -> list[MissedPhone]:
    return [
        MissedPhone(recording.name, phone.symbol, phone.start, phone.end, float(gap))
        for recording, lips in zip(recordings, found, strict=True)
        for phone, gap in zip(lips.bilabials, lips.closure, strict=True)
        if gap >= CLOSED_SHARE
    ]


def _degraded(
    lips: _Lips,
    recordings: Sequence[_Recording],
    voices: Sequence[Samples],
    left_out: list[str],
) -> list[Figure]:
    """Closure in the labelled recordings as poor lines and fast talkers make them."""

    def row(name: str, sounds: Sequence[Samples], rate: float = 1.0) -> Figure:
        found = []
        for recording, sound in zip(recordings, sounds, strict=True):
            phones = [
                LabelledPhone(p.symbol, p.start / rate, p.end / rate) for p in recording.phones
            ]
            found.append([lips.read(sound, phones)])
        return degraded_row(name, found)

    spoken_by = [recording.samples for recording in recordings]
    rows = []
    if len(voices) > 1:
        babble = [
            with_babble(sound, [other for other in voices if other is not sound], _BABBLE, seed)
            for seed, sound in enumerate(spoken_by)
        ]
        rows.append(row(f"babble at {_BABBLE:g} dB", babble))
    else:
        left_out.append("Babble was left out: it is made of other voices, and there is one only.")
    rows.append(row("telephone band", [through_telephone(sound) for sound in spoken_by]))
    rows.append(row(f"{_SOFTER:g} dB softer", [softer(sound, _SOFTER) for sound in spoken_by]))
    fast = [faster(sound, _FASTER) for sound in spoken_by]
    rows.append(row("twice as fast", fast, _FASTER))
    return rows


def _heard(
    lips: _Lips, recordings: Sequence[_Recording], left_out: list[str], report: Reporter
) -> list[Figure]:
    """Phones that are heard, against the labels."""
    found = []
    for index, recording in enumerate(recordings):
        try:
            track = lips.osm.predict_phones((recording.samples, SAMPLE_RATE))
        except ModelError as error:
            left_out.append(f"Phones were left out: {error}")
            return []
        found.append(heard_phones(track, recording.phones))
        report.step("phones", index + 1, len(recordings))
    return heard_rows(found)


def _spoken(lips: _Lips, left_out: list[str], report: Reporter) -> list[Figure]:
    """Closure in synthesised languages, where the synthesiser is there."""
    rows = []
    for index, language in enumerate(languages()):
        try:
            said = spoken(language)
        except ModelError as error:
            left_out.append(f"{language} was left out: {error}")
            continue
        found = [[lips.read(utterance.samples, phones)] for utterance, phones in said]
        rows.append(language_row(language, found))
        report.step("languages", index + 1, len(languages()))
    return rows


def _pictures(
    lips: _Lips, clips: Sequence[TrainingClip], folder: Path, report: Reporter
) -> list[MouthDistance]:
    """Distances from what the videos of the clips show."""
    videos = {path.stem: path for path in sorted(folder.glob("*")) if path.suffix in SUFFIXES}
    networks = load_face_networks(lips.osm.bundle, lips.osm.device)
    result = []
    for clip in clips:
        if clip.samples is None or clip.name not in videos:
            raise InputError(f"There is no video '{clip.name}' in '{folder}'.")
        frames = islice(read_frames(videos[clip.name], fps=FPS), MAX_FRAMES)
        result.append(
            mouth_distance(
                clip.name, clip.speaker, (frame.image for frame in frames),
                lips.predict_of(clip.speaker, clip.samples), networks, lips.model, reporter=report,
            )
        )  # fmt: skip
    return result
