# SPDX-License-Identifier: GPL-3.0-or-later
"""The head rig: an armature with neck and head bones, and the head mesh with its shape keys.

The 52 coefficients are custom properties of the head bone and drive the shape keys, so that one
take is one action on one object. The head bone's own axes are the head frame of `conventions`:
X to the subject's left, Y up, Z out of the face; the head looks along Blender's −Y.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..core.channels import BONE, EULER_MODE, NECK
from ..core.coefficients import DESCRIPTIONS
from ..core.conventions import ARKIT_NAMES
from ..core.errors import AddonError
from ..core.head import HeadFile, to_blender
from ..takes.collection import separate_copy
from . import handles, skin

_HEAD_LENGTH = 0.18
_NECK_LENGTH = 0.10
_NECK_FADE = (-0.02, -0.09)
"""Heights over the head joint, in metres, between which the weight goes from head to neck."""
_WEIGHT_STEPS = 32

_MATERIALS = {
    "skin": None,
    "teeth": (0.80, 0.76, 0.68, 1.0),
    "mouth": (0.25, 0.06, 0.06, 1.0),
}
"""Materials of the mesh and their plain colours; None shows the portrait."""
_PARTS = {
    "upper_teeth": "teeth",
    "lower_teeth": "teeth",
    "tongue": "mouth",
    "mouth_cavity": "mouth",
}
"""Material of a part of the face model; other parts are skin."""


def build_rig(
    name: str, head: HeadFile, portrait: bpy.types.Image, collection: bpy.types.Collection
) -> bpy.types.Object:
    """Build armature and head mesh in a collection; return the armature."""
    rig = _build_armature(f"{name} rig", collection)
    mesh = _build_head(f"{name} head", head, portrait)
    collection.objects.link(mesh)
    handles.add_handles(rig, to_blender(head.vertices))
    mesh.parent = rig
    mesh.modifiers.new("Armature", "ARMATURE").object = rig
    _drive_shape_keys(mesh, rig)
    state = rig.osmnet
    state.rig_id = uuid.uuid4().hex
    state.head = mesh
    state.crop, state.photo_size = head.crop, head.photo_size
    state.rest_rotation, state.rest_translation = head.rest_rotation, head.rest_translation
    return rig


def _build_armature(name: str, collection: bpy.types.Collection) -> bpy.types.Object:
    armature = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, armature)
    collection.objects.link(rig)
    with _editing(rig):
        neck = armature.edit_bones.new(NECK)
        neck.head, neck.tail, neck.roll = (0, 0, -_NECK_LENGTH), (0, 0, 0), 0.0
        head = armature.edit_bones.new(BONE)
        head.head, head.tail, head.roll = (0, 0, 0), (0, 0, _HEAD_LENGTH), 0.0
        head.parent = neck
    bone = rig.pose.bones[BONE]
    bone.rotation_mode = EULER_MODE
    bone.lock_scale = (True, True, True)
    for blendshape, text in DESCRIPTIONS.items():
        bone[blendshape] = 0.0
        bone.id_properties_ui(blendshape).update(
            min=0.0, max=1.0, soft_min=0.0, soft_max=1.0, default=0.0, description=text
        )
        bone.property_overridable_library_set(f'["{blendshape}"]', True)
    armature.display_type = "STICK"
    rig.show_in_front = True
    return rig


@contextmanager
def _editing(rig: bpy.types.Object) -> Iterator[None]:
    """Edit mode on one object, with the animator's selection and mode put back after."""
    layer = bpy.context.view_layer
    before, selected = layer.objects.active, list(bpy.context.selected_objects)
    mode = before.mode if before is not None else "OBJECT"
    if mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for item in selected:
        item.select_set(False)
    layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        yield
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        for item in selected:
            item.select_set(True)
        layer.objects.active = before
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)


