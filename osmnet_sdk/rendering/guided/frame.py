"""Frames of the guided generator: the warped photo, finished where it is in doubt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import InputError
from osmnet_sdk.face.camera import Pose, euler_angles
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.progress import check_cancelled
from osmnet_sdk.rendering.batches import Batches
from osmnet_sdk.rendering.guided.guides import FaceGuides, FaceWindow
from osmnet_sdk.rendering.guided.network import GuidedPainter
from osmnet_sdk.rendering.paper.painting import to_network
from osmnet_sdk.rendering.view import View
from osmnet_sdk.rendering.warp.frame import FrameRenderer
from osmnet_sdk.rendering.warp.scene import PosedHead

Image = NDArray[np.uint8]
Float = NDArray[np.float32]


class GuidedRenderer:
    """Draws frames of one source face in one view; may be used from several threads.

    A frame depends on its own pose and expression alone.

    Args:
        face: the fitted photo.
        view: what the frames show.
        painter: the network, on any device, in evaluation mode.
    """

    def __init__(self, face: SourceFace, view: View, painter: GuidedPainter) -> None:
        self.plain = FrameRenderer(face, view)
        """The renderer whose frames are finished."""
        self._painter = painter
        self._samples = WindowSampler(self.plain, painter.config.window_size)

    def draw(self, pose: Pose, expression: ArrayLike) -> Image:
        """Draw the head in a pose with an expression, as `FrameRenderer.draw` does."""
        (frame,) = self.draw_batch([pose], np.asarray(expression)[None])
        return frame

    def draw_batch(self, poses: Sequence[Pose], expressions: ArrayLike) -> list[Image]:
        """Draw frames with one pass of the network; each is what `draw` makes of it.

        Args:
            poses: B absolute poses before the photo's camera.
            expressions: (B, 52) coefficients in [0, 1].

        Returns:
            B frames (height, width, 3) uint8 RGB, new arrays.

        Raises:
            InputError: if the numbers differ, or a value is not a number.
            DeviceError: if the device has no memory for a single frame.
        """
        values = np.asarray(expressions, np.float64)
        if values.shape != (len(poses), len(ARKIT_NAMES)):
            raise InputError(
                f"Expressions must be ({len(poses)}, {len(ARKIT_NAMES)}) for {len(poses)} poses, "
                f"not {values.shape}."
            )
        found = [np.concatenate([p.rotation.ravel(), p.translation]) for p in poses]
        if not (np.isfinite(values).all() and np.isfinite(found).all()):
            raise InputError("A pose or an expression holds values that are not numbers.")
        heads = [self.plain.scene.posed(p, e) for p, e in zip(poses, values, strict=True)]
        frames = [self.plain.draw_head(head) for head in heads]
        samples = [self._samples.take(*row) for row in zip(frames, heads, strict=True)]
        changes = self._changes([rows for _, rows in samples])
        for frame, (window, _), change in zip(frames, samples, changes, strict=True):
            check_cancelled()
            window.finish(frame, change)
        return frames

    def _changes(self, rows: Sequence[tuple[NDArray[np.generic], ...]]) -> Sequence[Float]:
        """For each of the rows (S, S, 5), see `FaceWindow.finish`."""
        device = next(self._painter.parameters()).device

        def changes(part: Sequence[tuple[NDArray[np.generic], ...]]) -> Sequence[Float]:
            columns = (np.stack(column) for column in zip(*part, strict=True))
            tensors = [torch.from_numpy(column).to(device) for column in columns]
            with torch.inference_mode():
                out = self._painter(*network_inputs(*tensors)).float()
                out[:, :3] *= 127.5
            return list(out.movedim(1, -1).cpu().numpy())

        size = self._painter.config.window_size
        return Batches(changes, max(1, len(rows)), device, (size, size)).results(rows)


class WindowSampler:
    """What the network sees of a frame.

    Args:
        renderer: of the warped photo.
        size: height and width of the network's window, pixels.
    """

    def __init__(self, renderer: FrameRenderer, size: int) -> None:
        self._guides = FaceGuides(renderer.geometry, renderer.view, size)
        self._rest = renderer.geometry.fit.pose
        self._source = self._guides.at_rest().cut(renderer.scene.still, size)

    def take(
        self, frame: Image, head: PosedHead
    ) -> tuple[FaceWindow, tuple[NDArray[np.generic], ...]]:
        """The face window of a warped frame, and what the network sees there.

        Args:
            frame: (H, W, 3) uint8, the warped photo.
            head: the head in it.

        Returns:
            The window; and of it warp (S, S, 3) uint8, source (S, S, 3) uint8, guides (S, S, 10)
            uint8, pose relative to the photo's (6,) float32, expression (52,) float32.
        """
        window, guides = self._guides.draw(head)
        check_cancelled()
        warp = window.cut(frame, self._guides.size)
        guides = (255 * guides + 0.5).astype(np.uint8)
        moved = relative_pose(self._rest, head.pose)
        values = head.expression.astype(np.float32)
        return window, (warp, self._source, guides, moved, values)


def relative_pose(rest: Pose, pose: Pose) -> NDArray[np.float32]:
    """(6,) pitch, yaw, roll in degrees, then metres: a pose as a move from another."""
    turn, shift = rest.rotation.T @ pose.rotation, pose.translation - rest.translation
    return np.concatenate([euler_angles(turn), rest.rotation.T @ shift]).astype(np.float32)


def network_inputs(
    warp: Tensor, source: Tensor, guides: Tensor, pose: Tensor, expression: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """What `WindowSampler.take` gives, (B, …) each, as the network takes it."""
    pictures = guides.movedim(-1, 1).float() / 255
    return to_network(warp), to_network(source), pictures, pose, expression
