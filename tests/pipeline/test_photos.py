"""Photos as people have them: the right face, or one clear sentence."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import skimage.data
from PIL import Image

from osmnet_sdk.errors import InputError, NoFaceError, OSMNetWarning, PhotoError


@pytest.fixture(autouse=True)
def _quiet():
    """Advice about the sample photo (its mouth is open) is not what these tests are about."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The (mouth|head|face) in", OSMNetWarning)
        yield


def angles(face):
    return face.fit.pose.angles


def test_the_sample_photo_is_fitted_closely(face):
    assert face.fit.residual < 2.0
    assert np.abs(angles(face)).max() < 12
    assert 170 < face.landmarks[4, 0] < 270  # the nose of the astronaut
    assert face.mask[100, 220] > 200
    assert face.mask[20, 20] < 50


def test_no_face_is_an_error(osm):
    with pytest.raises(NoFaceError, match="No face was found in the photo"):
        osm.fit_face(skimage.data.coffee())
    with pytest.raises(NoFaceError):
        osm.fit_face(np.full((300, 300, 3), 128, np.uint8))


def test_of_several_faces_the_largest_is_taken_with_a_warning(osm, astronaut):
    small = np.asarray(Image.fromarray(astronaut).resize((300, 300)))
    both = np.full((512, 812, 3), 200, np.uint8)
    both[:300, :300] = small
    both[:, 300:] = astronaut
    with pytest.warns(OSMNetWarning, match="2 faces; the largest is used"):
        largest = osm.fit_face(both)
    assert largest.landmarks[4, 0] > 300
    second = osm.fit_face(both, face_index=1)
    assert second.landmarks[4, 0] < 300
    assert second.index == 1
    with pytest.raises(NoFaceError, match="face_index 2 must be 0 to 1"):
        osm.fit_face(both, face_index=2)


def test_a_face_that_is_too_small_is_an_error(osm, astronaut):
    tiny = np.full((256, 256, 3), 128, np.uint8)
    tiny[:150, :150] = np.asarray(Image.fromarray(astronaut).resize((150, 150)))
    with pytest.raises((NoFaceError, PhotoError), match="50"):
        osm.fit_face(tiny)


def test_a_turned_head_comes_with_a_warning(osm, face, astronaut):
    from osmnet_sdk.rendering.view import crop_view
    from osmnet_sdk.rendering.warp.frame import FrameRenderer

    renderer = FrameRenderer(face, crop_view(face, 512, 512))
    turned = renderer.draw(face.fit.pose.moved((0, 33, 0), (0, 0, 0)), face.fit.expression)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        again = osm.fit_face(turned)
    assert angles(again)[1] == pytest.approx(33, abs=8)
    assert any("hidden side" in str(w.message) for w in caught)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16", "LA"])
def test_photos_of_any_kind_of_pixel_are_fitted(osm, astronaut, tmp_path, mode):
    picture = Image.fromarray(astronaut)
    if mode == "I;16":
        grey = np.asarray(picture.convert("L")).astype(np.uint16) * 257
        picture = Image.fromarray(grey)
    else:
        picture = picture.convert(mode)
    path = tmp_path / ("photo.tif" if mode in ("CMYK", "I;16") else "photo.png")
    picture.save(path)
    assert np.abs(angles(osm.fit_face(path))).max() < 12


def test_a_photo_on_its_side_is_turned_by_its_exif(osm, astronaut, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned 90° clockwise
    Image.fromarray(astronaut).rotate(90).save(tmp_path / "side.jpg", exif=exif, quality=95)
    assert np.abs(angles(osm.fit_face(tmp_path / "side.jpg"))).max() < 12


def test_a_photo_of_12_megapixels_works(osm, astronaut):
    large = np.asarray(Image.fromarray(astronaut).resize((3500, 3500), Image.Resampling.BICUBIC))
    face = osm.fit_face(large)
    assert face.crop.side > 1200
    frame = next(osm.render(face, *still_tracks(), size="photo"))
    assert frame.shape == (3500, 3500, 3)


def still_tracks():
    from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

    motion = MotionTrack(25, [[0, 10, 0]], [[0, 0, 0]])
    return motion, ExpressionTrack(25, np.zeros((1, 52)))


def test_files_that_are_no_photo_say_so(osm, astronaut, tmp_path):
    whole = tmp_path / "whole.png"
    Image.fromarray(astronaut).save(whole)
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:2000])
    text = tmp_path / "text.jpg"
    text.write_text("no picture", encoding="utf-8")
    for path in (cut, text, tmp_path / "missing.png", tmp_path):
        with pytest.raises(PhotoError) as caught:
            osm.fit_face(path)
        assert "\n" not in str(caught.value)
        assert path.name in str(caught.value)


def test_arrays_of_another_shape_are_errors(osm):
    with pytest.raises(InputError):
        osm.fit_face(np.zeros((3, 4, 5, 6), np.uint8))
    with pytest.raises(InputError):
        osm.fit_face(np.full((300, 300, 3), np.nan))


def test_lip_gap_is_that_of_the_face(osm, face):
    from osmnet_sdk.core.conventions import ARKIT_NAMES

    opened = np.zeros((3, 52))
    opened[:, ARKIT_NAMES.index("jawOpen")] = [0, 0.2, 0.4]
    gap = face.lip_gap(opened)
    assert gap.shape == (3,)
    assert (np.diff(gap) > 0).all()
    assert not np.allclose(gap[2], osm.lip_gap(opened)[2], atol=1e-4)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_that_is_not_upright_is_turned(osm, astronaut, face, turns):
    with pytest.warns(OSMNetWarning, match="upside down" if turns == 2 else "on its side"):
        turned = osm.fit_face(np.rot90(astronaut, -turns))
    assert (turned.photo == astronaut).all()
    np.testing.assert_allclose(turned.landmarks, face.landmarks, atol=1e-3)
    np.testing.assert_allclose(angles(turned), angles(face), atol=1e-3)
    assert any("turned upright" in each for each in turned.warnings)


def test_an_upright_photo_is_left_as_it_is(osm, astronaut, face):
    assert (face.photo == astronaut).all()
    assert not any("turned" in each for each in face.warnings)
    tilted = Image.fromarray(astronaut).rotate(35, center=(225, 100), fillcolor=(200, 200, 200))
    assert abs(abs(angles(osm.fit_face(np.asarray(tilted)))[2]) - 35) < 8
