"""osmnet evaluate motion: takes against what real speakers do, on speakers not trained on.

Sampled takes for the voices of real clips pass the same smoothing as the real poses and are cut
into the same windows. Every speaker counts alike: a figure is first the median over the speaker's
windows, then that over speakers, with a bootstrap interval over them. The first second is left
out on both sides, since a take sets out from rest and a clip begins anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.activity import speech_energy, voice_activity
from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.features import MotionFeatures
from osmnet_sdk.motion.sampler import WEIGHTS, MotionSampler
from osmnet_sdk.motion.shaping import smooth
from osmnet_sdk.options import SampleOptions
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.research.data import motion_statistics as statistics
from osmnet_sdk.research.data.clips import TrainingClip, read_clips
from osmnet_sdk.research.evaluation.motion.controls import (
    CONTROLS,
    UNTRAINED,
    WHOLE,
    ControlRow,
    control_row,
    controlled,
)
from osmnet_sdk.research.evaluation.motion.folds import fold_weights, load_sampler, speaker_folds
from osmnet_sdk.research.evaluation.motion.hour import hour_figures
from osmnet_sdk.research.evaluation.motion.rows import SETTLED, figures, hour_rows
from osmnet_sdk.research.evaluation.table import (
    ComparedClip,
    Figure,
)
from osmnet_sdk.research.trainers.motion.data import clean_poses
from osmnet_sdk.research.trainers.motion.recipe import MotionRecipe
from osmnet_sdk.tracks import MotionTrack

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MotionReport:
    """What `evaluate_motion` found.

    Attributes:
        figures: all rows.
        own: the same of the training clips' speakers alone, where there are others; else empty.
        controls: takes with a part left out; empty if not asked for.
        model: which weights were measured.
        unseen: whether they never saw the speakers they were measured on.
        folds: speakers that were measured together; empty for a given bundle.
        clips: number of clips measured.
        speakers: number of their speakers.
        minutes: of real motion measured.
        takes: of each clip, over all seeds.
    """

    figures: list[Figure]
    own: list[Figure]
    controls: list[ControlRow]
    model: str
    unseen: bool
    folds: list[tuple[str, ...]]
    clips: int
    speakers: int
    minutes: float
    takes: int

    def summary(self) -> str:
        """What was measured, in a few sentences."""
        missed = sum(not row.passed for row in self.figures)
        known = (
            "the speakers were left out of training"
            if self.unseen
            else "THE MODEL MAY HAVE SEEN THESE SPEAKERS"
        )
        return (
            f"{self.model}: {known}. {self.clips} clips of {self.speakers} speakers, "
            f"{self.minutes:.1f} min, {self.takes} takes of each; windows of 4 s. Intervals are "
            f"bootstraps over speakers. {len(self.figures) - missed} figures as asked, {missed} "
            "not."
        )


def evaluate_motion(
    folder: str | os.PathLike[str],
    recipe: MotionRecipe,
    *,
    statistics_folder: str | os.PathLike[str] | None = None,
    controls: bool = False,
    folds: int,
    models: str | os.PathLike[str],
    bundle: str | None = None,
    takes: int = 5,
    seeds: int = 3,
    hour: bool = False,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> MotionReport:
    """Compare takes with real clips, on models that never saw the speakers.

    Args:
        folder: clips, as of `read_clips`.
        recipe: of the training; its smoothing is applied to both sides.
        statistics_folder: further clips with sound, as of `read_clips`: they are measured, and
            calibrations see those of speakers who are not left out, but no network is trained
            on them.
        controls: whether to measure takes with a part left out, too.
        folds: number of groups of speakers; for each a model is trained on all others.
        models: folder where these models are kept, see `fold_weights`.
        bundle: name or folder of a bundle to be measured instead, on all clips.
        takes: number of takes of each clip and seed, 2 or more.
        seeds: number of seeds.
        hour: whether to sample an hour of speech as well.
        progress: called with (stage, done, total).
        cancel: asked between steps.

    Raises:
        InputError: if the clips cannot be used, or are too few.
        ModelError: if the bundle is missing or damaged.
        OutputError: if `models` cannot be written to.
        Cancelled: if `cancel` returns True.
    """
    clips = read_clips(folder, progress=progress, cancel=cancel)
    more = []
    if statistics_folder is not None:
        more = read_clips(statistics_folder, progress=progress, cancel=cancel)
    measured = measurable([*clips, *more])
    groups = speaker_folds(measured, folds) if bundle is None else []
    everyone = tuple(dict.fromkeys(clip.speaker for clip in measured))
    reporter = Reporter(progress, cancel)
    names = CONTROLS if controls else (WHOLE,)
    results: dict[str, list[ComparedClip]] = {name: [] for name in names}
    for group in groups or [everyone]:
        unseen = partial(
            fold_weights, clips, group, recipe, models, measured_only=more, progress=progress,
            cancel=cancel,
        )  # fmt: skip
        weights = unseen() if bundle is None else find_bundle(bundle).path(WEIGHTS)
        samplers = dict.fromkeys(names, load_sampler(weights))
        if UNTRAINED in names:
            blank = unseen(trained=False) if bundle is None else weights
            samplers[UNTRAINED] = load_sampler(blank)
        for place, clip in enumerate(measured):
            if clip.speaker not in group:
                continue
            other = next(c for c in measured[place:] + measured if c.speaker != clip.speaker)
            for name, sampler in samplers.items():
                takes_of = compared(
                    clip, *controlled(name, sampler, clip, other), recipe, takes=takes,
                    seeds=seeds if name == WHOLE else 1,
                )  # fmt: skip
                results[name].append(takes_of)
            reporter.step("sampling", len(results[WHOLE]), len(measured))
    for found in results.values():
        found.sort(key=lambda result: result.name)  # the bootstrap must not depend on the folds
    rows = figures(results[WHOLE])
    trained_on = {clip.speaker for clip in clips}
    own = [result for result in results[WHOLE] if result.speaker in trained_on]
    if hour:
        rows += hour_rows(
            hour_figures(weights, [c.samples for c in measured if c.samples is not None])
        )
    return MotionReport(
        rows,
        figures(own) if len(own) < len(measured) and len({c.speaker for c in own}) >= 4 else [],
        [control_row(name, found) for name, found in results.items()] if controls else [],
        f"{folds} models of one recipe" if bundle is None else f"bundle '{bundle}'",
        bundle is None,
        groups,
        len(results[WHOLE]),
        len(everyone),
        sum(len(result.real) for result in results[WHOLE]) / 1500,
        takes * seeds,
    )


def measurable(clips: Sequence[TrainingClip]) -> list[TrainingClip]:
    """Clips with sound of 5 s or more: a window of 4 s after the first second.

    Raises:
        InputError: if they show fewer than four speakers.
    """
    least = SETTLED + statistics.WINDOW
    found = [clip for clip in clips if clip.samples is not None and len(clip) >= least]
    if len({clip.speaker for clip in found}) < 4:
        raise InputError(
            "Motion is measured on clips with sound of 5 s or more of at least 4 speakers; these "
            f"are {len(found)} of {len({clip.speaker for clip in found})}."
        )
    return found


def compared(
    clip: TrainingClip,
    sampler: MotionSampler,
    features: MotionFeatures,
    options: SampleOptions,
    recipe: MotionRecipe,
    *,
    takes: int,
    seeds: int,
) -> ComparedClip:
    """Sample takes for a clip's voice.

    Args:
        clip: with sound.
        sampler: that has not seen the clip's speaker.
        features: of the clip's sound, or of what is heard in its place.
        options: of the takes.
        recipe: its smoothing is applied to both sides, its depth gain to the tracked depth.
        takes: number of takes of each seed, 2 or more.
        seeds: number of seeds, from 0.
    """
    assert clip.samples is not None
    tracks = [
        [sampler.sample(features, take=take, seed=seed, options=options) for take in range(takes)]
        for seed in range(seeds)
    ]
    length = sampler.network.config.clip_frames
    joins = [statistics.join_ratio(track.rotation, length) for row in tracks for track in row]
    return ComparedClip(
        clip.name,
        clip.speaker,
        clean_poses(clip, recipe)[SETTLED:],
        np.array([[_smoothed(track, recipe) for track in row] for row in tracks])[:, :, SETTLED:],
        float(np.median(joins)),
        speech_energy(clip.samples).astype(np.float64)[SETTLED:],
        voice_activity(clip.samples)[SETTLED:] > 0.5,
    )


def _smoothed(track: MotionTrack, recipe: MotionRecipe) -> Array:
    """A take under the smoothing that takes the tracker's noise out of real poses."""
    return np.hstack(
        [
            smooth(track.rotation, recipe.rotation_smoothing),
            smooth(track.translation, recipe.translation_smoothing),
        ]
    )
