"""Frames of the guided generator in batches, from posing to pixels on any device of torch."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from osmnet_sdk.core.devices import fast_precision
from osmnet_sdk.face.camera import Pose
from osmnet_sdk.rendering.guided.batched_guides import BatchedGuides
from osmnet_sdk.rendering.guided.frame import network_inputs, relative_pose
from osmnet_sdk.rendering.guided.guides import FaceGuides
from osmnet_sdk.rendering.guided.network import GuidedPainter
from osmnet_sdk.rendering.warp.batched.pictures import OPENCV, numbers, sample_cubic
from osmnet_sdk.rendering.warp.batched.posing import in_view, on_device
from osmnet_sdk.rendering.warp.batched.renderer import BatchedRenderer
from osmnet_sdk.rendering.warp.scene import Scene


def prepared(painter: GuidedPainter, device: torch.device) -> GuidedPainter:
    """The network moved to a device, its pictures in the type and layout it convolves fastest."""
    painter.to(device).eval()
    for part in (painter.down, painter.residual, painter.up, painter.image):
        part.to(fast_precision(device)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return painter


class BatchedGuidedRenderer:
    """Draws what `GuidedRenderer` draws, many frames at a time.

    Args:
        scene: the face and what frames show of it.
        painter: the network, on the device that draws, in evaluation mode.
    """

    def __init__(self, scene: Scene, painter: GuidedPainter) -> None:
        device = next(painter.parameters()).device
        self._painter, self._plain = painter, BatchedRenderer(scene, device)
        size = painter.config.window_size
        guides = FaceGuides(scene.geometry, scene.view, size)
        self._guides = BatchedGuides(guides, device)
        source = guides.at_rest().cut(scene.still, size)
        self._source = on_device(source, device)
        self._shrink = _resizing(guides.side, size, device)
        self._grow = _resizing(size, guides.side, device)

    def draw_batch(self, poses: Sequence[Pose], expressions: ArrayLike) -> Tensor:
        """Draw frames, see `BatchedRenderer.draw_batch`."""
        values = np.asarray(expressions, np.float64)
        device, scene = self._plain.device, self._plain.scene
        rest = scene.geometry.fit.pose
        with torch.inference_mode():
            heads = self._plain.poser.heads(poses, values)
            frames = self._plain.frames(heads)
            points = in_view(heads.points, scene.view)
            corners = self._guides.corners(self._plain.poser.at_landmarks(points))
            guides = self._guides.draw(points, corners, on_device(heads.closure, device))
            moved = on_device(np.stack([relative_pose(rest, pose) for pose in poses]), device)
            warp = _resized(self._cut(frames, corners), self._shrink).round().clamp(0, 255)
            out = self._painter(
                *network_inputs(
                    warp, self._source.expand_as(warp), guides, moved, on_device(values, device)
                )
            )
            self._finish(frames, corners, out.float().movedim(1, -1))
        return frames

    def _places(self, corners: Tensor) -> tuple[Tensor, Tensor]:
        """Columns (B, 1, side) and rows (B, side, 1) of the windows in the frames."""
        steps = torch.arange(self._guides.side, device=corners.device)
        return corners[:, :1, None] + steps, corners[:, 1:, None] + steps[:, None]

    def _cut(self, frames: Tensor, corners: Tensor) -> Tensor:
        """The windows (B, side, side, 3) of frames, see `FaceWindow.cut`."""
        columns, rows = self._places(corners)
        columns, rows = columns.clamp(0, frames.shape[2] - 1), rows.clamp(0, frames.shape[1] - 1)
        frame = torch.arange(len(frames), device=frames.device)[:, None, None]
        return frames[frame, rows, columns].float()

    def _finish(self, frames: Tensor, corners: Tensor, out: Tensor) -> None:
        """Change the frames as the network's (B, S, S, 5) says, see `FaceWindow.finish`."""
        height, width = frames.shape[1:3]
        scale = self._guides.side / out.shape[1]
        out = _resized(out, self._grow)
        columns, rows = self._places(corners)
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        shown = numbers(inside)
        column, row = (places.expand_as(inside).flatten()[shown] for places in (columns, rows))
        out = out.reshape(-1, 5)[shown]
        frame = torch.div(shown, inside[0].numel(), rounding_mode="floor")
        place = torch.stack([column, row], dim=1) + scale * out[:, 3:]
        moved = sample_cubic(frames, place, OPENCV, frame).round()
        changed = (moved + 127.5 * out[:, :3] + 0.5).clamp(0, 255).to(torch.uint8)
        frames.view(-1, 3)[(frame * height + row) * width + column] = changed


def _resizing(size: int, wanted: int, device: torch.device) -> Tensor | None:
    """(wanted, size) what OpenCV makes of each line of a picture, None where it stays as it is."""
    if size == wanted:
        return None
    how = cv2.INTER_AREA if size > wanted else cv2.INTER_LINEAR
    lines = cv2.resize(np.eye(size, dtype=np.float32), (size, wanted), interpolation=how)
    return on_device(lines, device)


def _resized(pictures: Tensor, lines: Tensor | None) -> Tensor:
    """Square pictures (B, n, n, C) resized down and across."""
    if lines is None:
        return pictures
    down = torch.einsum("ij,bjkc->bikc", lines, pictures)
    return torch.einsum("ij,bkjc->bkic", lines, down)
