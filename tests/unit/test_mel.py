"""Mel windows against librosa, in pieces, and speech activity."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmnet_sdk.audio import mel
from osmnet_sdk.audio.activity import speech_energy, voice_activity
from osmnet_sdk.audio.mel import SILENCE, MelStream, log_mel, mel_window_views, mel_windows
from osmnet_sdk.errors import InputError


def noise(count, level=0.1, seed=0):
    return (level * np.random.default_rng(seed).standard_normal(count)).astype(np.float32)


def speech(seconds=8.0, level=0.2, seed=0):
    """Voiced syllables of 0.2 s with gaps of 0.06 s; silence before 1 s and from 3 to 4 s."""
    time = np.arange(int(16000 * seconds)) / 16000
    voice = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 12))
    syllable = np.clip(np.sin(np.pi * np.mod(time, 0.26) / 0.2), 0, None) ** 0.5
    spoken = (time >= 1) & ((time < 3) | (time >= 4))
    return (level * voice * syllable * spoken + noise(len(time), level * 1e-3, seed)).astype(
        np.float32
    )


@pytest.mark.parametrize("bands", [16, 40, 80])
@pytest.mark.parametrize("count", [1, 399, 16000, 33333])
def test_values_are_those_of_librosa(bands, count):
    from librosa.feature import melspectrogram

    samples = noise(count) * np.linspace(0, 1, count, dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa warns that short sounds are padded
        reference = melspectrogram(
            y=samples,
            sr=16000,
            n_fft=512,
            win_length=400,
            hop_length=160,
            window="hann",
            center=True,
            pad_mode="constant",
            power=1.0,
            n_mels=bands,
            fmin=50.0,
            fmax=7600.0,
        )
    values = log_mel(samples, bands=bands)
    assert values.dtype == np.float32
    assert values.shape == (1 + count // 160, bands)
    np.testing.assert_allclose(values, np.log(np.maximum(reference, 1e-5)).T, atol=2e-4)


@given(
    count=st.integers(0, 30_000),
    bands=st.sampled_from([1, 16, 80]),
    hops=st.integers(1, 24),
    cuts=st.lists(st.integers(0, 30_000), max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_windows_have_one_frame_per_started_25th_and_come_in_any_pieces(count, bands, hops, cuts):
    samples = noise(count, seed=count)
    windows = mel_windows(samples, bands=bands, hops=hops)
    assert windows.shape == (-(-count // 640), bands, hops)
    assert windows.dtype == np.float32
    assert windows.flags.writeable
    stream = MelStream(bands=bands, hops=hops)
    edges = [0, *sorted(min(cut, count) for cut in cuts), count]
    pieces = [stream.push(samples[a:b]) for a, b in itertools.pairwise(edges)]
    pieces.append(stream.finish())
    np.testing.assert_allclose(np.concatenate(pieces), windows, atol=1e-5)


def test_views_are_the_windows_in_a_quarter_of_the_memory():
    samples = noise(100_000)
    views = mel_window_views(samples)
    np.testing.assert_array_equal(views, mel_windows(samples))
    assert not views.flags.writeable
    low, high = np.lib.array_utils.byte_bounds(views)
    assert high - low < 0.26 * views.nbytes
    assert mel_window_views(noise(0)).shape == (0, 16, 16)


def test_a_stream_gives_windows_as_soon_as_their_sound_is_there():
    stream = MelStream()
    # The last of 16 hops lies 70 ms behind the middle of the frame, and its window 12.5 ms further.
    needed = 320 + 7 * 160 + 200
    assert len(stream.push(noise(needed - 1))) == 0
    assert len(stream.push(noise(1))) == 1
    assert len(stream.push(noise(639))) == 0
    assert len(stream.push(noise(1 + 640 * 9))) == 10


def test_an_impulse_lands_on_the_middle_column_of_its_frame():
    for hops, column in ((16, 8), (5, 2), (1, 0)):
        for frame in (0, 3, 9):
            samples = np.zeros(6400, np.float32)
            samples[640 * frame + 320] = 1
            windows = mel_windows(samples, hops=hops)
            loud = windows.sum(axis=1)
            assert np.argmax(loud[frame]) == column
            assert loud[frame, column] == loud.max()


def test_silence_put_before_a_recording_only_shifts_its_windows():
    samples = noise(9000)
    later = np.concatenate([np.zeros(640 * 3, np.float32), samples])
    np.testing.assert_array_equal(mel_windows(later)[3:], mel_windows(samples))


def test_silence_is_the_floor():
    windows = mel_windows(np.zeros(5000, np.float32))
    assert (windows == np.float32(np.log(1e-5))).all()
    assert pytest.approx(np.log(1e-5)) == SILENCE


def test_a_tone_shows_in_the_band_that_holds_it():
    from librosa import mel_frequencies

    centres = mel_frequencies(n_mels=18, fmin=50.0, fmax=7600.0)[1:-1]
    time = np.arange(16000) / 16000
    for band in (2, 8, 14):
        samples = np.sin(2 * np.pi * centres[band] * time).astype(np.float32)
        assert np.argmax(log_mel(samples)[50]) == band


def test_blocks_do_not_show(monkeypatch):
    samples = noise(20_000)
    whole = log_mel(samples), mel_windows(samples)
    monkeypatch.setattr(mel, "_BLOCK", 7)
    np.testing.assert_allclose(log_mel(samples), whole[0], atol=1e-5)
    np.testing.assert_allclose(mel_windows(samples), whole[1], atol=1e-5)


def test_bad_arguments_are_refused():
    samples = np.zeros(1000, np.float32)
    for wrong in (lambda: log_mel(samples, bands=0), lambda: log_mel(samples, bands=81)):
        with pytest.raises(InputError, match="1 to 80"):
            wrong()
    with pytest.raises(InputError, match="hops"):
        mel_windows(samples, hops=0)
    for call in (log_mel, mel_windows, speech_energy, voice_activity, MelStream().push):
        with pytest.raises(InputError, match=r"\(n,\)"):
            call(samples[:, None])
    stream = MelStream()
    stream.finish()
    with pytest.raises(InputError, match="finished"):
        stream.push(samples)


@given(count=st.integers(0, 20_000))
@settings(max_examples=30, deadline=None)
def test_energy_and_activity_have_a_value_per_frame(count):
    samples = noise(count)
    for values in (speech_energy(samples), voice_activity(samples)):
        assert values.shape == (-(-count // 640),)
        assert values.dtype == np.float32


def test_energy_is_the_level_in_decibels():
    time = np.arange(16000) / 16000
    tone = np.sin(2 * np.pi * 200 * time).astype(np.float32)
    np.testing.assert_allclose(speech_energy(tone), -3.01, atol=0.1)
    np.testing.assert_allclose(speech_energy(tone * 0.01), -43.01, atol=0.1)
    np.testing.assert_allclose(speech_energy(np.ones(700, np.float32)), 0, atol=1e-4)
    assert (speech_energy(np.zeros(1000, np.float32)) == -80).all()


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.01])
def test_speech_is_found_at_any_gain_and_silence_is_calm(gain):
    active = voice_activity(speech() * np.float32(gain))
    time = np.arange(len(active)) / 25
    assert active.min() >= 0
    assert active.max() <= 1
    spoken = ((time > 1.1) & (time < 2.9)) | (time > 4.1)
    assert active[spoken].min() > 0.5  # gaps inside words are bridged
    silent = (time < 0.9) | ((time > 3.25) & (time < 3.9))
    assert active[silent].max() == 0


def test_speech_in_noise_is_found():
    samples = speech() + noise(128_000, 0.02, seed=5)
    active = voice_activity(samples)
    time = np.arange(len(active)) / 25
    assert active[(time > 3.25) & (time < 3.9)].max() < 0.1
    assert active[(time > 1.1) & (time < 2.9)].mean() > 0.85


def test_speech_outlasts_its_sound_by_three_frames():
    samples = speech(3.0)
    samples[32000:] = noise(16000, 2e-4)
    samples[:16000] = noise(16000, 2e-4, seed=1)
    active = voice_activity(samples)
    end = np.flatnonzero(speech_energy(samples) > -40).max()
    assert active[end + 1 : end + 4].min() > 0.9
    assert active[end + 4 :].max() < 0.1


def test_silence_and_steady_noise_are_no_speech():
    assert not voice_activity(np.zeros(30_000, np.float32)).any()
    for level in (1e-3, 0.03, 0.3):
        assert not voice_activity(noise(80_000, level)).any()


def test_a_click_does_not_hide_speech():
    samples = speech(level=0.02)
    samples[20_000:20_100] = 1.0
    active = voice_activity(samples)
    assert active[110:].min() > 0.5


def test_a_quiet_passage_of_a_long_recording_is_speech():
    samples = np.concatenate([speech(), speech(30.0) * np.float32(0.1)])
    active = voice_activity(samples)
    time = np.arange(len(active)) / 25
    assert active[(time > 20) & (time < 37.9)].mean() > 0.95


def test_a_short_sound_may_be_speech_throughout():
    time = np.arange(1600) / 16000
    vowel = (0.2 * np.sin(2 * np.pi * 150 * time)).astype(np.float32)
    assert (voice_activity(vowel) == 1).all()
    assert not voice_activity(np.zeros(1600, np.float32)).any()
