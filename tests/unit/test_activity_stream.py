"""Speech activity from past frames alone."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_mel import noise, speech

from osmnet_sdk.audio.activity import WINDOW, ActivityStream, speech_energy, voice_activity


def heard(samples):
    return ActivityStream().push(speech_energy(samples))


@given(
    levels=st.lists(st.floats(-80, 0), max_size=80), cuts=st.lists(st.integers(0, 80), max_size=9)
)
def test_pieces_give_what_the_whole_gives(levels, cuts):
    edges = [0, *sorted(cuts), len(levels)]
    stream = ActivityStream()
    pieces = [stream.push(levels[a:b]) for a, b in itertools.pairwise(edges)]
    whole = ActivityStream().push(levels)
    assert np.array_equal(np.concatenate(pieces)[: len(levels)], whole)
    assert np.all((whole >= 0) & (whole <= 1))


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.01])
def test_speech_is_found_at_any_gain_and_silence_is_calm(gain):
    active = heard(speech() * np.float32(gain))
    time = np.arange(len(active)) / 25
    spoken = ((time > 1.1) & (time < 2.9)) | (time > 4.1)
    assert active[spoken].min() > 0.5
    assert active[(time > 0.56) & (time < 0.9)].max() == 0
    assert active[(time > 3.25) & (time < 3.9)].max() == 0


def test_once_a_pause_was_heard_it_says_what_is_said_of_the_whole():
    samples = speech(20.0) + noise(320_000, 0.002, seed=5)
    running, whole = heard(samples)[100:], voice_activity(samples)[100:]
    assert np.abs(running - whole).mean() < 0.03


def test_a_recording_may_begin_and_go_on_without_a_pause():
    samples = speech()[64_000:]  # syllables from the first sample
    assert heard(samples)[1:].min() > 0.5


def test_steady_noise_is_speech_for_no_longer_than_its_first_tenths():
    for level in (1e-3, 0.03, 0.3):
        active = heard(noise(160_000, level))
        assert not active[14:].any()
    assert not heard(np.zeros(30_000, np.float32)).any()


def test_a_click_does_not_hide_speech():
    samples = speech(level=0.02)
    samples[20_000:20_100] = 1.0
    assert heard(samples)[110:].min() > 0.5


def test_what_was_loud_long_ago_is_forgotten():
    levels = np.tile([-60.0, -30.0, -32.0, -35.0, -31.0], 60)
    quiet = levels - 18.0  # 18 dB softer after a loud passage: speech as well
    active = ActivityStream().push(np.concatenate([levels, quiet]))
    assert active[-100:].max() == 1
    assert len(active) > WINDOW
