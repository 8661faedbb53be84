"""Sound that is damaged, cut short or no sound at all."""

import io
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
from media import chirp, lag, png, write_sound

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.errors import AudioError, OSMNetWarning


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
    (tmp_path / "picture.png").write_bytes(png())
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
