"""osmnet evaluate video: what renderers make of real clips that drive themselves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.client import OSMNet
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.core.files import output_folder
from osmnet_sdk.core.provenance import file_metadata
from osmnet_sdk.errors import InputError
from osmnet_sdk.face.networks import load_face_networks
from osmnet_sdk.formats.overview import sheet_frames, write_sheet
from osmnet_sdk.formats.video import SUFFIXES, read_frames
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.research.evaluation.table import REAL, Figure
from osmnet_sdk.research.evaluation.video.clips import (
    MAX_FRAMES,
    SelfDrivenClip,
    VideoScore,
    VideoScorer,
)
from osmnet_sdk.research.evaluation.video.drawers import BASELINES, drawer
from osmnet_sdk.research.evaluation.video.face_identity import FaceEmbedder
from osmnet_sdk.research.evaluation.video.table import PLAIN, video_figures

Image = NDArray[np.uint8]

_MOMENTS = 5
"""Rows of a clip's sheet."""


@dataclass(frozen=True)
class VideoReport:
    """What `evaluate_video` found.

    Attributes:
        figures: means over clips; what is asked is asked of the last renderer.
        clips: scores of each clip and renderer; those of "real" are what is to be expected.
        left_out: what was not measured and why, a sentence each.
    """

    figures: list[Figure]
    clips: list[VideoScore]
    left_out: list[str]

    def summary(self) -> str:
        """What was measured, in a few sentences."""
        judged = [row for row in self.figures if row.passed is not None]
        passed = sum(bool(row.passed) for row in judged)
        frames = sum(score.frames for score in self.clips if score.renderer == REAL)
        names = list(dict.fromkeys(score.clip for score in self.clips))
        said = f"{frames} frames of {len(names)} clips: {', '.join(names)}."
        if judged:
            last = self.clips[-1].renderer
            said += f" {last}: {passed} of {len(judged)} figures are as asked."
        return " ".join([said, *self.left_out])


def evaluate_video(
    folder: str | os.PathLike[str],
    *,
    clips: Sequence[str] | None = None,
    renderers: Sequence[str] | None = None,
    sheets: str | os.PathLike[str] | None = None,
    least_mouth: float | None = None,
    device: str = "auto",
    bundle: str = "starter",
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> VideoReport:
    """Render clips from their own first frame and tracked motion, and score the frames.

    Args:
        folder: holds the clips' videos.
        clips: names of videos without suffix; None takes all.
        renderers: names of what draws (`video_drawers.drawer`), of which the last one is judged;
            None takes the baselines, the plain warp, and the bundle's own renderer.
        sheets: folder for one picture a clip: real frames and drawn ones side by side.
        least_mouth: SSIM of the mouth that is asked for, such as another version's and a gain.
        device: where to render.
        bundle: name or folder of the weights.
        progress: called with (stage, done, total).
        cancel: asked between frames.

    Raises:
        InputError: if there is no clip or renderer of a name.
        OutputError: if the folder of the pictures cannot be made.
        NoFaceError: if a clip shows no face.
        ModelError: if the bundle is missing or damaged, or has no weights for a renderer.
        Cancelled: if `cancel` returns True.
    """
    osm = OSMNet(device, bundle)
    chosen = renderers or (*BASELINES, PLAIN, osm.bundle.manifest.renderer)
    drawers = {name: drawer(osm, name) for name in chosen}
    paths = _videos(Path(folder)) if clips is None else [_clip(Path(folder), n) for n in clips]
    if sheets is not None:
        output_folder(sheets)  # says now, not after drawing, that it cannot be made
    left_out = []
    try:
        embedder = FaceEmbedder()
    except InputError as error:
        embedder = None
        left_out.append(str(error))
    networks = load_face_networks(osm.bundle, osm.device)
    scorer = VideoScorer(networks, osm.face_model, embedder, Reporter(progress, cancel))
    scores: list[VideoScore] = []
    for path in paths:
        frames = [frame.image for frame in islice(read_frames(path, fps=FPS), MAX_FRAMES)]
        clip = scorer.track(path.stem, frames)
        drawn = {REAL: clip.real}
        drawn |= {name: scorer.draw(clip, draw, name) for name, draw in drawers.items()}
        scores += [scorer.score(clip, name, images) for name, images in drawn.items()]
        if sheets is not None:
            _write_sheet(Path(sheets), clip, drawn)
    return VideoReport(video_figures(scores, least_mouth=least_mouth), scores, left_out)


def _videos(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise InputError(f"There is no video in '{folder}'; name a folder that has some.")
    return found


def _clip(folder: Path, name: str) -> Path:
    for suffix in SUFFIXES:
        if (folder / f"{name}{suffix}").is_file():
            return folder / f"{name}{suffix}"
    raise InputError(
        f"There is no clip '{name}' in '{folder}'; name a folder that has it, or other clips with "
        "--clip."
    )


def _write_sheet(folder: Path, clip: SelfDrivenClip, drawn: dict[str, list[Image]]) -> None:
    moments = sheet_frames(len(clip.real), _MOMENTS)
    rows = [[images[moment] for images in drawn.values()] for moment in moments]
    titles = [f"frame {moment + 1}: {' | '.join(drawn)}" for moment in moments]
    write_sheet(folder / f"{clip.name}.png", rows, titles, file_metadata("{}"))
