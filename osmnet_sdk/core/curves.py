"""Curves and seeds that are the same wherever they are needed."""

from __future__ import annotations

import hashlib
from math import cos, pi


def cosine(step: float, steps: float, floor: float) -> float:
    """Half a cosine that falls from 1 at step 0 to `floor` at `steps`."""
    return floor + (1 - floor) * (1 + cos(pi * step / steps)) / 2


def named_seed(*names: object) -> int:
    """A seed of 56 bits that these names and numbers decide, on every machine alike.

    Example:
        >>> named_seed(7, "audio", 0) == named_seed(7, "audio", 0) != named_seed(7, "audio", 1)
        True
    """
    text = " ".join(map(str, names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
