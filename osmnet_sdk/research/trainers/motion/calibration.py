"""Measures real motion in a trained network's feature space, for the sampler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.equaliser import BANDS, octaves
from osmnet_sdk.motion.features import MotionFeatures
from osmnet_sdk.motion.network import MotionNetwork
from osmnet_sdk.motion.sampler import MotionSampler
from osmnet_sdk.motion.shaping import smooth
from osmnet_sdk.motion.voice_path import free_voice_path, gesture_moments, heard_directions
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.research.data import motion_statistics as figures
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.trainers.motion.data import clean_poses, motion_windows
from osmnet_sdk.research.trainers.motion.recipe import MotionRecipe

Array = NDArray[np.float64]

_SHORTEST = 150
"""Clips of fewer frames say too little about slow motion (6 s)."""

_KEPT = 0.995
"""Share of the variance of paths that the kept directions explain."""

_ORDER = 50
"""Frames that an autoregression looks back (2 s)."""

_DRIFT_SECONDS = 10.0

_LEAK_RANGE = (0.7, 6.0)
"""Seconds; people hold a turned head for a while, and do not stay turned away for long."""

_OCTAVE_RANGE = (0.25, 4.0)
_BURSTS_RANGE = (0.05, 1.4)
"""With larger bursts takes stand still for most of the time."""

_TREMOR_RANGE = (np.array([0.003] * 3 + [3e-6] * 3), np.array([0.2] * 3 + [1.5e-4] * 3))
"""Degrees and metres in a frame."""

_BURST_FRAMES = 6.0
"""Standard deviation of the Gaussian under which the head's speed shows bursts, in frames."""

_FAINT = 0.03
"""Share of the mean variance below which a way of pointing is taken for noise."""

_FLICKS_RANGE = (0.05, 0.7)
"""With larger ones little of what is said is left in when a head moves."""

_MOODS_RANGE = (0.05, 0.6)
_SIZES_RANGE = (0.0, 0.6)
_ROUNDS = 10
_TAKES = 4
_SETTLED = 25
"""Frames at the beginning that are left out: a take sets out from rest, a clip begins anywhere."""


@dataclass(frozen=True)
class _Figures:
    """Figures of speakers, or of takes for their sound; every speaker counts alike.

    Attributes:
        windows: (speakers, 4, 6), median over the speaker's windows of 4 s: of each column
            standard deviation, mean speed, standard deviation over mean of the speed, and how
            often it turns back in a frame.
        performances: (P, 4, 6), the same of each performance: the real one of a speaker, or the
            takes of one number for the speaker's clips.
        whole: (speakers, 6), median standard deviation over whole clips.
        octaves: (speakers, 6, B), median over these windows of the logarithm of the power of
            steps in each octave.
        bursts: median of how much the head's speed varies slowly (`slow_bursts`).
        moods: how much the speed of single columns varies from window to window, in logarithms.
    """

    windows: Array
    performances: Array
    whole: Array
    octaves: Array
    bursts: float
    moods: float


