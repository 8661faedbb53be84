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

from . import actions, compat, nla
from .core import retarget
from .core.conventions import ARKIT_NAMES
from .core.errors import AddonError
from .core.head import to_blender

_GROUP = "Head"


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
    turned = retarget.in_armature(retarget.rotation_matrices(rotation))
    moved = to_blender(translation)
    if bone:
        owner = target.pose.bones.get(bone) if target.pose is not None else None
        if owner is None:
            raise AddonError(f"'{target.name}' has no bone '{bone}'; choose another.")
        rest = np.array(owner.bone.matrix_local.to_3x3())
        turned, moved = retarget.in_bone(turned, rest), moved @ rest
        prefix = f'pose.bones["{bpy.utils.escape_identifier(bone)}"].'
    else:
        owner, prefix = target, ""
        basis = target.matrix_basis
        own = np.array(basis.to_quaternion().to_matrix())
        turned, moved = own @ turned, np.array(basis.translation) + moved @ own.T
    action = _new_action(name, "OBJECT", provenance)
    path, values = _rotation_curves(owner.rotation_mode, turned)
    for index in range(values.shape[1]):
        _add_curve(action, prefix + path, index, _GROUP, frames, values[:, index])
    for index in range(3):
        _add_curve(action, f"{prefix}location", index, _GROUP, frames, moved[:, index])
    _assign(target, action)
    return action


def _rotation_curves(mode: str, matrices: np.ndarray) -> tuple[str, np.ndarray]:
    """Data path and values (T, 3 or 4) of rotations in a rotation mode of Blender's."""
    if mode == "QUATERNION":
        return "rotation_quaternion", retarget.quaternions(matrices)
    if mode == "AXIS_ANGLE":
        return "rotation_axis_angle", retarget.axis_angle(matrices)
    return "rotation_euler", retarget.euler(matrices, mode)


def apply_expression(
    mesh: bpy.types.Object,
    table: Mapping[str, str],
    frames: np.ndarray,
    coefficients: np.ndarray,
    name: str,
    provenance: Mapping[str, Any],
) -> bpy.types.Action:
    """Key coefficients on the shape keys of a mesh, in a new action.

    Args:
        mesh: a mesh object with shape keys.
        table: shape key for an ARKit name.
        frames: (T,) scene frames of the keys.
        coefficients: (T, 52) in [0, 1].
        name: of the action.
        provenance: what made the performance.

    Raises:
        AddonError: if no shape key of the table is there, or drivers own them.
    """
    keys = mesh.data.shape_keys if mesh.type == "MESH" else None
    if keys is None:
        raise AddonError(f"'{mesh.name}' has no shape keys; choose another mesh.")
    drivers = keys.animation_data.drivers if keys.animation_data is not None else ()
    driven = {curve.data_path for curve in drivers}
    found = {}
    for blendshape, shape_key in table.items():
        path = f'key_blocks["{bpy.utils.escape_identifier(shape_key)}"].value'
        if shape_key in keys.key_blocks and path not in driven:
            found[ARKIT_NAMES.index(blendshape)] = path
    if not found:
        raise AddonError(
            f"No shape key of '{mesh.name}' fits the mapping, or drivers move them all; check "
            "the mapping table."
        )
    action = _new_action(name, "KEY", provenance)
    for column, path in found.items():
        _add_curve(action, path, 0, "", frames, coefficients[:, column])
    _assign(keys, action)
    return action


def _new_action(name: str, id_type: str, provenance: Mapping[str, Any]) -> bpy.types.Action:
    action = compat.new_action(name, id_type)
    action[actions.KEY] = {"applied": True, "provenance": json.dumps(dict(provenance))}
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
    compat.assign_action(animation, action)
