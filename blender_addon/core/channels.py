# SPDX-License-Identifier: GPL-3.0-or-later
"""The 58 channels of a performance on the rig: 3 rotations, 3 translations, 52 coefficients.

All of them are animated on the armature's head bone: its Euler rotation and its location, and
one custom property for each ARKit coefficient, so that one take is one action with one slot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .conventions import ARKIT_NAMES, AXES

FloatArray = NDArray[np.float64]

BONE = "head"
"""Name of the bone that carries the performance."""

NECK = "neck"
"""Name of the bone below it, which no take animates."""

EULER_MODE = "ZXY"
"""Blender's name of R_y(yaw) · R_x(pitch) · R_z(roll): it names orders by what is applied first."""


@dataclass(frozen=True)
class Channel:
    """One animated value.

    Attributes:
        label: what an animator reads, for example "Yaw" or "jawOpen".
        data_path: of the curve, from the armature object.
        index: in a vector; 0 for a custom property.
        group: of the curve: "Head" or "Expression".
    """

    label: str
    data_path: str
    index: int
    group: str


_POSE_BONE = f'pose.bones["{BONE}"]'

CHANNELS: tuple[Channel, ...] = (
    *(
        Channel(axis.capitalize(), f"{_POSE_BONE}.rotation_euler", index, "Head")
        for index, axis in enumerate(AXES)
    ),
    *(
        Channel(f"Location {axis}", f"{_POSE_BONE}.location", index, "Head")
        for index, axis in enumerate("XYZ")
    ),
    *(Channel(name, f'{_POSE_BONE}["{name}"]', 0, "Expression") for name in ARKIT_NAMES),
)
"""Rotation (radians in curves), location (metres), and coefficients in the order of ARKIT_NAMES."""

COUNT = len(CHANNELS)
"""Number of channels: 58."""

MOTION = slice(0, 6)
"""Columns of rotation and translation."""

EXPRESSION = slice(6, COUNT)
"""Columns of the coefficients."""


def curve_values(
    rotation_deg: ArrayLike, translation: ArrayLike, coefficients: ArrayLike
) -> FloatArray:
    """Values of the curves of a performance.

    Args:
        rotation_deg: (T, 3) degrees: pitch, yaw, roll.
        translation: (T, 3) metres.
        coefficients: (T, 52).

    Returns:
        (T, 58) in curve units: radians, metres, coefficients.
    """
    return np.concatenate(
        [
            np.radians(np.asarray(rotation_deg, np.float64)),
            np.asarray(translation, np.float64),
            np.asarray(coefficients, np.float64),
        ],
        axis=1,
    )


def performance_values(curves: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The performance that curves describe.

    Args:
        curves: (T, 58) in curve units.

    Returns:
        (T, 3) rotation in degrees, (T, 3) translation in metres, (T, 52) coefficients, which are
        clipped to [0, 1], since curves overshoot easily.
    """
    values = np.asarray(curves, np.float64)
    return (
        np.degrees(values[:, 0:3]),
        values[:, 3:6].copy(),
        np.clip(values[:, EXPRESSION], 0.0, 1.0),
    )
