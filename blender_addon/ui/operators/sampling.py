# SPDX-License-Identifier: GPL-3.0-or-later
"""Sampling takes, and their expression."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty

from ...core.errors import AddonError
from ...core.pins import Pin, pin_parameters
from ...core.takes import read_take, write_take
from ...core.timing import resampled
from ...engine import jobs
from ...frames import rendering
from ...rig import sound
from ...rig.head import need_rig, rig_of_id
from ...takes import actions, collection, following, layers, nla, pins, voices
from ..options import chosen, follow_property, with_options
from ..properties import ABOUT_KEYS, KEYS
from .base import JobOperator, a_rig, a_take, existing_file, no_job, no_missing_field


@dataclass(frozen=True)
class Order:
    """Takes that a job asks for, of a rig and a scene that may be renamed meanwhile.

    Attributes:
        rig_id: of the rig.
        scene_name: of the scene.
        voice: file with the voice.
        fields: all that is known of the voice, as of `voices.fields`.
        follow: name of an action, or a video or take file, that the takes go around; "" for none.
    """

    rig_id: str
    scene_name: str
    voice: Path
    fields: dict[str, Any]
    follow: str = ""

    @classmethod
    def of(cls, rig: bpy.types.Object, context: bpy.types.Context, follow: str = "") -> Order:
        """Takes of the rig's voice; if it has none, the panel's or the active sound strip's."""
        fields = sound.voice_fields(rig, context.scene)
        voice = existing_file(fields["voice"], "a voice")
        if follow and follow not in bpy.data.actions:
            follow = str(existing_file(follow, "an action or file"))
        return cls(rig.osmnet.rig_id, context.scene.name, voice, fields, follow)

    @property
    def sound(self) -> dict[str, Any]:
        """Which channel and track of the voice, for the engine."""
        return voices.parameters(SimpleNamespace(**self.fields))

    @property
    def scene(self) -> bpy.types.Scene:
        """The scene."""
        return bpy.data.scenes[self.scene_name]

    def pinned(self, met: Sequence[Pin], options: dict[str, Any]) -> dict[str, Any]:
        """Options with pins that are to be met."""
        rate = actions.scene_rate(self.scene)
        asked = pin_parameters(met, self.fields["voice_start"], rate)
        return {**options, "motion": {**options["motion"], "pins": asked}} if asked else options

    def reference(self, folder: str) -> dict[str, str]:
        """What the takes follow as a parameter of the engine; an action is written to a folder."""
        if self.follow not in bpy.data.actions:
            return {"follow": self.follow} if self.follow else {}
        rig, rate = rig_of_id(self.rig_id), actions.scene_rate(self.scene)
        path = Path(folder) / "followed.npz"
        write_take(path, following.reference(rig, self.follow, rate))
        return {"follow": str(path)}

    def note(self, action: bpy.types.Action) -> None:
        """Keep with a take what it was made from."""
        voices.note(action, self.voice)
        following.note(action, self.follow)

    def take_files(self, wanted: list[dict[str, int]], options: dict[str, Any]) -> Any:
        """Request takes; return the rig, and the take files in order."""
        rig = rig_of_id(self.rig_id)
        portrait = existing_file(rig.osmnet.portrait, "a portrait")
        with tempfile.TemporaryDirectory(prefix="osmnet-") as folder:
            answer = yield jobs.Request(
                "sample_takes",
                {
                    "audio": str(self.voice),
                    "photo": str(portrait),
                    "takes": wanted,
                    "folder": folder,
                    **options,
                    **self.sound,
                    **self.reference(folder),
                    **rendering.face_parameter(rig),
                },
            )
            files = [read_take(Path(path)) for path in answer["takes"]]
        rig = rig_of_id(self.rig_id)
        if not rig.osmnet.voice:  # the other's becomes its own, once it was used
            voices.put(rig.osmnet, {**self.fields, "voice": str(self.voice)})
        return rig, files


@with_options
class SampleTakes(JobOperator, bpy.types.Operator):
    """Sample several different head motions of the voice, one action each."""

    bl_idname = "osmnet.sample_takes"
    bl_label = "Sample Takes"
    title = "Sampling takes"
    needs = (no_job, a_rig, no_missing_field)

    count: IntProperty(  # type: ignore[valid-type]
        name="Takes", description="How many takes to sample", default=5, min=1, max=100
    )
    seed: IntProperty(  # type: ignore[valid-type]
        name="Seed", description="The same seed gives the same takes", default=0, min=0
    )
    expression: BoolProperty(  # type: ignore[valid-type]
        name="Expression", description="Fill the expression channels as well", default=False
    )
    keys: EnumProperty(  # type: ignore[valid-type]
        name="Keys", description=ABOUT_KEYS, items=KEYS, default="EVERY"
    )
    follow: follow_property()  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Sample; the panel's next takes will be others."""
        result = self.execute(context)
        if result == {"FINISHED"}:
            context.scene.osmnet.seed = self.seed + 1
        return result

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Sample and add."""
        rig = need_rig(context)
        wanted = [{"seed": self.seed, "take": number} for number in range(self.count)]
        channels = collection.ALL if self.expression else collection.MOTION_CHANNELS
        order = Order.of(rig, context, self.follow)
        return _sample(order, wanted, chosen(self), channels, self.keys == "FEW")


def _sample(
    order: Order, wanted: list[dict[str, int]], options: dict[str, Any], channels: range, few: bool
) -> jobs.Steps:
    met = pins.wanted(rig_of_id(order.rig_id))
    rig, files = yield from order.take_files(wanted, order.pinned(met, options))
    first = len(rig.osmnet.takes)
    for file in files:
        timing = collection.timing_for(rig, file, order.scene)
        name = collection.take_name(rig, file.provenance)
        curves = pins.met(file.curves, timing, met)
        index = collection.add(
            rig, name, timing, curves, file.provenance, channels, few=few, pins=met
        )
        order.note(rig.osmnet.takes[index].action)
    nla.choose(rig, first)
    return f"{len(files)} takes sampled."


@with_options
class PredictExpression(JobOperator, bpy.types.Operator):
    """Fill the 52 expression channels and the blinks of all takes from the voice."""

    bl_idname = "osmnet.predict_expression"
    bl_label = "Predict Expression"
    title = "Predicting the expression"
    needs = (no_job, a_take, no_missing_field)

    all_takes: BoolProperty(  # type: ignore[valid-type]
        name="All takes", description="Else only the chosen one", default=True
    )
    discard_edits: BoolProperty(  # type: ignore[valid-type]
        name="Discard edits", description="Forget edits of the expression", default=False
    )

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Predict and fill."""
        rig = need_rig(context)
        names = [t.name for t in rig.osmnet.takes if t.action] if self.all_takes else []
        names = names or [nla.chosen_take(rig).name]
        return _predict(Order.of(rig, context), names, chosen(self), self.discard_edits)


