"""The surface of made-up heads: skin, lips, brows, lashes, stubble and hair, drawn at random.

Surfaces are pictures of the head unrolled around its vertical axis (`synthetic_mesh.unrolled`).
Colours are linear light, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.rendering.warp.geometry import smoothstep
from osmnet_sdk.research.trainers.guided.synthetic.mesh import unrolled

Float = NDArray[np.float32]

WIDTH, HEIGHT = 1024, 512
"""Of a surface, pixels."""
_BOTTOM, _TOP = -0.11, 0.165
"""Heights in metres that a surface covers."""
_SKINS = (
    (243, 210, 192), (234, 192, 168), (222, 172, 142), (199, 148, 116), (168, 116, 84),
    (130, 86, 60), (94, 62, 45), (66, 46, 36),
)  # fmt: skip
"""Colours of human skin from fair to dark, sRGB in good light."""
_HAIRS = (
    (22, 18, 16), (38, 27, 20), (62, 42, 28), (92, 62, 38), (140, 102, 62), (186, 152, 104),
    (122, 58, 30), (110, 106, 102), (190, 188, 184),
)  # fmt: skip
"""Colours of human hair, sRGB."""
_HAIRLINE = (
    (0.0, 0.096), (0.5, 0.094), (0.8, 0.080), (0.98, 0.050), (1.12, 0.020), (1.26, 0.014),
    (1.38, 0.064), (1.9, 0.066), (2.1, 0.000), (2.4, -0.040), (3.2, -0.050),
)  # fmt: skip
"""Height of the hair's lower edge by the angle around the head."""
_LOWER_LID = 9
"""Landmarks of an eye's loop, from its start, along the lower lid from corner to corner."""
_CHEEKS = 50, 280
_BEARD = (
    172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 410, 326, 2, 97, 186,
)  # fmt: skip
"""Loop along the jaw, and back below the nose."""


def linear(colour: ArrayLike) -> Float:
    """sRGB, 0 to 255, as linear light, 0 to 1."""
    return np.asarray((np.clip(colour, 0, 255) / 255) ** 2.2, np.float32)


def noise(draw: np.random.Generator, shape: tuple[int, int], cells: float) -> Float:
    """Smooth noise (h, w) of unit deviation, with about so many bumps across."""
    rows = max(2, round(cells * shape[0] / shape[1]) + 1)
    grid = draw.normal(size=(rows, max(2, round(cells) + 1))).astype(np.float32)
    large = cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray((large - large.mean()) / max(float(large.std()), 1e-6), np.float32)


@dataclass(frozen=True)
class Colours:
    """Colours (3,) of a made-up person, linear light.

    Attributes:
        skin: of the cheeks.
        lips: of the lips.
        hair: on the head.
        brows: of brows, lashes and stubble.
    """

    skin: Float
    lips: Float
    hair: Float
    brows: Float


def random_colours(draw: np.random.Generator) -> Colours:
    """Colours from the whole range of human skin and hair."""
    place = draw.uniform(0, len(_SKINS) - 1)
    table = linear(_SKINS)
    skin = np.array([np.interp(place, range(len(table)), table[:, c]) for c in range(3)])
    skin *= np.exp(draw.normal(size=3) * 0.04)
    flush = np.array([0.86, 0.6, 0.6]) * np.exp(draw.normal(size=3) * 0.1)
    lips = skin * flush
    if draw.random() < 0.2:  # lipstick
        red = linear(draw.uniform((120, 20, 40), (200, 90, 110)))
        lips += (red - lips) * draw.uniform(0.4, 0.9)
    darkest = 4 if place > 3.5 else len(_HAIRS)  # who has dark skin seldom has fair hair
    hair = linear(_HAIRS[draw.integers(darkest)]) * np.exp(draw.normal() * 0.2)
    brows = np.minimum(hair * draw.uniform(0.5, 1.0), skin * 0.35)
    return Colours(*(np.asarray(c, np.float32) for c in (skin, lips, hair, brows)))


