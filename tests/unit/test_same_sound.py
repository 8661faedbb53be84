"""A take that is put to another sound than its own is told."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from tests_support import write_wav

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.audio.same_sound import warn_of_other_sound
from osmnet_sdk.errors import OSMNetWarning
from osmnet_sdk.tracks import Provenance

NOISE = 0.1 * np.random.default_rng(0).standard_normal(16000)


def made_by(path):
    return Provenance(audio=path.name, audio_sha256=load_audio(path).sha256)


def test_the_own_sound_is_quiet_in_any_form(tmp_path):
    path = write_wav(tmp_path / "v.wav", NOISE, 16000)
    copy = write_wav(tmp_path / "copy.wav", NOISE, 16000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for sound in (path, str(path), copy, load_audio(path)):
            warn_of_other_sound([made_by(path)], sound)
        with path.open("rb") as stream:
            warn_of_other_sound([made_by(path)], stream)
        warn_of_other_sound([Provenance()], tmp_path / "nothing is read.wav")


def test_another_sound_is_named(tmp_path):
    (tmp_path / "b").mkdir()
    path = write_wav(tmp_path / "v.wav", NOISE, 16000)
    namesake = write_wav(tmp_path / "b" / "v.wav", NOISE[::-1].copy(), 16000)
    with pytest.warns(OSMNetWarning, match=r"another sound than '.*b.v\.wav'"):
        warn_of_other_sound([Provenance(), made_by(path)], namesake)
    other = write_wav(tmp_path / "other.wav", NOISE[:8000], 16000)
    with pytest.warns(OSMNetWarning, match=r"another sound \('v\.wav'\) than '.*other\.wav'"):
        warn_of_other_sound([made_by(path)], other)
    with pytest.warns(OSMNetWarning, match="than this one"):
        warn_of_other_sound([made_by(path)], (NOISE[:50], 16000))


def test_a_file_that_changed_is_read_again(tmp_path):
    path = write_wav(tmp_path / "v.wav", NOISE, 16000)
    tied = [made_by(path)]
    warn_of_other_sound(tied, path)
    write_wav(path, NOISE[:4000], 16000)
    with pytest.warns(OSMNetWarning):
        warn_of_other_sound(tied, path)


def test_one_channel_of_the_sound_is_its_own(tmp_path):
    channels = [NOISE, 0.5 * NOISE[::-1], 0.3 * np.roll(NOISE, 5000)]
    path = write_wav(tmp_path / "v.wav", np.stack(channels, axis=1), 16000)
    for channel in ("left", "right", "mix", 3):
        heard = load_audio(path, channel=channel).sha256
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warn_of_other_sound([Provenance(audio_sha256=heard)], path)
