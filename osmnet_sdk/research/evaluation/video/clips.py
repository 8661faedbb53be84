"""Self-driven clips: a clip's first frame, moved as the clip moves, beside the clip's own frames.

Driver and landmarks come from the same tracker, and the head's identity from several frames of the
clip; so distances say what a renderer can do, not what a whole chain does.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.errors import NoFaceError, OSMNetWarning
from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.landmarks import LandmarkTracker
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.face.performance import Performance, track_frames
from osmnet_sdk.face.source import SourceFace, fit_photo
from osmnet_sdk.motion.shaping import relative_clips
from osmnet_sdk.progress import Reporter
from osmnet_sdk.rendering.frames import CROP_SIZE
from osmnet_sdk.research.evaluation.video.drawers import TakeDrawer, head_view
from osmnet_sdk.research.evaluation.video.face_identity import FaceEmbedder, identity_similarity
from osmnet_sdk.research.evaluation.video.picture_measures import (
    Box,
    blur_detection,
    flicker,
    gradient_energy,
)
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

Image = NDArray[np.uint8]
Points = NDArray[np.float32]
Array = NDArray[np.float64]

MAX_FRAMES = 100
_IDENTITY_FRAMES = 10
"""Frames of a clip whose embeddings are compared, spread evenly."""
_MOUTH_MARGIN = 0.2
"""Around the lips, over their width."""
_EYE_MARGIN = 0.3
"""Around an eye's rim, over its width: lids and lashes."""
_LIPS = list(sets.LIPS_OUTER + sets.LIPS_INNER)


@dataclass(frozen=True, eq=False)
class RealFrames:
    """Frames of a clip, and what drawn ones are compared with.

    Attributes:
        name: of the clip.
        real: frames (256, 256, 3) uint8 RGB of the head crop.
        landmarks: of each of these, (478, 2) pixels; None where the face was lost, which leaves
            the frame out of all comparisons.
        moments: indices of the frames whose faces' embeddings are compared.
        embeddings: (K, 128) of these; None where identity is not measured.
    """

    name: str
    real: list[Image]
    landmarks: list[Points | None]
    moments: list[int]
    embeddings: Array | None


@dataclass(frozen=True, eq=False)
class SelfDrivenClip(RealFrames):
    """A tracked clip, ready to be drawn; its frames are all but the first.

    Attributes:
        face: its first frame as source.
        motion: (T,) relative to the pose of that frame.
        expression: (T,) absolute.
    """

    face: SourceFace
    motion: MotionTrack
    expression: ExpressionTrack


@dataclass(frozen=True)
class VideoScore:
    """What the frames of one clip scored, means over frames; pixels are those of 256².

    None stands where something could not be measured: no face was found, a picture has no edges, or
    identity is left out.

    Attributes:
        clip: its name.
        renderer: what drew them; "real" for the clip's own frames.
        frames: number of frames compared.
        lost: frames in which no face was found; their landmark distance and identity are missing.
        ssim: structural similarity with the real frame, −1 to 1 (7² window, RGB).
        face_ssim: of it, the mean in the box of the real frame's landmarks.
        mouth_ssim: in the box of its lips, with a margin of a fifth of their width.
        landmark_distance: mean distance of the mesh's 468 landmarks, pixels.
        mouth_distance: mean distance of the lips' landmarks, pixels.
        sharpness: CPBD (`blur_detection`), 0 to 1.
        eye_sharpness: squared gradients in the boxes of the real frame's eyes over those of the
            real frames.
        identity: similarity of the face with real frames of other moments, 1 at most
            (`identity_similarity`).
        flicker: what changes between frames besides motion, levels of 255 (`flicker`).
    """

    clip: str
    renderer: str
    frames: int
    lost: int
    ssim: float
    face_ssim: float
    mouth_ssim: float
    landmark_distance: float | None
    mouth_distance: float | None
    sharpness: float | None
    eye_sharpness: float
    identity: float | None
    flicker: float


