"""Training of the Audio-Motion Mapping Network in two stages (paper, section III-A).

Stage "motion space" learns motion encoder, basis and pose decoder from pose tracks alone (L_basis
and losses of ours); stage "audio" learns the audio encoder against the then frozen attention
(L_KL). Every step draws its batch from a generator of its own, so a run that was stopped goes on
exactly as it would have.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from osmnet_sdk.bundle import save_arrays
from osmnet_sdk.errors import InputError, OutputError
from osmnet_sdk.files import replaced
from osmnet_sdk.motion.network import (
    MotionNetwork,
    basis_loss,
    distance_loss,
    divergence_loss,
    pose_loss,
)
from osmnet_sdk.motion.sampler import WEIGHTS, MotionSampler
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from osmnet_sdk.training.clips import TrainingClip, read_clips, split_speakers
from osmnet_sdk.training.motion_calibration import calibrate
from osmnet_sdk.training.motion_card import motion_card
from osmnet_sdk.training.motion_data import MotionWindows, mirror_half, motion_windows, pose_scale
from osmnet_sdk.training.motion_figures import mean_attention
from osmnet_sdk.training.motion_recipe import MotionRecipe, StageRecipe

STAGES = ("motion space", "audio")

_EVERY = 250
"""Steps from one checkpoint and log line to the next."""

Losses = dict[str, Tensor]


def train_motion(
    recipe: MotionRecipe,
    clips_folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    work: str | os.PathLike[str],
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> tuple[Path, Path]:
    """Train the network and the sampler's calibration; write the weights and their card.

    Args:
        recipe: what to train.
        clips_folder: training clips, as of `read_clips`.
        output: folder for motion.safetensors and motion.md.
        work: folder for checkpoint and log; it is made. A run that was stopped goes on from there.
        progress: called with (stage, done, total).
        cancel: asked after each step.

    Returns:
        The paths of the weights and the card.

    Raises:
        InputError: if the clips cannot be used.
        OutputError: if a folder cannot be written to.
        Cancelled: if `cancel` returns True; the checkpoint stays.
    """
    clips = read_clips(clips_folder, progress=progress, cancel=cancel)
    training, validation = split_speakers(clips, recipe.validation_share, recipe.seed)
    network = train_network(recipe, training, work, progress=progress, cancel=cancel)
    calibration = calibrate(network, training, recipe, progress=progress, cancel=cancel)
    attention = mean_attention(network, motion_windows(training, recipe))
    sampler = MotionSampler(network, calibration, attention)
    weights = Path(output) / WEIGHTS
    save_arrays(weights, *sampler.stored())
    card = weights.with_suffix(".md")
    text = motion_card(network, sampler, training, validation, recipe)
    with replaced(card) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return weights, card


def train_network(
    recipe: MotionRecipe,
    clips: Sequence[TrainingClip],
    folder: str | os.PathLike[str],
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> MotionNetwork:
    """Train the network, or go on where a stopped run of the same recipe and clips left off.

    Args:
        recipe: what to train.
        clips: training clips; those without sound count in the first stage only.
        folder: for the checkpoint (motion-checkpoint.safetensors) and the log (motion-log.jsonl,
            one line of losses every 250 steps).
        progress: called with (stage, steps done, steps in all).
        cancel: asked after each step.

    Returns:
        The network, with its feature scale set.

    Raises:
        InputError: if no clip is long enough or none has sound.
        OutputError: if the folder cannot be written to.
        Cancelled: if `cancel` returns True; the checkpoint stays.
    """
    place = _made_folder(Path(folder))
    windows = motion_windows(clips, recipe)
    if not len(windows.heard):
        raise InputError("None of the training clips has sound; add NAME.wav beside NAME.npz.")
    network = _new_network(recipe, windows)
    run = _Run(recipe, network, place, _fingerprint(recipe, windows), Reporter(progress, cancel))
    run.stage("motion space", recipe.motion_space, lambda seed: _space_losses(run, windows, seed))
    run.stage("audio", recipe.audio, lambda seed: _audio_losses(run, windows, seed))
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


class _Run:
    """A training run: its network, log and checkpoint."""

    def __init__(
        self,
        recipe: MotionRecipe,
        network: MotionNetwork,
        folder: Path,
        fingerprint: str,
        reporter: Reporter,
    ) -> None:
        self.recipe = recipe
        self.network = network
        self.fingerprint = fingerprint
        self.reporter = reporter
        self.path = folder / "motion-checkpoint.safetensors"
        self.log = folder / "motion-log.jsonl"
        self.resumed: Checkpoint | None = load_checkpoint(self.path, fingerprint)
        if self.resumed is not None:
            self.resumed.restore_network(network)
        else:
            self.log.unlink(missing_ok=True)

    def stage(self, name: str, stage: StageRecipe, losses: Callable[[int], Losses]) -> None:
        """Run the steps of a stage that are not done yet; they minimise the loss "total"."""
        start = 0
        optimiser = torch.optim.Adam(self._parameters(name), lr=stage.learning_rate)
        if self.resumed is not None:
            if STAGES.index(self.resumed.stage) > STAGES.index(name):
                return
            if self.resumed.stage == name:
                start = self.resumed.step
                self.resumed.restore_optimiser(optimiser)
        self.network.train()
        for step in range(start, stage.steps):
            share = 0.55 + 0.45 * math.cos(math.pi * step / stage.steps)
            optimiser.param_groups[0]["lr"] = stage.learning_rate * share
            found = losses(_step_seed(self.recipe.seed, name, step))
            optimiser.zero_grad()
            found["total"].backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            self.reporter.step(name, step + 1, stage.steps)
            if (step + 1) % _EVERY == 0 or step + 1 == stage.steps:
                self._keep(optimiser, name, step + 1, found)

    def _parameters(self, stage: str) -> list[torch.nn.Parameter]:
        of_audio = set(map(id, self.network.audio_encoder.parameters()))
        wanted = stage == "audio"
        return [p for p in self.network.parameters() if (id(p) in of_audio) == wanted]

    def _keep(self, optimiser: torch.optim.Adam, stage: str, step: int, losses: Losses) -> None:
        save_checkpoint(
            self.path,
            self.network,
            optimiser,
            stage=stage,
            step=step,
            fingerprint=self.fingerprint,
        )
        line = {"stage": stage, "step": step, "kappa": float(self.network.kappa.detach())}
        line |= {name: round(float(value.detach()), 6) for name, value in losses.items()}
        with self.log.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(json.dumps(line) + "\n")


def _space_losses(run: _Run, windows: MotionWindows, seed: int) -> Losses:
    """Losses of the first stage on a random batch."""
    recipe, network = run.recipe, run.network
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(windows.clips), (recipe.motion_space.batch,), generator=generator)
    clips = mirror_half(windows.clips[chosen], generator)
    features = network.motion_features(clips)
    combined = network.combine(network.log_attention(features).exp())
    # Over the batch's spread, so that L_basis is not made small by making features alike.
    spread = (features - features.mean(dim=0)).abs().sum(dim=1).mean().detach()
    share = torch.rand(len(clips), 1, generator=generator)
    mixed_features = share * features + (1 - share) * features.roll(1, 0)
    mixed_clips = share[..., None] * clips + (1 - share[..., None]) * clips.roll(1, 0)
    scale = network.pose_scale
    losses = {
        "basis": basis_loss(features, combined) / spread,
        "pose": pose_loss(network.decode(features), clips, scale),
        "basis_pose": pose_loss(network.decode(combined), clips, scale),
        "mixture": pose_loss(network.decode(mixed_features), mixed_clips, scale),
        "distance": distance_loss(features, clips, scale, recipe.spread),
    }
    losses["total"] = (
        recipe.basis_weight * losses["basis"]
        + losses["pose"]
        + losses["basis_pose"]
        + recipe.mixture_weight * losses["mixture"]
        + recipe.distance_weight * losses["distance"]
    )
    return losses


def _audio_losses(run: _Run, windows: MotionWindows, seed: int) -> Losses:
    """L_KL on a random batch of windows with sound."""
    recipe, network = run.recipe, run.network
    generator = torch.Generator().manual_seed(seed)
    heard = windows.heard
    chosen = heard[torch.randint(len(heard), (recipe.audio.batch,), generator=generator)]
    clips = mirror_half(windows.clips[chosen], generator)
    with torch.no_grad():
        weights = network.log_attention(network.motion_features(clips))
    with torch.random.fork_rng(devices=[]):  # dropout draws from torch's own generator
        torch.manual_seed(seed)
        audio_weights = network.audio_log_weights(windows.patches(chosen))
    return {"total": divergence_loss(weights, audio_weights)}


def _new_network(recipe: MotionRecipe, windows: MotionWindows) -> MotionNetwork:
    """A seeded network in the units of the data, its basis at clips that lie far apart."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
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


def _made_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make the folder '{folder}': {error.strerror}.") from error
    return folder


def _step_seed(seed: int, stage: str, step: int) -> int:
    digest = hashlib.sha256(f"{seed} {stage} {step}".encode()).digest()
    return int.from_bytes(digest[:7], "big")


def _fingerprint(recipe: MotionRecipe, windows: MotionWindows) -> str:
    digest = hashlib.sha256(recipe.model_dump_json().encode())
    for tensor in (windows.clips, windows.mel, windows.first_patch):
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
