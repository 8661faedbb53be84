"""What the generator learns from: tracked clips with the pictures of their frames."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import FPS, SAMPLES_PER_FRAME
from osmnet_sdk.core.files import output_folder, replaced
from osmnet_sdk.errors import InputError, NoFaceError
from osmnet_sdk.face.landmarks import LandmarkTracker
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.face.source import crop_around
from osmnet_sdk.formats.video import read_frames
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.rendering.view import View
from osmnet_sdk.research.data.clips import LISTING, TrainingClip, read_clips, split_speakers

Images = NDArray[np.uint8]


class FramePictures(Protocol):
    """The head crops of a segment's frames, read when they are asked for."""

    def __getitem__(self, frames: NDArray[np.int64]) -> Images:
        """Pictures (N, S, S, 3) uint8 RGB of frames (N,)."""
        ...


@dataclass(frozen=True, eq=False)
class Segment:
    """A tracked clip and its pictures; all that the generator's training reads.

    Attributes:
        clip: take, speaker, and sound unless it is silent.
        pictures: of all its frames, all cut out by one square.
    """

    clip: TrainingClip
    pictures: FramePictures

    def __len__(self) -> int:
        """Number of frames T."""
        return len(self.clip)

    @property
    def poses(self) -> NDArray[np.float64]:
        """(T, 6) degrees and metres, relative to the take's rest pose."""
        motion = self.clip.take.motion
        return np.hstack([motion.rotation, motion.translation]).astype(np.float64)

    @property
    def expression(self) -> NDArray[np.float32]:
        """(T, 52) coefficients."""
        return np.asarray(self.clip.take.expression.coefficients, np.float32)


def folder_segments(
    takes: str | os.PathLike[str],
    videos: str | os.PathLike[str],
    cache: str | os.PathLike[str],
    *,
    size: int,
    networks: FaceNetworks,
    frames: int | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> list[Segment]:
    """Segments of takes and the videos that they were tracked in.

    The square around the head in the first frame that shows a face is cut out of every frame and
    kept in `cache`, so that videos are decoded only once.

    Args:
        takes: folder of takes, as `osmnet train clips` leaves it.
        videos: folder of the videos that its listing names in the column `file`.
        cache: folder for the pictures; it is made.
        size: height and width of the pictures, pixels.
        networks: detector and landmarks.
        frames: take only so many of each clip, the first; None takes all.
        progress: called with (stage, done, total).
        cancel: asked between frames.

    Raises:
        InputError: if a listing, a take or a video is missing or damaged.
        NoFaceError: if a video shows no face.
        Cancelled: if `cancel` returns True.
    """
    files = _video_files(Path(takes) / LISTING, Path(videos))
    report = Reporter(progress, cancel)
    clips = read_clips(takes, progress=progress, cancel=cancel)
    folder = output_folder(cache)
    segments = []
    for whole in report.each("pictures", clips, len(clips)):
        clip = first_frames(whole, min(frames or len(whole), len(whole)))
        stored = _stored(clip, files[clip.name], folder, size, networks, report)
        segments.append(Segment(clip, stored))
    return segments


def _video_files(listing: Path, videos: Path) -> dict[str, Path]:
    try:
        with listing.open(encoding="utf-8", newline="") as stream:
            files = {row["id"]: videos / row["file"] for row in csv.DictReader(stream)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError) as error:
        raise InputError(
            f"'{listing}' does not say which videos its takes are of: it needs the columns 'id' "
            "and 'file', as `osmnet train clips` writes them."
        ) from error
    for path in files.values():
        if not path.is_file():
            raise InputError(f"The video '{path}' that '{listing}' names is not there.")
    return files


def first_frames(clip: TrainingClip, frames: int) -> TrainingClip:
    """The start of a clip, with its sound."""
    samples = clip.samples
    return replace(
        clip,
        take=clip.take.slice(0, frames),
        samples=None if samples is None else samples[: frames * SAMPLES_PER_FRAME],
    )


def _stored(
    clip: TrainingClip,
    video: Path,
    folder: Path,
    size: int,
    networks: FaceNetworks,
    report: Reporter,
) -> NDArray[np.uint8]:
    """The pictures of a clip as an array on disk, made if it is not there."""
    stat = video.stat()
    key = f"{clip.name} {len(clip)} {size} {stat.st_size} {stat.st_mtime_ns}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    path = folder / f"{clip.name}-{digest}.npy"
    if not path.is_file():
        pictures = _cut_out(video, len(clip), size, networks, report)
        with replaced(path) as temporary:
            np.save(temporary, pictures)
    try:
        stored: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"The cached pictures '{path}' are damaged; delete the file.") from error
    return stored


def _cut_out(
    video: Path, count: int, size: int, networks: FaceNetworks, report: Reporter
) -> NDArray[np.uint8]:
    tracker = LandmarkTracker(networks.detector, networks.landmarks)
    waiting: list[Images] = []
    pictures: list[Images] = []
    view: View | None = None
    for frame in read_frames(video, fps=FPS):
        if len(pictures) + len(waiting) == count:
            break
        report.step("frames", len(pictures), count)
        if view is None:
            seen = tracker.track(frame.image)
            if seen is None:  # the crop of the first face that shows is that of all frames
                waiting.append(frame.image)
                continue
            view = _head_view(frame.image, seen.points, size)
            pictures += [view.still(image) for image in waiting]
            waiting = []
        pictures.append(view.still(frame.image))
    report.step("frames", count, count)
    if view is None:
        raise NoFaceError(f"'{video}' shows no face; leave its row out of the listing.")
    if len(pictures) < count:  # a take may be a frame longer than the video
        pictures += [pictures[-1]] * (count - len(pictures))
    return np.stack(pictures)


def _head_view(image: Images, points: NDArray[np.floating], size: int) -> View:
    """The square around the head, moved or shrunk to stay within the picture where it can."""
    height, width = image.shape[:2]
    crop = crop_around(points)
    side = min(crop.side, width, height)
    x = float(np.clip(crop.x + (crop.side - side) / 2, 0, width - side))
    y = float(np.clip(crop.y + (crop.side - side) / 2, 0, height - side))
    return View(x, y, size / side, size, size)


def split_segments(
    segments: Sequence[Segment], share: float, seed: int
) -> tuple[list[Segment], list[Segment]]:
    """Segments for training and for validation, nobody on both sides, as of `split_speakers`."""
    if not share:
        return list(segments), []
    training, _ = split_speakers([segment.clip for segment in segments], share, seed)
    names = {clip.name for clip in training}
    return (
        [segment for segment in segments if segment.clip.name in names],
        [segment for segment in segments if segment.clip.name not in names],
    )
