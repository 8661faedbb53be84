"""Training of the Video Generator (paper, section III-C)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from osmnet_sdk.core.bundle import find_bundle, save_arrays
from osmnet_sdk.core.curves import named_seed
from osmnet_sdk.core.files import output_folder
from osmnet_sdk.core.provenance import file_metadata
from osmnet_sdk.errors import InputError
from osmnet_sdk.formats.image_sequence import write_png
from osmnet_sdk.motion.network import MotionConfig, MotionNetwork
from osmnet_sdk.motion.sampler import MotionSampler
from osmnet_sdk.rendering.paper.generator import FORMAT, VideoGenerator, stored_generator
from osmnet_sdk.research.data.segments import Segment, split_segments
from osmnet_sdk.research.trainers.card import TRAINING, VALIDATION, write_card
from osmnet_sdk.research.trainers.feature_extractors import load_extractor
from osmnet_sdk.research.trainers.generator.card import generator_card
from osmnet_sdk.research.trainers.generator.figures import sample_sheet, self_driven
from osmnet_sdk.research.trainers.generator.objective import GeneratorChain, GeneratorObjective
from osmnet_sdk.research.trainers.generator.recipe import GeneratorRecipe
from osmnet_sdk.research.trainers.generator.windows import SegmentWindows
from osmnet_sdk.research.trainers.image_losses import ImageLosses
from osmnet_sdk.research.trainers.loop import Stage, TrainingRun, seeded
from osmnet_sdk.research.trainers.motion.data import pose_scale

CHECKPOINT = "generator-checkpoint.safetensors"
"""Name of the checkpoint in a run's folder."""
SHEET = "generator-sheet.png"
"""Name of the sample sheet that a run leaves in its folder."""

_CHECKED = {"segments": 4, "frames": 8}
"""Segments, and frames of each, that are measured at a checkpoint."""


@dataclass(frozen=True, eq=False)
class TrainedGenerator:
    """A chain that has been trained, on the CPU, and what it was trained on.

    Attributes:
        chain: motion network and generator.
        training: windows of the segments that were learned from.
        held_out: those of other speakers; None where the recipe holds nobody out.
    """

    chain: GeneratorChain
    training: SegmentWindows
    held_out: SegmentWindows | None


def train_generator(
    recipe: GeneratorRecipe,
    segments: Sequence[Segment],
    output: str | os.PathLike[str],
    run: TrainingRun,
    *,
    extractor_file: Path | None = None,
) -> tuple[Path, Path]:
    """Train the generator end to end with the motion decoder; write weights and card.

    Args:
        recipe: what to train.
        segments: to learn from and to validate with; pictures of the recipe's image size.
        output: folder of a bundle with motion weights; generator.safetensors and generator.md are
            written to it.
        run: where and by whom; a sample sheet is left in its folder.
        extractor_file: weights of the recipe's feature extractor.

    Returns:
        The paths of the weights and the card.

    Raises:
        InputError: if there is nothing to learn from, or pictures have another size.
        ModelError: if the extractor's weights or the bundle's motion weights are missing or
            damaged.
        OSMNetError: as `TrainingRun.train`.
    """
    made = train_chain(recipe, segments, output, run, extractor_file=extractor_file)
    chain, windows, held_out = made.chain, made.training, made.held_out
    weights = output_folder(output) / FORMAT.file
    card = weights.with_suffix(".md")
    if not run.processes.is_first:
        return weights, card
    save_arrays(weights, *stored_generator(chain.generator, chain.motion.decoder))
    figures = {TRAINING: self_driven(chain, windows)}
    if held_out is not None:
        figures[VALIDATION] = self_driven(chain, held_out)
    validation = [] if held_out is None else held_out.segments
    write_card(card, generator_card(recipe, figures, windows.segments, validation))
    write_png(run.work / SHEET, sample_sheet(chain, held_out or windows), file_metadata("{}"))
    return weights, card


