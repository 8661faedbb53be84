"""One video to samples: watch it, cut it, fit the heads, look again and crop."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.activity import speech_energy
from osmnet_sdk.core.conventions import FPS, SAMPLES_PER_FRAME
from osmnet_sdk.errors import InputError, NoFaceError
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.face.performance import Performance, fit_landmarks
from osmnet_sdk.formats.video import read_frames, video_info
from osmnet_sdk.progress import Reporter
from osmnet_sdk.rendering.view import View
from osmnet_sdk.research.data.clips import in_step
from osmnet_sdk.research.data.layouts import Video
from osmnet_sdk.research.data.pieces import Piece, Reason, Rejection, find_pieces
from osmnet_sdk.research.data.sample import PreparedSample, encode_frame
from osmnet_sdk.research.data.settings import SIZE, PreparationSettings
from osmnet_sdk.research.data.shards import RejectedPiece
from osmnet_sdk.research.data.sound import MAX_LAG, SILENCE, is_heard, lips_behind, sound_of
from osmnet_sdk.research.data.watching import watch, within_spans

_LOST = 0.1
"""Share of frames that may be lost or badly fitted."""
_MARGIN = 8
"""Pixels around a crop that its filter may look at."""


@dataclass(frozen=True)
class Tools:
    """What looks at faces."""

    networks: FaceNetworks
    model: FaceModel


def prepare_video(
    video: Video,
    tools: Tools,
    settings: PreparationSettings,
    rejected: list[RejectedPiece],
    reporter: Reporter,
) -> Iterator[PreparedSample]:
    """The samples of a video, one after the other.

    Args:
        video: is decoded twice, once to follow faces and once to crop them.
        tools: networks and head model.
        settings: limits.
        rejected: what is not used is added to it, before the first sample comes.
        reporter: progress and cancel.
    """
    pieces: list[_Tracked] = []
    sound = None
    try:
        sound = sound_of(video)
        if sound is None and not settings.silent:  # before the long work
            rejections = [_whole(video, Reason.NO_SOUND, "the video has none")]
        else:
            pieces, rejections = _followed(video, tools, settings, reporter)
            pieces = _heard(video, pieces, sound, tools.model, settings, rejections)
    except InputError as error:
        rejections = [Rejection(0, 0, Reason.UNREADABLE, str(error))]
    for out in sorted(rejections, key=lambda rejection: rejection.start):
        start, stop = out.start / float(FPS), out.stop / float(FPS)
        rejected.append(RejectedPiece(video.source, start, stop, str(out.reason), out.detail))
    yield from _samples(video, pieces, sound, settings, reporter)


_Tracked = tuple[Piece, Performance]


def _whole(video: Video, reason: Reason, detail: str) -> Rejection:
    return Rejection(0, round(video_info(video.path).seconds * FPS), reason, detail)


def _followed(
    video: Video, tools: Tools, settings: PreparationSettings, reporter: Reporter
) -> tuple[list[_Tracked], list[Rejection]]:
    watched = watch(video, tools.networks, reporter)
    spans = within_spans(len(watched.points), video.spans)
    pieces, rejections = find_pieces(watched, settings, spans)
    tracked = []
    for piece in pieces:
        points = watched.points[piece.start : piece.stop]
        fitted = _fitted(points, piece, tools.model, settings, reporter)
        if isinstance(fitted, Performance):
            tracked.append((piece, fitted))
        else:
            rejections.append(Rejection(piece.start, piece.stop, *fitted))
    return tracked, rejections


def _fitted(
    points: NDArray[np.float32],
    piece: Piece,
    model: FaceModel,
    settings: PreparationSettings,
    reporter: Reporter,
) -> Performance | tuple[Reason, str]:
    try:
        performance = fit_landmarks(points, piece.crop, model, reporter=reporter)
    except NoFaceError:
        return Reason.TRACKING_LOST, "in all frames"
    lost = int((~performance.found).sum())
    if lost > _LOST * len(points):
        return Reason.TRACKING_LOST, f"in {lost} of {len(points)} frames"
    angles = np.abs([fit.pose.angles for fit in performance.fits]).max(axis=0)
    for angle, limit, name in (
        (angles[1], settings.greatest_yaw, "yaw"),
        (angles[0], settings.greatest_pitch, "pitch"),
    ):
        if angle > limit:
            return Reason.TURNED, f"{name} up to {angle:.0f}°"
    return performance


def _heard(
    video: Video,
    pieces: list[_Tracked],
    sound: NDArray[np.float32] | None,
    model: FaceModel,
    settings: PreparationSettings,
    rejections: list[Rejection],
) -> list[_Tracked]:
    """Pieces whose sound is there and in step with the lips."""
    kept: list[_Tracked] = []
    levels, gaps = [], []
    for piece, performance in pieces:
        samples = None if sound is None else _sound_of_piece(sound, piece, video.lag)
        if samples is not None and is_heard(samples):
            levels.append(speech_energy(samples))
            expression = performance.take.expression.coefficients
            gaps.append(model.lip_gap(expression, performance.fits[0].identity))
        elif not settings.silent:
            detail = f"below {SILENCE:.0f} dBFS"
            rejections.append(Rejection(piece.start, piece.stop, Reason.NO_SOUND, detail))
            continue
        kept.append((piece, performance))
    lag = lips_behind(gaps, levels)
    if lag is None or abs(lag) <= MAX_LAG:
        return kept
    detail = f"lips {abs(lag):.2f} s {'after' if lag > 0 else 'before'} the sound"
    rejections += [Rejection(p.start, p.stop, Reason.OUT_OF_SYNC, detail) for p, _ in kept]
    return []


def _sound_of_piece(sound: NDArray[np.float32], piece: Piece, lag: float) -> NDArray[np.float32]:
    """(640 · T,) samples in step with a piece."""
    whole = in_step(sound, piece.stop, lag)
    return whole[piece.start * SAMPLES_PER_FRAME :]


def _samples(
    video: Video,
    pieces: list[_Tracked],
    sound: NDArray[np.float32] | None,
    settings: PreparationSettings,
    reporter: Reporter,
) -> Iterator[PreparedSample]:
    """Decode the video again and cut the pieces out; one piece is held at a time."""
    if not pieces:
        return
    frames = read_frames(video.path, fps=FPS)
    for piece, performance in pieces:
        jpegs = []
        for frame in frames:
            if frame.index < piece.start:
                continue
            reporter.step("Cropping", frame.index)
            jpegs.append(encode_frame(_cropped(frame.image, piece), settings.quality))
            if frame.index == piece.stop - 1:
                break
        yield _sample(video, piece, performance, tuple(jpegs), sound)


def _sample(
    video: Video,
    piece: Piece,
    performance: Performance,
    jpegs: tuple[bytes, ...],
    sound: NDArray[np.float32] | None,
) -> PreparedSample:
    samples = None if sound is None else _sound_of_piece(sound, piece, video.lag)
    if samples is not None and not is_heard(samples):
        samples = None
    view = View(piece.crop.x, piece.crop.y, SIZE / piece.crop.side, SIZE, SIZE)
    landmarks = view.to_frame(performance.landmarks.reshape(-1, 2)).reshape(-1, 478, 2)
    return PreparedSample(
        sample_key(video.source, piece.start),
        video.source,
        video.speaker,
        video.subset,
        piece.start / float(FPS),
        piece.crop,
        jpegs,
        performance.take,
        performance.fits[0].identity.astype(np.float32),
        landmarks,
        samples,
    )


def sample_key(source: str, start: int) -> str:
    """Name of the sample of a video that starts at a frame: letters, digits, "_" and "-" alone."""
    readable = re.sub(r"[^A-Za-z0-9]+", "_", source.rsplit(".", 1)[0]).strip("_")[-40:]
    return f"{readable}-{hashlib.sha256(source.encode()).hexdigest()[:8]}-{start:06d}"


def _cropped(image: NDArray[np.uint8], piece: Piece) -> NDArray[np.uint8]:
    """The piece's square of a frame, (256, 256, 3)."""
    crop = piece.crop
    left, top = (max(int(edge) - _MARGIN, 0) for edge in (crop.x, crop.y))
    right, bottom = (int(np.ceil(edge + crop.side)) + _MARGIN for edge in (crop.x, crop.y))
    part = np.ascontiguousarray(image[top:bottom, left:right])
    return View(crop.x - left, crop.y - top, SIZE / crop.side, SIZE, SIZE).still(part)
