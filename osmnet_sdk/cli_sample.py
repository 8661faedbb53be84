"""osmnet sample and osmnet retake: takes for a voice, as an animator asks for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osmnet_sdk.cli_arguments import (
    Blinks,
    Brows,
    BundleName,
    Count,
    Device,
    Epsilon,
    Expression,
    Intensity,
    Json,
    Out,
    Seed,
    Voice,
)
from osmnet_sdk.cli_expression import expression_options
from osmnet_sdk.console import plain_errors, progress_bars, show_result
from osmnet_sdk.conventions import AXES
from osmnet_sdk.errors import InputError
from osmnet_sdk.files import check_output_file, check_output_folder, output_folder

if TYPE_CHECKING:
    from osmnet_sdk.options import Pin, SampleOptions
    from osmnet_sdk.tracks import Take

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
Still = Annotated[
    list[str] | None,
    typer.Option(help="Seconds in which the head settles: 4-6; may be repeated."),
]
Basis = Annotated[
    list[str] | None,
    typer.Option(help="Gain of a basis vector: 12=2.0, 0 to 3; may be repeated."),
]
Start = Annotated[str | None, typer.Option(help='First pose: "yaw=10 pitch=5", the rest 0.')]
End = Annotated[str | None, typer.Option(help="Last pose, likewise.")]
Follow = Annotated[
    Path | None, typer.Option(help="Take file whose slow motion the takes go around.")
]

_PLACES = ("x", "y", "z")
_POSE = (*AXES, *_PLACES)
_LIMITS = (*AXES, "translation")


def sample(
    voice: Voice,
    output: Out = Path("takes"),
    takes: Count = 5,
    seed: Seed = 0,
    epsilon: Epsilon = 1.0,
    intensity: Intensity = 1.0,
    blinks: Blinks = 14.0,
    brows: Brows = 1.0,
    expression: Expression = None,
    smoothing: Smoothing = 0.0,
    tempo: Tempo = 1.0,
    limits: LimitsText = None,
    pin: Pins = None,
    still: Still = None,
    basis: Basis = None,
    start: Start = None,
    end: End = None,
    follow: Follow = None,
    device: Device = "auto",
    bundle: BundleName = "starter",
    as_json: Json = False,
) -> None:
    """Sample takes for a voice into a folder: motion, expression, blinks, gaze and brows."""
    from osmnet_sdk.sdk import OSMNet

    with plain_errors(), progress_bars(as_json) as progress:
        options = sample_options(
            epsilon=epsilon, intensity=intensity, blinks_per_minute=blinks, brow_activity=brows,
            smoothing=smoothing, tempo=tempo, limits=limits, pins=pin, still=still, basis=basis,
            start=start, end=end,
        )  # fmt: skip
        spoken = expression_options(expression)
        reference = _reference(follow)
        check_output_folder(output)
        performances = OSMNet(device, bundle).sample_takes(
            voice, n=takes, seed=seed, options=options, expression_options=spoken,
            follow=reference, progress=progress,
        )  # fmt: skip
        folder = output_folder(output)
        files = [
            str(take.save(folder / f"{name}.npz"))
            for name, take in zip(take_names(voice, takes), performances, strict=True)
        ]
        show_result({"takes": files, "frames": len(performances[0])}, as_json)


def retake(
    take: Annotated[Path, typer.Argument(help="Take file (.npz).")],
    voice: Voice,
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
    epsilon: Epsilon = 1.0,
    intensity: Intensity = 1.0,
    blinks: Blinks = 14.0,
    smoothing: Smoothing = 0.0,
    tempo: Tempo = 1.0,
    limits: LimitsText = None,
    pin: Pins = None,
    still: Still = None,
    basis: Basis = None,
    follow: Follow = None,
    device: Device = "auto",
    bundle: BundleName = "starter",
    as_json: Json = False,
) -> None:
    """Sample a range of time of a take anew; outside it nothing changes."""
    from osmnet_sdk.sdk import OSMNet
    from osmnet_sdk.tracks import load_take

    with plain_errors(), progress_bars(as_json) as progress:
        options = sample_options(
            epsilon=epsilon, intensity=intensity, blinks_per_minute=blinks, smoothing=smoothing,
            tempo=tempo, limits=limits, pins=pin, still=still, basis=basis,
        )  # fmt: skip
        check_output_file(output)
        performance = OSMNet(device, bundle).retake(
            load_take(take), voice, start_seconds, end_seconds, seed=seed, take=number,
            options=options, follow=_reference(follow), eyes=eyes, progress=progress,
        )  # fmt: skip
        newest = performance.provenance.options["retakes"][-1]
        show_result(
            {
                "take": str(performance.save(output)),
                "frames": len(performance),
                "seed": newest["seed"],
            },
            as_json,
        )


def take_names(voice: Path, takes: int) -> list[str]:
    """Names of the files of a voice's takes, without suffix."""
    return [f"{voice.stem}-take{index + 1}" for index in range(takes)]


def sample_options(
    *,
    pins: Iterable[str] | None = None,
    still: Iterable[str] | None = None,
    basis: Iterable[str] | None = None,
    limits: str | None = None,
    start: str | None = None,
    end: str | None = None,
    **plain: Any,
) -> SampleOptions:
    """Options from the texts of the command line.

    Raises:
        InputError: if a text cannot be read or a value is out of its range.
    """
    from osmnet_sdk.options import Limits, SampleOptions

    return SampleOptions(
        pins=[_pin(text) for text in pins or ()],
        still=[_seconds_range(text) for text in still or ()],
        basis=dict(_gain(text) for text in basis or ()),
        limits=Limits(**_named("--limits", limits, _LIMITS) if limits is not None else {}),
        start=_whole_pose("--start", start),
        end=_whole_pose("--end", end),
        **plain,
    )


def _reference(path: Path | None) -> Take | None:
    from osmnet_sdk.tracks import load_take

    return None if path is None else load_take(path)


def _pin(text: str) -> Pin:
    from osmnet_sdk.options import Pin

    time, colon, pose = text.partition(":")
    if not colon:
        raise InputError(f"--pin must look like '3.2: yaw=30 pitch=-5', not '{text}'.")
    values = _named("--pin", pose)
    return Pin(
        _number("--pin", time),
        [values.get(name) for name in AXES],
        [values.get(name) for name in _PLACES],
    )


def _whole_pose(option: str, text: str | None) -> list[float] | None:
    if text is None:
        return None
    values = _named(option, text)
    return [values.get(name, 0.0) for name in _POSE]


def _named(option: str, text: str, names: tuple[str, ...] = _POSE) -> dict[str, float]:
    """Values of axes that a text such as "yaw=30 pitch=-5" names."""
    values: dict[str, float] = {}
    for word in re.split(r"[\s,]+", text.strip()):
        name, equals, value = word.partition("=")
        if not equals or name not in names or name in values:
            raise InputError(
                f"{option} takes each of {', '.join(names)} once at most, as in "
                f"'yaw=30 pitch=5', not '{word}'."
            )
        values[name] = _number(option, value)
    return values


def _seconds_range(text: str) -> tuple[float, float]:
    start, dash, end = text.partition("-")
    if not dash:
        raise InputError(f"--still must look like 4-6, seconds, not '{text}'.")
    return _number("--still", start), _number("--still", end)


def _gain(text: str) -> tuple[int, float]:
    number, equals, gain = text.partition("=")
    if not equals or not number.strip().isdecimal():
        raise InputError(f"--basis must look like 12=2.0, vector and gain, not '{text}'.")
    return int(number), _number("--basis", gain)


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{option} needs a number in place of '{text.strip()}'.") from None
