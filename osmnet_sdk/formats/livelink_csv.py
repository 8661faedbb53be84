"""Live Link Face CSV: one row a frame, 52 blendshapes and the head's angles.

docs/formats.md says what is known of the format, and from where.
"""

from __future__ import annotations

import csv
import os
import re
import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.core.files import replaced
from osmnet_sdk.errors import OSMNetWarning, TrackError
from osmnet_sdk.face.camera import euler_angles, rotation_matrix
from osmnet_sdk.formats.csv_table import (
    Columns,
    CsvTable,
    check_count,
    number,
    opened_table,
    unreadable_cell,
)
from osmnet_sdk.formats.timecode import (
    app_timecode,
    checked_timecode_rate,
    frame_timecode,
    parse_timecode,
    row_times,
)
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take, checked_fps

Array = NDArray[np.float64]
Rate = Fraction | int | float | str

_HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")
_EYES = tuple(
    f"{side}Eye{angle}" for side in ("Left", "Right") for angle in ("Yaw", "Pitch", "Roll")
)
_SHAPES = tuple(name[0].upper() + name[1:] for name in ARKIT_NAMES)
HEADER = ("Timecode", "BlendShapeCount", *_SHAPES, *_HEAD, *_EYES)
"""The columns of a file, in the app's order."""

_TIMES = ("timecode", "time", "timestamp", "seconds", "frame")
"""Names of the column of times, the first that is there."""
_SIGNS = np.array([1.0, -1.0, -1.0])
"""Of pitch, yaw and roll: the app's axes are the mirror image of ours."""
_TOLD = 0.1
"""By how much a coefficient may leave [0, 1] untold; recordings of the app reach 1.06."""
_OTHER_SCALE = 2.0
"""Coefficients beyond this are of another scale, such as percent, where there are many."""
_MOST_DAMAGED = 0.1
"""Share of rows that may be damaged before a file is refused."""
_AT_ONCE = 4096
"""Frames that are written at a time."""


def read_livelink_csv(path: str | os.PathLike[str], fps: Rate | None = None) -> Take:
    """Read a recording of the Live Link Face app, or a table of another tool that is like one.

    Rows are taken at the times that they carry and brought to 25 fps, so that dropped rows do no
    harm. The rest pose is the median of the head's angles; a file without them gives a still head.
    What is not as it should be is told by an `OSMNetWarning`: blendshapes that are missing stay at
    rest, values are clipped to [0, 1], damaged rows are left out, and where the timecode jumps the
    rows follow on one another.

    Args:
        path: the .csv file, separated by commas, semicolons or tabs, in UTF-8 or UTF-16. Columns
            are found by their names, in any case, order and with any prefix; those that are not
            known, and the eyes' angles, which the blendshapes hold too, are left out.
        fps: rate at which its rows come, 1 to 1000; None finds it out from the timecodes.

    Raises:
        TrackError: if the file cannot be read, has no blendshape or no times, is longer than 10
            hours, or too many rows are damaged; the message names row (counted from 1, the header
            being 1) and column.

    Example:
        >>> path = sdk.write_livelink_csv(sdk.sample_takes("speech.wav")[0], "take.csv")
        >>> len(sdk.read_livelink_csv(path))
        50
    """
    rate = None if fps is None else checked_fps(fps)
    with opened_table(path) as table:
        rows = _Rows(table, rate is not None)
    times = row_times(rows.times, rows.lines, rows.name, rate) if rows.timed else _even(rows, rate)
    later = np.diff(times, prepend=-1.0) > 0  # a row may repeat the time of the one before
    return _take(rows, times[later], later)


