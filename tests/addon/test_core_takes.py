from __future__ import annotations

import io
import json
import time
import zipfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from npz_support import bad_parts, write_members
from osmnet_addon.core import takes
from osmnet_addon.core.errors import AddonError

import osmnet_sdk.tracks as sdk
from osmnet_sdk.core.conventions import ARKIT_NAMES


def some_take(frames: int = 7, fps: str = "30000/1001") -> takes.TakeFile:
    random = np.random.default_rng(frames)
    return takes.TakeFile(
        Fraction(fps),
        random.uniform(-30, 30, (frames, 3)).astype(np.float32),
        random.uniform(-0.1, 0.1, (frames, 3)).astype(np.float32),
        random.uniform(0, 1, (frames, 52)).astype(np.float32),
        np.array([1, 2, 3], np.float32),
        np.array([0.1, 0.2, -0.6], np.float32),
        {"source": "sampled", "seed": 7, "take": 2, "options": {"epsilon": 0.5}},
    )


def contents(**changes: object) -> dict[str, object]:
    """The arrays of a take file; None leaves one out; meta_… changes a field of meta."""
    take = some_take()
    meta: dict[str, object] = {
        "schema": "osmnet.take/1",
        "fps": "25/1",
        "names": list(ARKIT_NAMES),
        "rest_rotation": [0.0, 0, 0],
        "rest_translation": [0.0, 0, 0],
        "provenance": {},
    }
    meta.update({k.removeprefix("meta_"): v for k, v in changes.items() if k.startswith("meta_")})
    arrays: dict[str, object] = {
        "rotation": take.rotation,
        "translation": take.translation,
        "coefficients": take.coefficients,
        "meta": np.array(json.dumps(meta)),
    }
    arrays.update({k: v for k, v in changes.items() if not k.startswith("meta_")})
    return {name: value for name, value in arrays.items() if value is not None}


def written(folder: Path, **changes: object) -> Path:
    path = folder / "take é.npz"
    np.savez(path, **contents(**changes))  # type: ignore[arg-type]
    return path


def assert_equal(ours: takes.TakeFile, theirs: sdk.Take) -> None:
    assert ours.fps == theirs.fps
    assert len(ours) == len(theirs)
    assert ours.seconds == theirs.seconds
    np.testing.assert_array_equal(ours.rotation, theirs.motion.rotation)
    np.testing.assert_array_equal(ours.translation, theirs.motion.translation)
    np.testing.assert_array_equal(ours.coefficients, theirs.expression.coefficients)
    np.testing.assert_array_equal(ours.rest_rotation, theirs.rest_rotation)
    np.testing.assert_array_equal(ours.rest_translation, theirs.rest_translation)


def test_sdk_reads_what_the_add_on_writes(tmp_path: Path) -> None:
    take = some_take()
    path = tmp_path / "ünter uns.npz"
    takes.write_take(path, take)
    read = sdk.load_take(path)
    assert_equal(take, read)
    assert read.provenance.seed == 7
    assert read.provenance.options == {"epsilon": 0.5}
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_add_on_reads_what_the_sdk_writes(tmp_path: Path) -> None:
    take = some_take()
    provenance = sdk.Provenance(source="sampled", audio="voice.wav", take=3)
    theirs = sdk.Take(
        sdk.MotionTrack(take.fps, take.rotation, take.translation),
        sdk.ExpressionTrack(take.fps, take.coefficients),
        take.rest_rotation,
        take.rest_translation,
        provenance,
    )
    path = theirs.save(tmp_path / "take.npz")
    read = takes.read_take(path)
    assert_equal(read, theirs)
    assert read.provenance == provenance.model_dump()


def test_files_of_both_are_alike(tmp_path: Path) -> None:
    """The same arrays and the same meta text, so that neither can tell who wrote one."""
    take = some_take()
    takes.write_take(tmp_path / "ours.npz", take)
    sdk.load_take(tmp_path / "ours.npz").save(tmp_path / "theirs.npz")
    takes.write_take(tmp_path / "again.npz", takes.read_take(tmp_path / "theirs.npz"))
    with np.load(tmp_path / "again.npz") as ours, np.load(tmp_path / "theirs.npz") as theirs:
        assert ours.files == theirs.files
        for name in ours.files:
            np.testing.assert_array_equal(ours[name], theirs[name])
            assert ours[name].dtype == theirs[name].dtype


