"""osmnet sample and osmnet retake: takes for a voice, as an animator asks for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osmnet_sdk.cli.arguments import (
    Basis,
    Blinks,
    Brows,
    BundleName,
    Channel,
    Count,
    Device,
    End,
    Epsilon,
    Expression,
    Follow,
    Hold,
    Intensity,
    Json,
    LimitsText,
    Out,
    OutFolder,
    Overwrite,
    Pins,
    Seed,
    Smoothing,
    Start,
    TakeFile,
    Tempo,
    Track,
    Voice,
)
from osmnet_sdk.cli.checks import check_take_output, check_voice, save_take
from osmnet_sdk.cli.console import plain_errors, progress_bars, show_result
from osmnet_sdk.cli.express import expression_options
from osmnet_sdk.core.conventions import AXES
from osmnet_sdk.core.files import check_output_folder, output_folder
from osmnet_sdk.errors import InputError

if TYPE_CHECKING:
    from osmnet_sdk.options import Pin, SampleOptions
    from osmnet_sdk.tracks import Take

_PLACES = ("x", "y", "z")
_POSE = (*AXES, *_PLACES)
_LIMITS = (*AXES, "translation")


def sample(
    voice: Voice,
    output: OutFolder = Path("takes"),
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
    hold: Hold = None,
    basis: Basis = None,
    start: Start = None,
    end: End = None,
    follow: Follow = None,
    overwrite: Overwrite = False,
    channel: Channel = None,
    track: Track = None,
    device: Device = "auto",
    bundle: BundleName = "starter",
    as_json: Json = False,
) -> None:
    """Sample takes for a voice into a folder: motion, expression, blinks, gaze and brows."""
    with plain_errors(), progress_bars(as_json) as progress:
        options = sample_options(
            epsilon=epsilon, intensity=intensity, blinks_per_minute=blinks, brow_activity=brows,
            smoothing=smoothing, tempo=tempo, limits=limits, pins=pin, hold=hold, basis=basis,
            start=start, end=end, takes=takes, seed=seed,
        )  # fmt: skip
        spoken = expression_options(expression)
        check_output_folder(output)
        check_voice(voice, channel, track)
        reference = reference_take(follow)

        from osmnet_sdk.audio.load import load_audio
        from osmnet_sdk.client import OSMNet
        from osmnet_sdk.formats.outputs import free_stem, safe_stem

        osm = OSMNet(device, bundle)
        recording = load_audio(voice, channel=channel, track=track, progress=progress)
        performances = osm.sample_takes(
            recording, n=takes, seed=seed, options=options, expression_options=spoken,
            follow=reference, progress=progress,
        )  # fmt: skip
        folder, endings = output_folder(output), take_endings(performances)
        stem = free_stem(folder, safe_stem(voice.stem), endings, overwrite=overwrite)
        files = [
            str(take.save(folder / f"{stem}{ending}"))
            for ending, take in zip(endings, performances, strict=True)
        ]
        show_result({"takes": files, "frames": len(performances[0])}, as_json)


def retake(
    take: TakeFile,
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
    hold: Hold = None,
    basis: Basis = None,
    follow: Follow = None,
    overwrite: Overwrite = False,
    channel: Channel = None,
    track: Track = None,
    device: Device = "auto",
    bundle: BundleName = "starter",
    as_json: Json = False,
) -> None:
    """Sample a range of time of a take anew; outside it nothing changes."""
    with plain_errors(), progress_bars(as_json) as progress:
        options = sample_options(
            epsilon=epsilon, intensity=intensity, blinks_per_minute=blinks, smoothing=smoothing,
            tempo=tempo, limits=limits, pins=pin, hold=hold, basis=basis,
            seed=seed or 0, first=number,
        )  # fmt: skip
        check_take_output(output)
        check_voice(voice, channel, track)
        reference = reference_take(follow)

        from osmnet_sdk.audio.load import load_audio
        from osmnet_sdk.client import OSMNet
        from osmnet_sdk.tracks import load_take

        osm = OSMNet(device, bundle)
        recording = load_audio(voice, channel=channel, track=track, progress=progress)
        performance = osm.retake(
            load_take(take), recording, start_seconds, end_seconds, seed=seed, take=number,
            options=options, follow=reference, eyes=eyes, progress=progress,
        )  # fmt: skip
        newest = performance.provenance.options["retakes"][-1]
        place = save_take(performance, output, overwrite=overwrite)
        show_result(
            {"take": str(place), "frames": len(performance), "seed": newest["seed"]}, as_json
        )


def take_endings(takes: list[Take]) -> dict[str, dict[str, Any]]:
    """How the names of takes' files end, with what each comes from, in order."""
    from osmnet_sdk.formats.outputs import origin

    return {
        f"-take{index + 1}.npz": origin(take.provenance.model_dump())
        for index, take in enumerate(takes)
    }


def sample_options(
    *,
    pins: Iterable[str] | None = None,
    hold: Iterable[str] | None = None,
    basis: Iterable[str] | None = None,
    limits: str | None = None,
    start: str | None = None,
    end: str | None = None,
    takes: int = 1,
    seed: int = 0,
    first: int = 0,
    **plain: Any,
) -> SampleOptions:
    """Options from the texts of the command line, once the numbers of takes and seed will do.

    Raises:
        InputError: if a text cannot be read or a value is out of its range.
    """
    from osmnet_sdk.options import Limits, SampleOptions, check_sampling

    check_sampling(takes, seed, first)

    return SampleOptions(
        pins=[_pin(text) for text in pins or ()],
        hold=[_seconds_range(text) for text in hold or ()],
        basis=dict(_gain(text) for text in basis or ()),
        limits=Limits(**_named("--limits", limits, _LIMITS) if limits is not None else {}),
        start=_whole_pose("--start", start),
        end=_whole_pose("--end", end),
        **plain,
    )


def reference_take(path: Path | None) -> Take | None:
    """The take that --follow names."""
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
        raise InputError(f"--hold must look like 4-6, seconds, not '{text}'.")
    return _number("--hold", start), _number("--hold", end)


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
