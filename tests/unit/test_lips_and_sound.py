"""Whether lips are in step with the sound, and which sound a video has."""

from __future__ import annotations

import numpy as np
import pytest
from media import chirp, numbered, write_video
from tests_support import write_wav

from osmnet_sdk.research.data.layouts import Video
from osmnet_sdk.research.data.sound import is_heard, lips_behind, sound_of


def speech(frames, seed=0):
    """Level in dBFS that comes and goes as syllables do, and lips that open with it."""
    random = np.random.default_rng(seed)
    syllables = np.convolve(random.normal(0, 1, frames + 8), np.hanning(7), "same")[4:-4]
    level = -30 + 8 * syllables + random.normal(0, 2, frames)
    lips = 0.1 + 0.05 * syllables + random.normal(0, 0.06, frames)
    return lips.astype(np.float32), level.astype(np.float32)


@pytest.mark.parametrize("shift", [-15, -3, 0, 4, 20])
def test_lags_are_found_over_pieces(shift):
    lips, level = speech(700)
    lips = np.roll(lips, shift)
    cut = ([lips[30:330], lips[330:660]], [level[30:330], level[330:660]])
    assert lips_behind(*cut) == pytest.approx(shift / 25, abs=0.04)


def test_what_does_not_tell():
    lips, level = speech(700)
    other, _ = speech(700, seed=9)
    assert lips_behind([lips[:200]], [level[:200]]) is None
    assert lips_behind([lips[i : i + 40] for i in range(0, 600, 40)], [level[:40]] * 15) is None
    assert lips_behind([other], [level]) is None
    assert lips_behind([np.zeros(700, np.float32)], [level]) is None
    assert lips_behind([], []) is None


def test_the_sound_beside_counts_before_the_own_track(tmp_path):
    path = write_video(tmp_path / "a.mp4", map(numbered, range(30)), audio=(chirp(16000), 16000))
    own = sound_of(Video(path, "a.mp4"))
    assert len(own) == pytest.approx(30 * 640, abs=1100)
    beside = write_wav(tmp_path / "b.wav", 0.1 * chirp(16000), 16000)
    other = sound_of(Video(path, "a.mp4", sound=beside))
    assert np.abs(other).max() == pytest.approx(0.05, abs=0.01)
    assert sound_of(Video(path, "a.mp4", muted=True)) is None


def test_an_empty_track_is_no_sound(tmp_path):
    quiet = (0.001 * chirp(16000), 16000)
    path = write_video(tmp_path / "a.mp4", map(numbered, range(30)), audio=quiet)
    assert sound_of(Video(path, "a.mp4")) is None
    silent = write_video(tmp_path / "b.mp4", map(numbered, range(5)))
    assert sound_of(Video(silent, "b.mp4")) is None
    assert not is_heard(np.zeros(0, np.float32))
    assert not is_heard(np.zeros(9000, np.float32))