class VideoScorer:
    """Tracks clips, lets drawers draw them and scores the frames.

    Args:
        networks: detector, landmarks and mask.
        model: the morphable model.
        embedder: for identity; None leaves it out.
        reporter: progress and cancel.
    """

    def __init__(
        self,
        networks: FaceNetworks,
        model: FaceModel,
        embedder: FaceEmbedder | None = None,
        reporter: Reporter | None = None,
    ) -> None:
        self._networks, self._model, self._embedder = networks, model, embedder
        self._report = reporter or Reporter()

    def track(self, name: str, frames: list[Image]) -> SelfDrivenClip:
        """Track a clip.

        Args:
            name: how the clip is called.
            frames: uint8 RGB of one size, two or more, the source first.

        Raises:
            NoFaceError: if the first frame, or most frames, show no face.
            PhotoError: if the face is too small.
        """
        tracked = track_frames(
            frames, self._networks, self._model, total=len(frames), name=name, reporter=self._report
        )
        with warnings.catch_warnings():  # advice on choosing a photo; a clip has no choice
            warnings.simplefilter("ignore", OSMNetWarning)
            source = fit_photo(frames[0], self._networks, self._model, name=name)
        face = replace(source, crop=tracked.crop, fit=tracked.fits[0])
        motion, expression = _driving(tracked)
        view = head_view(face)
        real = [view.still(frame) for frame in frames[1:]]
        seen = self.frames(name, real, tracked.found[1:])
        return SelfDrivenClip(**vars(seen), face=face, motion=motion, expression=expression)

    def frames(
        self, name: str, real: list[Image], known: Sequence[bool] | NDArray[np.bool_] | None = None
    ) -> RealFrames:
        """Look at frames of the head crop that drawn ones are to be compared with.

        Args:
            name: how the clip is called.
            real: frames (256, 256, 3) uint8 RGB.
            known: whether the face of each frame is to count; None lets all count.

        Raises:
            NoFaceError: if no frame shows a face.
        """
        known = np.ones(len(real), bool) if known is None else known
        points = [
            seen if found else None for seen, found in zip(self._tracked(real), known, strict=True)
        ]
        kept = [index for index, found in enumerate(points) if found is not None]
        if not kept:
            raise NoFaceError(f"{name} shows a face in no frame but its first; use another clip.")
        spread = np.linspace(0, len(kept) - 1, _IDENTITY_FRAMES).round().astype(int)
        moments = [kept[index] for index in np.unique(spread)]
        return RealFrames(name, real, points, moments, self._embeddings(real, points, moments))

    def draw(self, clip: SelfDrivenClip, drawer: TakeDrawer, renderer: str) -> list[Image]:
        """The frames of a clip but the first, as a drawer draws them; `renderer` is its name."""
        with warnings.catch_warnings():  # of poses that the photo cannot carry
            warnings.simplefilter("ignore", OSMNetWarning)
            frames = drawer(clip.face, clip.motion, clip.expression)
            drawn = list(self._report.each(f"Drawing, {renderer}", frames, len(clip.motion)))
        return drawn[1:]

    def score(self, clip: RealFrames, renderer: str, drawn: list[Image]) -> VideoScore:
        """Score frames, as many as `clip.real`; these themselves score what is to be expected."""
        own = drawn is clip.real
        found = clip.landmarks if own else self._tracked(drawn)
        rows, energies = [], []
        pairs = zip(drawn, clip.real, strict=True)
        for index, (image, real) in enumerate(
            self._report.each(f"Scoring, {renderer}", pairs, len(drawn))
        ):
            wanted = clip.landmarks[index]
            if wanted is None:
                continue
            rows.append((*_similarity(real, image, wanted), *_distances(wanted, found[index])))
            eyes = _eye_boxes(wanted)
            energies.append([gradient_energy(picture, eyes) for picture in (image, real)])
        eye_energy = np.sum(energies, axis=0)
        whole, face, mouth = np.mean([row[:3] for row in rows], axis=0)
        faces = clip.embeddings if own else self._embeddings(drawn, found, clip.moments)
        identity = None
        if faces is not None and clip.embeddings is not None:
            identity = identity_similarity(faces, clip.embeddings)
        return VideoScore(
            clip.name, renderer, len(rows), sum(bool(np.isnan(row[-1])) for row in rows),
            float(whole), float(face), float(mouth),
            _mean([row[3] for row in rows]), _mean([row[4] for row in rows]),
            _mean([blur_detection(image) for image in drawn]),
            float(eye_energy[0] / eye_energy[1]), identity, flicker(drawn),
        )  # fmt: skip

    def _tracked(self, frames: list[Image]) -> list[Points | None]:
        """Landmarks of frames of the head crop; the real frames are tracked in the same way."""
        tracker = LandmarkTracker(self._networks.detector, self._networks.landmarks)
        seen = [tracker.track(frame) for frame in frames]
        return [None if face is None else face.points[:, :2] for face in seen]

    def _embeddings(
        self, images: list[Image], points: list[Points | None], moments: list[int]
    ) -> Array | None:
        """(K, 128) of the faces at these moments, NaN where there is none."""
        if self._embedder is None:
            return None
        rows = np.full((len(moments), 128), np.nan)
        for row, index in zip(rows, moments, strict=True):
            face = points[index]
            if face is not None:
                row[:] = self._embedder(images[index], face)
        return rows


def _driving(tracked: Performance) -> tuple[MotionTrack, ExpressionTrack]:
    """The tracked motion relative to the first frame, and the expression."""
    track = tracked.take.motion
    [path] = relative_clips(track.rotation, track.translation, len(track))
    return MotionTrack(track.fps, path[:, :3], path[:, 3:]), tracked.take.expression


def _similarity(real: Image, drawn: Image, points: Points) -> tuple[float, float, float]:
    """SSIM of the picture, of the face and of the mouth."""
    from skimage.metrics import structural_similarity

    whole, picture = structural_similarity(real, drawn, channel_axis=2, full=True)
    parts = (_box(points, 0.0), _box(points[_LIPS], _MOUTH_MARGIN))
    means = [picture[top:bottom, left:right].mean() for left, top, right, bottom in parts]
    return float(whole), float(means[0]), float(means[1])


def _distances(wanted: Points, got: Points | None) -> tuple[float, float]:
    if got is None:
        return np.nan, np.nan
    apart = np.linalg.norm(wanted - got, axis=1)
    return float(apart[:468].mean()), float(apart[_LIPS].mean())


def _eye_boxes(points: Points) -> list[Box]:
    rims: Sequence[Sequence[int]] = (sets.RIGHT_EYE, sets.LEFT_EYE)
    return [_box(points[list(rim)], _EYE_MARGIN) for rim in rims]


def _box(points: Points, margin: float) -> Box:
    """The box of points (N, 2) with a margin over its width, as far as the picture reaches."""
    low, high = points.min(0), points.max(0)
    around = margin * (high[0] - low[0])
    left, top = np.clip(np.floor(low - around).astype(int), 0, CROP_SIZE - 1)
    right, bottom = np.clip(np.ceil(high + around).astype(int) + 1, 1, CROP_SIZE)
    return int(left), int(top), max(int(right), int(left) + 1), max(int(bottom), int(top) + 1)


def _mean(values: Sequence[float]) -> float | None:
    """Of the values that are there."""
    known = np.asarray(values)[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