def positions(points: NDArray[np.floating]) -> Float:
    """Where a surface shows points (N, 3) of the average head: (N, 2) x and y in its pixels."""
    angle, height = unrolled(points).T
    return np.stack(
        [(angle / (2 * np.pi) + 0.5) * WIDTH, (_TOP - height) / (_TOP - _BOTTOM) * HEIGHT], axis=1
    ).astype(np.float32)


def hair_share(points: NDArray[np.floating], line: float) -> Float:
    """(N,) how much hair grows at points of the average head, soft at its edge, 0 to 1.

    Args:
        points: (N, 3).
        line: metres by which the hairline lies above the usual one.
    """
    angle, height = unrolled(points).T
    return _above_line(np.abs(angle), height, line)


def _above_line(angle: Float, height: Float, line: float) -> Float:
    edge = np.interp(angle, *np.array(_HAIRLINE).T)
    front = np.clip(1.6 - angle, 0, 1)
    return smoothstep((height - edge - line * front) / 0.012 + 0.5).astype(np.float32)


class _Sheet:
    """A surface in the making."""

    def __init__(self, model: FaceModel, draw: np.random.Generator) -> None:
        self.draw = draw
        self.places = positions(model.landmark_mean)
        self.shape = (HEIGHT, WIDTH)
        self.picture = np.zeros((*self.shape, 3), np.float32)

    def noise(self, cells: float, strength: float) -> Float:
        """Smooth noise of a deviation, with about so many bumps around the head."""
        return np.float32(strength) * noise(self.draw, self.shape, cells)

    def area(self, loop: Sequence[int], soft: float) -> Float:
        """1 within a loop of landmarks, with a soft edge of so many pixels."""
        mask = np.zeros(self.shape, np.float32)
        cv2.fillPoly(mask, [np.round(self.places[list(loop)]).astype(np.int32)], 1.0)
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), soft), np.float32)

    def line(self, points: Sequence[int], width: int, soft: float) -> Float:
        """1 along landmarks, so many pixels wide, with a soft edge."""
        mask = np.zeros(self.shape, np.float32)
        cv2.polylines(mask, [np.round(self.places[list(points)]).astype(np.int32)], False, 1.0,
                      width, cv2.LINE_AA)  # fmt: skip
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), soft), np.float32)

    def spot(self, landmark: int, radius: float) -> Float:
        """1 at a landmark, falling off over so many pixels."""
        x, y = self.places[landmark]
        rows, columns = np.mgrid[: self.shape[0], : self.shape[1]].astype(np.float32)
        away = (rows - y) ** 2 + (columns - x) ** 2
        return np.asarray(np.exp(-away / (2 * radius**2)), np.float32)

    def lay(self, colour: NDArray[np.floating], share: NDArray[np.floating]) -> None:
        """Cover the picture with a colour, (3,) or a picture, by a share (h, w)."""
        self.picture += (colour - self.picture) * np.clip(share, 0, 1)[..., None]


def random_surface(
    model: FaceModel, draw: np.random.Generator, colours: Colours, line: float, hair: float
) -> Float:
    """A head's surface (HEIGHT, WIDTH, 3).

    Args:
        model: the morphable model.
        draw: decides.
        colours: of the person.
        line: metres by which the hairline lies above the usual one.
        hair: how far it covers the skin, 0 to 1.
    """
    sheet = _Sheet(model, draw)
    _skin(sheet, colours)
    grain = draw.normal(size=sheet.shape).astype(np.float32)
    beard = sheet.area(_BEARD, 9) * (0.6 + 0.4 * grain) * draw.random() ** 2
    sheet.lay(colours.brows, beard)
    tone = 1 + 0.25 * cv2.GaussianBlur(grain, (0, 0), sigmaX=1.0, sigmaY=4.0)[..., None]
    sheet.lay(colours.lips * tone, sheet.area(sets.LIPS_OUTER, draw.uniform(1.0, 2.5)))
    sheet.lay(colours.lips * 0.55, 0.6 * sheet.area(sets.LIPS_INNER, 1.5))
    _brows_and_lashes(sheet, colours)
    _hair(sheet, colours, line, hair)
    return sheet.picture


