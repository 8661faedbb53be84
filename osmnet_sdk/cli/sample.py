"""osmnet sample, retake and express: takes for a voice, as an animator asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from osmnet_sdk.cli.arguments import (
    Count,
    Follow,
    Out,
    OutFolder,
    Overwrite,
    Phones,
    Run,
    Seed,
    Spoken,
    TakeFile,
    VoiceFile,
)
from osmnet_sdk.cli.checks import check_take_output, given_phones, reference_take, save_take
from osmnet_sdk.cli.parameters import Without, command
from osmnet_sdk.core.files import check_output_folder, output_folder
from osmnet_sdk.options import SampleOptions, check_sampling


@command
def sample(
    voice: VoiceFile,
    run: Run,
    *,
    output: OutFolder = Path("takes"),
    takes: Count = 5,
    seed: Seed = 0,
    options: SampleOptions,
    spoken: Spoken,
    phones: Phones = None,
    follow: Follow = None,
    overwrite: Overwrite = False,
) -> None:
    """Sample takes for a voice into a folder: motion, expression, blinks, gaze and brows."""
    check_sampling(takes, seed)
    check_output_folder(output)
    voice.check()
    reference, said = reference_take(follow), given_phones(phones)

    from osmnet_sdk.formats.outputs import free_stem, safe_stem, take_endings

    osm = run.osmnet()
    performances = osm.sample_takes(
        voice.load(run.progress), n=takes, seed=seed, options=options, expression_options=spoken,
        follow=reference, phones=said, progress=run.progress,
    )  # fmt: skip
    folder, endings = output_folder(output), take_endings(performances)
    stem = free_stem(folder, safe_stem(voice.voice.stem), endings, overwrite=overwrite)
    files = [
        str(take.save(folder / f"{stem}{ending}"))
        for ending, take in zip(endings, performances, strict=True)
    ]
    run.show({"takes": files, "frames": len(performances[0])})


@command
def retake(
    take: TakeFile,
    voice: VoiceFile,
    run: Run,
    *,
    start_seconds: Annotated[float, typer.Option("--from", help="First second that may change.")],
    end_seconds: Annotated[float, typer.Option("--to", help="Second from which nothing changes.")],
    output: Out = Path("retake.npz"),
    seed: Annotated[
        int | None, typer.Option(help="Of the new motion; one not yet used if left out.")
    ] = None,
    number: Annotated[int, typer.Option("--take", help="Number in the seed, from 0.")] = 0,
    eyes: Annotated[
        bool,
        typer.Option("--eyes/--keep-eyes", help="Sample blinks and gaze of the range, too."),
    ] = True,
    options: Annotated[SampleOptions, Without(("brow_activity", "start", "end"))],
    follow: Follow = None,
    overwrite: Overwrite = False,
) -> None:
    """Sample a range of time of a take anew; outside it nothing changes."""
    check_sampling(1, seed or 0, number)
    check_take_output(output)
    voice.check()
    reference = reference_take(follow)

    from osmnet_sdk.tracks import load_take

    performance = run.osmnet().retake(
        load_take(take), voice.load(run.progress), start_seconds, end_seconds, seed=seed,
        take=number, options=options, follow=reference, eyes=eyes, progress=run.progress,
    )  # fmt: skip
    newest = performance.provenance.options["retakes"][-1]
    place = save_take(performance, output, overwrite=overwrite)
    result: dict[str, Any] = {"take": str(place), "frames": len(performance)}
    run.show(result | {"seed": newest["seed"]})


@command
def express(
    voice: VoiceFile,
    run: Run,
    *,
    output: Out = Path("expression.npz"),
    options: Spoken,
    phones: Phones = None,
    overwrite: Overwrite = False,
) -> None:
    """Predict the expression of a voice into a take file whose head stays still."""
    check_take_output(output)
    voice.check()
    said = given_phones(phones)

    import numpy as np

    from osmnet_sdk.tracks import MotionTrack, Take

    osm = run.osmnet()
    spoken = osm.predict_expression(
        voice.load(run.progress), options=options, phones=said, progress=run.progress
    )
    still = np.zeros((len(spoken), 3), np.float32)
    take = Take(MotionTrack(spoken.fps, still, still), spoken, provenance=spoken.provenance)
    place = save_take(take, output, overwrite=overwrite)
    run.show({"take": str(place), "frames": len(take)})
