"""What is made up for places that a photo does not show is smooth and comes from beside them."""

from __future__ import annotations

import numpy as np

from osmnet_sdk.rendering.filling import continued, spread
from osmnet_sdk.rendering.view import View
from osmnet_sdk.rendering.warp.texture_region import TextureRegion


def striped(height=120, width=160, period=16):
    """Upright stripes, and a bright column at the right edge that a mirror would repeat."""
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[:, np.arange(width) % period < period // 2] = 150
    picture[:, -12:-6] = 255
    return picture


def across(picture):
    """Mean size of the steps between neighbouring columns."""
    return np.abs(np.diff(picture.astype(float).mean((0, 2)))).mean()


def test_colours_are_carried_on_from_what_is_beside_a_hole():
    picture = np.zeros((90, 120, 3), np.uint8)
    picture[:, :60], picture[:, 60:] = (200, 40, 40), (40, 40, 200)
    known = np.ones((90, 120))
    known[20:70, 10:110] = 0
    unknown = picture.copy()
    unknown[known == 0] = 255
    filled = spread(unknown, known)
    assert np.abs(filled[45, 14].astype(int) - [200, 40, 40]).max() < 25
    assert np.abs(filled[45, 105].astype(int) - [40, 40, 200]).max() < 25
    assert np.abs(np.diff(filled[45].astype(int), axis=0)).max() < 25


def test_nothing_known_is_grey_and_all_known_stays():
    picture = striped(40, 40)
    assert (spread(picture, np.zeros((40, 40))) == 128).all()
    assert np.abs(spread(picture, np.ones((40, 40))).astype(int) - picture).mean() < 12
    np.testing.assert_array_equal(continued(picture, np.zeros((40, 40), np.uint8)), picture)


def test_beyond_the_photo_a_domain_has_no_stripes():
    photo = striped()
    picture = TextureRegion(-40, 0, 280, 120, 1.0).cut(photo)
    np.testing.assert_array_equal(picture[:, 40:200], photo)
    assert across(picture[:, 40:200]) > 5
    for beyond in (picture[:, :30], picture[:, 210:]):
        assert across(beyond) < 1.5
        assert 80 < beyond.mean() < 210


def test_a_mask_goes_on_beyond_the_photo():
    mask = np.zeros((20, 30), np.uint8)
    mask[:, 20:] = 255
    beyond = TextureRegion(0, 0, 60, 20, 1.0).cut(mask)[:, 30:]
    assert (beyond == 255).all()


def test_a_view_beyond_the_photo_has_no_lines():
    photo = striped().transpose(1, 0, 2).copy()
    picture = View(0.0, -20.0, 1.0, 120, 260).still(photo)
    np.testing.assert_array_equal(picture[20:180], photo)
    assert across(picture[195:].transpose(1, 0, 2)) < 1.5
    lines = photo.copy()
    lines[:, ::2] = 0
    below = View(0.0, 0.0, 1.0, 120, 260).still(lines)[200:]
    assert across(below) < 2
