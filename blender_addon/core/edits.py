# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits: what an animator changed against a take as it was sampled.

The curves as sampled are kept with the action, so that edits can be told from the take and laid
as an additive layer over another one.
"""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .channels import COUNT
from .errors import AddonError
from .takes import MAX_FRAMES

FloatArray = NDArray[np.float64]

TOLERANCE = 1e-5
"""Radians, metres or coefficient below which a difference is rounding and no edit."""

_HEADER = struct.Struct("<4sII")
_MAGIC = b"OSMc"
_VERSION = 1


def pack(curves: ArrayLike) -> bytes:
    """Pack curves, rounded to float32, to keep them with an action.

    Args:
        curves: (T, 58) in curve units.
    """
    values = np.asarray(curves, "<f4")
    if values.ndim != 2 or values.shape[1] != COUNT:
        raise ValueError(f"Curves must have shape (T, {COUNT}), not {values.shape}.")
    # One channel after the other, and fast: this runs for every take that is imported.
    body = zlib.compress(np.ascontiguousarray(values.T).tobytes(), 1)
    return _HEADER.pack(_MAGIC, _VERSION, len(values)) + body


def unpack(data: bytes) -> FloatArray:
    """The (T, 58) curves of `pack`.

    Raises:
        AddonError: if the data are damaged or of a newer version.
    """
    damaged = AddonError("The curves as sampled are damaged; sample or import the take again.")
    if len(data) < _HEADER.size:
        raise damaged
    magic, version, frames = _HEADER.unpack_from(data)
    if magic == _MAGIC and version > _VERSION:
        raise AddonError("The take was made with a newer OSM-Net; update the extension.")
    if magic != _MAGIC or frames > MAX_FRAMES:
        raise damaged
    size = frames * COUNT * 4
    decompressor = zlib.decompressobj()
    try:
        body = decompressor.decompress(data[_HEADER.size :], size + 1)
    except zlib.error as error:
        raise damaged from error
    if len(body) != size or not decompressor.eof:
        raise damaged
    return np.frombuffer(body, "<f4").reshape(COUNT, frames).T.astype(np.float64)


def difference(edited: ArrayLike, sampled: ArrayLike, tolerance: float = TOLERANCE) -> FloatArray:
    """What was changed: edited − sampled, and exactly 0 where that is below the tolerance.

    Args:
        edited: (T, 58) values of the curves.
        sampled: (T, 58) values of the take as sampled.
        tolerance: in radians, metres and coefficient.

    Returns:
        (T, 58).
    """
    change = np.asarray(edited, np.float64) - np.asarray(sampled, np.float64)
    change[np.abs(change) < tolerance] = 0.0
    return change


def amount(rotation: ArrayLike, fps: Fraction) -> float:
    """How much a head turns: mean degrees per second of (T, 3) Euler angles in radians.

    >>> round(amount([[0, 0, 0], [0, 0.0174533, 0]], Fraction(25)), 3)
    25.0
    """
    steps = np.degrees(np.diff(np.asarray(rotation, np.float64), axis=0))
    return float(np.linalg.norm(steps, axis=1).mean() * fps) if len(steps) else 0.0


def stretch(frames: ArrayLike, change: ArrayLike, frame: float) -> slice:
    """The rows around a frame in which a channel is edited without a gap.

    Args:
        frames: (T,) rising scene frames.
        change: (T,) of one channel, from `difference`.
        frame: scene frame.

    Returns:
        Rows; none if the channel is not edited at the frame.

    >>> stretch([0, 1, 2, 3, 4], [0, 3, 4, 0, 5], 2)
    slice(1, 3, None)
    """
    edited = np.asarray(change) != 0.0
    at = int(np.abs(np.asarray(frames) - frame).argmin())
    if not edited[at]:
        return slice(at, at)
    before, after = np.flatnonzero(~edited[:at]), np.flatnonzero(~edited[at:])
    start = int(before[-1]) + 1 if len(before) else 0
    return slice(start, at + int(after[0]) if len(after) else len(edited))


def layer_keys(frames: ArrayLike, difference: ArrayLike) -> dict[int, FloatArray]:
    """Sparse keys of an additive layer.

    Linear interpolation between the keys gives the difference at every frame: all samples inside
    an edited stretch have a key, and so has one zero on either side of it.

    Args:
        frames: (T,) scene frames of the samples, rising.
        difference: (T, 58) from `difference`.

    Returns:
        (K, 2) frames and values for each channel that has an edit.
    """
    times = np.asarray(frames, np.float64)
    change = np.asarray(difference, np.float64)
    edited = change != 0.0
    kept = edited.copy()
    kept[1:] |= edited[:-1]
    kept[:-1] |= edited[1:]
    return {
        int(channel): np.column_stack([times[kept[:, channel]], change[kept[:, channel], channel]])
        for channel in np.flatnonzero(edited.any(axis=0))
    }
