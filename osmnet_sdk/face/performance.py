"""A real performance: the take that a filmed face gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.errors import NoFaceError
from osmnet_sdk.face.camera import Pose, euler_angles, rotation_matrix
from osmnet_sdk.face.fit import FaceFit, FaceFitter
from osmnet_sdk.face.landmark_sets import LANDMARK_COUNT
from osmnet_sdk.face.landmarks import Landmarks, LandmarkTracker
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.face.source import Crop, crop_around
from osmnet_sdk.progress import Reporter
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take

_IDENTITY_FRAMES = 12
"""Frames, spread over the video, whose fits are averaged to one identity."""
_CONTINUITY = 1.0
_POSE_SMOOTHING = 1.0
"""Standard deviation in frames of the smoothing that takes out landmark noise."""
_EXPRESSION_SMOOTHING = 0.5
_MAX_RESIDUAL = 6.0
"""Pixels of a 256-pixel crop above which a frame's fit is taken as lost."""


@dataclass(frozen=True, eq=False)
class Performance:
    """The tracked frames of one video.

    Attributes:
        take: motion and expression; its rest pose is the median pose of the video.
        fits: one fit a frame, smoothed like the take; frames without a face are filled in.
        crop: the head's square whose camera the fits have.
        landmarks: (T, 478, 2) float32 pixels; NaN where no face was found.
        found: (T,) bool, frames in which the face was found.
        start: frame of the video at which the take begins.
    """

    take: Take
    fits: list[FaceFit]
    crop: Crop
    landmarks: NDArray[np.float32]
    found: NDArray[np.bool_]
    start: int = 0


def track_frames(
    frames: Iterable[NDArray[np.uint8]],
    networks: FaceNetworks,
    model: FaceModel,
    *,
    total: int = 0,
    name: str = "the video",
    reporter: Reporter | None = None,
) -> Performance:
    """Track the largest face through the frames of a video.

    Args:
        frames: uint8 RGB frames of one size, at 25 fps.
        networks: detector and landmarks.
        model: the morphable model.
        total: number of frames if it is known, for progress.
        name: how messages call the video.
        reporter: progress and cancel.

    Raises:
        NoFaceError: if fewer than half of the frames show a face.
    """
    report = reporter or Reporter()
    points = _landmarks(frames, networks, report, total)
    check_enough_found(points, name)
    return fit_landmarks(points, first_crop(points), model, reporter=report)


def landmark_row(seen: Landmarks | None) -> NDArray[np.float32]:
    """(478, 2) float32 pixels of what a tracker saw in a frame; NaN where it saw no face."""
    if seen is None:
        return np.full((LANDMARK_COUNT, 2), np.nan, np.float32)
    return seen.points[:, :2].astype(np.float32)


def check_enough_found(points: NDArray[np.float32], name: str) -> None:
    """Hold that at least half of the frames of landmarks (T, 478, 2) show a face.

    Raises:
        NoFaceError: if not.
    """
    found = int(found_frames(points).sum())
    if found < max(1, len(points) / 2):
        raise NoFaceError(
            f"A face was found in only {found} of the {len(points)} frames of {name}; "
            "use a video that shows one face from the front."
        )


def first_crop(points: NDArray[np.float32]) -> Crop:
    """The head crop of the first frame of landmarks (T, 478, 2) that shows a face."""
    return crop_around(points[int(np.flatnonzero(found_frames(points))[0])])


