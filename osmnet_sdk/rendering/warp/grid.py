"""The photo as a coarse relief: hair, ears, neck and torso follow the head by its own depth.

A grid of points lies over the head crop and a margin around it. Points on the mesh take part in
its motion; others take the depth of the nearest one, fading to the depth of the head's middle.
Below the chin the head's motion fades out over the neck into that of the shoulders, which follow
the head a little: a torso that stands still looks like a head on a spring.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from osmnet_sdk.core.curves import smoothstep
from osmnet_sdk.face.camera import Pose, euler_angles, rotation_matrix
from osmnet_sdk.rendering.warp.geometry import HeadGeometry
from osmnet_sdk.rendering.warp.raster import rasterize

Array = NDArray[np.float64]

_TORSO_FOLLOWS = 0.4
"""Share of the head joint's movement that the shoulders make."""
_TORSO_TURN = np.array([0.03, 0.15, 0.15])
"""Share of the head's pitch, yaw and roll that the shoulders make."""
_TORSO_PIVOT = (0.0, -0.25, -0.03)
"""Where the shoulders turn about, metres in the head frame: between them."""
_TORSO_EDGE = 0.2
"""Over the crop's side: where the shoulders' motion fades out towards what stands still."""
CELLS = 64
MARGIN = 0.3
"""How far the grid reaches beyond the crop on each side, over its side."""
_NECK = 0.55
"""Face heights below the chin at which the head's motion has faded out."""
SMOOTHING = 1.4
"""Cells over which motion is smoothed; without it the cheek that a turn uncovers tears."""
_HAIR_BULGE = 0.025
"""Metres that points beside the mesh may lie nearer than the head's middle is deep."""


@dataclass(frozen=True, eq=False)
class PhotoGrid:
    """Grid points (N = 65², row by row) and how they follow the head.

    Attributes:
        source: (N, 2) position in the photo's pixels.
        triangles: (F, 3) int32.
        points: (N, 3) position in the head frame at rest, metres.
        depth: (N,) metres from the camera at rest.
        weight: (N,) share of the head's motion, 0 to 1.
        torso: (N, 2) share of the shoulders' motion across and down the picture, 0 to 1.
        carriers: (N, 3) vertices of the mesh triangle at or nearest to the point.
        shares: (N, 3) how much of each carrier's deformation the point takes.
    """

    source: Array
    triangles: NDArray[np.int32]
    points: Array
    depth: Array
    weight: Array
    torso: Array
    carriers: NDArray[np.int32]
    shares: Array

    def posed(self, geometry: HeadGeometry, vertices: NDArray[np.float32], pose: Pose) -> Array:
        """Where a frame shows the grid: (N, 3) x, y in the photo's pixels and depth."""
        change = vertices - geometry.rest
        deformed = self.points + (change[self.carriers] * self.shares[..., None]).sum(1)
        moved = geometry.fit.camera.project(deformed, pose)
        shift = (moved[:, :2] - self.source) * self.weight[:, None]
        shoulders = geometry.fit.camera.project(self.points, torso_pose(geometry.fit.pose, pose))
        shift += (shoulders[:, :2] - self.source) * self.torso
        side = CELLS + 1
        smooth = cv2.GaussianBlur(
            shift.reshape(side, side, 2).astype(np.float32), (0, 0), SMOOTHING
        )
        depth = self.depth * (1 - self.weight) + moved[:, 2] * self.weight
        return np.column_stack([self.source + smooth.reshape(-1, 2), depth])


