"""Values over time, as tracks hold them: checked, frozen, and taken to other frame rates."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.conventions import HIGHEST_FPS, LOWEST_FPS, MAX_FRAMES, exact_rate
from osmnet_sdk.core.wording import quoted
from osmnet_sdk.errors import TrackError

FloatArray = NDArray[np.float32]

_COLUMNS = 4
"""Columns that are resampled at a time: an hour of all of them takes gigabytes."""


def frozen_array(values: ArrayLike, name: str, columns: int) -> FloatArray:
    """The values as float32 (frames, columns) that nobody can change; copied only if need be.

    Raises:
        TrackError: if they are not finite numbers of that shape, or too many.
    """
    try:
        array = values if _is_our_own(values) else np.array(values, dtype=np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise TrackError(
            f"{name} must be numbers of shape (frames, {columns}): {error}."
        ) from error
    if array.ndim != 2 or array.shape[1] != columns or len(array) == 0:
        raise TrackError(
            f"{name} must have shape (frames, {columns}) with at least one frame, "
            f"not {array.shape}."
        )
    if len(array) > MAX_FRAMES:
        raise TrackError(
            f"{name} has {len(array)} frames; a track may have {MAX_FRAMES}. Cut it into parts."
        )
    if not np.isfinite(array).all():
        frame = int(np.argwhere(~np.isfinite(array).all(axis=1))[0, 0])
        raise TrackError(f"{name} holds a value that is not finite, first in frame {frame}.")
    array.flags.writeable = False
    return array


def _is_our_own(values: ArrayLike) -> TypeGuard[FloatArray]:
    """Whether nobody can change the values, so that they need no copy."""
    return (
        isinstance(values, np.ndarray)
        and values.dtype == np.float32
        and not values.flags.writeable
        and values.flags.owndata
    )


def check_range(array: FloatArray, name: str, low: float, high: float, unit: str) -> None:
    """Hold that all values lie from `low` to `high`.

    Raises:
        TrackError: if one does not.
    """
    outside = (array < low) | (array > high)
    if outside.any():
        frame, column = np.argwhere(outside)[0]
        raise TrackError(
            f"{name} must lie between {low:g} and {high:g}{unit}; frame {frame}, column {column} "
            f"is {array[frame, column]:g}."
        )


def checked_fps(fps: Fraction | int | float | str) -> Fraction:
    """Return a frame rate as an exact fraction, for example "30000/1001".

    Raises:
        TrackError: unless it is a number from 1 to 1000 frames per second.
    """
    try:
        return exact_rate(fps)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise TrackError(
            f"{quoted(fps)} is not a frame rate; give a number from {LOWEST_FPS} to {HIGHEST_FPS}, "
            "such as 25 or 30000/1001."
        ) from error


def frame_times(frames: int, old: Fraction, new: Fraction) -> NDArray[np.float64]:
    """Positions, in frames at `old` fps, of the frames at `new` fps over the same time."""
    count = -(-frames * new // old)
    if count > MAX_FRAMES:
        raise TrackError(
            f"At {float(new):g} frames per second the track has {count} frames; it may have "
            f"{MAX_FRAMES}. Cut it into parts."
        )
    positions = np.arange(count) * float(old / new)
    return np.clip(positions, 0, frames - 1)


def resampled(
    values: FloatArray, positions: NDArray[np.float64], dtype: type = np.float32
) -> NDArray[Any]:
    """Shape-preserving cubic interpolation: C1, and never beyond the neighbouring samples."""
    result: NDArray[Any] = np.empty((len(positions), values.shape[1]), dtype)
    if len(values) == 1:
        result[:] = values
        return result
    from scipy.interpolate import PchipInterpolator  # slow to import

    places = np.arange(len(values))
    for first in range(0, values.shape[1], _COLUMNS):
        some = slice(first, first + _COLUMNS)
        result[:, some] = PchipInterpolator(places, values[:, some])(positions)
    return result


def check_slice(start: int, stop: int, frames: int) -> None:
    """Hold that frames `start` to `stop` − 1 are frames of a track.

    Raises:
        TrackError: if they are not.
    """
    if not 0 <= start < stop <= frames:
        raise TrackError(f"Cannot take frames {start} to {stop} of a track of {frames} frames.")


def frames_between(start: float, end: float, fps: Fraction, frames: int) -> tuple[int, int]:
    """First frame at `start` s or later, and first at `end` s or later, of a track.

    Raises:
        TrackError: if the range does not lie within the track or holds no frame.
    """
    seconds = float(frames / fps)
    if not 0.0 <= start < end <= seconds + 1e-6:
        raise TrackError(
            f"Cannot take {start:g} to {end:g} s of a track of {seconds:g} s; give a start and a "
            "later end within it."
        )
    first, stop = (min(math.ceil(time * float(fps) - 1e-6), frames) for time in (start, end))
    if first >= stop:
        raise TrackError(f"There is no frame from {start:g} to {end:g} s; take a longer range.")
    return first, stop
