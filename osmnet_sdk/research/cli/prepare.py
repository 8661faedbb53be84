"""osmnet prepare: make folders of videos into training data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from osmnet_sdk.cli.arguments import BundleName, Json, path
from osmnet_sdk.cli.console import plain_errors, progress_bars, show_result


def prepare(
    folder: Annotated[Path, typer.Argument(help="Folder with videos.", parser=path)],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the prepared data.", parser=path)
    ] = Path("prepared"),
    layout: Annotated[str, typer.Option(help="auto, folder, hdtf, voxceleb2 or lrw.")] = "auto",
    workers: Annotated[int, typer.Option(help="Processes that look at videos.")] = 1,
    minimum: Annotated[
        float | None, typer.Option(help="Shortest piece in seconds; 1 by default.")
    ] = None,
    smallest_face: Annotated[
        float | None, typer.Option(help="Height of the smallest face in pixels; 80 by default.")
    ] = None,
    silent: Annotated[
        bool | None, typer.Option("--silent/--sound", help="Accept pieces without sound.")
    ] = None,
    bundle: BundleName = "starter",
    as_json: Json = False,
) -> None:
    """Cut, track and crop videos into shards for training; what is done is not done again.

    Every rejected piece and its reason is in manifest.json, see docs/data-preparation.md.
    """
    from osmnet_sdk.research.data.prepare import prepare as prepare_folder
    from osmnet_sdk.research.data.settings import PreparationSettings

    asked = {"minimum_seconds": minimum, "smallest_face": smallest_face, "silent": silent}
    given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    with plain_errors(), progress_bars(as_json) as progress:
        summary = prepare_folder(
            folder, output, layout=layout, workers=workers, bundle=bundle, progress=progress,
            settings=PreparationSettings(**given) if given else None,
        )  # fmt: skip
        result = asdict(summary) | {"manifest": str(summary.manifest)}
        if not as_json:
            result["seconds"] = f"{summary.seconds:.1f}"
            result["rejected"] = [f"{n} × {reason}" for reason, n in summary.rejected.items()]
        show_result(result, as_json)
