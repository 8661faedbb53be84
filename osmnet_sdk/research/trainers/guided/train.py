"""Training of the guided generator."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from osmnet_sdk.core.bundle import save_arrays
from osmnet_sdk.core.curves import cosine, named_seed
from osmnet_sdk.core.files import output_folder
from osmnet_sdk.core.provenance import file_metadata
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.formats.image_sequence import write_png
from osmnet_sdk.rendering.guided.network import FORMAT, GuidedPainter, stored_guided
from osmnet_sdk.research.data.segments import Segment, split_segments
from osmnet_sdk.research.trainers.card import TRAINING, VALIDATION, write_card
from osmnet_sdk.research.trainers.feature_extractors import load_extractor
from osmnet_sdk.research.trainers.guided.card import guided_card
from osmnet_sdk.research.trainers.guided.figures import sample_sheet, window_figures
from osmnet_sdk.research.trainers.guided.objective import Adversary, GuidedObjective, GuidedTraining
from osmnet_sdk.research.trainers.guided.recipe import GuidedRecipe
from osmnet_sdk.research.trainers.guided.samples import (
    GuidedSamples,
    SampleMaker,
    cut_patches,
    recoloured,
)
from osmnet_sdk.research.trainers.image_losses import ImageLosses
from osmnet_sdk.research.trainers.loop import Stage, TrainingRun, seeded

CHECKPOINT = "guided-checkpoint.safetensors"
"""Name of the checkpoint in a run's folder."""
SAMPLES = "samples"
"""Folder of the samples in a run's folder."""
SHEET = "guided-sheet.png"
"""Name of the sample sheet that a run leaves in its folder."""

_CHECKED, _MEASURED = 64, 400
"""Windows that are measured at a checkpoint, and for the card."""
_PATCHES = "patches"
_LAST_RATE = 0.1
"""Learning rate at the end of a stage over that at its start."""


def train_guided(
    recipe: GuidedRecipe,
    segments: Sequence[Segment],
    portraits: Sequence[tuple[str, NDArray[np.uint8]]],
    output: str | os.PathLike[str],
    run: TrainingRun,
    *,
    networks: FaceNetworks,
    model: FaceModel,
    extractor_file: Path | None = None,
) -> tuple[Path, Path]:
    """Make samples with the renderer, train the guided generator, write weights and card.

    Args:
        recipe: what to train.
        segments: clips to learn from and to validate with.
        portraits: names and photos (H, W, 3) uint8 RGB to learn from as well; may be empty.
        output: folder of a bundle; guided.safetensors and guided.md are written to it.
        run: where and by whom; samples are kept, and a sample sheet is left, in its folder.
        networks: detector, landmarks and mask.
        model: the morphable model.
        extractor_file: weights of the recipe's feature extractor.

    Returns:
        The paths of the weights and the card.

    Raises:
        InputError: if no clip gives a sample, or kept samples are damaged.
        ModelError: if the extractor's weights are missing or damaged.
        OSMNetError: as `TrainingRun.train`.
    """
    extractor = load_extractor(recipe.extractor, extractor_file) if recipe.needs_extractor else None
    training, validation = split_segments(segments, recipe.validation_share, recipe.seed)
    with run.processes.first_alone():
        maker = SampleMaker(recipe, networks, model, run.work / SAMPLES, run.report)
        clips = maker.of_clips(training)
        held_out = maker.of_clips(validation) if validation else None
        expressions = np.concatenate([segment.expression for segment in training])
        moved = maker.of_portraits(portraits, expressions)
    samples = GuidedSamples([*clips.parts, *moved.parts])
    checked = held_out or samples
    with seeded(recipe.seed):
        trained = GuidedTraining(GuidedPainter(recipe.config), Adversary(recipe.adversary_channels))
    stages = _stages(recipe, trained, ImageLosses(extractor), samples, checked)
    run.train(trained, stages, CHECKPOINT, recipe.digest(_learned_from(samples)))
    weights = output_folder(output) / FORMAT.file
    card = weights.with_suffix(".md")
    if not run.processes.is_first:
        return weights, card
    painter = trained.painter
    save_arrays(weights, *stored_guided(painter))
    figures = {TRAINING: window_figures(painter, clips, _MEASURED)}
    if held_out is not None:
        figures[VALIDATION] = window_figures(painter, held_out, _MEASURED)
    counts = len(clips), 0 if held_out is None else len(held_out), len(moved)
    write_card(card, guided_card(recipe, figures, training, validation, counts))
    write_png(run.work / SHEET, sample_sheet(painter, checked), file_metadata("{}"))
    return weights, card


def _stages(
    recipe: GuidedRecipe,
    networks: GuidedTraining,
    images: ImageLosses,
    samples: GuidedSamples,
    checked: GuidedSamples,
) -> list[Stage]:
    """Patches; then whole windows; at last, if the recipe has it, with the adversary."""

    def measure() -> dict[str, float]:
        _, plain, guided = window_figures(networks.painter, checked, _CHECKED)
        return {f"warp {name}": value for name, value in asdict(plain).items()} | {
            f"guided {name}": value for name, value in asdict(guided).items()
        }

    def stage(name: str, steps: int, rate: float, *, adversarial: bool = False) -> Stage:
        def seed(step: int) -> int:
            return named_seed(recipe.seed, name, step)

        def batch(step: int) -> tuple[Tensor, ...]:
            generator = torch.Generator().manual_seed(seed(step))
            drawn = samples.draw(recipe.batch, generator)
            if name == _PATCHES:
                drawn = cut_patches(drawn, recipe.patch_size, generator)
            return recoloured(drawn, generator)

        learning: nn.Module = networks if adversarial else networks.painter
        return Stage(
            name=name,
            steps=steps,
            parameters=list(learning.parameters()),
            batch=batch,
            objective=GuidedObjective(recipe, networks, images, adversarial=adversarial),
            rate=lambda step: rate * cosine(step, steps, _LAST_RATE),
            seed=seed,
            largest_gradient=10.0,
            measure=measure,
            pictures=lambda: {"photo, warp, guided, real": sample_sheet(networks.painter, checked)},
            divisible=True,
        )

    late = recipe.window_learning_rate
    stages = [
        stage(_PATCHES, recipe.patch_steps, recipe.learning_rate),
        stage("windows", recipe.window_steps, late),
        stage("adversarial", recipe.adversarial_steps, late, adversarial=True),
    ]
    return [each for each in stages if each.steps]


def _learned_from(samples: GuidedSamples) -> Iterator[bytes]:
    """What drove the samples, and a few of their pixels."""
    for part in samples.parts:
        for name in ("pose", "expression"):
            yield np.ascontiguousarray(part[name]).tobytes()
        yield np.ascontiguousarray(part[0]["warp"]).tobytes()
