"""Loading sound: containers, rates, channels, arrays, places in time."""

import io
import struct
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media import chirp, lag, png, write_sound

from osmnet_sdk.audio.load import Audio, load_audio, stream_audio
from osmnet_sdk.errors import AudioError, Cancelled


@pytest.mark.parametrize(
    ("name", "codec", "rate", "exact"),
    [
        ("a.wav", "pcm_s16le", 44100, True),
        ("a.wav", "pcm_f32le", 96000, True),
        ("a.wav", "pcm_u8", 8000, True),
        ("a.flac", "flac", 48000, True),
        ("a.flac", "flac", 11025, True),
        ("a.mp3", "libmp3lame", 44100, True),
        ("a.mp3", "libmp3lame", 22050, True),
        ("a.m4a", "aac", 44100, True),
        ("a.mp4", "aac", 48000, True),
        ("a.mov", "aac", 48000, True),
        ("a.mkv", "aac", 44100, False),
        ("a.aac", "aac", 44100, False),
        ("a.ogg", "libopus", 48000, True),
        ("a.webm", "libopus", 48000, True),
    ],
)
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_every_container_gives_the_same_sound_at_the_same_place(
    tmp_path, name, codec, rate, exact, layout
):
    samples = chirp(rate)
    audio = load_audio(write_sound(tmp_path / name, samples, rate, codec, layout=layout))
    reference = chirp(16000)
    assert audio.name == name
    assert audio.samples.dtype == np.float32
    if exact:
        assert len(audio.samples) == round(len(samples) * 16000 / rate)
    else:  # no place for the length: the last packet is there whole
        assert 0 <= len(audio.samples) - len(reference) < 1024
    assert lag(reference, audio.samples) == 0
    size = min(len(reference), len(audio.samples))
    assert np.corrcoef(reference[:size], audio.samples[:size])[0, 1] > 0.995
    assert np.abs(audio.samples).max() == pytest.approx(0.5, abs=0.04)


def test_sixteen_kilohertz_mono_comes_through_untouched(tmp_path):
    samples = np.random.default_rng(1).uniform(-1, 1, 5000).astype(np.float32)
    audio = load_audio(write_sound(tmp_path / "a.wav", samples, 16000, "pcm_f32le"))
    np.testing.assert_array_equal(audio.samples, samples)


def test_channels_are_averaged(tmp_path):
    rng = np.random.default_rng(2)
    samples = rng.uniform(-0.9, 0.9, (4000, 6)).astype(np.float32)
    path = write_sound(tmp_path / "a.wav", samples, 16000, "pcm_f32le", layout="5.1")
    for source in (path, (samples, 16000)):
        np.testing.assert_allclose(load_audio(source).samples, samples.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "aac"), ("a.flac", "flac")])
@pytest.mark.parametrize("layout", ["7.1", "5.1"])
def test_surround_sound_is_read(tmp_path, name, codec, layout):
    audio = load_audio(write_sound(tmp_path / name, chirp(48000), 48000, codec, layout=layout))
    size = len(chirp(16000))
    # AAC holds the bass channel at a low rate, so that it is missing from the mean.
    assert np.corrcoef(chirp(16000), audio.samples[:size])[0, 1] > 0.99


@given(
    count=st.integers(60, 40_000),
    rate=st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000, 12345]),
    channels=st.integers(0, 3),
    kind=st.sampled_from(["float32", "float64", "int16", "int32", "uint8"]),
)
@settings(max_examples=30, deadline=None)
def test_arrays_have_the_exact_length_in_every_type(count, rate, channels, kind):
    wave = chirp(rate, count / rate + 0.001)[:count]
    if channels:
        wave = np.repeat(wave[:, None], channels, axis=1)
    scale = {"int16": 32767, "int32": 2**31 - 1, "uint8": 127}.get(kind, 1)
    stored = (wave.astype(np.float64) * scale + (128 if kind == "uint8" else 0)).astype(kind)
    audio = load_audio((stored, rate))
    assert len(audio.samples) == round(Fraction(count * 16000, rate))
    expected = load_audio((wave, rate)).samples
    np.testing.assert_allclose(audio.samples, expected, atol=0.02 if kind == "uint8" else 1e-4)


def test_a_tone_keeps_its_pitch_and_level_and_what_is_too_high_goes():
    time = np.arange(48000) / 48000
    for hertz, kept in ((1000, 1.0), (6000, 1.0), (11000, 0.0)):
        samples = load_audio((0.5 * np.sin(2 * np.pi * hertz * time), 48000)).samples[1000:-1000]
        level = np.sqrt(2 * np.mean(samples.astype(np.float64) ** 2)) / 0.5
        assert level == pytest.approx(kept, abs=0.03)
        if kept:
            spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
            assert np.argmax(spectrum) * 16000 / len(samples) == pytest.approx(hertz, abs=2)


