# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering everything with Blender, in order, and taking it back."""

from __future__ import annotations

import atexit

import bpy

from . import preferences
from .engine import process as engine
from .frames import watch
from .ui import operators, panel, properties

_CLASSES = (
    *properties.CLASSES,
    preferences.OSMNetPreferences,
    *operators.CLASSES,
    *panel.CLASSES,
)


def register() -> None:
    """Register classes, properties, handlers and timers."""
    for item in _CLASSES:
        bpy.utils.register_class(item)
    properties.add_pointers()
    watch.start()
    atexit.register(engine.stop)


def unregister() -> None:
    """Take everything back; what is in the file stays and plays."""
    atexit.unregister(engine.stop)
    watch.stop()
    properties.remove_pointers()
    for item in reversed(_CLASSES):
        bpy.utils.unregister_class(item)