def _skin(sheet: _Sheet, colours: Colours) -> None:
    """Light and dark, red and freckles; fair skin shows more of the two last."""
    draw = sheet.draw
    fair = float(np.clip(colours.skin[0] / 0.8, 0.2, 1))
    level = sheet.noise(24, 0.03) + sheet.noise(90, 0.03)
    level += sheet.noise(300, draw.uniform(0.01, 0.05))
    freckles = sheet.noise(260, 1.0) + sheet.noise(20, 0.5) - np.float32(draw.uniform(1.6, 4))
    level -= np.float32(0.35 * fair * (draw.random() < 0.4)) * np.clip(freckles, 0, 1)
    around_eyes = sheet.area(sets.LEFT_EYE, 9) + sheet.area(sets.RIGHT_EYE, 9)
    level -= np.float32(draw.uniform(0.05, 0.25)) * around_eyes
    red = sheet.spot(_CHEEKS[0], 32) + sheet.spot(_CHEEKS[1], 32)
    red += np.float32(0.7) * sheet.spot(sets.NOSE_TIP, 22)
    red = red * np.float32(draw.uniform(0.0, 0.22) * fair) + sheet.noise(30, 0.025)
    sheet.picture[:] = colours.skin * np.exp(level)[..., None]
    sheet.picture *= np.exp(red[..., None] * np.array([0.1, -1.0, -0.8], np.float32))
    for x, y in draw.uniform((330, 150), (700, 480), (draw.poisson(2), 2)):  # moles
        mask = np.zeros(sheet.shape, np.float32)
        cv2.circle(mask, (int(x), int(y)), 2, 1.0, -1, cv2.LINE_AA)
        sheet.lay(colours.skin * np.float32(0.35), mask * draw.uniform(0.4, 1))


def _brows_and_lashes(sheet: _Sheet, colours: Colours) -> None:
    draw = sheet.draw
    hairs = draw.normal(size=sheet.shape).astype(np.float32)
    hairs = cv2.GaussianBlur(hairs, (0, 0), sigmaX=2.5, sigmaY=0.7)
    strokes = np.clip(0.8 + 0.4 * hairs / hairs.std(), 0.2, 1)
    strength = draw.uniform(0.6, 1.1)
    for brow in (sets.LEFT_BROW, sets.RIGHT_BROW):
        sheet.lay(colours.brows, strength * strokes * sheet.area(brow, 2.5))
    lash = np.minimum(colours.brows, np.float32(0.03))
    dark = draw.uniform(0.5, 1.0)
    for eye in (sets.LEFT_EYE, sets.RIGHT_EYE):
        lower, upper = eye[:_LOWER_LID], (*eye[_LOWER_LID - 1 :], eye[0])
        sheet.lay(lash, dark * sheet.line(upper, 3, 0.8))
        sheet.lay(colours.lips * 0.6, 0.5 * sheet.line(lower, 3, 1.0))
        sheet.lay(lash, 0.35 * dark * sheet.line(lower, 1, 0.8))


def _hair(sheet: _Sheet, colours: Colours, line: float, amount: float) -> None:
    draw = sheet.draw
    columns = np.abs(np.linspace(-np.pi, np.pi, WIDTH, endpoint=False, dtype=np.float32))
    rows = np.linspace(_TOP, _BOTTOM, HEIGHT, endpoint=False, dtype=np.float32)
    ragged = sheet.noise(50, 0.003) + sheet.noise(400, 0.003)
    share = _above_line(
        np.broadcast_to(columns, sheet.shape), rows[:, None] + ragged, line
    )  # fmt: skip
    strands = draw.normal(size=sheet.shape).astype(np.float32)
    strands = cv2.GaussianBlur(strands, (0, 0), sigmaX=0.8, sigmaY=draw.uniform(2, 12))
    shine = 1 + 0.25 * strands / strands.std() + sheet.noise(30, 0.12)
    sheet.lay(colours.hair * np.clip(shine, 0.3, 2)[..., None], amount * share)
