"""The inside of the mouth: teeth, gums, tongue and cavity, painted from the model's own parts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face.landmark_sets import UPPER_LIP
from osmnet_sdk.face.model import PARTS, FaceModel
from osmnet_sdk.render.geometry import HeadGeometry
from osmnet_sdk.render.raster import Coverage, interpolate
from osmnet_sdk.render.textures import Textures

Float = NDArray[np.float32]

# sRGB colours under the light of an average photo, 0 to 255
_TOOTH = np.array([226, 214, 198], np.float32)
_GUM = np.array([168, 92, 96], np.float32)
_CAVITY = np.array([88, 34, 36], np.float32)
_DEEP = np.array([16, 7, 9], np.float32)
_TONGUE = np.array([172, 92, 94], np.float32)
_AVERAGE_SKIN = 165.0
_TOOTH_ANGLE = 0.27
"""Radians of the dental arch that one tooth takes."""


@dataclass(frozen=True, eq=False)
class MouthCoordinates:
    """Where on a tooth each vertex lies.

    Attributes:
        values: (V, 2) float32: angle along the dental arch in radians, height from 0 to 1.
    """

    values: Float


def mouth_coordinates(model: FaceModel) -> MouthCoordinates:
    """Coordinates of the teeth's vertices; 0 elsewhere."""
    values = np.zeros((len(model.mean), 2), np.float32)
    for name in ("upper_teeth", "lower_teeth"):
        vertices = np.unique(model.triangles_of(name))
        x, y, z = model.mean[vertices].T
        values[vertices, 0] = np.arctan2(x, z - z.min() + 0.012)
        values[vertices, 1] = (y - y.min()) / np.ptp(y)
    return MouthCoordinates(values)


def paint_mouth(
    geometry: HeadGeometry,
    textures: Textures,
    coordinates: MouthCoordinates,
    vertices: Float,
    cover: Coverage,
    source: Float,
    pixels: float,
) -> Float:
    """Colours of the mouth's inside where its parts show.

    Args:
        geometry: the source head.
        textures: what the photo gives.
        coordinates: of the teeth.
        vertices: (V, 3) posed head, metres.
        cover: coverage of the part of the frame around the mouth (h, w).
        source: (V, 2) position of each vertex in the textures.
        pixels: size of an output pixel's feature: frame pixels for each pixel of a 256 crop.

    Returns:
        (h, w, 3) float32, 0 to 255; arbitrary beside the mouth.
    """
    model = geometry.model
    lips = model.at_landmarks(vertices)[UPPER_LIP]
    values = np.concatenate([coordinates.values, vertices[:, 2:3], source], axis=1)
    u, v, z, x, y = np.moveaxis(interpolate(cover, model.triangles, values), -1, 0)
    parts = model.parts[np.maximum(cover.triangle, 0)]
    inside = np.isin(parts, [PARTS.index(n) for n in ("upper_teeth", "lower_teeth", "tongue",
                                                      "mouth_cavity")])  # fmt: skip
    inside &= cover.triangle >= 0
    depth = np.clip(lips[2] - z, 0, 0.1)
    colours = _cavity(depth)
    for name, paint in (
        ("tongue", _TONGUE * np.clip(1.1 - depth / 0.055, 0.2, 1)[..., None]),
        ("upper_teeth", _teeth(u, v)),
        ("lower_teeth", _teeth(u, 1 - v) * np.float32(0.85)),
    ):
        here = inside & (parts == PARTS.index(name))
        colours[here] = paint[here]
    # lips shade what lies behind them
    away = cv2.distanceTransform(np.pad(inside.astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    colours *= np.clip(0.42 + away / (6.0 * pixels), 0, 1)[..., None]
    colours = cv2.GaussianBlur(colours, (0, 0), max(0.3, 0.6 * pixels)) * _light(textures)
    shown = cv2.remap(textures.mouth, x, y, cv2.INTER_LINEAR)[..., None] / np.float32(255)
    shown *= inside[..., None]
    real = cv2.remap(textures.photo, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(colours * (1 - shown) + real * shown, np.float32)


def _cavity(depth: Float) -> Float:
    fade = np.exp(-depth / 0.03)[..., None]
    return np.asarray(_DEEP + (_CAVITY - _DEEP) * fade, np.float32)


def _teeth(u: Float, v: Float) -> Float:
    """Tooth and gum colours; `v` is 1 at the gum."""
    between = np.abs(((u / _TOOTH_ANGLE + 0.5) % 1) - 0.5)
    line = (1 - 0.28 * np.exp(-((between / 0.07) ** 2)))[..., None]
    gum = np.clip((v - 0.72) / 0.15, 0, 1)[..., None]
    side = np.clip(1 - np.abs(u) ** 1.5, 0.2, 1)[..., None]
    return np.asarray((_TOOTH * line * (1 - gum) + _GUM * gum) * side, np.float32)


def _light(textures: Textures) -> Float:
    """Brightness and tint of the photo's light, judged by the cheeks."""
    tone = textures.skin_tone
    level = np.clip(tone.mean() / _AVERAGE_SKIN, 0.35, 1.15)
    tint = np.clip((tone / max(tone.mean(), 1.0)) ** 0.35, 0.8, 1.2)
    return np.asarray(level * tint, np.float32)
