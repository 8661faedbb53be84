"""make bench: seconds and frames per second for 60 s of speech, on this machine's cores.

    python -m tests.bench [SECONDS] [--json]

Then, on every device that torch finds, the whole chain, and frames per second and memory of what
draws frames, beside the generators of two peers with random weights (`peers`). Everything is timed
after a first short run, so that models are loaded and kernels compiled; what that first run costs
is the row "first use".
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from skimage.data import astronaut

from osmnet_sdk import OSMNet
from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.core.conventions import SAMPLE_RATE
from tests.bench.generators import CASES, devices, measure
from tests.bench.memory import peak_memory

VOICE = Path(__file__).parents[2] / "examples" / "voice.flac"


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def whole_chain(voice: Path, photo: Any, device: str, folder: Path) -> None:
    """What `osmnet talk` does, but for its pictures; models are loaded anew."""
    osm = OSMNet(device)
    face = osm.fit_face(photo)
    for number, take in enumerate(osm.sample_takes(voice, n=5, face=face)):
        osm.render_video(face, take, folder / f"{number}.mp4", audio=voice)


def main() -> None:
    """Time the chain and print a table; with --json, one JSON text."""
    as_json = "--json" in sys.argv
    numbers = [argument for argument in sys.argv[1:] if argument != "--json"]
    seconds = float(numbers[0]) if numbers else 60.0
    warnings.simplefilter("ignore")
    rows: list[tuple[str, float, str]] = []

    def row(name: str, value: float, unit: str) -> None:
        rows.append((name, round(value, 3), unit))

    osm = OSMNet(device="cpu")
    photo = astronaut()
    once = load_audio(VOICE)

    def first_use() -> Any:
        face = osm.fit_face(photo)
        take = osm.sample_takes(once, face=face)[0]
        return list(osm.render(face, take.slice(0, 2)))

    row("first use (load, compile, 2 frames)", timed(first_use)[0], "s")
    repeats = int(np.ceil(seconds * SAMPLE_RATE / len(once.samples)))
    samples = np.tile(once.samples, repeats)[: int(seconds * SAMPLE_RATE)]
    with tempfile.TemporaryDirectory() as folder:
        import soundfile

        path = Path(folder) / "speech.flac"
        soundfile.write(path, samples, SAMPLE_RATE)
        duration, audio = timed(lambda: load_audio(path))
        row(f"load {seconds:g} s of FLAC", duration, "s")
        row("sample 5 takes", timed(lambda: osm.sample_motions(audio, n=5))[0], "s")
        row("express", timed(lambda: osm.predict_expression(audio))[0], "s")
        duration, face = timed(lambda: osm.fit_face(photo))
        row("fit a photo of 512 x 512", duration, "s")
        take = osm.sample_takes(audio, face=face)[0]
        for size in (256, 512):
            part = take.slice(0, min(len(take), 500 if size == 256 else 250))

            def video(size: int = size, part: Any = part) -> Any:
                return osm.render_video(
                    face, part, Path(folder) / "take.mp4", audio=audio, size=(size, size)
                )

            row(f"render to mp4 at {size} x {size}", len(part) / timed(video)[0], "frames/s")
        for device in devices():
            chain = timed(lambda device=device: whole_chain(path, photo, device, Path(folder)))
            row(f"whole chain: {seconds:g} s of voice to five mp4s, {device}", chain[0], "s")
    row("peak memory", peak_memory(), "MB")
    for device in devices():
        for name, size in CASES:
            found = measure(name, size, device)
            if found:
                row(f"{name} at {size} x {size}, {device}", found["fps"], "frames/s")
                row(f"{name} at {size} x {size}, {device}: memory", found["memory"], "MB")
    if as_json:
        print(json.dumps({name: value for name, value, _ in rows}))
        return
    table = Table("what", "value", "unit", title=f"{seconds:g} s of speech, {os.cpu_count()} cores")
    for name, value, unit in rows:
        table.add_row(name, f"{value:g}", unit)
    Console().print(table)
    if devices() == ["cpu"]:
        print("No GPU was found: nothing was measured on one.")


if __name__ == "__main__":
    main()
