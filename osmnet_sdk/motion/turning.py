"""Turn a head to a wanted pose by combining basis vectors (paper section IV-E3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls
from scipy.spatial.transform import Rotation

from osmnet_sdk.core.conventions import AXES, FPS
from osmnet_sdk.errors import InputError, ModelError
from osmnet_sdk.face.camera import euler_angles, rotation_matrix
from osmnet_sdk.motion.network import MotionNetwork
from osmnet_sdk.tracks import MotionTrack, Provenance

Array = NDArray[np.float64]

LIMIT = 45.0
"""Largest angle that may be asked for, in degrees; most photos carry less and a warning says so."""

TOLERANCE = 0.5
"""Degrees within which the wanted pose must be reached."""

_CLOSE = 0.05
"""Degrees at which no further clip is added."""

_CLIP_TURN = 4.0
"""Largest turn within one clip, in degrees: what real clips of every length hold."""

_PROGRESS = 0.01
"""Degrees that a clip must gain; a basis that gains less does not span the pose."""

_REFINEMENTS = 6
_SUM_WEIGHT = 100.0
"""Weight of the weights' sum among the residuals, so that it is 1 for all that matters."""

_EFFORT = 0.01
"""Weight of the motion in a mixture's parts: it chooses among mixtures, and hardly moves them."""


@dataclass(frozen=True, eq=False)
class HeadTurn:
    """A way from rest to a wanted pose, made of basis vectors.

    Attributes:
        motion: the way, 25 fps; its first pose is rest, its last is what was reached.
        weights: (K, S), the weight of each basis vector in each clip; rows are 0 or more and
            add up to 1.
        asked: (3,), the wanted pitch, yaw, roll relative to rest.
        residual: degrees, the angle of the rotation between what was reached and what was asked.
    """

    motion: MotionTrack
    weights: Array
    asked: Array
    residual: float

    @property
    def reached(self) -> Array:
        """(3,), pitch, yaw, roll of the last pose in degrees, relative to rest."""
        last: Array = self.motion.rotation[-1].astype(np.float64)
        return last


def wanted_rotation(angles: ArrayLike, rest: ArrayLike | None = None) -> Array:
    """Angles of a motion track, (3,) degrees, that bring a head to the wanted ones.

    Args:
        angles: (3,), wanted pitch, yaw, roll in degrees.
        rest: (3, 3), the resting head's rotation before the camera; `angles` are then those
            before the camera. None: they are relative to rest already.

    Raises:
        InputError: if an angle is not finite or beyond 45°.
    """
    wanted: Array = np.asarray(angles, float)
    for axis, value in zip(AXES, wanted, strict=True):
        if not abs(value) <= LIMIT:  # not a number is refused too
            raise InputError(
                f"{axis} must lie between −{LIMIT:g}° and {LIMIT:g}°, not {value:g}°: the photo "
                "does not show the head from further round."
            )
    if rest is None:
        return wanted
    turned: Array = np.asarray(rest, float).T @ rotation_matrix(wanted)
    return euler_angles(turned)


def turn_head(network: MotionNetwork, angles: ArrayLike) -> HeadTurn:
    """Chain clips of combined basis vectors until the head has the wanted pose.

    Each clip's feature is F̃ = w · B, as in the paper's reconstruction: w ≥ 0, sum 1, found by
    non-negative least squares so that the clip ends nearest to the wanted pose, or 4° on the
    way to it, with the head joint at its place of rest. The last pose of a clip is the first of
    the next, so each clip mends what the one before has missed.

    Args:
        network: trained, on the CPU.
        angles: (3,), pitch, yaw, roll in degrees relative to rest.

    Raises:
        ModelError: if the basis does not span the wanted pose to within 0.5°.
    """
    asked = np.asarray(angles, float)
    goal = rotation_matrix(asked)
    poses = [np.zeros((1, 6))]
    weights: list[Array] = []
    before = np.inf
    while True:
        last = poses[-1][-1]
        head = rotation_matrix(last[:3])
        left = Rotation.from_matrix(head.T @ goal).as_rotvec(degrees=True)
        residual = float(np.linalg.norm(left))
        if residual <= _CLOSE or before - residual < _PROGRESS:
            break
        before = residual
        turn = Rotation.from_rotvec(left * min(1.0, _CLIP_TURN / residual), degrees=True)
        target = np.concatenate([euler_angles(turn.as_matrix()), -head.T @ last[3:]])
        found, clip = _nearest_clip(network, target)
        weights.append(found)
        poses.append(continued(last, clip)[1:])
    if residual > TOLERANCE:
        raise ModelError(
            f"The motion basis of this bundle turns the head only to within {residual:.1f}° of "
            "the wanted pose; ask for a smaller angle or use another bundle."
        )
    path = np.concatenate(poses).astype(np.float32)
    size = network.config.basis_vectors
    return HeadTurn(
        MotionTrack(FPS, path[:, :3], path[:, 3:], Provenance(source="edited")),
        np.reshape(weights, (-1, size)),
        asked,
        residual,
    )


def continued(pose: ArrayLike, clip: ArrayLike) -> Array:
    """Poses of a clip that goes on from a pose.

    Args:
        pose: (6,), degrees and metres, where the clip begins.
        clip: (T, 6), relative to its first frame and in that frame's axes.

    Returns:
        (T, 6), in the axes of `pose`.
    """
    start, changes = np.asarray(pose, float), np.asarray(clip, float)
    head = rotation_matrix(start[:3])
    angles = euler_angles(head @ rotation_matrix(changes[:, :3]))
    return np.hstack([angles, start[3:] + changes[:, 3:] @ head.T])


def _nearest_clip(network: MotionNetwork, target: Array) -> tuple[Array, Array]:
    """Weights (S,) whose clip (T, 6) ends nearest to `target` (6,), in units of the pose scale.

    Of the many mixtures that end there, the one with the least motion in its parts: still vectors
    and a few that turn that way, not large motions that cancel.
    """
    scale = network.pose_scale.numpy().astype(np.float64)
    basis = network.basis.detach()
    size = len(basis)

    def end(weights: torch.Tensor) -> torch.Tensor:
        return network.decode((weights @ basis)[None])[0, -1]

    with torch.no_grad():
        alone = network.decode(basis)[:, -1].numpy() / scale
    effort = _EFFORT * np.linalg.norm(alone, axis=1)
    weights = np.full(size, 1.0 / size)
    for _ in range(_REFINEMENTS):  # the decoder is not linear: least squares around the last guess
        point = torch.from_numpy(weights.astype(np.float32)).requires_grad_()
        reached = end(point)
        slopes = [torch.autograd.grad(value, point, retain_graph=True)[0] for value in reached]
        rows = torch.stack(slopes).numpy().astype(np.float64)
        wanted = target - reached.detach().numpy() + rows @ weights
        sums = np.stack([np.full(size, _SUM_WEIGHT), effort])
        weights, _ = nnls(
            np.vstack([rows / scale[:, None], sums]),
            np.concatenate([wanted / scale, [_SUM_WEIGHT, 0.0]]),
        )
        weights /= weights.sum()
    with torch.no_grad():
        mixed = torch.from_numpy(weights.astype(np.float32)) @ basis
        clip = network.decode(mixed[None])[0].numpy()
    return weights, clip.astype(np.float64)
