"""osmnet train: make the weights of a bundle."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from osmnet_sdk.cli.arguments import Device, path
from osmnet_sdk.cli.console import plain_errors, progress_bars, show_result
from osmnet_sdk.errors import InputError

if TYPE_CHECKING:
    from osmnet_sdk.progress import ProgressCallback
    from osmnet_sdk.research.data.segments import Segment
    from osmnet_sdk.research.trainers.processes import Precision, Processes

train_app = typer.Typer(help="Make the weights of a bundle.", no_args_is_help=True)

Recipe = Annotated[Path, typer.Argument(help="Recipe (.json), see models/recipes.", parser=path)]
Work = Annotated[
    Path, typer.Option(help="Folder of the checkpoint; a stopped run goes on.", parser=path)
]
Curves = Annotated[
    Path | None,
    typer.Option(help="Folder of TensorBoard's curves; by default that of --work.", parser=path),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder of the bundle.", parser=path)]
Pictures = Annotated[
    Path,
    typer.Argument(
        help="Folder that `osmnet prepare` wrote, or of takes, with --videos.", parser=path
    ),
]
Videos = Annotated[
    Path | None,
    typer.Option(help="Folder of the videos, where DATA is a folder of takes.", parser=path),
]
Precisions = Annotated[
    str, typer.Option(help="Of forward passes: 32-true, 16-mixed or bf16-mixed.")
]
ExtractorFile = Annotated[
    Path | None,
    typer.Option(
        help="Weights of the recipe's feature extractor (.pth, .safetensors).", parser=path
    ),
]


@train_app.command()
def clips(
    folder: Annotated[
        Path, typer.Argument(help="Folder with clips.csv and its videos.", parser=path)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the takes; it is made.", parser=path)
    ] = Path("runs/takes"),
) -> None:
    """Track every video that clips.csv lists into a take file, with its sound beside it.

    clips.csv has the columns id, file and speaker, and av_lag_ms where it is known. The sound is
    ID.wav beside a video, else its own track. A take that is there is kept, so a stopped run goes
    on.
    """
    from osmnet_sdk.client import OSMNet
    from osmnet_sdk.research.data.takes import track_clips

    with plain_errors(), progress_bars(False) as progress:
        show_result(asdict(track_clips(folder, output, OSMNet(), progress=progress)), False)


@train_app.command()
def motion(
    recipe: Recipe,
    takes: Annotated[
        Path, typer.Argument(help="Folder of takes, from `osmnet train clips`.", parser=path)
    ],
    statistics: Annotated[
        Path | None,
        typer.Option(help="Folder of further clips that only the calibration sees.", parser=path),
    ] = None,
    output: Output = Path("models/starter"),
    work: Work = Path("runs/motion"),
    curves: Curves = None,
    device: Device = "cpu",
) -> None:
    """Train the Audio-Motion Mapping Network; write motion.safetensors and its card.

    Several processes train together when torchrun starts them, see docs/training.md.
    """
    from osmnet_sdk.research.trainers.loop import TrainingRun
    from osmnet_sdk.research.trainers.motion.recipe import MotionRecipe
    from osmnet_sdk.research.trainers.motion.train import train_motion

    with plain_errors():
        processes = training_processes(device)
        with progress_bars(not processes.is_first) as progress:
            run = TrainingRun(work, curves, processes, progress)
            weights, card = train_motion(MotionRecipe.read(recipe), takes, output, run, statistics)
        if processes.is_first:
            show_result({"weights": str(weights), "card": str(card)}, False)


@train_app.command()
def expression(
    recipe: Recipe,
    takes: Annotated[
        Path | None,
        typer.Argument(help="Folder of takes, if the recipe learns from some.", parser=path),
    ] = None,
    output: Output = Path("models/starter"),
    work: Work = Path("runs/expression"),
    curves: Curves = None,
    device: Device = "cpu",
    facegood: Annotated[
        Path | None,
        typer.Option(help="The FACEGOOD recordings (.npz), if they are at hand.", parser=path),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="Part to leave out: recorded, facegood, landmarks, contact or an "
            "engine; repeat for more."
        ),
    ] = None,
) -> None:
    """Train the Expression Feature Extractor; write expression.safetensors.

    Needs speech synthesisers on the system, see models/recipes/README.md. Several processes train
    together when torchrun starts them, see docs/training.md.
    """
    from osmnet_sdk.audio.speech_encoder import load_encoder
    from osmnet_sdk.core.bundle import find_bundle
    from osmnet_sdk.expression.network import FORMATS
    from osmnet_sdk.face.model import load_face_model
    from osmnet_sdk.research.data.clips import read_clips
    from osmnet_sdk.research.trainers.expression import recipe as expression_recipe
    from osmnet_sdk.research.trainers.expression.train import (
        prepare_data,
        starting_weights,
        train_expression,
    )
    from osmnet_sdk.research.trainers.loop import TrainingRun

    with plain_errors():
        processes = training_processes(device)
        with progress_bars(not processes.is_first) as progress:
            settings = expression_recipe.ExpressionRecipe.read(recipe)
            settings = expression_recipe.without(settings, without or ())
            start = starting_weights(recipe.parent / settings.start) if settings.start else None
            bundle = find_bundle(output)
            model = load_face_model(bundle)
            encoder = load_encoder(bundle) if settings.config.features == "speech" else None
            run = TrainingRun(work, curves, processes, progress)
            with processes.first_alone():
                data = prepare_data(
                    settings, model, run, texts=recipe.parent / settings.texts,
                    facegood=facegood, takes=read_clips(takes) if takes else (), encoder=encoder,
                )  # fmt: skip
            weights = output / FORMATS[settings.config.features].file
            loss = train_expression(settings, data, model, run, out=weights, start=start)
        if processes.is_first:
            show_result({"weights": str(weights), "validation": f"{loss:.4f}"}, False)


@train_app.command()
def generator(
    recipe: Recipe,
    data: Pictures,
    videos: Videos = None,
    output: Output = Path("models/starter"),
    work: Work = Path("runs/generator"),
    curves: Curves = None,
    device: Device = "cpu",
    precision: Precisions = "32-true",
    extractor_file: ExtractorFile = None,
) -> None:
    """Train the paper's Video Generator; write generator.safetensors and its card.

    The bundle must have motion weights. Several processes train together when torchrun starts
    them, see docs/training.md.
    """
    from osmnet_sdk.research.trainers.generator.recipe import GeneratorRecipe
    from osmnet_sdk.research.trainers.generator.train import train_generator
    from osmnet_sdk.research.trainers.loop import TrainingRun

    with plain_errors():
        processes = training_processes(device, precision)
        with progress_bars(not processes.is_first) as progress:
            settings = GeneratorRecipe.read(recipe)
            segments = training_segments(
                data, videos, work, output, settings.config.image_size, settings.frames, processes,
                progress,
            )  # fmt: skip
            run = TrainingRun(work, curves, processes, progress)
            weights, card = train_generator(
                settings, segments, output, run, extractor_file=extractor_file
            )
        if processes.is_first:
            show_result({"weights": str(weights), "card": str(card)}, False)


@train_app.command()
def guided(
    recipe: Recipe,
    data: Pictures,
    videos: Videos = None,
    portraits: Annotated[
        Path | None, typer.Option(help="Folder of portraits to learn from as well.", parser=path)
    ] = None,
    output: Output = Path("models/starter"),
    work: Work = Path("runs/guided"),
    curves: Curves = None,
    device: Device = "cpu",
    precision: Precisions = "32-true",
    extractor_file: ExtractorFile = None,
) -> None:
    """Train the guided generator; write guided.safetensors and its card.

    Its samples are made by the renderer as it is, and kept in the work folder. Several processes
    train together when torchrun starts them, see docs/training.md.
    """
    from osmnet_sdk.core.bundle import find_bundle
    from osmnet_sdk.face.model import load_face_model
    from osmnet_sdk.face.networks import load_face_networks
    from osmnet_sdk.research.trainers.guided.recipe import GuidedRecipe
    from osmnet_sdk.research.trainers.guided.samples import read_portraits
    from osmnet_sdk.research.trainers.guided.train import train_guided
    from osmnet_sdk.research.trainers.loop import TrainingRun

    with plain_errors():
        processes = training_processes(device, precision)
        with progress_bars(not processes.is_first) as progress:
            settings = GuidedRecipe.read(recipe)
            bundle = find_bundle(output)
            segments = training_segments(
                data, videos, work, output, settings.image_size, settings.frames, processes,
                progress,
            )  # fmt: skip
            weights, card = train_guided(
                settings, segments, read_portraits(portraits) if portraits else [], output,
                TrainingRun(work, curves, processes, progress),
                networks=load_face_networks(bundle), model=load_face_model(bundle),
                extractor_file=extractor_file,
            )  # fmt: skip
        if processes.is_first:
            show_result({"weights": str(weights), "card": str(card)}, False)


def training_segments(
    data: Path,
    videos: Path | None,
    work: Path,
    output: Path,
    size: int,
    frames: int | None,
    processes: Processes,
    progress: ProgressCallback | None,
) -> list[Segment]:
    """Clips and the pictures of their frames: prepared data, or takes with their videos."""
    if videos is None:
        if next(data.glob("*.npz"), None) is not None:
            raise InputError(
                f"'{data}' holds takes, whose pictures are in their videos; name the folder of "
                "these with --videos."
            )
        from osmnet_sdk.research.data.prepared_segments import prepared_segments

        return prepared_segments(data, size=size, frames=frames, progress=progress)
    from osmnet_sdk.core.bundle import find_bundle
    from osmnet_sdk.face.networks import load_face_networks
    from osmnet_sdk.research.data.segments import folder_segments

    networks = load_face_networks(find_bundle(output))
    with processes.first_alone():
        return folder_segments(
            data, videos, work / "pictures", size=size, frames=frames, networks=networks,
            progress=progress,
        )  # fmt: skip


def training_processes(device: str, precision: str = "32-true") -> Processes:
    """The processes of a training; on the CPU it makes the same on every machine."""
    import torch

    from osmnet_sdk.research.trainers.processes import PRECISIONS, Processes

    if precision not in PRECISIONS:
        names = ", ".join(PRECISIONS)
        raise InputError(f"Unknown precision '{precision}'; use one of {names}.")
    processes = Processes(device, cast("Precision", precision))
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(processes.device.type == "cpu")
    return processes


@train_app.command()
def manifest(
    folder: Annotated[Path, typer.Argument(help="Folder of the bundle.", parser=path)] = Path(
        "models/starter"
    ),
    name: Annotated[str, typer.Option(help="Name of the bundle.")] = "starter",
    version: Annotated[str, typer.Option(help="Version of the bundle.")] = "0.1.0",
    licence: Annotated[str, typer.Option(help="Licence of the bundle.")] = "Apache-2.0",
    renderer: Annotated[
        str | None,
        typer.Option(help="How frames are drawn by default: warp, guided or paper."),
    ] = None,
) -> None:
    """Write manifest.json, with the SHA-256 of each file of a bundle.

    Without --renderer the default renderer stays what the manifest there says.
    """
    from osmnet_sdk.core.bundle import write_manifest

    with plain_errors():
        if not folder.is_dir():
            raise InputError(f"There is no folder '{folder}'; name the folder of a bundle.")
        written = write_manifest(
            folder, name=name, version=version, licence=licence, renderer=renderer
        )
        show_result({"files": sorted(written.files), "renderer": written.renderer}, False)
