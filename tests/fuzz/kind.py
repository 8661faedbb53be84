"""What a kind of input is that the package reads, and how a good one is made."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Random = random.Random


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes:
        seeds: makes good inputs by name, into which suffix goes; small, since they are many.
        change: makes an odd input of a good one.
        read: reads it as the package would; what it returns does not matter.
    """

    seeds: Callable[[], dict[str, bytes]]
    change: Callable[[bytes, Random], bytes]
    read: Callable[[Path, Random], Any]

    def case(self, folder: Path, rng: Random) -> Path:
        """Write one odd input into a folder; return its path."""
        name, data = rng.choice(sorted(self.seeds().items()))
        path = folder / name
        path.write_bytes(self.change(data, rng))
        return path


def saved(write: Callable[[Any], Any], suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"seed{suffix}"
        write(path)
        return path.read_bytes()