def calibrate(
    network: MotionNetwork,
    clips: Sequence[TrainingClip],
    recipe: MotionRecipe,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> Calibration:
    """Measure the paths of real clips and fit the sampler to what real speakers do.

    What shapes a take's steps is found by sampling takes for the clips' own sound and comparing,
    after the smoothing that real poses had, medians over speakers: in windows of 4 s mean speed
    (gains), the power of octaves, standard deviation (leaks) and how much speed varies (bursts),
    and between windows how much single columns vary (moods). The sizes of takes are then spread as
    speakers are.

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
        predicted_speed=np.array([0.0, 1.0]),
        gains=np.ones(6),
        octaves=np.ones((6, len(BANDS) - 1)),
        leaks=np.full(6, 2.0),
        drift=_DRIFT_SECONDS,
        bursts=np.full(6, 0.5),
        flicks=np.full(3, 0.4),
        moods=0.2,
        sizes=np.zeros(2),
        asked=np.eye(len(directions)),
        tremor=np.array([0.03, 0.03, 0.03, 3e-5, 3e-5, 1e-5]),
    )
    speeds = _predicted_speed(MotionSampler(network, calibration), used)
    calibration = replace(calibration, predicted_speed=speeds)
    calibration = replace(calibration, asked=_asked(network, calibration, used))
    sampler = MotionSampler(network, calibration)
    heard = [sampler.features(_audio(clip)) for clip in used]  # as no later step changes it
    real = _figures(used, [[clean_poses(clip, recipe)] for clip in used])
    reporter = Reporter(progress, cancel)
    for done in range(_ROUNDS):
        reporter.step("calibration", done, _ROUNDS)
        takes = _figures(used, list(_sampled(MotionSampler(network, calibration), heard, recipe)))
        calibration = _corrected(calibration, real, takes)
    reporter.step("calibration", _ROUNDS, _ROUNDS)
    return replace(calibration, sizes=_size_spread(real.performances, takes.performances))


def window_figures(poses: Array) -> Array:
    """Figures of a path in windows of 4 s, (W, 4, 6), as in `_Figures`."""
    cut = figures.windows(poses[_SETTLED:])
    steps = np.diff(cut, axis=1)
    speeds = np.abs(steps)
    varied = speeds.std(axis=1) / np.maximum(speeds.mean(axis=1), 1e-9)
    turns = (np.diff(np.sign(steps), axis=1) != 0).mean(axis=1)
    parts = [figures.deviation(cut), figures.speed(cut), varied, turns]
    return np.stack(parts, axis=1)


def slow_bursts(poses: Array) -> Array:
    """How much the head's speed, smoothed over 0.5 s, varies in windows of 4 s: (W,)."""
    cut = figures.windows(poses[_SETTLED:])
    speeds = np.linalg.norm(np.diff(cut[:, :, :3], axis=1), axis=2)
    slow = np.stack([smooth(row, _BURST_FRAMES) for row in speeds]) if len(speeds) else speeds
    found: Array = slow.std(axis=1) / np.maximum(slow.mean(axis=1), 1e-9)
    return found


def _figures(clips: Sequence[TrainingClip], found: Sequence[Sequence[Array]]) -> _Figures:
    """Figures of the paths that were found for each clip."""
    windows: dict[str, list[Array]] = {}
    performances: dict[tuple[str, int], list[Array]] = {}
    whole: dict[str, list[Array]] = {}
    bands: dict[str, list[Array]] = {}
    bursts: dict[str, list[Array]] = {}
    moods = []
    for clip, paths in zip(clips, found, strict=True):
        for number, path in enumerate(paths):
            rows = window_figures(path)
            windows.setdefault(clip.speaker, []).append(rows)
            performances.setdefault((clip.speaker, number), []).append(rows)
            whole.setdefault(clip.speaker, []).append(path[_SETTLED:].std(axis=0))
            steps = np.diff(figures.windows(path[_SETTLED:]), axis=1)
            bands.setdefault(clip.speaker, []).append(octaves(steps))
            bursts.setdefault(clip.speaker, []).append(slow_bursts(path))
            if len(rows) > 1:
                speeds = np.log(np.maximum(rows[:, 1], 1e-9))
                own = speeds - speeds.mean(axis=1, keepdims=True)
                moods.append(own.var(axis=0, ddof=1).mean())
    return _Figures(
        np.array([np.median(np.concatenate(parts), axis=0) for parts in windows.values()]),
        np.array([np.median(np.concatenate(parts), axis=0) for parts in performances.values()]),
        np.array([np.median(parts, axis=0) for parts in whole.values()]),
        np.array([np.median(np.concatenate(parts), axis=0) for parts in bands.values()]),
        float(np.median([np.median(np.concatenate(parts)) for parts in bursts.values()])),
        float(np.sqrt(np.mean(moods))) if moods else 0.0,
    )


def _size_spread(real: Array, takes: Array) -> Array:
    """What the sizes of takes must vary by for takes to differ as speakers do, (2,).

    Args:
        real: (speakers, 4, 6), figures of real performances.
        takes: (P, 4, 6), the same of takes, all of one size.
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


def _asked(
    network: MotionNetwork, calibration: Calibration, clips: Sequence[TrainingClip]
) -> Array:
    """What makes the path that a voice asks for vary in speech as real paths do, (R, R)."""
    sampler = MotionSampler(network, calibration)
    heard = []
    for clip in clips:
        audio = _audio(clip)
        weights = sampler.features(audio).weights
        moments = gesture_moments(audio.analysis.prosody, network.config.clip_frames, len(weights))
        heard.append((moments, sampler.centre_offsets(weights)))
    pointing = np.concatenate([heard_directions(*one) for one in heard])
    variances, axes = np.linalg.eigh(pointing.T @ pointing / max(len(pointing), 1))
    variances = np.maximum(variances, max(_FAINT * float(variances.mean()), 1e-12))
    whitened = replace(calibration, asked=axes / np.sqrt(variances) @ axes.T)
    squares = [np.mean(free_voice_path(whitened, *one) ** 2, axis=0) for one in heard]
    typical: Array = whitened.asked / np.sqrt(np.maximum(np.median(squares, axis=0), 1e-12))
    return typical


def _sampled(
    sampler: MotionSampler, heard: Sequence[MotionFeatures], recipe: MotionRecipe
) -> Iterator[list[Array]]:
    """Takes for the clips' sound, smoothed as real poses are."""
    for index, features in enumerate(heard):
        found = []
        for take in range(_TAKES):
            poses = sampler.sample(features, take=take, seed=index)
            angles = smooth(poses.rotation, recipe.rotation_smoothing)
            places = smooth(poses.translation, recipe.translation_smoothing)
            found.append(np.hstack([angles, places]))
        yield found


def _corrected(calibration: Calibration, real: _Figures, takes: _Figures) -> Calibration:
    """The calibration after one step from the figures of takes towards real ones."""

    def wanted(real_figures: Array, found: Array) -> Array:
        ratio: Array = np.median(real_figures, axis=0) / np.maximum(np.median(found, axis=0), 1e-9)
        return ratio

    deviation, speed, varied, turns = wanted(real.windows, takes.windows)
    louder = (np.median(real.octaves, axis=0) - np.median(takes.octaves, axis=0)) / 2
    bands = np.log(calibration.octaves) + louder - louder.mean(axis=1, keepdims=True)
    leaks = calibration.leaks * np.clip(wanted(real.whole, takes.whole) / deviation, 0.5, 2.0)
    bursts = float(np.clip(real.bursts / max(takes.bursts, 1e-9), 0.5, 2.0))
    moods = calibration.moods * np.clip(real.moods / max(takes.moods, 1e-9), 0.5, 2.0)
    return replace(
        calibration,
        gains=calibration.gains * speed,
        octaves=np.clip(np.exp(bands), *_OCTAVE_RANGE),
        leaks=np.clip(leaks, *_LEAK_RANGE),
        bursts=np.clip(
            calibration.bursts * np.concatenate([[bursts] * 3, varied[3:]]), *_BURSTS_RANGE
        ),
        flicks=np.clip(calibration.flicks * np.clip(varied[:3], 0.5, 2.0) ** 2, *_FLICKS_RANGE),
        tremor=np.clip(calibration.tremor * np.clip(turns, 0.5, 2.0) ** 2, *_TREMOR_RANGE),
        moods=float(np.clip(moods, *_MOODS_RANGE)),
    )
