# SPDX-License-Identifier: GPL-3.0-or-later
"""Where OSM-Net's Python is, as the SDK finds it, with the add-on's own errors."""

from __future__ import annotations

import os
from pathlib import Path

from . import finding
from .errors import AddonError
from .finding import (
    ENVIRONMENTS,
    candidates,
    clean_environment,
    engine_command,
    find,
    installed_version,
    no_window,
    user_cache,
    user_data,
)

__all__ = [
    "ENVIRONMENTS", "candidates", "clean_environment", "engine_command", "find",
    "installed_version", "no_window", "python_of", "user_cache", "user_data",
]  # fmt: skip


def python_of(path: str | os.PathLike[str]) -> Path:
    """The Python of a path, see `finding.python_of`.

    Raises:
        AddonError: if there is none.
    """
    try:
        return finding.python_of(path)
    except finding.NoPython as error:
        raise AddonError(str(error)) from error
