"""Arguments and options that several commands share, with what they say of themselves."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from osmnet_sdk.cli.checks import check_voice
from osmnet_sdk.cli.console import show_result
from osmnet_sdk.options import ExpressionOptions
from osmnet_sdk.progress import ProgressCallback

if TYPE_CHECKING:
    from osmnet_sdk.audio.load import Audio
    from osmnet_sdk.client import OSMNet
    from osmnet_sdk.core.conventions import AudioFeatures


@dataclass(frozen=True)
class InOneText:
    """In an annotation: all fields of a class of options stand in one option's text.

    Attributes:
        flag: name of that option.
        example: a text.
        apart: fields that have options of their own as well.
    """

    flag: str
    example: str
    apart: tuple[str, ...] = ()


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
Follow = Annotated[
    Path | None, path_option(says="Take file whose slow motion the takes go around.")
]
Phones = Annotated[
    Path | None,
    path_option(
        "--phones",
        says="What is said and when, which then decides the lips: a TextGrid (IPA or ARPAbet), "
        "Rhubarb's cues, or JSON with visemes of Azure or Amazon Polly.",
    ),
]
_MOODS = ("mood", "mood_strength", "moods")
Spoken = Annotated[ExpressionOptions, InOneText("--expression", "jaw=1.2 lag_ms=20", _MOODS)]
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
HeardFeatures = Annotated[
    str,
    typer.Option(
        "--audio-features",
        help="What the lips hear: speech, features of a speech encoder; mel, mel windows as in the "
        "paper; auto, the first that the bundle has.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON text, no progress.")]


@dataclass
class Run:
    """Where a command computes, and how it tells what it does."""

    device: Device = "auto"
    bundle: BundleName = "starter"
    audio_features: HeardFeatures = "auto"
    as_json: Json = False
    progress: ProgressCallback | None = field(default=None, init=False)

    def osmnet(self) -> OSMNet:
        """The calls, on this device and with this bundle."""
        from osmnet_sdk.client import OSMNet

        return OSMNet(self.device, self.bundle, cast("AudioFeatures", self.audio_features))

    def show(self, result: dict[str, Any]) -> None:
        """Print what the command made."""
        show_result(result, self.as_json)


@dataclass
class VoiceFile:
    """A recording, and which of its sounds is the voice."""

    voice: Voice
    channel: Channel = None
    track: Track = None

    def check(self) -> None:
        """Hold that it is a file with something in it, and that channel and track can be.

        Raises:
            AudioError: if not.
        """
        check_voice(self.voice, self.channel, self.track)

    def load(self, progress: ProgressCallback | None) -> Audio:
        """The voice."""
        from osmnet_sdk.audio.load import load_audio

        return load_audio(self.voice, channel=self.channel, track=self.track, progress=progress)
