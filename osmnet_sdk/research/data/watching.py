"""The first look at a video: landmarks of the face, shot changes, other faces."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.errors import PhotoError
from osmnet_sdk.face.landmarks import Landmarks, LandmarkTracker
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.face.shots import CHANGE, change, shot_starts, thumbnail
from osmnet_sdk.formats.video import read_frames
from osmnet_sdk.progress import Reporter
from osmnet_sdk.research.data.layouts import Spans, Video
from osmnet_sdk.research.data.pieces import Watched

_CROWD_INTERVAL = 25
"""Frames between two looks for a second face."""
_CROWD_AREA = 0.4
"""Area of a second face over that of the followed one from which it may be the speaker's."""


def watch(video: Video, networks: FaceNetworks, reporter: Reporter) -> Watched:
    """Follow the largest face of each shot.

    Args:
        video: is decoded once, at 25 fps; frames outside its spans are not looked at.
        networks: detector and landmarks.
        reporter: cancel; progress as ("Tracking", frames, 0).

    Raises:
        PhotoError: if the video cannot be read.
    """
    tracker = LandmarkTracker(networks.detector, networks.landmarks)
    points: list[NDArray[np.float32]] = []
    thumbnails: list[NDArray[np.uint8]] = []
    crowded: list[bool] = []
    missing = np.full((478, 2), np.nan, np.float32)
    width = height = since = 0
    for frame in read_frames(video.path, fps=FPS):
        reporter.step("Tracking", frame.index)
        size = frame.image.shape[1], frame.image.shape[0]
        if thumbnails and size != (width, height):
            raise PhotoError(
                f"'{video.path}' changes its size from {width} × {height} to {size[0]} × {size[1]} "
                "pixels; convert it to one size."
            )
        width, height = size
        thumbnails.append(thumbnail(frame.image))
        if len(thumbnails) > 1 and change(*thumbnails[-2:]) >= CHANGE:
            tracker.reset()
            since = 0
        found = tracker.track(frame.image) if _within(frame.index, video.spans) else None
        points.append(missing if found is None else found.points[:, :2].astype(np.float32))
        look = found is not None and since % _CROWD_INTERVAL == 0
        crowded.append(look and found is not None and _others(frame.image, found, networks))
        since += found is not None
    starts = shot_starts(np.stack(thumbnails))
    return Watched(np.stack(points), starts, np.array(crowded, bool), width, height)


def within_spans(count: int, spans: Spans) -> NDArray[np.bool_] | None:
    """(T,) bool, the frames at 25 fps that lie within spans; None if there are no spans."""
    return np.array([_within(index, spans) for index in range(count)]) if spans else None


def _within(index: int, spans: Spans) -> bool:
    time = Fraction(index) / FPS
    return not spans or any(start <= time < stop for start, stop in spans)


def _others(image: NDArray[np.uint8], followed: Landmarks, networks: FaceNetworks) -> bool:
    """Whether a face beside the followed one is large enough to be the speaker's."""
    low, high = followed.points[:, :2].min(0), followed.points[:, :2].max(0)
    area = float(np.prod(high - low))
    for face in networks.detector.detect(image):
        left, top, right, bottom = face.box
        middle = np.array([(left + right) / 2, (top + bottom) / 2])
        beside = bool(((middle < low) | (middle > high)).any())
        if beside and face.area >= _CROWD_AREA * area:
            return True
    return False
