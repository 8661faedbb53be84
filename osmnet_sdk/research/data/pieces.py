"""Pieces of a video in which one head can be followed, and why the rest cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.face.performance import found_frames
from osmnet_sdk.face.source import Crop, crop_around
from osmnet_sdk.research.data.settings import PreparationSettings

Points = NDArray[np.float32]

MAX_GAP = 3
"""Frames without a face that are bridged."""
_JUMP = 0.4
"""Way between two frames, over the size of the face, that only another face could have gone."""
_GROWTH = 1.35
"""The same for the size of the face."""
_ROOM = 1.2
"""Least side of a crop over the extent of the face in all frames."""
_TRAVEL = 2.0
"""Extent of the face in all frames over that in one, up to which one crop serves them all."""
_OUTSIDE = 0.05
"""Part of the face's size that may lie outside the picture."""


class Reason(StrEnum):
    """Why a piece of video is not used."""

    UNREADABLE = "unreadable"
    NO_FACE = "no face"
    TOO_SHORT = "too short"
    TOO_SMALL = "face too small"
    SEVERAL_FACES = "several faces"
    CUT_OFF = "face cut off"
    MOVES_FAR = "moves too far"
    TRACKING_LOST = "tracking lost"
    TURNED = "turned too far"
    NO_SOUND = "no sound"
    OUT_OF_SYNC = "sound out of sync"


@dataclass(frozen=True)
class Rejection:
    """A piece of video that is not used.

    Attributes:
        start: first frame, at 25 fps.
        stop: frame after the last.
        reason: why.
        detail: the value that decided, in words.
    """

    start: int
    stop: int
    reason: Reason
    detail: str


@dataclass(frozen=True)
class Piece:
    """A piece of video in which one head was followed.

    Attributes:
        start: first frame, at 25 fps.
        stop: frame after the last.
        crop: square of the picture that holds the head in all frames.
    """

    start: int
    stop: int
    crop: Crop


@dataclass(frozen=True, eq=False)
class Watched:
    """What was seen in a video at 25 fps.

    Attributes:
        points: (T, 478, 2) float32 landmarks of the followed face in pixels, NaN without one.
        starts: (T,) bool, first frames of shots.
        crowded: (T,) bool, frames in which a second large face was seen.
        width: of the frames in pixels.
        height: of the frames in pixels.
    """

    points: Points
    starts: NDArray[np.bool_]
    crowded: NDArray[np.bool_]
    width: int
    height: int


def find_pieces(
    watched: Watched, settings: PreparationSettings, spans: NDArray[np.bool_] | None = None
) -> tuple[list[Piece], list[Rejection]]:
    """Cut a video into pieces.

    Args:
        watched: what was seen in it.
        settings: limits.
        spans: (T,) bool, the frames that are to be used; None for all.

    Returns:
        Segments and rejections, each in order; frames that are not to be used are in neither.
    """
    pieces: list[Piece] = []
    rejections: list[Rejection] = []
    found = found_frames(watched.points)
    for first, last in _shots(watched.starts, spans):
        if not found[first:last].any():
            rejections.append(Rejection(first, last, Reason.NO_FACE, _seconds(last - first)))
            continue
        end = first
        for start, stop in _followed(watched.points, found, first, last):
            _reject_gap(rejections, end, start)
            end = stop
            if stop - start < settings.minimum_seconds * FPS:
                detail = _seconds(stop - start)
                rejections.append(Rejection(start, stop, Reason.TOO_SHORT, detail))
                continue
            for part in _parts(start, stop, int(settings.maximum_seconds * FPS)):
                checked = _checked(watched, found, *part, settings)
                if isinstance(checked, Piece):
                    pieces.append(checked)
                else:
                    rejections.append(checked)
        _reject_gap(rejections, end, last)
    return pieces, rejections


