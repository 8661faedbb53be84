"""The visible label and what is written into a file about its making."""

import json
import time

import numpy as np
import pytest

from osmnet_sdk.core.provenance import file_metadata
from osmnet_sdk.errors import InputError, PhotoError
from osmnet_sdk.rendering.label import draw_label


def changed(height, width, level):
    frame = np.full((height, width, 3), level, np.uint8)
    return (draw_label(frame.copy()) != frame).any(axis=2)


@pytest.mark.parametrize("level", [0, 60, 128, 200, 255])
@pytest.mark.parametrize(("height", "width"), [(256, 256), (512, 512), (1080, 1920)])
def test_letters_stand_out_on_any_background(height, width, level):
    frame = draw_label(np.full((height, width, 3), level, np.uint8))
    rows, columns = np.nonzero(np.abs(frame[..., 0].astype(int) - level) > 20)
    label = frame[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1, 0].astype(float)
    letters, plate = label[label > 230], np.percentile(label, 25)
    assert len(letters) > 0.03 * label.size
    # Contrast as in WCAG 2.2: (L1 + 0.05) / (L2 + 0.05), 4.5 for text.
    luminance = ((plate / 255 + 0.055) / 1.055) ** 2.4
    assert 1.05 / (luminance + 0.05) > 4.5


def test_it_is_small_and_in_the_bottom_left_corner():
    for height, width in ((256, 256), (512, 512), (1080, 1920), (1920, 1080)):
        rows, columns = np.nonzero(changed(height, width, 255))
        assert rows.min() > 0.85 * height
        assert columns.min() < 0.05 * width
        assert columns.max() < 0.62 * width
        assert rows.max() < height - 1
        assert columns.min() > 0
        share = (np.ptp(rows) + 1) * (np.ptp(columns) + 1) / (height * width)
        assert share < 0.03
        assert np.ptp(rows) > 0.02 * height


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (40, 3), (32, 32), (20, 300)])
def test_tiny_frames_do_not_fail(size):
    frame = np.full((*size, 3), 90, np.uint8)
    assert draw_label(frame).shape == (*size, 3)


def test_it_draws_in_place_and_the_rest_stays():
    frame = np.random.default_rng(1).integers(0, 256, (200, 240, 3)).astype(np.uint8)
    before = frame.copy()
    assert draw_label(frame) is frame
    different = (frame != before).any(axis=2)
    assert different[180:].any()
    assert not different[:170].any()
    locked = before.copy()
    locked.flags.writeable = False
    np.testing.assert_array_equal(draw_label(locked), frame)
    np.testing.assert_array_equal(locked, before)
    view = np.zeros((200, 480, 3), np.uint8)[:, ::2]
    assert draw_label(view) is view


def test_it_costs_little_once_the_size_is_known():
    frame = np.zeros((256, 256, 3), np.uint8)
    draw_label(frame)
    best = min(_seconds(frame) for _ in range(50))
    assert best < 0.0005


def _seconds(frame):
    start = time.perf_counter()
    draw_label(frame)
    return time.perf_counter() - start


def test_wrong_frames_are_refused():
    for wrong in (
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3), np.float32),
    ):
        with pytest.raises(PhotoError):
            draw_label(wrong)


def test_metadata_says_what_it_is_and_how_it_was_made():
    provenance = {"seed": 7, "bundle": "starter", "audio": "Grüße.wav"}
    tags = file_metadata(json.dumps(provenance))
    assert "AI-generated" in tags["title"]
    words, text = tags["comment"].split(" ", 1)
    assert words == "AI-generated."
    assert json.loads(text) == provenance
    with pytest.raises(InputError, match="JSON"):
        file_metadata("seed 7")
