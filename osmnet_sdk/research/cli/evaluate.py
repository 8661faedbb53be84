"""osmnet evaluate: measures against real recordings."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, cast

import typer

from osmnet_sdk.cli.arguments import HeardFeatures, path
from osmnet_sdk.cli.console import plain_errors, progress_bars, show_result, show_text
from osmnet_sdk.core.conventions import AudioFeatures

evaluate_app = typer.Typer(help="Measure against real recordings.", no_args_is_help=True)


@evaluate_app.callback()
def _group() -> None:
    """Measure against real recordings."""


@evaluate_app.command()
def video(
    folder: Annotated[Path, typer.Argument(help="Folder with the video clips.", parser=path)],
    clip: Annotated[
        list[str] | None,
        typer.Option(help="Name of a clip without suffix instead of all; repeat for more."),
    ] = None,
    renderer: Annotated[
        list[str] | None,
        typer.Option(
            help="still, similarity, warp, guided or paper; repeat for more. The last is judged."
        ),
    ] = None,
    sheets: Annotated[
        Path | None,
        typer.Option(help="Folder for pictures: real and drawn frames side by side.", parser=path),
    ] = None,
    least_mouth: Annotated[
        float | None, typer.Option(help="SSIM of the mouth that is asked of the last renderer.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    bundle: Annotated[str, typer.Option(help="Name or folder of the weights.")] = "starter",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON text.")] = False,
) -> None:
    """Render clips from their own first frame and tracked motion, and score the frames.

    Prints two tables of Markdown: means over the clips, and each clip. Driver and landmarks come
    from the same tracker, so the landmark distances flatter.
    """
    from osmnet_sdk.research.evaluation.video.evaluate import evaluate_video
    from osmnet_sdk.research.evaluation.video.table import markdown

    with plain_errors(), progress_bars(as_json) as progress:
        report = evaluate_video(
            folder, clips=clip, renderers=renderer, sheets=sheets, least_mouth=least_mouth,
            device=device, bundle=bundle, progress=progress,
        )  # fmt: skip
        if as_json:
            show_result(asdict(report), True)
        else:
            show_text(f"{markdown(report.figures, report.clips)}\n\n{report.summary()}")


@evaluate_app.command()
def expression(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER",
            help="Folders with NAME.wav and phone labels NAME.json, or of takes (`train clips`).",
            parser=path,
        ),
    ],
    videos: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the takes' videos, to measure lips in their pictures.", parser=path
        ),
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
    recipe: Annotated[
        Path, typer.Option(help="Recipe of these networks (.json).", parser=path)
    ] = Path("models/recipes/expression.json"),
    models: Annotated[
        Path, typer.Option(help="Folder where these networks are kept.", parser=path)
    ] = Path("runs/expression-folds"),
    facegood: Annotated[
        Path | None,
        typer.Option(help="The FACEGOOD recordings (.npz) for their training.", parser=path),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Part of the recipe to leave out; repeat for more.")
    ] = None,
    hour: Annotated[bool, typer.Option(help="Also time a minute and an hour of speech.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    bundle: Annotated[str, typer.Option(help="Name or folder of the weights.")] = "starter",
    audio_features: HeardFeatures = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON text.")] = False,
) -> None:
    """Measure predicted lips: phone labels, poor sound, no voice, languages, tracked lips."""
    import torch

    from osmnet_sdk.research.evaluation.expression.evaluate import evaluate_expression
    from osmnet_sdk.research.evaluation.expression.folds import ExpressionFolds
    from osmnet_sdk.research.evaluation.table import figure_table

    if folds:  # the same networks on every machine
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
    unseen = ExpressionFolds(recipe, folds, models, facegood, without or ()) if folds else None
    with plain_errors(), progress_bars(as_json) as progress:
        report = evaluate_expression(
            folders, device=device, bundle=bundle,
            audio_features=cast(AudioFeatures, audio_features), videos=videos,
            speakers=speaker or (), folds=unseen, hour=hour, progress=progress,
        )  # fmt: skip
        if as_json:
            show_result(asdict(report), True)
        else:
            show_text(f"{figure_table(report.figures)}\n\n{report.summary()}")


@evaluate_app.command()
def motion(
    folder: Annotated[
        Path, typer.Argument(help="Folder of takes, from `osmnet train clips`.", parser=path)
    ],
    statistics: Annotated[
        Path | None,
        typer.Option(
            help="Folder of further clips: measured and calibrated with, never trained on.",
            parser=path,
        ),
    ] = None,
    controls: Annotated[
        bool, typer.Option(help="Also measure takes with a part left out.")
    ] = False,
    recipe: Annotated[
        Path, typer.Option(help="Recipe of the training (.json).", parser=path)
    ] = Path("models/recipes/motion.json"),
    folds: Annotated[
        int, typer.Option(help="Groups of speakers, each measured on a model trained without it.")
    ] = 5,
    models: Annotated[
        Path, typer.Option(help="Folder where these models are kept.", parser=path)
    ] = Path("runs/motion-folds"),
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

    from osmnet_sdk.research.evaluation.motion.controls import control_table
    from osmnet_sdk.research.evaluation.motion.evaluate import evaluate_motion
    from osmnet_sdk.research.evaluation.table import figure_table
    from osmnet_sdk.research.trainers.motion.recipe import MotionRecipe

    torch.set_num_threads(1)  # the same result on every machine
    torch.use_deterministic_algorithms(True)
    with plain_errors(), progress_bars(as_json) as progress:
        report = evaluate_motion(
            folder, MotionRecipe.read(recipe), statistics_folder=statistics, controls=controls,
            folds=folds, models=models, bundle=bundle, takes=takes, seeds=seeds, hour=hour,
            progress=progress,
        )  # fmt: skip
        if as_json:
            show_result(asdict(report), True)
        else:
            show_text(f"{figure_table(report.figures)}\n\n{report.summary()}")
            if report.own:
                show_text(f"\nTraining clips' speakers alone:\n\n{figure_table(report.own)}")
            if report.controls:
                show_text(f"\n{control_table(report.controls)}")
