"""Loading sound: containers, rates, channels, arrays, damage and bad input."""

import io
import struct
import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmnet_sdk.audio.load import Audio, load_audio, stream_audio
from osmnet_sdk.errors import AudioError, Cancelled, OSMNetWarning

PACKED = {"pcm_s16le": "s16", "pcm_f32le": "flt", "pcm_u8": "u8", "flac": "s16", "libopus": "flt"}


def chirp(rate, seconds=1.3, level=0.5):
    """A sweep that fades in and out, so that its place in time can be found."""
    time = np.arange(int(rate * seconds)) / rate
    wave = np.sin(2 * np.pi * (200 * time + 700 * time**2)) * np.hanning(len(time))
    return (level * wave).astype(np.float32)


def write_sound(path, samples, rate, codec, *, layout="mono", start=0.0, picture=False):
    """Write samples (n,) or (n, channels); with `picture`, beside one second of black frames."""
    channels = av.AudioLayout(layout).nb_channels
    form = PACKED.get(codec, "fltp" if channels < 8 else "flt")
    samples = np.broadcast_to(samples.reshape(len(samples), -1), (len(samples), channels))
    if form == "s16":
        samples = np.rint(samples * 32767).astype(np.int16)
    elif form == "u8":
        samples = np.rint(samples * 127 + 128).astype(np.uint8)
    data = samples.T if form == "fltp" else samples.reshape(1, -1)
    with av.open(str(path), "w") as container:
        sound = container.add_stream(codec, rate=rate)
        sound.layout = layout
        if picture:
            video = container.add_stream("libx264", rate=25)
            video.width = video.height = 64
            for index in range(25):
                frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), form, layout)
        frame.sample_rate = rate
        frame.pts, frame.time_base = round(start * rate), Fraction(1, rate)
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def lag(reference, samples):
    """By how many samples the second lies behind the first."""
    size = 1 << 18
    spectrum = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(reference, size))
    peak = int(np.argmax(np.fft.irfft(spectrum)))
    return peak - size if peak > size // 2 else peak


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
    tag = b"\x00image/png\x00\x03\x00" + _png()
    size = len(tag) + 10
    head = b"ID3\x03\x00\x00" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    frame = b"APIC" + struct.pack(">I", len(tag)) + b"\x00\x00" + tag
    path.write_bytes(head + frame + path.read_bytes()[10 + _syncsafe(path.read_bytes()[6:10]) :])
    assert lag(chirp(16000), load_audio(path).samples) == 0


def _syncsafe(size):
    return sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))


def _png():
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.wav", "pcm_s16le"), ("a.flac", "flac"), ("a.mp3", "libmp3lame"), ("a.mkv", "aac")],
)
def test_a_file_that_is_cut_short_gives_what_it_has_and_warns(tmp_path, name, codec):
    path = write_sound(tmp_path / name, chirp(44100, 4.0), 44100, codec)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    whole = chirp(16000, 4.0)
    for source in (path, io.BytesIO(path.read_bytes())):
        with pytest.warns(OSMNetWarning, match="cut short"):
            audio = load_audio(source)
        assert 1.0 < audio.seconds < 3.9
        size = len(audio.samples) - 800
        assert np.corrcoef(whole[:size], audio.samples[:size])[0, 1] > 0.98


