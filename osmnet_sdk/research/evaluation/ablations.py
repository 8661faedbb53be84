"""The paper's table V on any data: the generator and what is left out of it.

That is its window, clip-level motion, and the landmark loss of the lips that drive it.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.predict import ExpressionPredictor
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.face.networks import load_face_networks
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.rendering.frames import CROP_SIZE
from osmnet_sdk.research.data.segments import Segment, split_segments
from osmnet_sdk.research.evaluation.video.clips import RealFrames, VideoScore, VideoScorer
from osmnet_sdk.research.tables import markdown_table
from osmnet_sdk.research.trainers.generator.figures import drawn_columns
from osmnet_sdk.research.trainers.generator.recipe import GeneratorRecipe
from osmnet_sdk.research.trainers.generator.train import TrainedGenerator, train_chain
from osmnet_sdk.research.trainers.generator.windows import SegmentWindows
from osmnet_sdk.research.trainers.loop import TrainingRun
from osmnet_sdk.research.trainers.processes import Processes

Image = NDArray[np.uint8]

FULL = "full"
WITHOUT_LANDMARKS = "without landmark loss"
REAL, STILL = "real frames", "first frame held still"
TRACKED, SOUND = "real motion, tracked expression", "sound"
"""What drives frames: the features of the real motion and the tracked expression; or the motion
that the network hears in the sound, from a real pose at the start of each window, and the
expression that is predicted from the sound."""

MAX_FRAMES = 100
"""Frames of each segment that are measured, from the second on."""
_BATCH = 8


@dataclass(frozen=True)
class AblationRow:
    """A row of the table; means over segments of other speakers, pixels are those of 256².

    Attributes:
        network: what was trained.
        driven_by: `TRACKED` or `SOUND`; "" for real and still frames.
        frames: how many were compared.
        ssim: structural similarity, −1 to 1.
        mouth_ssim: of it, the mean in the box of the lips.
        landmark_distance: LMD in pixels; None where no drawn frame shows a face.
        mouth_distance: LMD of the lips' landmarks.
        sharpness: CPBD, 0 to 1; None where frames have no edges.
        flicker: what changes between frames besides motion, over that of the real frames.
    """

    network: str
    driven_by: str
    frames: int
    ssim: float
    mouth_ssim: float
    landmark_distance: float | None
    mouth_distance: float | None
    sharpness: float | None
    flicker: float | None


def ablated(recipe: GeneratorRecipe) -> dict[str, GeneratorRecipe]:
    """The recipes that are compared, by name: `FULL` and what is left out of it."""
    single = recipe.config.model_copy(update={"half_window": 0})
    return {
        FULL: recipe,
        "without window (WF)": recipe.model_copy(update={"config": single}),
        "without clip-level motion (Clip)": recipe.model_copy(update={"clip_motion": False}),
    }


def evaluate_ablations(
    recipe: GeneratorRecipe,
    segments: Sequence[Segment],
    *,
    bundle: str | os.PathLike[str] = "starter",
    models: str | os.PathLike[str] = "runs/ablations",
    without_landmarks: str | os.PathLike[str] | None = None,
    extractor_file: Path | None = None,
    processes: Processes | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> list[AblationRow]:
    """Train the generator and its ablations on the same segments and measure the held-out ones.

    Args:
        recipe: of the full generator; it must hold speakers out.
        segments: to learn from and to measure, as for `train_generator`.
        bundle: with motion and expression weights.
        models: folder where the networks are kept, each in one of its own; a stopped run goes on.
        without_landmarks: bundle whose expression weights were learned without the landmark loss
            (`osmnet train expression --without landmarks`); None leaves that row out.
        extractor_file: weights of the recipe's feature extractor.
        processes: those that train, by default this one on the CPU; all must call this.
        progress: called with (stage, done, total).
        cancel: asked between steps and frames.

    Returns:
        The rows: real frames, the first frame held still, and each network; nothing in processes
        but the first.

    Raises:
        InputError: if nobody is held out, or pictures have another size.
        NoFaceError: if no face can be found in a held-out segment.
        ModelError: if weights are missing or damaged.
        DeviceError: if memory runs out.
        Cancelled: if `cancel` returns True.
    """
    processes = processes or Processes()
    if not recipe.validation_share:
        raise InputError(
            "The recipe's validation_share is 0, so that nobody is left to measure; set it above 0."
        )
    _, held_out = split_segments(segments, recipe.validation_share, recipe.seed)
    if not held_out:
        raise InputError("All speakers are needed to learn from; add clips of another one.")
    found = find_bundle(bundle)
    report = Reporter(progress, cancel)
    plain = ExpressionPredictor.from_bundle(found, "cpu")
    other = None
    if without_landmarks is not None:
        other = ExpressionPredictor.from_bundle(find_bundle(without_landmarks), "cpu")
    scorer = VideoScorer(load_face_networks(found), load_face_model(found), reporter=report)
    table = _Table(scorer, held_out, report) if processes.is_first else None
    for name, variant in ablated(recipe).items():
        run = TrainingRun(
            Path(models) / name.split(" (")[0].replace(" ", "-"), processes=processes,
            progress=None if progress is None else _named(progress, name), cancel=cancel,
        )  # fmt: skip
        made = train_chain(variant, segments, bundle, run, extractor_file=extractor_file)
        if table is None:
            continue
        made.chain.to(processes.device)
        table.add(name, made, plain, (TRACKED, SOUND))
        if name == FULL and other is not None:
            table.add(WITHOUT_LANDMARKS, made, other, (SOUND,))
        made.chain.to("cpu")
    return [] if table is None else table.rows()


def _named(progress: ProgressCallback, name: str) -> ProgressCallback:
    return lambda stage, done, total: progress(f"{stage}, {name}"[:30], done, total)


class _Table:
    """Scores of every network over the same held-out frames."""

    def __init__(self, scorer: VideoScorer, segments: Sequence[Segment], report: Reporter) -> None:
        self._scorer, self._report = scorer, report
        self._clips: list[RealFrames] = []
        self._scores: dict[tuple[str, str], list[VideoScore]] = {}
        for segment in segments:
            pictures = segment.pictures[np.arange(min(len(segment), MAX_FRAMES + 1))]
            still, *real = (_at_crop_size(picture) for picture in pictures)
            clip = scorer.frames(segment.clip.name, real)
            self._clips.append(clip)
            self._score(clip, (REAL, ""), clip.real)
            self._score(clip, (STILL, ""), [still] * len(real))

    def add(
        self,
        name: str,
        made: TrainedGenerator,
        predictor: ExpressionPredictor,
        drives: Sequence[str],
    ) -> None:
        """Draw and score the held-out frames as a network draws them."""
        assert made.held_out is not None
        for drive in drives:
            windows = made.held_out if drive == TRACKED else _heard(made.held_out, predictor)
            for index, clip in enumerate(self._clips):
                drawn = self._drawn(made, windows, index, len(clip.real), 2 + (drive == SOUND))
                self._score(clip, (name, drive), drawn)

    def _drawn(
        self, made: TrainedGenerator, windows: SegmentWindows, index: int, frames: int, column: int
    ) -> list[Image]:
        drawn: list[Image] = []
        for start in range(1, frames + 1, _BATCH):
            self._report.step("Drawing", start - 1, frames)
            numbers = range(start, min(start + _BATCH, frames + 1))
            batch = windows.batch([(index, number, 0) for number in numbers])
            drawn += [_at_crop_size(image) for image in drawn_columns(made.chain, batch)[column]]
        return drawn

    def _score(self, clip: RealFrames, key: tuple[str, str], drawn: list[Image]) -> None:
        self._scores.setdefault(key, []).append(self._scorer.score(clip, key[0], drawn))

    def rows(self) -> list[AblationRow]:
        """The rows in the order in which they were measured."""
        own = self._scores[REAL, ""]
        return [
            AblationRow(
                *key,
                frames=sum(score.frames for score in scores),
                ssim=float(np.mean([score.ssim for score in scores])),
                mouth_ssim=float(np.mean([score.mouth_ssim for score in scores])),
                landmark_distance=_mean([score.landmark_distance for score in scores]),
                mouth_distance=_mean([score.mouth_distance for score in scores]),
                sharpness=_mean([score.sharpness for score in scores]),
                flicker=_mean(
                    [s.flicker / r.flicker for s, r in zip(scores, own, strict=True) if r.flicker]
                ),
            )
            for key, scores in self._scores.items()
        ]


def _heard(windows: SegmentWindows, predictor: ExpressionPredictor) -> SegmentWindows:
    """The same windows with the expression that is predicted from the sound, where there is any."""
    heard = copy.copy(windows)
    heard.expression = [
        tracked
        if segment.clip.samples is None
        else predictor.predict((segment.clip.samples, 16_000)).coefficients[: len(tracked)]
        for segment, tracked in zip(windows.segments, windows.expression, strict=True)
    ]
    return heard


def _at_crop_size(image: Image) -> Image:
    """The size at which pictures are measured."""
    if image.shape[0] == CROP_SIZE:
        return np.ascontiguousarray(image)
    method = cv2.INTER_AREA if image.shape[0] > CROP_SIZE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (CROP_SIZE, CROP_SIZE), interpolation=method), np.uint8)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def ablation_table(rows: Sequence[AblationRow]) -> str:
    """The rows as one table of Markdown."""
    titles = ("network", "driven by", "frames", "SSIM", "SSIM, mouth", "LMD, px", "LMD, mouth, px",
              "CPBD", "flicker over real")  # fmt: skip
    return markdown_table(titles, [tuple(vars(row).values()) for row in rows])
