# SPDX-License-Identifier: GPL-3.0-or-later
"""Sampling takes, choosing, editing and baking them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ...core.errors import AddonError
from ...core.takes import TakeFile, read_take
from ...core.timing import resampled
from ...engine import jobs
from ...frames import rendering as frames
from ...rig.head import need_rig, rig_of_id
from ...takes import actions, layers, nla
from ...takes import collection as takes
from .. import voices
from ..options import chosen, with_options
from .base import EditOperator, JobOperator, a_rig, a_take, existing_file, no_job, no_missing_field


def _voice(rig: bpy.types.Object, context: bpy.types.Context) -> Path:
    """The rig's voice, or the panel's if it has none."""
    return existing_file(rig.osmnet.voice or context.scene.osmnet.voice, "a voice")


def _keep_voice(rig: bpy.types.Object, scene: bpy.types.Scene, voice: Path) -> None:
    """The panel's voice becomes that of a rig without one, once it was used."""
    if not rig.osmnet.voice:
        rig.osmnet.voice, rig.osmnet.voice_start = str(voice), scene.osmnet.voice_start


def _ask(
    rig: bpy.types.Object, voice: Path, wanted: list[dict[str, int]], options: dict[str, Any]
) -> Any:
    """Request takes; return the take files read, in order."""
    portrait = existing_file(rig.osmnet.portrait, "a portrait")
    with tempfile.TemporaryDirectory(prefix="osmnet-") as folder:
        answer = yield jobs.Request(
            "sample_takes",
            {
                "audio": str(voice),
                "photo": str(portrait),
                "takes": wanted,
                "folder": folder,
                **options,
                **frames.face_parameter(rig),
            },
        )
        return [read_take(Path(path)) for path in answer["takes"]]


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
        channels = takes.ALL if self.expression else takes.MOTION_CHANNELS
        return _sample(
            rig.osmnet.rig_id,
            context.scene.name,
            _voice(rig, context),
            wanted,
            chosen(self),
            channels,
        )


def _sample(
    rig_id: str, scene_name: str, voice: Path, wanted: list[dict[str, int]],
    options: dict[str, Any], channels: range,
) -> jobs.Steps:  # fmt: skip
    files: list[TakeFile] = yield from _ask(rig_of_id(rig_id), voice, wanted, options)
    rig, scene = rig_of_id(rig_id), bpy.data.scenes[scene_name]
    _keep_voice(rig, scene, voice)
    first = len(rig.osmnet.takes)
    for file in files:
        timing = takes.timing_for(rig, file, scene)
        name = takes.take_name(rig, file.provenance)
        index = takes.add(rig, name, timing, file.curves, file.provenance, channels)
        voices.note(rig.osmnet.takes[index].action, voice)
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
        return _predict(
            rig.osmnet.rig_id,
            context.scene.name,
            _voice(rig, context),
            names,
            chosen(self),
            self.discard_edits,
        )


def _predict(
    rig_id: str,
    scene_name: str,
    voice: Path,
    names: list[str],
    options: dict[str, Any],
    discard: bool,
) -> jobs.Steps:
    wanted = []
    for number, name in enumerate(names):
        made = actions.provenance_of(bpy.data.actions[name])
        wanted.append({"seed": made.get("seed") or 0, "take": _number(made, number)})
    files: list[TakeFile] = yield from _ask(rig_of_id(rig_id), voice, wanted, options)
    rig = rig_of_id(rig_id)
    _keep_voice(rig, bpy.data.scenes[scene_name], voice)
    places = [_index_of(rig, name) for name in names]
    for index, file in zip(places, files, strict=True):
        action = rig.osmnet.takes[index].action
        timing = actions.timing_of(action)
        curves = resampled(file.curves, file.fps, timing.fps, timing.count)
        layers.replace_samples(
            rig, index, timing, curves, actions.provenance_of(action), takes.EXPRESSION_CHANNELS,
            discard=discard,
        )  # fmt: skip
    return f"Expression of {len(files)} takes predicted."


def _number(made: dict[str, Any], default: int) -> int:
    number = made.get("take")
    return int(number) if number is not None else default


def _index_of(rig: bpy.types.Object, name: str) -> int:
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
        return _resample(
            rig.osmnet.rig_id, context.scene.name, _voice(rig, context), take.name, wanted,
            chosen(self), self.discard_edits,
        )  # fmt: skip


def _resample(
    rig_id: str, scene_name: str, voice: Path, name: str, wanted: dict[str, int],
    options: dict[str, Any], discard: bool,
) -> jobs.Steps:  # fmt: skip
    (file,) = yield from _ask(rig_of_id(rig_id), voice, [wanted], options)
    rig, scene = rig_of_id(rig_id), bpy.data.scenes[scene_name]
    _keep_voice(rig, scene, voice)
    index = _index_of(rig, name)
    sampled = actions.sampled_channels(rig.osmnet.takes[index].action)
    channels = takes.ALL if max(sampled) >= takes.EXPRESSION_CHANNELS[0] else takes.MOTION_CHANNELS
    timing = takes.timing_for(rig, file, scene)
    layers.replace_samples(
        rig, index, timing, file.curves, file.provenance, channels, discard=discard
    )
    voices.note(rig.osmnet.takes[index].action, voice)
    return f"'{name}' sampled with seed {wanted['seed']}."


