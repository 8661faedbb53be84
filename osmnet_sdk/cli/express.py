"""osmnet express, and options of expression as commands take them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osmnet_sdk.cli.arguments import (
    BundleName,
    Channel,
    Device,
    Expression,
    Json,
    Out,
    Overwrite,
    Track,
    Voice,
)
from osmnet_sdk.cli.checks import check_take_output, check_voice, save_take
from osmnet_sdk.cli.console import plain_errors, progress_bars, show_result
from osmnet_sdk.errors import InputError

if TYPE_CHECKING:
    from osmnet_sdk.options import ExpressionOptions


def express(
    voice: Voice,
    output: Out = Path("expression.npz"),
    expression: Expression = None,
    overwrite: Overwrite = False,
    channel: Channel = None,
    track: Track = None,
    device: Device = "auto",
    bundle: BundleName = "starter",
    as_json: Json = False,
) -> None:
    """Predict the expression of a voice into a take file whose head stays still."""
    with plain_errors(), progress_bars(as_json) as progress:
        options = expression_options(expression)
        check_take_output(output)
        check_voice(voice, channel, track)

        import numpy as np

        from osmnet_sdk.audio.load import load_audio
        from osmnet_sdk.client import OSMNet
        from osmnet_sdk.tracks import MotionTrack, Take

        osm = OSMNet(device, bundle)
        recording = load_audio(voice, channel=channel, track=track, progress=progress)
        spoken = osm.predict_expression(recording, options=options, progress=progress)
        still = np.zeros((len(spoken), 3), np.float32)
        take = Take(MotionTrack(spoken.fps, still, still), spoken, provenance=spoken.provenance)
        place = save_take(take, output, overwrite=overwrite)
        show_result({"take": str(place), "frames": len(take)}, as_json)


def expression_options(text: str | None) -> ExpressionOptions:
    """Options from a text such as "jaw=1.2 lag_ms=20 gains.jawOpen=1.1 rest_in_silence=no".

    Raises:
        InputError: if the text cannot be read or a value is out of its range.
    """
    from osmnet_sdk.options import ExpressionOptions

    values: dict[str, Any] = {}
    for word in re.split(r"[\s,]+", (text or "").strip()):
        if not word:
            continue
        name, equals, value = word.partition("=")
        option, dot, coefficient = name.partition(".")
        holder = values.setdefault(option, {}) if dot else values
        key = coefficient if dot else option
        if not equals or not key or not isinstance(holder, dict) or key in holder:
            raise InputError(
                f"--expression takes each NAME=VALUE once, as in 'jaw=1.2 gains.mouthFunnel=1.5', "
                f"not '{word}'."
            )
        holder[key] = value
    return ExpressionOptions(**values)
