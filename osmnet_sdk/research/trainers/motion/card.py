"""The card of the motion weights: what went in, what came out, what it cannot do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.equaliser import BANDS
from osmnet_sdk.motion.network import MotionNetwork
from osmnet_sdk.motion.sampler import MotionSampler
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.tables import markdown_table
from osmnet_sdk.research.trainers.motion.data import motion_windows
from osmnet_sdk.research.trainers.motion.figures import (
    MotionStatistics,
    PartFigures,
    SpaceFigures,
    blind_weights,
    long_clips,
    mean_attention,
    part_figures,
    real_statistics,
    sampled_statistics,
    space_figures,
)
from osmnet_sdk.research.trainers.motion.recipe import MotionRecipe

COMMANDS = """osmnet train clips CLIPS --output runs/takes
    osmnet train motion models/recipes/motion.json runs/takes"""

_DEAD = 0.1
"""Share of the attention, over an equal share, below which a basis vector counts as dead."""

_TEXT = """# Motion

Weights of the Audio-Motion Mapping Network (paper section III-A) and the statistics of real motion
that the sampler needs, in `motion.safetensors`. Sound goes in; head rotation and translation of any
number of different takes come out.

Licence of the weights: Apache-2.0. They were learned from measurements (head pose over time, and
sound) of short video clips that public repositories of talking-head research carry as examples. No
picture and no sound of these clips is contained in the weights or shipped with the project. The
people in the clips were not asked for this purpose; nothing here can be traced to one of them
beyond the statistics of how heads move.

## Made by

    {commands}

- Seed {seed}, on the CPU; the recipe holds everything else.
- T = {clip_frames}, S = {basis_vectors}, C = {feature_size};
  mel {mel_bands} × {mel_hops} per frame.
- κ = {kappa:.1f} after training ({kappa_before:g} before).
- Poses come from the project's own tracker (`osmnet track`), smoothed by a Gaussian of {rotation}
  frames (angles) and {translation} frames (translations).
- Tracked depth is scaled by {depth}, since most of its variation is noise.

| data (frames at 25 fps) | clips | speakers | with sound | silent |
|---|---|---|---|---|
| training | {training} |
| validation, other speakers | {validation} |

Silent clips train the motion space only.

## Figures

The commands above write this card. Validation speakers are in no stage of training.

| motion space and audio mapping | training | validation |
|---|---|---|
{space}

Blind weights are the training mean, the best guess without listening. That listening gains so
little is the paper's point: sound hardly decides how a head moves, so takes are drawn around it.

Real clips (6 s or more) and takes for their sound, smoothed alike, medians over whole clips:

| pitch / yaw / roll | training, real | training, takes | validation, real | validation, takes |
|---|---|---|---|---|
{motion}

What each part of the sampler makes of a take, over whole takes for the training clips:

{parts}

The calibration was measured on these clips{others}.
`osmnet_sdk.motion.calibration` says what its numbers do:

{calibration}

Each basis vector's mean attention over the training clips, in percent ({basis_vectors} equal shares
would be {equal:.1f}). The smallest is {smallest}. Dead, with less than a tenth of an equal share:
{dead}.

```
{histogram}
```

## Limits

- {speakers} speakers with sound, most of them English and speaking to a camera; other habits of
  moving (sign languages, strong gestures, walking) are not in it.
- With so little data the audio encoder knows little more than that speech and stress mean motion.
  Gestures come at accents because loudness and onsets say so; no word is understood.
- Real heads stay in a turned pose for seconds and leave it at once; takes come back to rest more
  gradually.
