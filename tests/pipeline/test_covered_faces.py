"""Masks and dark glasses: told before a render, and no lid is drawn over a lens."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import pytest

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.errors import OSMNetWarning
from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.covered import look_for_covers
from osmnet_sdk.face.landmarks import find_landmarks
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

JAW = (93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323)


def laid(astronaut, shape, colour, share=1.0):
    """Paint a soft-edged shape (H, W) of 0 and 1 over the sample photo."""
    soft = cv2.GaussianBlur(shape.astype(np.float32), (0, 0), 0.8)[..., None] * share
    light = 1 - 0.1 * np.sin(np.arange(512) / 7)[None, :, None]  # some folds
    return np.clip(astronaut * (1 - soft) + np.array(colour) * light * soft, 0, 255).astype(
        np.uint8
    )


def mask(astronaut, face, colour):
    points = face.landmarks
    edge = np.concatenate([points[list(JAW)], [points[6] * 0.3 + points[4] * 0.7]])
    shape = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(shape, [edge.round().astype(np.int32)], 1)
    return laid(astronaut, shape, colour)


def lenses(face):
    shape = np.zeros((512, 512), np.uint8)
    size = np.linalg.norm(np.subtract(*face.landmarks[list(sets.EYE_OUTER_CORNERS)]))
    for eye in (sets.RIGHT_EYE, sets.LEFT_EYE):
        x, y = face.landmarks[list(eye)].mean(0)
        cv2.ellipse(
            shape, (round(float(x)), round(float(y))), (int(size * 0.29), int(size * 0.24)),
            0, 0, 360, 1, -1,
        )  # fmt: skip
    return shape


def said(osm, photo):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", OSMNetWarning)
        face = osm.fit_face(photo)
    texts = [str(each.message) for each in caught]
    assert tuple(texts) == face.warnings
    return face, " ".join(texts)


@pytest.mark.parametrize("colour", [(120, 170, 200), (30, 30, 32), (225, 228, 230), (170, 40, 45)])
def test_a_mask_is_told(osm, astronaut, face, colour):
    covered, text = said(osm, mask(astronaut, face, colour))
    assert "The mouth in the photo seems to be covered" in text
    assert "open" not in text  # the mouth beneath is not seen
    assert covered.quality.warns_of("covered mouth")
    assert not covered.quality.warns_of("covered eyes")


@pytest.mark.parametrize(("colour", "share"), [((15, 15, 17), 1.0), ((60, 38, 22), 0.9),
                                               ((30, 45, 35), 0.92)])  # fmt: skip
def test_dark_glasses_are_told_and_nothing_moves_behind_them(osm, astronaut, face, colour, share):
    shape = lenses(face)
    covered, text = said(osm, laid(astronaut, shape, colour, share))
    assert "behind dark glasses" in text
    assert not covered.quality.warns_of("covered mouth")
    values = np.zeros((2, 52), np.float32)
    for name in ("eyeBlinkLeft", "eyeBlinkRight", "eyeLookInLeft", "eyeLookOutRight"):
        values[1, ARKIT_NAMES.index(name)] = 1.0
    still = MotionTrack(FPS, np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32))
    for renderer in ("warp", "guided"):
        open_eyes, blinking = osm.render(
            covered, still, ExpressionTrack(FPS, values), renderer=renderer, size="photo"
        )
        inside = cv2.erode(shape, np.ones((3, 3), np.uint8)) > 0
        assert np.abs(blinking[inside].astype(int) - open_eyes[inside]).max() == 0
    # The lens is as dark as in the photo.
    assert open_eyes[inside].mean() < covered.photo[inside].mean() + 4


def test_faces_that_show_themselves_are_not_flagged(osm, astronaut, face):
    assert not face.quality.warns_of("covered mouth")
    assert not face.quality.warns_of("covered eyes")
    points = face.landmarks
    lips = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(lips, [points[list(sets.LIPS_OUTER)].round().astype(np.int32)], 1)
    beard = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(beard, [points[[*JAW, 425, 164, 205]].round().astype(np.int32)], 1)
    beard[lips > 0] = 0
    y, x = np.mgrid[:512, :512]
    sunk = np.clip(1.3 - y / points[168, 1] * 0.6, 0.55, 1.0)[..., None]
    for name, picture in (
        ("dark", astronaut * 0.4),
        ("half in shadow", astronaut * np.where(x < points[4, 0], 0.3, 1.0)[..., None]),
        ("light from below", astronaut * sunk),
        ("grey", np.repeat(astronaut.mean(2, keepdims=True), 3, axis=2)),
        ("lipstick", laid(astronaut, lips, (150, 20, 40), 0.7)),
        ("beard", laid(astronaut, beard, (50, 38, 32), 0.8)),
        ("dark skin", 255 * (astronaut / 255) ** 1.6 * (0.7, 0.58, 0.5)),
        ("light tint", laid(astronaut, lenses(face), (60, 38, 22), 0.25)),
    ):
        photo = picture.astype(np.uint8)
        placed = find_landmarks(photo, osm._networks.detector, osm._networks.landmarks)
        covered = look_for_covers(photo, placed.points)
        assert covered.mouth < 0.9, name
        assert covered.eyes < 0.9, name
