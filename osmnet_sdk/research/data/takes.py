"""Whole videos to takes with their sound, as the trainers of motion and expression read them."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

from osmnet_sdk.client import OSMNet
from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.core.files import output_folder, replaced
from osmnet_sdk.errors import NoFaceError
from osmnet_sdk.face.footage import START
from osmnet_sdk.progress import CancelCallback, ProgressCallback
from osmnet_sdk.research.data.clips import LISTING, read_listing
from osmnet_sdk.research.data.layouts import listed_videos
from osmnet_sdk.research.data.sample import write_wave
from osmnet_sdk.research.data.sound import sound_of
from osmnet_sdk.tracks import load_take


@dataclass(frozen=True)
class TrackedClips:
    """What became of the clips of a listing: how many have a take, with sound, and who has none."""

    takes: int
    with_sound: int
    left_out: list[str]


def track_clips(
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    osm: OSMNet,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> TrackedClips:
    """Track every video that clips.csv lists into ID.npz, with its sound beside it as ID.wav.

    What is there already is kept, so a stopped run goes on.

    Args:
        folder: of clips.csv and its videos, see `listed_videos`.
        output: folder of the takes, which gets a clips.csv of its own.
        osm: an `OSMNet`, whose `track_video` is used.
        progress: called with (stage, done, total).
        cancel: asked at every frame.

    Raises:
        InputError: if the listing or a video cannot be read.
        OutputError: if a take cannot be written.
    """
    place, target = Path(folder), output_folder(output)
    rows = read_listing(place)
    kept: list[dict[str, str]] = []
    left_out: list[str] = []
    heard = 0
    for row, video in zip(rows, listed_videos(place), strict=True):
        take, wave = (target / f"{row['id']}{suffix}" for suffix in (".npz", ".wav"))
        try:
            if not take.is_file():
                osm.track_video(video.path, progress=progress, cancel=cancel).save(take)
        except NoFaceError as error:
            left_out.append(str(error))
            continue
        if not wave.is_file() and (samples := sound_of(video)) is not None:
            # A take of a film begins with its shot, and so must the sound.
            start = load_take(take).provenance.options.get(START, 0.0)
            samples = samples[round(float(str(start)) * SAMPLE_RATE) :]
            with replaced(wave) as temporary:
                write_wave(str(temporary), samples)
        heard += wave.is_file()
        kept.append(row)
    with (
        replaced(target / LISTING) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    return TrackedClips(len(kept), heard, left_out)
