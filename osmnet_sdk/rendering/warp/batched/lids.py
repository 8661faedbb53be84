"""The form of closing lids: what `lids` shades, on any device of torch."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from osmnet_sdk.rendering.warp.lids import LidLine
from osmnet_sdk.rendering.warp.look import LIDS


def shade_lid(out: Tensor, line: LidLine, strength: float, lash: Tensor) -> None:
    """Give one upper lid its form.

    Args:
        out: (H, W, 3) float32 frame, changed in place.
        line: the lid's edge in the frame.
        strength: how far the eye is closed, 0 to 1.
        lash: (3,) colour of the lashes.
    """
    box = out[line.rows, line.columns]
    dy = torch.arange(box.shape[0], device=out.device)[:, None] - float(line.start[1])
    dx = torch.arange(box.shape[1], device=out.device) - float(line.start[0])
    place = dx * float(line.along[0]) + dy * float(line.along[1])
    below = dx * float(line.across[0]) + dy * float(line.across[1])
    first, second, third = (float(value) for value in line.arc)
    below = below - ((first * place + second) * place + third)
    ends = (4 * place * (1 - place)).clamp(min=0).sqrt()
    pixel = float(line.pixel)
    up = -below / (ends * LIDS.height + pixel)  # 0 at the edge, 1 at the crease
    light = -torch.exp(-(((up - 1) / LIDS.crease_width) ** 2)) * LIDS.crease
    light = light - torch.where(up > 0, torch.exp(-up * LIDS.edge_fall) * LIDS.edge, 0)
    bulge = torch.sin(math.pi * up) * LIDS.bulge
    light = light + torch.where((up > 0) & (up < 1), bulge, 0)
    light = 1 + light * strength * ends
    off = below / (torch.where(below > 0, LIDS.lashes_below, LIDS.lashes_above) * pixel)
    hair = ends * torch.exp(-(off**2)) * (LIDS.lashes * strength)
    colour = torch.lerp(box * light[..., None], lash, hair[..., None])
    box.copy_(torch.where(((place > 0) & (place < 1))[..., None], colour, box))
