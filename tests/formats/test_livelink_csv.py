"""Live Link Face CSV: round trips, the app's times and axes, and files that are not quite right."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import OutputError, TrackError
from osmnet_sdk.face.camera import rotation_matrix
from osmnet_sdk.formats.livelink_csv import HEADER, read_livelink_csv, write_livelink_csv
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take


def a_take(frames, fps=25, seed=0, rest=(0.0, 0.0, 0.0), size=20.0):
    random = np.random.default_rng(seed)
    return Take(
        MotionTrack(fps, random.uniform(-size, size, (frames, 3)), np.zeros((frames, 3))),
        ExpressionTrack(fps, random.uniform(0, 1, (frames, 52))),
        np.array(rest, np.float32),
    )


def absolute(take):
    return rotation_matrix(take.rest_rotation) @ rotation_matrix(take.motion.rotation)


@settings(max_examples=25)
@given(st.integers(1, 90), st.integers(0, 1000), st.tuples(*[st.floats(-40, 40, width=32)] * 3))
def test_a_take_comes_back(frames, seed, rest):
    take = a_take(frames, seed=seed, rest=rest)
    with tempfile.TemporaryDirectory() as folder:
        again = read_livelink_csv(write_livelink_csv(take, Path(folder) / "täke 1.csv"))
    assert (len(again), again.fps) == (frames, 25)
    np.testing.assert_allclose(
        again.expression.coefficients, take.expression.coefficients, atol=1e-4
    )
    np.testing.assert_allclose(absolute(again), absolute(take), atol=1e-4)
    assert again.provenance.source == "imported"


@pytest.mark.filterwarnings("ignore:The timecode of")
@pytest.mark.parametrize("fps", [7, 24, 30, 50, 60, 120, Fraction(30000, 1001)])
@pytest.mark.parametrize("seconds", [0.5, 3])
def test_other_rates_are_brought_to_25(tmp_path, fps, seconds):
    frames = max(2, int(fps * seconds))
    wave = np.sin(np.arange(frames) / float(fps) * 4)
    coefficients = np.repeat(0.5 + 0.4 * wave[:, None], 52, axis=1)
    rotation = np.stack([8 * wave, 12 * wave, 5 * wave], axis=1)
    take = Take(MotionTrack(fps, rotation, 0 * rotation), ExpressionTrack(fps, coefficients))
    again = read_livelink_csv(write_livelink_csv(take, tmp_path / "t.csv"))
    expected = take.resample(25)
    assert len(again) == len(expected)
    np.testing.assert_allclose(
        again.expression.coefficients, expected.expression.coefficients, atol=1e-4
    )
    np.testing.assert_allclose(absolute(again), absolute(expected), atol=1e-3)


def write_rows(path, rows, header=HEADER, end="\n", encoding="utf-8", **values):
    """A file as the app writes it: rows of (timecode, {column: value})."""
    lines = [",".join(header)]
    for timecode, changes in rows:
        cells = {"Timecode": timecode, "BlendShapeCount": "61", **values, **changes}
        lines.append(",".join(str(cells.get(name, "0.0000000000")) for name in header))
    path.write_text(end.join([*lines, ""]), encoding=encoding, newline="")
    return path


def test_the_axes_are_the_mirror_image_of_ours(tmp_path):
    still = [(f"00:00:00:{2 * i:02d}.000", {}) for i in range(9)]
    angles = {"HeadPitch": 0.1, "HeadYaw": 0.2, "HeadRoll": 0.3}
    path = write_rows(tmp_path / "a.csv", [*still, ("00:00:00:18.000", angles)])
    take = read_livelink_csv(path)
    assert not take.rest_rotation.any()
    np.testing.assert_allclose(take.motion.rotation[-1], np.degrees([0.1, -0.2, -0.3]), atol=1e-3)
    table = write_livelink_csv(take, tmp_path / "b.csv").read_text(encoding="utf-8").splitlines()
    last = dict(zip(HEADER, table[-1].split(","), strict=True))
    assert float(last["HeadYaw"]) == pytest.approx(0.2, abs=1e-4)
    assert float(last["HeadPitch"]) == pytest.approx(0.1, abs=1e-4)


def test_the_eyes_angles_follow_the_blendshapes(tmp_path):
    values = np.zeros((1, 52))
    values[0, ARKIT_NAMES.index("eyeLookInLeft")] = 1
    values[0, ARKIT_NAMES.index("eyeLookDownLeft")] = 1
    values[0, ARKIT_NAMES.index("eyeLookInRight")] = 1
    take = Take(MotionTrack(25, np.zeros((1, 3)), np.zeros((1, 3))), ExpressionTrack(25, values))
    lines = write_livelink_csv(take, tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    row = dict(zip(HEADER, lines[1].split(","), strict=True))
    assert float(row["LeftEyeYaw"]) > 0.5  # to the subject's right
    assert float(row["LeftEyePitch"]) > 0.5  # down
    assert float(row["RightEyeYaw"]) < -0.5


@pytest.mark.parametrize(("base", "step"), [(60, 2), (60, 1), (30, 1), (24, 1), (25, 1)])
def test_the_base_of_the_timecode_is_found(tmp_path, base, step):
    """A ramp of one unit in four seconds, with rows dropped and the clock drifting a little."""
    rows = []
    for index in range(0, 4 * base, step):
        if index % 37 < 2 * step:
            continue
        second, frame = divmod(index, base)
        timecode = f"13:59:{56 + second:02d}:{frame + 0.3:06.3f}"
        rows.append((timecode, {"JawOpen": index / (4 * base)}))
    take = read_livelink_csv(write_rows(tmp_path / "a.csv", rows))
    jaw = take.expression.column("jawOpen")
    np.testing.assert_allclose(np.diff(jaw)[2:-4], 0.01, atol=1e-5)


def test_midnight_and_repeated_times_do_no_harm(tmp_path):
    rows = [
        (f"{'23:59:59' if i < 30 else '00:00:00'}:{2 * (i % 30):02d}.000", {"JawOpen": i / 60})
        for i in range(60)
    ]
    rows.insert(7, rows[6])
    take = read_livelink_csv(write_rows(tmp_path / "a.csv", rows))
    assert len(take) == 50
    np.testing.assert_allclose(np.diff(take.expression.column("jawOpen"))[:-1], 0.02, atol=1e-5)


@pytest.mark.parametrize(
    "how",
    [
        {"encoding": "utf-8-sig"},
        {"end": "\r\n"},
        {"end": "\n\n,,\n"},
        {"header": HEADER[:54]},
        {"header": tuple(name.lower() for name in HEADER)},
        {"header": (*HEADER[:5], "Comment", *HEADER[5:])},
        {"header": HEADER[::-1]},
    ],
    ids=["bom", "crlf", "empty rows", "no head", "lower case", "more columns", "other order"],
)
def test_files_that_other_programs_wrote_are_read(tmp_path, how):
    rows = [(f"00:00:00:{2 * i:02d}.000", {"JawOpen": 0.5, "jawopen": 0.5}) for i in range(9)]
    rows = [(code, {**cells, "timecode": code}) for code, cells in rows]
    take = read_livelink_csv(write_rows(tmp_path / "a.csv", rows, **how))
    assert len(take) == 8
    np.testing.assert_allclose(take.expression.column("jawOpen"), 0.5)
    assert take.expression.coefficients.sum() == pytest.approx(4)


def test_values_just_beyond_their_range_are_clipped(tmp_path):
    rows = [("00:00:00:00", {"EyeLookInLeft": 1.06}), ("00:00:00:02", {"JawOpen": -0.01})]
    take = read_livelink_csv(write_rows(tmp_path / "a.csv", rows))
    assert take.expression.column("eyeLookInLeft").max() == 1
    assert take.expression.column("jawOpen").min() == 0


@pytest.mark.parametrize(
    ("timecode", "changes", "words"),
    [
        ("00:00:00:02.000", {"JawOpen": "x"}, ["row 3", "JawOpen", "'x'"]),
        ("00:00:00:02.000", {"JawOpen": ""}, ["row 3", "JawOpen"]),
        ("00:00:00:02.000", {"JawOpen": "nan"}, ["row 3", "JawOpen"]),
        ("00:00:00:02.000", {"JawOpen": 1e9}, ["row 3", "JawOpen", "1000000000"]),
        ("00:00:00:02.000", {"HeadYaw": 20}, ["row 3", "HeadYaw", "radians"]),
        ("noon", {}, ["row 3", "Timecode", "noon"]),
        ("00:00:00:00.000", {"Timecode": "00:00:00"}, ["row 3", "Timecode"]),
    ],
)
def test_what_is_wrong_is_named_with_row_and_column(tmp_path, timecode, changes, words):
    path = write_rows(tmp_path / "odd.csv", [("00:00:00:00.000", {}), (timecode, changes)])
    with pytest.raises(TrackError) as caught:
        read_livelink_csv(path)
    for word in ["odd.csv", *words]:
        assert word in str(caught.value)


def test_rows_without_an_order_are_refused(tmp_path):
    times = np.random.default_rng(0).permutation(40)
    path = write_rows(tmp_path / "a.csv", [(f"00:00:{second:02d}:00", {}) for second in times])
    with pytest.raises(TrackError, match=r"row \d+: the timecode lies .* one recording"):
        read_livelink_csv(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no column of a blendshape"),
        (b"Timecode,Jaw\n0,1\n", "no column of a blendshape"),
        (b"JawOpen\n0\n1\n", "no column 'Timecode'"),
        (",".join(HEADER).encode() + b"\n", "no rows"),
        (",".join(HEADER).encode() + b"\n00:00:00:00,61,0.5\n", "row 2"),
        (b"\xff\xfe\x00\xd8", "plain text"),
        (b"x" * 1_000_000, "plain text"),
        (b"Timecode,JawOpen\n" + b'"' * 1_000_001, "plain text"),
        (b"PK\x03\x04\x00\x80\xff", "plain text"),
    ],
)
def test_other_files_are_refused(tmp_path, content, words):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(TrackError, match=words):
        read_livelink_csv(path)


@pytest.mark.filterwarnings("ignore::osmnet_sdk.errors.OSMNetWarning")
@settings(max_examples=60)
@given(st.text(max_size=60), st.integers(0, 1000))
def test_damage_anywhere_is_a_sentence_or_a_take(text, at):
    lines = ["00:00:00:00.000," + ",".join(["61", *["0.1"] * 61])] * 3
    whole = "\n".join([",".join(HEADER), *lines, ""])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        at = at * len(whole) // 1000
        path.write_bytes((whole[:at] + text + whole[at:]).encode("utf-8", "surrogatepass"))
        try:
            take = read_livelink_csv(path)
        except TrackError:
            return
    assert len(take) >= 1


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(TrackError, match=r"none\.csv"):
        read_livelink_csv(tmp_path / "none.csv")
    with pytest.raises(OutputError, match="none"):
        write_livelink_csv(a_take(2), tmp_path / "none" / "a.csv")
