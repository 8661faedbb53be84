# SPDX-License-Identifier: GPL-3.0-or-later
"""The plane while frames arrive, and after undo or loading."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import bpy

from .. import preferences, status
from ..core.cache import FrameStore
from ..core.errors import AddonError
from ..rig.head import rig_of_id
from . import plane

_RELOAD_SECONDS = 0.25
"""Least time between two reloads of the picture while frames arrive."""


class Showing:
    """The plane while frames arrive: a sequence that fills up.

    Args:
        rig: whose plane it is.
        store: where frames are kept.
        keys: of all frames, in order.
        first: scene frame of the first one.
        size: (height, width) of the frames in pixels.
        settings: what the frames are made with.

    Raises:
        AddonError: if the plane is gone or the disk refuses; then nothing has changed.
    """

    def __init__(
        self, rig: bpy.types.Object, store: FrameStore, keys: list[str], first: int,
        size: tuple[int, int], settings: dict[str, Any],
    ) -> None:  # fmt: skip
        self._rig_id, self._store, self._keys, self._first = rig.osmnet.rig_id, store, keys, first
        self._before, self._made_with = rig.osmnet.sequence, rig.osmnet.made_with
        self._old = self._remembered(rig)
        self._places: dict[str, list[int]] = {}
        for number, key in enumerate(keys):
            self._places.setdefault(key, []).append(number)
        self._size, self._last_reload = size, 0.0
        self._show(rig)
        rig.osmnet.made_with = json.dumps(settings, sort_keys=True)

    @staticmethod
    def _remembered(rig: bpy.types.Object) -> tuple[Any, ...]:
        node = plane.texture_of(rig.osmnet.plane)
        user, image = node.image_user, node.image
        shown = (image.name, image.filepath) if image is not None else ("", "")
        times = (user.frame_start, user.frame_duration, user.frame_offset)
        return shown, times, tuple(rig.osmnet.plane.scale)

    def _show(self, rig: bpy.types.Object) -> None:
        self._folder = self._lay_out(rig)
        rig.osmnet.sequence = str(self._folder)
        plane.fit_plane(rig.osmnet.plane, self._size)
        plane.show_sequence(rig.osmnet.plane, self._folder, self._first, len(self._keys))

    def _lay_out(self, rig: bpy.types.Object) -> Path:
        previous = Path(self._before) if self._before else None
        with tempfile.TemporaryDirectory(prefix="osmnet-") as name:
            still = _unpacked(rig.osmnet.still, Path(name))
            folder = self._store.lay_out(self._keys, still, previous)
        self._store.use(folder)
        return folder

    def arrived(self, key: str) -> None:
        """A frame is on disk: keep it, and show it where it belongs."""
        self._store.adopt(key)
        for number in self._places[key]:
            self._store.place(self._folder, number, key)
        now = time.perf_counter()
        if now - self._last_reload > _RELOAD_SECONDS:
            self._last_reload = now
            plane.refresh(rig_of_id(self._rig_id).osmnet.plane)

    def undone(self) -> bool:
        """Whether undo has taken this sequence off the plane meanwhile."""
        return bool(rig_of_id(self._rig_id).osmnet.sequence != str(self._folder))

    def finish(self) -> None:
        """Show everything that has arrived."""
        self._show(rig_of_id(self._rig_id))

    def put_back(self) -> None:
        """Show what was there before."""
        rig = rig_of_id(self._rig_id)
        (name, path), times, scale = self._old
        image = bpy.data.images.get(name)
        node = plane.texture_of(rig.osmnet.plane)
        made, node.image = node.image, image
        if made is not None and made != image and not made.users:
            bpy.data.images.remove(made)
        if image is not None:
            image.filepath = path
        user = node.image_user
        user.frame_start, user.frame_duration, user.frame_offset = times
        rig.osmnet.plane.scale = scale
        rig.osmnet.sequence, rig.osmnet.made_with = self._before, self._made_with
        plane.refresh(rig.osmnet.plane)


def _unpacked(image: bpy.types.Image | None, folder: Path) -> Path | None:
    """The bytes of a packed picture as a file, for frames that have not arrived."""
    if image is None or image.packed_file is None:
        return None
    path = folder / "still.png"
    path.write_bytes(image.packed_file.data)
    return path


def refresh_sequences() -> None:
    """After undo or loading: note which sequences are in use, and read their files again."""
    store = preferences.frame_store()
    for rig in _rigs():
        state = rig.osmnet
        if state.plane is None or not state.sequence:
            continue
        try:
            store.use(Path(state.sequence))
            plane.refresh(state.plane)
        except AddonError as error:
            status.get().error = str(error)
        if not Path(state.sequence).is_dir():
            status.get().note = "The frames are not on this computer; press Render Frames."


def sequences_in_use() -> list[Path]:
    """The sequences that planes of this file show."""
    return [Path(rig.osmnet.sequence) for rig in _rigs() if rig.osmnet.sequence]


def _rigs() -> list[bpy.types.Object]:
    return [item for item in bpy.data.objects if item.type == "ARMATURE" and item.osmnet.rig_id]
