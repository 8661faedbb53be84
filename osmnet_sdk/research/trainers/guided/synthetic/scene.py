"""Light on made-up heads and what is behind them; colours are linear light, 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.research.trainers.guided.synthetic.skin import linear, noise

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Light:
    """Light of a scene.

    Attributes:
        direction: (3,) unit vector towards the lamp, in the camera's axes.
        lamp: (3,) its strength.
        around: (3,) strength of the light from all sides.
        gloss: strength of the skin's shine.
    """

    direction: Float
    lamp: Float
    around: Float
    gloss: float

    def level(self, normals: Float) -> Float:
        """Light (N, 3) on surfaces that face a way (N, 3)."""
        facing = np.clip(normals @ self.direction * 0.8 + 0.2, 0, 1)[:, None]
        return np.asarray(facing * self.lamp + (0.75 + 0.25 * normals[:, 1:2]) * self.around)

    def shine(self, normals: Float, sharpness: float) -> Float:
        """How far surfaces (N, 3) mirror the lamp, 0 to 1."""
        half = self.direction + np.array([0, 0, 1], np.float32)
        mirrored = np.clip(normals @ (half / np.linalg.norm(half)), 0, 1)
        return np.asarray(mirrored**sharpness, np.float32)


def random_light(draw: np.random.Generator) -> Light:
    """A lamp somewhere in front, and light from all sides."""
    direction = np.array([draw.normal() * 0.6, draw.normal() * 0.35 + 0.35, 1.0])
    around = draw.uniform(0.3, 0.7)
    tint = np.exp(draw.normal(size=(2, 3)) * 0.05)
    lamp = draw.uniform(0.85, 1.15) - around
    return Light(
        direction=(direction / np.linalg.norm(direction)).astype(np.float32),
        lamp=(lamp * tint[0]).astype(np.float32),
        around=(around * tint[1]).astype(np.float32),
        gloss=draw.uniform(0.0, 0.12),
    )


def random_background(draw: np.random.Generator, size: int) -> Float:
    """Linear light (size, size, 3): a gradient with blurred shapes."""
    corners = linear(draw.uniform(20, 235, (2, 2, 1)) + draw.normal(size=(2, 2, 3)) * 15)
    picture = cv2.resize(corners, (size, size), interpolation=cv2.INTER_LINEAR)
    for cells, strength in ((4, 0.25), (12, 0.15), (60, 0.04)):
        bumps = noise(draw, (size, size), cells) * strength * draw.random()
        picture = picture * np.exp(bumps)[..., None]
    for _ in range(draw.integers(0, 5)):
        low = draw.integers(0, size, 2)
        high = low + draw.integers(size // 8, size, 2)
        mask = np.zeros((size, size), np.float32)
        cv2.rectangle(mask, low.tolist(), high.tolist(), 1.0, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), draw.uniform(1, 12))[..., None]
        picture = picture + (linear(draw.uniform(20, 235, 3)) - picture) * mask * draw.random()
    return np.asarray(picture, np.float32)
