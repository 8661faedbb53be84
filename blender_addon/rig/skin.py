# SPDX-License-Identifier: GPL-3.0-or-later
"""The skin of the head mesh: the portrait where the photo saw the head, smooth colours elsewhere.

The portrait is projected through the head, so without this the back of the head would show the face
once more, and the sides what stands behind the person.
"""

from __future__ import annotations

import bpy
import numpy as np

from ..core.head import HeadFile
from ..core.retarget import rotation_matrices

SEEN = "seen"
"""Attribute of the mesh's points: 1 where the photo shows the skin, 0 where it does not."""
COLOUR = "unseen colour"
"""Attribute of the mesh's points: the colour where it does not, spread from where it does."""

_FACING = (0.30, 0.55)
"""Cosines of the angle to the camera between which the photo fades in."""
_SMOOTHING = 60
"""Rounds that even out the colours where the photo shows none."""


def paint(mesh: bpy.types.Mesh, head: HeadFile, image: bpy.types.Image) -> None:
    """Add the two attributes to a mesh."""
    low, high = _FACING
    facing = np.clip((_towards_camera(head) - low) / (high - low), 0.0, 1.0)
    seen = facing * facing * (3 - 2 * facing)
    colours = _spread(_sampled(image, head.uv), seen, head.triangles)
    mesh.attributes.new(SEEN, "FLOAT", "POINT").data.foreach_set("value", seen.astype(np.float32))
    filled = np.ones((len(seen), 4), np.float32)
    filled[:, :3] = colours
    layer = mesh.attributes.new(COLOUR, "FLOAT_COLOR", "POINT")
    layer.data.foreach_set("color", filled.ravel())


def mix(tree: bpy.types.NodeTree, texture: bpy.types.Node) -> bpy.types.NodeSocket:
    """Nodes that mix a texture and the spread colours; return the socket of the result."""
    seen, colour = (tree.nodes.new("ShaderNodeAttribute") for _ in range(2))
    seen.attribute_name, colour.attribute_name = SEEN, COLOUR
    blend = tree.nodes.new("ShaderNodeMix")
    blend.data_type = "RGBA"
    # sockets of every data type share their names, so they are found by their identifiers
    sockets = {socket.identifier: socket for socket in (*blend.inputs, *blend.outputs)}
    tree.links.new(seen.outputs["Fac"], sockets["Factor_Float"])
    tree.links.new(colour.outputs["Color"], sockets["A_Color"])
    tree.links.new(texture.outputs["Color"], sockets["B_Color"])
    seen.location, colour.location, blend.location = (-620, 560), (-620, 120), (-260, 420)
    return sockets["Result_Color"]


def _towards_camera(head: HeadFile) -> np.ndarray:
    """(V,) cosine between each normal and the camera's axis, in the pose of the photo."""
    corners = head.vertices[head.triangles].astype(np.float64)
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros(head.vertices.shape)
    for corner in range(3):
        np.add.at(normals, head.triangles[:, corner], faces)
    axis = rotation_matrices([head.rest_rotation])[0, 2]  # the camera's Z in the head's axes
    return normals @ axis / np.maximum(np.linalg.norm(normals, axis=1), 1e-12)


def _sampled(image: bpy.types.Image, uv: np.ndarray) -> np.ndarray:
    """(V, 3) linear colours of a picture at texture coordinates."""
    width, height = image.size
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    column = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip((uv[:, 1] * height).astype(int), 0, height - 1)
    values = pixels.reshape(height, width, image.channels)[row, column, :3].astype(np.float64)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _spread(colours: np.ndarray, weight: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V, 3) colours: those that are seen stay, and grow over the others ring by ring."""
    pairs = np.concatenate([triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    start, end = np.concatenate([pairs, pairs[:, ::-1]]).T
    known = weight > 0.99
    result = np.where(known[:, None], colours, np.average(colours, axis=0, weights=weight + 1e-9))
    reached, growing = known, True
    while growing:
        mean, links = _neighbours(result, reached[end], start, end)
        ring = ~reached & (links > 0)
        result = np.where(ring[:, None], mean, result)
        reached, growing = reached | ring, bool(ring.any())
    every = np.ones(len(end), bool)
    for _ in range(_SMOOTHING):
        result = np.where(known[:, None], colours, _neighbours(result, every, start, end)[0])
    return result


def _neighbours(
    values: np.ndarray, counted: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (V, 3) of the neighbours along the edges that count, and how many (V,) they are."""
    links = np.bincount(start[counted], minlength=len(values))
    sums = [
        np.bincount(start[counted], values[end[counted], channel], len(values))
        for channel in range(3)
    ]
    return np.stack(sums, axis=1) / np.maximum(links, 1)[:, None], links