def write_livelink_csv(take: Take, path: str | os.PathLike[str], fps: Rate | None = None) -> Path:
    """Write a take as the Live Link Face app would; return the path.

    The head's angles are absolute, that is the rest pose with the motion on top; its translation
    has no place in such a file. Times start at 00:00:00.

    Args:
        take: what is written.
        path: the .csv file.
        fps: None writes the take's own frames at times that count 60 frames a second, as the app
            does. A rate brings the take to it and writes a whole-frame timecode for each row, in
            drop-frame count at 29.97 and 59.94.

    Raises:
        TrackError: if there is no such rate, or the take is too long for it.
        OutputError: if the file cannot be written, or timecodes cannot count the rate.

    Example:
        >>> take = sdk.sample_takes("speech.wav")[0]
        >>> sdk.write_livelink_csv(take, "take.csv").name
        'take.csv'
    """
    if fps is not None:
        checked_timecode_rate(checked_fps(fps))
        take = take.resample(fps)
    with replaced(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        for start in range(0, len(take), _AT_ONCE):
            part = take.slice(start, min(start + _AT_ONCE, len(take)))
            for index, row in enumerate(_written(part), start):
                time = (
                    app_timecode(index / take.fps)
                    if fps is None
                    else frame_timecode(index, take.fps)
                )
                writer.writerow([time, str(len(row)), *(f"{value:.10f}" for value in row)])
    return Path(path)


# Reading.


class _Rows:
    """The rows of a file that are whole: times, coefficients and angles.

    Attributes:
        timed: whether the file has a column of times.
        times: (rows, 3), as `timecode.parse_timecode` gives them.
        lines: (rows,) their numbers in the file.
        values: a column for each of `shapes`, then, if `turns`, yaw, pitch and roll in radians.
        shapes: numbers of the blendshapes that are there.
        turns: whether the head's angles are there.
    """

    def __init__(self, table: CsvTable, rate_is_named: bool) -> None:
        self.name = table.name
        found = _found_columns(table.header)
        self.shapes = [index for index, name in enumerate(_SHAPES) if _plain(name) in found]
        self.turns = all(_plain(name) in found for name in _HEAD)
        if not self.shapes:
            raise TrackError(
                f"{table.name} has no column of a blendshape, such as 'JawOpen' after 'Timecode'; "
                "give a CSV file of the Live Link Face app."
            )
        time = next((found[name] for name in _TIMES if name in found), None)
        self.timed = time is not None
        if time is None and not rate_is_named:
            raise TrackError(
                f"{table.name} has no column 'Timecode'; name the rate of its rows (--fps)."
            )
        names = [_SHAPES[index] for index in self.shapes] + (list(_HEAD) if self.turns else [])
        self._names = names
        self._places = [found[_plain(name)] for name in names]
        self._time = time
        self._width = max(i for i, name in enumerate(table.header, 1) if name.strip())
        self.values = Columns(len(names))
        self._times, self._lines = Columns(3, np.float64), Columns(1, np.float64)
        self._damage: list[str] = []
        self._damaged = 0
        self._cut_at_end = False
        for line, row in table.rows():
            check_count(self.values.rows, table.name)
            self._add(line, row)
        self._finish()

    def _add(self, line: int, row: list[str]) -> None:
        self._cut_at_end = False
        last = max(self._places + ([] if self._time is None else [self._time]))
        if len(row) <= last or len(row) < self._width:
            self._cut_at_end = True
            self._leave_out(
                f"{self.name}, row {line}: it has {len(row)} columns, the header {self._width}"
            )
            return
        time: tuple[float, float, float] | None = (0.0, np.nan, 0.0)
        if self._time is not None:
            time = parse_timecode(row[self._time])
            if time is None:
                self._leave_out(unreadable_cell(
                    self.name, line, "Timecode", row[self._time],
                    "is not of the form hours:minutes:seconds:frames",
                ))  # fmt: skip
                return
        values = [number(row[place]) for place in self._places]
        for index, value in enumerate(values):
            angle = index >= len(self.shapes)
            if value != value or abs(value) > (1.001 * np.pi if angle else 1e6):
                why = "is not a number" if value != value else "is no coefficient"
                why = "is no angle in radians" if angle and value == value else why
                self._leave_out(unreadable_cell(
                    self.name, line, self._names[index], row[self._places[index]], why
                ))  # fmt: skip
                return
        self.values.add(values)
        self._times.add(time or (0.0, 0.0, 0.0))
        self._lines.add((float(line),))

    def _leave_out(self, why: str) -> None:
        self._damaged += 1
        if len(self._damage) < 1:
            self._damage.append(why)

    def _finish(self) -> None:
        count = self.values.rows
        if not count and not self._damaged:
            raise TrackError(f"{self.name} has a header but no rows.")
        allowed = max(_MOST_DAMAGED * count, float(self._cut_at_end))
        if not count or self._damaged > allowed:
            more = f" ({self._damaged - 1} more rows are like it)" if self._damaged > 1 else ""
            raise TrackError(f"{self._damage[0]}{more}.")
        if self._damaged:
            _warn(f"{self._damage[0]}; {_rows(self._damaged)} left out.")
        self.times = np.stack([self._times.column(index) for index in range(3)], axis=1)
        self.lines = self._lines.column(0).astype(np.int64)
        self._tell_missing()
        self._tell_outside()

    def _tell_missing(self) -> None:
        there = set(self.shapes)
        missing = [name for index, name in enumerate(_SHAPES) if index not in there]
        if missing:
            more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
            _warn(
                f"{self.name} has no column {', '.join(missing[:4])}{more}: "
                f"{'this stays' if len(missing) == 1 else 'these stay'} at rest."
            )

    def _tell_outside(self) -> None:
        """Warn of values beyond [0, 1].

        Raises:
            TrackError: if there are so many that they are of another scale.
        """
        outside, far, worst, where = 0, 0, 0.0, ""
        for place, shape in enumerate(self.shapes):
            values = self.values.column(place)
            beyond = np.maximum(values - 1, -values)
            outside += int((beyond > _TOLD).sum())
            far += int((values > _OTHER_SCALE).sum())
            row = int(beyond.argmax())
            if beyond[row] > max(worst, _TOLD):
                worst = float(beyond[row])
                where = (
                    f"{self.name}, row {self.lines[row]}, column {_SHAPES[shape]}: "
                    f"{values[row]:g} is not within 0 and 1"
                )
        if far > max(_MOST_DAMAGED * self.values.rows, 3):
            raise TrackError(f"{where}, nor are {far} others; give a file with values from 0 to 1.")
        if outside:
            _warn(f"{where}; {'it is' if outside == 1 else f'{outside} such values are'} clipped.")


def _rows(count: int) -> str:
    return "it is" if count == 1 else f"it and {count - 1} more rows are"


def _warn(message: str) -> None:
    warnings.warn(message, OSMNetWarning, stacklevel=5)


_SIDES = re.compile(r"[_\W](l|r)$")
_PREFIXES = re.compile(r"^.*[.:|/]")
_NO_LETTERS = re.compile(r"[^a-z0-9]")


def _plain(name: str) -> str:
    """A column's name without case, prefix, separators and the spelling of its side."""
    text = _PREFIXES.sub("", name.strip()[:200].lower())
    text = _SIDES.sub(lambda side: {"l": "left", "r": "right"}[side[1]], text)
    return _NO_LETTERS.sub("", text)


def _found_columns(header: list[str]) -> dict[str, int]:
    """Places of columns by plain name; the first of a name counts."""
    return {_plain(name): index for index, name in reversed(list(enumerate(header)))}


def _even(rows: _Rows, rate: Fraction | None) -> Array:
    """Times of rows that carry none."""
    return np.asarray(np.arange(rows.values.rows) / float(rate or FPS))


def _take(rows: _Rows, seconds: Array, kept: NDArray[np.bool_]) -> Take:
    """The take at 25 fps; columns are brought to it one by one, since all at once take gigabytes.

    Args:
        rows: what was read.
        seconds: (N,) rising times of the N rows that are kept.
        kept: (rows,) which these are.
    """
    times = _frame_times(seconds)
    angles = np.zeros((len(times), 3))
    if rows.turns:
        first = len(rows.shapes)
        for axis, (place, sign) in enumerate(zip((1, 0, 2), _SIGNS, strict=True)):
            turns = np.unwrap(
                np.degrees(rows.values.column(first + place, kept)) * sign, period=360
            )
            angles[:, axis] = _at(times, seconds, turns)
    coefficients = np.zeros((len(times), len(_SHAPES)), np.float32)
    for place, shape in enumerate(rows.shapes):
        column = np.clip(rows.values.column(place, kept), 0, 1)
        coefficients[:, shape] = np.clip(_at(times, seconds, column), 0, 1)
    coefficients.flags.writeable = False
    rest = np.median(angles, axis=0)
    motion = np.zeros((len(times), 3), np.float32)
    for start in range(0, len(times) if rows.turns else 0, _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        motion[some] = euler_angles(rotation_matrix(rest).T @ rotation_matrix(angles[some]))
    motion.flags.writeable = False
    origin = Provenance(source="imported")
    still = np.zeros((len(times), 3), np.float32)
    still.flags.writeable = False
    return Take(
        MotionTrack(FPS, motion, still, origin),
        ExpressionTrack(FPS, coefficients, provenance=origin),
        ((rest + 180.0) % 360.0 - 180.0).astype(np.float32),
        provenance=origin,
    )


def _frame_times(seconds: Array) -> Array:
    """Times of the frames at 25 fps, until the last row ends."""
    if len(seconds) == 1:
        return np.zeros(1)
    lasts = seconds[-1] + np.median(np.diff(seconds))
    frames = max(1, int(np.ceil(lasts * float(FPS) - 1e-3)))
    return np.asarray(np.minimum(np.arange(frames) / float(FPS), seconds[-1]))


def _at(times: Array, seconds: Array, values: Array) -> Array:
    if len(seconds) == 1:
        return values
    from scipy.interpolate import PchipInterpolator  # slow to import

    return np.asarray(PchipInterpolator(seconds, values)(times))


# Writing.


def _written(take: Take) -> Array:
    """(T, 61) coefficients, then head and eyes in radians."""
    rest = rotation_matrix(take.rest_rotation)
    angles = euler_angles(rest @ rotation_matrix(take.motion.rotation))
    values = np.zeros((len(take), len(HEADER) - 2))
    values[:, : len(_SHAPES)] = take.expression.coefficients
    values[:, len(_SHAPES) : len(_SHAPES) + len(_HEAD)] = np.radians(angles * _SIGNS)[:, [1, 0, 2]]
    values[:, len(_SHAPES) + len(_HEAD) :] = _eye_angles(take.expression)
    return values


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
