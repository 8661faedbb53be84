"""Timecodes of recordings: hours:minutes:seconds:frames, drop-frame too, and times in seconds."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import MAX_SECONDS
from osmnet_sdk.core.wording import quoted
from osmnet_sdk.errors import OSMNetWarning, OutputError, TrackError

Array = NDArray[np.float64]

APP_BASE = 60
"""Frames in a second of the timecode that the Live Link Face app writes at any rate."""

_LONGEST_GAP = 2.0
"""Seconds without a row up to which rows were lost; beyond, the clock was set anew."""
_TOLD_GAP = 0.5
"""Seconds without a row from which on a gap is told."""
_MOST_JUMPS = 0.01
"""Share of rows before which the clock may have been set anew; three are always allowed."""
_NTSC = Fraction(1000, 1001)
_PATTERN = re.compile(
    r"(\d{1,4}):(\d{1,2}):(\d{1,2})([:;.])(\d{1,6}(?:[.,]\d{1,12})?)|(\d{1,12}(?:[.,]\d{1,20})?)"
)


def parse_timecode(text: str) -> tuple[float, float, float] | None:
    """Whole seconds, frames on top, and 1 for drop-frame; frames are NaN for a plain number.

    Returns None for a text that is no time.
    """
    found = _PATTERN.fullmatch(text.strip()[:60])
    if found is None:
        return None
    hours, minutes, seconds, mark, frames, number = found.groups()
    if number is not None:
        return float(number.replace(",", ".")), float("nan"), 0.0
    whole = 3600.0 * int(hours) + 60.0 * int(minutes) + int(seconds)
    return whole, float(frames.replace(",", ".")), float(mark != ":")


def row_times(
    parsed: Array, lines: Sequence[int] | NDArray[np.int64], name: str, fps: Fraction | None
) -> Array:
    """Time of each row since the first, in seconds, never falling.

    Gaps of lost rows stay. Where the clock was set anew, the rows follow on one another, with a
    warning.

    Args:
        parsed: (rows, 3) from `parse_timecode`; all NaN where rows have no time.
        lines: (rows,) numbers of the rows in the file, for messages.
        name: of the file, in quotes, for messages.
        fps: at which rows come; None finds it out.

    Raises:
        TrackError: if the times are not those of one recording, or cannot be told without a rate.
    """
    plain = np.isnan(parsed[:, 1])
    if plain.any() and not plain.all():
        row = int(np.flatnonzero(plain != plain[0])[0])
        raise TrackError(f"{name}, row {lines[row]}: its time is of another form than those above.")
    seconds = _plain_seconds(parsed[:, 0], name, fps) if plain.all() else _clock(parsed, name, fps)
    steps = np.diff(seconds)
    jumps = (steps < -1e-6) | (steps > _LONGEST_GAP)
    if jumps.any():
        _tell_jumps(steps, jumps, lines, name)
        steady = steps[~jumps & (steps > 0)]
        usual = float(1 / fps) if fps else float(np.median(steady)) if len(steady) else 1 / APP_BASE
        steps = np.where(jumps, usual, steps)
    for row in np.flatnonzero(steps > _TOLD_GAP)[:1]:
        warnings.warn(
            f"{name}, row {lines[row + 1]}: {steps[row]:.1f} s without a row lie before it; they "
            "are bridged.",
            OSMNetWarning,
            stacklevel=4,
        )
    result = np.concatenate([[0.0], np.cumsum(np.maximum(steps, 0.0))])
    if result[-1] > MAX_SECONDS:
        raise TrackError(
            f"{name} lasts {result[-1] / 3600:.1f} hours; at most {MAX_SECONDS // 3600} are read. "
            "Cut it into parts."
        )
    return result


def _tell_jumps(
    steps: Array, jumps: NDArray[np.bool_], lines: Sequence[int] | NDArray[np.int64], name: str
) -> None:
    row, count = int(np.flatnonzero(jumps)[0]), int(jumps.sum())
    where = (
        f"{name}, row {lines[row + 1]}: the timecode lies {abs(steps[row]):.1f} s "
        f"{'before' if steps[row] < 0 else 'after'} that of the row above"
    )
    if count > max(3, _MOST_JUMPS * len(steps)):
        raise TrackError(
            f"{where}, and {count} rows are like it; the rows must be those of one recording, in "
            "order."
        )
    more = f" ({count - 1} more)" if count > 1 else ""
    warnings.warn(
        f"{where}{more}; the rows are taken to follow on one another.", OSMNetWarning, stacklevel=5
    )


def _plain_seconds(values: Array, name: str, fps: Fraction | None) -> Array:
    """Times that are plain numbers: seconds, or numbers of frames, which need a rate."""
    steps = np.diff(values)
    usual = float(np.median(steps)) if len(steps) else 0.0
    if fps is not None and not 0 < usual < _LONGEST_GAP / 2:
        return np.asarray((values - values[0]) / (usual if usual > 0 else 1.0) / float(fps))
    if fps is not None and usual >= 0.5:
        return np.asarray((values - values[0]) / float(fps))
    if len(values) > 1 and not 0 <= usual < 0.5:
        raise TrackError(
            f"The times of {name} are no seconds; name the rate of its rows (--fps, such as 30)."
        )
    return np.asarray(values - values[0])


def _clock(parsed: Array, name: str, fps: Fraction | None) -> Array:
    """Seconds of timecodes."""
    whole, frames = parsed[:, 0] - parsed[0, 0], parsed[:, 1]
    whole = whole + 86400 * np.cumsum(np.diff(whole, prepend=0.0) < -43200)  # past midnight
    drops = bool(parsed[:, 2].any())
    base = _base(whole, frames, name, fps)
    counted = bool((frames == np.floor(frames)).all())
    ntsc = fps is not None and fps.denominator == _NTSC.denominator and counted
    if not (drops or ntsc):
        return np.asarray(whole + (frames - frames[0]) / base)
    nominal = 30 * round(base / 30) if drops and base >= 30 else base
    numbers = whole * nominal + frames
    if drops:  # two numbers (of 30) are left out each minute but each tenth
        minutes = np.floor((whole + parsed[0, 0]) / 60)
        numbers = numbers - nominal / 15 * (minutes - np.floor(minutes / 10))
    return np.asarray((numbers - numbers[0]) / (nominal * float(_NTSC)))


def _base(whole: Array, frames: Array, name: str, fps: Fraction | None) -> float:
    """Frames in a second of the timecode.

    A rate that is named gives it at once: rows come that often. Otherwise it follows from how the
    frames jump back as a second ends.
    """
    same = np.diff(whole) == 0
    steps = np.diff(frames)
    ends = np.diff(whole) == 1
    highest = float(np.floor(frames.max())) + 1
    usual = float(np.median(steps[same])) if same.any() else 0.0
    if fps is not None:
        nominal = round(float(fps)) if fps.denominator == _NTSC.denominator else float(fps)
        return max(nominal * usual, 1.0) if usual > 0 else max(float(nominal), 1.0)
    if same.any() and not ends.any() and (np.diff(whole) > 0).any():  # rows were lost at each end
        return max(float(round(float(frames.max()) + usual)), highest)
    if not ends.any() or not same.any():
        unclear = highest < APP_BASE and usual == 1 and len(frames) > 2
        if unclear and (frames == np.floor(frames)).all():
            warnings.warn(
                f"The timecode of {name} does not show how many frames a second has; "
                f"{APP_BASE} are assumed. If that is not right, name the rate of its rows (--fps).",
                OSMNetWarning,
                stacklevel=6,
            )
        return max(float(APP_BASE), highest)
    # Within a second a row lasts this many frames, so that where one ends the jump gives the base.
    return max(float(round(float(np.median(usual - steps[ends])))), highest)


def app_timecode(seconds: Fraction) -> str:
    """Hours:minutes:seconds:frames.millionths, 60 frames a second, as the app writes."""
    millionths = round(seconds * APP_BASE * 10**6)
    whole, rest = divmod(millionths, APP_BASE * 10**6)
    return f"{_hours(whole)}:{rest // 10**6:02d}.{rest % 10**6:06d}"


def checked_timecode_rate(fps: Fraction) -> None:
    """Hold that whole-frame timecodes can count a rate.

    Raises:
        OutputError: unless it is a whole number, or one times 1000/1001.
    """
    if fps.denominator != 1 and (fps / _NTSC).denominator != 1:
        raise OutputError(
            f"Timecodes cannot count {quoted(fps)} frames a second; give a whole rate, or one such "
            "as 30000/1001."
        )


def frame_timecode(frame: int, fps: Fraction) -> str:
    """Hours:minutes:seconds:frames of a whole frame; drop-frame, with ";", at 29.97 and 59.94 fps.

    Args:
        frame: its number, from 0.
        fps: that `checked_timecode_rate` found right.
    """
    nominal = round(fps)
    mark = ":"
    if fps.denominator != 1 and nominal % 30 == 0:
        mark, left_out = ";", nominal // 15
        tens, rest = divmod(frame, 600 * nominal - 9 * left_out)
        frame += 9 * left_out * tens
        if rest >= left_out:
            frame += left_out * ((rest - left_out) // (60 * nominal - left_out))
    return f"{_hours(frame // nominal)}{mark}{frame % nominal:02d}.000"


def _hours(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
