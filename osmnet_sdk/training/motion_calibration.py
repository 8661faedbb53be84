"""Measures real motion in a trained network's feature space, for the sampler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.errors import InputError
from osmnet_sdk.evaluation import motion_statistics as figures
from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.network import MotionNetwork
from osmnet_sdk.motion.path import random_path
from osmnet_sdk.motion.sampler import MotionSampler
from osmnet_sdk.motion.shaping import smooth
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

_SHARPNESS_RANGE = (0.0, 8.0)
_BURSTS_RANGE = (0.3, 1.4)
"""With larger bursts takes stand still for most of the time."""

_SIZES_RANGE = (0.0, 0.6)
_ROUNDS = 10
_TAKES = 4
_SETTLED = 25
"""Frames at the beginning that are left out: a take sets out from rest, a clip begins anywhere."""


def calibrate(
    network: MotionNetwork,
    clips: Sequence[TrainingClip],
    recipe: MotionRecipe,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> Calibration:
    """Measure the paths of real clips and fit the sampler to what real speakers do.

    Gains, leaks, sharpness and bursts are found by sampling takes for the clips' own sound and
    comparing, in windows of 4 s and after the smoothing that real poses had, medians over
    speakers of mean speed, standard deviation, mean acceleration and how much speed varies. The
    sizes of takes are then spread as speakers are.

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
        bursts=0.7,
        sizes=np.zeros(2),
    )
    speeds = _predicted_speed(MotionSampler(network, calibration), used)
    calibration = replace(calibration, predicted_speed=speeds)
    real = _speakers(used, [[window_figures(clean_poses(clip, recipe))] for clip in used])
    reporter = Reporter(progress, cancel)
    for done in range(_ROUNDS):
        reporter.step("calibration", done, _ROUNDS)
        takes = _speakers(used, list(_sampled_figures(network, calibration, used, recipe)))
        calibration = _corrected(calibration, np.median(real, axis=0), np.median(takes, axis=0))
    reporter.step("calibration", _ROUNDS, _ROUNDS)
    return replace(calibration, sizes=_size_spread(real, takes))


def window_figures(poses: Array) -> Array:
    """Figures of a path in windows of 4 s, (W, 4, 6).

    Each window's standard deviation, mean speed and mean acceleration of each column, and how much
    the speed of its angles varies: standard deviation over mean, the same for all columns.
    """
    cut = figures.windows(poses[_SETTLED:])
    steps = np.linalg.norm(np.diff(cut[:, :, :3], axis=1), axis=2)
    varied = steps.std(axis=1) / np.maximum(steps.mean(axis=1), 1e-9)
    return np.stack(
        [
            figures.deviation(cut),
            figures.speed(cut),
            figures.acceleration(cut),
            np.repeat(varied[:, None], cut.shape[2], axis=1),
        ],
        axis=1,
    )


def _speakers(clips: Sequence[TrainingClip], found: Sequence[Sequence[Array]]) -> Array:
    """Median over each speaker's windows, so that all speakers count alike: (speakers, 4, 6)."""
    windows: dict[str, list[Array]] = {}
    for clip, parts in zip(clips, found, strict=True):
        windows.setdefault(clip.speaker, []).extend(parts)
    return np.array([np.median(np.concatenate(parts), axis=0) for parts in windows.values()])


def _size_spread(real: Array, takes: Array) -> Array:
    """What the sizes of takes must vary by for takes to differ as speakers do, (2,).

    Args:
        real: (speakers, 4, 6), figures of real speakers.
        takes: the same of takes for their sound, all of one size.
    """
    variances = []
    for rows in (real, takes):
        size = np.log(np.maximum(rows[:, 0, :3], 1e-9))
        shared = size.mean(axis=1)
        own = size - shared[:, None] - size.mean(axis=0)
        variances.append([shared.var(), own.var()])
    missing = np.sqrt(np.maximum(np.subtract(variances[0], variances[1]), 0.0))
    return np.clip(missing, *_SIZES_RANGE)


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


def _sampled_figures(
    network: MotionNetwork,
    calibration: Calibration,
    clips: Sequence[TrainingClip],
    recipe: MotionRecipe,
) -> Iterator[list[Array]]:
    """Figures of takes for the clips' sound, smoothed as real poses are."""
    sampler = MotionSampler(network, calibration)
    for index, clip in enumerate(clips):
        features = sampler.features(_audio(clip))
        found = []
        for take in range(_TAKES):
            path = random_path(calibration, len(features.weights), seed=index, take=take, begin=0)
            poses = sampler.decode_path(features, path)
            angles = smooth(poses[:, :3], recipe.rotation_smoothing)
            places = smooth(poses[:, 3:], recipe.translation_smoothing)
            found.append(window_figures(np.hstack([angles, places])))
        yield found


def _corrected(calibration: Calibration, real: Array, found: Array) -> Calibration:
    """The calibration after one step towards real figures, (4, 6) each."""
    deviation, speed, acceleration, varied = real / np.maximum(found, 1e-9)
    sharper = float(np.exp(np.mean(np.log(acceleration[:3] / speed[:3]))))
    leaks = calibration.leaks * np.clip(deviation / speed, 0.5, 2.0) ** 1.5
    return replace(
        calibration,
        gains=calibration.gains * speed,
        leaks=np.clip(leaks, *_LEAK_RANGE),
        sharpness=float(
            np.clip((calibration.sharpness + 0.05) * sharper**2 - 0.05, *_SHARPNESS_RANGE)
        ),
        bursts=float(np.clip(calibration.bursts * varied[0] ** 1.5, *_BURSTS_RANGE)),
    )
