"""The count of changed frames is right after any row of edits, undo, updates and cancels."""

from __future__ import annotations

import time
from contextlib import suppress

import bpy
import numpy as np
import pytest
from support import YAW, add_to_key, shown_file, status

FRAMES = range(1, 25)


def stale(addon, rig):
    """How many frames on the plane are not what the curves say, by the files themselves."""
    scene, store = bpy.context.scene, addon.preferences.frame_store()
    plan = addon.frames.rendering.make_plan(
        rig, scene, addon.frames.rendering.made_with(rig), "SCENE"
    )
    assert [plan.first + number for number in plan.wanted] == list(FRAMES)
    wrong = 0
    for number in plan.wanted:
        shown = shown_file(addon, rig, plan.first + number)
        wanted = store.path(plan.keys[number])
        same = wanted.exists() and shown.exists() and wanted.read_bytes() == shown.read_bytes()
        wrong += not same
    return wrong


class Session:
    """An animator at work; every method is one thing that one does, at random."""

    def __init__(self, addon, rig, windowed, seed):
        self.addon, self.name, self.drive = addon, rig.name, windowed
        self.random = np.random.default_rng(seed)

    @property
    def rig(self):
        return bpy.data.objects.get(self.name)

    def edit(self):
        action = self.rig.osmnet.takes[self.rig.osmnet.chosen].action
        number = int(self.random.integers(1, len(FRAMES)))
        add_to_key(self.addon, action, YAW, number, float(self.random.uniform(0.05, 0.3)))
        bpy.ops.ed.undo_push(message="edit")

    def edit_several(self):
        for _ in range(3):
            self.edit()

    def choose(self):
        index = 1 - self.rig.osmnet.chosen
        bpy.ops.osmnet.choose_take("EXEC_DEFAULT", True, index=index)

    def turn_the_neck(self):
        self.rig.pose.bones["neck"].rotation_quaternion[2] += 0.05
        bpy.ops.ed.undo_push(message="neck")

    def undo(self):
        self.step(bpy.ops.ed.undo)
        if self.rig is None or not self.rig.osmnet.made_with:  # before the first frames
            self.step(bpy.ops.ed.redo)

    def redo(self):
        self.step(bpy.ops.ed.redo)

    @staticmethod
    def step(operator):
        with suppress(RuntimeError):  # nothing to be undone
            operator()

    def update(self):
        assert bpy.ops.osmnet.update_frames() == {"FINISHED"}
        self.drive()
        assert status().changed == 0

    def cancel(self):
        self.begin()
        bpy.ops.osmnet.cancel() if self.busy() else None
        self.drive()

    def undo_meanwhile(self):
        self.begin()
        for _ in range(int(self.random.integers(1, 4))):
            self.undo()
        if self.busy() and self.random.random() < 0.5:
            bpy.ops.osmnet.cancel()
        self.drive()

    def begin(self):
        before, wanted = self.arrived(), int(self.random.integers(0, 6))
        assert bpy.ops.osmnet.update_frames() == {"FINISHED"}
        self.drive(until=lambda: self.arrived() >= before + wanted)

    def arrived(self):
        return len(list((self.addon.preferences.frame_store().folder / "frames").rglob("*.png")))

    def busy(self):
        return bool(self.addon.engine.jobs.busy())


ACTIONS = ("edit", "edit", "edit_several", "choose", "turn_the_neck", "undo", "undo", "redo",
           "update", "cancel", "undo_meanwhile")  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_any_row_of_actions(addon, rig, fake, windowed, monkeypatch, seed):
    monkeypatch.setenv("OSMNET_FAKE_FRAME_SECONDS", "0.004")
    addon.engine.process.stop()
    scene = bpy.context.scene
    scene.render.fps, scene.frame_start, scene.frame_end = 25, FRAMES[0], FRAMES[-1]
    bpy.ops.osmnet.sample_takes(count=2)
    windowed()
    bpy.ops.osmnet.render_frames(range="SCENE")
    windowed()
    session = Session(addon, rig, windowed, seed)
    row = []
    for _ in range(14):
        row.append(str(session.random.choice(ACTIONS)))
        getattr(session, row[-1])()
        addon.frames.watch.look(bpy.context)
        assert not status().error, row
        assert status().changed == stale(addon, session.rig), row


