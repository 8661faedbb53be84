"""A fitted photo as a file: what comes back, and what is refused."""

from __future__ import annotations

import io
import json
import math
import zipfile

import numpy as np
import pytest
from npz_support import npy

from osmnet_sdk.errors import InputError, OutputError
from osmnet_sdk.face.photo_quality import PhotoAspect, PhotoQuality
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.tracks import ExpressionTrack, Take


@pytest.fixture(scope="module")
def saved(face, tmp_path_factory):
    return face.save(tmp_path_factory.mktemp("faces") / "face.npz")


def rewritten(saved, path, **changes):
    """The file with other arrays, or with other values in its text where a dict is given."""
    with zipfile.ZipFile(saved) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, value in changes.items():
        key = f"{name}.npy"
        if name == "meta":
            text = json.loads(str(np.load(io.BytesIO(parts[key]))))
            value = np.array(json.dumps({**text, **value}))
        if value is None:
            del parts[key]
        else:
            parts[key] = npy(value)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def test_a_face_comes_back_bit_for_bit(face, saved, osm):
    for again in (SourceFace.load(saved), SourceFace.load(saved, osm.face_model)):
        for name in ("photo", "mask", "landmarks"):
            np.testing.assert_array_equal(getattr(again, name), getattr(face, name))
            assert getattr(again, name).dtype == getattr(face, name).dtype
        for name in ("identity", "expression"):
            np.testing.assert_array_equal(getattr(again.fit, name), getattr(face.fit, name))
        np.testing.assert_array_equal(again.fit.pose.rotation, face.fit.pose.rotation)
        np.testing.assert_array_equal(again.fit.pose.translation, face.fit.pose.translation)
        assert again.fit.camera == face.fit.camera
        assert again.fit.residual == face.fit.residual
        assert again.crop == face.crop
        assert again.quality == face.quality
        assert again.warnings == face.warnings
        assert again.index == face.index
        assert again.alpha is None
        assert repr(again) == repr(face)
    with saved.open("rb") as stream:
        assert SourceFace.load(stream).crop == face.crop


def test_its_frames_are_those_of_the_face_and_a_path_will_do(face, saved, osm):
    track = osm.head_turn(saved, yaw=8, frontal=True).motion
    take = Take(track, ExpressionTrack(track.fps, np.full((len(track), 52), 0.2)))
    wanted = next(osm.render(face, take, frames=10, size=64))
    for given in (SourceFace.load(saved), saved, str(saved)):
        assert np.array_equal(next(osm.render(given, take, frames=10, size=64)), wanted)


def test_alpha_notes_and_the_number_of_the_face_are_kept(face, tmp_path):
    alpha = np.random.default_rng(0).integers(0, 256, face.mask.shape).astype(np.uint8)
    fields = {**vars(face), "alpha": alpha, "notes": ("It was turned.", "Ελλ 'ü'"), "index": 2}
    again = SourceFace.load(SourceFace(**fields).save(tmp_path / "f.npz"))
    np.testing.assert_array_equal(again.alpha, alpha)
    assert again.notes == ("It was turned.", "Ελλ 'ü'")
    assert again.index == 2


def turned(degrees):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"photo": None}, "no 'photo'"),
        ({"photo": np.zeros((512, 512, 3), np.float32)}, "'photo' does not hold"),
        ({"photo": np.zeros((512, 500, 3), np.uint8)}, "same number of width"),
        ({"mask": np.zeros((512, 512), np.int64)}, "'mask' does not hold"),
        ({"alpha": np.zeros((511, 512), np.uint8)}, "same number of height"),
        ({"landmarks": np.zeros((478, 3))}, "'landmarks' must have shape"),
        ({"landmarks": np.full((478, 2), np.nan)}, "not numbers"),
        ({"landmarks": np.zeros((478, 2))}, "landmarks"),
        ({"crop": [0.0, 0.0, 0.0]}, "square"),
        ({"crop": [9000.0, 0.0, 300.0]}, "square"),
        ({"crop": [0.0, 0.0, 1e9]}, "square"),
        ({"identity": np.zeros(900)}, "identity"),
        ({"identity": np.full(4, 1e300)}, "identity"),
        ({"expression": np.full(52, 1.5)}, "0 to 1"),
        ({"expression": np.zeros(51)}, "'expression' must have shape"),
        ({"rotation": np.eye(3) * 1.01}, "no rotation"),
        ({"rotation": np.diag([1.0, 1.0, -1.0])}, "no rotation"),
        ({"rotation": np.full((3, 3), 1e300)}, "no rotation"),
        ({"rotation": turned(90)}, "landmarks"),
        ({"translation": [0.0, 0.0, 3.0]}, "before its camera"),
        ({"translation": [0.0, 0.0, -1e300]}, "before its camera"),
        ({"camera": [0.0, 0.0, 0.0]}, "before its camera"),
        ({"residual": -1.0}, "residual"),
        ({"meta": {"schema": "osmnet.face/2"}}, "newer OSM-Net"),
        ({"meta": {"schema": "osmnet.take/1"}}, "schema"),
        ({"meta": {"index": -1}}, "'index'"),
        ({"meta": {"quality": []}}, "'quality'"),
        ({"meta": {"quality": [{"name": "a", "score": 7, "advice": None}]}}, "'quality.0.score'"),
        ({"meta": {"notes": "text"}}, "'notes'"),
        ({"meta": {"face_model_sha256": "0" * 64}}, "another face model"),
    ],
)  # fmt: skip
def test_what_a_face_file_may_not_hold(saved, tmp_path, changes, words):
    path = rewritten(saved, tmp_path / "odd.npz", **changes)
    with pytest.raises(InputError, match=r"odd\.npz") as caught:
        SourceFace.load(path)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 300


def test_what_is_no_face_file_is_told(osm, tmp_path):
    with pytest.raises(InputError, match=r"face file .*none\.npz"):
        SourceFace.load(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04" + bytes(40))
    with pytest.raises(InputError, match=r"bad\.npz"):
        osm.rotate(tmp_path / "bad.npz", yaw=5)


def test_sentences_of_a_file_steer_no_terminal(saved, tmp_path):
    advice = [{"name": "size", "score": 0.1, "advice": "\x1b[2Jhidden\nline"}]
    path = rewritten(saved, tmp_path / "odd.npz", meta={"quality": advice, "notes": ["\x07"]})
    assert all(text.isprintable() for text in SourceFace.load(path).warnings)


def test_a_photo_that_would_not_be_read_again_is_not_written(face, tmp_path):
    huge = np.broadcast_to(np.uint8(0), (20_000, 20_000, 3))
    fields = {**vars(face), "photo": huge, "mask": huge[..., 0]}
    with pytest.raises(OutputError, match="too large"):
        SourceFace(**fields).save(tmp_path / "huge.npz")
    assert not list(tmp_path.iterdir())


def test_a_short_text_stands_for_a_face(face):
    quality = PhotoQuality((PhotoAspect("size", 0.25, "small"),))
    assert repr(SourceFace(**{**vars(face), "quality": quality})) == (
        "SourceFace(512 × 512 photo, quality 0.25)"
    )
