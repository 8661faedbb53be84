"""Training of the Audio-Motion Mapping Network in two stages (paper, section III-A).

Stage "motion space" learns motion encoder, basis and pose decoder from pose tracks alone (L_basis
and losses of ours); stage "audio" learns the audio encoder against the then frozen attention
(L_KL).
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from osmnet_sdk.core.bundle import save_arrays
from osmnet_sdk.core.curves import cosine, named_seed
from osmnet_sdk.core.files import output_folder
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.network import (
    MotionNetwork,
    basis_loss,
    distance_loss,
    divergence_loss,
    pose_loss,
)
from osmnet_sdk.motion.sampler import WEIGHTS, MotionSampler
from osmnet_sdk.research.data.clips import TrainingClip, read_clips, split_speakers
from osmnet_sdk.research.trainers.card import write_card
from osmnet_sdk.research.trainers.loop import Stage, TrainingRun, seeded
from osmnet_sdk.research.trainers.motion.calibration import calibrate
from osmnet_sdk.research.trainers.motion.card import motion_card
from osmnet_sdk.research.trainers.motion.data import (
    MotionWindows,
    mirror_half,
    motion_windows,
    pose_scale,
)
from osmnet_sdk.research.trainers.motion.figures import mean_attention
from osmnet_sdk.research.trainers.motion.recipe import MotionRecipe, StageRecipe
from osmnet_sdk.research.trainers.processes import Processes

CHECKPOINT = "motion-checkpoint.safetensors"
"""Name of the checkpoint in a run's folder."""


def train_motion(
    recipe: MotionRecipe,
    clips_folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    run: TrainingRun,
    statistics_folder: str | os.PathLike[str] | None = None,
) -> tuple[Path, Path]:
    """Train the network and the sampler's calibration; write the weights and their card.

    Args:
        recipe: what to train.
        clips_folder: training clips, as of `read_clips`.
        output: folder for motion.safetensors and motion.md; it is made.
        run: where and by whom.
        statistics_folder: further clips that only the calibration sees.

    Returns:
        The paths of the weights and the card.

    Raises:
        InputError: if the clips cannot be used.
        OSMNetError: as `TrainingRun.train`.
    """
    weights = output_folder(output) / WEIGHTS
    card = weights.with_suffix(".md")
    clips = read_clips(clips_folder, progress=run.progress, cancel=run.cancel)
    training, validation = split_speakers(clips, recipe.validation_share, recipe.seed)
    network = train_network(recipe, training, run)
    if not run.processes.is_first:
        return weights, card
    more = []
    if statistics_folder is not None:
        more = read_clips(statistics_folder, progress=run.progress, cancel=run.cancel)
    calibration = calibrate(
        network, [*training, *more], recipe, progress=run.progress, cancel=run.cancel
    )
    attention = mean_attention(network, motion_windows(training, recipe))
    sampler = MotionSampler(network, calibration, attention)
    save_arrays(weights, *sampler.stored())
    write_card(card, motion_card(network, sampler, training, validation, recipe, more))
    return weights, card


def train_network(
    recipe: MotionRecipe, clips: Sequence[TrainingClip], run: TrainingRun
) -> MotionNetwork:
    """Train the network, or go on where a stopped run of the same recipe and clips left off.

    Args:
        recipe: what to train.
        clips: training clips; those without sound count in the first stage only.
        run: where and by whom; the checkpoint is motion-checkpoint.safetensors.

    Returns:
        The network on the CPU, with its feature scale set.

    Raises:
        InputError: if no clip is long enough or none has sound.
        OSMNetError: as `TrainingRun.train`.
    """
    windows = motion_windows(clips, recipe)
    if not len(windows.heard):
        raise InputError("None of the training clips has sound; add NAME.wav beside NAME.npz.")
    network = _new_network(recipe, windows)
    stages = [
        _space_stage(recipe, network, windows, run.processes),
        _audio_stage(recipe, network, windows),
    ]
    seen = (windows.clips, windows.mel, windows.first_patch)
    fingerprint = recipe.digest(tensor.numpy().tobytes() for tensor in seen)
    run.train(network, stages, CHECKPOINT, fingerprint)
    set_feature_scale(network, windows)
    return network


def untrained_network(recipe: MotionRecipe, clips: Sequence[TrainingClip]) -> MotionNetwork:
    """The network of a recipe as it is before its first step, with its units and scale set."""
    windows = motion_windows(clips, recipe)
    network = _new_network(recipe, windows)
    set_feature_scale(network, windows)
    return network


def set_feature_scale(network: MotionNetwork, windows: MotionWindows) -> None:
    """Scale features so that the median ‖F_m − F_c‖ of windows with sound is 1."""
    network.eval()
    with torch.no_grad():
        network.feature_scale.fill_(1.0)
        distances = []
        for part in torch.split(windows.heard, 1024):
            centres = network.combine(network.audio_log_weights(windows.patches(part)).exp())
            features = network.motion_features(windows.clips[part])
            distances.append((features - centres).norm(dim=1))
        network.feature_scale.fill_(1.0 / float(torch.cat(distances).median()))


