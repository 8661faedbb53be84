"""Frames of cut-out photos: their alpha follows the head, and over white nothing changes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from PIL import Image

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.errors import OSMNetWarning
from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.landmarks import find_landmarks
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

YAW = 15.0
FEATURES = sets.NOSE_BRIDGE + sets.LIPS_OUTER + sets.LEFT_EYE + sets.RIGHT_EYE


@pytest.fixture(scope="module")
def cut(osm, astronaut):
    """The sample photo, transparent but for the person."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OSMNetWarning)
        person = osm.fit_face(astronaut).mask
        return osm.fit_face(np.dstack([astronaut, person]))


@pytest.fixture(scope="module")
def take():
    rotation = np.zeros((2, 3), np.float32)
    rotation[1, 1] = YAW
    return Take(
        MotionTrack(FPS, rotation, np.zeros((2, 3), np.float32)),
        ExpressionTrack(FPS, np.zeros((2, 52), np.float32)),
    )


@pytest.mark.parametrize("renderer", ["warp", "guided"])
@pytest.mark.parametrize("size", ["crop", "photo", (300, 200)])
def test_over_white_frames_are_those_without_alpha(osm, cut, take, renderer, size):
    options = {"renderer": renderer, "size": size, "label": False}
    plain = list(osm.render(cut, take, **options))
    frames = list(osm.render(cut, take, alpha=True, **options))
    for flat, frame in zip(plain, frames, strict=True):
        assert frame.shape == (*flat.shape[:2], 4)
        share = frame[..., 3:] / 255
        over_white = frame[..., :3] * share + 255 * (1 - share)
        assert np.abs(over_white - flat).mean() < 0.1
        assert np.percentile(np.abs(over_white - flat), 99.9) < 4
        # Straight alpha: a half transparent edge has the person's colours, not those of white.
        edge = (frame[..., 3] > 40) & (frame[..., 3] < 200)
        assert frame[edge][:, :3].mean() < flat[edge].mean() - 20


def test_alpha_moves_with_the_head(osm, cut, take):
    aside = np.zeros((2, 3), np.float32)
    aside[1, 0] = 0.02  # metres to the subject's left, the picture's right
    motion = MotionTrack(FPS, np.zeros((2, 3), np.float32), aside)
    still, moved = osm.render(cut, motion, take.expression, size="photo", label=False, alpha=True)
    assert np.abs(still[..., 3].astype(int) - cut.alpha).mean() < 4
    networks = osm._networks
    head, features = np.zeros(2), np.zeros(2)
    for index, frame in enumerate((still, moved)):
        share = frame[..., 3:] / 255
        shown = (frame[..., :3] * share + 255 * (1 - share)).astype(np.uint8)
        face = find_landmarks(shown, networks.detector, networks.landmarks)
        rows = slice(int(face.points[10, 1]), int(face.points[4, 1]))  # forehead to nose
        opaque = frame[rows, 120:330, 3] > 127
        head[index] = (np.nonzero(opaque)[1].mean()) + 120
        # The face is opaque, and what is far from the person is clear.
        x, y = face.points[list(FEATURES), :2].round().astype(int).T
        features[index] = x.mean()
        assert frame[y, x, 3].min() > 250
        assert frame[:40, :40, 3].max() == 0
    assert features[1] - features[0] > 5
    assert head[1] - head[0] == pytest.approx(features[1] - features[0], rel=0.3)


def test_the_label_is_opaque(osm, cut, take):
    labelled = next(osm.render(cut, take, alpha=True, frames=[0]))
    bare = next(osm.render(cut, take, alpha=True, label=False, frames=[0]))
    changed = (labelled != bare).any(2)
    assert changed.any()
    assert (labelled[..., 3] >= bare[..., 3]).all()
    letters = changed & (labelled[..., :3].min(2) > 230)
    assert labelled[letters][:, 3].min() > 200


def test_png_files_keep_it_and_a_photo_without_alpha_has_none(osm, cut, face, take, tmp_path):
    osm.render_images(cut, take, tmp_path / "cut")
    osm.render_images(face, take, tmp_path / "whole")
    for name, mode in (("cut", "RGBA"), ("whole", "RGB")):
        with Image.open(tmp_path / name / "frame_000001.png") as picture:
            assert picture.mode == mode
    assert next(osm.render(face, take, alpha=True)).shape == (256, 256, 3)
    video = osm.render_video(cut, take, tmp_path / "cut.mp4")
    assert video.exists()
