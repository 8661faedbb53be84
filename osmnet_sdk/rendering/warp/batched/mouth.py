"""The inside of the mouth in batches of frames: what `mouth` paints, on any device of torch."""

from __future__ import annotations

import torch
from torch import Tensor

from osmnet_sdk.face.landmark_sets import LOWER_LIP, UPPER_LIP
from osmnet_sdk.rendering.warp.batched.pictures import (
    gaussian_blur,
    numbers,
    sample_cubic,
    sample_mask,
)
from osmnet_sdk.rendering.warp.batched.posing import HeadBatch, on_device
from osmnet_sdk.rendering.warp.batched.zbuffer import BatchCoverage
from osmnet_sdk.rendering.warp.look import MOUTH
from osmnet_sdk.rendering.warp.mouth import LOWER, TONGUE_KIND, MouthPainter


class BatchMouthPainter:
    """Paints the inside of one head's mouth.

    Args:
        painter: what paints it in single frames.
        triangles: (F, 3) int64 of the head, on the device.
        device: where the painting is done.
    """

    def __init__(self, painter: MouthPainter, triangles: Tensor, device: torch.device) -> None:
        self._triangles = triangles
        self._kind = on_device(painter.kind, device)
        self._values = on_device(painter.values, device)
        self._palette = on_device(painter.palette, device)
        self._photo = on_device(painter.photo, device)
        self._photo_share = on_device(painter.photo_share, device)

    def paint(self, heads: HeadBatch, mesh: BatchCoverage, pixels: float) -> tuple[Tensor, Tensor]:
        """Colours of the mouth's inside, and how much of them shows.

        Args:
            heads: the posed heads.
            mesh: what they cover.
            pixels: frame pixels for each pixel of a 256 crop.

        Returns:
            (B, H, W, 3) float32, 0 to 255, and (B, H, W, 1) float32, 0 to 1.
        """
        shown = mesh.shows(self._kind > 0)
        where = numbers(shown)
        vertices = heads.vertices
        upper, lower = heads.landmarks[:, UPPER_LIP], heads.landmarks[:, LOWER_LIP]
        values = self._values.repeat(len(vertices), 1, 1)
        values[..., 2] = upper[:, None, 2] - vertices[..., 2]
        values[..., 3] = vertices[..., 0]
        frame = torch.div(where, shown[0].numel(), rounding_mode="floor")
        colours = vertices.new_zeros(*shown.shape, 3)
        colours.view(-1, 3)[where] = self._colours(
            kind=self._kind[mesh.triangle.flatten()[where]],
            values=mesh.interpolate(self._triangles, values, where),
            opening=(upper[:, 1] - lower[:, 1]).clamp(min=0)[frame],
            lips=(_run(shown, pixels).view(-1, 2)[where]),
        )
        sigma = max(0.3, 0.5 * pixels)
        share = gaussian_blur(shown.float(), sigma)[..., None]
        return gaussian_blur(colours, sigma) / share.clamp(min=1e-3), share

    def _colours(self, kind: Tensor, values: Tensor, opening: Tensor, lips: Tensor) -> Tensor:
        """(n, 3) colours of n pixels, see `mouth`."""
        along, up, depth, across = values[:, :4].unbind(-1)
        above, below = lips.unbind(-1)
        tongue = kind == TONGUE_KIND
        teeth = kind <= LOWER
        behind = (depth - MOUTH.lips_depth).clamp(min=0)
        light = torch.exp(-behind / (opening * MOUTH.reach_open + MOUTH.reach))
        light = light * torch.where(teeth, torch.exp(-((along / MOUTH.arch) ** 2)), 1)
        shadow = _rising(MOUTH.upper_light, above / MOUTH.upper_shadow)
        shadow = shadow * _rising(MOUTH.lower_light, below / MOUTH.lower_shadow)
        tooth = _between_teeth(along) * torch.where(kind == LOWER, MOUTH.lower_teeth, 1.0)
        groove = 1 - torch.exp(-((across / MOUTH.groove_width) ** 2)) * MOUTH.groove
        shadow = shadow * torch.where(teeth, tooth, torch.where(tongue, groove, 1))
        of_tooth, of_gum, palate, of_tongue, deepest, of_seam = self._palette
        gum = _smooth((up - MOUTH.gum_line) / MOUTH.gum_edge)[:, None]
        soft = torch.where(tongue[:, None], of_tongue, palate)
        colour = torch.where(teeth[:, None], torch.lerp(of_tooth, of_gum, gum), soft)
        colour = deepest + (colour * shadow[:, None] - deepest) * light[:, None]
        known = sample_mask(self._photo_share, values[:, 4:])
        known = torch.where(known > 0.01, known, 0)[:, None]
        colour = torch.lerp(colour, sample_cubic(self._photo, values[:, 4:]), known)
        seam = 1 - _smooth((above + below) / MOUTH.seam_width)
        return torch.lerp(colour, of_seam.expand_as(colour), seam[:, None])


def _between_teeth(along: Tensor) -> Tensor:
    """Brightness across a tooth, darker in the narrow line where two of them meet."""
    tooth = along / MOUTH.tooth_width
    off = (tooth - tooth.floor() - 0.5).abs() * 2  # 1 between two teeth
    start = MOUTH.tooth_gap_start
    return 1 - _smooth((off - start) / (1 - start)) * MOUTH.tooth_gap


def _run(shown: Tensor, pixels: float) -> Tensor:
    """How far the lips are above and below, in pixels of a 256 crop: (B, H, W, 2)."""
    height = shown.shape[1]
    row = torch.arange(height, device=shown.device)[:, None].expand_as(shown)
    above = torch.where(shown, -1, row).cummax(1).values
    below = torch.where(shown, height, row).flip(1).cummin(1).values.flip(1)
    return (torch.stack([row - above, below - row], dim=-1) - 0.5) / pixels


def _rising(least: float, t: Tensor) -> Tensor:
    """From `least` at 0 to 1 at 1."""
    return _smooth(t) * (1 - least) + least


def _smooth(t: Tensor) -> Tensor:
    t = t.clamp(0, 1)
    return t * t * (3 - 2 * t)
