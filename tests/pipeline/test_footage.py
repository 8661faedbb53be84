"""Films as people have them: cuts, several faces, a face that leaves, oblong pixels."""

from __future__ import annotations

import warnings
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from osmnet_sdk.errors import InputError, NoFaceError


def head(astronaut, scale=1.0, shift=0):
    """The sample photo's head on grey, (240, 240, 3)."""
    part = Image.fromarray(astronaut[0:240, 105:345])
    size = round(240 * scale)
    frame = np.full((240, 240, 3), 128, np.uint8)
    frame[240 - size :, :size] = np.asarray(part.resize((size, size)))
    return np.roll(frame, shift, axis=1)


def film(path, frames, aspect=None):
    """Write frames at 25 fps; `aspect` is the width of a pixel over its height."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())
    return path


def tracked(osm, path, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        take = osm.track_video(path, **options)
    return take, [str(each.message) for each in caught]


@pytest.fixture(scope="module")
def cut(tmp_path_factory, astronaut):
    """Three frames of a head, then six of a mirrored one, then eight without a face."""
    first, second = head(astronaut), head(astronaut)[:, ::-1] // 2 + 90
    empty = np.random.default_rng(1).integers(0, 255, (24, 24, 3)).astype(np.uint8)
    empty = np.asarray(Image.fromarray(empty).resize((240, 240)))
    frames = [*[first] * 3, *[second] * 6, *[empty] * 8]
    return film(tmp_path_factory.mktemp("film") / "cut.mp4", frames)


@pytest.fixture(scope="module")
def longest(osm, cut):
    """The take of the film without a shot named, and what was said."""
    return tracked(osm, cut)


def test_of_several_shots_the_longest_with_a_face_is_tracked_and_told(longest):
    take, said = longest
    assert len(take) == 6
    [told] = [each for each in said if "shots" in each]
    assert "has 3 shots (1: 0.00 to 0.12 s, 2: 0.12 to 0.36 s, 3: 0.36 to 0.68 s)" in told
    assert "number 2 (0.12 to 0.36 s), is tracked" in told


def test_a_shot_can_be_named(osm, cut, longest):
    first, said = tracked(osm, cut, shot=1)
    second, _ = longest
    assert (len(first), said) == (3, [])
    # The second is the mirror image of the first.
    assert first.rest_rotation[1] == pytest.approx(-second.rest_rotation[1], abs=4)
    with pytest.raises(NoFaceError, match="0 of the 8 frames of shot 3"):
        osm.track_video(cut, shot=3)
    for wrong, says in ((4, "shot 4 must be 1 to 3"), (0, "counted from 1")):
        with pytest.raises(InputError, match=says):
            osm.track_video(cut, shot=wrong)


def test_of_several_faces_the_one_that_is_named_is_followed(osm, tmp_path, astronaut):
    large, small = head(astronaut), head(astronaut, 0.75)[:, ::-1]
    frames = [
        np.concatenate([np.roll(small, 2 * i, axis=0), np.roll(large, -i, axis=0)], axis=1)
        for i in range(0, 8, 2)
    ]
    path = film(tmp_path / "two.mp4", frames)
    first, said = tracked(osm, path)
    assert any("has 2 faces; the largest is tracked" in each for each in said)
    named, said = tracked(osm, path, face_index=0)
    np.testing.assert_array_equal(first.motion.translation, named.motion.translation)
    assert said == []
    second, _ = tracked(osm, path, face_index=1)
    assert first.motion.translation[-1, 1] > first.motion.translation[0, 1]  # one goes up
    assert second.motion.translation[-1, 1] < second.motion.translation[0, 1]  # the other down
    with pytest.raises(NoFaceError, match="face_index 2"):
        osm.track_video(path, face_index=2)


def test_a_face_that_leaves_is_told_and_not_replaced(osm, tmp_path, astronaut):
    wide = np.concatenate([np.full((240, 240, 3), 128, np.uint8), head(astronaut)], axis=1)
    places = [0, 0, 0, 30, 60, 90, 120, 150, 180, 210, 240, 240]  # goes left
    frames = [
        np.concatenate(
            [np.roll(wide, -place, axis=1)[:, :240][:, ::-1], head(astronaut, 0.75)], axis=1
        )
        for place in (240 - np.array(places))
    ]
    take, said = tracked(osm, film(tmp_path / "leaves.mp4", frames), face_index=0)
    assert len(take) == len(frames)
    [told] = [each for each in said if "not seen" in each]
    assert "of the 12 frames" in told
    assert np.abs(np.diff(take.motion.translation, axis=0)).max() < 0.06  # metres; a jump is 0.2


SHIFTED = range(0, 6, 2)
"""Columns by which the head has moved in each frame of the films below."""


@pytest.fixture(scope="module")
def square(osm, astronaut, tmp_path_factory):
    """The take of a film whose pixels are square."""
    path = tmp_path_factory.mktemp("film") / "square.mp4"
    return tracked(osm, film(path, [head(astronaut, shift=i) for i in SHIFTED]))[0]


@pytest.mark.parametrize("aspect", [Fraction(64, 45), Fraction(2), Fraction(1, 2)])
def test_oblong_pixels_do_not_change_the_performance(osm, tmp_path, astronaut, square, aspect):
    frames = [head(astronaut, shift=i) for i in SHIFTED]
    width = round(240 / aspect / 2) * 2 if aspect > 1 else 240
    height = 240 if aspect > 1 else round(240 * aspect)
    squeezed = [np.asarray(Image.fromarray(f).resize((width, height))) for f in frames]
    oblong, _ = tracked(osm, film(tmp_path / "oblong.mp4", squeezed, aspect))
    np.testing.assert_allclose(oblong.rest_rotation, square.rest_rotation, atol=2.0)
    jaw = square.expression.column("jawOpen"), oblong.expression.column("jawOpen")
    np.testing.assert_allclose(*jaw, atol=0.12)  # half the lines are half the detail
