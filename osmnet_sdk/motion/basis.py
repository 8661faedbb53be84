"""What each vector of the motion basis does (paper section IV-E2): its motion and its name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.network import MotionNetwork
from osmnet_sdk.motion.shaping import blend_steps, integrate_steps

Array = NDArray[np.float64]

STILL = 2.0
"""Degrees: an axis whose angle ranges over less within a clip has no part in the name."""

SHARE = 0.5
"""Nor has an axis that ranges over less than this part of the clip's largest range."""

RETURN = 0.5
"""An angle that ends within this part of its range from where it began swings; others turn."""

HELD_SECONDS = 1.0
"""How long a vector is held."""

HELD_STRENGTH = 0.15
"""Share of the way from the resting head's feature to a vector at which it is held; at this
strength the strongest of the starter bundle's vectors turns the head by about 15° in a second."""

SHOWN_PEAK = 20.0
"""Degrees to which a clip is scaled down for pictures of a face; most photos carry no more."""

SHOWN_SHIFT = 0.03
"""Metres of translation to which it is scaled down, so that the head stays in the picture."""

_SWINGS = ("nod", "shake", "rock")
_TURNS = (("nod down", "nod up"), ("turn left", "turn right"), ("tilt right", "tilt left"))
"""Names of each axis: angle above 0, angle below 0."""


@dataclass(frozen=True, eq=False)
class BasisVector:
    """One vector of the motion basis, decoded.

    Attributes:
        index: its row in the basis, 0 to S − 1.
        name: its action, as of `action_name`.
        clip: (T, 6), pitch, yaw, roll in degrees and x, y, z in metres, at 25 fps, relative to
            the first frame: what the vector alone decodes to.
        held: (26, 6), motion from rest when the vector is held at a strength of 0.15 for one
            second, its clips overlapping and being pulled to rest as in a take.
        attention: its mean share of the attention over the training clips, within [0, 1]; all
            shares add up to 1. None where the weights do not hold it.
    """

    index: int
    name: str
    clip: Array
    held: Array
    attention: float | None = None

    @property
    def label(self) -> str:
        """Its number as the model's card writes it, counted from 1: "b01"."""
        return f"b{self.index + 1:02d}"

    @property
    def peaks(self) -> Array:
        """(3,) degrees: pitch, yaw and roll of the clip where they are largest, with sign."""
        angles = self.clip[:, :3]
        peaks: Array = angles[np.abs(angles).argmax(axis=0), np.arange(3)]
        return peaks


def action_name(clip: ArrayLike) -> str:
    """The action of a clip, named by rule from the angles alone.

    - An axis takes part if its angle ranges over 2° or more, and over at least half of the
      largest range of the three. If none does, the clip is "still".
    - Each axis that takes part is named by where it ends: pitch "nod down" or "nod up", yaw "turn
      left" or "turn right", roll "tilt left" or "tilt right", sides being the subject's own. If it
      ends within half of its range from where it began, it has swung out and back: "nod",
      "shake" or "rock" (the head from shoulder to shoulder).
    - Several are joined, the largest range first: "turn left + nod down".

    Args:
        clip: (T, 3) or (T, 6), degrees, T ≥ 2; the first three columns are pitch, yaw, roll.
    """
    angles = np.asarray(clip, float)[:, :3]
    ranges = np.ptp(angles, axis=0)
    ends = angles[-1] - angles[0]
    parts = []
    for axis in np.argsort(-ranges, kind="stable"):
        if ranges[axis] < max(STILL, SHARE * ranges.max()):
            continue
        swings = abs(ends[axis]) < RETURN * ranges[axis]
        parts.append(_SWINGS[axis] if swings else _TURNS[axis][int(ends[axis] < 0)])
    return " + ".join(parts) or "still"


def basis_vectors(
    network: MotionNetwork,
    calibration: Calibration,
    attention: NDArray[np.float32] | None = None,
) -> list[BasisVector]:
    """Decode, name and hold each vector of a motion basis.

    Args:
        network: trained, on the CPU.
        calibration: of the same weights; its pull to rest acts on the held motion. Its gains do
            not: they make up for what is lost where many vectors are mixed.
        attention: (S,), share of each vector, as of `MotionSampler.attention`.

    Returns:
        S vectors, in the order of the basis.
    """
    with torch.no_grad():
        clips = network.decode(network.basis).numpy().astype(np.float64)
    held = _held(network, calibration)
    shares = [None] * len(clips) if attention is None else attention.tolist()
    return [
        BasisVector(index, action_name(clip), clip, held[index], shares[index])
        for index, clip in enumerate(clips)
    ]


def shown_poses(clip: ArrayLike, count: int) -> tuple[Array, float]:
    """Poses of a clip for pictures of a face, and the factor on them.

    Args:
        clip: (T, 6), degrees and metres, the first pose zero.
        count: poses wanted.

    Returns:
        (n, 6) with n = min(count, T − 1), spread evenly over the clip without its first pose, and
        the factor, 1 or less, that keeps every angle within 20° and every translation within 30 mm.
    """
    poses = np.asarray(clip, float)
    turn, shift = np.abs(poses[:, :3]).max(), np.abs(poses[:, 3:]).max()
    factor = float(1.0 / max(1.0, turn / SHOWN_PEAK, shift / SHOWN_SHIFT))
    last = len(poses) - 1
    frames = np.linspace(0, last, min(count, last) + 1).round().astype(int)[1:]
    return poses[frames] * factor, factor


def _held(network: MotionNetwork, calibration: Calibration) -> Array:
    """Motion while each vector is held: (S, 25 · seconds + 1, 6)."""
    with torch.no_grad():
        still = network.still_feature()
        clips = network.decode(still + HELD_STRENGTH * (network.basis - still)).numpy()
    overlap = network.config.clip_frames - 1
    frames = round(HELD_SECONDS * FPS)
    paths = []
    for clip in clips.astype(np.float64):
        steps = blend_steps(np.repeat(clip[None], frames + overlap - 1, axis=0))
        paths.append(integrate_steps(steps, calibration.leaks, float(calibration.drift)))
    return np.stack(paths)
