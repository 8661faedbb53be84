# SPDX-License-Identifier: GPL-3.0-or-later
"""Pins: poses that sampled takes meet at frames of the scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .conventions import AXES
from .errors import AddonError
from .timing import frame_time

LARGEST_ANGLE = 80.0
"""Degrees that the engine lets a pin have at most, on each axis."""

LARGEST_PLACE = 0.5
"""Metres that the engine lets a pin have at most, along each axis."""


@dataclass(frozen=True)
class Pin:
    """A pose at a frame.

    Attributes:
        name: what the animator calls it.
        frame: of the scene.
        pose: pitch, yaw, roll in radians, x, y, z in metres; None leaves an axis free.
    """

    name: str
    frame: int
    pose: tuple[float | None, ...]


def check_pose(pose: Sequence[float]) -> None:
    """Hold that a pose of 6 numbers, radians and metres, can be asked for.

    Raises:
        AddonError: if it cannot.
    """
    for name, value in zip(AXES, pose[:3], strict=True):
        if abs(math.degrees(value)) > LARGEST_ANGLE:
            raise AddonError(
                f"The head has {math.degrees(value):.0f}° of {name} here; "
                f"a pin may have {LARGEST_ANGLE:g}° at most."
            )
    farthest = max(pose[3:], key=abs)
    if abs(farthest) > LARGEST_PLACE:
        raise AddonError(
            f"The head is {abs(farthest):.2f} m off its rest here; "
            f"a pin may be {LARGEST_PLACE:g} m off at most."
        )


def pin_parameters(pins: Sequence[Pin], start: float, rate: Fraction) -> list[dict[str, Any]]:
    """Pins as the engine takes them, in seconds, degrees and metres.

    Args:
        pins: in any order; their poses may be None on all axes, which is no pin.
        start: scene frame at which the voice begins.
        rate: frames per second of the scene.

    Raises:
        AddonError: if a pin lies before the voice.
    """
    found = []
    for pin in sorted(pins, key=lambda one: one.frame):
        if all(value is None for value in pin.pose):
            continue
        if pin.frame < start:
            raise AddonError(
                f"'{pin.name}' lies at frame {pin.frame}, before the voice, which begins at "
                f"frame {start:g}; move or delete it."
            )
        angles = [None if value is None else math.degrees(value) for value in pin.pose[:3]]
        found.append(
            {
                "time": frame_time(pin.frame, start, rate),
                "rotation": angles,
                "translation": list(pin.pose[3:]),
            }
        )
    return found
