"""Whether something hides a face's mouth or eyes: a mask, a scarf, dark glasses.

The landmark network places lips and lids on cloth and lenses, too. So the picture itself is asked:
are there lips where the lips should be, a line between them, and a colour of their own? Is there a
dark iris beside a brighter white, and skin beneath the eyes? The answers are weighed by a logistic
model, fitted to portraits and film frames on which masks and lenses of many kinds were painted.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face import landmark_sets as sets

Array = NDArray[np.float64]

_BETWEEN_EYES = 100.0
"""Pixels between the outer eye corners to which a face is brought before it is looked at."""
_SIDE = 512
_SMOOTHING = 1.2
"""Standard deviation in those pixels, so that noise and single hairs do not count."""

# Columns of points across the lips, from the subject's right to left.
_UPPER_OUTER, _UPPER_INNER = (40, 39, 37, 0, 267, 269, 270), (80, 81, 82, 13, 312, 311, 310)
_LOWER_INNER, _LOWER_OUTER = (88, 178, 87, 14, 317, 402, 318), (91, 181, 84, 17, 314, 405, 321)
_UPPER_LIP_SKIN = (164, 167, 393, 165, 391)
_CHIN = (199, 175, 18, 200, 201, 421)
_JAW = (214, 434, 192, 416, 135, 364)
_FOREHEAD = (151, 9, 8, 108, 337, 69, 299)
_NOSE = (195, 5, 197, 6)
_CHEEKS = (50, 280, 205, 425, 36, 266, 101, 330)

# Fitted to 1237 pictures of 64 people: 17 portraits and frames of 60 films as they are, darkened,
# half in shadow, blurred, small, grey, with painted lips, lids and beards; 476 with masks of 12
# cloths, 282 with lenses of 8 tints. On people left out of the fit, 90 % of the masks and 93 % of
# the lenses are above 0.9, and 0.4 % and 1.0 % of the pictures without them.
_MOUTH_WEIGHTS = np.array([-2.156, -0.949, -0.220, -0.220, 2.505])
_MOUTH_BIAS = -2.068
_EYE_WEIGHTS = np.array([-0.228, -13.132, 0.265])
_EYE_BIAS = 7.191


@dataclass(frozen=True)
class Covered:
    """How likely parts of a face are hidden.

    Attributes:
        mouth: probability, 0 to 1, that something lies over the mouth.
        eyes: probability, 0 to 1, that something dark or opaque lies over both eyes.
    """

    mouth: float
    eyes: float


def look_for_covers(photo: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> Covered:
    """Judge whether a face's mouth or eyes are hidden.

    Args:
        photo: (H, W, 3) uint8 RGB.
        landmarks: (478, 2+) pixels.
    """
    face = _Face(photo, landmarks)
    return Covered(
        _logistic(mouth_signs(face) @ _MOUTH_WEIGHTS + _MOUTH_BIAS),
        _logistic(eye_signs(face) @ _EYE_WEIGHTS + _EYE_BIAS),
    )


def _logistic(value: float) -> float:
    return float(1.0 / (1.0 + np.exp(-value)))


class _Face:
    """A face at one size, in CIE L*a*b*, and its landmarks there."""

    def __init__(self, photo: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> None:
        points = np.asarray(landmarks[:, :2], np.float64)
        right, left = points[list(sets.EYE_OUTER_CORNERS)]
        between = max(float(np.linalg.norm(left - right)), 1.0)
        scale = _BETWEEN_EYES / between
        middle = points.mean(0)
        reach = _SIDE / 2 / scale + 2
        low = np.clip(np.floor(middle - reach), 0, np.array(photo.shape[1::-1]) - 1).astype(int)
        high = np.clip(np.ceil(middle + reach), low + 1, photo.shape[1::-1]).astype(int)
        part = np.ascontiguousarray(photo[low[1] : high[1], low[0] : high[0]])
        if scale < 1:  # area-average first, or fine detail would alias
            part = cv2.GaussianBlur(part, (0, 0), 0.35 * np.sqrt(scale**-2 - 1) + 1e-3)
        shift = _SIDE / 2 - scale * (middle - low)
        picture = cv2.warpAffine(
            part,
            np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]),
            (_SIDE, _SIDE),
            flags=cv2.INTER_LINEAR if scale < 1 else cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        smooth = cv2.GaussianBlur(picture, (0, 0), _SMOOTHING).astype(np.float32) / 255
        self._lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
        self.points = (points - low) * scale + shift
        up = self.points[10] - self.points[sets.CHIN]
        self.up: Array = up / max(float(np.linalg.norm(up)), 1e-6)

    def at(self, places: Array) -> Array:
        """Colours (..., 3) at places (..., 2)."""
        flat = places.reshape(-1, 1, 2).astype(np.float32)
        border = cv2.BORDER_REPLICATE
        found = cv2.remap(
            self._lab, flat[..., 0].copy(), flat[..., 1].copy(), cv2.INTER_LINEAR, borderMode=border
        )
        return np.asarray(found, np.float64).reshape(*places.shape[:-1], 3)

    def marks(self, *numbers: tuple[int, ...]) -> Array:
        """Colours (n, 3) at landmarks."""
        return self.at(self.points[[number for group in numbers for number in group]])


def mouth_signs(face: _Face) -> Array:
    """(5,) what speaks for lips, then how far the colour around the mouth is from the face's."""
    upper_out, upper_in, lower_in, lower_out = (
        face.points[list(loop)] for loop in (_UPPER_OUTER, _UPPER_INNER, _LOWER_INNER, _LOWER_OUTER)
    )
    away = np.linspace(2.4, 9.6, 5)[:, None, None] * face.up
    within = np.linspace(1 / 3, 2 / 3, 3)[:, None, None]
    skin = (face.at(upper_out + away).mean(0) + face.at(lower_out - away).mean(0)) / 2
    lips = (
        face.at(upper_out + (upper_in - upper_out) * within).mean(0)
        + face.at(lower_in + (lower_out - lower_in) * within).mean(0)
    ) / 2
    seam = lips[:, 0] - face.at((upper_in + lower_in) / 2)[:, 0]
    apart = lips - skin  # (7, 3), one row a column
    contrast = float(np.linalg.norm(apart.mean(0)))
    steady = contrast / (float(np.linalg.norm(apart.std(0))) + 1)  # a pattern is not
    around = np.median(face.marks(_UPPER_LIP_SKIN, _CHIN, _JAW), axis=0)
    skin_above = np.median(face.marks(_FOREHEAD, _NOSE), axis=0)
    return np.array(
        [
            np.log(max(steady, 0.05)),
            np.log(max(contrast, 0.05)),
            np.clip(seam.mean(), -5, 12),
            np.clip(apart[:, 1].mean(), -5, 10),
            np.log(float(np.linalg.norm((around - skin_above)[1:])) + 1),
        ]
    )


