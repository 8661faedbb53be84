# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that follow the curves: which ones changed, rendering them, showing them on the plane."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import actions, evaluation, nla, plane, preferences
from .core import keys as frame_keys
from .core.cache import FrameStore
from .core.channels import performance_values
from .core.errors import AddonError, JobCancelled
from .core.sequences import read_index
from .jobs import Request, Steps
from .rig import rig_of_id

_RELOAD_SECONDS = 0.25
"""Least time between two reloads of the picture while frames arrive."""
_NOT_SEEN = ("range", "take")
"""What is noted with the frames though their pixels do not depend on it."""


@dataclass(frozen=True)
class Plan:
    """All frames of a performance in a scene, and what each is made of.

    Attributes:
        first: scene frame of the first.
        keys: one per frame; equal keys mean equal pixels.
        rotation: (N, 3) float32 degrees.
        translation: (N, 3) float32 metres.
        coefficients: (N, 52) float32.
        wanted: numbers of the frames that are to be rendered now, if they are not there.
    """

    first: int
    keys: list[str]
    rotation: np.ndarray
    translation: np.ndarray
    coefficients: np.ndarray
    wanted: list[int]


def size_parameter(size: str) -> Any:
    """A frame size of the panel as the engine takes it."""
    return size if size in ("crop", "photo") else [int(size), int(size)]


def pixel_size(rig: bpy.types.Object, size: str) -> tuple[int, int]:
    """(height, width) in pixels of frames of a size."""
    if size in ("crop", "photo"):
        height, width = rig.osmnet.crop if size == "crop" else rig.osmnet.photo_size
        return int(height), int(width)
    return int(size), int(size)


def make_plan(
    rig: bpy.types.Object, scene: bpy.types.Scene, made_with: Mapping[str, Any], range_: str
) -> Plan:
    """Read the rig over the take's frames and name each frame by what makes it.

    Args:
        rig: the head rig.
        scene: its frame rate and range.
        made_with: what else than values the frames depend on, with the engine's "window".
        range_: "TAKE", or "SCENE" to want only frames within the scene's range.

    Raises:
        AddonError: if there is no take, or it was laid out for another frame rate.
    """
    timings = [actions.timing_of(take.action) for take in nla.playing_takes(rig)]
    rate = actions.scene_rate(scene)
    if any(timing.rate != rate for timing in timings):
        raise AddonError(
            f"The takes are laid out for {float(timings[0].rate):g} frames per second, the scene "
            f"has {float(rate):g}; press Fit Takes to Scene."
        )
    frames = max((timing.scene_frames for timing in timings), key=len)
    if not len(frames):
        raise AddonError("The take is shorter than one frame of this scene.")
    rotation, translation, coefficients = frame_keys.quantise(
        *performance_values(evaluation.read(rig, frames))
    )
    context = {name: value for name, value in made_with.items() if name not in _NOT_SEEN}
    keys = frame_keys.frame_keys(
        rotation, translation, coefficients, context, int(made_with.get("window", 0))
    )
    wanted = [i for i, frame in enumerate(frames) if range_ == "TAKE" or _in_range(scene, frame)]
    return Plan(frames[0], keys, rotation, translation, coefficients, wanted)


def _in_range(scene: bpy.types.Scene, frame: int) -> bool:
    if scene.use_preview_range:
        return scene.frame_preview_start <= frame <= scene.frame_preview_end
    return scene.frame_start <= frame <= scene.frame_end


def missing(plan: Plan, store: FrameStore) -> list[int]:
    """Numbers of the wanted frames that no file shows yet, each key once."""
    first_of = {plan.keys[number]: number for number in reversed(plan.wanted)}
    return [first_of[key] for key in store.missing([plan.keys[n] for n in plan.wanted])]


def made_with(rig: bpy.types.Object) -> dict[str, Any]:
    """What the frames on the plane were made with; empty if there are none."""
    return json.loads(rig.osmnet.made_with) if rig.osmnet.made_with else {}


def changed_frames(rig: bpy.types.Object, scene: bpy.types.Scene) -> int:
    """How many frames on the plane do not show what the curves say now."""
    settings = made_with(rig)
    plan = make_plan(rig, scene, settings, settings.get("range", "TAKE"))
    index = read_index(Path(rig.osmnet.sequence))
    shown = index.keys if index is not None else []
    waiting = set(missing(plan, preferences.frame_store()))
    return len(waiting.union(frame_keys.changed(shown, plan.keys)) & set(plan.wanted))


def render(
    rig: bpy.types.Object, scene: bpy.types.Scene, size: str, label: bool, range_: str
) -> Steps:
    """A job: render the frames that are not there and show all on the plane.

    The plane shows frames as they arrive. If the job is cancelled what has arrived stays; if it
    fails the plane shows what it showed before.
    """
    rig_id, scene_name = rig.osmnet.rig_id, scene.name
    portrait = _portrait(rig)
    info = yield Request("check", {})
    rig, scene = rig_of_id(rig_id), bpy.data.scenes[scene_name]
    settings = {
        "photo": _file_digest(str(portrait), portrait.stat().st_mtime_ns),
        "face": rig.osmnet.face_index,
        "engine": info["version"],
        "bundle": info["bundle_sha256"],
        "window": info["window"],
        "size": size,
        "label": label,
        "range": range_,
        "take": nla.playing_takes(rig)[0].name,
    }
    plan = make_plan(rig, scene, settings, range_)
    store = preferences.frame_store()
    todo = missing(plan, store)
    showing = _Showing(rig, store, plan, pixel_size(rig, size))
    try:
        if todo:
            yield from _render_missing(rig, plan, todo, store, settings, showing)
    except JobCancelled:
        showing.finish(settings)
        raise
    except AddonError:
        showing.put_back()
        raise
    showing.finish(settings)
    store.prune(keep=_sequences_in_use())
    _status().changed = 0
    made = {plan.keys[number] for number in todo}
    count = sum(plan.keys[number] in made for number in plan.wanted)
    return f"{count} of {len(plan.keys)} frames rendered."