def _build_head(name: str, head: HeadFile, portrait: bpy.types.Image) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    points = to_blender(head.vertices)
    mesh.from_pydata(points.tolist(), [], head.triangles.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    layer = mesh.uv_layers.new(name="portrait")
    layer.data.foreach_set("uv", head.uv[corners].astype(np.float32).ravel())
    _add_materials(mesh, head, portrait)
    mesh.update()
    obj = bpy.data.objects.new(name, mesh)
    _add_shape_keys(obj, head, points)
    _add_weights(obj, head.vertices[:, 1])
    return obj


def _add_materials(mesh: bpy.types.Mesh, head: HeadFile, portrait: bpy.types.Image) -> None:
    slots = list(_MATERIALS)
    for slot, colour in _MATERIALS.items():
        mesh.materials.append(_material(f"{mesh.name} {slot}", colour, portrait))
    skin.paint(mesh, head, portrait)
    of_part = [slots.index(_PARTS.get(part, "skin")) for part in head.part_names]
    mesh.polygons.foreach_set("material_index", np.array(of_part, np.int32)[head.parts])


def _material(
    name: str, colour: tuple[float, ...] | None, portrait: bpy.types.Image
) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    tree = compat.nodes_of(material)
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = 0.6
    if colour is not None:
        shader.inputs["Base Color"].default_value = colour
        material.diffuse_color = colour
        return material
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.location = (-320, 300)
    texture.image = portrait
    texture.extension = "EXTEND"
    tree.links.new(skin.mix(tree, texture), shader.inputs["Base Color"])
    return material


def _add_shape_keys(obj: bpy.types.Object, head: HeadFile, points: np.ndarray) -> None:
    obj.shape_key_add(name="Basis", from_mix=False)
    offsets = to_blender(head.shapes)
    for blendshape, offset in zip(head.names, offsets, strict=True):
        key = obj.shape_key_add(name=blendshape, from_mix=False)
        key.data.foreach_set("co", (points + offset).astype(np.float32).ravel())
        key.slider_min, key.slider_max = 0.0, 1.0


def _add_weights(obj: bpy.types.Object, height: np.ndarray) -> None:
    """Head above the joint, neck at the bottom, and a smooth change between."""
    top, bottom = _NECK_FADE
    share = np.clip((height - bottom) / (top - bottom), 0.0, 1.0)
    share = np.round(share * share * (3 - 2 * share) * _WEIGHT_STEPS).astype(int)
    groups = {bone: obj.vertex_groups.new(name=bone) for bone in (BONE, NECK)}
    for step in range(_WEIGHT_STEPS + 1):
        members = np.flatnonzero(share == step).tolist()
        weight = step / _WEIGHT_STEPS
        if members and weight > 0:
            groups[BONE].add(members, weight, "REPLACE")
        if members and weight < 1:
            groups[NECK].add(members, 1 - weight, "REPLACE")


def _drive_shape_keys(mesh: bpy.types.Object, rig: bpy.types.Object) -> None:
    """Let each shape key follow the head bone's property of its name, without any script."""
    for blendshape in ARKIT_NAMES:
        curve = mesh.data.shape_keys.key_blocks[blendshape].driver_add("value")
        driver = curve.driver
        driver.type = "SUM"
        variable = driver.variables.new()
        variable.type = "SINGLE_PROP"
        variable.targets[0].id = rig
        variable.targets[0].data_path = f'pose.bones["{BONE}"]["{blendshape}"]'


def is_rig(obj: Any) -> bool:
    """Whether an object is a head rig of ours that still has its head bone."""
    return (
        obj is not None
        and obj.type == "ARMATURE"
        and bool(obj.osmnet.rig_id)
        and obj.pose is not None
        and BONE in obj.pose.bones
    )


def find_rig(context: bpy.types.Context) -> bpy.types.Object | None:
    """The head rig that the animator means: the active object's, else the scene's only one."""
    obj = context.view_layer.objects.active
    while obj is not None:
        if is_rig(obj):
            return obj
        obj = obj.parent
    rigs = [item for item in context.scene.objects if is_rig(item)]
    return rigs[0] if len(rigs) == 1 else None


def need_rig(context: bpy.types.Context) -> bpy.types.Object:
    """The head rig, as `find_rig`.

    Raises:
        AddonError: if there is none, or it is not clear which, or it is linked.
    """
    rig, hindrance = find_rig(context), why_no_rig(context)
    if rig is None or hindrance:
        raise AddonError(hindrance)
    if _separate_copies(rig.osmnet.rig_id):
        bpy.ops.ed.undo_push(message="OSM-Net: Separate Copies")
    return rig


def why_no_rig(context: bpy.types.Context) -> str:
    """A sentence about why there is no head rig to work on, "" if there is one."""
    rig = find_rig(context)
    if rig is None:
        return "Select a head rig, or make one with Create Head."
    if rig.library is not None or rig.override_library is not None:
        return (
            f"The head rig '{rig.name}' is linked from another file; open that file, or make it "
            "local (Object > Relations > Make Local > All)."
        )
    return ""


def _separate_copies(rig_id: str) -> bool:
    """Blender's copies of a rig have its identifier: give each copy its own, and its own takes.

    Returns:
        Whether there were any.
    """
    rigs = [item for item in bpy.data.objects if is_rig(item) and item.osmnet.rig_id == rig_id]
    rigs = [item for item in rigs if item.library is None and item.override_library is None]
    # the head that a rig knows stays the child of the rig that it was made for
    rigs.sort(key=lambda item: item.osmnet.head is None or item.osmnet.head.parent != item)
    for copy in rigs[1:]:
        copy.osmnet.rig_id = uuid.uuid4().hex
        separate_copy(copy)
    return len(rigs) > 1


def rig_of_id(rig_id: str) -> bpy.types.Object:
    """The rig of an identifier, after events in which it may have been renamed or deleted.

    Raises:
        AddonError: if it is gone.
    """
    for obj in bpy.data.objects:
        if obj.type == "ARMATURE" and obj.osmnet.rig_id == rig_id and is_rig(obj):
            return obj
    raise AddonError("The head rig was deleted meanwhile; nothing was changed.")