def eye_signs(face: _Face) -> Array:
    """(3,) contrast of iris and white, then light and colour beneath the eyes, against the skin."""
    around = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = np.stack([np.cos(around), np.sin(around)], axis=1)
    contrasts, below = [], []
    for eye, iris in ((sets.RIGHT_EYE, sets.RIGHT_IRIS), (sets.LEFT_EYE, sets.LEFT_IRIS)):
        rim, centre = face.points[list(eye)], face.points[iris[0]]
        radius = float(np.linalg.norm(face.points[iris[1]] - face.points[iris[3]])) / 2
        dark = face.at(centre + np.array([0.0, 0.4])[:, None, None] * radius * ring)[..., 0]
        share = np.array([0.3, 0.4, 0.5])[:, None, None]
        corners = rim[[0, 8]]
        white = face.at(corners + (centre - corners) * share)[..., 0]
        contrasts.append(np.sort(white.ravel())[-3:].mean() - np.median(dark))
        lower = rim[1:8] - np.linspace(4, 9, 3)[:, None, None] * face.up
        below.append(np.median(face.at(lower).reshape(-1, 3), axis=0))
    skin = np.median(face.marks(_FOREHEAD, _CHEEKS, _NOSE), axis=0)
    under = np.array(below)
    return np.array(
        [
            np.clip(max(contrasts), 0, 30),
            np.clip((under[:, 0] / max(skin[0], 1.0)).max(), 0, 1),
            np.clip(np.linalg.norm((under - skin)[:, 1:], axis=1).min(), 0, 25),
        ]
    )
