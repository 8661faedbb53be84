# SPDX-License-Identifier: GPL-3.0-or-later
"""Which voice takes are made from, and whether a take was made from the one chosen now."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import bpy

from ..core.errors import AddonError
from . import actions, nla

_LARGE = 64_000_000
"""Bytes up to which a file is read whole; of larger ones, its start, middle and end."""
_PART = 4_000_000
_FRESH = 1.0
"""Seconds for which a file is not looked at again: panels are drawn often."""

_seen: dict[str, tuple[float, object, str]] = {}


_FIELDS = ("voice", "voice_start", "channel", "channel_number", "track")


def fields(source: Any) -> dict[str, Any]:
    """All that belongs to the voice in the properties of a rig or of the panel."""
    return {name: getattr(source, name) for name in _FIELDS}


def put(target: Any, values: dict[str, Any]) -> None:
    """Set `fields` in the properties of a rig or of the panel."""
    for name, value in values.items():
        setattr(target, name, value)


def parameters(source: Any) -> dict[str, Any]:
    """Channel and track of a voice for the engine; nothing where the choice is left to it."""
    channel = source.channel_number if source.channel == "number" else source.channel
    named = {"channel": channel} if channel != "auto" else {}
    return {**named, "track": source.track} if source.track else named


def note(action: bpy.types.Action, voice: Path) -> None:
    """Keep with a take what its voice's file was, so that another one is told from it."""
    action[actions.KEY][actions.VOICE] = file_digest(voice)


def copy_note(action: bpy.types.Action, of: bpy.types.Action) -> None:
    """The same voice for a take that was made of another."""
    if actions.VOICE in of[actions.KEY]:
        action[actions.KEY][actions.VOICE] = of[actions.KEY][actions.VOICE]


def mismatch(rig: bpy.types.Object) -> str:
    """A sentence if the chosen take was made from another voice than the rig's, else ""."""
    try:
        take = nla.chosen_take(rig)
    except AddonError:
        return ""
    if not rig.osmnet.voice or not actions.is_ours(take.action):
        return ""
    voice = Path(bpy.path.abspath(rig.osmnet.voice))
    made_from = str(actions.provenance_of(take.action).get("audio") or "")
    noted, now = str(take.action[actions.KEY].get(actions.VOICE, "")), file_digest(voice)
    if noted and now:
        other = noted != now
    else:
        other = bool(made_from) and Path(made_from).name != voice.name
    if not other:
        return ""
    if Path(made_from).name == voice.name:
        return f"'{take.name}' was made from '{made_from}' before that file was changed."
    return f"'{take.name}' was made from another voice: '{made_from}', not '{voice.name}'."


def file_digest(path: Path) -> str:
    """What tells a file from others, "" if it cannot be read; looked at once a second at most."""
    known = _seen.get(str(path))
    if known is not None and time.monotonic() - known[0] < _FRESH:
        return known[2]
    try:
        stat = path.stat()
        state = (stat.st_mtime_ns, stat.st_size)
        digest = known[2] if known is not None and known[1] == state else _digest(path)
    except OSError:
        state, digest = (0, 0), ""
    _seen[str(path)] = (time.monotonic(), state, digest)
    return digest


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        digest = hashlib.sha256(str(size).encode())
        places = [0] if size <= _LARGE else [0, size // 2, size - _PART]
        for place in places:
            stream.seek(place)
            digest.update(stream.read(_LARGE if len(places) == 1 else _PART))
    return digest.hexdigest()
