"""Places 478 landmarks on a face: the attention mesh (MediaPipe, Apache-2.0), and tracks them.

Coordinates are pixel indices (a pixel's centre is a whole number), x to the right, y down. The
depth z is in the same pixels, relative to the head's middle, smaller nearer to the camera, and
only a guess.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.detector import SMALLEST_FACE, FaceBox, FaceDetector
from osmnet_sdk.face.graph import GraphNetwork, GraphWeights, check_image, image_tensor

FloatArray = NDArray[np.float32]
ImageArray = NDArray[np.uint8]

MIN_SCORE = 0.5
"""Landmarks that score lower are not on a face."""

REGION_SCALE = 1.5
"""The network wants to see a square this many times the size of the face's box."""


SEARCH_INTERVAL = 25
"""A video without a face is searched for small faces once in so many frames."""

REACH = 0.5
"""How far from where it was a face is found again in the next frame, over its region's size."""
REACH_A_FRAME = 0.04
"""How much further for each frame in which it was not seen."""


@dataclass(frozen=True)
class Region:
    """A square of the picture, turned by `angle`.

    Attributes:
        centre: x and y in pixel-index coordinates.
        size: side in pixels.
        angle: radians from the picture's x axis to the square's, clockwise on screen.
    """

    centre: tuple[float, float]
    size: float
    angle: float

    def to_image(self) -> NDArray[np.float64]:
        """2×3 matrix from the square's own coordinates, [0, 1]², to the picture's."""
        cos, sin = math.cos(self.angle) * self.size, math.sin(self.angle) * self.size
        x, y = self.centre
        return np.array([[cos, -sin, x - (cos - sin) / 2], [sin, cos, y - (sin + cos) / 2]])


@dataclass(frozen=True)
class Landmarks:
    """Landmarks of one face.

    Attributes:
        points: (478, 3) float32 x, y and depth in pixels; see `landmark_sets` for the numbers.
        score: certainty in [0, 1] that there is a face.
    """

    points: FloatArray
    score: float


def region_from_box(face: FaceBox) -> Region:
    """The region that the landmark network wants for a detected face: upright along the eyes."""
    left, top, right, bottom = face.box
    eyes = face.keypoints[1] - face.keypoints[0]
    size = max(right - left, bottom - top) * REGION_SCALE
    angle = math.atan2(float(eyes[1]), float(eyes[0]))
    return Region(((left + right) / 2, (top + bottom) / 2), size, angle)


def region_from_landmarks(landmarks: Landmarks) -> Region:
    """The region that the landmark network wants for the same face in the next frame.

    Unlike MediaPipe's, the box is taken along the eyes, not along the picture: then a tilted
    head gets the same region as an upright one, and its landmarks stay where they are.
    """
    points = landmarks.points[:, :2].astype(np.float64)
    right_corner, left_corner = (points[i] for i in sets.EYE_OUTER_CORNERS)
    angle = math.atan2(left_corner[1] - right_corner[1], left_corner[0] - right_corner[0])
    cos, sin = math.cos(angle), math.sin(angle)
    turned = points @ np.array([[cos, -sin], [sin, cos]])
    low, high = turned.min(0), turned.max(0)
    x, y = (low + high) / 2
    size = float((high - low).max()) * REGION_SCALE
    return Region((float(cos * x - sin * y), float(sin * x + cos * y)), size, angle)


def crop_region(image: ImageArray, region: Region, size: int) -> ImageArray:
    """Cut a region out as uint8 RGB (size, size, 3); beyond the edge the edge is repeated."""
    to_image = region.to_image()
    step = region.size / size
    if step >= 2:
        # Average first: picking single pixels of a much finer picture would be noise.
        image, to_image = _shrink(image, to_image, region, step)
    # Pixel i of the crop has its centre at (i + ½) / size of the region's side.
    matrix = to_image.copy()
    matrix[:, :2] /= size
    matrix[:, 2] += matrix[:, :2].sum(1) / 2
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


