"""Training of the guided generator."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import asdict
from math import cos, pi
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from osmnet_sdk.core.bundle import save_arrays
from osmnet_sdk.core.files import output_folder, replaced
from osmnet_sdk.core.provenance import file_metadata
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.formats.image_sequence import write_png
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.rendering.guided.network import GuidedPainter
from osmnet_sdk.rendering.guided.weights import FILE, stored_guided
from osmnet_sdk.research.data.segments import Segment, split_segments
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
from osmnet_sdk.research.trainers.loop import Stage, train_stages
from osmnet_sdk.research.trainers.processes import Processes

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
    *,
    work: str | os.PathLike[str],
    networks: FaceNetworks,
    model: FaceModel,
    extractor_file: Path | None = None,
    curves: str | os.PathLike[str] | None = None,
    processes: Processes | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> tuple[Path, Path]:
    """Make samples with the renderer, train the guided generator, write weights and card.

    Args:
        recipe: what to train.
        segments: clips to learn from and to validate with.
        portraits: names and photos (H, W, 3) uint8 RGB to learn from as well; may be empty.
        output: folder of a bundle; guided.safetensors and guided.md are written to it.
        work: folder for samples, checkpoint and sample sheet; it is made. A stopped run goes on
            from there.
        networks: detector, landmarks and mask.
        model: the morphable model.
        extractor_file: weights of the recipe's feature extractor.
        curves: folder for TensorBoard, by default `work`.
        processes: those that train, by default this one on the CPU; the first of them writes.
        progress: called with (stage, done, total).
        cancel: asked between samples and after each step.

    Returns:
        The paths of the weights and the card.

    Raises:
        InputError: if no clip gives a sample, or kept samples are damaged.
        ModelError: if the extractor's weights are missing or damaged, packages of the extra
            "train" are not installed, or a loss is not a number.
        DeviceError: if memory runs out.
        OutputError: if a folder cannot be written to.
        Cancelled: if `cancel` returns True; samples and checkpoint stay.
    """
    processes = processes or Processes()
    extractor = None
    if recipe.perceptual_weight:
        extractor = load_extractor(recipe.extractor, extractor_file)
    training, validation = split_segments(segments, recipe.validation_share, recipe.seed)
    with processes.first_alone():
        maker = SampleMaker(
            recipe, networks, model, Path(work) / SAMPLES, Reporter(progress, cancel)
        )
        clips = maker.of_clips(training)
        held_out = maker.of_clips(validation) if validation else None
        expressions = np.concatenate([segment.expression for segment in training])
        moved = maker.of_portraits(portraits, expressions)
    samples = GuidedSamples([*clips.parts, *moved.parts])
    checked = held_out or samples
    trained = _networks(recipe)
    images = ImageLosses(extractor)
    train_stages(
        trained,
        _stages(recipe, trained, images, samples, checked),
        processes,
        checkpoint=Path(work) / CHECKPOINT,
        curves=None if curves is None else Path(curves),
        fingerprint=_fingerprint(recipe, samples),
        progress=progress,
        cancel=cancel,
    )
    weights = output_folder(output) / FILE
    card = weights.with_suffix(".md")
    if not processes.is_first:
        return weights, card
    painter = trained.painter
    save_arrays(weights, *stored_guided(painter))
    figures = {"training": window_figures(painter, clips, _MEASURED)}
    if held_out is not None:
        figures["validation, other speakers"] = window_figures(painter, held_out, _MEASURED)
    counts = {
        "training": len(clips),
        "validation": 0 if held_out is None else len(held_out),
        "portraits": len(moved),
    }
    with replaced(card) as temporary:
        text = guided_card(recipe, figures, training, validation, counts)
        temporary.write_text(text, encoding="utf-8", newline="\n")
    write_png(Path(work) / SHEET, sample_sheet(painter, checked), file_metadata("{}"))
    return weights, card


def _networks(recipe: GuidedRecipe) -> GuidedTraining:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return GuidedTraining(GuidedPainter(recipe.config), Adversary(recipe.adversary_channels))


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
            digest = hashlib.sha256(f"{recipe.seed} {name} {step}".encode()).digest()
            return int.from_bytes(digest[:7], "big")

        def batch(step: int) -> tuple[Tensor, ...]:
            generator = torch.Generator().manual_seed(seed(step))
            drawn = samples.draw(recipe.batch, generator)
            if name == _PATCHES:
                drawn = cut_patches(drawn, recipe.patch_size, generator)
            return recoloured(drawn, generator)

        def rate_at(step: int) -> float:
            share = (1 + cos(pi * step / steps)) / 2
            return rate * (_LAST_RATE + (1 - _LAST_RATE) * share)

        learning: nn.Module = networks if adversarial else networks.painter
        return Stage(
            name=name,
            steps=steps,
            parameters=list(learning.parameters()),
            batch=batch,
            objective=GuidedObjective(recipe, networks, images, adversarial=adversarial),
            rate=rate_at,
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


def _fingerprint(recipe: GuidedRecipe, samples: GuidedSamples) -> str:
    """Of what decides a run: recipe and samples, by what drove them and a few of their pixels."""
    digest = hashlib.sha256(recipe.model_dump_json().encode())
    for part in samples.parts:
        for name in ("pose", "expression"):
            digest.update(np.ascontiguousarray(part[name]).tobytes())
        digest.update(np.ascontiguousarray(part[0]["warp"]).tobytes())
    return digest.hexdigest()
