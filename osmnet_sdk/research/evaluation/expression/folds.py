"""Lips of real speakers, predicted by networks that have never seen them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from osmnet_sdk.audio.speech_encoder import SpeechEncoder
from osmnet_sdk.core.files import output_folder
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.network import ExpressionExtractor
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.progress import CancelCallback, ProgressCallback
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.evaluation.expression.tracked_lips import measurable
from osmnet_sdk.research.evaluation.motion.folds import speaker_folds
from osmnet_sdk.research.trainers.expression.clips import hears
from osmnet_sdk.research.trainers.expression.recipe import ExpressionRecipe, without
from osmnet_sdk.research.trainers.expression.train import (
    ExpressionData,
    prepare_data,
    recorded_data,
    starting_weights,
    train_expression,
)
from osmnet_sdk.research.trainers.loop import TrainingRun

_FILE = "expression.safetensors"
_FIRST = "first-stage"


@dataclass(frozen=True)
class ExpressionFolds:
    """How networks for unseen speakers are made.

    Attributes:
        recipe: file of the training's recipe.
        count: groups of speakers, each of which is left out once.
        models: folder for what is made; what is there is not made again.
        facegood: the FACEGOOD recordings, if the recipe asks for them.
        without: parts that are left out of the recipe, see `expression_recipe.without`.
    """

    recipe: Path
    count: int
    models: Path
    facegood: Path | None = None
    without: Sequence[str] = ()


def fold_networks(
    clips: Sequence[TrainingClip],
    folds: ExpressionFolds,
    recipe: ExpressionRecipe,
    model: FaceModel,
    encoder: SpeechEncoder | None = None,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> dict[str, ExpressionExtractor]:
    """A network for each speaker, trained as the recipe says on all others.

    The first stage knows no real speaker and is made once.

    Args:
        clips: takes of real speakers with their sound.
        folds: where, and into how many groups.
        recipe: of `folds.recipe`, less what is left out.
        model: the face model.
        encoder: of speech, if the recipe's network hears its features.
        progress: called with (stage, done, total).
        cancel: asked between steps.

    Returns:
        Networks by speaker, of every speaker whose clips can be measured.

    Raises:
        InputError: if there are fewer speakers than groups, or nothing to learn from.
        ModelError: if a synthesiser, or the weights that the recipe starts from, are missing.
        Cancelled: if `cancel` returns True; checkpoints stay.
    """
    groups = speaker_folds(measurable(clips), folds.count)
    models = output_folder(folds.models)
    run = TrainingRun(models / "sounds", progress=progress, cancel=cancel)
    texts = folds.recipe.parent / recipe.texts
    data = prepare_data(
        recipe.first_stage(), model, run, texts=texts, facegood=folds.facegood, encoder=encoder
    )
    first = folds.recipe.parent / recipe.start if recipe.start else None
    if first is None:
        alone = recipe.first_stage()
        first = models / f"{_FIRST}-{_digest(alone, [], b'')}" / _FILE
        if not first.is_file():
            train_expression(alone, data, model, replace(run, work=first.parent), out=first)
    result: dict[str, ExpressionExtractor] = {}
    for held_out in groups:
        others = [clip for clip in clips if clip.speaker not in held_out]
        weights = models / _digest(recipe, others, first.read_bytes()) / _FILE
        if not weights.is_file():
            recorded = (
                recorded_data(
                    recipe, others, LipGeometry.from_model(model), hears(recipe.config, encoder)
                )
                if recipe.recorded_copies
                else []
            )
            train_expression(
                recipe, ExpressionData(data.training, data.validation, recorded), model,
                replace(run, work=weights.parent), out=weights, start=starting_weights(first),
            )  # fmt: skip
        network = starting_weights(weights)
        result |= dict.fromkeys(held_out, network)
    return result


def folded_recipe(folds: ExpressionFolds) -> ExpressionRecipe:
    """The recipe of the folds, less what is left out.

    Raises:
        InputError: if it cannot be read, or has no such part.
    """
    return without(ExpressionRecipe.read(folds.recipe), folds.without)


def _digest(recipe: ExpressionRecipe, clips: Sequence[TrainingClip], start: bytes) -> str:
    """Of all that a network is made from, but for texts and recordings: 16 hexadecimal digits."""
    data = (
        piece
        for clip in clips
        for piece in (
            f"\n{clip.name} {clip.speaker} {len(clip)}\n".encode(),
            clip.take.expression.coefficients.tobytes(),
            b"silent" if clip.samples is None else clip.samples.tobytes(),
        )
    )
    return recipe.digest(chain([hashlib.sha256(start).digest()], data))[:16]
