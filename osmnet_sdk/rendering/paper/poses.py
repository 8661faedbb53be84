"""Poses in torch, so that gradients of a frame reach the motion decoder."""

from __future__ import annotations

import torch
from torch import Tensor


def rotation_matrices(angles: Tensor) -> Tensor:
    """Matrices R_y(yaw) · R_x(pitch) · R_z(roll) of angles in degrees.

    Args:
        angles: (…, 3) pitch, yaw, roll.

    Returns:
        (…, 3, 3).
    """
    pitch, yaw, roll = torch.deg2rad(angles).unbind(-1)
    (cp, cy, cr), (sp, sy, sr) = (
        [function(angle) for angle in (pitch, yaw, roll)] for function in (torch.cos, torch.sin)
    )
    rows = [
        torch.stack([cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp], -1),
        torch.stack([cp * sr, cp * cr, -sp], -1),
        torch.stack([cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp], -1),
    ]
    return torch.stack(rows, -2)


def rotation_angles(matrices: Tensor) -> Tensor:
    """Angles (…, 3) in degrees (pitch, yaw, roll) of matrices (…, 3, 3), pitch within ±90°."""
    sine = (-matrices[..., 1, 2]).clamp(-1 + 1e-6, 1 - 1e-6)  # its slope has no bound at 1
    return torch.rad2deg(
        torch.stack(
            [
                torch.asin(sine),
                torch.atan2(matrices[..., 0, 2], matrices[..., 2, 2]),
                torch.atan2(matrices[..., 1, 0], matrices[..., 1, 1]),
            ],
            -1,
        )
    )


def chained_poses(start: Tensor, clips: Tensor) -> Tensor:
    """Put clips one after the other: the last pose of each is the first of the next.

    Args:
        start: (B, 6) degrees and metres, where the first clip begins.
        clips: (B, N, T, 6), each relative to its first frame and in that frame's axes.

    Returns:
        (B, N (T − 1) + 1, 6), in the frame of `start`.
    """
    rotation, place = rotation_matrices(start[:, :3]), start[:, 3:]
    poses = [start[:, None]]
    for clip in clips.unbind(1):
        turned = rotation[:, None] @ rotation_matrices(clip[:, 1:, :3])
        moved = place[:, None] + (rotation[:, None] @ clip[:, 1:, 3:, None]).squeeze(-1)
        poses.append(torch.cat([rotation_angles(turned), moved], dim=-1))
        rotation, place = turned[:, -1], moved[:, -1]
    return torch.cat(poses, dim=1)
