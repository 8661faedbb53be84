"""Training of the Expression Feature Extractor (paper, section III-B)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osmnet_sdk.audio.speech_encoder import SpeechEncoder
from osmnet_sdk.core.bundle import load_arrays, save_arrays
from osmnet_sdk.core.curves import cosine
from osmnet_sdk.core.files import output_folder
from osmnet_sdk.core.weights import network_arrays
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.network import (
    FORMATS,
    ExpressionExtractor,
    LandmarkLoss,
)
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.trainers.expression.batches import Source, expression_batches
from osmnet_sdk.research.trainers.expression.clips import Clip, Hears, cached_clips, hears
from osmnet_sdk.research.trainers.expression.data import (
    VoicePlan,
    babble_voices,
    held_clips,
    spoken_clips,
    still_clips,
)
from osmnet_sdk.research.trainers.expression.facegood import facegood_clips
from osmnet_sdk.research.trainers.expression.loss import Objective, validation_loss
from osmnet_sdk.research.trainers.expression.recipe import ExpressionRecipe
from osmnet_sdk.research.trainers.expression.recorded_clips import recorded_clips
from osmnet_sdk.research.trainers.loop import Stage, TrainingRun, seeded

CHECKPOINT = "expression-checkpoint.safetensors"
"""Name of the checkpoint in a run's folder."""
FINISHING_CHECKPOINT = "expression-finishing-checkpoint.safetensors"
"""Name of the second stage's checkpoint."""


@dataclass(frozen=True)
class ExpressionData:
    """Clips to learn from and clips to validate with.

    Attributes:
        training: of voices and sounds of which lips are made up: both stages learn from them.
        validation: of synthetic voices that are not learned from.
        recorded: of real speakers: the second stage learns from them as well.
    """

    training: list[Clip]
    validation: list[Clip]
    recorded: list[Clip] = field(default_factory=list)


