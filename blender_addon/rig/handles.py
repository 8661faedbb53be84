# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bones look like: rings around crown and neck that leave the face free."""

from __future__ import annotations

import bpy
import numpy as np

from ..core.channels import BONE, NECK

_POINTS = 48
_CROWN, _NECK = 0.6, 1.12
"""Radius of a ring over that of what it goes around."""
_OVER_CROWN = 0.015
"""Metres of the head's ring over the top of the head."""
_BAND = 0.02
"""Metres of height over which a part's width is measured."""
_THICKNESS = 2.0
"""Pixels of a ring's line."""


def add_handles(rig: bpy.types.Object, points: np.ndarray) -> None:
    """Give both bones a ring as their shape.

    Args:
        rig: the armature, with head and neck bones that stand upright.
        points: (V, 3) of the head mesh in the armature's space, metres.
    """
    top, bottom = points[:, 2].max(), points[:, 2].min()
    width = np.ptp(points[points[:, 2] > (top + bottom) / 2], axis=0)[:2].max()
    crown = np.array([0.0, _middle(points)[1], top + _OVER_CROWN])
    _give_ring(rig, BONE, crown, width / 2 * _CROWN)
    neck = points[points[:, 2] < bottom + _BAND]
    at = np.array([*_middle(neck)[:2], bottom])
    _give_ring(rig, NECK, at, np.ptp(neck, axis=0)[:2].max() / 2 * _NECK)


def _middle(points: np.ndarray) -> np.ndarray:
    return (points.max(axis=0) + points.min(axis=0)) / 2


def _give_ring(rig: bpy.types.Object, bone: str, middle: np.ndarray, radius: float) -> None:
    """A horizontal ring as a bone's shape; only its bone refers to it, so no scene shows it."""
    turn = np.linspace(0, 2 * np.pi, _POINTS, endpoint=False)
    ring = middle + radius * np.column_stack([np.cos(turn), np.sin(turn), np.zeros(_POINTS)])
    to_bone = np.array(rig.data.bones[bone].matrix_local.inverted())
    local = ring @ to_bone[:3, :3].T + to_bone[:3, 3]
    mesh = bpy.data.meshes.new(f"{rig.name} {bone} ring")
    mesh.from_pydata(local.tolist(), [(i, (i + 1) % _POINTS) for i in range(_POINTS)], [])
    pose_bone = rig.pose.bones[bone]
    pose_bone.custom_shape = bpy.data.objects.new(mesh.name, mesh)
    pose_bone.use_custom_shape_bone_size = False  # metres
    pose_bone.custom_shape_wire_width = _THICKNESS
