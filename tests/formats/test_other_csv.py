"""Live Link tables of other tools: what can be used is, and the rest is told."""

from __future__ import annotations

import subprocess
import sys
import time
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_support import osmnet

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import OSMNetWarning, OutputError, TrackError
from osmnet_sdk.formats.livelink_csv import HEADER, read_livelink_csv, write_livelink_csv
from osmnet_sdk.formats.timecode import frame_timecode
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take, load_take


def wave(seconds):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.asarray(seconds))


def table(rows, header=HEADER, separator=",", point="."):
    """Text of a table; rows are {column: text or number}."""
    lines = [separator.join(header)]
    for row in rows:
        cells = (row.get(name, 0.0) for name in header)
        lines.append(
            separator.join(
                cell if isinstance(cell, str) else f"{cell:.6f}".replace(".", point)
                for cell in cells
            )
        )
    return "\n".join([*lines, ""])


def code(frame, base, start=0.0, mark=":"):
    frame = frame + round(start * base)
    second, frame = divmod(frame, base)
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{clock}{mark}{frame:02d}.000"


def recording(frames=90, base=30, start=0.0):
    """A mouth that opens and shuts once a second."""
    return [
        {"Timecode": code(i, base, start), "BlendShapeCount": "61", "JawOpen": wave(i / base)}
        for i in range(frames)
    ]


