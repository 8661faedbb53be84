"""Takes for tests, without an engine, and what is asked of them again and again."""

from __future__ import annotations

from fractions import Fraction

import bpy
import numpy as np

FPS = Fraction(25)
MADE = {"source": "sampled", "audio": "voice.wav", "seed": 3, "take": 0}


def smooth(count: int, seed: int) -> np.ndarray:
    """(count, 58) slow waves: radians, metres, coefficients."""
    random = np.random.default_rng(seed)
    times = np.arange(count)[:, None] / 25
    waves = np.sin(times * random.uniform(1, 6, 58) + random.uniform(0, 6, 58))
    waves[:, 0:3] *= 0.2
    waves[:, 3:6] *= 0.02
    waves[:, 6:] = 0.5 + 0.4 * waves[:, 6:]
    return waves.astype(np.float32).astype(np.float64)


def timing(addon, rig, count: int, fps=FPS):
    rate = addon.takes.actions.scene_rate(bpy.context.scene)
    return addon.takes.actions.Timing(rig.osmnet.voice_start, fps, rate, count)


def add_take(addon, rig, seed: int, count: int = 50, channels=range(58), name=None, fps=FPS) -> int:
    """A take as an import would add it."""
    return addon.takes.collection.add(
        rig, name or f"voice {seed:02d}", timing(addon, rig, count, fps), smooth(count, seed),
        {**MADE, "seed": seed}, channels,
    )  # fmt: skip


def at_samples(addon, rig, index: int) -> np.ndarray:
    """What the rig does at the samples of a take."""
    take = rig.osmnet.takes[index]
    return addon.takes.evaluation.read(rig, addon.takes.actions.timing_of(take.action).frames)


def whole_frames(addon, rig, index: int) -> np.ndarray:
    """Whole scene frames during a take."""
    return np.array(
        addon.takes.actions.timing_of(rig.osmnet.takes[index].action).scene_frames, float
    )


def keys_of(curve) -> np.ndarray:
    """(K, 6) keys and handles of a curve."""
    values = [np.empty(2 * len(curve.keyframe_points), np.float32) for _ in range(3)]
    for name, array in zip(("co", "handle_left", "handle_right"), values, strict=True):
        curve.keyframe_points.foreach_get(name, array)
    return np.column_stack([array.reshape(-1, 2) for array in values])


def foreign_action(name: str, path: str = 'pose.bones["neck"].location', first: float = 3.4):
    """An action as an animator would make one, with a key between frames."""
    owner = bpy.data.objects.new("for an action", None)
    action = bpy.data.actions.new(name)
    owner.animation_data_create().action = action
    if hasattr(action, "slots"):
        slot = action.slots.new(id_type="OBJECT", name="mine")
        owner.animation_data.action_slot = slot
        curves = action.layers.new("L").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
        curve = curves.fcurves.new(path, index=0)
    else:
        curve = action.fcurves.new(path, index=0)
    for number in range(4):
        curve.keyframe_points.insert(first + 7.3 * number, 0.01 * number)
    bpy.data.objects.remove(owner)
    return action


def all_keys(addon, action) -> dict:
    """Everything that an action holds, to be compared."""
    return {
        (curve.data_path, curve.array_index): keys_of(curve).tobytes()
        for curve in addon.compat.all_curves(action)
    }


def state_of(addon, rig) -> dict:
    """What an undo step must bring back."""
    animation = rig.animation_data
    return {
        "takes": [
            (take.name, take.layer.name if take.layer else None) for take in rig.osmnet.takes
        ],
        "list": (rig.osmnet.chosen, rig.osmnet.index, rig.osmnet.blending),
        "active": animation.action.name if animation and animation.action else None,
        "tracks": [
            (t.name, t.mute, [(s.name, s.blend_type, round(s.frame_start, 3)) for s in t.strips])
            for t in (animation.nla_tracks if animation else [])
        ],
        "actions": {a.name: all_keys(addon, a) for a in bpy.data.actions},
    }
