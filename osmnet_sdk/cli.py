"""The command line: osmnet check, talk, sample, retake, express, render, track, head, info, …"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.filesize import decimal

from osmnet_sdk.cli_ablation import generator as evaluate_generator
from osmnet_sdk.cli_arguments import (
    Blinks,
    Brows,
    BundleName,
    Count,
    Device,
    Epsilon,
    Expression,
    Face,
    Intensity,
    Json,
    Label,
    Out,
    Photo,
    Renderer,
    Seed,
    SizeText,
    Voice,
)
from osmnet_sdk.cli_check import check
from osmnet_sdk.cli_doctor import doctor
from osmnet_sdk.cli_evaluate import evaluate_app
from osmnet_sdk.cli_expression import express, expression_options
from osmnet_sdk.cli_motion import basis, rotate
from osmnet_sdk.cli_prepare import prepare
from osmnet_sdk.cli_sample import retake, sample, sample_options, take_names
from osmnet_sdk.cli_train import train_app
from osmnet_sdk.console import frame_size, plain_errors, progress_bars, show_result
from osmnet_sdk.files import check_output_file, check_output_folder, output_folder
from osmnet_sdk.version import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from osmnet_sdk.tracks import Take

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(train_app, name="train")
evaluate_app.command("generator")(evaluate_generator)
app.command()(check)
app.command()(doctor)
app.command()(express)
app.command()(prepare)
app.command()(sample)
app.command()(retake)
app.command()(basis)
app.command()(rotate)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def osmnet(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """One photo and one voice in, several natural head performances out.

    The person in the photo must have agreed.
    """


def _osmnet(device: str, bundle: str) -> Any:
    from osmnet_sdk.sdk import OSMNet

    return OSMNet(device, bundle)


@app.command()
def talk(
    photo: Photo,
    voice: Voice,
    output: Out = Path("osmnet-out"),
    takes: Count = 5,
    seed: Seed = 0,
    size: SizeText = "crop",
    epsilon: Epsilon = 1.0,
    intensity: Intensity = 1.0,
    blinks: Blinks = 14.0,
    brows: Brows = 1.0,
    expression: Expression = None,
    renderer: Renderer = "auto",
    label: Label = True,
    face_index: Face = None,
    device: Device = "auto",
    bundle: BundleName = "starter",
    as_json: Json = False,
) -> None:
    """Let a photo speak: take files, videos with sound, a sheet of frames and a plot of curves."""
    from osmnet_sdk.audio.load import load_audio
    from osmnet_sdk.formats.overview import write_curves

    with plain_errors(), progress_bars(as_json) as progress:
        check_output_folder(output)
        wanted = frame_size(size)
        options = sample_options(
            epsilon=epsilon, intensity=intensity, blinks_per_minute=blinks, brow_activity=brows
        )
        spoken = expression_options(expression)
        recording = load_audio(voice, progress=progress)
        osm = _osmnet(device, bundle)
        osm.renderer_window(renderer)  # says now, not after sampling, that there is none
        face = osm.fit_face(photo, face_index=face_index)
        performances = osm.sample_takes(
            recording, n=takes, seed=seed, face=face, options=options, expression_options=spoken,
            progress=progress,
        )  # fmt: skip
        folder = output_folder(output)
        names = take_names(voice, takes)
        files = [
            str(take.save(folder / f"{name}.npz"))
            for name, take in zip(names, performances, strict=True)
        ]
        videos = []
        for name, take in zip(names, performances, strict=True):
            stage = _staged(progress, name)
            videos.append(
                osm.render_video(
                    face, take, folder / f"{name}.mp4", audio=voice, renderer=renderer,
                    size=wanted, label=label, resume=True, progress=stage,
                )
            )  # fmt: skip
        titles = [f"take {index + 1}" for index in range(takes)]
        sheet = _sheet(folder / f"{voice.stem}-takes.png", videos, performances, titles)
        curves = write_curves(
            folder / f"{voice.stem}-curves.png", [take.motion for take in performances], titles
        )
        show_result(
            {
                "takes": files,
                "videos": [str(video) for video in videos],
                "sheet": str(sheet),
                "curves": str(curves),
            },
            as_json,
        )


def _staged(progress: Any, name: str) -> Any:
    if progress is None:
        return None
    return lambda stage, done, total: progress(f"{stage} {name}"[-22:], done, total)


def _sheet(path: Path, videos: Iterable[Path], takes: list[Take], titles: list[str]) -> Path:
    """Lay frames of the finished videos side by side."""
    from osmnet_sdk.formats.overview import sheet_frames, write_sheet
    from osmnet_sdk.formats.video import read_frames

    wanted = sheet_frames(len(takes[0]))
    rows: list[list[NDArray[np.uint8]]] = []
    for video in videos:
        rows.append([frame.image for frame in read_frames(video) if frame.index in wanted])
    return write_sheet(path, rows, titles)


@app.command()
def render(
    photo: Photo,
    take: Annotated[Path, typer.Argument(help="Take file (.npz).")],
    output: Out = Path("take.mp4"),
    audio: Annotated[Path | None, typer.Option(help="Sound for the video.")] = None,
    fps: Annotated[str | None, typer.Option(help='Such as 30 or "30000/1001".')] = None,
    size: SizeText = "crop",
    renderer: Renderer = "auto",
    label: Label = True,
    keep_rest: Annotated[
        bool, typer.Option(help="Keep the look of the photo under the take's.")
    ] = True,
    face_index: Face = None,
    device: Device = "auto",
    bundle: BundleName = "starter",
    as_json: Json = False,
) -> None:
    """Render a take over a photo: a video, or PNG files if the output has no suffix."""
    from osmnet_sdk.formats.video_writer import check_writable
    from osmnet_sdk.tracks import load_take

    with plain_errors(), progress_bars(as_json) as progress:
        wanted = frame_size(size)
        if output.suffix:
            check_writable(output)
        else:
            check_output_folder(output)
        performance = load_take(take)
        if fps is not None:
            performance = performance.resample(fps)
        osm = _osmnet(device, bundle)
        face = osm.fit_face(photo, face_index=face_index)
        shared: dict[str, Any] = {
            "renderer": renderer, "size": wanted, "label": label, "keep_rest": keep_rest,
            "progress": progress,
        }  # fmt: skip
        if output.suffix:
            osm.render_video(face, performance, output, audio=audio, **shared)
        else:
            osm.render_images(face, performance, output, **shared)
        show_result({"output": str(output), "frames": len(performance)}, as_json)


@app.command()
def track(
    video: Annotated[Path, typer.Argument(help="Video of one face.")],
    output: Out = Path("tracked.npz"),
    device: Device = "auto",
    bundle: BundleName = "starter",
    as_json: Json = False,
) -> None:
    """Track a real performance into a take file."""
    with plain_errors(), progress_bars(as_json) as progress:
        check_output_file(output)
        take = _osmnet(device, bundle).track_video(video, progress=progress)
        show_result({"take": str(take.save(output)), "frames": len(take)}, as_json)


@app.command()
def head(
    photo: Photo,
    output: Out = Path("head.glb"),
    face_index: Face = None,
    device: Device = "auto",
    bundle: BundleName = "starter",
    as_json: Json = False,
) -> None:
    """Export the head fitted to a photo as a mesh: .obj, .ply or .glb."""
    with plain_errors():
        osm = _osmnet(device, bundle)
        face = osm.fit_face(photo, face_index=face_index)
        path = osm.face_model.export(output, face.identity)
        show_result({"mesh": str(path)}, as_json)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="Take: .npz, or .csv of the Live Link Face app.")],
    output: Annotated[Path, typer.Argument(help="Where it goes; the suffix names the format.")],
    fps: Annotated[
        str | None,
        typer.Option(
            help='Rate of the rows of a .csv, read or written, such as 30 or "30000/1001"; without '
            "it the timecodes are trusted."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Convert a take between take files (.npz) and Live Link Face CSV."""
    from osmnet_sdk.formats.take_files import convert_take_file

    with plain_errors():
        take = convert_take_file(source, output, fps)
        show_result({"take": str(output), "frames": len(take)}, as_json)


@app.command()
def info(device: Device = "auto", bundle: BundleName = "starter", as_json: Json = False) -> None:
    """Show versions, device and bundle; check every file of the bundle."""
    with plain_errors():
        facts = _osmnet(device, bundle).info()
        if not as_json:
            facts["renderers"] = ", ".join(facts["renderers"])
            facts["files"] = [
                f"{name}  {decimal(entry['bytes'])}" for name, entry in facts["files"].items()
            ]
        show_result(facts, as_json)


def main() -> None:
    """Run the command line."""
    if isinstance(sys.stdout, TextIOWrapper):  # a pipe of Windows lacks most letters
        sys.stdout.reconfigure(errors="backslashreplace")
    app(prog_name="osmnet")  # as in completion scripts and docs, however it was started
