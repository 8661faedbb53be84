"""Motion and expression tracks as files, and cut by seconds."""

from __future__ import annotations

import numpy as np
import pytest

from osmnet_sdk.errors import TrackError
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take, load_take

MADE_BY = Provenance(source="edited", seed=3)


@pytest.fixture
def take():
    rng = np.random.default_rng(1)
    motion = MotionTrack("30000/1001", rng.normal(0, 5, (40, 3)), rng.normal(0, 0.01, (40, 3)))
    return Take(motion, ExpressionTrack("30000/1001", rng.uniform(0, 1, (40, 52))))


def test_a_track_comes_back_as_it_was_saved(take, tmp_path):
    motion = MotionTrack(take.fps, take.motion.rotation, take.motion.translation, MADE_BY)
    expression = ExpressionTrack(take.fps, take.expression.coefficients, provenance=MADE_BY)
    for track in (motion, expression):
        path = track.save(tmp_path / "track.npz")
        again = type(track).load(path)
        assert again == track
        assert again.provenance == MADE_BY
        with path.open("rb") as stream:
            assert type(track).load(stream) == track


def test_a_track_is_found_in_a_take_file_but_a_take_not_in_a_track_file(take, tmp_path):
    whole, part = take.save(tmp_path / "take.npz"), take.motion.save(tmp_path / "motion.npz")
    assert MotionTrack.load(whole) == take.motion
    assert ExpressionTrack.load(whole) == take.expression
    with pytest.raises(TrackError, match="coefficients"):
        load_take(part)
    with pytest.raises(TrackError, match=r"motion\.npz.*coefficients"):
        ExpressionTrack.load(part)


@pytest.mark.parametrize("kind", [MotionTrack, ExpressionTrack])
def test_what_is_no_track_file_is_told(kind, tmp_path):
    with pytest.raises(TrackError, match=r"none\.npz"):
        kind.load(tmp_path / "none.npz")
    with pytest.raises(TrackError, match="convert"):
        kind.load(tmp_path / "live.csv")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04" + bytes(40))
    with pytest.raises(TrackError, match=r"bad\.npz"):
        kind.load(tmp_path / "bad.npz")


def test_a_range_of_seconds_has_the_frames_from_its_start_to_before_its_end(take):
    rate = 30000 / 1001
    part = take.between(0.5, 1.0)
    times = np.arange(40) / rate
    inside = (times >= 0.5) & (times < 1.0)
    np.testing.assert_array_equal(part.motion.rotation, take.motion.rotation[inside])
    np.testing.assert_array_equal(
        part.expression.coefficients, take.expression.coefficients[inside]
    )
    assert take.motion.between(0, take.seconds) == take.motion
    assert take.expression.between(0.5, 1.0) == part.expression


@pytest.mark.parametrize("times", [(-0.1, 1), (0.5, 0.5), (1, 0.5), (0, 9), (0.001, 0.002)])
def test_a_range_that_is_none_is_told(take, times):
    with pytest.raises(TrackError, match=" s"):
        take.between(*times)
