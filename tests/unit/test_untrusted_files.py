"""Take files of any origin: one short sentence, before anything is read."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import time
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from npz_support import (
    bad_parts,
    header,
    members,
    meta,
    npy,
    with_flags,
    with_header,
    write_members,
)
from tests_support import assert_refused, osmnet

from osmnet_sdk.core.conventions import exact_rate
from osmnet_sdk.core.wording import one_line, quoted
from osmnet_sdk.errors import OSMNetError, TrackError
from osmnet_sdk.tracks import Provenance, load_take

BAD = bad_parts()


def test_the_file_that_the_others_are_made_from_is_a_take(tmp_path):
    take = load_take(write_members(tmp_path / "a.npz", members()))
    assert len(take) == 8


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_take_is_one_short_sentence(tmp_path, name):
    parts, word = BAD[name]
    path = write_members(tmp_path / "odd.npz", parts, zipfile.ZIP_DEFLATED)
    begin = time.monotonic()
    with pytest.raises(TrackError, match=r"odd\.npz") as caught:
        load_take(path)
    assert word in str(caught.value)
    assert len(str(caught.value)) <= 500
    assert time.monotonic() - begin < 2


def changed(path: Path, **flags: int) -> Path:
    path.write_bytes(with_flags(path.read_bytes(), **flags))
    return path


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda path: changed(write_members(path, members()), method=97), "packed"),
        (lambda path: write_members(path, members(), zipfile.ZIP_LZMA), "packed"),
        (lambda path: write_members(path, members(), zipfile.ZIP_BZIP2), "packed"),
        (lambda path: changed(write_members(path, members()), flags=1), "encrypted"),
        (lambda path: path.write_bytes(npy(np.zeros((8, 3)))), "no .npz"),
        (lambda path: path.write_bytes(b""), "no .npz"),
        (lambda path: path.mkdir(), "ordinary"),
    ],
    ids=["method 97", "lzma", "bzip2", "encrypted", "bare array", "empty", "folder"],
)
def test_files_of_another_kind_are_one_sentence_and_exit_code_2(tmp_path, make, word):
    make(tmp_path / "odd.npz")
    done = osmnet("convert", tmp_path / "odd.npz", tmp_path / "a.csv")
    assert_refused(done, "odd.npz", word)


def test_a_name_that_no_file_can_have_is_one_sentence():
    with pytest.raises(TrackError, match="no file name"):
        load_take("a\0b.npz")


def run_limited(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a process that has 700 MB; importing takes a part of them."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (700_000_000, 700_000_000))

    return subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, preexec_fn=limit,
        timeout=60,
    )  # fmt: skip


READ = "import sys; from osmnet_sdk.tracks import load_take; load_take(sys.argv[1])"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    """3 MB that unpack to 3 GB."""
    path = tmp_path / "bomb.npz"
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = with_header(header("(250000000, 3)"), b"")
    start = squeeze.compress(head) + squeeze.flush(zlib.Z_FULL_FLUSH)
    zeros = squeeze.compress(bytes(10_000_000)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    packed = start + 300 * zeros + squeeze.flush()
    write_members(path, {"rotation": packed, **{k: v for k, v in members().items() if k[0] != "r"}})
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 10 : entry + 12] = zipfile.ZIP_DEFLATED.to_bytes(2, "little")
    data[entry + 24 : entry + 28] = (len(head) + 3_000_000_000).to_bytes(4, "little")
    path.write_bytes(data)
    assert path.stat().st_size < 4e6
    done = run_limited(READ, path)
    assert "TrackError" in done.stderr
    assert "MemoryError" not in done.stderr
    assert "it has 250000000 frames" in done.stderr.splitlines()[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_a_directory_of_millions_is_refused(tmp_path):
    path = tmp_path / "many.npz"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for index in range(60_000):
            archive.writestr(zipfile.ZipInfo(f"{index}.npy"), b"")
    path.write_bytes(stream.getvalue())
    begin = time.monotonic()
    with pytest.raises(TrackError, match=r"directory|parts"):
        load_take(path)
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", "<f2", "<i4", "|u1"])
def test_numbers_of_every_kind_are_read(tmp_path, kind, order):
    values = np.arange(24).reshape(8, 3).astype(kind)
    parts = members() | {"rotation": npy(np.asarray(values, order=order))}
    take = load_take(write_members(tmp_path / "a.npz", parts))
    assert np.array_equal(take.motion.rotation, np.arange(24).reshape(8, 3))


def test_headers_of_other_writers_are_read(tmp_path):
    text = '{"descr": "<f4", "fortran_order": False, "shape": (8, 3)}'
    rotation = b"\x93NUMPY\x03\x00" + len(text).to_bytes(4, "little") + text.encode() + bytes(96)
    take = load_take(write_members(tmp_path / "a.npz", members() | {"rotation": rotation}))
    assert not take.motion.rotation.any()


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        ("25", 25), (" 25/1 ", 25), ("30000/1001", Fraction(30000, 1001)), ("29.97", None),
        (1, 1), (1000, 1000), (29.97, None), (Fraction(24), 24),
    ],
)  # fmt: skip
def test_frame_rates_are_exact(value, rate):
    found = exact_rate(value)
    assert found == rate or rate is None
    assert found.denominator <= 100_000


@pytest.mark.parametrize(
    "value",
    ["1e999999999", "1E5", "", "25/0", "0.99", "1001", "-25", "25/", "/25", "nan", "٢٥", "9" * 5000]
    + [float("nan"), float("inf"), 0, -1, 1e300, 10**400, Fraction(1, 10**5)],
)  # fmt: skip
def test_frame_rates_out_of_range_are_refused_at_once(value):
    begin = time.monotonic()
    with pytest.raises(ValueError):
        exact_rate(value)
    assert time.monotonic() - begin < 0.1


def test_provenance_keeps_what_the_package_itself_writes(tmp_path):
    """Pins, retakes, a reference and a sound whose name is no UTF-8."""
    options = {
        "motion": {"epsilon": 0.5, "pins": [{"time": 1.0, "rotation": [None, 30.0, None]}],
                   "basis": {"12": 2.0}, "follow": {"sha256": "a" * 64, "frames": 3}},
        "expression": {"gains": {"jawOpen": 1.5}, "rest_in_silence": False},
        "follow": {"sha256": "a" * 64, "frames": 3, "source": "tracked"},
        "retakes": [{"start": 0.0, "end": 1.5, "eyes": True, "seed": 3, "take": 0,
                     "options": {"tempo": 2.0}, "audio_sha256": "b" * 64}],
    }  # fmt: skip
    made = Provenance(source="sampled", audio="a\udcff.wav", seed=7, options=options)
    parts = members(provenance=made.model_dump())
    back = load_take(write_members(tmp_path / "a.npz", parts)).provenance
    assert back == made
    assert back.options == options
    assert json.loads(back.model_dump_json())["audio"] == "a\\udcff.wav"


def test_messages_are_one_line_of_visible_letters():
    error = OSMNetError("a\nb\x1b[2J\u202e" + "x" * 1_000_000 + "the end.")
    text = str(error)
    assert len(text) <= 500
    assert text.isprintable()
    assert text.startswith(r"a b\x1b[2J\u202e")
    assert text.endswith("the end.")
    assert quoted("é 日本") == "'é 日本'"
    assert one_line("a" * 100, 20) == "a" * 13 + "…" + "a" * 6


def test_takes_of_earlier_versions_are_read(tmp_path):
    """As a file of version 0.1 lies on disks; the earliest have no provenance."""
    options = {"motion": {}, "expression": {"lag_ms": 10.0}}
    parts = members(provenance={"source": "sampled", "seed": 0, "take": 1, "options": options})
    assert load_take(write_members(tmp_path / "a.npz", parts)).provenance.take == 1
    text = meta()
    del text["provenance"]
    write_members(tmp_path / "b.npz", members(json.dumps(text)))
    assert load_take(tmp_path / "b.npz").provenance.source == "unknown"
