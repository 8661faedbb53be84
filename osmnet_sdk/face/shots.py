"""Shot changes, from small pictures of the frames.

A cut is a change between two frames that is large in itself and stands out from the changes
around it: an adaptive threshold, as in PySceneDetect's AdaptiveDetector, on the change of colour
that Lienhart's comparison of shot boundary detectors (1999) found to be enough for hard cuts. What
is the same again two frames later was a flash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

THUMBNAIL = 16
"""Width and height of a small picture."""

CHANGE = 12.0
"""Least mean difference of a cut, in levels of 255; only violent motion of a head reaches it."""
_STANDS_OUT = 6.0
"""A cut changes so many times as much as the frames around it; fast heads were seen to reach 5."""
_AROUND = 3
"""Changes on either side that a cut is compared with."""
_FLASH = 2
"""Frames that a flash lasts at most."""


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame, uint8 RGB (H, W, 3), as a picture of 16 × 16 pixels."""
    small = cv2.resize(image, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def change(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Mean absolute difference of two small pictures, 0 to 255."""
    return float(np.abs(first.astype(np.int16) - second).mean())


def shot_starts(thumbnails: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The first frame of each shot.

    Args:
        thumbnails: (T, 16, 16, 3) uint8 of every frame, T ≥ 1.

    Returns:
        (T,) bool; the first frame starts a shot.
    """
    count = len(thumbnails)
    changes = np.array([0.0] + [change(*thumbnails[i - 1 : i + 1]) for i in range(1, count)])
    starts = np.zeros(count, bool)
    starts[0] = True
    for index in np.flatnonzero(changes >= CHANGE):
        near = np.r_[
            changes[max(index - _AROUND, 1) : index], changes[index + 1 : index + 1 + _AROUND]
        ]
        # The median: a second cut close by must not hide this one.
        if len(near) and changes[index] < _STANDS_OUT * np.median(near):
            continue
        starts[index] = not _is_flash(thumbnails, int(index))
    return starts


def with_starts(
    images: Iterable[NDArray[np.uint8]],
) -> Iterator[tuple[NDArray[np.uint8], bool]]:
    """Each frame, uint8 RGB (H, W, 3), and whether it starts a shot, as `shot_starts` has it.

    Four frames are held at a time: a cut is known once those after it have been seen.
    """
    ahead = max(_AROUND, _FLASH)
    behind = max(_AROUND, _FLASH) + 1
    waiting: deque[NDArray[np.uint8]] = deque()
    near: deque[NDArray[np.uint8]] = deque()  # thumbnails of those and of some before them
    passed = 0  # how many of `near` come before the first of `waiting`

    def first() -> tuple[NDArray[np.uint8], bool]:
        nonlocal passed
        start = bool(shot_starts(np.stack(near))[passed])
        passed += 1
        if passed > behind:
            near.popleft()
            passed -= 1
        return waiting.popleft(), start

    for image in images:
        waiting.append(image)
        near.append(thumbnail(image))
        if len(waiting) > ahead:
            yield first()
    while waiting:
        yield first()


def _is_flash(thumbnails: NDArray[np.uint8], index: int) -> bool:
    """Whether what changed at `index` is as before within a few frames, or is that return."""
    before = range(max(index - _FLASH - 1, 0), index)
    after = range(index, min(index + _FLASH + 1, len(thumbnails)))
    return any(
        change(thumbnails[a], thumbnails[b]) < CHANGE / 2
        for a in before
        for b in after
        if b - a <= _FLASH + 1
    )
