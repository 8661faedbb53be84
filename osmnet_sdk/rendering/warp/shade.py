"""The fused pass that paints a frame: two flows blended, the photo sampled, the person laid on.

Flows are blended, never colours: blended colours would show everything twice.
"""

from __future__ import annotations

import numba
import numpy as np

_jit = numba.njit(cache=True, nogil=True, fastmath=True)


@_jit
def sample_cubic(texture, x, y, channel):  # type: ignore[no-untyped-def]
    """Catmull-Rom sample of one channel; beyond the edge the edge is repeated."""
    height, width = texture.shape[0], texture.shape[1]
    x = min(max(x, np.float32(0.0)), np.float32(width - 1))
    y = min(max(y, np.float32(0.0)), np.float32(height - 1))
    left, top = int(x), int(y)
    u, v = x - left, y - top
    total = np.float32(0.0)
    for j in range(-1, 3):
        row = min(max(top + j, 0), height - 1)
        weight_y = _cubic(abs(v - j))
        line = np.float32(0.0)
        for i in range(-1, 3):
            column = min(max(left + i, 0), width - 1)
            line += _cubic(abs(u - i)) * texture[row, column, channel]
        total += weight_y * line
    return min(max(total, np.float32(0.0)), np.float32(255.0))


@_jit
def _cubic(t):  # type: ignore[no-untyped-def]
    if t < 1.0:
        return np.float32(1.0) + t * t * (np.float32(1.5) * t - np.float32(2.5))
    if t < 2.0:
        slope = np.float32(-4.0) + t * (np.float32(2.5) - np.float32(0.5) * t)
        return np.float32(2.0) + t * slope
    return np.float32(0.0)


@_jit
def sample_mask(mask, x, y):  # type: ignore[no-untyped-def]
    """Bilinear sample of a mask, 0 to 1."""
    height, width = mask.shape
    x = min(max(x, np.float32(0.0)), np.float32(width - 1.001))
    y = min(max(y, np.float32(0.0)), np.float32(height - 1.001))
    left, top = int(x), int(y)
    u, v = x - left, y - top
    upper = mask[top, left] * (1 - u) + mask[top, left + 1] * u
    lower = mask[top + 1, left] * (1 - u) + mask[top + 1, left + 1] * u
    return (upper * (1 - v) + lower * v) * np.float32(1.0 / 255.0)


@_jit
def shade(  # type: ignore[no-untyped-def]
    mesh_cover,
    mesh_weights,
    mesh_triangles,
    mesh_layer,
    mesh_source,
    mesh_alpha,
    mesh_lids,
    lid_closure,
    grid_cover,
    grid_weights,
    grid_triangles,
    grid_source,
    skin,
    lids,
    person,
    background,
    out,
    share,
):
    """Paint a frame.

    Args:
        mesh_cover: (H, W) triangle of the head mesh, −1 beside it.
        mesh_weights: (H, W, 2) barycentric weights there.
        mesh_triangles: (F, 3) int32.
        mesh_layer: (F,) int32: 0 skin, 1 eye, 2 inside of the mouth.
        mesh_source: (V, 2) float32 position in the textures.
        mesh_alpha: (V,) float32 weight of the mesh's flow.
        mesh_lids: (V, 2) float32 lid weights.
        lid_closure: (2,) float32 how far each eye is closed.
        grid_cover: (H, W) triangle of the photo grid, −1 beside it.
        grid_weights: (H, W, 2) barycentric weights there.
        grid_triangles: (G, 3) int32.
        grid_source: (N, 2) float32 position in the textures.
        skin: (h, w, 3) uint8 texture.
        lids: (h, w, 3) uint8 texture.
        person: (h, w) uint8 texture.
        background: (H, W, 3) uint8 frame without the person.
        out: (H, W, 3) float32 result, 0 to 255.
        share: (H, W) float32 result, weight of the mesh's flow, 0 to 1.
    """
    height, width = mesh_cover.shape
    for y in range(height):
        for x in range(width):
            g = grid_cover[y, x]
            share[y, x] = 0.0
            if g < 0:
                for c in range(3):
                    out[y, x, c] = background[y, x, c]
                continue
            u, v = grid_weights[y, x, 0], grid_weights[y, x, 1]
            w = np.float32(1.0) - u - v
            i, j, k = grid_triangles[g, 0], grid_triangles[g, 1], grid_triangles[g, 2]
            sx = grid_source[i, 0] * u + grid_source[j, 0] * v + grid_source[k, 0] * w
            sy = grid_source[i, 1] * u + grid_source[j, 1] * v + grid_source[k, 1] * w
            lid = np.float32(0.0)
            t = mesh_cover[y, x]
            if t >= 0 and mesh_layer[t] != 2:
                u, v = mesh_weights[y, x, 0], mesh_weights[y, x, 1]
                w = np.float32(1.0) - u - v
                i, j, k = mesh_triangles[t, 0], mesh_triangles[t, 1], mesh_triangles[t, 2]
                a = mesh_alpha[i] * u + mesh_alpha[j] * v + mesh_alpha[k] * w
                mx = mesh_source[i, 0] * u + mesh_source[j, 0] * v + mesh_source[k, 0] * w
                my = mesh_source[i, 1] * u + mesh_source[j, 1] * v + mesh_source[k, 1] * w
                share[y, x] = a
                sx += (mx - sx) * a
                sy += (my - sy) * a
                if mesh_layer[t] == 0:
                    for s in range(2):
                        part = mesh_lids[i, s] * u + mesh_lids[j, s] * v + mesh_lids[k, s] * w
                        lid = max(lid, part * lid_closure[s])
            shown = sample_mask(person, sx, sy)
            for c in range(3):
                colour = np.float32(0.0)
                if shown > 0.002:
                    colour = sample_cubic(skin, sx, sy, c)
                    if lid > 0.01:
                        colour += (sample_cubic(lids, sx, sy, c) - colour) * lid
                out[y, x, c] = background[y, x, c] + (colour - background[y, x, c]) * shown


@_jit
def sample_layer(cover, weights, triangles, layer, wanted, source, texture, out):  # type: ignore[no-untyped-def]
    """Sample a texture wherever a layer of the mesh shows; other pixels stay as they are.

    Args:
        cover: (H, W) triangle of the mesh, −1 beside it.
        weights: (H, W, 2) barycentric weights.
        triangles: (F, 3) int32.
        layer: (F,) int32 layer of each triangle.
        wanted: the layer to sample.
        source: (V, 2) float32 position in the texture.
        texture: (h, w, 3) uint8.
        out: (H, W, 3) float32.
    """
    height, width = cover.shape
    for y in range(height):
        for x in range(width):
            t = cover[y, x]
            if t < 0 or layer[t] != wanted:
                continue
            u, v = weights[y, x, 0], weights[y, x, 1]
            w = np.float32(1.0) - u - v
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            sx = source[i, 0] * u + source[j, 0] * v + source[k, 0] * w
            sy = source[i, 1] * u + source[j, 1] * v + source[k, 1] * w
            for c in range(3):
                out[y, x, c] = sample_cubic(texture, sx, sy, c)