def _shrink(
    image: ImageArray, to_image: NDArray[np.float64], region: Region, step: float
) -> tuple[ImageArray, NDArray[np.float64]]:
    """Shrink the part of the picture around a region by whole pixels, and its matrix with it."""
    factor = int(step)
    reach = region.size * 0.75
    height, width = image.shape[:2]
    left = min(max(int(region.centre[0] - reach), 0), width - 1)
    top = min(max(int(region.centre[1] - reach), 0), height - 1)
    right = max(min(int(region.centre[0] + reach) + 1, width), left + 1)
    bottom = max(min(int(region.centre[1] + reach) + 1, height), top + 1)
    part = image[top:bottom, left:right]
    columns, rows = max((right - left) // factor, 1), max((bottom - top) // factor, 1)
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    ratio = np.array([columns / (right - left), rows / (bottom - top)])
    matrix = to_image.copy()
    matrix[:, 2] -= (left, top)
    matrix *= ratio[:, None]
    matrix[:, 2] += ratio / 2 - 0.5
    return np.asarray(small, np.uint8), matrix


class FaceLandmarks:
    """Places the landmarks in a given region of a picture.

    Args:
        weights: weights of the attention mesh.
        device: torch device.

    Raises:
        ModelError: if the weights are those of another network.
    """

    def __init__(self, weights: GraphWeights, device: torch.device | str = "cpu") -> None:
        self._network = GraphNetwork(weights, device, name="face_landmarks")
        self._size = self._network.input_shape[2]

    def locate(self, image: ImageArray, region: Region) -> Landmarks:
        """Place the landmarks of the face in `region` of uint8 RGB (height, width, 3).

        The score says whether there is a face at all; the points are only of use if it is at
        least `MIN_SCORE`.

        Raises:
            PhotoError: if the image is not uint8 RGB.
        """
        check_image(image)
        crop = crop_region(image, region, self._size)
        outputs = self._network(image_tensor(crop, 0.0, 1.0, self._network.device))
        names = list(outputs)
        flat = torch.cat([outputs[name].reshape(-1) for name in names]).cpu().numpy()
        ends = np.cumsum([outputs[name].numel() for name in names])[:-1]
        values = dict(zip(names, np.split(flat, ends), strict=True))
        points = assemble_points(values) / np.float32(self._size)
        matrix = region.to_image().astype(np.float32)
        placed = np.empty_like(points)
        placed[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        placed[:, 2] = points[:, 2] * region.size
        score = 1.0 / (1.0 + math.exp(-float(values["conv_faceflag"][0])))
        return Landmarks(placed, score)


def assemble_points(values: dict[str, FloatArray]) -> FloatArray:
    """Join the mesh and the branches that place lips, eyes and irises more exactly.

    Args:
        values: the network's flat outputs by name, in pixels of its input.

    Returns:
        (478, 3) points in pixels of the input; an iris gets the mean depth of its eye's rim.
    """
    points = np.empty((sets.LANDMARK_COUNT, 3), np.float32)
    points[:468] = values["output_mesh_identity"].reshape(468, 3)
    # "left" in the network's names is the left of the picture.
    refined = {
        "output_lips": sets.LIPS_REFINED,
        "output_left_eye": sets.RIGHT_EYE_REFINED,
        "output_right_eye": sets.LEFT_EYE_REFINED,
        "output_left_iris": sets.RIGHT_IRIS,
        "output_right_iris": sets.LEFT_IRIS,
    }
    for name, numbers in refined.items():
        points[list(numbers), :2] = values[name].reshape(-1, 2)
    points[list(sets.RIGHT_IRIS), 2] = points[list(sets.RIGHT_EYE), 2].mean()
    points[list(sets.LEFT_IRIS), 2] = points[list(sets.LEFT_EYE), 2].mean()
    return points


def find_landmarks(
    image: ImageArray, detector: FaceDetector, landmarks: FaceLandmarks
) -> Landmarks | None:
    """Landmarks of the largest face in a still picture, or None.

    A detection that the landmark network does not believe is passed over. The points are placed
    twice: the second time in the region that the first ones suggest, which is the more exact.

    Args:
        image: uint8 RGB (height, width, 3).
        detector: finds the face.
        landmarks: places the points.

    Raises:
        PhotoError: if the image is not uint8 RGB.
    """
    for faces in detector.search(image):
        for face in faces:
            found = _placed(image, face, landmarks)
            if found is not None:
                return found
    return None


def _placed(image: ImageArray, face: FaceBox, landmarks: FaceLandmarks) -> Landmarks | None:
    """Landmarks of a detected face, or None if they deny it."""
    first = landmarks.locate(image, region_from_box(face))
    if first.score < MIN_SCORE:
        return None
    second = landmarks.locate(image, region_from_landmarks(first))
    return second if second.score >= MIN_SCORE else first


class LandmarkTracker:
    """Follows one face of a video; in the steady state a frame costs one mesh run.

    A face that was lost is looked for where it was, and ever further away the longer it is gone,
    so that another face does not take its place at once.

    Args:
        detector: finds the face at first and when it was lost.
        landmarks: places the points.
        face_index: which face is followed, counted from the largest where it is first seen.
    """

    def __init__(
        self, detector: FaceDetector, landmarks: FaceLandmarks, *, face_index: int = 0
    ) -> None:
        self._detector = detector
        self._landmarks = landmarks
        self._index = face_index
        self.reset()

    def reset(self) -> None:
        """Forget the face, as at a cut."""
        self._region: Region | None = None
        self._last: Region | None = None
        self._frames_without = 0
        self.faces = 0
        """Faces in the frame in which the followed one was first seen, or at most so far."""

    def track(self, image: ImageArray) -> Landmarks | None:
        """Landmarks of the next frame, uint8 RGB (height, width, 3); None without a face.

        Raises:
            PhotoError: if the image is not uint8 RGB.
        """
        found = None
        if self._region is not None:
            found = self._landmarks.locate(image, self._region)
        if found is None or found.score < MIN_SCORE:
            # Looking for small faces takes long, so frames without any get it only now and then.
            thorough = self._frames_without % SEARCH_INTERVAL == 0
            found = self._find(image, SMALLEST_FACE if thorough else math.inf)
        self._frames_without = 0 if found is not None else self._frames_without + 1
        self._region = None if found is None else region_from_landmarks(found)
        self._last = self._region or self._last
        return found

    def _find(self, image: ImageArray, smallest: float) -> Landmarks | None:
        """The face that is followed, else, where none was seen yet, that of the number wanted."""
        for boxes in self._detector.search(image, smallest=smallest):
            placed = [_placed(image, box, self._landmarks) for box in boxes]
            faces = [face for face in placed if face is not None]
            if not faces:
                continue
            if self._last is None:
                self.faces = max(self.faces, len(faces))
                return faces[self._index] if self._index < len(faces) else None
            nearest = min(faces, key=self._distance)
            return nearest if self._distance(nearest) <= self._reach() else None
        return None

    def _distance(self, face: Landmarks) -> float:
        """How far a face is from where the followed one was last seen, over its size."""
        assert self._last is not None
        region = region_from_landmarks(face)
        return math.dist(region.centre, self._last.centre) / self._last.size

    def _reach(self) -> float:
        return REACH + REACH_A_FRAME * self._frames_without
