"""What values of options may be: gains, times, poses and names, each checked with its own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from osmnet_sdk.core.conventions import ARKIT_NAMES, AXES
from osmnet_sdk.core.named_options import near_name
from osmnet_sdk.errors import InputError

LARGEST_ANGLE = 80.0
"""Largest angle that may be asked for, in degrees; Euler angles degenerate at a pitch of 90°."""

LARGEST_PLACE = 0.5
"""Largest translation that may be asked for, in metres."""

Gain = Annotated[float, Field(ge=0.0, le=3.0)]
Seconds = Annotated[float, Field(ge=0.0)]


def check_axes(pose: tuple[float | None, ...]) -> None:
    """Hold pitch, yaw, roll and x, y, z, or the first of them, against the largest allowed ones.

    Raises:
        InputError: if one is beyond.
    """
    for index, value in enumerate(pose):
        name, largest, unit = (*AXES, "x", "y", "z")[index], LARGEST_ANGLE, "°"
        if index >= len(AXES):
            largest, unit = LARGEST_PLACE, " m"
        if value is not None and abs(value) > largest:
            raise InputError(
                f"A head cannot be asked for {name} = {value:g}{unit}; it must be "
                f"−{largest:g} to {largest:g}{unit}."
            )


def _checked_pose(pose: Sequence[float]) -> tuple[float, ...]:
    if len(pose) not in (3, 6):
        raise InputError(
            f"A start or end pose has 3 angles in degrees, or these and 3 translations in metres, "
            f"not {len(pose)} numbers."
        )
    check_axes(tuple(pose))
    return tuple(pose)


def checked_range(times: tuple[float, float]) -> tuple[float, float]:
    """A range of time, start and end in seconds.

    Raises:
        InputError: if it does not end after it starts.
    """
    if not times[0] < times[1]:
        raise InputError(
            f"A range of time must end after it starts; {times[0]:g} to {times[1]:g} s does not."
        )
    return times


def _checked_name(name: str) -> str:
    if name not in ARKIT_NAMES:
        near = near_name(name, ARKIT_NAMES)
        hint = near if near.endswith("?") else "osmnet_sdk.ARKIT_NAMES lists them."
        raise InputError(f"'{name}' is none of the 52 ARKit coefficients; {hint}")
    return name


Pose = Annotated[Sequence[float], AfterValidator(_checked_pose)]
TimeRange = Annotated[tuple[Seconds, Seconds], AfterValidator(checked_range)]
ArkitName = Annotated[str, AfterValidator(_checked_name)]
Offset = Annotated[float, Field(ge=-1.0, le=1.0)]
Axes = tuple[float | None, float | None, float | None]
