# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of the list: choosing, editing, blending and baking them."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ...core.errors import AddonError
from ...rig.head import need_rig
from ...takes import collection, layers, nla
from .base import EditOperator, a_take, no_job


class _TakeOperator(EditOperator):
    """An operator on one take of the list; a subclass defines `change(rig, index) -> note`."""

    needs = (no_job, a_take)

    index: IntProperty(  # type: ignore[valid-type]
        name="Take", description="Place in the list, -1 takes the chosen one", default=-1, min=-1
    )

    def edit(self, context: bpy.types.Context) -> str:
        """Find the take, and change it."""
        rig = need_rig(context)
        index = self.index if self.index >= 0 else rig.osmnet.chosen
        if not 0 <= index < len(rig.osmnet.takes):
            nla.take_at(rig, index) if index >= 0 else nla.chosen_take(rig)  # raise
        return self.change(rig, index)


class ChooseTake(_TakeOperator, bpy.types.Operator):
    """Let this take alone play, ready to be edited."""

    bl_idname = "osmnet.choose_take"
    bl_label = "Choose Take"

    def change(self, rig: bpy.types.Object, index: int) -> str:
        """Choose it."""
        nla.choose(rig, index)
        return ""


class DeleteTake(_TakeOperator, bpy.types.Operator):
    """Delete a take with its action."""

    bl_idname = "osmnet.delete_take"
    bl_label = "Delete Take"

    def change(self, rig: bpy.types.Object, index: int) -> str:
        """Delete it."""
        collection.remove(rig, index)
        return ""


class DuplicateTake(_TakeOperator, bpy.types.Operator):
    """Copy a take with its edits."""

    bl_idname = "osmnet.duplicate_take"
    bl_label = "Duplicate Take"

    def change(self, rig: bpy.types.Object, index: int) -> str:
        """Copy and choose it."""
        nla.choose(rig, collection.duplicate(rig, index))
        return ""


class RenameTake(_TakeOperator, bpy.types.Operator):
    """Rename a take, its action and its NLA track."""

    bl_idname = "osmnet.rename_take"
    bl_label = "Rename Take"

    name: StringProperty(  # type: ignore[valid-type]
        name="Name", description="New name of the take and its action"
    )

    def change(self, rig: bpy.types.Object, index: int) -> str:
        """Rename it."""
        if not self.name.strip():
            raise AddonError("A take needs a name.")
        nla.rename(nla.take_at(rig, index), self.name)
        return ""


class DiscardEdits(_TakeOperator, bpy.types.Operator):
    """Bring a take back to what was sampled."""

    bl_idname = "osmnet.discard_edits"
    bl_label = "Discard Edits"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def change(self, rig: bpy.types.Object, index: int) -> str:
        """Discard them."""
        layers.discard_edits(rig, index)
        return "Edits discarded."


class MergeEdits(_TakeOperator, bpy.types.Operator):
    """Add the layer of edits into the take's own curves."""

    bl_idname = "osmnet.merge_edits"
    bl_label = "Merge Edits"

    def change(self, rig: bpy.types.Object, index: int) -> str:
        """Merge them."""
        layers.merge_edits(rig, index)
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
        collection.keep_only(rig, name, remove_others=self.remove_others)
        return f"Baked into '{nla.chosen_take(rig).name}'."


class FitTakes(EditOperator, bpy.types.Operator):
    """Lay the takes out anew for the scene's frame rate and the voice's start."""

    bl_idname = "osmnet.fit_takes"
    bl_label = "Fit Takes to Scene"
    needs = (no_job, a_take)

    def edit(self, context: bpy.types.Context) -> str:
        """Move their keys."""
        return f"{collection.retime(need_rig(context), context.scene)} takes moved."


CLASSES = (
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
