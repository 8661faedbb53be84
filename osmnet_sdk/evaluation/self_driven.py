"""Self-driven check of the renderer: a clip's first frame, moved as the clip moves.

The clip's own tracked pose and expression drive its first frame; every result is compared with
the real frame in the head crop at 256². Two baselines stand beside it: the first frame held
still, and the first frame moved by the best 2-D similarity. Driver and landmarks come from the
same tracker, so the landmark distance flatters the renderer.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.errors import OSMNetWarning
from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.fit import FaceFit
from osmnet_sdk.face.landmarks import LandmarkTracker
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.face.performance import track_frames
from osmnet_sdk.face.source import SourceFace, fit_photo
from osmnet_sdk.progress import Reporter
from osmnet_sdk.render.renderer import FrameRenderer, crop_view

Image = NDArray[np.uint8]

SIZE = 256
MAX_FRAMES = 100
_STABLE = (33, 133, 362, 263, 168, 6, 197, 195, 5, 1, 2, 98, 327, 10, 109, 338)
"""Landmarks of nose, eye corners and forehead, which speech does not move."""


@dataclass(frozen=True)
class ClipScore:
    """What one clip scored; SSIM from −1 to 1, landmark distances in pixels at 256².

    Attributes:
        name: the clip.
        frames: number of frames compared.
        ssim: of the rendered frames.
        still: SSIM of the first frame held.
        similarity: SSIM of the first frame under a 2-D similarity.
        face_ssim: SSIM of the rendered frames within the box of the face's landmarks.
        landmark_distance: mean distance of the 468 landmarks.
        mouth_distance: mean distance of the lips' landmarks.
    """

    name: str
    frames: int
    ssim: float
    still: float
    similarity: float
    face_ssim: float
    landmark_distance: float
    mouth_distance: float

    @property
    def error_removed(self) -> float:
        """Share of the still frame's error that rendering removes: (SSIM − still) / (1 − still)."""
        return (self.ssim - self.still) / (1.0 - self.still)


def score_clip(
    name: str,
    frames: list[Image],
    networks: FaceNetworks,
    model: FaceModel,
    *,
    reporter: Reporter | None = None,
) -> tuple[ClipScore, list[Image]]:
    """Score the renderer on one clip.

    Args:
        name: how the clip is called.
        frames: uint8 RGB frames of one size, the source first; at most `MAX_FRAMES` are used.
        networks: detector, landmarks and mask.
        model: the morphable model.
        reporter: progress and cancel.

    Returns:
        The score, and a few rows of real | rendered | similarity | still to look at.

    Raises:
        NoFaceError: if the clip shows no face.
    """
    frames = frames[:MAX_FRAMES]
    report = reporter or Reporter()
    tracked = track_frames(frames, networks, model, name=name, reporter=report)
    with warnings.catch_warnings():  # advice on choosing a photo; a clip has no choice
        warnings.simplefilter("ignore", OSMNetWarning)
        source = fit_photo(frames[0], networks, model, name=name)
    face = replace(
        source,
        crop=tracked.crop,
        landmarks=tracked.landmarks[0],
        fit=tracked.fits[0],
    )
    rows: list[tuple[float, ...]] = []
    sheet: list[Image] = []
    marker = LandmarkTracker(networks.detector, networks.landmarks)
    for index, images in _compared(face, frames, tracked.fits, tracked.landmarks):
        report.step("Scoring", index, len(frames))
        if not tracked.found[index]:
            continue
        rows.append(_scores(*images, marker))
        if index % max(1, len(frames) // 5) == 0:
            sheet.append(np.hstack(images))
    mean = np.nanmean(np.array(rows), axis=0)
    return ClipScore(name, len(rows), *(float(value) for value in mean)), sheet


def _compared(
    face: SourceFace,
    frames: list[Image],
    fits: list[FaceFit],
    landmarks: NDArray[np.float32],
) -> Iterator[tuple[int, tuple[Image, Image, Image, Image]]]:
    """Real, rendered, similarity and still pictures of every frame but the first."""
    view = crop_view(face, SIZE, SIZE)
    renderer = FrameRenderer(face, view)
    still = view.still(frames[0])
    start = view.to_frame(landmarks[0])
    for index in range(1, len(frames)):
        matrix, _ = cv2.estimateAffinePartial2D(
            start[list(_STABLE)], view.to_frame(landmarks[index])[list(_STABLE)], method=cv2.LMEDS
        ) if np.isfinite(landmarks[index]).all() else (np.eye(2, 3), None)  # fmt: skip
        moved = cv2.warpAffine(
            still, matrix, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        drawn = renderer.draw(fits[index].pose, fits[index].expression)
        yield index, (view.still(frames[index]), drawn, np.asarray(moved, np.uint8), still)


def _scores(
    real: Image, drawn: Image, moved: Image, still: Image, marker: LandmarkTracker
) -> tuple[float, ...]:
    from skimage.metrics import structural_similarity

    value, picture = structural_similarity(real, drawn, channel_axis=2, full=True)
    others = [structural_similarity(real, image, channel_axis=2) for image in (still, moved)]
    marker.reset()
    wanted, got = marker.track(real), None
    if wanted is not None:
        marker.reset()
        got = marker.track(drawn)
    if wanted is None or got is None:
        return (value, *others, np.nan, np.nan, np.nan)
    points = wanted.points[:, :2]
    distance = np.linalg.norm(points - got.points[:, :2], axis=1)
    left, top = np.maximum(points.min(0).astype(int), 0)
    right, bottom = points.max(0).astype(int) + 1
    lips = list(sets.LIPS_OUTER + sets.LIPS_INNER)
    return (
        value,
        *others,
        float(picture[top:bottom, left:right].mean()),
        float(distance[:468].mean()),
        float(distance[lips].mean()),
    )
