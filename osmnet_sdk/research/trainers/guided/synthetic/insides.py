"""Eyes and mouths of made-up heads, coloured pixel by pixel; colours are linear light, 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.rendering.warp.mouth import ARCH, GUM_LINE
from osmnet_sdk.research.trainers.guided.synthetic.skin import linear

Float = NDArray[np.float32]

IRIS_RADIUS = 0.0059
"""Metres; the human iris is 11.8 mm wide with little variation."""
_IRISES = (
    (70, 44, 26),
    (96, 66, 36),
    (122, 104, 62),
    (102, 116, 92),
    (104, 130, 152),
    (128, 140, 148),
)
"""Colours of human irises, sRGB, the brown ones first."""
_BROWN, _FAIR = 2, 0.45
"""Number of brown ones; brightness of the skin from which others are found."""
_TEETH = {
    "upper_teeth": np.cumsum([0.0085, 0.0066, 0.0076, 0.007, 0.007, 0.01, 0.01]),
    "lower_teeth": np.cumsum([0.0053, 0.0058, 0.0068, 0.007, 0.0072, 0.011, 0.011]),
}
"""Where teeth end, metres along the dental arch from its middle."""
_TOOTH_NOTCH = 0.09
"""Height of a row of teeth by which the corners of its teeth are rounded."""


def place_on_eyes(model: FaceModel) -> Float:
    """(V, 2) metres to the left of and above the line of sight, for vertices of an eyeball.

    They turn with the eye; those behind the eyeball's middle lie far off.
    """
    places = np.full((len(model.mean), 2), 1.0, np.float32)
    for part, centre in zip(("left_eye", "right_eye"), model.eye_centres, strict=True):
        vertices = np.unique(model.triangles_of(part))
        ball = model.mean[vertices] - centre
        places[vertices] = ball[:, :2]
        behind = vertices[ball[:, 2] < 0]
        places[behind] *= 0.03 / np.maximum(np.linalg.norm(places[behind], axis=1), 1e-3)[:, None]
    return places


@dataclass(frozen=True)
class Insides:
    """How eyes and mouth of a made-up person look.

    Attributes:
        iris: (3,) colour.
        sclera: (3,) colour.
        pupil: radius in metres.
        spokes: (64,) brightness around the iris.
        tooth: (3,) colour.
        teeth: (2, 16) brightness of each upper and lower tooth.
        gum: (3,) colour, and of the tongue.
        tongue: (3,) colour.
        reach: metres over which the light in the mouth falls to a third.
    """

    iris: Float
    sclera: Float
    pupil: float
    spokes: Float
    tooth: Float
    teeth: Float
    gum: Float
    tongue: Float
    reach: float


def random_insides(draw: np.random.Generator, skin: Float) -> Insides:
    """Eyes and mouth of a random person.

    Args:
        draw: decides.
        skin: (3,) colour of the skin; who is dark has brown eyes.
    """
    choice = len(_IRISES) if skin[0] > _FAIR else _BROWN
    spokes = cv2.GaussianBlur(draw.normal(size=(1, 64)).astype(np.float32), (0, 0), 0.8)[0]
    return Insides(
        iris=linear(_IRISES[draw.integers(choice)]) * np.float32(draw.uniform(0.6, 1.2)),
        sclera=_between(draw, (205, 195, 190), (240, 232, 228)),
        pupil=draw.uniform(0.0014, 0.0026),
        spokes=1 + 0.3 * spokes,
        tooth=_between(draw, (206, 192, 164), (242, 236, 226)),
        teeth=(1 + 0.05 * draw.normal(size=(2, 16))).astype(np.float32),
        gum=_between(draw, (130, 60, 62), (196, 108, 108)),
        tongue=_between(draw, (150, 76, 78), (200, 116, 114)),
        reach=draw.uniform(0.010, 0.022),
    )


def eye_colours(looks: Insides, places: Float) -> Float:
    """Colours (N, 3) at places (N, 2) of `place_on_eyes`."""
    radius = np.hypot(*places.T)
    turn = (np.arctan2(places[:, 1], places[:, 0]) / (2 * np.pi) * 64).astype(int) % 64
    ring = np.clip(radius / IRIS_RADIUS, 0, 1)
    tone = looks.spokes[turn] * (1.15 - 0.7 * ring**4)
    colours = looks.iris * tone[:, None]
    colours *= _over(radius, looks.pupil, 0.0004)[:, None]
    white = _over(radius, IRIS_RADIUS, 0.0007)[:, None]
    pink = np.array([1.0, 0.82, 0.8]) ** np.clip((radius - 0.009) / 0.004, 0, 1)[:, None]
    return np.asarray(colours + (looks.sclera * pink - colours) * white, np.float32)


def tooth_colours(looks: Insides, places: Float, upper: bool) -> tuple[Float, Float]:
    """Colours (N, 3) of teeth and how far there is one (N,), at places of `tooth_coordinates`."""
    name = "upper_teeth" if upper else "lower_teeth"
    ends, along = _TEETH[name], np.abs(places[:, 0])
    tooth = np.minimum(np.searchsorted(ends, along), len(ends) - 1)
    starts = np.concatenate([[0.0], ends[:-1]])
    off = np.abs((along - starts[tooth]) / (ends[tooth] - starts[tooth]) * 2 - 1)
    height = places[:, 1]
    number = tooth + 8 * (places[:, 0] < 0)
    tone = looks.teeth[0 if upper else 1][number] * (1 - 0.35 * _over(off, 0.94, 0.06))
    tone *= 0.9 + 0.1 * np.clip(height / GUM_LINE, 0, 1)
    tone *= np.exp(-((along / (1.2 * ARCH)) ** 2))
    colours = looks.tooth * tone[:, None]
    gum = _over(height + 0.12 * off**2, float(GUM_LINE) + 0.05, 0.05)[:, None]
    colours = colours + (looks.gum - colours) * gum
    there = _over(height, _TOOTH_NOTCH * off**4, 0.04)
    return np.asarray(colours, np.float32), np.asarray(there, np.float32)


def mouth_light(looks: Insides, behind: Float, opening: float) -> Float:
    """Light (N,) so many metres behind the lips (N,), which are `opening` metres apart."""
    deep = np.maximum(behind - 0.004, 0)
    return np.asarray(0.04 + 0.96 * np.exp(-deep / (looks.reach + 0.5 * opening)), np.float32)


def _over(value: Float, edge: float | Float, soft: float) -> Float:
    """0 below an edge, 1 above it, over a width of `soft`."""
    return np.asarray(np.clip((value - edge) / soft + 0.5, 0, 1), np.float32)


def _between(draw: np.random.Generator, low: ArrayLike, high: ArrayLike) -> Float:
    """Linear light (3,) of a random colour between two, sRGB."""
    share = draw.random()
    return linear(np.asarray(low) * (1 - share) + np.asarray(high) * share)
