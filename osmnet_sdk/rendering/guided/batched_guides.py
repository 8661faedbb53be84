"""Guide pictures of the guided generator in batches: what `guides` draws, on any device."""

from __future__ import annotations

import torch
from torch import Tensor

from osmnet_sdk.rendering.guided.guides import (
    CHEEKS,
    CHEEKS_FADE,
    MIDDLE,
    SEAM,
    FaceGuides,
)
from osmnet_sdk.rendering.warp.batched.pictures import gaussian_blur, numbers
from osmnet_sdk.rendering.warp.batched.posing import on_device
from osmnet_sdk.rendering.warp.batched.zbuffer import BatchCoverage, rasterize_batch


class BatchedGuides:
    """Guide pictures of one source head.

    Args:
        guides: what draws them for single frames.
        device: where they are drawn.
    """

    def __init__(self, guides: FaceGuides, device: torch.device) -> None:
        self.side = guides.side
        """Of a face window, frame pixels."""
        self._size, self._scale = guides.size, guides.view.scale
        self._triangles = on_device(guides.geometry.model.triangles, device)
        self._values = on_device(guides.values, device)
        self._source_area = on_device(guides.source_area, device)
        self._eye, self._mouth = on_device(guides.eye, device), on_device(guides.mouth, device)
        self._edge = on_device(guides.edge, device)

    def corners(self, landmarks: Tensor) -> Tensor:
        """(B, 2) int64 first column and row of each frame's face window.

        Args:
            landmarks: (B, 478, 2+) where the frames show them.
        """
        return (landmarks[:, MIDDLE, :2] + (0.5 - self.side / 2)).round().long()

    def draw(self, points: Tensor, corners: Tensor, closure: Tensor) -> Tensor:
        """The guides (B, S, S, 10) as whole numbers from 0 to 255, see `GUIDES`.

        Args:
            points: (B, V, 3) where the frames show the heads: x, y in pixels and depth.
            corners: (B, 2) of the face windows.
            closure: (B, 2) how far the eyes are closed, 0 to 1.
        """
        scale = self._size / self.side
        place = (points[..., :2] + 0.5 - corners[:, None]) * scale - 0.5
        points = torch.cat([place, points[..., 2:]], dim=-1)
        cover = rasterize_batch(points, self._triangles, (self._size, self._size))
        where = numbers(cover.triangle >= 0)
        values = points.new_zeros(cover.triangle.numel(), self._values.shape[1])
        values[where] = cover.interpolate(self._triangles, self._values, where)
        share, lips, left, right, x, y, z = values.view(*cover.triangle.shape, -1).unbind(-1)
        inside, eye = cover.shows(self._mouth).float(), cover.shows(self._eye).float()
        stretch = self._stretch(points, cover, scale * self._scale)
        mouth, eyes = torch.maximum(lips, inside), torch.maximum(torch.maximum(left, right), eye)
        stretch = stretch * (1 - torch.maximum(inside, eyes))
        closed = closure[:, :, None, None]
        lids = torch.maximum(left * closed[:, 0], right * closed[:, 1])
        seam = SEAM * 4 * share * (1 - share)
        low = (CHEEKS_FADE * (CHEEKS - y)).clamp(0, 1)
        doubts = torch.stack([mouth, seam * low, stretch * share * low])
        doubt = gaussian_blur(doubts.amax(0), self._size / 80) * self._edge
        planes = [share, mouth, inside, eyes, lids, stretch, x, y, z, doubt]
        return (255 * torch.stack(planes, dim=-1) + 0.5).floor()

    def _stretch(self, points: Tensor, cover: BatchCoverage, scale: float) -> Tensor:
        """(B, S, S) how far the photo's pixels are pulled apart, 0 to 1."""
        (ax, ay), (bx, by), (cx, cy) = (
            points[:, self._triangles[:, corner], :2].unbind(-1) for corner in range(3)
        )
        area = ((cx - ax) * (by - ay) - (bx - ax) * (cy - ay)) / (2 * scale**2)
        pulled = torch.log2((area / self._source_area).clamp(1, 4)) / 2
        pulled = torch.where(self._source_area > 0, pulled, 1.0)
        covered = cover.triangle >= 0
        frame = torch.arange(len(points), device=points.device)[:, None, None]
        return torch.where(covered, pulled[frame, cover.triangle.clamp(min=0)], 0.0)
