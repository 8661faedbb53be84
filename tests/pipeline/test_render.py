"""Frames of the sample photo: they follow the tracks, and say so when they cannot."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.errors import Cancelled, InputError, OSMNetWarning
from osmnet_sdk.face.source import crop_around
from osmnet_sdk.face.upright import find_faces
from osmnet_sdk.rendering.frames import view_of
from osmnet_sdk.rendering.label import draw_label
from osmnet_sdk.rendering.rest_expression import with_rest_expression
from osmnet_sdk.rendering.view import crop_view
from osmnet_sdk.rendering.warp.frame import FrameRenderer
from osmnet_sdk.rendering.warp.framewise import FramewiseRenderer
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take


@pytest.fixture(scope="module")
def renderer(face):
    return FrameRenderer(face, crop_view(face, 256, 256))


def tracks(rotation=((0, 0, 0),), **coefficients):
    values = np.zeros((len(rotation), 52))
    for name, value in coefficients.items():
        values[:, ARKIT_NAMES.index(name)] = value
    motion = MotionTrack(FPS, np.array(rotation, float), np.zeros((len(rotation), 3)))
    return motion, ExpressionTrack(FPS, values)


def drawn(renderer, face, rotation=(0, 0, 0), **coefficients):
    values = face.fit.expression.copy()
    for name, value in coefficients.items():
        values[ARKIT_NAMES.index(name)] = value
    return renderer.draw(face.fit.pose.moved(rotation, (0, 0, 0)), values)


def landmarks(osm, image):
    faces = find_faces(image, osm._networks)
    assert len(faces) == 1
    return faces[0][1].points


def test_the_unmoved_head_is_the_photo(renderer, face):
    frame = drawn(renderer, face)
    photo = renderer.view.still(face.photo)
    assert structural_similarity(frame, photo, channel_axis=2) > 0.9


@pytest.mark.parametrize(
    ("rotation", "column", "sign"), [((0, 12, 0), 0, 1), ((0, -12, 0), 0, -1),
                                     ((10, 0, 0), 1, 1), ((-10, 0, 0), 1, -1)]
)  # fmt: skip
def test_the_nose_goes_where_the_head_turns(osm, renderer, face, rotation, column, sign):
    before = landmarks(osm, drawn(renderer, face))
    after = landmarks(osm, drawn(renderer, face, rotation))
    nose = (after - before)[4, :2]
    assert sign * nose[column] > 6


def test_a_rendered_turn_is_tracked_as_that_turn(osm, renderer, face):
    from osmnet_sdk.face.fit import FaceFitter

    frame = drawn(renderer, face, (5, 14, -6))
    points = landmarks(osm, frame)
    view = renderer.view
    in_photo = (points[:, :2] + 0.5) / view.scale + [view.x, view.y] - 0.5
    fit = FaceFitter(osm.face_model).fit(in_photo, crop_around(in_photo).camera)
    change = fit.pose.angles - face.fit.pose.angles
    np.testing.assert_allclose(change, [5, 14, -6], atol=4)


def test_eyes_shut_and_the_mouth_opens_and_closes(osm, renderer, face):
    def opening(image, upper, lower):
        points = landmarks(osm, image)
        height = np.linalg.norm(points[10, :2] - points[152, :2])
        return np.linalg.norm(points[upper, :2] - points[lower, :2]) / height

    usual, shut = drawn(renderer, face), drawn(renderer, face, eyeBlinkLeft=1, eyeBlinkRight=1)
    for upper, lower in ((159, 145), (386, 374)):
        assert opening(shut, upper, lower) < 0.6 * opening(usual, upper, lower)
    at_rest = with_rest_expression(face.model, face.fit.expression, np.zeros((1, 52)))[0]
    closed = renderer.draw(face.fit.pose, at_rest)
    at_rest[ARKIT_NAMES.index("jawOpen")] = 0.4
    opened = renderer.draw(face.fit.pose, at_rest)
    assert opening(closed, 13, 14) < 0.02
    assert opening(opened, 13, 14) > 0.06


def test_frames_are_lazy_in_order_and_the_same_for_any_number_of_threads(osm, face):
    from osmnet_sdk.rendering.frames import render_frames

    motion, expression = tracks([(0, angle, 0) for angle in (-10, -5, 0, 5, 10)], jawOpen=0.2)
    one, three = (
        list(render_frames(face, motion, expression, renderer=FramewiseRenderer(workers=workers)))
        for workers in (1, 3)
    )
    assert len(one) == 5
    assert all(np.array_equal(a, b) for a, b in zip(one, three, strict=True))
    noses = [landmarks(osm, frame)[4, 0] for frame in one]
    assert noses == sorted(noses)


def test_rendering_can_be_left_and_cancelled(osm, face):
    motion, expression = tracks([(0, 0, 0)] * 50)
    frames = osm.render(face, motion, expression)
    assert next(frames).shape == (256, 256, 3)
    frames.close()
    asked = []

    def cancel():
        asked.append(1)
        return len(asked) > 4

    with pytest.raises(Cancelled):
        list(osm.render(face, motion, expression, cancel=cancel))


@pytest.mark.parametrize(
    ("size", "shape"),
    [("crop", (256, 256, 3)), ("photo", (512, 512, 3)), ((180, 320), (180, 320, 3)),
     ((301, 199), (301, 199, 3))],
)  # fmt: skip
def test_sizes(osm, face, size, shape):
    frame = next(osm.render(face, *tracks([(0, 8, 0)]), size=size))
    assert frame.shape == shape
    assert frame.dtype == np.uint8
    assert landmarks(osm, frame).shape == (478, 3)


@pytest.mark.parametrize("size", ["big", (10, 10), (256, 10_000), (256,)])
def test_sizes_that_are_none_are_errors(face, size):
    with pytest.raises(InputError, match="size"):
        view_of(face, size)


def test_the_whole_photo_keeps_its_pixels_away_from_the_head(osm, face):
    frame = next(osm.render(face, *tracks([(0, 10, 0)]), size="photo", label=False))
    crop = face.crop
    right = int(crop.x + crop.side * 1.3) + 1
    assert right < 500
    np.testing.assert_array_equal(frame[:, right:], face.photo[:, right:])
    assert np.abs(frame.astype(int) - face.photo).max() > 50


def test_the_label_is_on_unless_it_is_asked_off(osm, face):
    motion, expression = tracks()
    plain = next(osm.render(face, motion, expression, label=False))
    labelled = next(osm.render(face, motion, expression))
    np.testing.assert_array_equal(draw_label(plain.copy()), labelled)
    assert not np.array_equal(plain, labelled)


def test_tracks_that_do_not_fit_each_other_are_errors(osm, face):
    motion, expression = tracks([(0, 0, 0)] * 3)
    with pytest.raises(InputError, match="same length"):
        osm.render(face, motion.slice(0, 2), expression)
    with pytest.raises(InputError, match="needs an expression"):
        osm.render(face, motion)
    with pytest.raises(InputError, match="own expression"):
        osm.render(face, Take(motion, expression), expression)


def test_a_pose_that_the_photo_cannot_carry_comes_with_a_warning(osm, face):
    with pytest.warns(OSMNetWarning, match="1 of 2 frames, first frame 1"):
        osm.render(face, *tracks([(0, 0, 0), (0, 50, 0)]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        osm.render(face, *tracks([(0, 0, 0), (0, 15, 0)]))


def test_a_head_at_the_edge_of_the_photo_comes_with_a_warning_and_is_filled(osm, astronaut):
    tight = np.ascontiguousarray(astronaut[30:220, 150:300])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        face = osm.fit_face(tight)
    assert [str(w.message) for w in caught] == list(face.warnings)
    assert any("cut off by the photo's edge" in note for note in face.warnings)
    frames = osm.render(face, *tracks([(0, 10, 5)]))  # the photo's own warning is not said again
    assert landmarks(osm, next(frames)).shape == (478, 3)
    less = np.ascontiguousarray(astronaut[:, 130:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OSMNetWarning)
        face = osm.fit_face(less)
    assert not any("cut off" in note for note in face.warnings)
    with pytest.warns(OSMNetWarning, match="cut off by the photo's edge"):
        osm.render(face, *tracks([(0, 10, 5)]))


def test_the_photos_own_look_stays_under_the_track(face):
    rest = face.fit.expression
    values = with_rest_expression(face.model, rest, np.zeros((2, 52)))
    brow = ARKIT_NAMES.index("browInnerUp")
    assert values[0, brow] == rest[brow]
    track = np.zeros((3, 52))
    track[:, ARKIT_NAMES.index("jawOpen")] = 0.0, 0.2, 0.5
    for look in (rest, 0.5 * np.ones(52), np.eye(52)[ARKIT_NAMES.index("jawOpen")]):
        values = with_rest_expression(face.model, look, track)
        gaps = face.model.lip_gap(values)
        np.testing.assert_allclose(gaps, face.model.lip_gap(track), atol=0.02)
    smiling = np.zeros(52)
    smiling[ARKIT_NAMES.index("mouthSmileLeft")] = 0.6
    values = with_rest_expression(face.model, smiling, track)
    np.testing.assert_allclose(values[:, ARKIT_NAMES.index("mouthSmileLeft")], 0.3)
    assert with_rest_expression(face.model, np.ones(52), np.ones((1, 52))).max() == 1