- Depth (z) is small and smooth because the tracker sees it badly.
- The calmest and the liveliest tenth of speakers are left to `intensity`.
- How takes compare with speakers that the network never saw is in `motion_evaluation.md`.
"""


def motion_card(
    network: MotionNetwork,
    sampler: MotionSampler,
    training: Sequence[TrainingClip],
    validation: Sequence[TrainingClip],
    recipe: MotionRecipe,
    measured_only: Sequence[TrainingClip] = (),
) -> str:
    """Measure weights and describe them (Markdown).

    Args:
        network: trained.
        sampler: with its calibration.
        training: clips that the network was trained on.
        validation: clips of other speakers; may be empty.
        recipe: of the training.
        measured_only: further clips that only the calibration saw.
    """
    windows = motion_windows(training, recipe)
    blind = blind_weights(network, windows)
    spaces = [space_figures(network, windows, blind)]
    if validation:
        spaces.append(space_figures(network, motion_windows(validation, recipe), blind))
    statistics = [
        kind
        for clips in (training, validation)
        if long_clips(clips)
        for kind in (real_statistics(clips, recipe), sampled_statistics(sampler, clips, recipe))
    ]
    attention = mean_attention(network, windows)
    config = recipe.config
    return _TEXT.format(
        commands=COMMANDS + (" --statistics STATISTICS" if measured_only else ""),
        seed=recipe.seed,
        **config.model_dump(include={"clip_frames", "basis_vectors", "feature_size"}),
        **config.model_dump(include={"mel_bands", "mel_hops"}),
        kappa=float(network.kappa.detach()),
        kappa_before=config.kappa,
        rotation=recipe.rotation_smoothing,
        translation=recipe.translation_smoothing,
        depth=recipe.depth_gain,
        training=_amounts(training),
        validation=_amounts(validation),
        space=_space_rows(spaces),
        motion=_motion_rows(statistics),
        parts=_part_rows(part_figures(sampler, training, recipe)),
        calibration=_calibration_rows(sampler.calibration),
        others=_others(measured_only),
        equal=100 / len(attention),
        smallest=_share(attention, int(attention.argmin())),
        dead=_dead(attention),
        histogram=_histogram(attention),
        speakers=len({clip.speaker for clip in training if clip.samples is not None}),
    )


def _amounts(clips: Sequence[TrainingClip]) -> str:
    heard = [len(clip) for clip in clips if clip.samples is not None]
    silent = [len(clip) for clip in clips if clip.samples is None]
    speakers = len({clip.speaker for clip in clips})
    return (
        f"{len(clips)} | {speakers} | {len(heard)} clips, {sum(heard) / 1500:.1f} min | "
        f"{len(silent)} clips, {sum(silent) / 1500:.1f} min"
    )


def _space_rows(spaces: list[SpaceFigures]) -> str:
    def shares(values: NDArray[np.float64]) -> str:
        return " / ".join(f"{value:.2f}" for value in values)

    rows = {
        "‖F_m − F̃_m‖ over the spread of F_m": [f"{s.basis_error:.2f}" for s in spaces],
        "change kept by F_m: pitch, yaw, roll, x, y, z": [shares(s.pose_share) for s in spaces],
        "change kept by F̃_m = w · B": [shares(s.basis_pose_share) for s in spaces],
        "L_KL": [_number(s.divergence) for s in spaces],
        "L_KL of blind weights": [_number(s.blind_divergence) for s in spaces],
    }
    return "\n".join(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _motion_rows(statistics: list[MotionStatistics]) -> str:
    rows = {
        "standard deviation, °": [s.deviation for s in statistics],
        "mean speed, °/s": [s.speed for s in statistics],
        "mean acceleration, °/s²": [s.acceleration for s in statistics],
        "standard deviation of x / y / z, mm": [s.travel for s in statistics],
    }
    lines = []
    for name, columns in rows.items():
        digits = 0 if "accel" in name else 1
        cells = [" / ".join(f"{value:.{digits}f}" for value in column) for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _part_rows(parts: Sequence[PartFigures]) -> str:
    titles = ["takes", "standard deviation", "mean speed", "correlation of speed with level"]
    return markdown_table(titles, [astuple(part) for part in parts])


def _others(clips: Sequence[TrainingClip]) -> str:
    if not clips:
        return ""
    speakers, minutes = len({clip.speaker for clip in clips}), sum(map(len, clips)) / 1500
    return (
        f" and on {len(clips)} more of {speakers} further speakers ({minutes:.1f} min),\n"
        "on which the network is not trained"
    )


def _calibration_rows(calibration: Calibration) -> str:
    """The calibration's numbers for the six columns of a pose, and its single numbers."""

    def texts(values: NDArray[np.float64]) -> list[str]:
        return [f"{value:.3g}" for value in values]

    rows = [
        [name, *texts(getattr(calibration, name))]
        for name in ("gains", "leaks", "bursts", "tremor")
    ]
    for column, (low, high) in enumerate(pairwise(BANDS)):
        rows.append([f"octave {low:g}–{high:g} Hz", *texts(calibration.octaves[:, column])])
    table = markdown_table(["", "pitch", "yaw", "roll", "x", "y", "z"], rows)
    shared, single = calibration.sizes
    return (
        f"{table}\n\nMoods {calibration.moods:.3g}; sizes of takes: all axes {shared:.3g}, each "
        f"by itself {single:.3g}; mean removed over {calibration.drift:g} s; "
        f"{len(calibration.recursion)} directions."
    )


def _share(attention: NDArray[np.float32], index: int) -> str:
    return f"b{index + 1:02d} with {100 * attention[index]:.2f}"


def _dead(attention: NDArray[np.float32]) -> str:
    few = np.flatnonzero(attention < _DEAD / len(attention))
    return ", ".join(_share(attention, int(index)) for index in few) or "none"


def _histogram(attention: NDArray[np.float32]) -> str:
    """Shares in descending order, one bar a line."""
    order = np.argsort(-attention)
    longest = attention.max()
    return "\n".join(
        f"b{index + 1:02d} {100 * attention[index]:5.2f} "
        + "█" * max(1, round(40 * attention[index] / longest))
        for index in order
    )
