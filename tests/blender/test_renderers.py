"""Frames of one renderer are never shown for those of another; edits reach as far as it looks."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from support import YAW, add_to_key, picture, shown_file, status

WINDOW = 2
"""Of the fake engine's "paper"."""


@pytest.fixture
def taken(addon, rig, fake):
    bpy.context.scene.render.fps = 25  # so that each key lies on a frame
    bpy.ops.osmnet.sample_takes(count=1, expression=True)
    return rig


def rendered():
    """How many frames the last job rendered."""
    return int(status().note.split()[0])


def test_each_renderer_has_frames_of_its_own(addon, taken):
    assert bpy.ops.osmnet.render_frames(renderer="warp") == {"FINISHED"}
    assert rendered() == 75
    warped = picture(shown_file(addon, taken, 20))
    bpy.ops.osmnet.render_frames(renderer="paper")
    assert rendered() == 75
    assert addon.frames.rendering.made_with(taken)["renderer"] == "paper"
    assert not np.array_equal(picture(shown_file(addon, taken, 20)), warped)
    bpy.ops.osmnet.render_frames()  # the engine's default is the warp, whose frames are there
    assert rendered() == 0
    assert addon.frames.rendering.made_with(taken)["renderer"] == "warp"
    assert np.array_equal(picture(shown_file(addon, taken, 20)), warped)


@pytest.mark.parametrize(("renderer", "window"), [("warp", 0), ("paper", WINDOW)])
def test_an_edit_reaches_as_far_as_the_renderer_looks(addon, taken, renderer, window):
    bpy.ops.osmnet.render_frames(renderer=renderer)
    before = {f: picture(shown_file(addon, taken, f)) for f in range(1, 76)}
    frame = add_to_key(addon, taken.osmnet.takes[0].action, YAW, 39, 0.15)
    expected = list(range(round(frame) - window, round(frame) + window + 1))
    assert addon.frames.rendering.changed_frames(taken, bpy.context.scene) == len(expected)
    bpy.ops.osmnet.update_frames()
    assert rendered() == len(expected)
    after = {f: picture(shown_file(addon, taken, f)) for f in before}
    assert [f for f in before if not np.array_equal(before[f], after[f])] == expected
    assert addon.frames.rendering.made_with(taken)["renderer"] == renderer


def test_frames_of_a_part_are_those_of_the_whole(addon, taken):
    scene = bpy.context.scene
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 30, 39
    bpy.ops.osmnet.render_frames(range="SCENE", renderer="paper")
    assert rendered() == 10
    part = {f: picture(shown_file(addon, taken, f)) for f in range(30, 40)}
    store = addon.preferences.frame_store()
    addon.preferences.get().cache_folder = str(store.folder.parent / "another")
    bpy.ops.osmnet.render_frames(renderer="paper")
    assert rendered() == 75
    for frame, image in part.items():
        assert np.array_equal(picture(shown_file(addon, taken, frame)), image)


def test_a_renderer_without_weights_is_one_sentence_and_changes_nothing(addon, taken):
    bpy.ops.osmnet.render_frames()
    before = dict(addon.frames.rendering.made_with(taken))
    with pytest.raises(RuntimeError, match="has no weights for the renderer 'guided'; choose warp"):
        bpy.ops.osmnet.render_frames(renderer="guided")
    assert addon.frames.rendering.made_with(taken) == before


def test_the_panels_choice_is_the_operators(addon, taken):
    names = [item[0] for item in addon.ui.properties.RENDERERS]
    assert names == ["auto", *addon.core.conventions.RENDERERS]
    assert bpy.context.scene.osmnet.renderer == "auto"