def head_crop(points: Points, width: int, height: int) -> Crop | tuple[Reason, str]:
    """The square that holds a head in all frames, within the picture.

    Args:
        points: (T, 478, 2) landmarks in pixels; all finite, T ≥ 1.
        width: of the picture in pixels.
        height: of the picture in pixels.

    Returns:
        The crop, or why there is none.
    """
    crops = [crop_around(row) for row in points]
    side = float(np.median([crop.side for crop in crops]))
    size = float(np.median(np.ptp(points, axis=1).max(axis=1)))
    low, high = points.min((0, 1)), points.max((0, 1))
    extent = float((high - low).max())
    if extent > _TRAVEL * size:
        return Reason.MOVES_FAR, f"over {extent / size:.1f} times its size"
    outside = max(float(max(-low.min(), 0)), float((high - (width, height)).max()))
    side = min(max(side, _ROOM * extent), float(min(width, height)))
    if outside > _OUTSIDE * size or side < _ROOM * extent:
        return Reason.CUT_OFF, f"by the edge of the {width} × {height} picture"
    left = [crop.x + (crop.side - side) / 2 for crop in crops]
    top = [crop.y + (crop.side - side) / 2 for crop in crops]
    x = np.clip((min(left) + max(left)) / 2, 0.0, width - side)
    y = np.clip((min(top) + max(top)) / 2, 0.0, height - side)
    return Crop(float(x), float(y), side)


def _shots(starts: NDArray[np.bool_], spans: NDArray[np.bool_] | None) -> Iterator[tuple[int, int]]:
    """First and past-the-last frame of each shot, within what is to be used."""
    count = len(starts)
    used = np.ones(count, bool) if spans is None else spans
    borders = starts.copy()
    borders[1:] |= used[1:] != used[:-1]
    for start, stop in pairwise([*np.flatnonzero(borders).tolist(), count]):
        if used[start]:
            yield start, stop


def _followed(
    points: Points, found: NDArray[np.bool_], first: int, last: int
) -> Iterator[tuple[int, int]]:
    """Pieces of a shot in which one face is seen, but for gaps of a few frames."""
    seen = (first + np.flatnonzero(found[first:last])).tolist()
    start = seen[0]
    for before, after in pairwise(seen):
        if after - before > MAX_GAP + 1 or _jumps(points[before], points[after], after - before):
            yield start, before + 1
            start = after
    yield start, seen[-1] + 1


def _jumps(before: Points, after: Points, frames: int) -> bool:
    sizes = [float(np.ptp(row, axis=0).max()) for row in (before, after)]
    way = float(np.linalg.norm(after.mean(0) - before.mean(0)))
    growth = max(sizes) / max(min(sizes), 1e-6)
    return way > _JUMP * frames * min(sizes) or growth > _GROWTH**frames


def _parts(start: int, stop: int, longest: int) -> Iterator[tuple[int, int]]:
    count = -(-(stop - start) // longest)
    edges = np.linspace(start, stop, count + 1).astype(int).tolist()
    yield from pairwise(edges)


def _checked(
    watched: Watched,
    found: NDArray[np.bool_],
    start: int,
    stop: int,
    settings: PreparationSettings,
) -> Piece | Rejection:
    points = watched.points[start:stop][found[start:stop]]
    if not len(points):
        return Rejection(start, stop, Reason.NO_FACE, _seconds(stop - start))
    height = float(np.median(np.ptp(points[..., 1], axis=1)))
    if height < settings.smallest_face:
        detail = f"{height:.0f} pixels high; {settings.smallest_face:.0f} are asked for"
        return Rejection(start, stop, Reason.TOO_SMALL, detail)
    crowd = int(watched.crowded[start:stop].sum())
    if crowd:
        return Rejection(start, stop, Reason.SEVERAL_FACES, f"seen {crowd} times")
    crop = head_crop(points, watched.width, watched.height)
    if isinstance(crop, Crop):
        return Piece(start, stop, crop)
    return Rejection(start, stop, *crop)


def _reject_gap(rejections: list[Rejection], start: int, stop: int) -> None:
    if stop - start > MAX_GAP:
        rejections.append(Rejection(start, stop, Reason.NO_FACE, _seconds(stop - start)))


def _seconds(frames: int) -> str:
    return f"{frames / float(FPS):.2f} s"