@pytest.mark.parametrize(("name", "codec"), [("a.flac", "flac"), ("a.mkv", "aac")])
def test_damage_in_the_middle_keeps_what_follows_in_its_place(tmp_path, name, codec):
    path = write_sound(tmp_path / name, chirp(44100, 6.0), 44100, codec)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 10] = bytes(len(data) // 10)
    path.write_bytes(data)
    with pytest.warns(OSMNetWarning, match="damaged"):
        audio = load_audio(path)
    whole = chirp(16000, 6.0)
    assert abs(audio.samples[50_000:54_000]).max() < 0.6
    assert lag(whole[80_000:], audio.samples[80_000:]) == pytest.approx(0, abs=20)


def test_a_movie_without_its_index_is_refused(tmp_path):
    path = write_sound(tmp_path / "a.m4a", chirp(44100), 44100, "aac")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(AudioError, match=r"a\.m4a.*damaged"):
        load_audio(path)


def test_a_wav_file_of_unknown_size_is_whole(tmp_path):
    path = write_sound(tmp_path / "a.wav", chirp(16000), 16000, "pcm_s16le")
    data = bytearray(path.read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert len(load_audio(path).samples) == len(chirp(16000))


def test_a_declared_length_is_not_believed_blindly(tmp_path):
    path = write_sound(tmp_path / "a.flac", chirp(16000), 16000, "flac")
    data = bytearray(path.read_bytes())
    data[21] |= 0x0F  # the total of samples in STREAMINFO has 36 bits: 50 days, 275 GB
    data[22:26] = b"\xff" * 4
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.warns(OSMNetWarning, match="cut short"):
        assert len(load_audio(path).samples) == len(chirp(16000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


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


BAD_ARRAYS = {
    "no samples": (np.zeros(0, np.float32), 16000),
    "three axes": (np.zeros((3, 3, 3)), 16000),
    "channels first": (np.zeros((2, 48000)), 16000),
    "no channels": (np.zeros((5, 0)), 16000),
    "swapped": (16000, np.zeros(5)),
    "a list": ([0.0, 0.1], 16000),
    "three items": (np.zeros(5), 16000, 1),
    "rate of 0": (np.zeros(5), 0),
    "negative rate": (np.zeros(5), -16000),
    "huge rate": (np.zeros(5), 10**9),
    "NaN rate": (np.zeros(5), float("nan")),
    "broken rate": (np.zeros(5), 16000.5),
    "rate as text": (np.zeros(5), "fast"),
    "complex": (np.zeros(5, complex), 16000),
    "int64": (np.zeros(5, np.int64), 16000),
    "text": (np.array(["a", "b"]), 16000),
    "NaN": (np.array([0.0, np.nan]), 16000),
    "infinity": (np.array([0.0, np.inf, -np.inf]), 16000),
    "too large for float32": (np.array([0.0, 1e300]), 44100),
    "integers as floats": (np.full(50, 20000.0), 16000),
    "less than a sample": (np.zeros(2), 192000),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_bad_arrays_are_refused(name):
    with pytest.raises(AudioError) as caught:
        load_audio(BAD_ARRAYS[name])
    assert str(caught.value).endswith(".")


def test_the_place_of_a_nan_in_a_file_is_told(tmp_path):
    samples = chirp(16000, 3.0)
    samples[40000] = np.nan
    path = write_sound(tmp_path / "a.wav", samples, 16000, "pcm_f32le")
    with pytest.raises(AudioError, match=r"a\.wav.*2\.500 s"):
        load_audio(path)


def test_bad_files_are_refused(tmp_path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.txt").write_text("these are words\n" * 500)
    (tmp_path / "picture.png").write_bytes(_png())
    (tmp_path / "noise.mp3").write_bytes(np.random.default_rng(3).bytes(50_000))
    (tmp_path / "head.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")
    write_sound(tmp_path / "none.wav", chirp(16000), 16000, "pcm_s16le")
    data = (tmp_path / "none.wav").read_bytes()
    (tmp_path / "none.wav").write_bytes(data[: data.index(b"data")] + b"data\x00\x00\x00\x00")
    for source in [
        tmp_path,
        *sorted(tmp_path.iterdir()),
        tmp_path / "nowhere.wav",
        "http://localhost/voice.wav",
        "a\0b",
        b"bytes",
        None,
        7,
        io.BytesIO(),
        io.BytesIO(b"abc" * 100),
        io.StringIO("words"),
    ]:
        with pytest.raises(AudioError) as caught:
            load_audio(source)
        message = str(caught.value)
        assert message.endswith(".")
        if isinstance(source, Path):
            assert source.name in message


def test_a_video_without_sound_is_refused(tmp_path):
    path = tmp_path / "mute.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 64
        container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        container.mux(video.encode(None))
    with pytest.raises(AudioError, match=r"mute\.mp4.*no sound"):
        load_audio(path)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\na.wav\n",
        "ffconcat version 1.0\nfile a.wav\n",
    ],
)
def test_a_list_of_other_files_is_not_followed(tmp_path, text):
    write_sound(tmp_path / "a.wav", chirp(16000), 16000, "pcm_s16le")
    for name in ("list.m3u8", "list.ffconcat", "list.wav"):
        (tmp_path / name).write_text(text)
        with pytest.raises(AudioError):
            load_audio(tmp_path / name)


def test_a_file_object_that_fails_is_an_error_of_ours(tmp_path):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 2000:
                raise OSError("the share went away")
            return super().read(min(size, 700))

    path = write_sound(tmp_path / "a.m4a", chirp(44100), 44100, "aac")
    with pytest.raises(AudioError):
        load_audio(Broken(path.read_bytes()))
    closed = io.BytesIO(path.read_bytes())
    closed.close()
    with pytest.raises(AudioError):
        load_audio(closed)


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