def build_grid(geometry: HeadGeometry) -> PhotoGrid:
    """Lay the grid over the photo of a source head."""
    face, fit, model = geometry.face, geometry.fit, geometry.model
    crop, side = face.crop, CELLS + 1
    steps = np.linspace(-MARGIN, 1 + MARGIN, side) * crop.side
    x, y = np.meshgrid(crop.x + steps, crop.y + steps)
    source = np.stack([x.ravel(), y.ravel()], axis=1)

    cell = steps[1] - steps[0]
    points = geometry.source.copy()
    points[:, :2] = (points[:, :2] - source[0]) / cell
    skin = model.triangles_of("skin")
    cover = rasterize(points, skin, (side, side))  # a pixel of this picture is a grid point
    covered = cover.triangle >= 0
    distance, nearest = distance_transform_edt(~covered, return_indices=True)
    rows, columns = nearest
    carriers = skin[cover.triangle[rows, columns]].reshape(-1, 3)
    weights = cover.weights[rows, columns].reshape(-1, 2).astype(np.float64)
    weights = np.column_stack([weights, 1 - weights.sum(1)])

    away = (distance * cell).ravel()
    below = (source - face.landmarks[152]) @ geometry.down / geometry.face_height
    depth = _depth(geometry, cover.depth, covered, rows, columns, away, below)
    # deformation reaches a little beyond the mesh, less so below the chin
    reach = np.exp(-away / (0.25 * geometry.face_height))
    reach *= np.where(below > 0.02, np.exp(-np.clip(below, 0, 9) / 0.12), 1.0)
    shares = weights * np.where(covered.ravel(), 1.0, reach)[:, None]
    camera = fit.camera
    seen = np.column_stack(
        [
            (source[:, 0] - camera.centre[0]) * depth / camera.focal,
            -(source[:, 1] - camera.centre[1]) * depth / camera.focal,
            -depth,
        ]
    )
    weight = 1.0 - smoothstep(below / _NECK)
    return PhotoGrid(
        source=source,
        triangles=grid_triangles(side, side),
        points=(seen - fit.pose.translation) @ fit.pose.rotation,
        depth=depth,
        weight=weight,
        torso=_torso_share(geometry, source, weight),
        carriers=carriers.astype(np.int32),
        shares=shares,
    )


def _torso_share(geometry: HeadGeometry, source: Array, weight: Array) -> Array:
    """How much of the shoulders' motion each point takes, across and down the picture: (N, 2).

    It fades out where the still photo goes on beside the grid, and up and down at the photo's lower
    edge, below which there is nothing to be seen.
    """
    face = geometry.face
    height, width = face.photo.shape[:2]
    reach = _TORSO_EDGE * face.crop.side
    low, high = source.min(0), source.max(0)
    x, y = source.T
    across = 1.0 - weight
    for inwards, goes_on in (
        (x - low[0], low[0] > 0),
        (high[0] - x, high[0] < width - 1),
        (high[1] - y, high[1] < height - 1),
    ):
        if goes_on:
            across = across * smoothstep(inwards / reach)
    down = across * smoothstep((height - 1 - y) / reach)
    return np.stack([across, down], axis=1)


def torso_pose(rest: Pose, pose: Pose) -> Pose:
    """The shoulders' pose under a head's: in the axes of the head as the photo shows it."""
    turned = euler_angles(rest.rotation.T @ pose.rotation) * _TORSO_TURN
    rotation = rest.rotation @ rotation_matrix(turned)
    pivot = (rest.rotation - rotation) @ np.array(_TORSO_PIVOT)
    followed = _TORSO_FOLLOWS * (pose.translation - rest.translation)
    return Pose(rotation, rest.translation + pivot + followed)


def _depth(
    geometry: HeadGeometry,
    mesh_depth: NDArray[np.float32],
    covered: NDArray[np.bool_],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    away: Array,
    below: Array,
) -> Array:
    """Depth of every grid point in metres: the mesh's where it is, else a soft relief."""
    side = CELLS + 1
    middle = -float(geometry.fit.pose.translation[2])
    mesh = mesh_depth[rows, columns].astype(np.float64).ravel()
    inside = covered.ravel()
    fade = np.exp(-away / (0.18 * geometry.face_height))
    beside = fade * np.minimum(mesh, middle + _HAIR_BULGE) + (1 - fade) * middle
    depth = np.where(inside, np.minimum(mesh, middle + 0.06), beside)
    soft = cv2.GaussianBlur(depth.reshape(side, side).astype(np.float32), (5, 5), 1.0).ravel()
    return np.where(inside & (below < -0.05), mesh, soft).astype(np.float64)


def grid_triangles(rows: int, columns: int) -> NDArray[np.int32]:
    """Two triangles for each cell of a grid of points, facing the camera."""
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)
