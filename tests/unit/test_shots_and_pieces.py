"""Shot changes, and pieces of video in which a head can be followed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.face.shots import shot_starts, thumbnail, with_starts
from osmnet_sdk.face.source import Crop
from osmnet_sdk.research.data.pieces import Reason, Watched, find_pieces, head_crop
from osmnet_sdk.research.data.settings import PreparationSettings

RANDOM = np.random.default_rng(5)
FACE = RANDOM.uniform(-50, 50, (478, 2)).astype(np.float32)
FACE[0], FACE[1] = (-50, -50), (50, 50)


def scene(frames, seed, noise=2.0, drift=0.3):
    """Small pictures of one shot: a still picture with noise that gets slowly brighter."""
    random = np.random.default_rng(seed)
    still = random.uniform(0, 255, (16, 16, 3))
    noisy = still + random.normal(0, noise, (frames, 16, 16, 3))
    return np.clip(noisy + drift * np.arange(frames)[:, None, None, None], 0, 255).astype(np.uint8)


@given(st.lists(st.integers(4, 30), min_size=1, max_size=4))
def test_cuts_are_found_where_they_are(lengths):
    pictures = np.concatenate([scene(length, seed) for seed, length in enumerate(lengths)])
    expected = np.cumsum([0, *lengths[:-1]])
    np.testing.assert_array_equal(np.flatnonzero(shot_starts(pictures)), expected)


@pytest.mark.parametrize("frames", [1, 2])
def test_a_flash_is_no_cut(frames):
    pictures = scene(30, 1)
    pictures[12 : 12 + frames] = 250
    assert np.flatnonzero(shot_starts(pictures)).tolist() == [0]


def test_a_whole_picture_in_motion_is_no_cut():
    wide = RANDOM.uniform(0, 255, (16, 80, 3)).astype(np.uint8)
    pictures = np.stack([wide[:, 2 * t : 2 * t + 16] for t in range(30)])
    assert np.flatnonzero(shot_starts(pictures)).tolist() == [0]


def test_thumbnails_average_the_frame():
    image = np.zeros((320, 160, 3), np.uint8)
    image[::2] = 200
    assert thumbnail(image).shape == (16, 16, 3)
    assert np.abs(thumbnail(image).astype(int) - 100).max() <= 1


def watched(frames=60, *, width=400, height=400, centre=(200.0, 200.0), scale=1.0):
    points = np.repeat((FACE * scale + centre)[None], frames, axis=0).astype(np.float32)
    starts = np.zeros(frames, bool)
    starts[0] = True
    return Watched(points, starts, np.zeros(frames, bool), width, height)


def reasons(found):
    return [(r.start, r.stop, r.reason) for r in found[1]]


def places(found):
    return [(p.start, p.stop) for p in found[0]]


def test_a_good_shot_is_one_piece():
    found = find_pieces(watched(), PreparationSettings())
    assert places(found) == [(0, 60)]
    assert not found[1]
    crop = found[0][0].crop
    assert crop.side == pytest.approx(188.6, abs=0.1)
    assert crop.x < 150
    assert crop.x + crop.side > 250


def test_long_shots_are_cut_into_equal_parts():
    found = find_pieces(watched(260), PreparationSettings(maximum_seconds=4))
    assert places(found) == [(0, 86), (86, 173), (173, 260)]


def test_shots_jumps_and_gaps_end_a_piece_and_short_gaps_do_not():
    seen = watched(200)
    seen.starts[40] = True
    seen.points[80:] += 90  # another face
    seen.points[120:140] = np.nan
    seen.points[160:163] = np.nan
    found = find_pieces(seen, PreparationSettings())
    assert places(found) == [(0, 40), (40, 80), (80, 120), (140, 200)]
    assert reasons(found) == [(120, 140, Reason.NO_FACE)]


def test_a_face_that_grows_at_once_is_another():
    seen = watched(100)
    seen.points[50:] = (seen.points[50:] - 200) * 1.5 + 200
    assert places(find_pieces(seen, PreparationSettings())) == [(0, 50), (50, 100)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scale": 0.5}, Reason.TOO_SMALL),
        ({"frames": 20}, Reason.TOO_SHORT),
        ({"centre": (20.0, 200.0)}, Reason.CUT_OFF),
        ({"centre": (200.0, 385.0)}, Reason.CUT_OFF),
        ({"width": 110, "height": 110, "centre": (55.0, 55.0)}, Reason.CUT_OFF),
    ],
)
def test_reasons(changes, reason):
    found = find_pieces(watched(**changes), PreparationSettings())
    assert [r.reason for r in found[1]] == [reason]
    assert not found[0]
    assert found[1][0].detail


def test_a_shot_without_face_and_a_second_face():
    seen = watched(90)
    seen.starts[45] = True
    seen.points[:45] = np.nan
    seen.crowded[50] = True
    found = find_pieces(seen, PreparationSettings())
    assert reasons(found) == [(0, 45, Reason.NO_FACE), (45, 90, Reason.SEVERAL_FACES)]


def test_a_head_that_walks_through_the_picture():
    seen = watched(100, width=900)
    seen.points[..., 0] += np.linspace(-100, 200, 100, dtype=np.float32)[:, None]
    found = find_pieces(seen, PreparationSettings())
    assert [r.reason for r in found[1]] == [Reason.MOVES_FAR]
    still = find_pieces(seen, PreparationSettings(maximum_seconds=1.0))
    assert len(still[0]) == 4


def test_frames_outside_the_spans_are_in_neither_list():
    spans = np.zeros(120, bool)
    spans[10:50] = spans[60:100] = True
    found = find_pieces(watched(120), PreparationSettings(), spans)
    assert places(found) == [(10, 50), (60, 100)]
    assert not found[1]


@given(
    st.floats(60, 340), st.floats(60, 340), st.floats(0.5, 1.0), st.floats(-15, 15),
    st.integers(300, 500), st.integers(300, 500),
)  # fmt: skip
def test_crops_hold_the_face_and_stay_in_the_picture(x, y, scale, way, width, height):
    points = np.stack([FACE * scale + (x + way * t, y) for t in (0.0, 0.5, 1.0)]).astype(np.float32)
    crop = head_crop(points, width, height)
    if not isinstance(crop, Crop):
        return
    assert crop.x >= 0
    assert crop.y >= 0
    assert crop.x + crop.side <= width + 1e-3
    assert crop.y + crop.side <= height + 1e-3
    slack = 0.05 * 100 * scale + 0.01
    low, high = points.min((0, 1)), points.max((0, 1))
    assert low[0] >= crop.x - slack
    assert high[0] <= crop.x + crop.side + slack
    assert low[1] >= crop.y - slack
    assert high[1] <= crop.y + crop.side + slack


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=24),
    st.integers(0, 1000),
)
def test_shots_told_frame_by_frame_are_those_of_the_whole(pictures, seed):
    random = np.random.default_rng(seed)
    scenes = random.integers(0, 256, (4, 16, 16, 3)).astype(np.uint8)
    frames = [np.roll(scenes[each], int(random.integers(0, 2)), 0) for each in pictures]
    told = list(with_starts(iter(frames)))
    assert all(a is b for (a, _), b in zip(told, frames, strict=True))
    whole = shot_starts(np.stack([thumbnail(frame) for frame in frames]))
    assert [start for _, start in told] == whole.tolist()
