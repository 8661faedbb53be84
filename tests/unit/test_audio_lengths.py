"""What headers say of a length, or do not: whole files are read quietly, cut ones warn."""

import struct
import warnings

import av
import numpy as np
import pytest
import soundfile
from media import chirp

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.errors import OSMNetWarning

RATE = 16000


def wav(data, *, kind, bits, size):
    """A WAV file of floats (3) or whole numbers (1); `size` is what its data chunk claims."""
    width = bits // 8
    told = struct.pack("<HHIIHH", kind, 1, RATE, RATE * width, width, bits)
    head = b"WAVEfmt " + struct.pack("<I", len(told)) + told + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", min(size + len(head), 2**32 - 1)) + head + data


def whole_numbers(sound, bits):
    largest = 2.0 ** (bits - 1)
    return np.round(np.asarray(sound, np.float64) * largest * (1 - 2**-20)).astype(f"<i{bits // 8}")


def quietly_loaded(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_audio(path)


@pytest.mark.parametrize(("kind", "bits"), [(1, 64), (1, 32), (3, 64), (3, 32)])
def test_wide_numbers_are_read_whole(tmp_path, kind, bits):
    sound = chirp(RATE, 2.0)
    numbers = whole_numbers(sound, bits) if kind == 1 else sound.astype(f"<f{bits // 8}")
    path = tmp_path / "a.wav"
    path.write_bytes(wav(numbers.tobytes(), kind=kind, bits=bits, size=numbers.nbytes))
    np.testing.assert_allclose(quietly_loaded(path).samples, sound, atol=2e-6)


@pytest.mark.parametrize("size", [0, 2_000_000_000, 2**31 - 1, 2**32 - 1])
def test_a_header_that_was_written_before_its_length_was_known_is_no_cut(tmp_path, size):
    data = whole_numbers(chirp(RATE, 3.0), 16).tobytes()
    path = tmp_path / "a.wav"
    path.write_bytes(wav(data, kind=1, bits=16, size=size))
    assert len(quietly_loaded(path).samples) == 3 * RATE


def test_a_length_that_can_be_true_is_believed(tmp_path):
    data = whole_numbers(chirp(RATE, 3.0), 16).tobytes()
    path = tmp_path / "a.wav"
    path.write_bytes(wav(data, kind=1, bits=16, size=10 * 2 * RATE))
    with pytest.warns(OSMNetWarning, match="cut short"):
        assert load_audio(path).seconds == pytest.approx(3.0, abs=0.05)


def test_an_mp3_that_does_not_tell_its_length_is_no_cut(tmp_path):
    sound = chirp(44100, 4.0)
    sound[: 2 * 44100] *= 1e-3  # soft at first, so that its first bytes say little of the others
    path = tmp_path / "a.mp3"
    with av.open(str(path), "w", options={"write_xing": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=44100)
        stream.layout = "mono"
        stream.codec_context.qscale = True
        stream.codec_context.global_quality = 4 * 118
        frame = av.AudioFrame.from_ndarray(sound[None], "fltp", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert not any(mark in path.read_bytes() for mark in (b"Xing", b"Info", b"VBRI"))
    assert quietly_loaded(path).seconds == pytest.approx(4.0, abs=0.15)


@pytest.mark.parametrize("form", ["RF64", "W64", "AIFF"])
def test_a_cut_is_told_in_other_formats_too(tmp_path, form):
    sound = chirp(RATE, 4.0)
    path = tmp_path / f"a.{form.lower()}"
    soundfile.write(path, sound, RATE, format=form, subtype="PCM_16")
    whole = quietly_loaded(path).samples
    np.testing.assert_allclose(whole, sound, atol=1e-4)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with pytest.warns(OSMNetWarning, match="cut short"):
        audio = load_audio(path)
    assert audio.seconds == pytest.approx(2.4, abs=0.05)
    np.testing.assert_array_equal(audio.samples[:38000], whole[:38000])
