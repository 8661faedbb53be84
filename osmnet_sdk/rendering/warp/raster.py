"""A z-buffer over triangles, compiled for the CPU.

Pixel centres are at integers. The kernel releases the GIL and uses no threads of its own, so
frames can be drawn side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.progress import check_cancelled

FAR = np.float32(1e9)
"""Depth of a pixel that nothing covers."""

_PIXELS = 512 * 1024
"""Of a picture for each question whether to go on."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """Which triangle each pixel shows, and where in it.

    Attributes:
        triangle: (H, W) int32, −1 where nothing is.
        weights: (H, W, 2) float32, barycentric weights of the triangle's first two corners.
        depth: (H, W) float32, metres; `FAR` where nothing is.
    """

    triangle: NDArray[np.int32]
    weights: NDArray[np.float32]
    depth: NDArray[np.float32]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _draw(points, triangles, first, last, cull, triangle, weights, depth):  # type: ignore[no-untyped-def]
    height, width = depth.shape
    for t in range(first, last):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, z0 = points[a, 0], points[a, 1], points[a, 2]
        x1, y1, z1 = points[b, 0], points[b, 1], points[b, 2]
        x2, y2, z2 = points[c, 0], points[c, 1], points[c, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        # with y down, a counter-clockwise triangle that faces the camera has negative area
        if area == 0.0 or (cull and area > 0.0):
            continue
        top = max(0, int(np.ceil(min(y0, y1, y2))))
        bottom = min(height - 1, int(np.floor(max(y0, y1, y2))))
        left = max(0, int(np.ceil(min(x0, x1, x2))))
        right = min(width - 1, int(np.floor(max(x0, x1, x2))))
        if top > bottom or left > right:
            continue
        inverse = np.float32(1.0) / area
        du = (y1 - y2) * inverse
        dv = (y2 - y0) * inverse
        for y in range(top, bottom + 1):
            u = ((x1 - left) * (y2 - y) - (x2 - left) * (y1 - y)) * inverse
            v = ((x2 - left) * (y0 - y) - (x0 - left) * (y2 - y)) * inverse
            for x in range(left, right + 1):
                w = np.float32(1.0) - u - v
                if u >= -1e-5 and v >= -1e-5 and w >= -1e-5:
                    z = u * z0 + v * z1 + w * z2
                    if z < depth[y, x]:
                        depth[y, x] = z
                        triangle[y, x] = t
                        weights[y, x, 0] = u
                        weights[y, x, 1] = v
                u += du
                v += dv


def rasterize(
    points: NDArray[np.floating],
    triangles: NDArray[np.int32],
    size: tuple[int, int],
    *,
    cull: bool = True,
) -> Coverage:
    """Draw triangles into a z-buffer.

    Args:
        points: (N, 3) x, y in pixels and depth, smaller is nearer.
        triangles: (F, 3) int32.
        size: (height, width) in pixels.
        cull: leave out triangles that face away (clockwise in the image).
    """
    triangle = np.full(size, -1, np.int32)
    weights = np.zeros((*size, 2), np.float32)
    depth = np.full(size, FAR, np.float32)
    corners = np.ascontiguousarray(points, np.float32)
    count = len(triangles)
    step = -(-count // max(1, size[0] * size[1] // _PIXELS))
    for first in range(0, count, max(1, step)):
        check_cancelled()
        last = min(first + step, count)
        _draw(corners, triangles, first, last, cull, triangle, weights, depth)
    return Coverage(triangle, weights, depth)


def interpolate(
    coverage: Coverage, triangles: NDArray[np.int32], values: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Values per vertex (N, D) at each pixel: (H, W, D), 0 where nothing is."""
    corners = triangles[np.maximum(coverage.triangle, 0)]
    u, v = coverage.weights[..., :1], coverage.weights[..., 1:]
    result = values[corners[..., 0]] * u + values[corners[..., 1]] * v
    result += values[corners[..., 2]] * (1 - u - v)
    result[coverage.triangle < 0] = 0
    return result.astype(np.float32)


def vertex_normals(
    points: NDArray[np.floating], triangles: NDArray[np.int32]
) -> NDArray[np.float64]:
    """(N, 3) unit normals, area-weighted over the triangles around each vertex."""
    a, b, c = (points[triangles[:, corner]].astype(np.float64) for corner in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros((len(points), 3))
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], face)
    length: NDArray[np.float64] = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.maximum(length, 1e-12)
