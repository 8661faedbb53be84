"""Live Link Face CSV: one row a frame, 52 blendshapes and the head's angles.

docs/formats.md says what is known of the format, and from where.
"""

from __future__ import annotations

import csv
import os
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.errors import TrackError
from osmnet_sdk.face.camera import euler_angles, rotation_matrix
from osmnet_sdk.files import replaced
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take

Array = NDArray[np.float64]

TIMECODE_BASE = 60
"""Frames in a second of the timecode that the app writes, and that we write."""

_HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")
_EYES = tuple(
    f"{side}Eye{angle}" for side in ("Left", "Right") for angle in ("Yaw", "Pitch", "Roll")
)
_SHAPES = tuple(name[0].upper() + name[1:] for name in ARKIT_NAMES)
HEADER = ("Timecode", "BlendShapeCount", *_SHAPES, *_HEAD, *_EYES)
"""The columns of a file, in the app's order."""

_SIGNS = np.array([1.0, -1.0, -1.0])
"""Of pitch, yaw and roll: the app's axes are the mirror image of ours."""
_BEYOND = 0.2
"""By how much a coefficient may leave [0, 1] before it is refused; recordings reach 1.06."""
_LONGEST_GAP = 60.0
"""Seconds without a row after which rows cannot be of one recording."""
_TIMECODE = re.compile(r"(\d+):(\d+):(\d+)[:;](\d+(?:\.\d+)?)")


def read_livelink_csv(path: str | os.PathLike[str]) -> Take:
    """Read a recording of the Live Link Face app.

    Rows are taken at the times that they carry and brought to 25 fps, so that dropped rows do no
    harm. The rest pose is the median of the head's angles; a file without them gives a still head.

    Args:
        path: the .csv file. Columns are found by their names, in any case and order; those that
            are not known, and the eyes' angles, which the blendshapes hold too, are left out.

    Raises:
        TrackError: if the file cannot be read, a column is missing, or a row holds something that
            is not allowed; the message names row (counted from 1, the header being 1) and column.
    """
    columns, rows, lines = _table(Path(path))
    seconds = _seconds([row[columns["timecode"]] for row in rows], lines, path)
    later = np.diff(seconds, prepend=-1.0) > 0  # a row may repeat the time of the one before
    shapes = _numbers(rows, lines, columns, _SHAPES, path)
    outside = (shapes < -_BEYOND) | (shapes > 1 + _BEYOND)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise TrackError(
            f"'{path}', row {lines[row]}, column {_SHAPES[column]}: {shapes[row, column]:g} is not "
            "within 0 and 1."
        )
    angles = _head_angles(rows, lines, columns, path)
    values = np.concatenate([np.clip(shapes, 0, 1), np.unwrap(angles, period=360, axis=0)], axis=1)
    return _take(*_resampled(seconds[later], values[later]))


