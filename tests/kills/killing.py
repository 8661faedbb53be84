"""Jobs that are killed at random moments, and what must hold afterwards."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osmnet_sdk.core.resuming import LEDGER

SIGNALS = {"SIGKILL": -9, "SIGTERM": 143, "SIGINT": 130}
"""Signals, each with the exit code of a command that it stops."""


@dataclass(frozen=True)
class Job:
    """A command with the files of an undisturbed run."""

    name: str
    arguments: tuple[str, ...]
    seconds: float
    files: dict[str, bytes]


@dataclass(frozen=True)
class Outcome:
    """What one kill did.

    Attributes:
        finished: whether the command had ended before the signal came.
        early: whether the signal came before Python had handed over to this package.
        faults: what must not be, in words; empty if all is well.
        kept: files that were there when the second run began.
    """

    finished: bool
    early: bool
    faults: list[str]
    kept: int


def prepared_jobs(folder: Path, voice: Path, names: tuple[str, ...]) -> Iterator[Job]:
    """Small jobs of the kinds that are named, each run once undisturbed."""
    import soundfile
    from PIL import Image
    from skimage.data import astronaut

    samples, rate = soundfile.read(voice)
    sound, photo = folder / "voice.wav", folder / "photo.png"
    soundfile.write(sound, np.asarray(samples)[: int(1.2 * rate)], rate)
    Image.fromarray(astronaut()[:320, 60:380]).save(photo)
    shared = ("--device", "cpu")
    small = ("--size", "64x64", *shared)
    subprocess.run(_command("sample", sound, "-o", folder / "takes", "--takes", 1), check=True)
    take = folder / "takes" / "voice-take1.npz"
    commands = {
        "talk": ("talk", photo, sound, "-o", "out", "--takes", 2, *small),
        "video": ("render", photo, take, "-o", "out/take.mp4", "--audio", sound, *small),
        "pictures": ("render", photo, take, "-o", "out", *small),
        "sample": ("sample", sound, "-o", "out", "--takes", 3, *shared),
    }
    for name in names:
        arguments = tuple(map(str, commands[name]))
        place = folder / f"{name}-undisturbed"
        start = time.monotonic()
        code, said = _run(arguments, place)
        assert code == 0, said
        yield Job(name, arguments, time.monotonic() - start, _files(place / "out"))


def killed(job: Job, place: Path, sign: str, chance: random.Random) -> Outcome:
    """Kill a job at a random moment, run it again, and look at what is there.

    Args:
        job: what is killed.
        place: an empty folder.
        sign: one of `SIGNALS`.
        chance: decides the moment.
    """
    code, said = _run(job.arguments, place, sign, chance.uniform(0.0, 1.1 * job.seconds))
    finished, early = code == 0, False
    faults = []
    if "Traceback" in said:
        early = "osmnet_sdk/" not in said.replace("\\", "/")
        if not early:
            faults.append(f"a traceback: {said[-500:]}")
    elif not finished and code not in (SIGNALS[sign], -getattr(signal, sign)):
        faults.append(f"exit code {code}: {said[-500:]}")
    there = _files(place / "out")
    for name, data in there.items():
        if name not in job.files:
            if sign != "SIGKILL":
                faults.append(f"{name} is left")
        elif name == LEDGER:
            json.loads(data)
        elif data != job.files[name]:
            faults.append(f"{name} is broken")
    code, said = _run(job.arguments, place)
    if code != 0:
        faults.append(f"the second run ended with {code}: {said[-500:]}")
    after = _files(place / "out")
    if after.keys() != job.files.keys():
        faults.append(f"after it, {sorted(after.keys() ^ job.files.keys())} differ")
    changed = [name for name in job.files if after.get(name) != job.files[name]]
    if changed:
        faults.append(f"after it, {changed} are not what an undisturbed run makes")
    return Outcome(finished, early, faults, len(there.keys() & job.files.keys()))


def heed_interrupts() -> None:
    """For a child of a process that runs in the background, whose children ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "osmnet_sdk", *map(str, arguments)]


def _run(
    arguments: tuple[str, ...], place: Path, sign: str | None = None, after: float = 0.0
) -> tuple[int, str]:
    """Run a command in a folder, with a signal after some seconds; exit code and errors."""
    (place / "out").mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        _command(*arguments), cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, errors="replace", preexec_fn=heed_interrupts,
    ) as program:  # fmt: skip
        if sign is not None:
            try:
                _, said = program.communicate(timeout=after)
                return program.returncode, said
            except subprocess.TimeoutExpired:
                program.send_signal(getattr(signal, sign))
        _, said = program.communicate(timeout=600)
        return program.returncode, said


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
