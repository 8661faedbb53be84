"""Detector, landmarks and mask with the bundled weights on pictures of scikit-image."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from osmnet_sdk.errors import ModelError, PhotoError
from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.detector import FaceBox, FaceDetector
from osmnet_sdk.face.graph import load_graph
from osmnet_sdk.face.landmarks import (
    FaceLandmarks,
    Landmarks,
    LandmarkTracker,
    Region,
    crop_region,
    find_landmarks,
    region_from_box,
    region_from_landmarks,
)
from osmnet_sdk.face.mask import PersonMask

STARTER = Path(__file__).parents[2] / "models" / "starter"

Image = NDArray[np.uint8]

MEDIAPIPE_ON_ASTRONAUT = {
    33: (194.7, 100.4), 133: (212.8, 103.2), 362: (236.5, 104.4), 263: (255.3, 103.8),
    468: (203.0, 100.6), 473: (246.1, 103.0), 4: (223.1, 125.3), 61: (201.3, 138.7),
    291: (244.5, 140.5), 13: (223.0, 142.7), 14: (222.5, 149.6), 152: (220.8, 176.9),
    234: (178.9, 109.5), 454: (269.7, 115.0), 105: (198.3, 86.4), 334: (252.5, 90.2),
}  # fmt: skip
"""Points that MediaPipe 0.10.9's own FaceMesh places (static mode, less half a pixel)."""


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(
        load_graph(STARTER / "face_detection_short.safetensors"),
        load_graph(STARTER / "face_detection_full.safetensors"),
    )


@pytest.fixture(scope="module")
def mesh() -> FaceLandmarks:
    return FaceLandmarks(load_graph(STARTER / "face_landmarks.safetensors"))


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return np.asarray(data.astronaut())


@pytest.fixture(scope="module")
def found(astronaut: Image, detector: FaceDetector, mesh: FaceLandmarks) -> Landmarks:
    result = find_landmarks(astronaut, detector, mesh)
    assert result is not None
    return result


def eye_distance(points: NDArray[np.floating]) -> float:
    right, left = sets.EYE_OUTER_CORNERS
    return float(np.linalg.norm(points[right, :2] - points[left, :2]))


