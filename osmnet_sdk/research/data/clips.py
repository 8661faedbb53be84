"""Training clips: a folder of takes, their sound, and a listing that names each clip's speaker."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.core.conventions import FPS, SAMPLES_PER_FRAME
from osmnet_sdk.errors import InputError
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.tracks import Take, load_take

LISTING = "clips.csv"
"""Name of the listing: a CSV file with a header; see `read_clips` for its columns."""

MAX_LAG = 0.3
"""Largest lag between lips and sound that is believed, in seconds; a larger one is a mistake."""


@dataclass(frozen=True, eq=False)
class TrainingClip:
    """A tracked performance and its sound.

    Attributes:
        name: of the clip, unique in its folder.
        speaker: who is seen.
        take: the performance at 25 fps.
        samples: (640 · T,) float32, 16 kHz mono, in step with the take; None for a silent clip.
        lag: seconds by which the lips came after the sound before that was taken out.
    """

    name: str
    speaker: str
    take: Take
    samples: NDArray[np.float32] | None
    lag: float = 0.0

    @property
    def has_sound(self) -> bool:
        """Whether the clip has sound."""
        return self.samples is not None

    def __len__(self) -> int:
        """Number of frames T."""
        return len(self.take)


def read_clips(
    folder: str | os.PathLike[str],
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> list[TrainingClip]:
    """Read a folder of training clips.

    The folder holds `clips.csv` with the columns `id` and `speaker`, and for each row the take
    ID.npz and, unless the clip is silent, its sound ID.wav. An optional column `av_lag_ms` says
    by how many milliseconds the lips come after the sound; it is taken out. Other columns are not
    read.

    Args:
        folder: where the clips lie.
        progress: called with ("clips", done, total).
        cancel: asked after each clip.

    Returns:
        The clips in the order of the listing.

    Raises:
        InputError: if the folder has no listing, or a row has no id or speaker.
        TrackError: if a take is missing or damaged.
        AudioError: if a sound file is damaged.
    """
    place = Path(folder)
    rows = read_listing(place)
    reporter = Reporter(progress, cancel)
    clips = []
    for index, row in enumerate(rows):
        clips.append(_read_clip(place, row))
        reporter.step("clips", index + 1, len(rows))
    return clips


class Spoken(Protocol):
    """A clip of somebody, as far as `split_speakers` must know it."""

    @property
    def speaker(self) -> str | None:
        """Who is seen; None if that is not known."""

    @property
    def has_sound(self) -> bool:
        """Whether there is sound."""

    def __len__(self) -> int:
        """Number of frames."""


SomeClip = TypeVar("SomeClip", bound=Spoken)


def split_speakers(
    clips: Sequence[SomeClip], share: float, seed: int
) -> tuple[list[SomeClip], list[SomeClip]]:
    """Split clips so that nobody is on both sides.

    Speakers with sound and silent ones are split apart, so that both sides can have both. Of
    two speakers or more of a kind, each side gets one at least, unless `share` is 0. Clips of
    unknown speakers are for training, since anybody may be in them.

    Args:
        clips: all clips.
        share: of the frames, for validation, 0 to 1; it is met as nearly as whole speakers allow.
        seed: decides who goes where.

    Returns:
        Clips for training and for validation, each in the order of `clips`.
    """
    generator = np.random.default_rng(seed)
    heard = {clip.speaker for clip in clips if clip.has_sound}
    everyone = dict.fromkeys(clip.speaker for clip in clips if clip.speaker is not None)
    held_out: set[str] = set()
    for group in ([s for s in everyone if s in heard], [s for s in everyone if s not in heard]):
        frames = dict.fromkeys(group, 0)
        for clip in clips:
            if clip.speaker in frames:
                frames[clip.speaker] += len(clip)
        wanted = share * sum(frames.values())
        order = [group[index] for index in generator.permutation(len(group))]
        taken = 0
        for speaker in order[:-1] if share < 1 else order:
            if taken + frames[speaker] / 2 <= wanted or (share > 0 and not taken):
                held_out.add(speaker)
                taken += frames[speaker]
    training = [clip for clip in clips if clip.speaker not in held_out]
    return training, [clip for clip in clips if clip.speaker in held_out]


def read_listing(folder: Path) -> list[dict[str, str]]:
    """The rows of clips.csv in `folder`, each with an `id` and a `speaker`.

    Raises:
        InputError: if there is no such listing, or a row has no id or speaker.
    """
    path = folder / LISTING
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"Cannot read the listing of training clips '{path}': {reason}; it must be a CSV file "
            "with the columns 'id' and 'speaker'."
        ) from error
    names = [row.get("id") for row in rows]
    if not rows or not all(row.get("id") and row.get("speaker") for row in rows):
        raise InputError(f"'{path}' must have a row with 'id' and 'speaker' for each clip.")
    if len(set(names)) < len(names):
        raise InputError(f"'{path}' names a clip twice; each id may be there once.")
    return rows


def _read_clip(folder: Path, row: dict[str, str]) -> TrainingClip:
    name = row["id"]
    if Path(name).name != name:
        raise InputError(f"The clip id '{name}' in '{folder / LISTING}' must hold no folder.")
    take = load_take(folder / f"{name}.npz")
    if take.fps != FPS:
        take = take.resample(FPS)
    sound = folder / f"{name}.wav"
    samples, lag = None, clip_lag(folder, row)
    if sound.is_file():
        samples = in_step(load_audio(sound).samples, len(take), lag)
    return TrainingClip(name, row["speaker"], take, samples, lag)


def clip_lag(folder: Path, row: dict[str, str]) -> float:
    """Seconds by which the lips of a row of clips.csv come after the sound; 0 if none is believed.

    Raises:
        InputError: if `av_lag_ms` is no number.
    """
    text = (row.get("av_lag_ms") or "0").strip() or "0"
    try:
        lag = float(text) / 1000.0
    except ValueError as error:
        raise InputError(
            f"'av_lag_ms' of clip '{row['id']}' in '{folder / LISTING}' is '{text}'; it must be "
            "a number of milliseconds."
        ) from error
    return lag if abs(lag) <= MAX_LAG else 0.0


def in_step(samples: NDArray[np.float32], frames: int, lag: float = 0.0) -> NDArray[np.float32]:
    """Sound for each frame: sample 0 belongs to frame 0; silence where the recording ends.

    Args:
        samples: (n,) 16 kHz mono.
        frames: number T of frames at 25 fps.
        lag: seconds by which the lips come after the sound; it is taken out.

    Returns:
        (640 · T,) float32.
    """
    shift = round(-lag * SAMPLES_PER_FRAME * float(FPS))
    aligned = np.zeros(frames * SAMPLES_PER_FRAME, np.float32)
    source = samples[max(shift, 0) :]
    start = max(-shift, 0)
    count = max(0, min(len(aligned) - start, len(source)))
    aligned[start : start + count] = source[:count]
    return aligned
