"""osmnet talk: the main job, from a photo and a voice to videos."""

from __future__ import annotations

import json
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osmnet_sdk.cli.arguments import (
    Count,
    Face,
    Follow,
    Label,
    OutFolder,
    Overwrite,
    Phones,
    Photo,
    Rate,
    Renderer,
    Run,
    Seed,
    SizeText,
    Spoken,
    VoiceFile,
)
from osmnet_sdk.cli.checks import check_photo, frame_rate, given_phones, reference_take
from osmnet_sdk.cli.console import frame_size
from osmnet_sdk.cli.parameters import command
from osmnet_sdk.core.files import check_output_folder, output_folder
from osmnet_sdk.options import SampleOptions, check_sampling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from osmnet_sdk.face.source import SourceFace
    from osmnet_sdk.progress import ProgressCallback
    from osmnet_sdk.tracks import Take


@command
def talk(
    photo: Photo,
    voice: VoiceFile,
    run: Run,
    *,
    output: OutFolder = Path("osmnet-out"),
    takes: Count = 5,
    seed: Seed = 0,
    size: SizeText = "crop",
    fps: Rate = None,
    options: SampleOptions,
    spoken: Spoken,
    phones: Phones = None,
    follow: Follow = None,
    renderer: Renderer = "auto",
    label: Label = True,
    face_index: Face = None,
    overwrite: Overwrite = False,
) -> None:
    """Let a photo speak: take files, videos with sound, a sheet of frames and a plot of curves."""
    wanted, rate = frame_size(size), frame_rate(fps)
    check_sampling(takes, seed)
    check_output_folder(output)
    check_photo(photo, face_index)
    voice.check()
    reference, said = reference_take(follow), given_phones(phones)

    osm = run.osmnet()
    osm.renderer_window(renderer)  # says now, not after sampling, that there is none
    recording = voice.load(run.progress)
    osm.check_options(recording, options)
    face = osm.fit_face(photo, face_index=face_index)
    performances = osm.sample_takes(
        recording, n=takes, seed=seed, face=face, options=options, expression_options=spoken,
        follow=reference, phones=said, progress=run.progress,
    )  # fmt: skip
    folder = output_folder(output)
    stem = _stem(folder, voice.voice, face, performances, overwrite)
    files, videos = [], []
    for index, take in enumerate(performances):
        files.append(take.save(folder / f"{stem}-take{index + 1}.npz"))
    for index, take in enumerate(performances):
        name = f"{stem}-take{index + 1}"
        video = osm.render_video(
            face, take, folder / f"{name}.mp4", audio=recording, fps=rate, renderer=renderer,
            size=wanted, label=label, resume=True, progress=_staged(run.progress, name),
        )  # fmt: skip
        videos.append(video)
    pictures = _overview(folder, stem, face, performances, videos, rate)
    run.show(
        {
            "takes": [str(path) for path in files],
            "videos": [str(path) for path in videos],
            **{name: str(path) for name, path in pictures.items()},
        }
    )


def _stem(folder: Path, voice: Path, face: SourceFace, takes: list[Take], overwrite: bool) -> str:
    """The beginning of all results' names: the voice's, unless results of another stand there."""
    from osmnet_sdk.formats.outputs import free_stem, origin, safe_stem, take_endings
    from osmnet_sdk.rendering.output import frame_provenance

    endings = take_endings(takes)
    films = [origin(json.loads(frame_provenance(face, take))) for take in takes]
    endings |= {f"-take{index + 1}.mp4": made_of for index, made_of in enumerate(films)}
    for name, provenance in _overview_provenance(face, takes).items():
        endings[f"-{name}.png"] = origin(json.loads(provenance))
    return free_stem(folder, safe_stem(voice.stem), endings, overwrite=overwrite)


def _staged(progress: ProgressCallback | None, name: str) -> ProgressCallback | None:
    if progress is None:
        return None
    return lambda stage, done, total: progress(f"{stage} {name}"[-22:], done, total)


def _overview_provenance(face: SourceFace, takes: list[Take]) -> dict[str, str]:
    """What the pictures of all takes come from, as JSON: a seed's takes, and the photo if seen."""
    from osmnet_sdk.core.provenance import of_photo

    shared = takes[0].provenance.model_copy(update={"take": None})
    curves = shared.model_dump_json(exclude_defaults=True)
    return {"takes": of_photo(curves, face.photo, face.index), "curves": curves}


def _overview(
    folder: Path,
    stem: str,
    face: SourceFace,
    takes: list[Take],
    videos: list[Path],
    rate: Fraction | None,
) -> dict[str, Path]:
    """Lay frames of the finished videos side by side, and plot the takes' curves."""
    from osmnet_sdk.core.provenance import file_metadata
    from osmnet_sdk.formats.overview import sheet_frames, write_curves, write_sheet
    from osmnet_sdk.formats.video import read_frames

    titles = [f"take {index + 1}" for index in range(len(takes))]
    wanted = sheet_frames(ceil(len(takes[0]) * (rate or takes[0].fps) / takes[0].fps))
    rows: list[list[NDArray[np.uint8]]] = [
        [frame.image for frame in read_frames(video) if frame.index in wanted] for video in videos
    ]
    tags: dict[str, Any] = {
        name: file_metadata(text) for name, text in _overview_provenance(face, takes).items()
    }
    sheet, curves = folder / f"{stem}-takes.png", folder / f"{stem}-curves.png"
    return {
        "sheet": write_sheet(sheet, rows, titles, tags["takes"]),
        "curves": write_curves(curves, [take.motion for take in takes], titles, tags["curves"]),
    }
