# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of angles, which are shown in degrees."""

from __future__ import annotations

from math import radians
from typing import Any

from bpy.props import FloatProperty

from ..core.pins import LARGEST_ANGLE


def angle(name: str, description: str) -> Any:
    """An angle that a head can be asked for; radians for scripts."""
    most = radians(LARGEST_ANGLE)
    return FloatProperty(
        name=name, description=description, unit="ROTATION", subtype="ANGLE", min=-most, max=most
    )
