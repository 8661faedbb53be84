"""Finding the faces of a photo, and turning a photo upright that lies or stands on its head.

The detector also believes in faces that are upside down, with the mouth on the forehead: it then
scores 0.5 to 0.76, and 0.84 to 0.97 once they are upright. So where a score leaves a doubt, the
photo is looked at in all four quarter turns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.detector import FaceBox
from osmnet_sdk.face.landmarks import (
    MIN_SCORE,
    Landmarks,
    region_from_box,
    region_from_landmarks,
)
from osmnet_sdk.face.networks import FaceNetworks

Image = NDArray[np.uint8]
Faces = list[tuple[FaceBox, Landmarks]]

_CERTAIN = 0.92
"""Detector's score from which on a face is upright without another look."""
_BETTER = 0.06
"""How much better a face must score in another quarter turn for the photo to be turned."""
_LIES = 60.0
"""Degrees from which on a face lies on its side; people who tilt their head reach about 40."""


@dataclass(frozen=True, eq=False)
class UprightPhoto:
    """A photo in which the face is upright.

    Attributes:
        photo: (H, W, 3) uint8 RGB.
        faces: the faces found in it, largest first.
        turns: anticlockwise quarter turns by which the photo was turned, 0 to 3.
    """

    photo: Image
    faces: Faces
    turns: int


def find_faces(photo: Image, networks: FaceNetworks) -> Faces:
    """Faces of a photo and their landmarks, largest first; what the landmarks deny is left out."""
    faces = []
    for box in networks.detector.detect(photo):
        found = networks.landmarks.locate(photo, region_from_box(box))
        if found.score >= MIN_SCORE:
            found = networks.landmarks.locate(photo, region_from_landmarks(found))
        if found.score >= MIN_SCORE:
            faces.append((box, found))
    return faces


def upright(photo: Image, networks: FaceNetworks) -> UprightPhoto:
    """Find the faces of a photo, and turn it by quarter turns if its main face is not upright.

    Args:
        photo: (H, W, 3) uint8 RGB.
        networks: detector and landmarks.
    """
    best = UprightPhoto(photo, find_faces(photo, networks), 0)
    if _score(best.faces) < _CERTAIN:
        for turns in (2, 1, 3):
            turned = _turned(photo, turns, networks)
            if _score(turned.faces) > _score(best.faces) + (_BETTER if best.turns == 0 else 0.0):
                best = turned
    # A face on its side scores well, too, so its landmarks decide.
    lying = round(_roll(best.faces) / 90.0) if abs(_roll(best.faces)) >= _LIES else 0
    if lying:
        turned = _turned(photo, (best.turns + lying) % 4, networks)
        if abs(_roll(turned.faces)) < _LIES and turned.faces:
            best = turned
    return best


def _turned(photo: Image, turns: int, networks: FaceNetworks) -> UprightPhoto:
    picture = np.ascontiguousarray(np.rot90(photo, turns))
    return UprightPhoto(picture, find_faces(picture, networks), turns)


def _score(faces: Faces) -> float:
    """The best detector's score among faces, 0 if there is none."""
    return max((box.score for box, _ in faces), default=0.0)


def _roll(faces: Faces) -> float:
    """Degrees, clockwise on screen, that the face of the best score is turned from upright."""
    if not faces:
        return 0.0
    _, landmarks = max(faces, key=lambda face: face[0].score)
    right, left = (landmarks.points[index] for index in sets.EYE_OUTER_CORNERS)
    return math.degrees(math.atan2(float(left[1] - right[1]), float(left[0] - right[0])))
