# SPDX-License-Identifier: GPL-3.0-or-later
"""A performance on another rig: head motion on a bone or object, expression on shape keys.

The target is taken to look along −Y with Z up, as Blender's characters do: a bone in its
armature's axes, an object in its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Quaternion

from .. import compat
from ..core import retarget
from ..core.conventions import ARKIT_NAMES
from ..core.errors import AddonError
from ..core.head import to_blender
from ..takes import actions, nla

_GROUP = "Head"
_REST = "rest"
"""Where an object stood before, noted with an action applied to it."""


def find_bone(target: bpy.types.Object, bone: str) -> bpy.types.PoseBone | None:
    """The bone of a target that is to move; None if the object itself is to.

    Raises:
        AddonError: if the bone is not there, or the object cannot be changed.
    """
    _check_own(target)
    if not bone:
        return None
    owner = target.pose.bones.get(bone) if target.pose is not None else None
    if owner is None:
        raise AddonError(f"'{target.name}' has no bone '{bone}'; choose another.")
    return owner


def apply_motion(
    target: bpy.types.Object,
    bone: str,
    frames: np.ndarray,
    rotation: np.ndarray,
    translation: np.ndarray,
    name: str,
    provenance: Mapping[str, Any],
) -> bpy.types.Action:
    """Key a head motion on a bone, or on the object itself, in a new action.

    Args:
        target: the object.
        bone: name of one of its bones; empty moves the object.
        frames: (T,) scene frames of the keys.
        rotation: (T, 3) degrees, head frame.
        translation: (T, 3) metres, head frame.
        name: of the action.
        provenance: what made the performance.

    Raises:
        AddonError: if the bone is not there.
    """
    pose_bone = find_bone(target, bone)
    turned = retarget.in_armature(retarget.rotation_matrices(rotation))
    moved = to_blender(translation)
    note: dict[str, Any] = {}
    if pose_bone is not None:
        owner, prefix = pose_bone, f'pose.bones["{bpy.utils.escape_identifier(bone)}"].'
        rest = np.array(pose_bone.bone.matrix_local.to_3x3())
        turned = retarget.in_bone(turned, rest)
        local = pose_bone.bone.use_local_location
        axes = pose_bone.bone if local else pose_bone.bone.parent
        if axes is not None:
            moved = moved @ np.array(axes.matrix_local.to_3x3())
    else:
        owner, prefix = target, ""
        rest = _rest_of(target)
        note[_REST] = [list(row) for row in rest]
        own = np.array(rest.to_3x3())
        turned, moved = own @ turned, np.array(rest.translation) + moved @ own.T
    action = _new_action(name, "OBJECT", provenance, note)
    path, values = _rotation_curves(owner.rotation_mode, turned)
    for index in range(values.shape[1]):
        _add_curve(action, prefix + path, index, _GROUP, frames, values[:, index])
    for index in range(3):
        _add_curve(action, f"{prefix}location", index, _GROUP, frames, moved[:, index])
    _assign(target, action)
    return action


def _rest_of(target: bpy.types.Object) -> Matrix:
    """Where an object stands without a performance: now, or before one was applied to it."""
    active = target.animation_data.action if target.animation_data is not None else None
    if actions.is_ours(active) and _REST in active[actions.KEY]:
        return Matrix([list(row) for row in active[actions.KEY][_REST]])
    if target.rotation_mode == "QUATERNION":
        turned = target.rotation_quaternion.normalized()
    elif target.rotation_mode == "AXIS_ANGLE":
        angle, *axis = target.rotation_axis_angle
        turned = Quaternion(axis, angle)
    else:
        turned = target.rotation_euler.to_quaternion()
    return Matrix.LocRotScale(target.location, turned, None)


def _rotation_curves(mode: str, matrices: np.ndarray) -> tuple[str, np.ndarray]:
    """Data path and values (T, 3 or 4) of rotations in a rotation mode of Blender's."""
    if mode == "QUATERNION":
        return "rotation_quaternion", retarget.quaternions(matrices)
    if mode == "AXIS_ANGLE":
        return "rotation_axis_angle", retarget.axis_angle(matrices)
    return "rotation_euler", retarget.euler(matrices, mode)


def expression_paths(mesh: bpy.types.Object, table: Mapping[str, str]) -> dict[str, list[int]]:
    """Which coefficients move which shape keys of a mesh.

    Args:
        mesh: a mesh object with shape keys.
        table: shape key by ARKit name.

    Returns:
        Numbers of ARKit names by the data path of a shape key's value.

    Raises:
        AddonError: if no shape key of the table is there, or drivers own them.
    """
    keys = mesh.data.shape_keys if mesh.type == "MESH" else None
    if keys is None:
        raise AddonError(f"'{mesh.name}' has no shape keys; choose another mesh.")
    _check_own(mesh.data)
    drivers = keys.animation_data.drivers if keys.animation_data is not None else ()
    driven = {curve.data_path for curve in drivers}
    found: dict[str, list[int]] = {}
    for blendshape, shape_key in table.items():
        path = f'key_blocks["{bpy.utils.escape_identifier(shape_key)}"].value'
        if shape_key in keys.key_blocks and path not in driven:
            found.setdefault(path, []).append(ARKIT_NAMES.index(blendshape))
    if not found:
        raise AddonError(
            f"No shape key of '{mesh.name}' fits the mapping, or drivers move them all; check "
            "the mapping table."
        )
    return found


def apply_expression(
    mesh: bpy.types.Object,
    table: Mapping[str, str],
    frames: np.ndarray,
    coefficients: np.ndarray,
    name: str,
    provenance: Mapping[str, Any],
) -> bpy.types.Action:
    """Key coefficients on the shape keys of a mesh, in a new action.

    A shape key that shows several coefficients takes the largest.

    Args:
        mesh: a mesh object with shape keys.
        table: shape key by ARKit name.
        frames: (T,) scene frames of the keys.
        coefficients: (T, 52) in [0, 1].
        name: of the action.
        provenance: what made the performance.

    Raises:
        AddonError: as `expression_paths`.
    """
    found = expression_paths(mesh, table)
    action = _new_action(name, "KEY", provenance, {})
    for path, columns in found.items():
        _add_curve(action, path, 0, "", frames, coefficients[:, columns].max(axis=1))
    _assign(mesh.data.shape_keys, action)
    return action


def _check_own(data: bpy.types.ID) -> None:
    if data.library is not None:
        raise AddonError(f"'{data.name}' is linked from another file; make it local first.")


def _new_action(
    name: str, id_type: str, provenance: Mapping[str, Any], note: dict[str, Any]
) -> bpy.types.Action:
    action = compat.new_action(name, id_type)
    action[actions.KEY] = {"applied": True, "provenance": json.dumps(dict(provenance)), **note}
    return action


def _add_curve(
    action: bpy.types.Action, path: str, index: int, group: str, frames: np.ndarray,
    values: np.ndarray,
) -> None:  # fmt: skip
    actions.fill_curve(compat.new_curve(action, path, index, group), frames, values)


def _assign(owner: Any, action: bpy.types.Action) -> None:
    """Make an action the active one; what was active goes on in the NLA below it."""
    animation = owner.animation_data or owner.animation_data_create()
    nla.set_aside(animation, keep_playing=not actions.is_ours(animation.action))
    nla.make_active(animation, action)
