"""Segments out of the shards that `osmnet prepare` writes."""

from __future__ import annotations

import os
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.research.data.prepared import PreparedData
from osmnet_sdk.research.data.segments import FramePictures, Segment, first_frames


@dataclass(frozen=True)
class _Resized:
    """Pictures at another size."""

    pictures: FramePictures
    size: int

    def __getitem__(self, frames: NDArray[np.int64]) -> NDArray[np.uint8]:
        found = self.pictures[frames]
        if found.shape[1] == self.size:
            return found
        shape = (self.size, self.size)
        return np.stack([cv2.resize(f, shape, interpolation=cv2.INTER_AREA) for f in found])


def prepared_segments(
    folder: str | os.PathLike[str],
    *,
    size: int,
    frames: int | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> list[Segment]:
    """Every sample of prepared data; tracks are read now, pictures when they are asked for.

    Args:
        folder: of the prepared data.
        size: height and width of the pictures, pixels; another one than theirs resizes them.
        frames: take only so many of each sample, the first; None takes all.
        progress: called with ("samples", done, total).
        cancel: asked between samples.

    Raises:
        InputError: if there is no sample, or one is damaged.
        Cancelled: if `cancel` returns True.
    """
    data = PreparedData(folder)
    report = Reporter(progress, cancel)
    segments = []
    for entry in report.each("samples", data.entries, len(data.entries)):
        clip, pictures = data.clip(entry)
        clip = first_frames(clip, min(frames or len(clip), len(clip)))
        segments.append(Segment(clip, _Resized(pictures, size)))
    return segments
