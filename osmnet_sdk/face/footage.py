"""One performance out of a film: its shots, the one that is tracked, and the face in it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.bundle import file_sha256
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.errors import InputError, NoFaceError, OSMNetWarning, PhotoError
from osmnet_sdk.face.landmarks import LandmarkTracker
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.face.performance import (
    Performance,
    check_enough_found,
    first_crop,
    fit_landmarks,
    found_frames,
    landmark_row,
)
from osmnet_sdk.face.shots import with_starts
from osmnet_sdk.progress import Reporter
from osmnet_sdk.tracks import Take

START = "start"
"""Provenance of a take that begins later than its video: after how many seconds."""

_LISTED = 6
"""Shots that a warning lists at most."""
_TOLD_LOST = 0.04
"""Share of frames without a face from which on it is told."""


@dataclass(frozen=True)
class _Shot:
    """Frames `start` to `stop` (not included) of a film, the `number`-th shot, from 1."""

    number: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, eq=False)
class _Watched:
    """A film after the first look: landmarks (T, 478, 2), shots, faces counted in each."""

    points: NDArray[np.float32]
    shots: list[_Shot]
    faces: list[int]


def track_footage(
    frames: Iterable[NDArray[np.uint8]],
    networks: FaceNetworks,
    model: FaceModel,
    *,
    shot: int | None = None,
    face_index: int | None = None,
    total: int = 0,
    name: str = "the video",
    reporter: Reporter | None = None,
) -> Performance:
    """Track one face through one shot of a film.

    Args:
        frames: uint8 RGB frames of one size, at 25 fps.
        networks: detector and landmarks.
        model: the morphable model.
        shot: which shot, counted from 1; None takes the longest that shows a face.
        face_index: which face, counted from the largest where the shot begins; None takes the
            largest. It is then followed by its place.
        total: number of frames if it is known, for progress.
        name: how messages call the video.
        reporter: progress and cancel.

    Raises:
        InputError: if there is no shot of that number.
        NoFaceError: if fewer than half of the shot's frames show that face.
        PhotoError: if the frames change their size.

    Warns:
        OSMNetWarning: if there are several shots or faces and none was named, or the face is lost
            in some frames, which are then filled in.
    """
    report = reporter or Reporter()
    watched = _watch(frames, networks, face_index, report, total, name)
    chosen = _chosen(watched, shot, name)
    points = watched.points[chosen.start : chosen.stop]
    found = found_frames(points)
    where = name if len(watched.shots) == 1 else f"shot {chosen.number} of {name}"
    faces = watched.faces[chosen.number - 1]
    if face_index is not None and face_index >= faces > 0:
        raise NoFaceError(
            f"At its start {where} has {faces} face(s); face_index {face_index} must be 0 to "
            f"{faces - 1}."
        )
    check_enough_found(points, where)
    if face_index is None and faces > 1:
        _warn(
            f"{where[0].upper() + where[1:]} has {faces} faces; the largest is tracked. Choose "
            f"another with face_index 0 to {faces - 1}, counted from the largest."
        )
    _warn_of_gaps(found, where)
    performance = fit_landmarks(points, first_crop(points), model, reporter=report)
    return replace(performance, start=chosen.start)


def _watch(
    frames: Iterable[NDArray[np.uint8]],
    networks: FaceNetworks,
    face_index: int | None,
    report: Reporter,
    total: int,
    name: str,
) -> _Watched:
    tracker = LandmarkTracker(networks.detector, networks.landmarks, face_index=face_index or 0)
    rows: list[NDArray[np.float32]] = []
    starts: list[int] = []
    seen: list[int] = []
    size: tuple[int, ...] | None = None
    for image, starts_shot in report.each("Tracking", with_starts(frames), total):
        if size is not None and image.shape[:2] != size:
            raise PhotoError(
                f"{name} changes its size from {size[1]} × {size[0]} to {image.shape[1]} × "
                f"{image.shape[0]} pixels; convert it to one size."
            )
        size = image.shape[:2]
        if starts_shot:
            starts.append(len(rows))
            tracker.reset()
        rows.append(landmark_row(tracker.track(image)))
        seen.append(tracker.faces)
    if not rows:
        return _Watched(np.zeros((0, 478, 2), np.float32), [_Shot(1, 0, 0)], [0])
    stops = [*starts[1:], len(rows)]
    shots = [_Shot(i + 1, a, b) for i, (a, b) in enumerate(zip(starts, stops, strict=True))]
    return _Watched(np.stack(rows), shots, [max(seen[s.start : s.stop]) for s in shots])


def _chosen(watched: _Watched, shot: int | None, name: str) -> _Shot:
    shots = watched.shots
    if shot is not None:
        if not 1 <= shot <= len(shots):
            raise InputError(
                f"{name} has {len(shots)} shot(s); shot {shot} must be 1 to {len(shots)}."
            )
        return shots[shot - 1]
    found = found_frames(watched.points)
    with_face = [s for s in shots if found[s.start : s.stop].sum() >= max(1, len(s) / 2)]
    best = max(with_face or shots, key=len)
    if len(shots) > 1:
        spans = [
            f"{s.number}: {float(s.start / FPS):.2f} to {float(s.stop / FPS):.2f} s"
            for s in shots[:_LISTED]
        ]
        more = ", …" if len(shots) > _LISTED else ""
        _warn(
            f"{name} has {len(shots)} shots ({', '.join(spans)}{more}); the longest that shows a "
            f"face, number {best.number} ({float(best.start / FPS):.2f} to "
            f"{float(best.stop / FPS):.2f} s), is tracked. Choose another with shot 1 to "
            f"{len(shots)}."
        )
    return best


def _warn_of_gaps(found: NDArray[np.bool_], where: str) -> None:
    """Tell of a face that leaves, turns away or is covered for a while."""
    lost = np.flatnonzero(~found)
    if len(lost) <= _TOLD_LOST * len(found):
        return
    tail = len(found) - int(np.flatnonzero(found)[-1]) - 1
    filled = "the head keeps its last pose from there on" if tail == len(lost) else (
        "the gaps are filled from the frames beside them"
    )  # fmt: skip
    _warn(
        f"The face is not seen in {len(lost)} of the {len(found)} frames of {where}, first at "
        f"{float(lost[0] / FPS):.2f} s; {filled}."
    )


def _warn(message: str) -> None:
    warnings.warn(message, OSMNetWarning, stacklevel=5)


def of_video(
    take: Take, video: Path, shot: int | None, face_index: int | None, start: int = 0
) -> Take:
    """The take with where it was tracked as provenance: the video, what was named in it, and the
    second of the frame `start` at which it begins, if that is not the first.
    """
    origin: dict[str, object] = {"video": video.name, "video_sha256": file_sha256(video)}
    if shot is not None:
        origin["shot"] = shot
    if face_index:
        origin["face_index"] = face_index
    if start:
        origin[START] = start / float(take.fps)
    options = {**take.provenance.options, **origin}
    made_by = take.provenance.model_copy(update={"options": options})
    return replace(
        take,
        motion=replace(take.motion, provenance=made_by),
        expression=replace(take.expression, provenance=made_by),
        provenance=made_by,
    )
