# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of frames: equal keys mean equal pixels.

A key is made of the values that a rendered frame shows, rounded to less than the eye can see, and
of everything else that the pixels depend on. Frames are rendered from the same rounded values, so
a key and its pixels always agree.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float32Array = NDArray[np.float32]

_STEPS = (1e-3, 1e-6, 1e-4)
"""Degrees, metres and coefficient to which values are rounded."""


def _steps(values: ArrayLike, step: float) -> NDArray[np.float64]:
    """Values as whole numbers of steps, without −0; floats, as those of a broken curve are huge."""
    return np.rint(np.asarray(values, np.float64) / step) + 0.0


def quantise(
    rotation: ArrayLike, translation: ArrayLike, coefficients: ArrayLike
) -> tuple[Float32Array, Float32Array, Float32Array]:
    """The values as they are rendered; rounding them again changes nothing.

    Args:
        rotation: (T, 3) degrees, rounded to 0.001.
        translation: (T, 3) metres, within ±10, rounded to 0.000001.
        coefficients: (T, 52), rounded to 0.0001.

    Returns:
        The same three as float32.
    """
    rounded = [
        (_steps(values, step) * step).astype(np.float32)
        for values, step in zip((rotation, translation, coefficients), _STEPS, strict=True)
    ]
    return rounded[0], rounded[1], rounded[2]


def frame_keys(
    rotation: ArrayLike,
    translation: ArrayLike,
    coefficients: ArrayLike,
    context: Mapping[str, object],
    window: int,
) -> list[str]:
    """One key for each frame.

    Args:
        rotation: (T, 3) degrees.
        translation: (T, 3) metres.
        coefficients: (T, 52).
        context: what else the pixels depend on; values that JSON can hold.
        window: frames on either side that a frame depends on, 0 or more; the first and the last
            frame stand for those beyond the ends.

    Returns:
        T keys of 32 hexadecimal letters.
    """
    steps = [
        _steps(values, step)
        for values, step in zip((rotation, translation, coefficients), _STEPS, strict=True)
    ]
    rows = np.concatenate(steps, axis=1).astype("<f8")
    canonical = json.dumps(context, sort_keys=True, separators=(",", ":"), allow_nan=False)
    common = hashlib.sha256(canonical.encode("utf-8")).digest()
    digests = [hashlib.sha256(row.tobytes()).digest() for row in rows]
    padded = digests[:1] * window + digests + digests[-1:] * window
    return [
        hashlib.sha256(common + b"".join(padded[index : index + 2 * window + 1])).hexdigest()[:32]
        for index in range(len(digests))
    ]


def changed(old: Sequence[str], new: Sequence[str]) -> list[int]:
    """Indices of the new keys that differ from the old one at their place or have none."""
    return [index for index, key in enumerate(new) if index >= len(old) or key != old[index]]
