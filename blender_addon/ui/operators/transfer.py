# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying a performance to another rig, and the mapping table of its shape keys."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import StringProperty

from ...compat import PATH_OPTIONS
from ...core.channels import performance_values
from ...core.conventions import ARKIT_NAMES
from ...core.errors import AddonError
from ...core.mapping import load_mapping, match, save_mapping
from ...rig import transfer
from ...rig.head import need_rig
from ...takes import actions, evaluation, nla
from .base import (
    EditOperator,
    FileWindow,
    a_take,
    existing_file,
    no_job,
    no_missing_field,
    output_file,
)


class ApplyToRig(EditOperator, bpy.types.Operator):
    """Put what plays now onto another rig: a bone or object, and a mesh with shape keys."""

    bl_idname = "osmnet.apply_to_rig"
    bl_label = "Apply to Rig"
    needs = (no_job, a_take, no_missing_field)

    target: StringProperty(  # type: ignore[valid-type]
        name="Target", description="Object that takes the head motion; empty takes the panel's"
    )
    bone: StringProperty(  # type: ignore[valid-type]
        name="Bone", description="Bone of the target; empty takes the panel's, or the object"
    )
    mesh: StringProperty(  # type: ignore[valid-type]
        name="Mesh", description="Mesh that takes the expression; empty takes the panel's"
    )
    mapping: StringProperty(  # type: ignore[valid-type]
        name="Mapping",
        description="Mapping table (.json); empty takes the panel's, else names are matched",
        subtype="FILE_PATH",
        options=PATH_OPTIONS,
    )

    def edit(self, context: bpy.types.Context) -> str:
        """Read the rig, then key the target."""
        rig, settings = need_rig(context), context.scene.osmnet
        target = _object(self.target) or settings.target
        mesh = _object(self.mesh) or settings.target_mesh
        if target is None and mesh is None:
            raise AddonError("Choose a target for the head motion, or a mesh with shape keys.")
        if rig in (target, mesh) or rig.osmnet.head == mesh:
            raise AddonError("The head rig has its takes already; choose another target.")
        bone = self.bone or (settings.target_bone if target == settings.target else "")
        table = self._table(mesh, settings) if mesh is not None else {}
        # look before anything is changed
        if mesh is not None:
            transfer.expression_paths(mesh, table)
        if target is not None:
            transfer.find_bone(target, bone)
        take = nla.playing_takes(rig)[0]
        frames = actions.timing_of(take.action).frames
        rotation, translation, coefficients = performance_values(evaluation.read(rig, frames))
        made, done = actions.provenance_of(take.action), []
        if mesh is not None:
            name = f"{take.name} expression"
            transfer.apply_expression(mesh, table, frames, coefficients, name, made)
            done.append(mesh.name)
        if target is not None:
            name = f"{take.name} head"
            transfer.apply_motion(target, bone, frames, rotation, translation, name, made)
            done.append(bone or target.name)
        return f"Applied to {' and '.join(done)}."

    def _table(self, mesh: bpy.types.Object, settings: bpy.types.PropertyGroup) -> dict[str, str]:
        if self.mapping:
            loaded = load_mapping(existing_file(self.mapping, "a mapping table"))
            return {name: key for name, key in loaded.items() if key}
        rows = {row.blendshape: row.shape_key for row in settings.mapping if row.shape_key}
        return rows or match(_key_names(mesh))


def _object(name: str) -> bpy.types.Object | None:
    if not name:
        return None
    found = bpy.data.objects.get(name)
    if found is None:
        raise AddonError(f"There is no object '{name}'; choose another.")
    return found


def _key_names(mesh: bpy.types.Object) -> list[str]:
    keys = mesh.data.shape_keys if mesh.type == "MESH" else None
    if keys is None:
        raise AddonError(f"'{mesh.name}' has no shape keys; choose another mesh.")
    return [block.name for block in keys.key_blocks[1:]]


def _fill_rows(settings: bpy.types.PropertyGroup, table: dict[str, str]) -> None:
    settings.mapping.clear()
    for blendshape in ARKIT_NAMES:
        row = settings.mapping.add()
        row.blendshape, row.shape_key = blendshape, table.get(blendshape) or ""


_NO_MESH = "Choose a mesh with shape keys first."
_NO_MAPPING = "The mapping table is empty; press Match by Name first."


def _a_mesh(context: bpy.types.Context) -> str:
    return "" if context.scene.osmnet.target_mesh is not None else _NO_MESH


def _a_mapping(context: bpy.types.Context) -> str:
    return "" if len(context.scene.osmnet.mapping) else _NO_MAPPING


class MatchShapeKeys(EditOperator, bpy.types.Operator):
    """Fill the mapping table by the names of the mesh's shape keys."""

    bl_idname = "osmnet.match_shape_keys"
    bl_label = "Match by Name"
    needs = (no_job, _a_mesh)

    def edit(self, context: bpy.types.Context) -> str:
        """Match and show the table."""
        settings = context.scene.osmnet
        if settings.target_mesh is None:
            raise AddonError(_NO_MESH)
        table = match(_key_names(settings.target_mesh))
        _fill_rows(settings, table)
        return f"{len(table)} of {len(ARKIT_NAMES)} blendshapes matched."


class _MappingFile(FileWindow, EditOperator):
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})  # type: ignore[valid-type]


class SaveMapping(_MappingFile, bpy.types.Operator):
    """Save the mapping table, to be used with other scenes."""

    bl_idname = "osmnet.save_mapping"
    bl_label = "Save Mapping"
    needs = (no_job, _a_mapping)
    bl_options = {"REGISTER"}

    def edit(self, context: bpy.types.Context) -> str:
        """Write it."""
        path: Path = output_file(self.filepath, ".json")
        rows = context.scene.osmnet.mapping
        if not rows:
            raise AddonError(_NO_MAPPING)
        save_mapping(path, {row.blendshape: row.shape_key or None for row in rows})
        return f"Mapping saved as '{path.name}'."


class LoadMapping(_MappingFile, bpy.types.Operator):
    """Load a mapping table."""

    bl_idname = "osmnet.load_mapping"
    bl_label = "Load Mapping"

    def edit(self, context: bpy.types.Context) -> str:
        """Read it."""
        path = existing_file(self.filepath, "a mapping table")
        table = load_mapping(path)
        _fill_rows(context.scene.osmnet, {name: key or "" for name, key in table.items()})
        return f"Mapping '{path.name}' loaded."


CLASSES = (ApplyToRig, MatchShapeKeys, SaveMapping, LoadMapping)
