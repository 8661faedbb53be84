"""What an hour of sound costs, measured in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.core.conventions import SAMPLE_RATE

Found = TypeVar("Found")

MINUTE, HOUR = 60, 3600
"""Seconds."""


def measured_alone(
    measure: Callable[[Path, NDArray[np.float32], int], Found],
    weights: Path,
    voices: Sequence[NDArray[np.float32]],
    seconds: int,
) -> Found:
    """What `measure(weights, speech, seconds)` finds in a new process, so that memory can be told.

    Args:
        measure: a function of a module.
        weights: a file or folder of weights.
        voices: sounds, 16 kHz mono, that are strung together.
        seconds: the longest sound to be measured.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, weights, np.concatenate(voices), seconds).result()


def repeated(speech: NDArray[np.float32], seconds: int) -> Audio:
    """Speech again and again; unlike numpy's resize, nothing larger is made on the way."""
    samples = np.empty(seconds * SAMPLE_RATE, np.float32)
    for start in range(0, len(samples), len(speech)):
        samples[start : start + len(speech)] = speech[: len(samples) - start]
    return Audio(samples, f"{seconds} s of speech")


def peak_megabytes() -> float | None:
    """Most memory that this process had, in megabytes, where Linux tells it."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = [line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 / 1e6 if found else None