def write_livelink_csv(take: Take, path: str | os.PathLike[str]) -> Path:
    """Write a take as the Live Link Face app would, at the take's own frame rate; return the path.

    The head's angles are absolute, that is the rest pose with the motion on top; its translation
    has no place in such a file. Times start at 00:00:00 and count 60 frames a second.

    Raises:
        OutputError: if the file cannot be written.
    """
    rest = rotation_matrix(take.rest_rotation)
    angles = euler_angles(rest @ rotation_matrix(take.motion.rotation))
    head = np.radians(angles * _SIGNS)[:, [1, 0, 2]]
    values = np.zeros((len(take), len(HEADER) - 2))
    values[:, : len(_SHAPES)] = take.expression.coefficients
    values[:, len(_SHAPES) : len(_SHAPES) + len(_HEAD)] = head
    values[:, len(_SHAPES) + len(_HEAD) :] = _eye_angles(take.expression)
    with replaced(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        for index, row in enumerate(values):
            numbers = [f"{value:.10f}" for value in row]
            writer.writerow([_timecode(index / take.fps), str(len(row)), *numbers])
    return Path(path)


# Reading.


def _table(path: Path) -> tuple[dict[str, int], list[list[str]], list[int]]:
    """Column numbers by lower-case name, the rows that are not empty, and their numbers."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            header = next(reader, [])
            numbered = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except OSError as error:
        raise TrackError(f"Cannot read '{path}': {error.strerror or error}.") from error
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise TrackError(f"'{path}' is not a CSV file: it holds no plain text.") from error
    columns = {name.strip().lower(): index for index, name in reversed(list(enumerate(header)))}
    for name in ("Timecode", *_SHAPES):
        if name.lower() not in columns:
            raise TrackError(
                f"'{path}' has no column '{name}'; give a CSV file of the Live Link Face app."
            )
    if not numbered:
        raise TrackError(f"'{path}' has a header but no rows.")
    for line, row in numbered:
        if len(row) < len(header):
            raise TrackError(
                f"'{path}', row {line}: it has {len(row)} columns, the header has {len(header)}."
            )
    return columns, [row for _, row in numbered], [line for line, _ in numbered]


def _numbers(
    rows: list[list[str]],
    lines: list[int],
    columns: dict[str, int],
    names: tuple[str, ...],
    path: str | os.PathLike[str],
) -> Array:
    """The (rows, names) values of columns."""
    at = [columns[name.lower()] for name in names]
    result = np.empty((len(rows), len(names)))
    for index, row in enumerate(rows):
        for column, place in enumerate(at):
            try:
                value = float(row[place])
            except ValueError:
                value = np.nan
            if not np.isfinite(value):
                raise TrackError(
                    f"'{path}', row {lines[index]}, column {names[column]}: "
                    f"'{row[place][:40]}' is not a number."
                )
            result[index, column] = value
    return result


def _head_angles(
    rows: list[list[str]],
    lines: list[int],
    columns: dict[str, int],
    path: str | os.PathLike[str],
) -> Array:
    """Absolute pitch, yaw and roll (rows, 3) in degrees, in our axes."""
    if any(name.lower() not in columns for name in _HEAD):
        return np.zeros((len(rows), 3))
    radians = _numbers(rows, lines, columns, _HEAD, path)
    outside = np.abs(radians) > 1.001 * np.pi
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise TrackError(
            f"'{path}', row {lines[row]}, column {_HEAD[column]}: {radians[row, column]:g} is no "
            "angle in radians."
        )
    return np.asarray(np.degrees(radians[:, [1, 0, 2]]) * _SIGNS)


def _seconds(timecodes: list[str], lines: list[int], path: str | os.PathLike[str]) -> Array:
    """Time of each row since the first, in seconds, never falling."""
    parts = np.empty((len(timecodes), 4))
    for index, text in enumerate(timecodes):
        found = _TIMECODE.fullmatch(text.strip())
        if found is None:
            raise TrackError(
                f"'{path}', row {lines[index]}, column Timecode: '{text[:40]}' is not of the form "
                "hours:minutes:seconds:frames."
            )
        parts[index] = [float(part) for part in found.groups()]
    whole = parts[:, :3] @ [3600.0, 60.0, 1.0]
    whole = whole - whole[0]
    whole += 86400 * np.cumsum(np.diff(whole, prepend=0.0) < -43200)  # past midnight
    seconds = whole + parts[:, 3] / _timecode_base(whole, parts[:, 3])
    steps = np.diff(seconds)
    for row in np.flatnonzero((steps < -1e-6) | (steps > _LONGEST_GAP))[:1]:
        raise TrackError(
            f"'{path}', row {lines[row + 1]}, column Timecode: '{timecodes[row + 1]}' lies "
            f"{abs(steps[row]):.1f} s {'before' if steps[row] < 0 else 'after'} the row above; the "
            "rows must be those of one recording, in order."
        )
    return np.asarray(np.maximum.accumulate(seconds - seconds[0]))


def _timecode_base(whole: Array, frames: Array) -> float:
    """Frames in a second of the timecode, from how its frames jump back as a second ends.

    Args:
        whole: (rows,) hours, minutes and seconds in seconds.
        frames: (rows,) the frames on top.
    """
    same = np.diff(whole) == 0
    steps = np.diff(frames)
    ends = np.diff(whole) == 1
    if not ends.any() or not same.any():
        return float(max(TIMECODE_BASE, np.ceil(frames.max())))
    # Within a second a row lasts this many frames, so that where one ends the jump gives the base.
    base = round(float(np.median(np.median(steps[same]) - steps[ends])))
    return float(max(base, np.floor(frames.max()) + 1))


def _resampled(seconds: Array, values: Array) -> tuple[Array, Array]:
    """Coefficients (T, 52) and angles (T, 3) at 25 fps."""
    if len(seconds) > 1:
        from scipy.interpolate import PchipInterpolator  # slow to import

        lasts = seconds[-1] + np.median(np.diff(seconds))
        frames = max(1, int(np.ceil(lasts * float(FPS) - 1e-3)))
        times = np.minimum(np.arange(frames) / float(FPS), seconds[-1])
        values = PchipInterpolator(seconds, values)(times)
    return values[:, : len(_SHAPES)], values[:, len(_SHAPES) :]


def _take(coefficients: Array, angles: Array) -> Take:
    rest = np.median(angles, axis=0)
    motion = euler_angles(rotation_matrix(rest).T @ rotation_matrix(angles))
    origin = Provenance(source="imported")
    still = np.zeros((len(angles), 3), np.float32)
    return Take(
        MotionTrack(FPS, motion.astype(np.float32), still, origin),
        ExpressionTrack(FPS, np.clip(coefficients, 0, 1).astype(np.float32), provenance=origin),
        ((rest + 180.0) % 360.0 - 180.0).astype(np.float32),
        provenance=origin,
    )


# Writing.

_EYE_RADIANS = (0.6, 0.55)
"""Turn of an eye sideways and up or down at a coefficient of 1, measured in recordings."""


def _eye_angles(expression: ExpressionTrack) -> Array:
    """(T, 6) yaw, pitch and roll of left and right eye, as the app would give them."""
    result: list[Any] = []
    for side, to_right in (("Left", "In"), ("Right", "Out")):
        to_left = "Out" if to_right == "In" else "In"
        right = expression.column(f"eyeLook{to_right}{side}")
        left = expression.column(f"eyeLook{to_left}{side}")
        down = expression.column(f"eyeLookDown{side}") - expression.column(f"eyeLookUp{side}")
        yaw, pitch = _EYE_RADIANS[0] * (right - left), _EYE_RADIANS[1] * down
        result += [yaw, pitch, yaw * pitch]
    return np.stack(result, axis=1)


def _timecode(seconds: Fraction) -> str:
    """Hours:minutes:seconds:frames.millionths, 60 frames a second."""
    millionths = round(seconds * TIMECODE_BASE * 10**6)
    whole, rest = divmod(millionths, TIMECODE_BASE * 10**6)
    return (
        f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}:"
        f"{rest // 10**6:02d}.{rest % 10**6:06d}"
    )
