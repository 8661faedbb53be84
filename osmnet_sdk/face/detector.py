"""Finds faces: BlazeFace short and full range (MediaPipe, Apache-2.0), both run on every picture.

The short range is good at faces that fill the picture, the full range at smaller ones. When the
whole picture shows no face, the full range searches it again in overlapping windows of half, a
quarter, … its size, so that faces of about 50 pixels are found in large photos.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from osmnet_sdk.face.graph import GraphNetwork, GraphWeights, check_image, image_tensor

FloatArray = NDArray[np.float32]
ImageArray = NDArray[np.uint8]

MIN_SCORE = 0.5
"""Detections below this score are dropped."""

MAX_OVERLAP = 0.3
"""Two boxes that overlap more than this (intersection over union) are one face."""

SMALLEST_FACE = 50.0
"""Width in pixels of the smallest face that is searched for unless asked otherwise."""

MAX_WINDOW_PER_FACE = 10.0
"""The full range finds every face that is at least a tenth as wide as the window it looks at."""

WINDOW_OVERLAP = 0.25
"""Part of a window shared with the next: larger faces were found in the windows before."""


@dataclass(frozen=True)
class FaceBox:
    """One detected face, in pixel-index coordinates (a pixel's centre is a whole number).

    Attributes:
        box: left, top, right, bottom in pixels; may reach beyond the picture.
        score: certainty in [0, 1].
        keypoints: (6, 2) float32 x and y in pixels: the subject's right eye, left eye, tip of the
            nose, middle of the mouth, right ear, left ear.
    """

    box: tuple[float, float, float, float]
    score: float
    keypoints: FloatArray

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


def short_range_anchors() -> FloatArray:
    """Anchor centres of the short range, (896, 2) in [0, 1]: two per cell of 16², six of 8²."""
    return np.concatenate([_grid(16, 2), _grid(8, 6)])


def full_range_anchors() -> FloatArray:
    """Anchor centres of the full range, (2304, 2) in [0, 1]: one per cell of 48²."""
    return _grid(48, 1)


def _grid(cells: int, repeat: int) -> FloatArray:
    centres = (np.arange(cells, dtype=np.float32) + 0.5) / cells
    x, y = np.meshgrid(centres, centres)
    return np.repeat(np.stack([x.ravel(), y.ravel()], 1), repeat, axis=0)


class _Range:
    """One of the two detectors: its network, anchors and output names."""

    def __init__(
        self,
        network: GraphNetwork,
        anchors: FloatArray,
        boxes_name: str,
        scores_name: str,
    ) -> None:
        self._network = network
        self._anchors = anchors
        self._boxes_name, self._scores_name = boxes_name, scores_name
        self._size = self._network.input_shape[2]

    def candidates(self, image: ImageArray) -> FloatArray:
        """All detections, (n, 17): score, box corners and keypoints in pixels of `image`."""
        size = self._size
        height, width = image.shape[:2]
        scale = size / max(height, width)
        inner_width, inner_height = max(round(width * scale), 1), max(round(height * scale), 1)
        left, top = (size - inner_width) // 2, (size - inner_height) // 2
        canvas = np.zeros((size, size, 3), np.uint8)
        shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        canvas[top : top + inner_height, left : left + inner_width] = cv2.resize(
            image, (inner_width, inner_height), interpolation=shrink
        )
        outputs = self._network(image_tensor(canvas, -1.0, 1.0, self._network.device))
        scores = torch.sigmoid(outputs[self._scores_name][0, :, 0]).cpu().numpy()
        chosen = np.flatnonzero(scores >= MIN_SCORE)
        raw = outputs[self._boxes_name][0].cpu().numpy()[chosen]
        # Offsets are in network pixels from the anchor: centre, size, then six keypoints.
        centres = self._anchors[chosen] * size
        points = raw.reshape(-1, 8, 2)
        half = points[:, 1] / 2
        points[:, 0] += centres
        points[:, 2:] += centres[:, None]
        points[:, 1] = points[:, 0] + half
        points[:, 0] -= half
        ratio = np.array([width / inner_width, height / inner_height], np.float32)
        points = (points - np.array([left, top], np.float32)) * ratio - np.float32(0.5)
        return np.concatenate([scores[chosen, None], points.reshape(-1, 16)], 1)


class FaceDetector:
    """Finds faces with both ranges and keeps the better one of two that overlap.

    Args:
        short: weights of the short range.
        full: weights of the full range.
        device: torch device.

    Raises:
        ModelError: if the weights are those of another network.
    """

    def __init__(
        self, short: GraphWeights, full: GraphWeights, device: torch.device | str = "cpu"
    ) -> None:
        self._ranges = (
            _Range(
                GraphNetwork(short, device, name="face_detection_short"),
                short_range_anchors(),
                "regressors",
                "classificators",
            ),
            _Range(
                GraphNetwork(full, device, name="face_detection_full"),
                full_range_anchors(),
                "Identity",
                "Identity_1",
            ),
        )

    def detect(self, image: ImageArray) -> list[FaceBox]:
        """Find the faces in uint8 RGB (height, width, 3), the largest first; may be empty.

        Raises:
            PhotoError: if the image is not uint8 RGB.
        """
        return next((faces for faces in self.search(image) if faces), [])

    def search(
        self, image: ImageArray, *, smallest: float = SMALLEST_FACE
    ) -> Iterator[list[FaceBox]]:
        """Search step by step: the whole picture first, then in ever smaller windows.

        Args:
            image: the picture.
            smallest: width in pixels down to which faces are searched for. A picture without a
                face costs the more time the smaller this is and the larger the picture.

        Yields:
            The faces of each step, the largest first; take what you need and stop.

        Raises:
            PhotoError: if the image is not uint8 RGB.
        """
        check_image(image)
        window = max(image.shape[:2])
        found = [one.candidates(image) for one in self._ranges]
        yield merge_candidates(np.concatenate(found))
        while window > smallest * MAX_WINDOW_PER_FACE:
            window = (window + 1) // 2
            yield self._search_windows(image, window)

    def _search_windows(self, image: ImageArray, window: int) -> list[FaceBox]:
        """Run the full range on overlapping windows of `window` pixels."""
        height, width = image.shape[:2]
        found = []
        for top in _starts(height, window):
            for left in _starts(width, window):
                tile = image[top : top + window, left : left + window]
                rows = self._ranges[1].candidates(tile)
                rows[:, 1::2] += left
                rows[:, 2::2] += top
                found.append(rows)
        return merge_candidates(np.concatenate(found))


def _starts(length: int, window: int) -> list[int]:
    """First pixels of windows that cover `length` and overlap by `WINDOW_OVERLAP` or more."""
    if length <= window:
        return [0]
    count = math.ceil((length - window) / (window * (1 - WINDOW_OVERLAP))) + 1
    return [round(i * (length - window) / (count - 1)) for i in range(count)]


def merge_candidates(rows: FloatArray) -> list[FaceBox]:
    """Join overlapping detections: score-weighted mean place, the best score.

    Args:
        rows: (n, 17) score, box corners and keypoints.

    Returns:
        The faces, the largest first.
    """
    faces = []
    rows = rows[np.argsort(-rows[:, 0], kind="stable")]
    while len(rows):
        same = _overlap(rows[0, 1:5], rows[:, 1:5]) > MAX_OVERLAP
        same[0] = True
        group = rows[same]
        weights = group[:, :1]
        mean = (group[:, 1:] * weights).sum(0) / weights.sum()
        left, top, right, bottom = (float(v) for v in mean[:4])
        keypoints = mean[4:].reshape(6, 2).astype(np.float32)
        faces.append(FaceBox((left, top, right, bottom), float(group[0, 0]), keypoints))
        rows = rows[~same]
    return sorted(faces, key=lambda face: face.area, reverse=True)


def _overlap(box: FloatArray, others: FloatArray) -> FloatArray:
    """Intersection over union of one box with (n, 4) boxes."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    areas = (others[:, 2:] - others[:, :2]).prod(1)
    whole = (box[2:] - box[:2]).prod() + areas - shared
    overlap: FloatArray = shared / np.maximum(whole, 1e-6)
    return overlap
