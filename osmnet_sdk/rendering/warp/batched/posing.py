"""Heads posed in batches: the arithmetic of `geometry` and `grid` on any device of torch.

All of it is float32, since not every device has float64: that moves a vertex by less than a
thousandth of a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osmnet_sdk.face.camera import Pose
from osmnet_sdk.rendering.view import View
from osmnet_sdk.rendering.warp.batched.pictures import gaussian_blur
from osmnet_sdk.rendering.warp.geometry import EYES_BACK, LIDS, HeadGeometry
from osmnet_sdk.rendering.warp.grid import CELLS, SMOOTHING, PhotoGrid, torso_pose


def on_device(values: NDArray[np.generic], device: torch.device) -> Tensor:
    """An array as a tensor: reals as float32, bytes as they are, other whole numbers as int64."""
    kind = {"f": np.float32, "i": np.int64}.get(values.dtype.kind, values.dtype)
    return torch.from_numpy(np.array(values, kind)).to(device)


@dataclass(frozen=True, eq=False)
class HeadBatch:
    """The heads of B frames.

    Attributes:
        vertices: (B, V, 3) in metres in the head frame.
        points: (B, V, 3) where the frames show them: x, y in the photo's pixels and depth, the
            eyes set back.
        relief: (B, N, 3) where they show the photo's relief, the same.
        landmarks: (B, 478, 3) of the vertices.
        closure: (B, 2) how far the left and the right eye are closed, 0 to 1; on the host, where
            what closing lids need is worked out.
    """

    vertices: Tensor
    points: Tensor
    relief: Tensor
    landmarks: Tensor
    closure: NDArray[np.float32]


class HeadPoser:
    """Poses one source head, as `HeadGeometry` and `PhotoGrid` do frame by frame.

    Args:
        geometry: the source head.
        grid: the photo's relief.
        device: where the tensors are and the arithmetic is done.
    """

    def __init__(self, geometry: HeadGeometry, grid: PhotoGrid, device: torch.device) -> None:
        self._geometry, self._device = geometry, device
        model = geometry.model

        def here(values: NDArray[np.generic]) -> Tensor:
            return on_device(values, device)

        self._rest, self._shapes = here(geometry.rest), here(geometry.shapes)
        self._seal = here(geometry.seal)
        self._corners = here(model.triangles[model.landmark_triangles])
        self._weights = here(model.landmark_weights)
        self._eyes = here(geometry.eyes)
        self._lids = here(np.array(list(LIDS.values())))
        self._aperture = self._apertures(self.at_landmarks(self._rest[None])).clamp(min=1e-4)
        self._source, self._points, self._depth = (
            here(values) for values in (grid.source, grid.points, grid.depth)
        )
        self._weight, self._torso = here(grid.weight), here(grid.torso)
        self._carriers, self._shares = here(grid.carriers), here(grid.shares)

    def heads(self, poses: Sequence[Pose], expressions: NDArray[np.floating]) -> HeadBatch:
        """Pose B heads.

        Args:
            poses: B absolute poses before the photo's camera.
            expressions: (B, 52) coefficients in [0, 1].
        """
        geometry = self._geometry
        change = on_device(expressions - geometry.fit.expression, self._device)
        sealed = on_device(geometry.sealed(expressions), self._device)
        moved = (change @ self._shapes).view(len(change), -1, 3)
        vertices = self._rest + moved + self._seal * sealed[:, None, None]
        landmarks = self.at_landmarks(vertices)
        closure = (1 - self._apertures(landmarks) / self._aperture).clamp(0, 1)
        points = self._seen(vertices, poses)
        points[:, self._eyes, 2] += EYES_BACK
        relief = self._relief(vertices, poses)
        return HeadBatch(vertices, points, relief, landmarks, closure.cpu().numpy())

    def at_landmarks(self, values: Tensor) -> Tensor:
        """Values per vertex (B, V, D) read at the landmarks: (B, 478, D)."""
        return (values[:, self._corners] * self._weights[..., None]).sum(-2)

    def _apertures(self, landmarks: Tensor) -> Tensor:
        height = landmarks[..., 1]
        return height[:, self._lids[:, 0]] - height[:, self._lids[:, 1]]

    def _relief(self, vertices: Tensor, poses: Sequence[Pose]) -> Tensor:
        """The photo's relief, see `PhotoGrid.posed`."""
        change = (vertices - self._rest)[:, self._carriers] * self._shares[..., None]
        moved = self._seen(self._points + change.sum(-2), poses)
        rest = self._geometry.fit.pose
        shoulders = self._seen(self._points[None], [torso_pose(rest, pose) for pose in poses])
        shift = (moved[..., :2] - self._source) * self._weight[:, None]
        shift += (shoulders[..., :2] - self._source) * self._torso
        side = CELLS + 1
        smooth = gaussian_blur(shift.view(-1, side, side, 2), SMOOTHING).view_as(shift)
        depth = self._depth * (1 - self._weight) + moved[..., 2] * self._weight
        return torch.cat([self._source + smooth, depth[..., None]], dim=-1)

    def _seen(self, points: Tensor, poses: Sequence[Pose]) -> Tensor:
        """Project head points (B or 1, n, 3), as `Camera.project` does."""
        camera = self._geometry.fit.camera
        rotation = on_device(np.stack([pose.rotation.T for pose in poses]), self._device)
        translation = on_device(np.stack([pose.translation for pose in poses]), self._device)
        x, y, z = (points @ rotation + translation[:, None]).unbind(-1)
        scale = camera.focal / -z
        return torch.stack([camera.centre[0] + x * scale, camera.centre[1] - y * scale, -z], dim=-1)


def in_view(points: Tensor, view: View) -> Tensor:
    """Points (B, n, 3) from the photo's pixels to frame pixels, see `View.to_frame`."""
    shift = np.array([0.5 - view.x, 0.5 - view.y]) * view.scale - 0.5
    place = points[..., :2] * view.scale + on_device(shift, points.device)
    return torch.cat([place, points[..., 2:]], dim=-1)
