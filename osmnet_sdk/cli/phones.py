"""osmnet phones: which speech sounds are said, and when."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from osmnet_sdk.cli.arguments import Overwrite, Run, VoiceFile, path_option
from osmnet_sdk.cli.checks import check_phones_output
from osmnet_sdk.cli.parameters import command


@command
def phones(
    voice: VoiceFile,
    run: Run,
    *,
    output: Annotated[
        Path,
        path_option(
            "--output",
            "-o",
            says="Where the phones go: .TextGrid (Praat), .json, .tsv (Rhubarb's mouth shapes) or "
            ".srt.",
        ),
    ] = Path("phones.TextGrid"),
    overwrite: Overwrite = False,
) -> None:
    """Write which speech sounds are said, and when; --phones takes such files back."""
    check_phones_output(output)
    voice.check()

    from osmnet_sdk.formats.outputs import origin, save_result
    from osmnet_sdk.formats.phone_files import write_phones

    track = run.osmnet().predict_phones(voice.load(run.progress), progress=run.progress)
    place = save_result(
        output, origin(track.provenance.model_dump()), lambda to: write_phones(track, to),
        overwrite=overwrite,
    )  # fmt: skip
    result: dict[str, Any] = {"phones": str(place), "seconds": track.seconds}
    result["count"] = sum(phone.phone != "silence" for phone in track)
    if run.as_json:
        result["classes"] = dict(Counter(phone.phone for phone in track))
    run.show(result)