def test_blocks_joined_are_the_whole(tmp_path):
    path = write_sound(tmp_path / "a.mp3", chirp(44100, 6.0), 44100, "libmp3lame")
    blocks = list(stream_audio(path))
    assert len(blocks) > 3
    assert max(map(len, blocks)) < 20_000
    np.testing.assert_array_equal(np.concatenate(blocks), load_audio(path).samples)


def test_file_objects_are_read_from_their_start_and_left_open(tmp_path):
    path = write_sound(tmp_path / "a.flac", chirp(44100), 44100, "flac")
    expected = load_audio(path)
    memory = io.BytesIO(path.read_bytes())
    with path.open("rb") as file:
        for source in (memory, file, memory):
            source.seek(100)
            audio = load_audio(source)
            assert audio.sha256 == expected.sha256
            assert not source.closed
        assert load_audio(file).name == "a.flac"
    assert load_audio(memory).name == "file object"


def test_a_stream_that_cannot_seek_is_read(tmp_path):
    class Pipe(io.RawIOBase):
        def __init__(self, data):
            self.data = io.BytesIO(data)

        def readable(self):
            return True

        def seekable(self):
            return False

        def readinto(self, buffer):
            return self.data.readinto(buffer)

    path = write_sound(tmp_path / "a.mp3", chirp(44100), 44100, "libmp3lame")
    assert load_audio(Pipe(path.read_bytes())).frames == load_audio(path).frames


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("start", [0.0, 0.48])
def test_sound_is_placed_where_the_picture_starts(tmp_path, suffix, start):
    path = tmp_path / f"film{suffix}"
    write_sound(path, chirp(48000), 48000, "aac", start=start, picture=True)
    audio = load_audio(path)
    assert lag(chirp(16000), audio.samples) == pytest.approx(start * 16000, abs=17)
    assert audio.seconds == pytest.approx(1.3 + start, abs=0.07)


def test_cover_art_is_no_picture(tmp_path):
    path = tmp_path / "song.mp3"
    write_sound(path, chirp(44100), 44100, "libmp3lame")
    tag = b"\x00image/png\x00\x03\x00" + png()
    size = len(tag) + 10
    head = b"ID3\x03\x00\x00" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    frame = b"APIC" + struct.pack(">I", len(tag)) + b"\x00\x00" + tag
    path.write_bytes(head + frame + path.read_bytes()[10 + _syncsafe(path.read_bytes()[6:10]) :])
    assert lag(chirp(16000), load_audio(path).samples) == 0


def _syncsafe(size):
    return sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))


def test_memory_is_little_more_than_the_result():
    samples = np.zeros(48000 * 120, np.int16)
    tracemalloc.start()
    audio = load_audio((samples, 48000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.05 * audio.samples.nbytes + 3e6


def test_silent_short_and_clipped_sound_is_fine(tmp_path):
    silent = load_audio((np.zeros(16000, np.float32), 16000))
    assert not silent.samples.any()
    short = load_audio(write_sound(tmp_path / "a.mp3", chirp(8000, 0.1), 8000, "libmp3lame"))
    assert short.frames == 3
    clipped = np.clip(chirp(48000, level=3.0), -1, 1)
    assert load_audio((clipped, 48000)).samples.max() < 1.3


def test_progress_is_told_and_cancelling_stops():
    samples = np.zeros(48000 * 4, np.int16)
    seen = []
    load_audio((samples, 48000), progress=lambda *step: seen.append(step))
    assert seen[0] == ("Reading sound", 0, 0)
    assert seen[-1] == ("Reading sound", 4, 4)
    with pytest.raises(Cancelled):
        load_audio((samples, 48000), cancel=lambda: True)


def test_audio_is_frozen_and_knows_its_length():
    given = np.linspace(-0.5, 0.5, 641, dtype=np.float32)
    audio = load_audio((given, 16000))
    assert (audio.frames, audio.seconds, audio.name) == (2, 641 / 16000, "array")
    with pytest.raises(ValueError, match="read-only"):
        audio.samples[0] = 1
    given[0] = 0.25  # the caller's array stays the caller's
    assert audio.samples[0] == -0.5
    assert load_audio(audio) is audio
    assert len(audio.sha256) == 64
    assert audio.sha256 == Audio(audio.samples.copy()).sha256
    assert audio.sha256 != Audio(audio.samples[:-1].copy()).sha256
    for samples in (np.zeros(0, np.float32), np.zeros(3), np.zeros((3, 2), np.float32)):
        with pytest.raises(AudioError):
            Audio(samples)
