# SPDX-License-Identifier: GPL-3.0-or-later
"""The plane that shows the frames, its camera, and the image sequence on it."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import compat
from ..core.errors import AddonError

HEIGHT = 0.3
"""Height of the plane in metres."""

NODE = "OSM-Net frames"
"""Name of the texture node whose image is the sequence."""

_BESIDE = 0.32
"""Metres from the head to the middle of the plane."""
_CAMERA_DISTANCE = 1.0
_PICTURES = {"MATERIAL", "RENDERED"}
"""Kinds of shading that show the plane's picture."""


def build_plane(
    name: str, rig: bpy.types.Object, size: tuple[int, int], still: bpy.types.Image,
    collection: bpy.types.Collection,
) -> bpy.types.Object:  # fmt: skip
    """A plane beside the head, facing as the head does, with a still picture on it.

    Args:
        name: of the plane.
        rig: the plane moves with it.
        size: (height, width) of the frames in pixels.
        still: picture shown until frames are rendered.
        collection: where the plane goes.
    """
    mesh = bpy.data.meshes.new(name)
    corners = [(-0.5, 0, -0.5), (0.5, 0, -0.5), (0.5, 0, 0.5), (-0.5, 0, 0.5)]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    layer = mesh.uv_layers.new(name="frames")
    layer.data.foreach_set("uv", [0, 0, 1, 0, 1, 1, 0, 1])
    mesh.update()
    plane = bpy.data.objects.new(name, mesh)
    collection.objects.link(plane)
    plane.parent = rig
    plane.location = (_BESIDE, 0.0, 0.03)
    fit_plane(plane, size)
    mesh.materials.append(_material(f"{name} material"))
    texture_of(plane).image = still
    return plane


def fit_plane(plane: bpy.types.Object, size: tuple[int, int]) -> None:
    """Give the plane the aspect of frames of (height, width) pixels."""
    height, width = size
    plane.scale = (HEIGHT * width / height, 1.0, HEIGHT)


def _material(name: str) -> bpy.types.Material:
    """Emission alone, so that a render shows the frames' own colours."""
    material = bpy.data.materials.new(name)
    tree = compat.nodes_of(material)
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    emission = tree.nodes.new("ShaderNodeEmission")
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.name = texture.label = NODE
    texture.extension = "EXTEND"
    texture.interpolation = "Linear"
    emission.location, texture.location = (-200, 0), (-520, 0)
    tree.links.new(texture.outputs["Color"], emission.inputs["Color"])
    tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
    return material


def texture_of(plane: bpy.types.Object | None) -> bpy.types.ShaderNodeTexImage:
    """The node that shows the frames.

    Raises:
        AddonError: if the plane, its material or the node was deleted.
    """
    if plane is not None:
        for slot in plane.material_slots:
            if slot.material is not None and slot.material.node_tree is not None:
                node = slot.material.node_tree.nodes.get(NODE)
                if node is not None:
                    return node
    raise AddonError(f"The plane with the texture node '{NODE}' is gone; create the head again.")


def load_packed(path: Path, name: str) -> bpy.types.Image:
    """Load a picture and keep its bytes in the .blend, so that the file can be passed on alone."""
    image = bpy.data.images.load(str(path))
    image.name = name
    image.pack()
    image.filepath = f"//{name}.png"  # the file it came from is temporary
    return image


def show_sequence(plane: bpy.types.Object, folder: Path, first: int, count: int) -> None:
    """Show numbered frames from scene frame `first` on.

    Args:
        plane: the plane.
        folder: holds frame_000000.png and so on, `count` of them.
        first: scene frame of the first one.
        count: number of frames.
    """
    node = texture_of(plane)
    path = str(folder / "frame_000000.png")
    image = node.image
    if image is None or image.source != "SEQUENCE":
        image = bpy.data.images.load(path)
        image.name = plane.name
        image.source = "SEQUENCE"
        node.image = image
    image.filepath = path
    user = node.image_user
    # Blender counts a sequence from 1; our files from 0
    user.frame_start, user.frame_duration, user.frame_offset = first, count, -1
    user.use_auto_refresh, user.use_cyclic = True, False
    image.reload()
    _redraw_views()


def _redraw_views() -> None:
    """Draw the views anew that show the plane's picture."""
    for window in bpy.data.window_managers[0].windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D" and area.spaces.active.shading.type in _PICTURES:
                for region in area.regions:
                    if region.type == "WINDOW":
                        region.tag_redraw()


def refresh(plane: bpy.types.Object) -> None:
    """Read the files again; Blender keeps old pixels otherwise."""
    image = texture_of(plane).image
    if image is not None:
        image.reload()
        _redraw_views()


def build_camera(
    name: str, plane: bpy.types.Object, collection: bpy.types.Collection
) -> bpy.types.Object:
    """An orthographic camera that frames the plane exactly."""
    camera = bpy.data.cameras.new(name)
    camera.type = "ORTHO"
    camera.ortho_scale = max(plane.scale.x, plane.scale.z)
    obj = bpy.data.objects.new(name, camera)
    collection.objects.link(obj)
    obj.parent = plane.parent
    obj.location = plane.location
    obj.location.y -= _CAMERA_DISTANCE
    obj.rotation_euler = (1.5707963267948966, 0.0, 0.0)
    return obj
