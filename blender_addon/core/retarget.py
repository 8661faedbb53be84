# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations of a head for other rigs: axes, bones, Blender's rotation modes.

Matrices are (T, 3, 3) float64 rotations that act on column vectors, one for each frame. What
has several spellings (Euler angles, quaternions, axis and angle) is chosen to be continuous over
time, or interpolation between keys would spin the head.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

HEAD_TO_BLENDER: FloatArray = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""(3, 3): head axes (X left, Y up, Z out of the face) to Blender's (X left, −Y out, Z up)."""

EULER_ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
"""Blender's Euler modes, named by what is applied first."""

_GIMBAL = 1e-6
"""Cosine of the middle angle below which the outer two turn about the same axis."""


def _about(axis: int, angle: FloatArray) -> FloatArray:
    """(…, 3, 3) rotations about axis 0, 1 or 2 by (…,) radians."""
    result = np.zeros((*np.shape(angle), 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    result[..., axis, axis] = 1.0
    result[..., i, i] = result[..., j, j] = np.cos(angle)
    result[..., j, i] = np.sin(angle)
    result[..., i, j] = -result[..., j, i]
    return result


def rotation_matrices(rotation_deg: ArrayLike) -> FloatArray:
    """(T, 3, 3) rotations R_y(yaw) · R_x(pitch) · R_z(roll) of (T, 3) degrees pitch, yaw, roll."""
    radians = np.radians(np.asarray(rotation_deg, np.float64))
    pitch, yaw, roll = radians[..., 0], radians[..., 1], radians[..., 2]
    return _about(1, yaw) @ _about(0, pitch) @ _about(2, roll)


def angles(matrices: ArrayLike) -> FloatArray:
    """(T, 3) degrees pitch, yaw, roll of (T, 3, 3) rotations, continuous over time."""
    return np.degrees(euler(matrices, "ZXY"))


def in_armature(matrices: ArrayLike) -> FloatArray:
    """The same (T, 3, 3) rotations with Blender's axes for head axes: A · R · Aᵀ."""
    result: FloatArray = HEAD_TO_BLENDER @ np.asarray(matrices, np.float64) @ HEAD_TO_BLENDER.T
    return result


def in_bone(matrices: ArrayLike, bone_rest: ArrayLike) -> FloatArray:
    """The same (T, 3, 3) rotations in the axes of a bone at rest, (3, 3): B⁻¹ · D · B."""
    rest = np.asarray(bone_rest, np.float64)
    result: FloatArray = np.linalg.inv(rest) @ np.asarray(matrices, np.float64) @ rest
    return result


_Angles = tuple[float, float, float]


def _near(candidate: _Angles, before: _Angles) -> _Angles:
    """The same angles, each within half a turn of the one before."""
    a, b, c = (
        value + math.tau * round((target - value) / math.tau)
        for value, target in zip(candidate, before, strict=True)
    )
    return a, b, c


def _distance(one: _Angles, other: _Angles) -> float:
    return sum(abs(x - y) for x, y in zip(one, other, strict=True))


def euler(matrices: ArrayLike, order: str) -> FloatArray:
    """(T, 3) radians about X, Y and Z, each frame's choice closest to the frame before.

    Args:
        matrices: (T, 3, 3) rotations.
        order: one of `EULER_ORDERS`.

    Raises:
        ValueError: if the order is none of Blender's.
    """
    if order not in EULER_ORDERS:
        raise ValueError(f"'{order}' is not one of Blender's Euler orders.")
    m = np.asarray(matrices, np.float64)
    i, j, k = ("XYZ".index(axis) for axis in order)  # R = R_k · R_j · R_i
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    cosine = np.hypot(m[:, i, i], m[:, j, i])
    middle = np.arctan2(-sign * m[:, k, i], cosine)
    first = np.arctan2(sign * m[:, k, j], m[:, k, k])
    last = np.arctan2(sign * m[:, j, i], m[:, i, i])

    result = np.empty((len(m), 3))
    before = (0.0, 0.0, 0.0)
    for t in range(len(m)):
        if cosine[t] < _GIMBAL:
            # Only the sum or difference of the outer angles is known: the first one stays.
            rest = m[t] @ _about(i, np.array(before[0])).T
            a, b = before[0], float(middle[t])
            c = math.atan2(-sign * rest[i, j], rest[j, j])
            candidates = [(a, b, c)]
        else:
            a, b, c = float(first[t]), float(middle[t]), float(last[t])
            candidates = [(a, b, c), (a + math.pi, math.pi - b, c + math.pi)]
        before = min(
            (_near(one, before) for one in candidates), key=lambda one: _distance(one, before)
        )
        result[t, i], result[t, j], result[t, k] = before
    return result


def quaternions(matrices: ArrayLike) -> FloatArray:
    """(T, 4) unit quaternions w, x, y, z of (T, 3, 3) rotations; no sign jumps between frames."""
    m = np.asarray(matrices, np.float64)
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    x, y, z = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    xy, xz, yz = m[:, 0, 1] + m[:, 1, 0], m[:, 0, 2] + m[:, 2, 0], m[:, 1, 2] + m[:, 2, 1]
    # Each row is the quaternion times four times one of its parts; the largest is well conditioned.
    scaled = np.stack(
        [
            np.stack([1 + xx + yy + zz, x, y, z]),
            np.stack([x, 1 + xx - yy - zz, xy, xz]),
            np.stack([y, xy, 1 - xx + yy - zz, yz]),
            np.stack([z, xz, yz, 1 - xx - yy + zz]),
        ]
    )
    best = np.argmax(scaled[np.arange(4), np.arange(4)], axis=0)
    result = scaled[best, :, np.arange(len(m))]
    result /= np.linalg.norm(result, axis=1, keepdims=True)
    if len(result) and result[0, 0] < 0:
        result[0] *= -1
    return _without_flips(result)


def axis_angle(matrices: ArrayLike) -> FloatArray:
    """(T, 4) angle in radians and unit axis x, y, z of (T, 3, 3) rotations, as Blender orders them.

    The axis does not flip between frames, and the angle goes on beyond half a turn. A frame
    without rotation keeps the axis of its neighbour.
    """
    quaternion = quaternions(matrices)
    sine = np.linalg.norm(quaternion[:, 1:], axis=1)
    turned = np.flatnonzero(sine > 1e-9)
    if not len(turned):
        return np.tile([0.0, 0.0, 1.0, 0.0], (len(quaternion), 1))
    axes = _without_flips(quaternion[turned, 1:] / sine[turned, None])
    place = np.searchsorted(turned, np.arange(len(quaternion)), side="right") - 1
    axis = axes[np.maximum(place, 0)]
    along = np.einsum("ti,ti->t", quaternion[:, 1:], axis)
    angle = np.unwrap(2.0 * np.arctan2(along, quaternion[:, 0]))
    return np.column_stack([angle, axis])


def _without_flips(vectors: FloatArray) -> FloatArray:
    """Vectors (T, n) that mean the same with either sign, each on the side of the one before."""
    products = np.einsum("ti,ti->t", vectors[1:], vectors[:-1])
    signs = np.cumprod(np.where(products < 0, -1.0, 1.0))
    result = vectors.copy()
    result[1:] *= signs[:, None]
    return result
