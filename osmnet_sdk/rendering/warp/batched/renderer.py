"""Frames of the warped photo in batches, from posing to pixels on any device of torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from osmnet_sdk.face.camera import Pose
from osmnet_sdk.rendering.warp.batched.lids import shade_lid
from osmnet_sdk.rendering.warp.batched.mouth import BatchMouthPainter
from osmnet_sdk.rendering.warp.batched.painting import BatchPainter
from osmnet_sdk.rendering.warp.batched.posing import HeadBatch, HeadPoser, in_view, on_device
from osmnet_sdk.rendering.warp.batched.zbuffer import rasterize_batch
from osmnet_sdk.rendering.warp.lids import LEAST_SHARE, UPPER_LIDS, lid_line, lid_share
from osmnet_sdk.rendering.warp.mouth import MouthPainter
from osmnet_sdk.rendering.warp.scene import Scene


class BatchedRenderer:
    """Draws what `FrameRenderer` draws, many frames at a time.

    A frame depends on its own pose and expression alone. May be used from several threads.

    Args:
        scene: the face and what frames show of it.
        device: where the frames are drawn.
    """

    def __init__(self, scene: Scene, device: torch.device) -> None:
        self.scene, self.device = scene, device
        self.poser = HeadPoser(scene.geometry, scene.grid, device)
        self._painter = BatchPainter(scene, device)
        mouth = MouthPainter(scene.geometry, scene.textures, scene.mesh_source)
        self._mouth = BatchMouthPainter(mouth, self._painter.mesh, device)
        self._lash = on_device(scene.textures.lash, device)
        self._still = on_device(scene.still, device)
        self._melt = None if scene.melt is None else on_device(scene.melt, device)

    def draw_batch(self, poses: Sequence[Pose], expressions: ArrayLike) -> Tensor:
        """Draw frames.

        Args:
            poses: B absolute poses before the photo's camera.
            expressions: (B, 52) coefficients in [0, 1].

        Returns:
            (B, height, width, 3) uint8 RGB on the device.
        """
        with torch.inference_mode():
            return self.frames(self.poser.heads(poses, np.asarray(expressions, np.float64)))

    def frames(self, heads: HeadBatch) -> Tensor:
        """Draw heads, see `draw_batch`."""
        scene, painter = self.scene, self._painter
        points = self._in_region(heads.points)
        size = scene.background.shape[0], scene.background.shape[1]
        mesh = rasterize_batch(points, painter.mesh, size)
        grid = rasterize_batch(self._in_region(heads.relief), painter.grid, size)
        closing = lid_share(heads.closure)
        out = painter.paint(mesh, grid, on_device(closing, self.device))
        self._shade_lids(out, points, closing)
        inside, share = self._mouth.paint(heads, mesh, scene.pixels)
        out = torch.lerp(out, inside, share)
        if self._melt is not None:
            out = torch.lerp(self._still[scene.region].float(), out, self._melt)
        frames = self._still.repeat(len(points), 1, 1, 1)
        frames[:, scene.region[0], scene.region[1]] = (out + 0.5).clamp(0, 255).to(torch.uint8)
        return frames

    def _in_region(self, points: Tensor) -> Tensor:
        """Points (B, n, 3) from the photo's pixels to those of the region that is drawn."""
        rows, columns = self.scene.region
        corner = on_device(np.array([columns.start, rows.start, 0.0]), self.device)
        return in_view(points, self.scene.view) - corner

    def _shade_lids(self, out: Tensor, points: Tensor, closing: NDArray[np.floating]) -> None:
        """Form of the lids that close, one by one: most frames have none."""
        frames = np.flatnonzero((closing > LEAST_SHARE).any(1))
        if not len(frames):
            return
        landmarks = self.poser.at_landmarks(points[frames]).cpu().numpy()
        size = out.shape[1], out.shape[2]
        for frame, places in zip(frames, landmarks, strict=True):
            for side, strength in zip(UPPER_LIDS, closing[frame], strict=True):
                if strength <= LEAST_SHARE:
                    continue
                line = lid_line(places, side, size, self.scene.pixels)
                if line is not None:
                    shade_lid(out[frame], line, float(strength), self._lash)
