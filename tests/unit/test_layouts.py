"""How HDTF, VoxCeleb2, LRW and plain folders name their videos and speakers."""

from __future__ import annotations

import os
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.errors import InputError
from osmnet_sdk.research.data.layouts import (
    find_videos,
    hdtf_span,
    hdtf_speaker,
    lrw_subset,
    voxceleb2_speaker,
)

NAMES = st.text(string.ascii_letters, min_size=1, max_size=20)
FOLDERS = st.lists(st.text(string.ascii_letters + "äß ._-", min_size=1, max_size=8), max_size=3)


def tree(folder, *paths):
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return folder


@given(
    FOLDERS, st.sampled_from([None, "dev", "test"]), st.integers(0, 99999),
    st.text(string.ascii_letters + string.digits + "-_", min_size=11, max_size=11),
    st.integers(0, 99999),
)  # fmt: skip
def test_voxceleb2_paths_name_speaker_and_subset(above, subset, number, video, clip):
    above = [name for name in above if name not in ("dev", "test")]
    parts = [*above, *([subset, "mp4"] if subset else [])]
    source = "/".join([*parts, f"id{number:05d}", video, f"{clip:05d}.mp4"])
    assert voxceleb2_speaker(source) == (f"id{number:05d}", subset)


@pytest.mark.parametrize(
    "source",
    ["id0001/21Uxsk56VDQ/00001.mp4", "id00012/short/00001.mp4", "id00012/21Uxsk56VDQ/clip.mp4"],
)
def test_what_voxceleb2_does_not_look_like(source):
    assert voxceleb2_speaker(source) is None


@given(FOLDERS, NAMES, st.sampled_from(["train", "val", "test"]), st.integers(0, 99999))
def test_lrw_paths_name_the_subset(above, word, subset, clip):
    source = "/".join([*above, word.upper(), subset, f"{word.upper()}_{clip:05d}.mp4"])
    assert lrw_subset(source) == subset
    assert lrw_subset(source.replace(f"/{subset}/", "/other/")) is None
    assert lrw_subset("/".join(["OTHER1", subset, f"{word.upper()}_{clip:05d}.mp4"])) is None


@given(
    st.sampled_from([None, "RD", "WDA", "WRA"]), NAMES, st.sampled_from(["", "0", "12"]),
    st.one_of(st.none(), st.integers(0, 999)), st.sampled_from(["{}", "{:03d}"]),
)  # fmt: skip
def test_hdtf_names_give_person_subset_and_clip(subset, person, video, clip, digits):
    name = f"{subset}_{person}" if subset else person
    number = "" if clip is None else "_" + digits.format(clip)
    if person in ("RD", "WDA", "WRA", "Radio"):
        return
    found = hdtf_speaker(f"clips/{name}{video}{number}.mp4")
    assert found == (person, subset, clip)


def test_digits_behind_radio_name_the_speaker():
    assert hdtf_speaker("Radio11_0.mp4") == ("Radio11", None, 0)
    assert hdtf_speaker("RD_Radio11_000.mp4") == ("Radio11", "RD", 0)
    assert hdtf_speaker("RD_Radio12.mp4") == ("Radio12", "RD", None)


@given(st.integers(0, 7000), st.integers(1, 3000))
def test_hdtf_time_spans(start, seconds):
    def stamp(value):
        minutes, rest = divmod(value, 60)
        if minutes < 60:
            return f"{minutes:02d}:{rest:02d}"
        return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"

    text = f"{stamp(start)}-{stamp(start + seconds)}"
    assert hdtf_span(text, Path("x")) == (start, start + seconds)


@pytest.mark.parametrize("text", ["", "00:10", "00:10-00:05", "a-b", "00:10-", "1:00-1:00"])
def test_spans_that_are_none(text):
    with pytest.raises(InputError, match=r"liste\.txt"):
        hdtf_span(text, Path("liste.txt"))


