"""Arguments and options that several commands share, with what they say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Photo = Annotated[Path, typer.Argument(help="Picture of one face, seen from the front.")]
Voice = Annotated[Path, typer.Argument(help="Sound: wav, flac, ogg, mp3, m4a, or a video.")]
Out = Annotated[Path, typer.Option("--output", "-o", help="Where the result goes.")]
Count = Annotated[int, typer.Option("--takes", "-n", help="Number of takes.")]
Seed = Annotated[int, typer.Option(help="Same seed, same takes.")]
Epsilon = Annotated[float, typer.Option(help="Spread of the takes, 0 to 3.")]
Intensity = Annotated[float, typer.Option(help="Gain on head motion, 0 to 3.")]
Blinks = Annotated[float, typer.Option(help="Mean blinks per minute, 0 to 30.")]
Brows = Annotated[float, typer.Option(help="Gain on brow raises that go with emphasis, 0 to 3.")]
Expression = Annotated[
    str | None,
    typer.Option(
        "--expression",
        metavar="TEXT",
        help='Options of the predicted expression: "jaw=1.2 lips=0.9 lag_ms=20". intensity, jaw, '
        "lips, brows, cheeks: gains, 0 to 3; smoothing: seconds, 0 to 0.2; lag_ms: milliseconds by "
        "which curves come after the sound, -200 to 200; rest_in_silence: yes or no; gains.NAME: "
        "0 to 3 and offsets.NAME: -1 to 1, of an ARKit coefficient such as gains.jawOpen.",
    ),
]
SizeText = Annotated[
    str, typer.Option("--size", help="crop, photo, or HEIGHTxWIDTH such as 512x512.")
]
Renderer = Annotated[
    str,
    typer.Option(
        "--renderer",
        help="warp: the photo warped; guided: the warp finished by a network; paper: the paper's "
        "Video Generator, where the bundle has its weights; auto: as the bundle says.",
    ),
]
Label = Annotated[
    bool, typer.Option("--label/--no-label", help='Write "AI-generated" into each frame.')
]
Face = Annotated[
    int | None, typer.Option("--face-index", help="Which face, counted from the largest.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
BundleName = Annotated[str, typer.Option("--bundle", help="Name or folder of the weights.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON text, no progress.")]
