"""Pose of a head before a pinhole camera, and projection.

The camera stands at the origin and looks along −Z; its axes are right, up and towards the
viewer, so a head with rotation 0 looks straight into it. Lengths in metres, images in pixels
with pixel centres at integers, x to the right and y down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from osmnet_sdk.core.conventions import EULER_ORDER

Array = NDArray[np.float64]


def rotation_matrix(angles: ArrayLike) -> Array:
    """Rotation matrices (…, 3, 3) of angles (…, 3) in degrees: pitch, yaw, roll."""
    degrees = np.asarray(angles, np.float64)
    flat = degrees.reshape(-1, 3)[:, [1, 0, 2]]
    result: Array = Rotation.from_euler(EULER_ORDER, flat, degrees=True).as_matrix()
    return result.reshape(*degrees.shape[:-1], 3, 3)


def euler_angles(matrices: ArrayLike) -> Array:
    """Angles (…, 3) in degrees (pitch, yaw, roll) of rotation matrices (…, 3, 3)."""
    rotation = np.asarray(matrices, np.float64)
    flat = Rotation.from_matrix(rotation.reshape(-1, 3, 3)).as_euler(EULER_ORDER, degrees=True)
    result: Array = flat[:, [1, 0, 2]].reshape(*rotation.shape[:-2], 3)
    return result


@dataclass(frozen=True, eq=False)
class Pose:
    """Where the head is: points of the head frame map to R·point + translation.

    Attributes:
        rotation: (3, 3) float64, head to camera.
        translation: (3,) float64, metres, position of the head joint.
    """

    rotation: Array
    translation: Array

    @property
    def angles(self) -> Array:
        """(3,) degrees: pitch, yaw, roll."""
        return euler_angles(self.rotation)

    def moved(self, rotation: ArrayLike, translation: ArrayLike) -> Pose:
        """This pose as rest, moved by one frame of a motion track.

        R_head = R_rest · R_track about the head joint; the translation moves that joint along
        the rest head's axes.

        Args:
            rotation: (3,) degrees: pitch, yaw, roll relative to this pose.
            translation: (3,) metres in this head's own axes.
        """
        return Pose(
            self.rotation @ rotation_matrix(rotation),
            self.translation + self.rotation @ np.asarray(translation, np.float64),
        )


@dataclass(frozen=True)
class Camera:
    """Pinhole camera.

    Attributes:
        focal: focal length in pixels.
        centre: (x, y) of the optical axis in pixels.
    """

    focal: float
    centre: tuple[float, float]

    @staticmethod
    def of_square(side: float, focal_ratio: float = 4.0) -> Camera:
        """Camera of a square picture, `side` pixels wide.

        A face photo does not tell its focal length; four times the side of a head crop is a
        portrait lens at about 2 m.
        """
        return Camera(focal_ratio * side, ((side - 1) / 2, (side - 1) / 2))

    def scaled(self, factor: float) -> Camera:
        """The camera of the same picture resized by `factor`."""
        x, y = self.centre
        half = 0.5 * (factor - 1)
        return Camera(self.focal * factor, (x * factor + half, y * factor + half))

    def project(self, points: NDArray[np.floating], pose: Pose) -> Array:
        """Project head points (N, 3) to (N, 3): x, y in pixels and depth in metres."""
        # Not a matrix product, whose threads would wait, busily, beside those that draw frames.
        seen = np.einsum("...j,ij->...i", points, pose.rotation) + pose.translation
        depth = -seen[:, 2]
        return np.stack(
            [
                self.centre[0] + self.focal * seen[:, 0] / depth,
                self.centre[1] - self.focal * seen[:, 1] / depth,
                depth,
            ],
            axis=1,
        )
