"""Arguments and options that several commands share, with what they say of themselves."""

from __future__ import annotations

import pathlib
from typing import Annotated, Any

import typer


def path(text: str | pathlib.Path) -> pathlib.Path:
    """The path of a text; an empty one would mean the current folder.

    Raises:
        typer.BadParameter: if the text is empty.
    """
    if not str(text).strip():
        raise typer.BadParameter("it is empty; give the name of a file or folder")
    return pathlib.Path(text)


def path_argument(says: str, **more: Any) -> Any:
    """A typer argument that is a path."""
    return typer.Argument(help=says, parser=path, **more)


def path_option(*names: str, says: str) -> Any:
    """A typer option that is a path."""
    return typer.Option(*names, help=says, parser=path)


Path = pathlib.Path
Photo = Annotated[Path, path_argument("Picture of one face, seen from the front.")]
Voice = Annotated[Path, path_argument("Sound: wav, flac, ogg, mp3, m4a, or a video.")]
Channel = Annotated[
    str | None,
    typer.Option(
        help="Channel of the sound that is the voice: left, right, centre, a number from 1, or mix "
        "for the mean of all. If left out: the mix, or one channel where the mix cancels, or the "
        "centre of surround sound."
    ),
]
Track = Annotated[
    int | None,
    typer.Option(
        "--track",
        help="Sound track of the file, from 1. If left out: the file's default, or another one if "
        "nobody speaks in that.",
    ),
]
TakeFile = Annotated[Path, path_argument("Take file (.npz).")]
Out = Annotated[Path, path_option("--output", "-o", says="Where the result goes.")]
OutFolder = Annotated[Path, path_option("--output", "-o", says="Folder of the results.")]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace files that are there even if they come from another sound, seed, photo or "
        "video; otherwise names are numbered on.",
    ),
]
Count = Annotated[int, typer.Option("--takes", "-n", help="Number of takes, 1 to 1000.")]
Seed = Annotated[int, typer.Option(help="Same seed, same takes.")]
Epsilon = Annotated[float, typer.Option(help="Spread of the takes, 0 to 3.")]
Intensity = Annotated[float, typer.Option(help="Gain on head motion, 0 to 3.")]
Blinks = Annotated[float, typer.Option(help="Mean blinks per minute, 0 to 30.")]
Brows = Annotated[float, typer.Option(help="Gain on brow raises that go with emphasis, 0 to 3.")]
Smoothing = Annotated[float, typer.Option(help="Seconds of smoothing, 0 to 0.5.")]
Tempo = Annotated[float, typer.Option(help="How fast the head moves, 0.5 to 2.")]
LimitsText = Annotated[
    str | None,
    typer.Option(
        "--limits",
        help='Largest sampled motion: "pitch=20 yaw=25 roll=15 translation=0.05", degrees (0.1 to '
        "80) and metres (0.001 to 0.5); 30 and 0.08 if left out.",
    ),
]
Pins = Annotated[
    list[str] | None,
    typer.Option("--pin", help='Pose at a time: "3.2: yaw=30 pitch=-5"; may be repeated.'),
]
Hold = Annotated[
    list[str] | None,
    typer.Option(
        "--hold", "--still", help="Seconds in which the head settles: 4-6; may be repeated."
    ),
]
Basis = Annotated[
    list[str] | None,
    typer.Option(help="Gain of a basis vector: 12=2.0, 0 to 3; may be repeated."),
]
Start = Annotated[str | None, typer.Option(help='First pose: "yaw=10 pitch=5", the rest 0.')]
End = Annotated[str | None, typer.Option(help="Last pose, likewise.")]
Follow = Annotated[
    Path | None, path_option(says="Take file whose slow motion the takes go around.")
]
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
Rate = Annotated[
    str | None,
    typer.Option("--fps", help='Frame rate of videos and pictures, such as 30 or "30000/1001".'),
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
