# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preferences say: engine, device, bundle of weights, and the cache of frames."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import bpy

from .core import locate
from .core.cache import FrameStore

ADDON = __package__
"""Name of the add-on, by which Blender keeps its preferences."""

DEFAULT_BUNDLE = "starter"
"""Name of the bundle that the engine brings along."""


def get() -> Any:
    """The add-on's preferences."""
    return bpy.context.preferences.addons[ADDON].preferences


def bundle() -> str:
    """Name or absolute folder of the bundle of weights."""
    chosen = str(get().bundle).strip() or DEFAULT_BUNDLE
    separators = [mark for mark in (os.sep, os.altsep, "//") if mark]
    if any(mark in chosen for mark in separators):
        return str(Path(bpy.path.abspath(chosen)).expanduser())
    return chosen


def cache_folder() -> Path:
    """The folder of the cache.

    Blender deletes an extension's own folder with the extension, and frames of saved files with it;
    so the cache is not in there.
    """
    chosen = get().cache_folder
    if chosen:
        return Path(bpy.path.abspath(chosen))
    return locate.user_cache(dict(os.environ), Path.home(), sys.platform) / "osmnet" / "frames"


def frame_store() -> FrameStore:
    """The cache of frames."""
    return FrameStore(cache_folder(), int(get().cache_gigabytes * 1e9))
