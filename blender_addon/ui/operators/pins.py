# SPDX-License-Identifier: GPL-3.0-or-later
"""Pins: poses that takes meet."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from bpy.props import FloatVectorProperty, IntProperty

from ...core.errors import AddonError
from ...core.pins import Pin
from ...engine import jobs
from ...rig.head import find_rig, need_rig, why_no_rig
from ...takes import actions, following, layers, nla, pins
from ..angles import angle
from .base import EditOperator, JobOperator, a_rig, a_take, no_job
from .sampling import Order, resample


def _a_pin(context: bpy.types.Context) -> str:
    rig = find_rig(context)
    if rig is None or len(rig.osmnet.pins):
        return why_no_rig(context)
    return why_no_rig(context) or "There is no pin yet; go to a frame and press Pin Pose Here."


class PinPose(EditOperator, bpy.types.Operator):
    """Let takes that are sampled from now on pass through the pose that the head has here."""

    bl_idname = "osmnet.pin_pose"
    bl_label = "Pin Pose Here"
    needs = (no_job, a_rig)

    frame: IntProperty(  # type: ignore[valid-type]
        name="Frame", description="Scene frame; if not given, the playhead's", options={"SKIP_SAVE"}
    )
    pitch: angle("Pitch", "If not given, that of the head bone; radians")  # type: ignore[valid-type]
    yaw: angle("Yaw", "If not given, that of the head bone; radians")  # type: ignore[valid-type]
    roll: angle("Roll", "If not given, that of the head bone; radians")  # type: ignore[valid-type]
    place: FloatVectorProperty(  # type: ignore[valid-type]
        name="Place",
        description="If not given, that of the head bone",
        subtype="TRANSLATION",
        options={"SKIP_SAVE"},
    )

    def edit(self, context: bpy.types.Context) -> str:
        """Add the pin."""
        rig, frame = need_rig(context), context.scene.frame_current
        pose = pins.pose_now(rig)
        given = self.properties.is_property_set
        for index, name in enumerate(("pitch", "yaw", "roll")):
            if given(name):
                pose[index] = getattr(self, name)
        if given("place"):
            pose[3:] = self.place
        pin = pins.add(rig, context.scene, self.frame if given("frame") else frame, pose)
        return f"'{pin.name}' stands at frame {pin.frame}; takes meet it when they are sampled."


class _PinOperator(EditOperator):
    """Works on a pin of the list; a subclass defines `change(rig, index, context)`."""

    needs = (no_job, _a_pin)

    index: IntProperty(  # type: ignore[valid-type]
        name="Pin", description="Place in the list, -1 takes the marked one", default=-1, min=-1
    )

    def edit(self, context: bpy.types.Context) -> str:
        """Find the pin."""
        rig = need_rig(context)
        index = self.index if self.index >= 0 else rig.osmnet.pin_index
        pins.at(rig, index)
        return self.change(rig, index, context)

    def change(self, rig: bpy.types.Object, index: int, context: bpy.types.Context) -> str:
        """What a subclass does."""
        raise NotImplementedError


class DeletePin(_PinOperator, bpy.types.Operator):
    """Delete a pin and its timeline marker."""

    bl_idname = "osmnet.delete_pin"
    bl_label = "Delete Pin"

    def change(self, rig: bpy.types.Object, index: int, context: bpy.types.Context) -> str:
        """Delete it."""
        name = pins.at(rig, index).name
        pins.remove(rig, index)
        return f"'{name}' deleted."


class SetPin(_PinOperator, bpy.types.Operator):
    """Give a pin the pose that the head has now."""

    bl_idname = "osmnet.set_pin"
    bl_label = "Take Pose"

    def change(self, rig: bpy.types.Object, index: int, context: bpy.types.Context) -> str:
        """Take the pose."""
        pin = pins.at(rig, index)
        pins.set_pose(pin, pins.pose_now(rig))
        return f"'{pin.name}' has the pose of frame {context.scene.frame_current}."


class ShowPin(_PinOperator, bpy.types.Operator):
    """Give a pin whose timeline marker was deleted a new one, so that it counts again."""

    bl_idname = "osmnet.show_pin"
    bl_label = "Show Pin"

    def change(self, rig: bpy.types.Object, index: int, context: bpy.types.Context) -> str:
        """Add the marker."""
        pin = pins.at(rig, index)
        pins.show_marker(pin, context.scene)
        return f"'{pin.name}' stands at frame {pin.frame}."


def _as_sampled(take: Any) -> tuple[dict[str, int], dict[str, Any]]:
    """Seed and number of a take, and the options that it was sampled with.

    Raises:
        AddonError: if it was not sampled as a whole.
    """
    made = actions.provenance_of(take.action)
    options = made.get("options") or {}
    if made.get("source") != "sampled" or made.get("seed") is None:
        raise AddonError(
            f"'{take.name}' was imported or baked and cannot be sampled again as it is; "
            "use Resample Take."
        )
    if options.get("retakes"):
        raise AddonError(
            f"'{take.name}' has retakes, which would be lost; use Retake Range around the pin."
        )
    if (options.get("motion") or {}).get("follow") and not following.noted(take.action):
        raise AddonError(
            f"'{take.name}' follows something that is not known here; use Resample Take."
        )
    motion = {
        name: value
        for name, value in (options.get("motion") or {}).items()
        if name not in ("pins", "follow")
    }
    wanted = {"seed": int(made["seed"]), "take": int(made.get("take") or 0)}
    return wanted, {"motion": motion, "expression": options.get("expression") or {}}


def _order(rig: bpy.types.Object, context: bpy.types.Context, take: Any) -> Order:
    return Order.of(rig, context, following.noted(take.action))


class MeetPins(JobOperator, bpy.types.Operator):
    """Lay the chosen take through the pins as they are now; seed, options and edits stay."""

    bl_idname = "osmnet.meet_pins"
    bl_label = "Meet Pins"
    title = "Laying the take through the pins"
    needs = (no_job, a_take, _a_pin)

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Sample again, with the pins."""
        rig = need_rig(context)
        take = nla.chosen_take(rig)
        wanted, options = _as_sampled(take)
        return _meet(_order(rig, context, take), take.name, wanted, options)


def _meet(order: Order, name: str, wanted: dict[str, int], options: dict[str, Any]) -> jobs.Steps:
    yield from resample(order, name, wanted, options)
    return f"'{name}' passes through the pins."


class EditToPin(JobOperator, bpy.types.Operator):
    """Turn the pose that was keyed by hand here into a pin; the keyed edit around it goes."""

    bl_idname = "osmnet.edit_to_pin"
    bl_label = "Edit to Pin"
    title = "Turning an edit into a pin"
    needs = (no_job, a_take)

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Pin the pose and sample again without the edit."""
        rig, frame = need_rig(context), context.scene.frame_current
        take = nla.chosen_take(rig)
        wanted, options = _as_sampled(take)
        (here,) = layers.edits_at(take, [frame])
        if not here[:6].any():
            raise AddonError(
                f"The head was not edited at frame {frame}; key a pose there first, "
                "or press Pin Pose Here."
            )
        (values,) = actions.read_curves(take.action, np.array([float(frame)]))
        if take.layer is not None:
            values += actions.read_curves(take.layer, np.array([float(frame)]))[0]
        pin = Pin("The new pin", frame, tuple(values[:6].tolist()))
        return resample(_order(rig, context, take), take.name, wanted, options, new_pin=pin)


CLASSES = (PinPose, DeletePin, SetPin, ShowPin, MeetPins, EditToPin)