def train_chain(
    recipe: GeneratorRecipe,
    segments: Sequence[Segment],
    bundle: str | os.PathLike[str],
    run: TrainingRun,
    *,
    extractor_file: Path | None = None,
) -> TrainedGenerator:
    """Train the generator as `train_generator` does, but write nothing beside the checkpoint.

    Args:
        recipe: what to train.
        segments: to learn from and to validate with; pictures of the recipe's image size.
        bundle: name or folder of a bundle with motion weights.
        run: where and by whom.
        extractor_file: weights of the recipe's feature extractor.

    Raises:
        OSMNetError: as `train_generator`.
    """
    extractor = load_extractor(recipe.extractor, extractor_file) if recipe.needs_extractor else None
    training, validation = split_segments(segments, recipe.validation_share, recipe.seed)
    _check_pictures(training + validation, recipe.config.image_size)
    motion = _motion_network(recipe, training, bundle)
    windows = SegmentWindows(training, recipe, motion.config)
    held_out = SegmentWindows(validation, recipe, motion.config) if validation else None
    with seeded(recipe.seed):
        generator = VideoGenerator(recipe.config)
    chain = GeneratorChain(generator, motion, windows.plan)
    images = ImageLosses(extractor)
    stage = _stage(recipe, chain, GeneratorObjective(recipe, chain, images), windows, held_out)
    run.train(chain, [stage], CHECKPOINT, recipe.digest(_learned_from(motion, windows)))
    images.to("cpu")
    return TrainedGenerator(chain, windows, held_out)


def _stage(
    recipe: GeneratorRecipe,
    chain: GeneratorChain,
    objective: GeneratorObjective,
    windows: SegmentWindows,
    held_out: SegmentWindows | None,
) -> Stage:
    def seed(step: int) -> int:
        return named_seed(recipe.seed, "generator", step)

    def batch(step: int) -> tuple[Tensor, ...]:
        return windows.draw(torch.Generator().manual_seed(seed(step)))

    def measure() -> dict[str, float]:
        found = asdict(self_driven(chain, held_out or windows, **_CHECKED))
        return {f"ssim {name}": value for name, value in found.items() if name != "frames"}

    return Stage(
        name="generator",
        steps=recipe.steps,
        parameters=_learning(recipe, chain),
        batch=batch,
        objective=objective,
        rate=recipe.rate,
        seed=seed,
        measure=measure,
        pictures=lambda: {"source, real, generated": sample_sheet(chain, held_out or windows)},
        divisible=True,
    )


def _learning(recipe: GeneratorRecipe, chain: GeneratorChain) -> list[nn.Parameter]:
    """The generator and the motion decoder; with frame-level motion the whole motion network."""
    motion: nn.Module = chain.motion.decoder if recipe.clip_motion else chain.motion
    return [*chain.generator.parameters(), *motion.parameters()]


def _motion_network(
    recipe: GeneratorRecipe, segments: Sequence[Segment], bundle: str | os.PathLike[str]
) -> MotionNetwork:
    """The bundle's motion network; for frame-level motion a new one in the units of the data."""
    if recipe.clip_motion:
        return MotionSampler.from_bundle(find_bundle(bundle)).network
    with seeded(recipe.seed):
        network = MotionNetwork(MotionConfig(clip_frames=2))
    windows = SegmentWindows(segments, recipe, network.config)
    generator = torch.Generator().manual_seed(recipe.seed)
    drawn = [windows.draw(generator) for _ in range(-(-64 // recipe.batch))]
    clips = torch.cat([batch.clips for batch in drawn]).flatten(0, 1)
    mel = torch.cat([batch.mel[batch.heard] for batch in drawn]).flatten(0, 2)
    network.pose_scale.copy_(pose_scale(clips))
    if len(mel):
        network.mel_mean.copy_(mel.mean(dim=(0, 2)))
        network.mel_deviation.copy_(mel.std(dim=(0, 2)).clamp_min(1e-3))
    return network


def _check_pictures(segments: Sequence[Segment], size: int) -> None:
    for segment in segments:
        shape = segment.pictures[np.zeros(1, np.int64)].shape[1:]
        if shape != (size, size, 3):
            raise InputError(
                f"The pictures of clip '{segment.clip.name}' have shape {shape}, but the recipe "
                f"asks for {size} × {size}; prepare them at that size."
            )


def _learned_from(motion: MotionNetwork, windows: SegmentWindows) -> Iterator[bytes]:
    """Motion weights, and the tracks of the clips."""
    for value in motion.state_dict().values():
        yield value.numpy().tobytes()
    for segment, poses, expression in zip(
        windows.segments, windows.poses, windows.expression, strict=True
    ):
        yield from (segment.clip.name.encode(), poses.tobytes(), expression.tobytes())