def test_provenance_fields_are_those_of_the_sdk() -> None:
    assert tuple(sdk.Provenance.model_fields) == takes.PROVENANCE_FIELDS


def test_unknown_provenance_is_not_written(tmp_path: Path) -> None:
    take = some_take()
    take.provenance["note"] = "mine"
    takes.write_take(tmp_path / "take.npz", take)
    assert "note" not in takes.read_take(tmp_path / "take.npz").provenance
    sdk.load_take(tmp_path / "take.npz")


def test_curves_have_58_columns() -> None:
    take = some_take()
    assert take.curves.shape == (7, 58)
    np.testing.assert_allclose(take.curves[:, 0], np.radians(take.rotation[:, 0], dtype=np.float64))


def test_compressed_files_are_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "take.npz", **contents())  # type: ignore[arg-type]
    assert len(takes.read_take(tmp_path / "take.npz")) == 7


def bad(array: np.ndarray, value: float) -> np.ndarray:
    array = np.array(array)
    array[3, 1] = value
    return array


TAKE = some_take()
BROKEN = {
    "newer": ({"meta_schema": "osmnet.take/2"}, "written by a newer OSM-Net"),
    "other schema": ({"meta_schema": "osmnet.head/2"}, "schema is 'osmnet.head/2'"),
    "no schema": ({"meta_schema": None}, "schema is 'None'"),
    "no rotation": ({"rotation": None}, "no 'rotation'"),
    "no meta": ({"meta": None}, "no 'meta'"),
    "meta is numbers": ({"meta": np.zeros(3)}, "'meta' is no text"),
    "meta is no JSON": ({"meta": np.array("{")}, "not JSON"),
    "meta is a list": ({"meta": np.array("[]")}, "not a JSON object"),
    "deep meta": ({"meta": np.array("[" * 100_000)}, "deep in one another"),
    "columns": ({"rotation": np.zeros((7, 4))}, "shape (frames, 3), not (7, 4)"),
    "dimensions": ({"translation": np.zeros(7)}, "shape (frames, 3), not (7,)"),
    "lengths": ({"translation": np.zeros((6, 3))}, "same number of frames"),
    "empty": (
        {name: getattr(TAKE, name)[:0] for name in ("rotation", "translation", "coefficients")},
        "0 frames",
    ),
    "NaN": ({"rotation": bad(TAKE.rotation, np.nan)}, "frame 3, column 1 is nan"),
    "infinity": ({"translation": bad(TAKE.translation, np.inf)}, "frame 3, column 1 is inf"),
    "angle": ({"rotation": bad(TAKE.rotation, 181)}, "between -180 and 180°"),
    "distance": ({"translation": bad(TAKE.translation, -11)}, "between -10 and 10 m"),
    "coefficient": ({"coefficients": bad(TAKE.coefficients, 1.01)}, "between 0 and 1;"),
    "text": ({"rotation": np.full((7, 3), "1")}, "does not hold numbers"),
    "rest": ({"meta_rest_rotation": [0, 0]}, "'rest_rotation' must have shape"),
    "no rest": ({"meta_rest_translation": None}, "'rest_translation' is no list"),
    "rest text": ({"meta_rest_rotation": "north"}, "'rest_rotation' is no list"),
    "names": ({"meta_names": list(ARKIT_NAMES[::-1])}, "52 ARKit names"),
    "provenance": ({"meta_provenance": 3}, "provenance"),
    "no rate": ({"meta_fps": None}, "'fps' is no text"),
    "zero rate": ({"meta_fps": "0/1"}, "from 1 to 1000"),
    "no denominator": ({"meta_fps": "1/0"}, "frame rate '1/0'"),
    "high rate": ({"meta_fps": "1001/1"}, "from 1 to 1000"),
    "endless rate": ({"meta_fps": "1e999999999"}, "frame rate '1e999999999'"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused_with_a_sentence(case: str, tmp_path: Path) -> None:
    changes, sentence = BROKEN[case]
    path = written(tmp_path, **changes)
    with pytest.raises(AddonError) as caught:
        takes.read_take(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    path = written(tmp_path, rotation=np.array([[Trap()] * 3] * 7, dtype=object))
    with pytest.raises(AddonError, match="pickled"):
        takes.read_take(path)
    assert not (tmp_path / "sprung").exists()


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(AddonError, match="does not exist"):
        takes.read_take(tmp_path / "none.npz")
    with pytest.raises(AddonError, match="is not a file"):
        takes.read_take(tmp_path)


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", b"\x93NUMPY\x01\x00v\x00"])
def test_other_files_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "take.npz"
    path.write_bytes(data)
    with pytest.raises(AddonError, match=r"it is no \.npz file"):
        takes.read_take(path)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_truncated_files_are_refused(part: float, tmp_path: Path) -> None:
    path = written(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(AddonError, match=r"it is no \.npz file, or is damaged"):
        takes.read_take(path)


def claiming(path: Path, header: dict[str, object], data: bytes, **changes: object) -> Path:
    """A take file whose rotation has another header and other bytes."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, header)
    written(path.parent, **{"rotation": None, **changes}).rename(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rotation.npy", stream.getvalue() + data)
    return path


def test_a_million_frames_are_refused_by_the_header(tmp_path: Path) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": (1_000_000, 3)}
    path = claiming(tmp_path / "long.npz", header, bytes(12_000_000))
    damage = path.read_bytes()
    with pytest.raises(AddonError, match="1000000 frames"):
        takes.read_take(path)
    # The data are not looked at: the sentence is the same when they are rubbish.
    middle = damage.rindex(b"rotation.npy", 0, damage.rindex(b"PK\x01\x02")) + 2000
    path.write_bytes(damage[:middle] + b"\xff" * 1000 + damage[middle + 1000 :])
    with pytest.raises(AddonError, match="1000000 frames"):
        takes.read_take(path)


@pytest.mark.parametrize("shape", [(2**40, 3), (7, 3, 2**40), (2**62, 2**62), (-1, 3)])
def test_headers_that_lie_are_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    path = claiming(tmp_path / "lie.npz", header, bytes(7 * 3 * 4))
    with pytest.raises(AddonError):
        takes.read_take(path)


def test_a_huge_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, **contents(meta=np.array(" " * 2_000_000)))  # type: ignore[arg-type]
    with pytest.raises(AddonError, match="2000000 characters"):
        takes.read_take(path)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_never_escapes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "damage"
    folder.mkdir(exist_ok=True)
    raw = bytearray(written(folder).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "damaged.npz"
    path.write_bytes(raw)
    with suppress(AddonError):
        assert takes.read_take(path).curves.shape == (7, 58)


def test_fields_are_checked_when_a_take_is_made() -> None:
    with pytest.raises(AddonError, match="frame rate"):
        takes.TakeFile(Fraction(0), TAKE.rotation, TAKE.translation, TAKE.coefficients)
    with pytest.raises(AddonError, match="shape"):
        takes.TakeFile(Fraction(25), TAKE.rotation, TAKE.translation[1:], TAKE.coefficients)
    with pytest.raises(ValueError, match="read-only"):
        TAKE.rotation[0, 0] = 1.0


def test_write_errors_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(AddonError, match="the folder does not exist"):
        takes.write_take(tmp_path / "none" / "take.npz", TAKE)
    with pytest.raises(AddonError, match="is a folder"):
        takes.write_take(tmp_path, TAKE)


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "take.npz"
    path.write_bytes(b"old")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(takes.np, "savez", full)
    with pytest.raises(AddonError, match="the disk is full"):
        takes.write_take(path, TAKE)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["take.npz"]


BAD = bad_parts()
OF_THE_SDK = ("retake", "seed", "follow", "unknown provenance", "long text", "deep options")


@pytest.mark.parametrize("name", [name for name in BAD if not name.startswith(OF_THE_SDK)])
def test_what_the_sdk_refuses_is_refused_here_too(name: str, tmp_path: Path) -> None:
    """Provenance is the SDK's to read: here its bounds as a JSON text are enough."""
    parts, _ = BAD[name]
    path = write_members(tmp_path / "odd.npz", parts, zipfile.ZIP_DEFLATED)
    begin = time.monotonic()
    with pytest.raises(AddonError, match=r"odd\.npz") as caught:
        takes.read_take(path)
    assert len(str(caught.value)) <= 500
    assert time.monotonic() - begin < 2
