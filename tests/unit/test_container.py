"""Files open whatever version of PyAV reads them."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from osmnet_sdk.audio.load import load_audio


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def titled_wav(title: bytes) -> bytes:
    samples = (3000 * np.sin(np.arange(8000) / 10)).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
    info = chunk(b"LIST", b"INFO" + chunk(b"INAM", title))
    return chunk(b"RIFF", b"WAVE" + chunk(b"fmt ", form) + info + chunk(b"data", samples))


@pytest.mark.parametrize("title", ["Stück".encode(), "Stück".encode("latin-1"), b"\xff\xfe\x80"])
def test_titles_in_any_encoding_are_read_over(title, tmp_path):
    path = tmp_path / "voice.wav"
    path.write_bytes(titled_wav(title))
    assert len(load_audio(path).samples) == 8000
