"""osmnet evaluate: measures against real recordings."""

from __future__ import annotations

import sys
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from osmnet_sdk.console import plain_errors, progress_bars, show_result
from osmnet_sdk.errors import InputError

evaluate_app = typer.Typer(help="Measure against real recordings.", no_args_is_help=True)


@evaluate_app.callback()
def _group() -> None:
    """Measure against real recordings."""


@evaluate_app.command("self-driven")
def self_driven(
    folder: Annotated[Path, typer.Argument(help="Folder with video clips of talking faces.")],
    clip: Annotated[
        list[str] | None, typer.Option(help="Name of a clip without suffix; repeat for more.")
    ] = None,
    sheets: Annotated[
        Path | None, typer.Option(help="Folder for pictures: real, rendered, moved, still.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    bundle: Annotated[str, typer.Option(help="Name or folder of the weights.")] = "starter",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON text.")] = False,
) -> None:
    """Render each clip from its own first frame and tracked motion, and score the frames.

    Driver and landmarks come from the same tracker, so the landmark distances flatter.
    """
    from osmnet_sdk.conventions import FPS
    from osmnet_sdk.evaluation.self_driven import MAX_FRAMES, ClipScore, score_clip
    from osmnet_sdk.face.networks import load_face_networks
    from osmnet_sdk.formats.overview import write_sheet
    from osmnet_sdk.formats.video import read_frames
    from osmnet_sdk.progress import Reporter
    from osmnet_sdk.sdk import OSMNet

    with plain_errors(), progress_bars(as_json) as progress:
        osm = OSMNet(device, bundle)
        networks = load_face_networks(osm.bundle, osm.device)
        scores: list[ClipScore] = []
        for path in _clips(folder, clip):
            frames = [f.image for f in islice(read_frames(path, fps=FPS), MAX_FRAMES)]
            score, rows = score_clip(
                path.stem, frames, networks, osm.face_model, reporter=Reporter(progress)
            )
            scores.append(score)
            if not as_json:
                print(_line(score), flush=True)
            if sheets is not None:
                sheets.mkdir(parents=True, exist_ok=True)
                titles = ["real | rendered | 2-D similarity | still"] * len(rows)
                write_sheet(sheets / f"{path.stem}.png", [[row] for row in rows], titles)
        moving = [score.error_removed for score in scores if score.still < 0.85]
        below = [score.name for score in scores if score.ssim < score.similarity]
        result: dict[str, Any] = {
            "mean_error_removed": round(sum(moving) / len(moving), 3) if moving else None,
            "clips_that_move": len(moving),
            "below_2d_similarity": ", ".join(below) or "none",
        }
        if as_json:
            result["clips"] = [
                asdict(score) | {"error_removed": score.error_removed} for score in scores
            ]
        show_result(result, as_json)


@evaluate_app.command()
def expression(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER",
            help="Folders with NAME.wav and phone labels NAME.json, or of takes (`train clips`).",
        ),
    ],
    videos: Annotated[
        Path | None,
        typer.Option(help="Folder with the takes' videos, to measure lips in their pictures."),
    ] = None,
    speaker: Annotated[
        list[str] | None, typer.Option(help="Take only clips of this speaker; repeat for more.")
    ] = None,
    folds: Annotated[
        int,
        typer.Option(
            help="Groups of the takes' speakers, each measured on a network that never "
            "saw it, trained first; 0 measures the bundle's own."
        ),
    ] = 0,
    recipe: Annotated[Path, typer.Option(help="Recipe of these networks (.json).")] = Path(
        "models/recipes/expression.json"
    ),
    models: Annotated[Path, typer.Option(help="Folder where these networks are kept.")] = Path(
        "runs/expression-folds"
    ),
    facegood: Annotated[
        Path | None, typer.Option(help="The FACEGOOD recordings (.npz) for their training.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Part of the recipe to leave out; repeat for more.")
    ] = None,
    hour: Annotated[bool, typer.Option(help="Also time a minute and an hour of speech.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    bundle: Annotated[str, typer.Option(help="Name or folder of the weights.")] = "starter",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON text.")] = False,
) -> None:
    """Measure predicted lips: phone labels, poor sound, no voice, languages, tracked lips."""
    import torch

    from osmnet_sdk.evaluation.expression import evaluate_expression
    from osmnet_sdk.evaluation.expression_folds import ExpressionFolds

    if folds:  # the same networks on every machine
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
    unseen = ExpressionFolds(recipe, folds, models, facegood, without or ()) if folds else None
    with plain_errors(), progress_bars(as_json) as progress:
        report = evaluate_expression(
            folders, device=device, bundle=bundle, videos=videos, speakers=speaker or (),
            folds=unseen, hour=hour, progress=progress,
        )  # fmt: skip
        if as_json:
            show_result(asdict(report), True)
        else:
            _print_figures(report, "predicted (90 %)")


