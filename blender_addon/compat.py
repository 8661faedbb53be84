# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between Blender versions; the only file that asks what a version has.

Blender 4.4 gave actions slots, layers and channelbags, and 5.0 removed the older `action.fcurves`;
the sequencer's `sequences` became `strips`.
"""

from __future__ import annotations

from typing import Any

import bpy


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
    if group:
        curve.group = owner.groups.get(group) or owner.groups.new(group)
    return curve


def assign_action(animation: bpy.types.AnimData, action: bpy.types.Action | None) -> None:
    """Make an action the active one, with its first slot."""
    animation.action = action
    if action is not None and hasattr(action, "slots"):
        animation.action_slot = action.slots[0]


def new_nla_strip(
    track: bpy.types.NlaTrack, name: str, frame: float, action: bpy.types.Action
) -> bpy.types.NlaStrip:
    """A strip that plays an action at its own frames."""
    strip = track.strips.new(name, int(frame), action)
    if hasattr(action, "slots"):
        strip.action_slot = action.slots[0]
    # strips start at whole frames when made; keys may lie between
    start, end = action.frame_range
    strip.action_frame_start, strip.action_frame_end = start, end
    strip.frame_start, strip.frame_end = start, end
    strip.name = name
    return strip


def sequencer_strips(editor: bpy.types.SequenceEditor) -> Any:
    """The strips of a sequencer."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def has_sound() -> bool:
    """Whether this Blender was built with sound (the 4.2 bpy wheel was not)."""
    return bool(bpy.app.build_options.audaspace)


def show_sequencer_scene(workspace: Any, scene: bpy.types.Scene) -> None:
    """Let a workspace's sequencer show this scene if it shows none (5.0)."""
    if hasattr(workspace, "sequencer_scene") and workspace.sequencer_scene is None:
        workspace.sequencer_scene = scene


def nodes_of(material: bpy.types.Material) -> bpy.types.NodeTree:
    """The node tree of a new material, switched on where Blender asks for it (before 5.0)."""
    if material.node_tree is None:
        material.use_nodes = True
    return material.node_tree
