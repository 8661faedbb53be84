# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on now and what was said last; the panel shows it, and asks to be told of changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from .core.errors import AddonError

_listeners: list[Callable[[], None]] = []


def get() -> Any:
    """The window manager's `OSMNetStatus`."""
    return bpy.data.window_managers[0].osmnet


def show_error(error: AddonError | None) -> None:
    """Put an error's sentence into the panel, or take it away."""
    status = get()
    status.error = str(error) if error is not None else ""
    status.details = error.details if error is not None else ""


def listen(listener: Callable[[], None]) -> None:
    """Call this whenever something may have changed."""
    _listeners.append(listener)


def ignore(listener: Callable[[], None]) -> None:
    """Undo `listen`."""
    if listener in _listeners:
        _listeners.remove(listener)


def changed() -> None:
    """Tell those who show the status to look at it."""
    for listener in _listeners:
        listener()