def difference(points: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Mean distance in percent of the distance between the outer eye corners."""
    distances = np.linalg.norm(points[:, :2] - truth[:, :2], axis=1)
    return float(distances.mean()) / eye_distance(truth) * 100


def moved(
    image: Image, matrix: NDArray[np.floating], size: tuple[int, int], fill: int = 90
) -> Image:
    """The picture under a 2×3 matrix on a plain background, shrunk without aliasing."""
    scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    soft = cv2.GaussianBlur(image, (0, 0), max(0.4 / scale, 0.01)) if scale < 1 else image
    return np.asarray(
        cv2.warpAffine(soft, matrix, size, flags=cv2.INTER_CUBIC, borderValue=(fill,) * 3),
        np.uint8,
    )


def carried(points: NDArray[np.floating], matrix: NDArray[np.floating]) -> NDArray[np.floating]:
    return points[:, :2] @ matrix[:, :2].T + matrix[:, 2]


def turn(degrees: float) -> NDArray[np.float64]:
    """A turn of the astronaut's picture about its middle, into a picture 720 pixels square."""
    matrix = cv2.getRotationMatrix2D((255.5, 255.5), degrees, 1)
    matrix[:, 2] += 104
    return np.asarray(matrix, np.float64)


def test_astronaut_is_the_one_face(astronaut: Image, detector: FaceDetector) -> None:
    (face,) = detector.detect(astronaut)
    left, top, right, bottom = face.box
    assert face.score > 0.8
    assert left < 203 < 246 < right
    assert top < 101 < 140 < bottom
    for row, number in ((0, 468), (1, 473), (2, 4)):
        expected = MEDIAPIPE_ON_ASTRONAUT[number]
        assert np.linalg.norm(face.keypoints[row] - expected) < 6


def test_landmarks_agree_with_mediapipe(found: Landmarks) -> None:
    assert found.points.shape == (478, 3)
    assert found.points.dtype == np.float32
    assert found.score > 0.99
    numbers = list(MEDIAPIPE_ON_ASTRONAUT)
    truth = np.array(list(MEDIAPIPE_ON_ASTRONAUT.values()))
    distances = np.linalg.norm(found.points[numbers, :2] - truth, axis=1)
    assert distances.mean() / 60.7 < 0.015
    assert distances.max() / 60.7 < 0.04


def test_depth_puts_the_nose_in_front_of_the_ears(found: Landmarks) -> None:
    depth = found.points[:, 2]
    assert depth[sets.NOSE_TIP] < depth[[33, 263]].min() < depth[[234, 454]].min()


def test_named_sets_lie_where_they_say(found: Landmarks) -> None:
    points = found.points[:, :2]
    middle = points[168, 0]
    for right, left in (
        (sets.RIGHT_EYE, sets.LEFT_EYE),
        (sets.RIGHT_BROW, sets.LEFT_BROW),
        (sets.RIGHT_IRIS, sets.LEFT_IRIS),
    ):
        assert points[list(right), 0].max() < middle < points[list(left), 0].min()
    for eye, iris in ((sets.RIGHT_EYE, sets.RIGHT_IRIS), (sets.LEFT_EYE, sets.LEFT_IRIS)):
        centre = tuple(float(v) for v in points[iris[0]])
        assert cv2.pointPolygonTest(points[list(eye)], centre, False) > 0
    outer, inner = (cv2.contourArea(points[list(s)]) for s in (sets.LIPS_OUTER, sets.LIPS_INNER))
    oval = cv2.contourArea(points[list(sets.FACE_OVAL)])
    assert 0 < inner < outer < oval / 5
    assert oval > 5000


@pytest.mark.parametrize("degrees", [-60, -25, 25, 60])
def test_turned_face_gets_turned_landmarks(
    degrees: float, astronaut: Image, found: Landmarks, detector: FaceDetector, mesh: FaceLandmarks
) -> None:
    matrix = turn(degrees)
    result = find_landmarks(moved(astronaut, matrix, (720, 720)), detector, mesh)
    assert result is not None
    assert difference(result.points, carried(found.points, matrix)) < 2.5


def test_small_face_in_a_large_photo_is_found(
    astronaut: Image, found: Landmarks, detector: FaceDetector, mesh: FaceLandmarks
) -> None:
    scale = 50 / float(np.ptp(found.points[:, 0]))
    matrix = np.array([[scale, 0, 1130.0], [0, scale, 420.0]])
    photo = moved(astronaut, matrix, (1600, 900))
    result = find_landmarks(photo, detector, mesh)
    assert result is not None
    assert difference(result.points, carried(found.points, matrix)) < 4
    (whole, *_) = detector.search(photo)
    assert whole == [], "the face must be too small for the whole picture, or this tests nothing"


def test_face_from_the_side_is_found(detector: FaceDetector) -> None:
    cameraman = np.repeat(np.asarray(data.camera())[:, :, None], 3, axis=2)
    (face,) = detector.detect(cameraman)
    assert np.linalg.norm(face.keypoints[2] - (239, 170)) < 8
    assert 60 < face.box[2] - face.box[0] < 110


def test_face_that_fills_the_picture_is_found(
    astronaut: Image, found: Landmarks, detector: FaceDetector, mesh: FaceLandmarks
) -> None:
    left, top = found.points[:, :2].min(0).astype(int)
    right, bottom = found.points[:, :2].max(0).astype(int)
    result = find_landmarks(astronaut[top:bottom, left:right], detector, mesh)
    assert result is not None
    assert difference(result.points[:, :2] + (left, top), found.points) < 4


def test_larger_face_comes_first(astronaut: Image, detector: FaceDetector) -> None:
    head = astronaut[0:220, 120:330]
    picture = np.full((700, 900, 3), 90, np.uint8)
    picture[40:260, 60:270] = head
    picture[200:640, 400:820] = cv2.resize(head, (420, 440), interpolation=cv2.INTER_CUBIC)
    first, second = detector.detect(picture)
    assert first.area > 2.5 * second.area
    assert first.box[0] > 400 > second.box[2]


@pytest.mark.parametrize("name", ["coffee", "brick", "page", "noise", "plain"])
def test_picture_without_face_gives_nothing(
    name: str, detector: FaceDetector, mesh: FaceLandmarks
) -> None:
    if name == "noise":
        picture = np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    elif name == "plain":
        picture = np.zeros((30, 1200, 3), np.uint8)
    else:
        picture = np.asarray(getattr(data, name)())
        picture = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
    assert detector.detect(picture) == []
    assert find_landmarks(picture, detector, mesh) is None


def test_region_of_a_box_is_upright_along_the_eyes() -> None:
    keypoints = np.array([[0, 0], [10, 10], [0, 0], [0, 0], [0, 0], [0, 0]], np.float32)
    region = region_from_box(FaceBox((10.0, 20.0, 50.0, 100.0), 0.9, keypoints))
    assert region == Region((30.0, 60.0), 120.0, pytest.approx(math.pi / 4))


def test_region_follows_a_turn_exactly(found: Landmarks) -> None:
    upright = region_from_landmarks(found)
    matrix = turn(40)
    points = found.points.copy()
    points[:, :2] = carried(points, matrix)
    turned = region_from_landmarks(Landmarks(points, 1.0))
    assert turned.size == pytest.approx(upright.size, rel=1e-4)
    assert turned.angle == pytest.approx(upright.angle - math.radians(40), abs=1e-4)
    expected = matrix[:, :2] @ upright.centre + matrix[:, 2]
    assert turned.centre == pytest.approx(tuple(expected), abs=0.01)


@pytest.mark.parametrize("size", [16.0, 60.0, 700.0])
def test_crop_puts_the_picture_where_the_region_says(size: float) -> None:
    # A ramp: the value of a crop's pixel tells where in the picture it was taken.
    row, column = np.mgrid[0:256, 0:256]
    ramp = np.stack([column, row, np.zeros_like(row)], 2).astype(np.uint8)
    region = Region((128.0, 120.0), size, math.radians(30))
    crop = crop_region(ramp, region, 32).astype(float)
    for x, y in ((16, 16), (20, 10), (11, 21)):
        inside = region.to_image() @ [(x + 0.5) / 32, (y + 0.5) / 32, 1]
        if (np.abs(inside - 128) < 120).all():
            assert crop[y, x, :2] == pytest.approx(inside, abs=1.5)


class CountingDetector(FaceDetector):
    """Counts how often the picture is searched."""

    searches = 0

    def search(self, image, *, smallest=50.0):  # type: ignore[no-untyped-def]
        self.searches += 1
        return super().search(image, smallest=smallest)


def test_tracker_searches_only_when_the_face_is_lost(
    astronaut: Image, found: Landmarks, mesh: FaceLandmarks
) -> None:
    detector = CountingDetector(
        load_graph(STARTER / "face_detection_short.safetensors"),
        load_graph(STARTER / "face_detection_full.safetensors"),
    )
    tracker = LandmarkTracker(detector, mesh)
    for frame in range(6):
        matrix = np.array([[1.0, 0, 6 * frame], [0, 1, 3 * frame]])
        result = tracker.track(moved(astronaut, matrix, (600, 512)))
        assert result is not None
        assert difference(result.points, carried(found.points, matrix)) < 2
    assert detector.searches == 1
    empty = np.zeros_like(astronaut)
    assert [tracker.track(empty) for _ in range(3)] == [None] * 3
    assert tracker.track(astronaut) is not None
    assert detector.searches == 5
    tracker.reset()
    assert tracker.track(astronaut) is not None
    assert detector.searches == 6


def test_mask_keeps_the_astronaut(astronaut: Image, found: Landmarks) -> None:
    mask = PersonMask(load_graph(STARTER / "person_mask.safetensors"))(astronaut)
    assert mask.shape == astronaut.shape[:2]
    assert mask.dtype == np.float32
    assert 0 <= mask.min() <= mask.max() <= 1
    face = np.zeros(mask.shape, np.uint8)
    oval = np.round(found.points[list(sets.FACE_OVAL), :2]).astype(np.int32)
    cv2.fillPoly(face, [oval], 1)
    assert mask[face == 1].mean() > 0.98
    assert mask[:40, 400:].mean() < 0.02
    tall = PersonMask(load_graph(STARTER / "person_mask.safetensors"))(astronaut[:300, :77])
    assert tall.shape == (300, 77)


def test_wrong_pictures_and_weights_are_refused(
    astronaut: Image, detector: FaceDetector, mesh: FaceLandmarks
) -> None:
    mask = load_graph(STARTER / "person_mask.safetensors")
    grey = astronaut[:, :, 0]
    region = Region((100.0, 100.0), 80.0, 0.0)
    with pytest.raises(PhotoError):
        detector.detect(grey)
    with pytest.raises(PhotoError):
        mesh.locate(grey, region)
    with pytest.raises(PhotoError):
        PersonMask(mask)(grey)
    for build in (FaceLandmarks, lambda weights: FaceDetector(weights, weights)):
        with pytest.raises(ModelError, match="person_mask"):
            build(mask)
