# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering everything with Blender, in order, and taking it back."""

from __future__ import annotations

import atexit

import bpy

from . import status
from .engine import process
from .frames import watch
from .ui import directing, operators, panel, preferences, properties, redraw

_CLASSES = (
    *properties.CLASSES,
    *preferences.CLASSES,
    *operators.CLASSES,
    *panel.CLASSES,
    *directing.CLASSES,
    operators.dropping.OSMNET_FH_drop,
)


def register() -> None:
    """Register classes, properties, handlers and timers."""
    for item in _CLASSES:
        bpy.utils.register_class(item)
    properties.add_pointers()
    status.listen(redraw.sidebars)
    watch.start()
    operators.dropping.start()
    atexit.register(process.stop)


def unregister() -> None:
    """Take everything back; what is in the file stays and plays."""
    atexit.unregister(process.stop)
    operators.dropping.stop()
    watch.stop()
    status.ignore(redraw.sidebars)
    properties.remove_pointers()
    for item in reversed(_CLASSES):
        bpy.utils.unregister_class(item)
