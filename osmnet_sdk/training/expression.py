"""Training of the Expression Feature Extractor (paper, section III-B)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from osmnet_sdk.bundle import save_arrays
from osmnet_sdk.conventions import ARKIT_NAMES
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.network import (
    LANDMARK_WEIGHT,
    ExpressionExtractor,
    ExtractorConfig,
    LandmarkLoss,
)
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.files import output_folder
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.training.augmentation import AugmentationConfig
from osmnet_sdk.training.expression_data import (
    Clip,
    VoicePlan,
    babble_voices,
    cached_clips,
    spoken_clips,
    still_clips,
)
from osmnet_sdk.training.facegood import facegood_clips
from osmnet_sdk.training.loop import Stage, train_stages
from osmnet_sdk.training.mel_augmentation import Windows, band_limited, masked, recoloured
from osmnet_sdk.training.processes import Processes

CHECKPOINT = "expression-checkpoint.safetensors"
"""Name of the checkpoint in a run's folder."""

_PRESS = ARKIT_NAMES.index("mouthPressLeft")


class ExpressionRecipe(BaseModel):
    """All that decides what training makes; stored as JSON in models/recipes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 1
    texts: str = "speech_texts.json"
    """File of lines to read by language, beside the recipe."""
    config: ExtractorConfig = ExtractorConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    voices: tuple[VoicePlan, ...]
    """Synthetic voices to learn from."""
    validation: tuple[VoicePlan, ...] = ()
    """Synthetic voices that are only listened to for validation."""
    still_clips: int = Field(default=120, ge=0)
    """Clips of 4 s of noise or music, to which the mouth keeps still."""
    facegood_copies: int = Field(default=0, ge=0, le=20)
    """Augmented versions of the FACEGOOD recordings; 0 leaves them out."""
    masking: float = Field(default=0.4, ge=0.0, le=1.0)
    """Share of stretches with other sound laid over them as they are shown."""
    band_limit: float = Field(default=0.15, ge=0.0, le=1.0)
    """Share of stretches whose high and low bands are softened as they are shown."""
    closure_weight: float = Field(default=2.0, ge=0.0, le=20.0)
    """Weight of frames in which the lips are pressed together; others have 1."""
    steps: int = Field(default=4000, ge=1)
    batch: int = Field(default=24, ge=1)
    """Stretches in a batch."""
    frames: int = Field(default=64, ge=1)
    """Frames in a stretch."""
    learning_rate: float = Field(default=1e-3, gt=0.0)
    """Of Adam at its highest; it falls to 2 % of that along a cosine."""
    landmark_weight: float = Field(default=LANDMARK_WEIGHT, ge=0.0)
    """λ_ldmk; 0 trains without the landmark loss."""


def load_recipe(path: str | os.PathLike[str]) -> ExpressionRecipe:
    """Read a recipe.

    Raises:
        InputError: if the file is missing or is not a recipe.
    """
    source = Path(path)
    try:
        return ExpressionRecipe.model_validate_json(source.read_bytes())
    except OSError as error:
        raise InputError(
            f"Cannot read the recipe '{source}': {error.strerror or error}."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(
            f"The recipe '{source}' does not fit at {place}: {first['msg'].lower()}."
        ) from error


@dataclass(frozen=True)
class ExpressionData:
    """Clips to learn from and clips to validate with."""

    training: list[Clip]
    validation: list[Clip]


def prepare_data(
    recipe: ExpressionRecipe,
    model: FaceModel,
    *,
    texts: Path,
    cache: Path,
    facegood: Path | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> ExpressionData:
    """Make, or read from the cache, the clips of a recipe.

    Args:
        recipe: what to make.
        model: face model whose lips the coefficients are made for.
        texts: JSON file of lines by language.
        cache: folder for prepared clips.
        facegood: the FACEGOOD recordings (.npz), if the recipe asks for them.
        progress: called with (stage, done, total).
        cancel: asked between clips.

    Raises:
        InputError: if the texts or the recordings cannot be read.
        ModelError: if a speech synthesiser is missing.
        Cancelled: if `cancel` returns True.
    """
    report = Reporter(progress, cancel)
    try:
        lines: dict[str, list[str]] = json.loads(texts.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read the texts '{texts}'; give a JSON file.") from error
    geometry = LipGeometry.from_model(model)
    seen = recipe.config.model_dump(include={"bands", "hops", "past", "ahead"})
    babble = babble_voices(lines, np.random.default_rng(recipe.seed))

    def spoken(plans: tuple[VoicePlan, ...], clean: bool) -> list[Clip]:
        augmentation = None if clean else recipe.augmentation
        result: list[Clip] = []
        for plan in plans:
            name = f"{plan.voice.engine}-{plan.voice.name}-{plan.voice.language}"
            key = [plan.model_dump(), seen, geometry.gain.round(4).tolist(), recipe.seed]
            key += [augmentation and augmentation.model_dump(), lines]
            rng = np.random.default_rng([recipe.seed, *name.encode()])
            made = spoken_clips(plan, lines, geometry, recipe.config, augmentation, rng, babble)
            result += cached_clips(cache / f"{name}.npz", key, made, report)
        return result

    training = spoken(recipe.voices, clean=False)
    still = still_clips(
        recipe.still_clips, recipe.config, recipe.augmentation, np.random.default_rng(recipe.seed)
    )
    key = [recipe.still_clips, seen, recipe.augmentation.model_dump(), recipe.seed]
    training += cached_clips(cache / "still.npz", key, still, report)
    if recipe.facegood_copies:
        if facegood is None:
            raise InputError(
                "The recipe learns from the FACEGOOD recordings; say where they are, or set "
                "facegood_copies to 0."
            )
        key = [recipe.facegood_copies, seen, recipe.augmentation.model_dump(), recipe.seed]
        recorded = facegood_clips(
            facegood,
            geometry,
            recipe.config,
            recipe.augmentation,
            np.random.default_rng(recipe.seed),
            copies=recipe.facegood_copies,
        )
        training += cached_clips(cache / "facegood.npz", key, recorded, report)
    return ExpressionData(training, spoken(recipe.validation, clean=True))


def _batches(clips: list[Clip], recipe: ExpressionRecipe) -> Callable[[int], tuple[Tensor, ...]]:
    """Step → mel (B, past + T + ahead, bands, hops), truth (B, T, 52), mask (B, 1, 52), α (B, K).

    α is drawn from torch's own generator.
    """
    context = recipe.config.past + recipe.config.ahead
    lengths = np.array([len(clip.coefficients) for clip in clips], np.float64)
    chances = lengths / lengths.sum()

    def batch(step: int) -> tuple[Tensor, ...]:
        rng = np.random.default_rng([recipe.seed, step])
        mels, truths, masks = [], [], []
        for index in rng.choice(len(clips), recipe.batch, p=chances):
            clip = clips[index]
            start = int(rng.integers(0, max(len(clip.coefficients) - recipe.frames, 0) + 1))
            mels.append(clip.mel[start : start + recipe.frames + context].astype(np.float32))
            truths.append(clip.coefficients[start : start + recipe.frames])
            masks.append(clip.mask)
        heard = [_disturbed(index, mels, recipe, rng) for index in range(len(mels))]
        return (
            torch.from_numpy(np.stack(heard)),
            torch.from_numpy(np.stack(truths).astype(np.float32)),
            torch.from_numpy(np.stack(masks))[:, None],
            torch.randn(recipe.batch, recipe.config.identity),
        )

    return batch


def _disturbed(
    index: int, mels: list[Windows], recipe: ExpressionRecipe, rng: np.random.Generator
) -> Windows:
    """One stretch of a batch as the network hears it; the others are the babble around it."""
    result = mels[index]
    if rng.random() < recipe.masking:
        count = int(rng.integers(0, 4))
        others = [mels[(index + k) % len(mels)] for k in range(1, count + 1)]
        result = masked(result, others if len(mels) > count else [], rng)
    if rng.random() < recipe.band_limit:
        result = band_limited(result, rng)
    return recoloured(result, rng)


def expression_loss(
    predicted: Tensor,
    truth: Tensor,
    mask: Tensor,
    identity: Tensor,
    landmarks: LandmarkLoss,
    weight: float,
    closure_weight: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """‖β − β̂‖² (eq. 8) + λ_ldmk · landmark loss (eq. 9): sums over frames of losses and weights.

    Coefficients that the truth does not speak of count as true. Frames in which the lips are
    pressed together have a weight of their own: they are few, and what an eye misses most.
    """
    known = predicted * mask + truth * (1.0 - mask)
    loss = (known - truth).square().sum(-1)
    if weight:
        loss = loss + weight * landmarks(known, truth, identity)
    frames = torch.where(truth[..., _PRESS] > 0.15, closure_weight, 1.0)
    return (frames * loss).sum(), frames.sum()


class _Objective(nn.Module):
    """The loss on a batch of stretches."""

    def __init__(
        self,
        recipe: ExpressionRecipe,
        network: ExpressionExtractor,
        landmarks: LandmarkLoss,
        processes: Processes,
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.network = network
        self.landmarks = landmarks
        self.processes = processes

    def forward(
        self, mel: Tensor, truth: Tensor, mask: Tensor, identity: Tensor
    ) -> dict[str, Tensor]:
        """The mean loss as "total"; shapes of `_batch`, identity (B, K)."""
        loss, frames = expression_loss(
            self.network(mel, identity),
            truth,
            mask,
            identity,
            self.landmarks,
            self.recipe.landmark_weight,
            self.recipe.closure_weight,
        )
        # Shares differ in weight: over the mean weight, their mean is that of the whole batch.
        return {"total": loss / self.processes.mean(frames)}


def validation_loss(
    network: ExpressionExtractor, clips: list[Clip], landmarks: LandmarkLoss, weight: float
) -> float:
    """Mean loss over whole clips, on the mean head; the network is in evaluation mode."""
    device = network.lip_gain.device
    total, frames = 0.0, 0.0
    with torch.inference_mode():
        for clip in clips:
            identity = torch.zeros(1, network.config.identity, device=device)
            truth = torch.from_numpy(clip.coefficients.astype(np.float32))[None].to(device)
            mel = torch.from_numpy(clip.mel.astype(np.float32))[None].to(device)
            mask = torch.from_numpy(clip.mask)[None, None].to(device)
            predicted = network(mel, identity)
            loss, count = expression_loss(predicted, truth, mask, identity, landmarks, weight)
            total, frames = total + float(loss), frames + float(count)
    return total / max(frames, 1.0)


def train_expression(
    recipe: ExpressionRecipe,
    data: ExpressionData,
    model: FaceModel,
    *,
    out: Path,
    work: Path,
    curves: Path | None = None,
    processes: Processes | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> float:
    """Train the extractor and write its weights.

    Args:
        recipe: sizes, seed and schedule.
        data: of `prepare_data`, with clips of other sources added if there are any.
        model: the morphable model of the landmark loss.
        out: safetensors file to write, half precision; its folder is made.
        work: folder for the checkpoint; it is made. A run that was stopped goes on from there.
        curves: folder for TensorBoard, by default `work`.
        processes: those that train, by default this one on the CPU; the first of them writes.
        progress: called with ("expression", steps done, steps).
        cancel: asked after each step.

    Returns:
        The loss on the validation clips; 0 if there are none.

    Raises:
        InputError: if there is nothing to learn from.
        ModelError: if the packages of the extra "train" are not installed.
        OutputError: if a folder cannot be written to.
        Cancelled: if `cancel` returns True; the checkpoint stays.
    """
    clips = [clip for clip in data.training if len(clip.coefficients) >= recipe.frames]
    if not clips:
        raise InputError(f"No clip is {recipe.frames} frames long; give more speech.")
    output_folder(out.parent)
    processes = processes or Processes()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = ExpressionExtractor(recipe.config)
    network.lip_gain.copy_(torch.from_numpy(LipGeometry.from_model(model).gain))
    landmarks = LandmarkLoss(model)

    def validation() -> float:
        return validation_loss(network, data.validation, landmarks, recipe.landmark_weight)

    stage = Stage(
        name="expression",
        steps=recipe.steps,
        parameters=list(network.parameters()),
        batch=_batches(clips, recipe),
        objective=_Objective(recipe, network, landmarks, processes),
        rate=partial(_rate, recipe),
        seed=lambda step: recipe.seed + step,
        largest_gradient=1.0,
        measure=lambda: {"validation": validation()},
    )
    train_stages(
        network,
        [stage],
        processes,
        checkpoint=work / CHECKPOINT,
        curves=curves,
        fingerprint=recipe.model_dump_json(),
        progress=progress,
        cancel=cancel,
    )
    landmarks.to("cpu")
    if processes.is_first:
        save_extractor(out, network)
    return validation()


def _rate(recipe: ExpressionRecipe, step: int) -> float:
    """Warm up over 100 steps, then fall along a cosine to 2 %."""
    rate = recipe.learning_rate * min((step + 1) / 100, 1.0)
    return rate * float(0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * (step / recipe.steps))))


def save_extractor(path: Path, network: ExpressionExtractor) -> None:
    """Write weights in half precision with their configuration."""
    state = network.state_dict()
    arrays = {name: value.numpy().astype(np.float16) for name, value in state.items()}
    save_arrays(path, arrays, {"config": json.dumps(network.config.model_dump())})
