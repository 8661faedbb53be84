"""Measures real motion in a trained network's feature space, for the sampler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.network import MotionNetwork
from osmnet_sdk.motion.path import random_path
from osmnet_sdk.motion.sampler import MotionSampler
from osmnet_sdk.motion.shaping import mean_speed
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.training.clips import TrainingClip
from osmnet_sdk.training.motion_data import clean_poses, motion_windows
from osmnet_sdk.training.motion_recipe import MotionRecipe

Array = NDArray[np.float64]

_SHORTEST = 150
"""Clips of fewer frames say too little about slow motion (6 s)."""

_KEPT = 0.995
"""Share of the variance of paths that the kept directions explain."""

_ORDER = 50
"""Frames that an autoregression looks back (2 s)."""

_DRIFT_SECONDS = 10.0

_LEAK_RANGE = (0.5, 4.0)
"""Seconds; with a weaker pull, heads stay turned away for longer than people's do."""

_SHARPNESS_RANGE = (0.0, 2.0)
_ROUNDS = 8
_TAKES = 4


def calibrate(
    network: MotionNetwork,
    clips: Sequence[TrainingClip],
    recipe: MotionRecipe,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> Calibration:
    """Measure the paths of real clips and fit the sampler's gains and leaks to their statistics.

    Gains, leaks and sharpness are found by sampling takes for the clips' own sound and comparing
    medians over clips of mean speed, standard deviation and mean acceleration.

    Args:
        network: trained, with its feature scale set.
        clips: training clips; those with sound of 6 s or more are used.
        recipe: of the training.
        progress: called with ("calibration", rounds done, rounds).
        cancel: asked after each round.

    Raises:
        InputError: if no clip with sound is long enough.
        Cancelled: if `cancel` returns True.
    """
    used = [clip for clip in clips if clip.samples is not None and len(clip) >= _SHORTEST]
    if not used:
        raise InputError(
            f"Calibration needs a training clip with sound of {_SHORTEST} frames or more."
        )
    network.eval()
    directions, recursion = _path_statistics(_real_paths(network, used, recipe), network)
    calibration = Calibration(
        directions=directions,
        recursion=recursion,
        gains=np.ones(6),
        leaks=np.full(6, 3.0),
        predicted_speed=np.array([0.0, 1.0]),
        sharpness=0.5,
        drift=_DRIFT_SECONDS,
    )
    speeds = _predicted_speed(MotionSampler(network, calibration), used)
    calibration = replace(calibration, predicted_speed=speeds)
    real = np.median([_statistics(clean_poses(clip, recipe)) for clip in used], axis=0)
    reporter = Reporter(progress, cancel)
    for done in range(_ROUNDS):
        reporter.step("calibration", done, _ROUNDS)
        found = np.median(list(_sampled_statistics(network, calibration, used)), axis=0)
        calibration = _corrected(calibration, real, found)
    reporter.step("calibration", _ROUNDS, _ROUNDS)
    return calibration


def _real_paths(
    network: MotionNetwork, clips: Sequence[TrainingClip], recipe: MotionRecipe
) -> list[Array]:
    """F_m − F_c along each clip, (K, C)."""
    paths = []
    with torch.no_grad():
        for clip in clips:
            windows = motion_windows([clip], recipe)
            centres = network.combine(
                network.audio_log_weights(windows.patches(windows.heard)).exp()
            )
            offsets = network.motion_features(windows.clips) - centres
            paths.append(offsets.numpy().astype(np.float64))
    return paths


def _path_statistics(paths: list[Array], network: MotionNetwork) -> tuple[Array, Array]:
    """Directions (R, C) and autoregressions (R, P); each clip counts alike, whatever its size."""
    span = np.linalg.svd(network.basis.detach().numpy().astype(np.float64), full_matrices=False)[2]
    inside = [path @ span.T for path in paths]
    sizes = [np.sqrt(np.mean(np.sum(path**2, axis=1))) for path in inside]
    covariance = np.mean(
        [path.T @ path / len(path) / size**2 for path, size in zip(inside, sizes, strict=True)],
        axis=0,
    )
    variances, vectors = np.linalg.eigh(covariance)
    variances, vectors = variances[::-1], vectors[:, ::-1]
    count = 1 + int(np.searchsorted(np.cumsum(variances), _KEPT * variances.sum()))
    count = min(count, len(variances))
    lengths = np.sqrt(variances[:count]) * np.median(sizes)
    directions = (vectors[:, :count] * lengths).T @ span
    correlations = np.zeros((count, _ORDER + 1))
    for path, size in zip(inside, sizes, strict=True):
        columns = path @ vectors[:, :count] / size
        for lag in range(_ORDER + 1):
            correlations[:, lag] += np.sum(columns[: len(path) - lag] * columns[lag:], axis=0)
    return directions, np.stack([_autoregression(row) for row in correlations])


def _autoregression(correlation: Array) -> Array:
    """Coefficients (P,) of the process with these autocorrelations (P + 1,) (Yule–Walker)."""
    from scipy.linalg import solve_toeplitz

    ridge = correlation.copy()
    ridge[0] *= 1.001  # keeps the recursion stable
    coefficients: Array = solve_toeplitz(ridge[:-1], ridge[1:])
    return coefficients


def _predicted_speed(sampler: MotionSampler, clips: Sequence[TrainingClip]) -> Array:
    """Mean over all speech, and standard deviation within a clip, of the predicted log speed."""
    speeds = []
    for clip in clips:
        speed, activity = sampler.predicted_speed(_audio(clip))
        speeds.append(speed[activity > 0.5])
    within = np.concatenate([speed - np.mean(speed) for speed in speeds if len(speed)])
    return np.array([np.concatenate(speeds).mean(), within.std()])


def _audio(clip: TrainingClip) -> Audio:
    assert clip.samples is not None
    return Audio(clip.samples, clip.name)


def _sampled_statistics(
    network: MotionNetwork, calibration: Calibration, clips: Sequence[TrainingClip]
) -> Iterator[Array]:
    sampler = MotionSampler(network, calibration)
    for index, clip in enumerate(clips):
        features = sampler.features(_audio(clip))
        for take in range(_TAKES):
            path = random_path(calibration, len(features.weights), seed=index, take=take, begin=0)
            yield _statistics(sampler.decode_path(features, path))


def _statistics(poses: Array) -> Array:
    """Standard deviation, mean speed and mean acceleration of each column, (3, 6)."""
    return np.stack(
        [poses.std(axis=0), mean_speed(poses), mean_speed(np.diff(poses, axis=0) * 25.0)]
    )


def _corrected(calibration: Calibration, real: Array, found: Array) -> Calibration:
    """The calibration after one step towards real statistics, (3, 6) each."""
    deviation, speed, acceleration = real / np.maximum(found, 1e-9)
    sharper = float(np.exp(np.mean(np.log(acceleration[:3] / speed[:3]))))
    leaks = calibration.leaks * np.clip(deviation / speed, 0.5, 2.0) ** 1.5
    return replace(
        calibration,
        gains=calibration.gains * speed,
        leaks=np.clip(leaks, *_LEAK_RANGE),
        sharpness=float(
            np.clip((calibration.sharpness + 0.05) * sharper**2 - 0.05, *_SHARPNESS_RANGE)
        ),
    )