def test_undoing_the_takes_during_a_render_and_then_cancelling(
    addon, rig, fake, windowed, monkeypatch
):
    """Nothing is left of takes that are no more."""
    monkeypatch.setenv("OSMNET_FAKE_FRAME_SECONDS", "0.02")
    addon.engine.process.stop()
    name = rig.name
    bpy.ops.ed.undo_push(message="head")
    for _ in range(2):
        bpy.ops.osmnet.sample_takes(count=2)
        windowed()
    bpy.ops.osmnet.choose_take("EXEC_DEFAULT", True, index=2)
    bpy.ops.osmnet.render_frames()
    windowed(until=lambda: status().factor > 0.3)
    for _ in range(4):  # the frames, the choice, two samplings
        bpy.ops.ed.undo()
    rig = bpy.data.objects[name]
    assert not len(rig.osmnet.takes)
    bpy.ops.osmnet.cancel()
    windowed()
    rig = bpy.data.objects[name]
    assert (rig.osmnet.sequence, rig.osmnet.made_with) == ("", "")
    image = addon.frames.plane.texture_of(rig.osmnet.plane).image
    assert image.source != "SEQUENCE"
    bpy.ops.ed.redo()  # still there: the job has made no step of its own
    assert len(bpy.data.objects[name].osmnet.takes) == 2


def test_what_was_stopped_does_not_begin_again_by_itself(addon, rig, fake, windowed, monkeypatch):
    monkeypatch.setenv("OSMNET_FAKE_FRAME_SECONDS", "0.02")
    addon.engine.process.stop()
    bpy.ops.osmnet.sample_takes(count=1)
    windowed()
    bpy.ops.osmnet.render_frames()
    windowed()
    bpy.context.scene.osmnet.auto_update = True
    action = rig.osmnet.takes[0].action
    add_to_key(addon, action, YAW, 20, 0.2)
    addon.frames.watch.look(bpy.context)
    assert addon.engine.jobs.busy()
    bpy.ops.osmnet.cancel()
    windowed()
    addon.frames.watch._tick()
    addon.frames.watch.look(bpy.context)
    assert not addon.engine.jobs.busy()
    assert status().changed > 0
    add_to_key(addon, action, YAW, 30, 0.2)
    addon.frames.watch.look(bpy.context)
    assert addon.engine.jobs.busy()
    windowed()
    assert status().changed == 0


def test_notes_go_with_what_they_speak_of(addon, rig, fake, windowed):
    bpy.ops.osmnet.sample_takes(count=1)
    windowed()
    bpy.ops.osmnet.render_frames()
    windowed()
    addon.frames.watch.look(bpy.context)
    assert "rendered" in status().note
    addon.frames.watch.look(bpy.context)
    assert "rendered" in status().note
    add_to_key(addon, rig.osmnet.takes[0].action, YAW, 20, 0.2)
    addon.frames.watch.look(bpy.context)
    assert status().note == ""
    bpy.ops.osmnet.update_frames()
    windowed()
    bpy.ops.ed.undo()
    assert status().note == ""
    bpy.ops.osmnet.update_frames()
    windowed()
    addon.status.show_error(addon.core.errors.AddonError("Something."))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert (status().note, status().error, status().changed) == ("", "", -1)


def test_counting_does_not_hold_a_window_up(addon, rig, fake, monkeypatch):
    """A long take is read in slices, and an edit between them is counted as well."""
    from take_support import add_take

    monkeypatch.setattr(addon.takes.evaluation, "in_slices", lambda: True)
    add_take(addon, rig, 1, count=1500)
    addon.takes.nla.choose(rig, 0)
    bpy.context.scene.render.fps = 25
    bpy.ops.osmnet.fit_takes()
    rig.osmnet.made_with = '{"range": "TAKE", "take": "voice 01"}'
    counting = addon.frames.watch._looking(bpy.context)
    longest, slices = 0.0, 0
    while True:
        before = time.perf_counter()
        try:
            next(counting)
        except StopIteration:
            break
        longest, slices = max(longest, time.perf_counter() - before), slices + 1
    assert slices >= 4
    assert status().changed == 1500
