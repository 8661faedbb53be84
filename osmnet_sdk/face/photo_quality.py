"""How well a photo will work, aspect by aspect, and what would make it better."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.face.covered import Covered
from osmnet_sdk.face.fit import FaceFit
from osmnet_sdk.face.model import FaceModel

POOR = 0.5
"""Aspects that score less than this are worth a warning."""

LIKELY = 0.9
"""Probability of being covered from which on it is said."""

_FACE_PIXELS = 256
"""Height that a face is brought to before its sharpness is measured."""

_BLINKS = [ARKIT_NAMES.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight")]


@dataclass(frozen=True)
class PhotoAspect:
    """One thing that decides how well a photo can be moved.

    Attributes:
        name: size, sharpness, light, pose, mouth, eyes, room, covered mouth or covered eyes.
        score: 0 (will look wrong) to 1 (nothing to wish for).
        advice: what is wrong and what to do, one sentence; None where nothing is (a score of 1).
    """

    name: str
    score: float
    advice: str | None


@dataclass(frozen=True)
class PhotoQuality:
    """All aspects of a photo, worst first.

    Attributes:
        aspects: every aspect that was looked at.
    """

    aspects: tuple[PhotoAspect, ...]

    @property
    def score(self) -> float:
        """That of the worst aspect, 0 to 1: one bad thing is enough to spoil the frames."""
        return self.aspects[0].score

    @property
    def warnings(self) -> tuple[str, ...]:
        """Advice on all aspects that score less than `POOR`, worst first."""
        poor = (aspect.advice for aspect in self.aspects if aspect.score < POOR)
        return tuple(advice for advice in poor if advice is not None)

    def warns_of(self, name: str) -> bool:
        """Whether `warnings` has advice on the aspect of this name."""
        return any(aspect.name == name and aspect.score < POOR for aspect in self.aspects)


def photo_quality(
    photo: NDArray[np.uint8],
    landmarks: NDArray[np.floating],
    fit: FaceFit,
    model: FaceModel,
    *,
    inside: float,
    covered: Covered,
    name: str = "the photo",
) -> PhotoQuality:
    """Judge a photo by its fitted face.

    Args:
        photo: (H, W, 3) uint8 RGB.
        landmarks: (478, 2) pixels.
        fit: of the face.
        model: that the fit belongs to.
        inside: share of the head's square that lies within the photo, 0 to 1.
        covered: what hides the face.
        name: how advice calls the photo.
    """
    pitch, yaw, _ = fit.pose.angles
    grey = _grey_face(photo, landmarks)
    height = float(np.ptp(landmarks, axis=0).max())
    # Landmarks on cloth and lenses say nothing of the lips and lids beneath them.
    hidden_mouth, hidden_eyes = covered.mouth > LIKELY, covered.eyes > LIKELY
    gap = 0.0 if hidden_mouth else float(model.lip_gap(fit.expression, fit.identity))
    lids = 0.0 if hidden_eyes else float(fit.expression[_BLINKS].max())
    blur, contrast = _blur(grey), float(np.subtract(*np.percentile(grey, [95, 5])))
    turned = max(abs(yaw) / 25.0, abs(pitch) / 20.0)
    found = [
        (
            "size",
            _between(height, 50.0, 190.0),
            f"The face in {name} is {height:.0f} pixels high, so frames will be soft; 200 or more "
            "work better.",
        ),
        (
            "sharpness",
            _between(blur, 0.85, 0.6),
            f"The face in {name} is blurred, and so will be every frame; use a sharper picture.",
        ),
        (
            "light",
            _between(contrast, 20.0, 80.0),
            f"The face in {name} has hardly any light and shade (contrast {contrast:.0f} of 255), "
            "so eyes and lips are hard to find; use a picture in even, bright light.",
        ),
        (
            "pose",
            _between(turned, 1.5, 0.5),
            f"The head in {name} is turned (pitch {pitch:.0f}°, yaw {yaw:.0f}°), so its hidden "
            "side will be guessed; a view from the front works better.",
        ),
        (
            "mouth",
            _between(gap, 0.25, 0.05),
            f"The mouth in {name} is open, so its teeth may look broken in motion; a closed "
            "mouth works better.",
        ),
        (
            "eyes",
            _between(lids, 0.8, 0.2),
            f"An eye in {name} is closed, so its opening will be guessed; open eyes work better.",
        ),
        (
            "room",
            _between(inside, 0.5, 1.0),
            f"The head in {name} is cut off by the photo's edge, so what lies beyond is filled "
            "in; leave some room around the head.",
        ),
        (
            "covered mouth",
            _uncovered(covered.mouth),
            f"The mouth in {name} seems to be covered, so lips would be drawn over what hides it; "
            "use a picture without a mask or a hand before the mouth.",
        ),
        (
            "covered eyes",
            _uncovered(covered.eyes),
            f"The eyes in {name} seem to be behind dark glasses or in the dark, so they will not "
            "blink or look around; use a picture that shows the eyes.",
        ),
    ]
    aspects = (PhotoAspect(part, score, text if score < 1 else None) for part, score, text in found)
    return PhotoQuality(tuple(sorted(aspects, key=lambda aspect: aspect.score)))


def _uncovered(likely: float) -> float:
    """Score of something that is covered with a probability of 0 to 1; `POOR` at `LIKELY`."""
    return float(np.clip((1.0 - likely) / (1.0 - LIKELY) * POOR, 0.0, 1.0))


def _between(value: float, bad: float, good: float) -> float:
    """0 at `bad` and beyond, 1 at `good` and beyond, even in between."""
    return float(np.clip((value - bad) / (good - bad), 0.0, 1.0))


def _grey_face(photo: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The face in grey, brought to one size."""
    import cv2

    limit = np.array(photo.shape[1::-1]) - 1
    low = np.clip(np.floor(landmarks.min(axis=0)), 0, limit).astype(int)
    high = np.clip(np.ceil(landmarks.max(axis=0)), low, limit).astype(int) + 1
    grey = cv2.cvtColor(
        np.ascontiguousarray(photo[low[1] : high[1], low[0] : high[0]]), cv2.COLOR_RGB2GRAY
    )
    scale = _FACE_PIXELS / max(grey.shape)
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = (max(16, round(grey.shape[1] * scale)), max(16, round(grey.shape[0] * scale)))
    sized: NDArray[np.uint8] = cv2.resize(grey, size, interpolation=kind)
    return sized


def _blur(grey: NDArray[np.uint8]) -> float:
    """Crete, Dolmiere, Ladret and Nicolas 2007: about 0.5 for sharp faces, towards 1 for blurred.

    A Gaussian of 2 pixels on a face of 256 gives 0.71 to 0.81 on portraits.
    """
    from skimage.measure import blur_effect

    return float(blur_effect(grey, h_size=11))
