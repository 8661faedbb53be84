# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators: scriptable, with explicit properties.

Each that changes the scene is one undo step. Those that need the engine return at once in a window
and block in the background, or with `wait`; what goes wrong is one sentence, reported and shown in
the panel.
"""

from __future__ import annotations

from . import dropping, engine, files, frames, pins, ranges, sampling, setup, takes, transfer

CLASSES = (
    *engine.CLASSES,
    *setup.CLASSES,
    *sampling.CLASSES,
    *takes.CLASSES,
    *pins.CLASSES,
    *ranges.CLASSES,
    *frames.CLASSES,
    *files.CLASSES,
    *transfer.CLASSES,
    *dropping.CLASSES,
)
