# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between Blender versions; the only file that asks what a version has.

Blender 4.4 gave actions slots, layers and channelbags, and 5.0 removed the older `action.fcurves`;
the sequencer's `sequences` became `strips`. 5.0 selects pose bones instead of bones. 5.1 gave
strips handles, and their older `frame_final_end` and such go in 6.0.
"""

from __future__ import annotations

from typing import Any

import bpy

PATH_OPTIONS = {"ANIMATABLE"}
"""Options of a property that holds a path, which may begin with "//"; 5.0 warns of others."""
if "is_path_supports_blend_relative" in bpy.types.Property.bl_rna.properties:
    PATH_OPTIONS.add("PATH_SUPPORTS_BLEND_RELATIVE")


def new_action(name: str, id_type: str = "OBJECT") -> bpy.types.Action:
    """An empty action that animates one data-block of a type ('OBJECT', 'KEY')."""
    action = bpy.data.actions.new(name)
    if hasattr(action, "slots"):
        slot = action.slots.new(id_type=id_type, name=name)
        strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
        strip.channelbag(slot, ensure=True)
    else:
        action.id_root = id_type
    return action


def curves_of(action: bpy.types.Action) -> Any:
    """The F-curves of an action's first slot: a collection with `new`, `remove` and `find`."""
    return _channels_of(action).fcurves


def _channels_of(action: bpy.types.Action) -> Any:
    """What owns F-curves and their groups: the channelbag, or before 4.4 the action."""
    if not hasattr(action, "slots"):
        return action
    slot = action.slots[0]
    return action.layers[0].strips[0].channelbag(slot, ensure=True)


def new_curve(action: bpy.types.Action, data_path: str, index: int, group: str) -> Any:
    """A new F-curve in a group of channels."""
    owner = _channels_of(action)
    curve = owner.fcurves.new(data_path, index=index)
    curve.select = False
    if group:
        curve.group = owner.groups.get(group) or owner.groups.new(group)
    return curve


def assign_action(animation: bpy.types.AnimData, action: bpy.types.Action | None) -> None:
    """Make an action the active one, with its first slot."""
    if action is None:
        animation.action = None
    else:
        set_action(animation, action)


def set_action(owner: Any, action: bpy.types.Action) -> None:
    """Let an NLA strip or animation data play another action, by its first slot."""
    owner.action = action
    if hasattr(action, "slots"):
        owner.action_slot = action.slots[0]


def all_curves(action: bpy.types.Action) -> list[Any]:
    """All F-curves of any action, whatever slots and layers it has; only to be read."""
    if not hasattr(action, "slots"):
        return list(action.fcurves)
    return [
        curve
        for layer in action.layers
        for strip in layer.strips
        for channels in strip.channelbags
        for curve in channels.fcurves
    ]


def new_nla_strip(
    track: bpy.types.NlaTrack, action: bpy.types.Action, slot: Any = None
) -> bpy.types.NlaStrip:
    """A strip that plays an action, by its first slot or the given one, at its own frames."""
    start, end = action.curve_frame_range
    strip = track.strips.new(action.name, int(start), action)
    if hasattr(action, "slots") and (slot is not None or len(action.slots)):
        strip.action_slot = slot or action.slots[0]
    # strips start at whole frames when made; keys may lie between
    set_strip_range(strip, (start, max(end, start + 1)), (start, max(end, start + 1)))
    strip.name = action.name
    return strip


def set_strip_range(
    strip: bpy.types.NlaStrip, of_action: tuple[float, float], of_scene: tuple[float, float]
) -> None:
    """Let a strip play a range of its action's frames over a range of the scene's."""
    for _ in range(2):  # one bound keeps the other from passing it
        strip.action_frame_start, strip.action_frame_end = of_action
    for _ in range(2):
        strip.frame_start, strip.frame_end = of_scene


def sequencer_strips(editor: bpy.types.SequenceEditor) -> Any:
    """The strips of a sequencer."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def strip_start(strip: Any) -> float:
    """Scene frame at which a strip's sound itself begins, even if the strip is trimmed."""
    name = "content_start" if hasattr(strip, "content_start") else "frame_start"
    return float(getattr(strip, name))


def strip_end(strip: Any) -> int:
    """The scene frame after the last one that a strip plays."""
    name = "right_handle" if hasattr(strip, "right_handle") else "frame_final_end"
    return int(getattr(strip, name))


def has_sound() -> bool:
    """Whether this Blender was built with sound (the 4.2 bpy wheel was not)."""
    return bool(bpy.app.build_options.audaspace)


def show_sequencer_scene(workspace: Any, scene: bpy.types.Scene) -> None:
    """Let a workspace's sequencer show this scene if it shows none (5.0)."""
    if hasattr(workspace, "sequencer_scene") and workspace.sequencer_scene is None:
        workspace.sequencer_scene = scene


def select_bone(rig: bpy.types.Object, name: str) -> None:
    """Select one bone of an armature alone and make it the active one; 5.0 selects pose bones."""
    for pose_bone in rig.pose.bones:
        owner = pose_bone if hasattr(pose_bone, "select") else pose_bone.bone
        owner.select = pose_bone.name == name
    rig.data.bones.active = rig.data.bones[name]


def selected_bones(rig: bpy.types.Object) -> list[str]:
    """Names of the selected bones of an armature."""
    return [
        pose_bone.name
        for pose_bone in rig.pose.bones
        if (pose_bone if hasattr(pose_bone, "select") else pose_bone.bone).select
    ]


def nodes_of(material: bpy.types.Material) -> bpy.types.NodeTree:
    """The node tree of a new material, switched on where Blender asks for it (before 5.0)."""
    if material.node_tree is None:
        material.use_nodes = True
    return material.node_tree