class _SpaceObjective(nn.Module):
    """Losses of the first stage: motion encoder, basis and pose decoder."""

    def __init__(self, recipe: MotionRecipe, network: MotionNetwork, processes: Processes) -> None:
        super().__init__()
        self.recipe = recipe
        self.network = network
        self.processes = processes

    def forward(self, clips: Tensor, share: Tensor) -> dict[str, Tensor]:
        """Figures of clips (N, T, 6), each mixed by a share (N, 1) with the one before it."""
        network, processes = self.network, self.processes
        scale = network.pose_scale
        # The order of operations is that in which gradients add up: another one makes networks that
        # differ in the last bits from those trained before.
        features = network.motion_features(clips)
        combined = network.combine(network.log_attention(features).exp())
        # What compares clips with each other sees the batch of all processes.
        all_features, all_clips = processes.gathered(features), processes.gathered(clips)
        # Over the batch's spread, so that L_basis is not made small by making features alike.
        spread = (all_features - all_features.mean(dim=0)).abs().sum(dim=1).mean().detach()
        mixed_features = share * features + (1 - share) * processes.share(all_features.roll(1, 0))
        clips_before = processes.share(all_clips.roll(1, 0))
        mixed_clips = share[..., None] * clips + (1 - share[..., None]) * clips_before
        losses = {
            "basis": basis_loss(features, combined) / spread,
            "pose": pose_loss(network.decode(features), clips, scale),
            "basis_pose": pose_loss(network.decode(combined), clips, scale),
            "mixture": pose_loss(network.decode(mixed_features), mixed_clips, scale),
            "distance": distance_loss(all_features, all_clips, scale, self.recipe.spread),
        }
        total = (
            self.recipe.basis_weight * losses["basis"]
            + losses["pose"]
            + losses["basis_pose"]
            + self.recipe.mixture_weight * losses["mixture"]
            + self.recipe.distance_weight * losses["distance"]
        )
        return losses | {"total": total, "kappa": network.kappa.detach()}


class _AudioObjective(nn.Module):
    """L_KL, the loss of the second stage: the audio encoder against the attention."""

    def __init__(self, network: MotionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, clips: Tensor, mel: Tensor) -> dict[str, Tensor]:
        """Figures of clips (N, T, 6) and their sound, (N, T, bands, hops)."""
        with torch.no_grad():
            weights = self.network.log_attention(self.network.motion_features(clips))
        return {"total": divergence_loss(weights, self.network.audio_log_weights(mel))}


def _space_stage(
    recipe: MotionRecipe, network: MotionNetwork, windows: MotionWindows, processes: Processes
) -> Stage:
    def batch(step: int) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(seed(step))
        size = (recipe.motion_space.batch,)
        chosen = torch.randint(len(windows.clips), size, generator=generator)
        clips = mirror_half(windows.clips[chosen], generator)
        return clips, torch.rand(len(clips), 1, generator=generator)

    of_audio = set(map(id, network.audio_encoder.parameters()))
    seed = partial(named_seed, recipe.seed, "motion space")
    return Stage(
        name="motion space",
        steps=recipe.motion_space.steps,
        parameters=[p for p in network.parameters() if id(p) not in of_audio],
        batch=batch,
        objective=_SpaceObjective(recipe, network, processes),
        rate=partial(_rate, recipe.motion_space),
        seed=seed,
    )


def _audio_stage(recipe: MotionRecipe, network: MotionNetwork, windows: MotionWindows) -> Stage:
    heard = windows.heard

    def batch(step: int) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(seed(step))
        chosen = heard[torch.randint(len(heard), (recipe.audio.batch,), generator=generator)]
        return mirror_half(windows.clips[chosen], generator), windows.patches(chosen)

    seed = partial(named_seed, recipe.seed, "audio")
    return Stage(
        name="audio",
        steps=recipe.audio.steps,
        parameters=list(network.audio_encoder.parameters()),
        batch=batch,
        objective=_AudioObjective(network),
        rate=partial(_rate, recipe.audio),
        seed=seed,
    )


def _rate(recipe: StageRecipe, step: int) -> float:
    """Learning rate: from its highest to a tenth along half a cosine."""
    return recipe.learning_rate * cosine(step, recipe.steps, 0.1)


def _new_network(recipe: MotionRecipe, windows: MotionWindows) -> MotionNetwork:
    """A seeded network in the units of the data, its basis at clips that lie far apart."""
    with seeded(recipe.seed):
        network = MotionNetwork(recipe.config)
    with torch.no_grad():
        network.pose_scale.copy_(pose_scale(windows.clips))
        network.mel_mean.copy_(windows.mel.mean(dim=(0, 2)))
        network.mel_deviation.copy_(windows.mel.std(dim=(0, 2)).clamp_min(1e-3))
        features = network.motion_features(windows.clips)
        network.directions.copy_(_spread_out(features, recipe.config.basis_vectors, recipe.seed))
    return network


def _spread_out(features: Tensor, count: int, seed: int) -> Tensor:
    """Rows of `features` that lie apart: each drawn by its squared distance to those before."""
    generator = torch.Generator().manual_seed(seed)
    chosen = [int(torch.randint(len(features), (1,), generator=generator))]
    distance = torch.full((len(features),), math.inf)
    for _ in range(count - 1):
        distance = torch.minimum(distance, (features - features[chosen[-1]]).square().sum(dim=1))
        chosen.append(int(torch.multinomial(distance + 1e-12, 1, generator=generator)))
    return features[chosen]
