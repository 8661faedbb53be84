"""What a trained motion network can do, in numbers, for its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from osmnet_sdk.audio.activity import speech_energy
from osmnet_sdk.audio.load import Audio
from osmnet_sdk.motion.features import MotionFeatures
from osmnet_sdk.motion.network import MotionNetwork, divergence_loss
from osmnet_sdk.motion.sampler import MotionSampler
from osmnet_sdk.motion.shaping import mean_speed, smooth
from osmnet_sdk.options import SampleOptions
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.data.motion_statistics import head_speed, shifted_correlations
from osmnet_sdk.research.trainers.motion.data import MotionWindows, clean_poses
from osmnet_sdk.research.trainers.motion.recipe import MotionRecipe

Array = NDArray[np.float64]

_SHORTEST = 150
"""Shorter clips say too little about the size of motion, in frames (6 s)."""

_TAKES = 5


@dataclass(frozen=True, eq=False)
class SpaceFigures:
    """Motion space and audio mapping on some clips.

    Attributes:
        basis_error: mean ‖F_m − F̃_m‖₂ over the mean distance of F_m from its mean.
        pose_share: (6,), share of the variance of a clip's change that F_m keeps.
        basis_pose_share: (6,), the same for F̃_m.
        divergence: L_KL with the audio encoder; None without sound.
        blind_divergence: L_KL with the same weights for every sound.
    """

    basis_error: float
    pose_share: Array
    basis_pose_share: Array
    divergence: float | None
    blind_divergence: float | None


@dataclass(frozen=True, eq=False)
class MotionStatistics:
    """Medians over clips, or over takes for the sound of these clips.

    Attributes:
        deviation: (3,), standard deviation of pitch, yaw, roll, in degrees.
        speed: (3,), mean speed, in degrees per second.
        acceleration: (3,), mean acceleration, in degrees per second squared.
        travel: (3,), standard deviation of x, y, z, in millimetres.
    """

    deviation: Array
    speed: Array
    acceleration: Array
    travel: Array


def space_figures(
    network: MotionNetwork, windows: MotionWindows, blind: torch.Tensor
) -> SpaceFigures:
    """Measure the motion space on windows.

    Args:
        network: trained.
        windows: of some clips.
        blind: (S,), log of the weights that do not listen, as of `blind_weights`.
    """
    with torch.no_grad():
        features = network.motion_features(windows.clips)
        attention = network.log_attention(features)
        combined = network.combine(attention.exp())
        spread = (features - features.mean(dim=0)).norm(dim=1).mean()
        error = (features - combined).norm(dim=1).mean() / spread
        divergence = None
        heard = windows.heard
        if len(heard):
            found = torch.cat(
                [
                    network.audio_log_weights(windows.patches(part))
                    for part in torch.split(heard, 512)
                ]
            )
            divergence = float(divergence_loss(attention[heard], found))
        deaf = blind.expand(len(heard), -1)
        return SpaceFigures(
            float(error),
            _share(network.decode(features), windows.clips),
            _share(network.decode(combined), windows.clips),
            divergence,
            float(divergence_loss(attention[heard], deaf)) if len(heard) else None,
        )


def mean_attention(network: MotionNetwork, windows: MotionWindows) -> NDArray[np.float32]:
    """Mean attention on each basis vector over windows, (S,); the shares add up to 1."""
    with torch.no_grad():
        weights = network.log_attention(network.motion_features(windows.clips)).exp()
        shares: NDArray[np.float32] = weights.mean(dim=0).numpy()
        return shares


def blind_weights(network: MotionNetwork, windows: MotionWindows) -> torch.Tensor:
    """Log of the mean attention over windows with sound, (S,): the best guess without listening."""
    with torch.no_grad():
        features = network.motion_features(windows.clips[windows.heard])
        return network.log_attention(features).exp().mean(dim=0).log()


def real_statistics(clips: Sequence[TrainingClip], recipe: MotionRecipe) -> MotionStatistics:
    """Statistics of clips with sound of 6 s or more, noise taken out as in training."""
    return _medians([clean_poses(clip, recipe) for clip in long_clips(clips)])


def sampled_statistics(
    sampler: MotionSampler, clips: Sequence[TrainingClip], recipe: MotionRecipe
) -> MotionStatistics:
    """Statistics of five takes for the sound of each of these clips, smoothed as these are."""
    paths = []
    for clip in long_clips(clips):
        assert clip.samples is not None
        features = sampler.features(Audio(clip.samples, clip.name))
        for take in range(_TAKES):
            motion = sampler.sample(features, take=take, seed=0)
            angles = smooth(motion.rotation, recipe.rotation_smoothing)
            places = smooth(motion.translation, recipe.translation_smoothing)
            paths.append(np.hstack([angles, places]))
    return _medians(paths)


@dataclass(frozen=True)
class PartFigures:
    """Takes of which a part was left out, medians over clips, over those of whole takes.

    Attributes:
        name: what remains or is missing.
        deviation: standard deviation of the angles.
        speed: mean speed of the angles.
        correlation: of head speed with the level of the sound, not relative.
    """

    name: str
    deviation: float
    speed: float
    correlation: float


def part_figures(
    sampler: MotionSampler, clips: Sequence[TrainingClip], recipe: MotionRecipe
) -> list[PartFigures]:
    """How much of the motion each part of the sampler makes.

    Args:
        sampler: with its calibration.
        clips: those with sound of 6 s or more are used.
        recipe: its smoothing is applied.
    """
    calibration = sampler.calibration

    unburst = MotionSampler(sampler.network, replace(calibration, bursts=np.zeros(6)))
    steady = MotionSampler(sampler.network, replace(calibration, tremor=np.zeros(6)))

    def unasked(features: MotionFeatures) -> MotionFeatures:
        return replace(features, asked=np.zeros_like(features.asked))

    def even(features: MotionFeatures) -> MotionFeatures:
        usual = np.full_like(features.liveliness, features.liveliness.mean())
        return replace(features, liveliness=usual)

    alone = SampleOptions(epsilon=0.0)
    whole = SampleOptions()
    parts: list[
        tuple[str, MotionSampler, Callable[[MotionFeatures], MotionFeatures], SampleOptions]
    ] = [
        ("whole takes", sampler, lambda found: found, whole),
        ("what the voice asks for (ε = 0)", sampler, lambda found: found, alone),
        ("of this, the network's centre alone", sampler, unasked, alone),
        ("without what the voice asks for", sampler, unasked, whole),
        ("without bursts", unburst, lambda found: found, whole),
        ("without calm in pauses", sampler, even, whole),
        ("without tremor", steady, lambda found: found, whole),
    ]
    heard = [
        (sampler.features(Audio(clip.samples, clip.name)), speech_energy(clip.samples))
        for clip in long_clips(clips)
        if clip.samples is not None
    ]
    rows = []
    for name, used, change, options in parts:
        found = []
        for features, level in heard:
            track = used.sample(change(features), take=0, seed=0, options=options)
            angles = smooth(track.rotation, recipe.rotation_smoothing)
            match = shifted_correlations(head_speed(angles), level)[0]
            found.append((angles.std(axis=0).mean(), mean_speed(angles).mean(), match))
        rows.append((name, *np.median(found, axis=0)))
    size, pace = rows[0][1:3]
    return [PartFigures(name, one / size, two / pace, three) for name, one, two, three in rows]


def long_clips(clips: Sequence[TrainingClip]) -> list[TrainingClip]:
    """Clips with sound of 6 s or more."""
    return [clip for clip in clips if clip.samples is not None and len(clip) >= _SHORTEST]


def _share(decoded: torch.Tensor, clips: torch.Tensor) -> Array:
    missed = (decoded - clips)[:, -1].square().mean(dim=0)
    share: Array = (1 - missed / clips[:, -1].square().mean(dim=0)).numpy().astype(np.float64)
    return share


def _medians(paths: list[Array]) -> MotionStatistics:
    rows = [
        (
            path[:, :3].std(axis=0),
            mean_speed(path[:, :3]),
            mean_speed(np.diff(path[:, :3], axis=0)) * 25.0,
            path[:, 3:].std(axis=0) * 1000.0,
        )
        for path in paths
    ]
    return MotionStatistics(*np.median(np.array(rows), axis=0))
