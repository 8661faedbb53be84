"""A recording is analysed once, whoever listens to it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from small_sampler import small_voice

from osmnet_sdk.audio import analysis
from osmnet_sdk.audio.activity import speech_energy, voice_activity
from osmnet_sdk.audio.highpass import HighPass
from osmnet_sdk.audio.mel import mel_windows


@pytest.fixture
def visits(monkeypatch):
    """How often each function goes over the whole sound."""
    counts: Counter[str] = Counter()

    def counted(name):
        call = getattr(analysis, name)

        def counting(*args, **kwargs):
            counts[name] += 1
            return call(*args, **kwargs)

        monkeypatch.setattr(analysis, name, counting)

    for name in ("speech_energy", "level_activity", "mel_window_views", "HighPass"):
        counted(name)
    return counts


def test_each_part_is_what_its_function_says_and_cannot_be_written_to():
    audio = small_voice(2.0)
    found = audio.analysis
    heard = HighPass().push(audio.samples)
    np.testing.assert_array_equal(found.heard, heard)
    np.testing.assert_array_equal(found.level, speech_energy(heard))
    np.testing.assert_array_equal(found.activity, voice_activity(heard))
    np.testing.assert_array_equal(found.mel(), mel_windows(heard))
    assert found.mel(20, 8).shape == (50, 20, 8)
    for part in (found.heard, found.level, found.activity, found.mel()):
        assert not part.flags.writeable


@pytest.mark.filterwarnings("ignore:No voice was found")  # it is noise in syllables
def test_takes_and_a_retake_analyse_the_sound_once(osm, visits):
    audio = small_voice(2.0)
    take = osm.sample_takes(audio, n=2)[0]
    osm.retake(take, audio, 0.5, 1.5)
    assert visits == dict.fromkeys(visits, 1)
    assert set(visits) == {"speech_energy", "level_activity", "mel_window_views", "HighPass"}
