"""Skin, hair, background and eyes of a batch of frames: what `shade` and `FrameRenderer` do."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from osmnet_sdk.rendering.warp.batched.pictures import (
    gaussian_blur,
    numbers,
    sample_cubic,
    sample_mask,
)
from osmnet_sdk.rendering.warp.batched.posing import on_device
from osmnet_sdk.rendering.warp.batched.zbuffer import BatchCoverage
from osmnet_sdk.rendering.warp.scene import EYE, MOUTH, SKIN, Scene

_LEAST_PERSON, _LEAST_LID = 0.002, 0.01
"""Shares below which `shade` leaves out the person, or a closing lid."""


class BatchPainter:
    """Paints frames of one scene.

    Args:
        scene: the face and what frames show of it.
        device: where the pictures are and the painting is done.
    """

    def __init__(self, scene: Scene, device: torch.device) -> None:
        geometry, textures = scene.geometry, scene.textures
        self.mesh = on_device(geometry.model.triangles, device)
        self.grid = on_device(scene.grid.triangles, device)
        carried = [geometry.alpha[:, None], scene.mesh_source, geometry.lids]
        self._carried = on_device(np.concatenate(carried, axis=1), device)
        self._grid_source = on_device(scene.grid_source, device)
        layer = on_device(scene.layer, device)
        self._skin, self._eye, self._flows = layer == SKIN, layer == EYE, layer != MOUTH
        self._photo, self._lids, self._eyes, self._person, self._background = (
            on_device(picture, device)
            for picture in (
                textures.skin, textures.lids, textures.eyes, textures.person, scene.background
            )
        )  # fmt: skip
        self._pixels = scene.pixels

    def paint(self, mesh: BatchCoverage, grid: BatchCoverage, closing: Tensor) -> Tensor:
        """Everything but the form of closing lids and the mouth's inside.

        Args:
            mesh: what the head covers.
            grid: what the photo's relief covers.
            closing: (B, 2) share of the plain lid colour, left and right.

        Returns:
            (B, H, W, 3) float32, 0 to 255.
        """
        out, share = self._shade(mesh, grid, closing)
        sigma = max(0.6, 0.7 * self._pixels)
        step = (share - gaussian_blur(share, sigma)).abs()
        edge = ((step - 0.2) * 5).clamp(0, 1)[..., None]
        out = torch.lerp(out, gaussian_blur(out, sigma), edge)
        return self._with_eyes(out, mesh)

    def _shade(
        self, mesh: BatchCoverage, grid: BatchCoverage, closing: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The frames (B, H, W, 3), and the weight of the mesh's flow (B, H, W) in them."""
        shape = grid.triangle.shape
        covered = grid.triangle >= 0
        there = numbers(covered)
        place = closing.new_zeros(covered.numel(), 2)
        place[there] = grid.interpolate(self.grid, self._grid_source, there)
        share, lid = closing.new_zeros(2, covered.numel())
        own = numbers(mesh.shows(self._flows) & covered)
        carried = mesh.interpolate(self.mesh, self._carried, own)
        share[own] = carried[:, 0]
        place[own] = torch.lerp(place[own], carried[:, 1:3], carried[:, :1])
        frame = torch.div(own, shape[1] * shape[2], rounding_mode="floor")
        skin = self._skin[mesh.triangle.flatten()[own]]
        lid[own] = (carried[:, 3:] * closing[frame]).amax(-1) * skin
        shown = closing.new_zeros(covered.numel())
        shown[there] = sample_mask(self._person, place[there])
        person = numbers(shown > _LEAST_PERSON)
        colour = sample_cubic(self._photo, place[person])
        lidded = numbers(lid[person] > _LEAST_LID)
        closed = sample_cubic(self._lids, place[person[lidded]])
        colour[lidded] = torch.lerp(colour[lidded], closed, lid[person[lidded], None])
        out = self._background.float().repeat(shape[0], 1, 1, 1)
        flat = out.view(-1, 3)
        flat[person] = torch.lerp(flat[person], colour, shown[person, None])
        return out, share.view(shape)

    def _with_eyes(self, out: Tensor, mesh: BatchCoverage) -> Tensor:
        shown = mesh.shows(self._eye)
        eyes = numbers(shown)
        colours = out.clone()
        source = mesh.interpolate(self.mesh, self._carried[:, 1:3], eyes)
        colours.view(-1, 3)[eyes] = sample_cubic(self._eyes, source)
        soft = gaussian_blur(shown.float(), max(0.3, 0.5 * self._pixels))
        return torch.lerp(out, colours, soft.clamp(max=1)[..., None])
