# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that follow the curves: which ones changed, rendering them, showing them on the plane."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .. import preferences, status
from ..core.cache import FrameStore
from ..core.channels import performance_values
from ..core.errors import AddonError, JobCancelled
from ..core.keys import changed, frame_keys, quantise
from ..core.sequences import read_index
from ..engine import jobs
from ..engine.jobs import Request, Steps
from ..rig.head import rig_of_id
from ..takes import actions, evaluation, nla
from .showing import Showing, sequences_in_use

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
    """As `plan_in_slices`, in one go."""
    slices = plan_in_slices(rig, scene, made_with, range_)
    while True:
        try:
            next(slices)
        except StopIteration as stop:
            plan: Plan = stop.value
            return plan


def plan_in_slices(
    rig: bpy.types.Object, scene: bpy.types.Scene, made_with: Mapping[str, Any], range_: str
) -> Generator[None, None, Plan]:
    """Read the rig over the take's frames and name each frame by what makes it.

    Yields now and then so that a window can breathe; what changes meanwhile is read or not.

    Args:
        rig: the head rig.
        scene: its frame rate and range.
        made_with: what else than values the frames depend on, with the renderer's "window".
        range_: "TAKE", or "SCENE" to want only frames within the scene's range.

    Raises:
        AddonError: if there is no take, or it was laid out for another frame rate.
    """
    frames, wanted = wanted_frames(rig, scene, range_)
    rig_id = rig.osmnet.rig_id
    values = yield from evaluation.read_in_slices(lambda: rig_of_id(rig_id), frames)
    rotation, translation, coefficients = quantise(*performance_values(values))
    context = {name: value for name, value in made_with.items() if name not in _NOT_SEEN}
    keys = frame_keys(rotation, translation, coefficients, context, int(made_with.get("window", 0)))
    return Plan(frames[0], keys, rotation, translation, coefficients, wanted)


def wanted_frames(
    rig: bpy.types.Object, scene: bpy.types.Scene, range_: str
) -> tuple[range, list[int]]:
    """The scene frames of what plays, and the numbers of those that are wanted.

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
    wanted = [i for i, frame in enumerate(frames) if range_ == "TAKE" or _in_range(scene, frame)]
    return frames, wanted


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
    return stale_frames(plan, rig.osmnet.sequence)


def stale_frames(plan: Plan, sequence: str) -> int:
    """How many frames of a sequence's folder are not what a plan wants there."""
    index = read_index(Path(sequence))
    if index is None:
        return len(plan.wanted)
    shown = [key if final else "" for key, final in zip(index.keys, index.final, strict=True)]
    return len(set(changed(shown, plan.keys)).intersection(plan.wanted))


def render(
    rig: bpy.types.Object, scene: bpy.types.Scene, size: str, label: bool, range_: str,
    renderer: str = "auto",
) -> Steps:  # fmt: skip
    """A job: render the frames that are not there and show all on the plane.

    "auto" is noted as the renderer that it means now: frames of another are never taken for them.
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
        **_renderer(renderer, info),
        "size": size,
        "label": label,
        "range": range_,
        "take": nla.playing_takes(rig)[0].name,
    }
    plan = yield from plan_in_slices(rig, scene, settings, range_)
    rig = rig_of_id(rig_id)
    store = preferences.frame_store()
    todo = missing(plan, store)
    showing = Showing(rig, store, plan.keys, plan.first, pixel_size(rig, size), settings)
    jobs.push_undo()
    stopped = False
    try:
        if todo:
            yield from _render_missing(rig, plan, todo, store, settings, showing)
    except JobCancelled:
        stopped = True
    except Exception:  # whatever it was: the job makes a sentence of it
        if not showing.undone():
            showing.put_back()
            jobs.push_undo()
        raise
    made = {plan.keys[number] for number in todo}
    count = sum(plan.keys[number] in made for number in plan.wanted)
    note = "Stopped." if stopped else f"{count} of {len(plan.keys)} frames rendered."
    if showing.undone():
        return note if stopped else f"{note} The plane shows what undo has brought back."
    showing.finish()
    store.prune(keep=sequences_in_use())
    status.get().changed = stale_frames(plan, rig_of_id(rig_id).osmnet.sequence)
    return note


def _render_missing(
    rig: bpy.types.Object, plan: Plan, todo: list[int], store: FrameStore,
    settings: dict[str, Any], showing: Showing,
) -> Steps:  # fmt: skip
    frames = np.array(todo, np.int32)
    rows = np.arange(len(plan.keys)) if settings["window"] else frames  # neighbours count, or not
    with tempfile.TemporaryDirectory(prefix="osmnet-") as folder:
        tracks = Path(folder) / "tracks.npz"
        np.savez(
            tracks,
            rotation=plan.rotation[rows],
            translation=plan.translation[rows],
            coefficients=plan.coefficients[rows],
            frames=frames if settings["window"] else np.arange(len(frames), dtype=np.int32),
            keys=np.array([plan.keys[number] for number in todo]),
            meta=np.array(json.dumps(_own_sound(rig))),
        )
        params = {
            "photo": str(_portrait(rig)),
            "tracks": str(tracks),
            "folder": str(store.rendering_folder()),
            "size": size_parameter(settings["size"]),
            "label": settings["label"],
            "renderer": settings["renderer"],
            **face_parameter(rig),
            **_voice(rig),
        }

        def arrived(index: int) -> None:
            showing.arrived(plan.keys[todo[index]])

        yield Request("render_frames", params, on_frame=arrived)


def _renderer(name: str, info: Mapping[str, Any]) -> dict[str, Any]:
    """The renderer that is meant and its window, as the engine's answer to `check` has them.

    Raises:
        AddonError: if the engine's bundle has no weights for it.
    """
    chosen = info["renderer"] if name == "auto" else name
    windows = info["renderers"]
    if chosen not in windows:
        raise AddonError(
            f"The bundle '{info['bundle']}' has no weights for the renderer '{chosen}'; choose "
            f"{' or '.join(windows)}, or another bundle in the preferences."
        )
    return {"renderer": chosen, "window": windows[chosen]}


def face_parameter(rig: bpy.types.Object) -> dict[str, int]:
    """Which face of the portrait, if it is not simply the largest."""
    index = rig.osmnet.face_index
    return {"face_index": index} if index >= 0 else {}


def _voice(rig: bpy.types.Object) -> dict[str, str]:
    """The rig's voice, so that the engine can warn if the take was made from another sound."""
    voice = Path(bpy.path.abspath(rig.osmnet.voice)) if rig.osmnet.voice else None
    return {"audio": str(voice)} if voice is not None and voice.is_file() else {}


def _own_sound(rig: bpy.types.Object) -> dict[str, str]:
    """The sound that the take which plays was made from, as its provenance names it."""
    made = actions.provenance_of(nla.playing_takes(rig)[0].action)
    return {
        name: made[name] for name in ("audio", "audio_sha256") if isinstance(made.get(name), str)
    }


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