class _TakeOperator(EditOperator):
    """An operator on one take of the list."""

    needs = (no_job, a_take)

    index: IntProperty(  # type: ignore[valid-type]
        name="Take", description="Place in the list, -1 takes the chosen one", default=-1, min=-1
    )

    def number(self, rig: bpy.types.Object) -> int:
        """The place of the take meant."""
        index = self.index if self.index >= 0 else rig.osmnet.chosen
        if not 0 <= index < len(rig.osmnet.takes):
            nla.take_at(rig, index) if index >= 0 else nla.chosen_take(rig)  # raise
        return index


class ChooseTake(_TakeOperator, bpy.types.Operator):
    """Let this take alone play, ready to be edited."""

    bl_idname = "osmnet.choose_take"
    bl_label = "Choose Take"

    def edit(self, context: bpy.types.Context) -> str:
        """Choose it."""
        rig = need_rig(context)
        nla.choose(rig, self.number(rig))
        return ""


class DeleteTake(_TakeOperator, bpy.types.Operator):
    """Delete a take with its action."""

    bl_idname = "osmnet.delete_take"
    bl_label = "Delete Take"

    def edit(self, context: bpy.types.Context) -> str:
        """Delete it."""
        rig = need_rig(context)
        takes.remove(rig, self.number(rig))
        return ""


class DuplicateTake(_TakeOperator, bpy.types.Operator):
    """Copy a take with its edits."""

    bl_idname = "osmnet.duplicate_take"
    bl_label = "Duplicate Take"

    def edit(self, context: bpy.types.Context) -> str:
        """Copy and choose it."""
        rig = need_rig(context)
        nla.choose(rig, takes.duplicate(rig, self.number(rig)))
        return ""


class RenameTake(_TakeOperator, bpy.types.Operator):
    """Rename a take, its action and its NLA track."""

    bl_idname = "osmnet.rename_take"
    bl_label = "Rename Take"

    name: StringProperty(  # type: ignore[valid-type]
        name="Name", description="New name of the take and its action"
    )

    def edit(self, context: bpy.types.Context) -> str:
        """Rename it."""
        rig = need_rig(context)
        if not self.name.strip():
            raise AddonError("A take needs a name.")
        nla.rename(nla.take_at(rig, self.number(rig)), self.name)
        return ""


class DiscardEdits(_TakeOperator, bpy.types.Operator):
    """Bring a take back to what was sampled."""

    bl_idname = "osmnet.discard_edits"
    bl_label = "Discard Edits"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def edit(self, context: bpy.types.Context) -> str:
        """Discard them."""
        rig = need_rig(context)
        layers.discard_edits(rig, self.number(rig))
        return "Edits discarded."


class MergeEdits(_TakeOperator, bpy.types.Operator):
    """Add the layer of edits into the take's own curves."""

    bl_idname = "osmnet.merge_edits"
    bl_label = "Merge Edits"

    def edit(self, context: bpy.types.Context) -> str:
        """Merge them."""
        rig = need_rig(context)
        layers.merge_edits(rig, self.number(rig))
        return "Edits merged into the take."


class BlendTakes(EditOperator, bpy.types.Operator):
    """Let the NLA tracks of the takes play, to blend several of them."""

    bl_idname = "osmnet.blend_takes"
    bl_label = "Blend in NLA"
    needs = (no_job, a_take)

    def edit(self, context: bpy.types.Context) -> str:
        """Leave the chosen take's track on."""
        nla.blend(need_rig(context))
        return "Switch on the takes to blend, and set their influence."


class KeepOnly(EditOperator, bpy.types.Operator):
    """Bake what plays now, blended in the NLA or not, into one action."""

    bl_idname = "osmnet.keep_only"
    bl_label = "Keep Only"
    needs = (no_job, a_take)

    name: StringProperty(  # type: ignore[valid-type]
        name="Name", description="Of the new take; empty takes the voice's name", default=""
    )
    remove_others: BoolProperty(  # type: ignore[valid-type]
        name="Remove others", description="Delete all other takes", default=True
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the name, and whether the others go."""
        return context.window_manager.invoke_props_dialog(self)

    def edit(self, context: bpy.types.Context) -> str:
        """Bake and choose."""
        rig = need_rig(context)
        name = self.name or f"{Path(rig.osmnet.voice).stem or 'take'} blend"
        takes.keep_only(rig, name, remove_others=self.remove_others)
        return f"Baked into '{nla.chosen_take(rig).name}'."


class FitTakes(EditOperator, bpy.types.Operator):
    """Lay the takes out anew for the scene's frame rate and the voice's start."""

    bl_idname = "osmnet.fit_takes"
    bl_label = "Fit Takes to Scene"
    needs = (no_job, a_take)

    def edit(self, context: bpy.types.Context) -> str:
        """Move their keys."""
        return f"{takes.retime(need_rig(context), context.scene)} takes moved."


CLASSES = (
    SampleTakes,
    PredictExpression,
    ResampleTake,
    ChooseTake,
    DeleteTake,
    DuplicateTake,
    RenameTake,
    DiscardEdits,
    MergeEdits,
    BlendTakes,
    KeepOnly,
    FitTakes,
)
