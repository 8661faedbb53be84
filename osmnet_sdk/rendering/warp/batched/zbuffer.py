"""A z-buffer over triangles for a batch of frames, on any device of torch.

It shows what `raster.rasterize` shows: the same tolerance at edges, the nearest triangle, and of
equally near ones the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from osmnet_sdk.rendering.warp.raster import FAR

_EDGE = -1e-5
"""Least barycentric weight that still counts as inside, or seams between triangles would show."""
_AT_ONCE = 1 << 22
"""Pixels of bounding boxes that are looked at together; bounds the memory, about half a GB."""
_LOW = (1 << 32) - 1


@dataclass(frozen=True, eq=False)
class BatchCoverage:
    """Which triangle each pixel of B frames shows, and where in it.

    Attributes:
        triangle: (B, H, W) int64, −1 where nothing is.
        weights: (B, H, W, 3) float32, barycentric weights of the triangle's corners, arbitrary
            where nothing is.
    """

    triangle: Tensor
    weights: Tensor

    def shows(self, triangles: Tensor) -> Tensor:
        """(B, H, W) bool: whether one of the marked triangles (F,) bool is there."""
        return triangles[self.triangle.clamp(min=0)] & (self.triangle >= 0)

    def interpolate(self, triangles: Tensor, values: Tensor, pixels: Tensor) -> Tensor:
        """Values per vertex at some pixels, all of which must be covered.

        Args:
            triangles: (F, 3) int64.
            values: (V, D), the same in all frames, or (B, V, D).
            pixels: (n,) int64, numbers of the pixels in the frames laid one after the other.

        Returns:
            (n, D).
        """
        corners = triangles[self.triangle.flatten()[pixels]]
        if values.dim() == 3:  # meshes laid one after the other as well
            frame = torch.div(pixels, self.triangle[0].numel(), rounding_mode="floor")
            corners = corners + frame[:, None] * values.shape[1]
            values = values.flatten(0, 1)
        weights = self.weights.flatten(0, 2)[pixels]
        result = values[corners[:, 0]] * weights[:, :1]
        result += values[corners[:, 1]] * weights[:, 1:2]
        result += values[corners[:, 2]] * weights[:, 2:]
        return result


def rasterize_batch(points: Tensor, triangles: Tensor, size: tuple[int, int]) -> BatchCoverage:
    """Draw the triangles that face the camera into the z-buffers of B frames.

    Args:
        points: (B, N, 3) float32: x, y in pixels and depth, smaller is nearer.
        triangles: (F, 3) int64.
        size: (height, width) in pixels.
    """
    height, width = size
    boxes = _boxes(points, triangles, size)
    count = len(triangles)
    nothing = _keys(points.new_full((1,), float(FAR)), 0)
    keys = nothing.repeat(len(points) * height * width)
    for box, column, row in boxes.pixels():
        weights = boxes.weights(box, column, row)
        depth = (weights * boxes.depth[box]).sum(-1)
        inside = (weights >= _EDGE).all(-1)
        key = torch.where(inside, _keys(depth, box % count), nothing)
        line = (box // count) * height + boxes.top[box] + row
        keys.scatter_reduce_(0, line * width + boxes.left[box] + column, key, "amin")
    covered = keys < nothing
    triangle = torch.where(covered, keys & _LOW, -1).view(-1, height, width)
    # where in it: not kept above, as that would take another pass over all candidates
    frame = torch.arange(len(points), device=points.device)[:, None, None]
    box = frame * count + triangle.clamp(min=0)
    row = torch.arange(height, device=points.device)[:, None] - boxes.top[box]
    column = torch.arange(width, device=points.device) - boxes.left[box]
    return BatchCoverage(triangle, boxes.weights(box, column, row))


def _keys(depth: Tensor, triangle: Tensor | int) -> Tensor:
    """int64 that is smaller for what is nearer, and of equally near ones for what comes first."""
    bits = depth.contiguous().view(torch.int32)
    # the bits of a number below 0 fall where it rises
    ordered = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits).long()
    return (ordered << 32) | triangle


@dataclass(frozen=True, eq=False)
class _Boxes:
    """Bounding boxes, within the frame, of the triangles of all frames: n = B · F of each.

    Attributes:
        left: (n,) first column.
        top: (n,) first row.
        columns: (n,) width.
        area: (n,) pixels, 0 where nothing of the triangle is to be drawn.
        first: (n, 2) barycentric weights of the first two corners at the first pixel.
        across: (n, 2) how they change from column to column.
        down: (n, 2) how they change from row to row.
        depth: (n, 3) depth of the corners.
    """

    left: Tensor
    top: Tensor
    columns: Tensor
    area: Tensor
    first: Tensor
    across: Tensor
    down: Tensor
    depth: Tensor

    def pixels(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """All pixels of all boxes, some boxes at a time: box, column and row within it."""
        ends = self.area.cumsum(0)
        parts = -(-int(ends[-1]) // _AT_ONCE)
        cuts = torch.arange(1, max(parts, 1), device=ends.device) * _AT_ONCE
        bounds = [0, *torch.searchsorted(ends, cuts).tolist(), len(ends)]
        for start, end in pairwise(bounds):
            area = self.area[start:end]
            box = torch.repeat_interleave(torch.arange(start, end, device=ends.device), area)
            place = torch.arange(len(box), device=ends.device)
            place -= (ends - self.area)[box] - (ends - self.area)[start]
            columns = self.columns[box]
            row = torch.div(place, columns, rounding_mode="floor")
            yield box, place - row * columns, row

    def weights(self, box: Tensor, column: Tensor, row: Tensor) -> Tensor:
        """(…, 3) barycentric weights at pixels of boxes."""
        change = self.across[box] * column[..., None] + self.down[box] * row[..., None]
        two = self.first[box] + change
        return torch.cat([two, 1 - two.sum(-1, keepdim=True)], dim=-1)


def _boxes(points: Tensor, triangles: Tensor, size: tuple[int, int]) -> _Boxes:
    x, y, depth = points[:, triangles].flatten(0, 1).unbind(-1)
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    seen = area < 0  # with y down, a triangle that faces the camera has negative area
    left, columns = _span(x, size[1])
    top, rows = _span(y, size[0])
    inverse = torch.where(seen, 1 / area, 0.0)[:, None]
    # for each of the first two corners, the other two in order
    ahead_x, ahead_y, behind_x, behind_y = x[:, 1:], y[:, 1:], x[:, [2, 0]], y[:, [2, 0]]
    to_left, to_top = left[:, None], top[:, None]
    first = (ahead_x - to_left) * (behind_y - to_top) - (behind_x - to_left) * (ahead_y - to_top)
    return _Boxes(
        left=left,
        top=top,
        columns=columns.clamp(min=1),
        area=torch.where(seen, columns * rows, 0),
        first=first * inverse,
        across=(ahead_y - behind_y) * inverse,
        down=(behind_x - ahead_x) * inverse,
        depth=depth,
    )


def _span(corners: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """First whole number (n,) between corners (n, 3) within the frame, and how many there are."""
    first = corners.amin(-1).ceil().clamp(0, size).long()
    last = corners.amax(-1).floor().clamp(-1, size - 1).long()
    return first, (last - first + 1).clamp(min=0)