def _predict(order: Order, names: list[str], options: dict[str, Any], discard: bool) -> jobs.Steps:
    wanted = []
    for number, name in enumerate(names):
        made = actions.provenance_of(bpy.data.actions[name])
        wanted.append({"seed": made.get("seed") or 0, "take": _number(made, number)})
    rig, files = yield from order.take_files(wanted, options)
    places = [index_of(rig, name) for name in names]
    for index, file in zip(places, files, strict=True):
        action = rig.osmnet.takes[index].action
        timing = actions.timing_of(action)
        curves = resampled(file.curves, file.fps, timing.fps, timing.count)
        layers.replace_samples(
            rig, index, timing, curves, actions.provenance_of(action),
            collection.EXPRESSION_CHANNELS, discard=discard,
        )  # fmt: skip
    return f"Expression of {len(files)} takes predicted."


def _number(made: dict[str, Any], default: int) -> int:
    number = made.get("take")
    return int(number) if number is not None else default


def index_of(rig: bpy.types.Object, name: str) -> int:
    """The place of a take in the list.

    Raises:
        AddonError: if it is there no more.
    """
    for index, take in enumerate(rig.osmnet.takes):
        if take.name == name:
            return index
    raise AddonError(f"The take '{name}' was removed meanwhile.")


@with_options
class ResampleTake(JobOperator, bpy.types.Operator):
    """Sample one take anew with another seed; edits stay as a layer on top."""

    bl_idname = "osmnet.resample_take"
    bl_label = "Resample Take"
    title = "Sampling a take"
    needs = (no_job, a_take, no_missing_field)

    index: IntProperty(  # type: ignore[valid-type]
        name="Take", description="Place in the list, -1 takes the chosen one", default=-1, min=-1
    )
    seed: IntProperty(  # type: ignore[valid-type]
        name="Seed", description="-1 takes the take's own seed plus one", default=-1, min=-1
    )
    discard_edits: BoolProperty(  # type: ignore[valid-type]
        name="Discard edits", description="Forget the edits of this take", default=False
    )
    follow: follow_property()  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for seed, spread and intensity."""
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what is asked for; the other options are the panel's."""
        for name in ("index", "seed", "epsilon", "intensity", "discard_edits"):
            self.layout.prop(self, name)

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Sample and replace."""
        rig = need_rig(context)
        take = nla.take_at(rig, self.index) if self.index >= 0 else nla.chosen_take(rig)
        made = actions.provenance_of(take.action)
        seed = self.seed if self.seed >= 0 else int(made.get("seed") or 0) + 1
        wanted = {"seed": seed, "take": _number(made, 0)}
        order = Order.of(rig, context, self.follow)
        return resample(order, take.name, wanted, chosen(self), discard=self.discard_edits)


def resample(
    order: Order, name: str, wanted: dict[str, int], options: dict[str, Any], *,
    discard: bool = False, new_pin: Pin | None = None,
) -> jobs.Steps:  # fmt: skip
    """Sample a take anew.

    Args:
        order: the voice.
        name: of the take.
        wanted: seed and number of what it becomes.
        options: of motion and expression.
        discard: whether its edits are forgotten.
        new_pin: that is added to the rig's, in place of the edits around it.
    """
    rig = rig_of_id(order.rig_id)
    forget = None if new_pin is None else new_pin.frame
    met = [pin for pin in pins.wanted(rig) if pin.frame != forget]
    met += [new_pin] if new_pin is not None else []
    take = rig.osmnet.takes[index_of(rig, name)]
    if not discard:
        met = pins.less(met, layers.edits_at(take, [pin.frame for pin in met], forget=forget))
    rig, (file,) = yield from order.take_files([wanted], order.pinned(met, options))
    index = index_of(rig, name)
    sampled = actions.sampled_channels(rig.osmnet.takes[index].action)
    spoken = max(sampled) >= collection.EXPRESSION_CHANNELS[0]
    channels = collection.ALL if spoken else collection.MOTION_CHANNELS
    timing = collection.timing_for(rig, file, order.scene)
    layers.replace_samples(
        rig, index, timing, pins.met(file.curves, timing, met), file.provenance, channels,
        discard=discard, forget=forget, pins=met,
    )  # fmt: skip
    order.note(rig.osmnet.takes[index].action)
    if new_pin is not None:
        pins.add(rig, order.scene, new_pin.frame, [float(value or 0.0) for value in new_pin.pose])
        return f"'{name}' passes through its new pin at frame {new_pin.frame}."
    return f"'{name}' sampled with seed {wanted['seed']}."


CLASSES = (SampleTakes, PredictExpression, ResampleTake)
