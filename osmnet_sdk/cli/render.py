"""osmnet render, track, head and convert: between takes, pictures, videos and other formats."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from osmnet_sdk.cli.arguments import (
    Channel,
    Face,
    Json,
    Label,
    Out,
    Overwrite,
    Photo,
    Rate,
    Renderer,
    Run,
    SizeText,
    TakeFile,
    Track,
    path_argument,
    path_option,
)
from osmnet_sdk.cli.checks import (
    check_photo,
    check_sound,
    check_take_output,
    frame_rate,
    save_take,
)
from osmnet_sdk.cli.console import frame_size, show_result
from osmnet_sdk.cli.parameters import command
from osmnet_sdk.core.files import check_output_file, check_output_folder
from osmnet_sdk.errors import OSMNetWarning


@command
def render(
    photo: Photo,
    take: TakeFile,
    run: Run,
    *,
    output: Out = Path("take.mp4"),
    audio: Annotated[Path | None, path_option(says="Sound for the video.")] = None,
    channel: Channel = None,
    track: Track = None,
    fps: Rate = None,
    size: SizeText = "crop",
    renderer: Renderer = "auto",
    label: Label = True,
    keep_rest: Annotated[
        bool, typer.Option(help="Keep the look of the photo under the take's.")
    ] = True,
    face_index: Face = None,
    overwrite: Overwrite = False,
) -> None:
    """Render a take over a photo: a video, or PNG files if the output has no suffix."""
    wanted, rate = frame_size(size), frame_rate(fps)
    is_video = bool(output.suffix)
    _check_frames_output(output, is_video, audio)
    check_photo(photo, face_index)
    check_sound(audio if is_video else None)

    from osmnet_sdk.audio.load import load_audio
    from osmnet_sdk.formats.image_sequence import FRAME_NAME
    from osmnet_sdk.formats.outputs import free_file, free_folder, origin
    from osmnet_sdk.rendering.output import frame_provenance
    from osmnet_sdk.tracks import load_take

    performance = load_take(take)
    osm = run.osmnet()
    osm.renderer_window(renderer)
    if rate is not None:
        performance = performance.resample(rate)
    face = osm.fit_face(photo, face_index=face_index)
    made_of = origin(json.loads(frame_provenance(face, performance)))
    shared: dict[str, Any] = {
        "renderer": renderer, "size": wanted, "label": label, "keep_rest": keep_rest,
        "progress": run.progress,
    }  # fmt: skip
    sound = (
        None if audio is None or not is_video else load_audio(audio, channel=channel, track=track)
    )
    if is_video:
        place = free_file(output, made_of, overwrite=overwrite)
        osm.render_video(face, performance, place, audio=sound, **shared)
    else:
        place = free_folder(output, FRAME_NAME.format(0), made_of, overwrite=overwrite)
        osm.render_images(face, performance, place, **shared)
    run.show({"output": str(place), "frames": len(performance)})


def _check_frames_output(output: Path, is_video: bool, audio: Path | None) -> None:
    from osmnet_sdk.formats.video_writer import check_writable

    if is_video:
        check_writable(output)
        return
    check_output_folder(output)
    if audio is not None:
        warnings.warn(
            f"Pictures have no sound, so '{audio}' is not used; for a video give an output such "
            "as take.mp4.",
            OSMNetWarning,
            stacklevel=2,
        )


@command
def track(
    video: Annotated[Path, path_argument("Video of one face.")],
    run: Run,
    *,
    output: Out = Path("tracked.npz"),
    shot: Annotated[
        int | None, typer.Option(min=1, help="Which shot, from 1; else the longest with a face.")
    ] = None,
    face_index: Face = None,
    overwrite: Overwrite = False,
) -> None:
    """Track a real performance into a take file."""
    check_take_output(output)

    from osmnet_sdk.formats.video import video_info

    video_info(video)
    take = run.osmnet().track_video(video, shot=shot, face_index=face_index, progress=run.progress)
    place = save_take(take, output, overwrite=overwrite)
    run.show({"take": str(place), "frames": len(take)})


@command
def head(
    photo: Photo,
    run: Run,
    *,
    output: Out = Path("head.glb"),
    face_index: Face = None,
    overwrite: Overwrite = False,
) -> None:
    """Export the head fitted to a photo as a mesh: .obj, .ply or .glb."""
    check_output_file(output)

    from osmnet_sdk.face.model import check_mesh_suffix
    from osmnet_sdk.formats.outputs import origin, save_result

    check_mesh_suffix(output)
    check_photo(photo, face_index)
    osm = run.osmnet()
    face = osm.fit_face(photo, face_index=face_index)
    place = save_result(
        output, origin({}), lambda path: osm.face_model.export(path, face.identity),
        overwrite=overwrite,
    )  # fmt: skip
    run.show({"mesh": str(place)})


@command
def convert(
    source: Annotated[Path, path_argument("Take: .npz, or .csv of the Live Link Face app.")],
    output: Annotated[Path, path_argument("Where it goes; the suffix names the format.")],
    fps: Annotated[
        str | None,
        typer.Option(
            help='Rate of the rows of a .csv, read or written, such as 30 or "30000/1001"; without '
            "it the timecodes are trusted."
        ),
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Convert a take between take files (.npz) and Live Link Face CSV."""
    rate = frame_rate(fps)
    check_take_output(output)

    from osmnet_sdk.formats.take_files import take_for

    take = take_for(source, output, rate)
    place = save_take(take, output, overwrite=overwrite, fps=rate)
    show_result({"take": str(place), "frames": len(take)}, as_json)