def _render_missing(
    rig: bpy.types.Object, plan: Plan, todo: list[int], store: FrameStore,
    settings: dict[str, Any], showing: _Showing,
) -> Steps:  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="osmnet-") as folder:
        tracks = Path(folder) / "tracks.npz"
        np.savez(
            tracks,
            rotation=plan.rotation[todo],
            translation=plan.translation[todo],
            coefficients=plan.coefficients[todo],
            keys=np.array([plan.keys[number] for number in todo]),
        )
        params = {
            "photo": str(_portrait(rig)),
            "tracks": str(tracks),
            "folder": str(store.rendering_folder()),
            "size": size_parameter(settings["size"]),
            "label": settings["label"],
            **face_parameter(rig),
        }

        def arrived(index: int) -> None:
            showing.arrived(plan.keys[todo[index]])

        yield Request("render_frames", params, on_frame=arrived)


def face_parameter(rig: bpy.types.Object) -> dict[str, int]:
    """Which face of the portrait, if it is not simply the largest."""
    index = rig.osmnet.face_index
    return {"face_index": index} if index >= 0 else {}


class _Showing:
    """The plane while frames arrive: a sequence that fills up."""

    def __init__(
        self, rig: bpy.types.Object, store: FrameStore, plan: Plan, size: tuple[int, int]
    ) -> None:
        self._rig_id, self._store, self._plan = rig.osmnet.rig_id, store, plan
        self._before = rig.osmnet.sequence
        self._old = self._remembered(rig)
        self._places: dict[str, list[int]] = {}
        for number, key in enumerate(plan.keys):
            self._places.setdefault(key, []).append(number)
        self._size, self._last_reload = size, 0.0
        self._show(rig)

    @staticmethod
    def _remembered(rig: bpy.types.Object) -> tuple[Any, ...]:
        node = plane.texture_of(rig.osmnet.plane)
        user, image = node.image_user, node.image
        return (
            image, image.filepath if image else "", user.frame_start, user.frame_duration,
            user.frame_offset, tuple(rig.osmnet.plane.scale),
        )  # fmt: skip

    def _show(self, rig: bpy.types.Object) -> None:
        self._folder = self._lay_out(rig)
        rig.osmnet.sequence = str(self._folder)
        plane.fit_plane(rig.osmnet.plane, self._size)
        plane.show_sequence(rig.osmnet.plane, self._folder, self._plan.first, len(self._plan.keys))

    def _lay_out(self, rig: bpy.types.Object) -> Path:
        previous = Path(self._before) if self._before else None
        with tempfile.TemporaryDirectory(prefix="osmnet-") as name:
            still = _unpacked(rig.osmnet.still, Path(name))
            folder = self._store.lay_out(self._plan.keys, still, previous)
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

    def finish(self, settings: dict[str, Any]) -> None:
        """Show everything that has arrived, and note what it was made with."""
        rig = rig_of_id(self._rig_id)
        self._show(rig)
        rig.osmnet.made_with = json.dumps(settings, sort_keys=True)

    def put_back(self) -> None:
        """Show what was there before."""
        rig = rig_of_id(self._rig_id)
        image, path, start, duration, offset, scale = self._old
        node = plane.texture_of(rig.osmnet.plane)
        made, node.image = node.image, image
        if made is not None and made != image and not made.users:
            bpy.data.images.remove(made)
        if image is not None:
            image.filepath = path
        user = node.image_user
        user.frame_start, user.frame_duration, user.frame_offset = start, duration, offset
        rig.osmnet.plane.scale = scale
        rig.osmnet.sequence = self._before
        plane.refresh(rig.osmnet.plane)


def _unpacked(image: bpy.types.Image | None, folder: Path) -> Path | None:
    """The bytes of a packed picture as a file, for frames that have not arrived."""
    if image is None or image.packed_file is None:
        return None
    path = folder / "still.png"
    path.write_bytes(image.packed_file.data)
    return path


def refresh_sequences() -> None:
    """After undo or loading: fill gaps in the sequences that planes show, and reload them."""
    store = preferences.frame_store()
    for rig in _rigs():
        state = rig.osmnet
        if state.plane is None or not state.sequence:
            continue
        try:
            store.use(Path(state.sequence))
            plane.refresh(state.plane)
        except AddonError as error:
            _status().error = str(error)


def _sequences_in_use() -> list[Path]:
    return [Path(rig.osmnet.sequence) for rig in _rigs() if rig.osmnet.sequence]


def _rigs() -> list[bpy.types.Object]:
    return [item for item in bpy.data.objects if item.type == "ARMATURE" and item.osmnet.rig_id]


def _portrait(rig: bpy.types.Object) -> Path:
    path = Path(bpy.path.abspath(rig.osmnet.portrait))
    if not path.is_file():
        raise AddonError(f"The portrait '{path}' is not there any more; put it back.")
    return path


@lru_cache(maxsize=8)
def _file_digest(path: str, modified: int) -> str:
    """SHA-256 of a file's bytes; `modified` makes a changed file count as another."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _status() -> Any:
    return bpy.data.window_managers[0].osmnet
