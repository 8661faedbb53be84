"""Random sessions of directing: whatever is done in whatever order, values and counts agree."""

from __future__ import annotations

from math import radians

import bpy
import numpy as np
import pytest
from support import JAW_OPEN, YAW, curve
from take_support import state_of, whole_frames

STEPS = 14
NEAR = 0.01
"""Degrees by which pins may be missed."""
ALIKE = 5e-5
"""Radians, metres or coefficient by which edits may change when they go into a layer."""
SAME = 3e-6
"""The same for values outside a range: Blender's 32 bits."""


class Session:
    """What an animator does with one take, and what must hold after each step."""

    def __init__(self, addon, seed, keys):
        self.addon, self.random = addon, np.random.default_rng(seed)
        bpy.context.scene.render.fps = int(self.random.choice([24, 25, 30]))
        bpy.ops.osmnet.sample_takes(count=1, expression=True, keys=keys, seed=seed)
        self.frames = whole_frames(addon, self.rig, 0)
        self.steps = ["sample"]
        self.update()

    @property
    def rig(self):
        return self.addon.rig.head.need_rig(bpy.context)

    @property
    def take(self):
        return self.rig.osmnet.takes[0]

    def values(self):
        return self.addon.takes.evaluation.read(self.rig, self.frames)

    def edits(self):
        return self.addon.takes.layers.edits_at(self.take, self.frames.astype(int))

    def snapshot(self):
        pins = [(one.name, one.frame, *one.place, one.yaw) for one in self.rig.osmnet.pins]
        return state_of(self.addon, self.rig), pins

    def drawn(self):
        """What frames are rendered from."""
        rotation, translation, rest = self.addon.core.channels.performance_values(self.values())
        return np.hstack(self.addon.core.keys.quantise(rotation, translation, rest))

    def some_range(self):
        first = int(self.random.integers(2, len(self.frames) - 32))
        last = first + int(self.random.integers(15, 30))
        return int(self.frames[first]), int(self.frames[last])

    # Steps: each returns what must hold beside what always must.

    def edit(self):
        channel = int(self.random.choice([YAW, JAW_OPEN, 0]))
        owner = self.take.layer if self.take.layer is not None else self.take.action
        moved = curve(self.addon, owner, channel)
        if moved is None:  # of a layer
            return self.pin()
        point = moved.keyframe_points[int(self.random.integers(1, len(moved.keyframe_points) - 1))]
        change = float(self.random.choice([-1, 1])) * radians(4)
        for place in (point.co, point.handle_left, point.handle_right):
            place[1] += change
        moved.update()
        bpy.ops.ed.undo_push(message="edit")

    def pin(self):
        frame = int(self.random.choice(self.frames[6:-6]))
        if any(abs(one.frame - frame) < 12 for one in self.rig.osmnet.pins):
            return self.retake()
        bpy.ops.osmnet.pin_pose(
            "EXEC_DEFAULT", True, frame=frame, pitch=0.0, roll=radians(2), place=(0, 0, 0),
            yaw=radians(float(self.random.uniform(-9, 9))),
        )  # fmt: skip

    def meet(self):
        if not len(self.rig.osmnet.pins) or "retakes" in self.made()["options"]:
            return self.resample()
        before = self.edits()
        bpy.ops.osmnet.meet_pins()
        self.hold_that(before)

    def resample(self):
        before = self.edits()
        bpy.ops.osmnet.resample_take(index=0)
        self.hold_that(before)

    def hold_that(self, edits):
        np.testing.assert_allclose(self.edits(), edits, atol=ALIKE, rtol=0)
        for one in self.rig.osmnet.pins:
            value = self.addon.takes.evaluation.read(self.rig, np.array([one.frame], float))[0]
            assert abs(np.degrees(value[YAW] - one.yaw)) < NEAR, self.steps

    def retake(self, name="retake_range"):
        first, last = self.some_range()
        edits, before = self.edits(), self.values()
        getattr(bpy.ops.osmnet, name)(start=first, end=last)
        outside = (self.frames < first) | (self.frames > last)
        np.testing.assert_allclose(
            self.values()[outside], before[outside], atol=SAME, rtol=0, err_msg=str(self.steps)
        )
        np.testing.assert_allclose(self.edits(), edits, atol=ALIKE, rtol=0)

    def hold(self):
        self.retake("hold_range")

    def made(self):
        return self.addon.takes.actions.provenance_of(self.take.action)

    def update(self):
        """Draw what changed; the history begins here, since drawing makes steps of its own."""
        if self.rig.osmnet.made_with:
            bpy.ops.osmnet.update_frames()
        else:
            bpy.ops.osmnet.render_frames()
        self.shown = self.drawn()
        self.history, self.place = [self.snapshot()], 0

    def undo(self):
        if self.place:
            bpy.ops.ed.undo()
            self.place -= 1
            assert self.snapshot() == self.history[self.place], self.steps

    def redo(self):
        if self.place + 1 < len(self.history):
            bpy.ops.ed.redo()
            self.place += 1
            assert self.snapshot() == self.history[self.place], self.steps

    def step(self):
        names = ["edit", "edit", "pin", "meet", "retake", "hold", "resample"]
        names += ["undo", "undo", "redo", "update"]
        name = str(self.random.choice(names))
        self.steps.append(name)
        getattr(self, name)()
        if name not in ("undo", "redo", "update"):
            del self.history[self.place + 1 :]
            self.history.append(self.snapshot())
            self.place += 1
        wanted = int((self.drawn() != self.shown).any(axis=1).sum())
        found = self.addon.frames.rendering.changed_frames(self.rig, bpy.context.scene)
        assert found == wanted, self.steps


@pytest.mark.parametrize("keys", ["FEW", "EVERY"])
@pytest.mark.parametrize("seed", range(2))
def test_a_session_keeps_its_promises(addon, fake, rig, seed, keys):
    session = Session(addon, seed, keys)
    for _ in range(STEPS):
        session.step()
    while session.place:
        session.undo()
    assert addon.frames.rendering.changed_frames(session.rig, bpy.context.scene) == 0
    bpy.ops.osmnet.update_frames()
    assert bpy.context.window_manager.osmnet.note.startswith("0 of")
    bpy.ops.osmnet.discard_edits()
    assert not addon.takes.layers.is_edited(session.take)
