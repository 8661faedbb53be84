"""Pictures of a part of a photo in frames of other sizes, against what can be worked out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.rendering.pasting import Pasting
from osmnet_sdk.rendering.view import View

PHOTO = np.full((200, 300, 3), 40, np.uint8)
WHOLE = View(0.0, 0.0, 1.0, 300, 200)


def bright(part: View) -> np.ndarray:
    return np.full((part.height, part.width, 3), 240, np.uint8)


def test_the_very_part_is_the_picture_itself():
    part = View(10.5, 20.0, 0.64, 64, 64)
    picture = bright(part)
    assert Pasting(PHOTO, part, View(10.5, 20.0, 0.64, 64, 64))(picture) is picture


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 3.3])
def test_a_part_at_another_size_fills_the_frame(scale):
    part = View(50.0, 40.0, 0.64, 64, 64)
    side = round(64 * scale)
    frame = Pasting(PHOTO, part, View(50.0, 40.0, side / 100, side, side))(bright(part))
    assert frame.shape == (side, side, 3)
    assert (frame == 240).all()


def test_the_photo_stays_around_the_part_and_the_edge_is_soft():
    part = View(100.0, 50.0, 0.64, 64, 64)  # 100 × 100 pixels of the photo
    frame = Pasting(PHOTO, part, WHOLE)(bright(part))
    assert frame.shape == PHOTO.shape
    assert (frame[60:140, 110:190] == 240).all()
    outside = np.ones((200, 300), bool)
    outside[50:150, 100:200] = False
    assert (frame[outside] == 40).all()
    edge = frame[100, 100:110, 0].astype(int)
    assert (np.diff(edge) >= 0).all()
    assert 40 < edge[0] < 120 < edge[4]


def test_at_the_photos_edge_the_picture_goes_up_to_it():
    part = View(0.0, 0.0, 0.32, 64, 64)  # 200 × 200 pixels, the photo's whole height
    frame = Pasting(PHOTO, part, WHOLE)(bright(part))
    assert (frame[:, :180] == 240).all()
    assert frame[0, 199, 0] < 100
    assert (frame[:, 201:] == 40).all()


@given(
    x=st.floats(0, 150), y=st.floats(0, 80), side=st.floats(40, 120), height=st.integers(16, 90),
    width=st.integers(16, 90),
)  # fmt: skip
def test_what_the_picture_shows_stays_in_its_place(x, y, side, height, width):
    rows, columns = np.mgrid[0:200, 0:300]
    photo = np.stack([columns * 0.8, rows, rows * 0 + 90], -1).astype(np.uint8)
    part = View(x, y, 96 / side, 96, 96)
    scale = min(height, width) / side
    left, top = x - (width / scale - side) / 2, y - (height / scale - side) / 2
    view = View(left, top, scale, width, height)
    frame = Pasting(photo, part, view)(part.still(photo))
    assert frame.shape == (height, width, 3)
    assert np.abs(frame.astype(int) - view.still(photo))[2:-2, 2:-2].max() <= 4