def prepare_data(
    recipe: ExpressionRecipe,
    model: FaceModel,
    run: TrainingRun,
    *,
    texts: Path,
    facegood: Path | None = None,
    takes: Sequence[TrainingClip] = (),
    encoder: SpeechEncoder | None = None,
) -> ExpressionData:
    """Make the clips of a recipe, or read those that are kept.

    Args:
        recipe: what to make.
        model: face model whose lips the coefficients are made for.
        run: in whose folder prepared clips are kept.
        texts: JSON file of lines by language.
        facegood: the FACEGOOD recordings (.npz), if the recipe asks for them.
        takes: of real speakers, if the recipe asks for them.
        encoder: of speech, if the network hears its features.

    Raises:
        InputError: if the texts or the recordings cannot be read.
        ModelError: if a speech synthesiser is missing.
        Cancelled: if `cancel` returns True.
    """
    report = run.report
    try:
        lines: dict[str, list[str]] = json.loads(texts.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read the texts '{texts}'; give a JSON file.") from error
    geometry = LipGeometry.from_model(model)
    seen = recipe.config.model_dump(include={"features", "bands", "hops", "layers", "ahead"})
    hear = hears(recipe.config, encoder)
    lead = (
        0 if recipe.config.features == "mel" else recipe.lead
    )  # of mel windows, as they are shown
    babble = babble_voices(lines, np.random.default_rng(recipe.seed))

    def spoken(plans: tuple[VoicePlan, ...], clean: bool) -> list[Clip]:
        augmentation = None if clean else recipe.augmentation
        result: list[Clip] = []
        for plan in plans:
            name = f"{plan.voice.engine}-{plan.voice.name}-{plan.voice.language}"
            key = [plan.model_dump(), seen, geometry.gain.round(4).tolist(), recipe.seed]
            key += [augmentation and augmentation.model_dump(), lines, lead]
            rng = np.random.default_rng([recipe.seed, *name.encode()])
            made = spoken_clips(plan, lines, geometry, hear, augmentation, rng, babble, lead=lead)
            result += cached_clips(run.work / f"{name}.npz", key, made, report)
        return result

    training = spoken(recipe.voices, clean=False)
    still = still_clips(
        recipe.still_clips, hear, recipe.augmentation, np.random.default_rng(recipe.seed)
    )
    key = [recipe.still_clips, seen, recipe.augmentation.model_dump(), recipe.seed]
    training += cached_clips(run.work / "still.npz", key, still, report)
    if recipe.held_clips:
        rng = np.random.default_rng(recipe.seed)
        held = held_clips(recipe.held_clips, geometry, hear, recipe.augmentation, rng)
        key = [recipe.held_clips, seen, recipe.augmentation.model_dump(), recipe.seed]
        training += cached_clips(run.work / "held.npz", key, held, report)
    if recipe.facegood_copies:
        if facegood is None:
            raise InputError(
                "The recipe learns from the FACEGOOD recordings; say where they are, or set "
                "facegood_copies to 0."
            )
        key = [recipe.facegood_copies, seen, recipe.augmentation.model_dump(), recipe.seed]
        performed = facegood_clips(
            facegood,
            geometry,
            hear,
            recipe.augmentation,
            np.random.default_rng(recipe.seed),
            copies=recipe.facegood_copies,
        )
        training += cached_clips(run.work / "facegood.npz", key, performed, report)
    recorded = recorded_data(recipe, takes, geometry, hear) if recipe.recorded_copies else []
    return ExpressionData(training, spoken(recipe.validation, clean=True), recorded)


def recorded_data(
    recipe: ExpressionRecipe, takes: Sequence[TrainingClip], geometry: LipGeometry, hear: Hears
) -> list[Clip]:
    """Clips of real speakers as the recipe asks for them.

    Raises:
        InputError: if there are none with sound.
    """
    made = recorded_clips(
        takes,
        geometry,
        hear,
        recipe.augmentation,
        np.random.default_rng(recipe.seed),
        copies=recipe.recorded_copies,
    )
    clips = [clip for clip in made if len(clip.coefficients) >= recipe.frames]
    if not clips:
        raise InputError(
            "The recipe learns from takes of real speakers; give a folder of some with sound of "
            f"{recipe.frames} frames or more, or set recorded_copies to 0."
        )
    return clips


def train_expression(
    recipe: ExpressionRecipe,
    data: ExpressionData,
    model: FaceModel,
    run: TrainingRun,
    *,
    out: Path,
    start: ExpressionExtractor | None = None,
) -> float:
    """Train the extractor and write its weights.

    Args:
        recipe: sizes, seed and schedule.
        data: of `prepare_data`, with clips of other sources added if there are any.
        model: the morphable model of the landmark loss.
        run: where and by whom.
        out: safetensors file to write, half precision; its folder is made.
        start: a network that has been through the first stage; it is trained in place, by the
            second stage alone. None begins with the first stage.

    Returns:
        The loss on the validation clips; 0 if there are none.

    Raises:
        InputError: if there is nothing to learn from.
        OSMNetError: as `TrainingRun.train`.
    """
    clips = [clip for clip in data.training if len(clip.coefficients) >= recipe.frames]
    if not clips:
        raise InputError(f"No clip is {recipe.frames} frames long; give more speech.")
    output_folder(out.parent)
    gain = LipGeometry.from_model(model).gain
    network = start or _fresh(recipe, gain)
    lead = recipe.lead if recipe.config.features == "mel" else 0  # made with it otherwise
    landmarks = LandmarkLoss(model)
    objective = Objective(recipe, network, landmarks, run.processes)

    def validation() -> float:
        return validation_loss(network, data.validation, landmarks, recipe.landmark_weight)

    def stage(name: str, steps: int, rate: float, sources: list[Source], cycles: int = 1) -> Stage:
        return Stage(
            name=name,
            steps=steps,
            parameters=list(network.parameters()),
            batch=expression_batches(sources, recipe, gain),
            objective=objective,
            rate=lambda step: _rate(rate, step, steps, cycles),
            seed=lambda step: recipe.seed + step,
            largest_gradient=1.0,
            measure=lambda: {"validation": validation()},
        )

    if start is None:
        sources = [Source(clips, 1.0, lead)]
        rate = recipe.learning_rate
        first = stage("expression", recipe.steps, rate, sources, recipe.cycles)
        run.train(network, [first], CHECKPOINT, recipe.first_stage().model_dump_json())
    if recipe.finishing_steps:
        before = {name: value.clone() for name, value in network.state_dict().items()}
        share = recipe.recorded_share if data.recorded else 0.0
        sources = [Source(clips, 1.0 - share, lead)]
        sources += [Source(data.recorded, share)] if share else []
        rate = recipe.finishing_learning_rate
        finishing = stage("finishing", recipe.finishing_steps, rate, sources)
        again = replace(run, curves=(run.curves or run.work) / "finishing")
        again.train(network, [finishing], FINISHING_CHECKPOINT, recipe.model_dump_json())
        _mix(network, before, recipe.finished_share)
    landmarks.to("cpu")
    if run.processes.is_first:
        save_extractor(out, network)
    return validation()


def _mix(network: ExpressionExtractor, before: dict[str, Tensor], share: float) -> None:
    """Bring weights back towards those before; `share` is what stays of the change."""
    if share < 1.0:
        after = network.state_dict()
        network.load_state_dict(
            {name: share * after[name] + (1.0 - share) * before[name] for name in after}
        )


def _fresh(recipe: ExpressionRecipe, gain: NDArray[np.float64]) -> ExpressionExtractor:
    with seeded(recipe.seed):
        network = ExpressionExtractor(recipe.config)
    network.lip_gain.copy_(torch.from_numpy(gain))
    return network


def _rate(highest: float, step: int, steps: int, cycles: int) -> float:
    """Warm up over 100 steps, then fall along a cosine to 2 %; the same in each cycle."""
    place, length = step % (steps / cycles), steps / cycles
    return highest * min((place + 1) / 100, 1.0) * cosine(place, length, 0.02)


def starting_weights(path: Path) -> ExpressionExtractor:
    """The network that a recipe starts from.

    Raises:
        ModelError: if the file cannot be read or is of another kind.
    """
    return FORMATS["speech"].build(*load_arrays(path, "see the recipe's start"), f"'{path}'")


def save_extractor(path: Path, network: ExpressionExtractor) -> None:
    """Write weights in half precision with their configuration."""
    form = FORMATS[network.config.features]
    save_arrays(path, network_arrays(network), form.metadata(network.config))
