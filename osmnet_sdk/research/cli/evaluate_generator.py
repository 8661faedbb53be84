"""osmnet evaluate generator: the paper's ablation table on prepared data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osmnet_sdk.cli.arguments import BundleName, Json, path
from osmnet_sdk.cli.console import plain_errors, progress_bars, show_result, show_text
from osmnet_sdk.errors import InputError
from osmnet_sdk.research.cli.train import training_processes, training_segments

if TYPE_CHECKING:
    from osmnet_sdk.research.trainers.generator.recipe import GeneratorRecipe


def generator(
    recipe: Annotated[
        Path, typer.Argument(help="Recipe of the full generator (.json).", parser=path)
    ],
    data: Annotated[
        Path,
        typer.Argument(
            help="Folder that `osmnet prepare` wrote, or of takes, with --videos.", parser=path
        ),
    ],
    videos: Annotated[
        Path | None,
        typer.Option(help="Folder of the videos, where DATA is a folder of takes.", parser=path),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Of each training; by default those of the recipe.")
    ] = None,
    without_landmarks: Annotated[
        Path | None,
        typer.Option(
            help="Bundle with expression weights of `osmnet train expression --without landmarks`, "
            "for the row without the landmark loss.",
            parser=path,
        ),
    ] = None,
    models: Annotated[
        Path,
        typer.Option(
            help="Folder where the networks are kept; a stopped run goes on.", parser=path
        ),
    ] = Path("runs/ablations"),
    bundle: BundleName = "starter",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "cpu",
    precision: Annotated[
        str, typer.Option(help="Of forward passes: 32-true, 16-mixed or bf16-mixed.")
    ] = "32-true",
    extractor_file: Annotated[
        Path | None,
        typer.Option(
            help="Weights of the recipe's feature extractor (.pth, .safetensors).", parser=path
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train the paper's generator and its ablations, and measure them on speakers held out.

    Prints the paper's table V as Markdown: full, without the window of features, without clip-level
    motion, and, given expression weights for it, without the landmark loss. Several processes
    train together when torchrun starts them, see docs/training.md.
    """
    from osmnet_sdk.research.evaluation.ablations import ablation_table, evaluate_ablations
    from osmnet_sdk.research.trainers.generator.recipe import GeneratorRecipe

    with plain_errors():
        processes = training_processes(device, precision)
        with progress_bars(as_json or not processes.is_first) as progress:
            settings = GeneratorRecipe.read(recipe)
            if steps is not None:
                settings = _shortened(settings, steps)
            segments = training_segments(
                data, videos, models, Path(bundle), settings.config.image_size, settings.frames,
                processes, progress,
            )  # fmt: skip
            rows = evaluate_ablations(
                settings, segments, bundle=bundle, models=models,
                without_landmarks=without_landmarks, extractor_file=extractor_file,
                processes=processes, progress=progress,
            )  # fmt: skip
        if not processes.is_first:
            return
        if as_json:
            show_result({"rows": [asdict(row) for row in rows]}, True)
        else:
            show_text(ablation_table(rows))


def _shortened(recipe: GeneratorRecipe, steps: int) -> GeneratorRecipe:
    """The recipe with another number of steps, its schedule in proportion."""
    if steps < 1:
        raise InputError(f"--steps must be 1 or more, not {steps}.")
    late = recipe.late_after * steps // recipe.steps
    return recipe.model_copy(update={"steps": steps, "late_after": late})
