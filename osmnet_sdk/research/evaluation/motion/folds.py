"""Motion models that have never seen the speakers they are measured on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from osmnet_sdk.core.bundle import load_arrays, save_arrays
from osmnet_sdk.core.files import output_folder
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion import sampler as sampler_module
from osmnet_sdk.motion.sampler import MotionSampler
from osmnet_sdk.progress import CancelCallback, ProgressCallback
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.trainers.loop import TrainingRun
from osmnet_sdk.research.trainers.motion import calibration as motion_calibration
from osmnet_sdk.research.trainers.motion.calibration import calibrate
from osmnet_sdk.research.trainers.motion.recipe import MotionRecipe
from osmnet_sdk.research.trainers.motion.train import train_network, untrained_network


def speaker_folds(clips: Sequence[TrainingClip], count: int) -> list[tuple[str, ...]]:
    """Group the speakers of clips so that each group has about as many frames.

    Args:
        clips: those that are to be measured.
        count: number of groups, 2 to the number of speakers; that number leaves one out in turn.

    Returns:
        The speakers of each group; every speaker is in one.

    Raises:
        InputError: if there are fewer speakers than groups, or `count` is below 2.
    """
    frames: dict[str, int] = {}
    for clip in clips:
        frames[clip.speaker] = frames.get(clip.speaker, 0) + len(clip)
    if not 2 <= count <= len(frames):
        raise InputError(
            f"The clips that can be measured show {len(frames)} speakers; give 2 to {len(frames)} "
            f"folds, not {count}, or more clips."
        )
    groups: list[list[str]] = [[] for _ in range(count)]
    # The longest first, each to the group that has least so far.
    for speaker in sorted(frames, key=lambda name: (-frames[name], name)):
        min(groups, key=lambda group: (sum(frames[s] for s in group), len(group))).append(speaker)
    return [tuple(group) for group in groups]


def fold_weights(
    clips: Sequence[TrainingClip],
    held_out: Sequence[str],
    recipe: MotionRecipe,
    models: str | os.PathLike[str],
    *,
    measured_only: Sequence[TrainingClip] = (),
    trained: bool = True,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> Path:
    """Weights of a model trained on all clips but those of some speakers.

    The steps are those of `train_motion`. What is in `models` already is not made again: the
    network is known by recipe and clips, its calibration also by the code of sampler and
    calibration, so that a change of the sampler calibrates anew but does not train anew.

    Args:
        clips: all clips, with and without sound.
        held_out: speakers that are left out with every clip of theirs.
        recipe: of the training; its share for validation does not count.
        models: folder for networks and weights; it is made. A stopped training goes on.
        measured_only: clips that only the calibration sees, also without the speakers left out.
        trained: False gives a network as it is before training, calibrated alike.
        progress: called with (stage, done, total).
        cancel: asked between steps.

    Returns:
        The path of a motion weights file.

    Raises:
        InputError: if what remains cannot be trained on.
        OutputError: if the folder cannot be written to.
        Cancelled: if `cancel` returns True; checkpoints stay.
    """
    others = [clip for clip in clips if clip.speaker not in held_out]
    more = [clip for clip in measured_only if clip.speaker not in held_out]
    folder = output_folder(Path(models) / made_from(recipe, others)[:16])
    known = sampler_code()[:16] + (f"-{made_from(recipe, more)[:16]}" if more else "")
    weights = folder / f"motion-{known}{'' if trained else '-untrained'}.safetensors"
    if not weights.is_file():
        if trained:
            run = TrainingRun(folder, progress=progress, cancel=cancel)
            network = train_network(recipe, others, run)
        else:
            network = untrained_network(recipe, others)
        calibration = calibrate(network, [*others, *more], recipe, progress=progress, cancel=cancel)
        save_arrays(weights, *MotionSampler(network, calibration).stored())
    return weights


def load_sampler(weights: Path) -> MotionSampler:
    """The sampler of a motion weights file.

    Raises:
        ModelError: if the file cannot be read or is of another kind.
    """
    return MotionSampler.from_arrays(
        *load_arrays(weights, "delete it and try again"), f"'{weights}'"
    )


def made_from(recipe: MotionRecipe, clips: Sequence[TrainingClip]) -> str:
    """SHA-256, in hex, of all that a network is made from: recipe, and names and data of clips."""
    data = (
        piece
        for clip in clips
        for piece in (
            f"\n{clip.name} {clip.speaker} {len(clip)}\n".encode(),
            clip.take.motion.rotation.tobytes(),
            clip.take.motion.translation.tobytes(),
            b"silent" if clip.samples is None else clip.samples.tobytes(),
        )
    )
    return recipe.digest(data, without={"validation_share"})


def sampler_code() -> str:
    """SHA-256, in hex, of the source that decides what calibration finds."""
    package = Path(str(sampler_module.__file__)).parent
    sources = [Path(str(motion_calibration.__file__)), *sorted(package.glob("*.py"))]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()