@evaluate_app.command()
def motion(
    folder: Annotated[Path, typer.Argument(help="Folder of takes, from `osmnet train clips`.")],
    recipe: Annotated[Path, typer.Option(help="Recipe of the training (.json).")] = Path(
        "models/recipes/motion.json"
    ),
    folds: Annotated[
        int, typer.Option(help="Groups of speakers, each measured on a model trained without it.")
    ] = 5,
    models: Annotated[Path, typer.Option(help="Folder where these models are kept.")] = Path(
        "runs/motion-folds"
    ),
    bundle: Annotated[
        str | None, typer.Option(help="Measure these weights instead; they may know the speakers.")
    ] = None,
    takes: Annotated[int, typer.Option(min=2, max=50, help="Takes of each voice and seed.")] = 5,
    seeds: Annotated[int, typer.Option(min=1, max=50, help="Number of seeds.")] = 3,
    hour: Annotated[bool, typer.Option(help="Also measure an hour of speech.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON text.")] = False,
) -> None:
    """Compare takes with what real speakers do, on speakers that the model never saw.

    A first run trains a model for each group of speakers (about 5 minutes each); they are kept.
    """
    import torch

    from osmnet_sdk.evaluation.motion import evaluate_motion
    from osmnet_sdk.training.motion_recipe import MotionRecipe

    torch.set_num_threads(1)  # the same result on every machine
    torch.use_deterministic_algorithms(True)
    with plain_errors(), progress_bars(as_json) as progress:
        report = evaluate_motion(
            folder, MotionRecipe.read(recipe), folds=folds, models=models, bundle=bundle,
            takes=takes, seeds=seeds, hour=hour, progress=progress,
        )  # fmt: skip
        if as_json:
            show_result(asdict(report), True)
        else:
            _print_figures(report, "takes (90 %)")


def _clips(folder: Path, names: list[str] | None) -> list[Path]:
    from osmnet_sdk.formats.video import SUFFIXES

    found = {path.stem: path for path in sorted(folder.glob("*")) if path.suffix in SUFFIXES}
    if not found:
        raise InputError(f"There are no video clips in '{folder}'; name a folder that has some.")
    missing = [name for name in names or [] if name not in found]
    if missing:
        raise InputError(f"There is no clip '{missing[0]}' in '{folder}'.")
    return [found[name] for name in names] if names else list(found.values())


def _line(score: Any) -> str:
    return (
        f"{score.name}: {score.frames} frames, SSIM {score.ssim:.3f} (still {score.still:.3f}, "
        f"2-D {score.similarity:.3f}), error removed {score.error_removed:.3f}, face SSIM "
        f"{score.face_ssim:.3f}, landmarks {score.landmark_distance:.2f} px, mouth "
        f"{score.mouth_distance:.2f} px"
    )


def _print_figures(report: Any, made: str) -> None:
    """Print a report's rows; `made` is the title of what the model makes."""
    from rich.console import Console
    from rich.table import Table

    table = Table(caption=report.summary(), caption_justify="left")
    seeds = any(row.seeds for row in report.figures)
    for title in (
        "figure",
        "real (90 %)",
        made,
        *(["seeds"] if seeds else []),
        "asked",
        "",
        "clips",
    ):
        table.add_column(title, no_wrap=title != "asked")
    for row in report.figures:
        table.add_row(
            f"{row.name}, {row.unit}" if row.unit else row.name,
            _with_range(row.real, row.real_interval),
            _with_range(row.takes, row.takes_interval),
            *([_with_range(None, row.seeds)] if seeds else []),
            row.asked,
            "yes" if row.passed else "[bold]NO[/bold]",
            f"{row.clips} of {row.speakers}" if row.speakers else "",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _with_range(value: float | None, interval: tuple[float, float] | None) -> str:
    text = "" if value is None else f"{value:.3g}"
    ends = "" if interval is None else f"({interval[0]:.3g} to {interval[1]:.3g})"
    return f"{text} {ends}".strip()