def test_hdtf_folder_uses_clips_else_stamps(tmp_path):
    tree(
        tmp_path, "_videos_raw/WDA_Anna0.mp4", "WDA_Anna0_000.mp4", "WDA_Anna0_001.mp4",
        "WDA_Anna0_001.wav", "raw/Ben1.mp4", "RD_Radio3_000.mp4",
    )  # fmt: skip
    (tmp_path / "WRA_annotion_time.txt").write_text(
        "Ben1.mp4 00:05-00:10 01:00-01:30 \n\nAnna0.mp4 00:00-00:04\n", encoding="utf-8"
    )
    layout, videos = find_videos(tmp_path)
    assert layout == "hdtf"
    assert [(v.source, v.speaker, v.subset) for v in videos] == [
        ("RD_Radio3_000.mp4", "Radio3", "RD"),
        ("WDA_Anna0_000.mp4", "Anna", "WDA"),
        ("WDA_Anna0_001.mp4", "Anna", "WDA"),
        ("raw/Ben1.mp4", "Ben", None),
    ]
    assert videos[2].sound == tmp_path / "WDA_Anna0_001.wav"
    assert [v.spans for v in videos] == [(), (), (), ((5.0, 10.0), (60.0, 90.0))]


def test_voxceleb2_folder_takes_the_sound_of_its_aac_tree(tmp_path):
    stem = "id00012/21Uxsk56VDQ/00001"
    tree(tmp_path, f"dev/mp4/{stem}.mp4", f"dev/aac/{stem}.m4a", "dev/mp4/notes.mp4")
    tree(tmp_path, "test/mp4/id00017/01dfn2spqyE/00002.mp4")
    layout, videos = find_videos(tmp_path)
    assert layout == "voxceleb2"
    assert [(v.speaker, v.subset) for v in videos] == [("id00012", "dev"), ("id00017", "test")]
    assert videos[0].sound == tmp_path / f"dev/aac/{stem}.m4a"
    assert videos[1].sound is None


def test_lrw_folder_knows_no_speakers(tmp_path):
    tree(tmp_path, "lipread_mp4/ABOUT/train/ABOUT_00001.mp4", "lipread_mp4/ABOUT/train/x.txt")
    layout, (video,) = find_videos(tmp_path)
    assert (layout, video.speaker, video.subset) == ("lrw", None, "train")


def test_plain_folder_has_a_folder_for_each_speaker(tmp_path):
    tree(tmp_path, "Ännä/one.mp4", "Ännä/deep/two.MOV", "carl.mp4", ".hidden.mp4", "notes.txt")
    layout, videos = find_videos(tmp_path)
    assert layout == "folder"
    assert {v.source: v.speaker for v in videos} == {
        "carl.mp4": "carl", "Ännä/one.mp4": "Ännä", "Ännä/deep/two.MOV": "Ännä",
    }  # fmt: skip


def test_listing_names_speakers_lags_and_foreign_sound(tmp_path):
    tree(tmp_path, "a b.mp4", "c.mp4", "d.mp4", "one.wav")
    (tmp_path / "clips.csv").write_text(
        "id,file,speaker,av_lag_ms,audio\none,a b.mp4,anna,40,1\ntwo,c.mp4,ben,,0\n",
        encoding="utf-8",
    )
    layout, videos = find_videos(tmp_path)
    assert layout == "folder"
    assert [(v.speaker, v.lag, v.muted) for v in videos] == [
        ("anna", 0.04, False),
        ("ben", 0, True),
    ]
    assert videos[0].sound == tmp_path / "one.wav"
    (tmp_path / "clips.csv").write_text("id,speaker\none,anna\n", encoding="utf-8")
    with pytest.raises(InputError, match="'one'"):
        find_videos(tmp_path)


def test_folders_that_hold_nothing(tmp_path):
    with pytest.raises(InputError, match="no video"):
        find_videos(tmp_path)
    tree(tmp_path, "carl.mp4")
    with pytest.raises(InputError, match="voxceleb2"):
        find_videos(tmp_path, "voxceleb2")
    with pytest.raises(InputError, match="imax"):
        find_videos(tmp_path, "imax")
    with pytest.raises(InputError, match="no folder"):
        find_videos(tmp_path / "nowhere")


def test_names_that_cannot_be_written_down(tmp_path):
    try:
        tree(tmp_path, os.fsdecode(b"a\xff.mp4"))
    except OSError:
        pytest.skip("this system has no such names")
    with pytest.raises(InputError, match="rename"):
        find_videos(tmp_path)
