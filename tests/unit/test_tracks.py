"""Tracks and takes: validation, slicing, resampling, files."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS, frame_count
from osmnet_sdk.errors import OutputError, TrackError
from osmnet_sdk.tracks import (
    ExpressionTrack,
    MotionTrack,
    Provenance,
    Take,
    checked_fps,
    load_take,
)

ANGLES = st.floats(-180, 180, width=32)
RATES = st.sampled_from(
    [Fraction(10), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(50), Fraction(120)]
)


def make_take(frames: int = 7, seed: int = 0) -> Take:
    rng = np.random.default_rng(seed)
    return Take(
        MotionTrack(FPS, rng.normal(0, 5, (frames, 3)), rng.normal(0, 0.01, (frames, 3))),
        ExpressionTrack(FPS, rng.uniform(0, 1, (frames, 52))),
        np.array([1.0, -2.0, 3.0]),
        np.array([0.0, 0.1, -1.2]),
        Provenance(source="sampled", seed=seed, audio="Stimme ü.wav", options={"epsilon": 0.5}),
    )


def test_arkit_names_are_those_of_a_live_link_file():
    assert len(set(ARKIT_NAMES)) == 52
    assert ARKIT_NAMES[0] == "eyeBlinkLeft"
    assert ARKIT_NAMES[17] == "jawOpen"
    assert ARKIT_NAMES[51] == "tongueOut"


@given(st.integers(0, 10**7))
def test_frame_count_is_the_ceiling_of_25_times_the_seconds(samples):
    frames = frame_count(samples)
    assert (frames - 1) * 640 < samples <= frames * 640 or samples == frames == 0


@pytest.mark.parametrize(
    ("rotation", "translation", "message"),
    [
        (np.zeros((3, 2)), np.zeros((3, 3)), "shape"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "at least one frame"),
        (np.zeros((3, 3)), np.zeros((4, 3)), "same number"),
        ([[0, np.nan, 0]], np.zeros((1, 3)), "not finite"),
        ([[0, np.inf, 0]], np.zeros((1, 3)), "not finite"),
        ([[0, 181, 0]], np.zeros((1, 3)), "between -180 and 180"),
        ([[0, 0, 0]], [[0, 11, 0]], "between -10 and 10"),
        ([["a", "b", "c"]], np.zeros((1, 3)), "numbers"),
    ],
)
def test_motion_that_is_not_allowed_is_an_error(rotation, translation, message):
    with pytest.raises(TrackError, match=message):
        MotionTrack(FPS, rotation, translation)


def test_expression_must_lie_within_0_and_1_and_name_the_arkit_shapes():
    with pytest.raises(TrackError, match="between 0 and 1"):
        ExpressionTrack(FPS, np.full((2, 52), 1.01))
    with pytest.raises(TrackError, match="ARKit"):
        ExpressionTrack(FPS, np.zeros((2, 52)), names=tuple(reversed(ARKIT_NAMES)))
    with pytest.raises(TrackError, match="not one of"):
        ExpressionTrack(FPS, np.zeros((2, 52))).column("jawopen")


@pytest.mark.parametrize("fps", [0, -25, "x", float("nan"), float("inf"), 1001, "1/0"])
def test_frame_rates_that_are_none_are_errors(fps):
    with pytest.raises(TrackError):
        checked_fps(fps)


def test_tracks_are_frozen_and_do_not_share_memory():
    rotation = np.zeros((3, 3), np.float32)
    track = MotionTrack(FPS, rotation, rotation)
    rotation[:] = 5
    assert not track.rotation.any()
    with pytest.raises(ValueError, match="read-only"):
        track.rotation[0] = 1
    with pytest.raises(AttributeError):
        track.fps = Fraction(30)


def test_take_needs_tracks_that_agree():
    motion = MotionTrack(FPS, np.zeros((3, 3)), np.zeros((3, 3)))
    with pytest.raises(TrackError, match="must agree"):
        Take(motion, ExpressionTrack(FPS, np.zeros((4, 52))))
    with pytest.raises(TrackError, match="must agree"):
        Take(motion, ExpressionTrack(Fraction(30), np.zeros((3, 52))))
    with pytest.raises(TrackError):
        Take(motion, ExpressionTrack(FPS, np.zeros((3, 52))), rest_rotation=[0, 0])


@given(st.integers(1, 30), st.data())
def test_slice_keeps_values(frames, data):
    take = make_take(frames)
    start = data.draw(st.integers(0, frames - 1))
    stop = data.draw(st.integers(start + 1, frames))
    part = take.slice(start, stop)
    assert len(part) == stop - start
    assert np.array_equal(part.motion.rotation, take.motion.rotation[start:stop])
    assert np.array_equal(part.expression.coefficients, take.expression.coefficients[start:stop])


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (2, 2), (3, 1), (0, 8)])
def test_slices_outside_are_errors(start, stop):
    with pytest.raises(TrackError, match="frames"):
        make_take(7).slice(start, stop)


@settings(max_examples=60)
@given(arrays(np.float32, st.tuples(st.integers(1, 40), st.just(3)), elements=ANGLES), RATES)
def test_resampling_keeps_length_ends_and_range(rotation, rate):
    track = MotionTrack(FPS, rotation, np.zeros_like(rotation))
    other = track.resample(rate)
    assert other.fps == rate
    assert len(other) == -(-len(track) * rate // FPS)
    np.testing.assert_allclose(
        np.cos(np.radians(other.rotation[0])), np.cos(np.radians(rotation[0])), atol=1e-4
    )
    assert np.abs(other.rotation).max() <= 180


@settings(max_examples=40)
@given(st.integers(2, 40), st.integers(0, 5))
def test_resampling_to_a_multiple_and_back_gives_the_track(frames, seed):
    take = make_take(frames, seed)
    back = take.resample(75).resample(25)
    np.testing.assert_allclose(back.motion.rotation, take.motion.rotation, atol=1e-4)
    np.testing.assert_allclose(
        back.expression.coefficients, take.expression.coefficients, atol=1e-5
    )


def test_resampling_passes_a_full_turn_without_spinning_back():
    yaw = np.array([170, 175, 180, -175, -170], np.float32)
    rotation = np.stack([np.zeros(5), yaw, np.zeros(5)], axis=1)
    dense = MotionTrack(FPS, rotation, np.zeros((5, 3))).resample(100).rotation[:, 1]
    assert np.abs(dense).min() >= 169.9


def test_resampled_expression_never_leaves_its_neighbours():
    values = np.zeros((6, 52))
    values[3] = 1.0
    dense = ExpressionTrack(FPS, values).resample(200).coefficients
    assert dense.min() >= 0
    assert dense.max() <= 1
    assert dense[: 2 * 8 + 1].max() == 0  # nothing before the neighbour of the peak


def test_take_file_comes_back_bit_for_bit(tmp_path):
    take = make_take()
    path = take.save(tmp_path / "Aufnahme ü 1.npz")
    back = load_take(path)
    assert back == take
    assert back.provenance == take.provenance
    assert np.array_equal(back.rest_rotation, take.rest_rotation)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_take_file_is_readable_with_numpy_and_json_alone(tmp_path):
    take = make_take().resample("30000/1001")
    with np.load(take.save(tmp_path / "t.npz"), allow_pickle=False) as file:
        meta = json.loads(str(file["meta"]))
        assert file["rotation"].dtype == np.float32
    assert meta["schema"] == "osmnet.take/1"
    assert meta["fps"] == "30000/1001"
    assert meta["names"] == list(ARKIT_NAMES)


def test_same_take_same_bytes(tmp_path):
    one, two = make_take().save(tmp_path / "1.npz"), make_take().save(tmp_path / "2.npz")
    assert one.read_bytes() == two.read_bytes()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_take_or_a_track_error(data):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npz"
        path.write_bytes(data)
        with pytest.raises(TrackError, match=r"x\.npz"):
            load_take(path)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_take_file_never_gives_anything_but_a_take_or_a_track_error(place, value):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = make_take(3).save(Path(folder) / "x.npz")
        data = bytearray(path.read_bytes())
        data[place % len(data)] = value
        path.write_bytes(bytes(data))
        try:
            take = load_take(path)
        except TrackError:
            return
        assert len(take) == 3


def test_take_files_with_wrong_content_say_what_is_wrong(tmp_path):
    take = make_take()
    arrays_ = {
        "rotation": take.motion.rotation,
        "translation": take.motion.translation,
        "coefficients": take.expression.coefficients,
    }
    np.savez(tmp_path / "a.npz", **arrays_)
    with pytest.raises(TrackError, match="no 'meta'"):
        load_take(tmp_path / "a.npz")
    meta = {"schema": "osmnet.take/9", "fps": "25/1", "names": list(ARKIT_NAMES),
            "rest_rotation": [0, 0, 0], "rest_translation": [0, 0, 0]}  # fmt: skip
    np.savez(tmp_path / "b.npz", meta=np.array(json.dumps(meta)), **arrays_)
    with pytest.raises(TrackError, match="update OSM-Net"):
        load_take(tmp_path / "b.npz")
    with pytest.raises(TrackError, match="No such file"):
        load_take(tmp_path / "missing.npz")


def test_saving_where_nothing_can_be_written_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="folder that exists"):
        make_take().save(tmp_path / "missing" / "t.npz")
    with pytest.raises(OutputError, match="is a folder"):
        make_take().save(tmp_path)
    assert list(tmp_path.iterdir()) == []