def found_frames(points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(T,) bool, the frames of landmarks (T, 478, 2) in which there is a face."""
    return np.asarray(np.isfinite(points).all(axis=(1, 2)), bool)


def fit_landmarks(
    points: NDArray[np.float32],
    crop: Crop,
    model: FaceModel,
    *,
    reporter: Reporter | None = None,
) -> Performance:
    """Fit one head, of one identity, to the landmarks of a video.

    Args:
        points: (T, 478, 2) float32 pixels; NaN where no face was found; at least one frame has one.
        crop: square of the picture whose camera is used.
        model: the morphable model.
        reporter: progress and cancel.

    Raises:
        NoFaceError: if the face can be fitted in no frame.
    """
    found = found_frames(points)
    fitter = FaceFitter(model)
    identity = _shared_identity(points[found], crop, fitter)
    fits, kept = _fit_frames(points, found, crop, fitter, identity, reporter or Reporter())
    return _performance(fits, kept, crop, points)


def _landmarks(
    frames: Iterable[NDArray[np.uint8]], networks: FaceNetworks, report: Reporter, total: int
) -> NDArray[np.float32]:
    tracker = LandmarkTracker(networks.detector, networks.landmarks)
    rows = [landmark_row(tracker.track(image)) for image in report.each("Tracking", frames, total)]
    return np.stack(rows) if rows else np.zeros((0, LANDMARK_COUNT, 2), np.float32)


def _shared_identity(
    points: NDArray[np.float32], crop: Crop, fitter: FaceFitter
) -> NDArray[np.float64]:
    chosen = np.unique(np.linspace(0, len(points) - 1, _IDENTITY_FRAMES).round().astype(int))
    fits = [fitter.fit(points[index], crop.camera) for index in chosen]
    result: NDArray[np.float64] = np.mean([fit.identity for fit in fits], axis=0)
    return result


def _fit_frames(
    points: NDArray[np.float32],
    found: NDArray[np.bool_],
    crop: Crop,
    fitter: FaceFitter,
    identity: NDArray[np.float64],
    report: Reporter,
) -> tuple[list[FaceFit | None], NDArray[np.bool_]]:
    fits: list[FaceFit | None] = []
    kept = found.copy()
    previous: FaceFit | None = None
    for index, row in enumerate(report.each("Fitting", points, len(points))):
        if not found[index]:
            fits.append(None)
            previous = None
            continue
        fit = fitter.fit(
            row,
            crop.camera,
            identity=identity,
            previous=previous,
            iterations=8 if previous is None else 3,
            continuity=_CONTINUITY if previous is not None else 0.0,
        )
        kept[index] = fit.residual < _MAX_RESIDUAL
        fits.append(fit if kept[index] else None)
        previous = fit if kept[index] else None
    return fits, kept


def _filled(values: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Rows that were not found, interpolated over time."""
    index = np.arange(len(values))
    columns = [np.interp(index, index[kept], column[kept]) for column in values.T]
    return np.stack(columns, axis=1)


def _performance(
    fits: list[FaceFit | None],
    kept: NDArray[np.bool_],
    crop: Crop,
    points: NDArray[np.float32],
) -> Performance:
    good = [fit for fit in fits if fit is not None]
    if not good:
        raise NoFaceError("The face could not be fitted in any frame; use a clearer video.")
    template = good[0]

    known = [fit or template for fit in fits]  # what stands in for a lost frame is filled below
    angles = _filled(np.stack([fit.pose.angles for fit in known]), kept)
    angles = np.unwrap(angles, period=360.0, axis=0)
    translation = _filled(np.stack([fit.pose.translation for fit in known]), kept)
    expression = _filled(np.stack([fit.expression for fit in known]), kept)
    angles = gaussian_filter1d(angles, _POSE_SMOOTHING, axis=0)
    translation = gaussian_filter1d(translation, _POSE_SMOOTHING, axis=0)
    expression = gaussian_filter1d(expression, _EXPRESSION_SMOOTHING, axis=0)
    expression = np.clip(expression, 0.0, 1.0)

    poses = [Pose(rotation_matrix(a), t) for a, t in zip(angles, translation, strict=True)]
    smooth = [
        FaceFit(template.identity, e, pose, template.camera, 0.0 if fit is None else fit.residual)
        for fit, pose, e in zip(fits, poses, expression, strict=True)
    ]
    provenance = Provenance(source="tracked")
    rest = Pose(rotation_matrix(np.median(angles, axis=0)), np.median(translation, axis=0))
    relative = np.stack([rest.rotation.T @ pose.rotation for pose in poses])
    offset = np.stack([rest.rotation.T @ (pose.translation - rest.translation) for pose in poses])
    take = Take(
        MotionTrack(FPS, euler_angles(relative), offset, provenance),  # type: ignore[arg-type]
        ExpressionTrack(FPS, expression, provenance=provenance),
        rest.angles,  # type: ignore[arg-type]
        rest.translation,  # type: ignore[arg-type]
        provenance,
    )
    return Performance(take, smooth, crop, points, kept)