def written(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def assert_a_mouth_that_opens_once_a_second(take, seconds=3.0, atol=0.02):
    assert len(take) == pytest.approx(25 * seconds, abs=1)
    jaw = take.expression.column("jawOpen")
    np.testing.assert_allclose(jaw[:-2], wave(np.arange(len(jaw)) / 25)[:-2], atol=atol)


@pytest.mark.parametrize(
    ("separator", "point", "encoding"),
    [
        (",", ".", "utf-8"), (";", ",", "utf-8"), (";", ".", "utf-8-sig"), ("\t", ",", "utf-8"),
        (",", ".", "utf-16"), (";", ",", "utf-16"), (",", ".", "utf-16-le"),
        (",", ".", "utf-16-be"),
    ],
)  # fmt: skip
def test_separators_decimal_marks_and_encodings_are_found(tmp_path, separator, point, encoding):
    text = table(recording(), separator=separator, point=point)
    assert_a_mouth_that_opens_once_a_second(
        read_livelink_csv(written(tmp_path / "a.csv", text, encoding))
    )


def test_numbers_in_quotes_with_a_decimal_comma_are_read(tmp_path):
    rows = [{**row, "JawOpen": f'"{row["JawOpen"]:.4f}"'.replace(".", ",")} for row in recording()]
    assert_a_mouth_that_opens_once_a_second(
        read_livelink_csv(written(tmp_path / "a.csv", table(rows)))
    )


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
def test_a_short_file_has_the_length_that_its_rate_gives(tmp_path, fps):
    """Less than a second long, so that the timecodes show no end of one."""
    path = written(tmp_path / "a.csv", table(recording(fps - 6, fps)))
    take = read_livelink_csv(path, fps=fps)
    assert_a_mouth_that_opens_once_a_second(take, (fps - 6) / fps)
    if fps < 60:
        with pytest.warns(OSMNetWarning, match="name the rate"):
            read_livelink_csv(path)


def test_the_apps_own_timecodes_take_a_rate_too(tmp_path):
    """60 frames a second are counted while rows come 30 times; some rows are lost."""
    rows = [
        {"Timecode": f"00:00:00:{2 * i:02d}.{137:03d}", "JawOpen": wave(i / 30)}
        for i in range(30)
        if i not in (7, 19)
    ]
    path = written(tmp_path / "a.csv", table(rows))
    for fps in (None, 30, "30"):
        assert_a_mouth_that_opens_once_a_second(read_livelink_csv(path, fps=fps), 1.0)


@pytest.mark.parametrize("jump", [30.0, 4000.0, -5.0, 40_000.0])
def test_where_the_clock_is_set_anew_rows_follow_on_one_another_and_it_is_told(tmp_path, jump):
    rows = recording(100, 30, 100.0)
    for index in range(40, 100):
        rows[index]["Timecode"] = code(index, 30, 100.0 + jump)
    path = written(tmp_path / "jumps.csv", table(rows))
    with pytest.warns(OSMNetWarning, match=r"jumps\.csv', row 42: the timecode lies"):
        take = read_livelink_csv(path)
    assert_a_mouth_that_opens_once_a_second(take, 100 / 30)


def test_a_gap_of_lost_rows_stays_and_is_told(tmp_path):
    rows = recording(90)
    del rows[30:60]
    with pytest.warns(OSMNetWarning, match=r"row 32: 1\.0 s without a row"):
        take = read_livelink_csv(written(tmp_path / "a.csv", table(rows)))
    assert len(take) == 75


@pytest.mark.parametrize(
    ("missing", "words"),
    [(["TongueOut"], "TongueOut: this stays"), (["CheekPuff", "JawLeft"], "these stay at rest")],
)
def test_blendshapes_that_are_missing_stay_at_rest(tmp_path, missing, words):
    header = [name for name in HEADER if name not in missing]
    path = written(tmp_path / "a.csv", table(recording(), header))
    with pytest.warns(OSMNetWarning, match=words):
        take = read_livelink_csv(path)
    for name in missing:
        assert not take.expression.column(name[0].lower() + name[1:]).any()
    assert_a_mouth_that_opens_once_a_second(take)


def test_values_beyond_the_range_are_clipped_and_told(tmp_path):
    rows = recording()
    rows[40]["MouthShrugUpper"] = -0.25
    rows[41]["CheekPuff"] = 1.7
    with pytest.warns(OSMNetWarning, match=r"row 43, column CheekPuff: 1\.7 .* 2 such values"):
        take = read_livelink_csv(written(tmp_path / "a.csv", table(rows)))
    assert take.expression.coefficients.min() == 0
    assert_a_mouth_that_opens_once_a_second(take)


def test_values_in_percent_are_refused(tmp_path):
    rows = [{**row, "JawOpen": 100 * row["JawOpen"]} for row in recording()]
    with pytest.raises(TrackError, match=r"JawOpen: 100 is not within 0 and 1"):
        read_livelink_csv(written(tmp_path / "a.csv", table(rows)))


@pytest.mark.parametrize("cell", ["", "x", "nan", "inf", "1e400", "--", "0.5.5"])
def test_a_damaged_row_is_left_out_and_told(tmp_path, cell):
    rows = recording()
    rows[37]["BrowInnerUp"] = cell
    with pytest.warns(OSMNetWarning, match=r"row 39, column BrowInnerUp: .* it is left out"):
        take = read_livelink_csv(written(tmp_path / "a.csv", table(rows)))
    assert_a_mouth_that_opens_once_a_second(take)


@pytest.mark.parametrize("end", [10, 300, 400])
def test_a_last_row_that_was_cut_is_left_out_and_told(tmp_path, end):
    text = table(recording(5))
    last = text.rstrip("\n").rindex("\n") + 1
    path = written(tmp_path / "a.csv", text[: last + end])
    with pytest.warns(OSMNetWarning, match=r"row 6: it has \d+ columns, the header 63"):
        take = read_livelink_csv(path, fps=30)
    assert len(take) == 4


def test_a_header_that_is_repeated_or_ends_in_a_separator_does_no_harm(tmp_path):
    lines = table(recording()).splitlines()
    lines[0] += ","
    lines.insert(40, lines[0])
    with pytest.warns(OSMNetWarning, match=r"row 41, column Timecode: 'Timecode' .* left out"):
        take = read_livelink_csv(written(tmp_path / "a.csv", "\n".join(lines)))
    assert_a_mouth_that_opens_once_a_second(take)


def test_tables_with_prefixes_and_times_in_seconds_are_read(tmp_path):
    """Numbered rows, seconds instead of a timecode, and names with a prefix in another order."""
    names = [f"blendShapes.{name}" for name in HEADER[2:54]][::-1]
    rows = [
        {"": str(i), "timeCode": repr(i / 30), "blendShapes.JawOpen": wave(i / 30)}
        for i in range(90)
    ]
    path = written(tmp_path / "a.csv", table(rows, ["", "timeCode", *names]))
    assert_a_mouth_that_opens_once_a_second(read_livelink_csv(path))


def test_names_with_sides_as_letters_and_frames_as_numbers_are_read(tmp_path):
    header = ["frame", "jaw_open", "mouth_smile_L", "mouthSmile.R"]
    rows = [{"frame": str(i), "jaw_open": wave(i / 30), "mouth_smile_L": 1.0} for i in range(90)]
    path = written(tmp_path / "a.csv", table(rows, header))
    with pytest.raises(TrackError, match="--fps"), pytest.warns(OSMNetWarning, match="at rest"):
        read_livelink_csv(path)
    with pytest.warns(OSMNetWarning, match="stay at rest"):
        take = read_livelink_csv(path, fps=30)
    assert_a_mouth_that_opens_once_a_second(take)
    assert take.expression.column("mouthSmileLeft").min() == 1


def test_without_times_a_rate_must_be_named(tmp_path):
    header = HEADER[1:]
    path = written(tmp_path / "a.csv", table(recording(), header))
    with pytest.raises(TrackError, match="--fps"):
        read_livelink_csv(path)
    assert_a_mouth_that_opens_once_a_second(read_livelink_csv(path, fps="30/1"))


def test_rows_a_minute_apart_are_no_recording_and_cost_nothing(tmp_path):
    rows = [{"Timecode": code(59 * 30 * i, 30)} for i in range(3000)]
    path = written(tmp_path / "a.csv", table(rows))
    begin = time.monotonic()
    for fps in (None, 30, 1):
        with pytest.raises(TrackError, match=r"one recording|hours"):
            read_livelink_csv(path, fps=fps)
    assert time.monotonic() - begin < 5


def test_ten_hours_are_the_longest(tmp_path):
    rows = [{"time": repr(1.5 * i), "JawOpen": 0.0} for i in range(37_500)]
    path = written(tmp_path / "a.csv", table(rows, ["time", "JawOpen"]))
    with pytest.raises(TrackError, match=r"10\.4 hours"), warnings.catch_warnings():
        warnings.simplefilter("ignore", OSMNetWarning)
        read_livelink_csv(path, fps=1)


def a_take(frames, fps=25):
    coefficients = np.zeros((frames, 52))
    coefficients[:, ARKIT_NAMES.index("jawOpen")] = wave(np.arange(frames) / float(fps))
    still = np.zeros((frames, 3))
    return Take(MotionTrack(fps, still, still), ExpressionTrack(fps, coefficients))


@pytest.mark.parametrize("fps", [24, 30, 60, "30000/1001", "60000/1001", "24000/1001"])
def test_a_rate_that_is_asked_for_gives_whole_frame_timecodes(tmp_path, fps):
    path = write_livelink_csv(a_take(125), tmp_path / "a.csv", fps=fps)
    codes = [line.split(",")[0] for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    rate = Fraction(fps)
    assert len(codes) == -(-5 * rate // 1)
    drops = rate.denominator != 1 and round(rate) % 30 == 0
    assert all(text.endswith(".000") and (";" in text) == drops for text in codes)
    assert codes[0] == f"00:00:00{';' if drops else ':'}00.000"
    assert codes[round(rate)] == f"00:00:01{';' if drops else ':'}00.000"
    assert_a_mouth_that_opens_once_a_second(read_livelink_csv(path, fps=fps), 5.0)


def test_rates_that_timecodes_cannot_count_are_refused(tmp_path):
    with pytest.raises(OutputError, match="whole rate"):
        write_livelink_csv(a_take(25), tmp_path / "a.csv", fps="25/2")
    with pytest.raises(TrackError, match="frame rate"):
        write_livelink_csv(a_take(25), tmp_path / "a.csv", fps=0)
    assert not list(tmp_path.iterdir())


def test_drop_frame_counts_are_those_of_the_standard():
    """Two numbers are left out at each minute but each tenth; an hour of numbers is an hour."""
    ntsc = Fraction(30000, 1001)
    assert frame_timecode(1799, ntsc) == "00:00:59;29.000"
    assert frame_timecode(1800, ntsc) == "00:01:00;02.000"
    assert frame_timecode(17981, ntsc) == "00:09:59;29.000"
    assert frame_timecode(17982, ntsc) == "00:10:00;00.000"
    assert frame_timecode(107892, ntsc) == "01:00:00;00.000"
    assert frame_timecode(3600, Fraction(60000, 1001)) == "00:01:00;04.000"


@pytest.mark.parametrize("nominal", [30, 60])
@given(start=st.integers(0, 200_000))
def test_drop_frame_timecodes_are_read_at_their_times(nominal, start):
    """Over the end of a minute, where numbers are left out, rows stay as far apart as elsewhere."""
    from osmnet_sdk.formats.timecode import parse_timecode, row_times

    rate = nominal * Fraction(1000, 1001)
    parsed = np.array([parse_timecode(frame_timecode(start + i, rate)) for i in range(2000)])
    seconds = row_times(parsed, range(2000), "'a.csv'", None)
    np.testing.assert_allclose(np.diff(seconds), float(1 / rate), atol=1e-9)


def test_convert_takes_a_rate_on_either_side(tmp_path):
    path = written(tmp_path / "a.csv", table(recording(24)))
    done = osmnet("convert", path, tmp_path / "a.npz", "--fps", "30")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(load_take(tmp_path / "a.npz")) == 20
    a_take(50).save(tmp_path / "b.npz")
    assert osmnet("convert", tmp_path / "b.npz", tmp_path / "b.csv", "--fps", "30").returncode == 0
    assert len((tmp_path / "b.csv").read_text(encoding="utf-8").splitlines()) == 61
    assert osmnet("convert", tmp_path / "b.npz", tmp_path / "c.npz", "--fps", "50").returncode == 0
    assert len(load_take(tmp_path / "c.npz")) == 100
    done = osmnet("convert", tmp_path / "b.npz", tmp_path / "d.csv", "--fps", "1e99999")
    assert done.returncode == 2
    assert not (tmp_path / "d.csv").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux counts it")
def test_a_long_file_takes_little_more_memory_than_its_own_numbers(tmp_path):
    """Ten minutes at 60 fps: 36 000 rows are 8 MB of numbers; lists of text were 350."""
    line = "," + ",".join(["0.1234567890"] * 62) + "\n"
    path = tmp_path / "long.csv"
    with path.open("w") as stream:
        stream.write(",".join(HEADER) + "\n")
        stream.writelines(code(i, 60) + line for i in range(36_000))
    program = (
        "import resource, sys, scipy.interpolate\n"
        "from osmnet_sdk.formats.livelink_csv import read_livelink_csv\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert len(read_livelink_csv(sys.argv[1])) == 15000\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, cwd=Path.cwd()
    )
    assert int(done.stdout) < 40_000, done.stderr
