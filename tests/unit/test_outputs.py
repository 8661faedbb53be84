"""Results never go silently over what comes from another sound, seed, photo or video."""

from __future__ import annotations

import json
import unicodedata
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.core.provenance import file_metadata, of_photo
from osmnet_sdk.errors import OSMNetWarning
from osmnet_sdk.face.footage import of_video
from osmnet_sdk.formats.image_sequence import write_png
from osmnet_sdk.formats.outputs import (
    free_file,
    free_folder,
    free_stem,
    origin,
    origin_of_file,
    safe_stem,
    save_result,
)
from osmnet_sdk.formats.take_files import write_take_file
from osmnet_sdk.formats.video_writer import VideoWriter
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take

GREY = np.full((32, 32, 3), 90, np.uint8)


def made_take(sound: str | None = "a" * 64, seed: int | None = 0, *, yaw: float = 0.0) -> Take:
    made_by = Provenance(source="sampled", audio="v.wav", audio_sha256=sound, seed=seed, take=0)
    rotation = np.tile([0.0, yaw, 0.0], (3, 1))
    return Take(
        MotionTrack(25, rotation, np.zeros((3, 3))),
        ExpressionTrack(25, np.zeros((3, 52))),
        provenance=made_by,
    )


def saved(take: Take, path: Path, *, overwrite: bool = False) -> Path:
    made_of = origin(take.provenance.model_dump())
    return save_result(path, made_of, partial(write_take_file, take), overwrite=overwrite)


def test_the_same_job_again_replaces_its_own_result(tmp_path):
    first = saved(made_take(yaw=1), tmp_path / "take.npz")
    again = saved(made_take(yaw=2), tmp_path / "take.npz")  # with other options, say
    assert first == again == tmp_path / "take.npz"
    assert [path.name for path in tmp_path.iterdir()] == ["take.npz"]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (made_take("b" * 64), "another sound"),
        (made_take(seed=1), "another seed"),
        (
            replace(
                made_take(),
                provenance=made_take().provenance.model_copy(
                    update={"options": {"retakes": [{"start": 0.0, "end": 1.0, "seed": 3}]}}
                ),
            ),
            "another retake",
        ),
    ],
)
def test_what_another_job_made_is_kept_and_said(tmp_path, other, reason):
    before = saved(made_take(), tmp_path / "take.npz").read_bytes()
    for _ in range(2):  # the second time it finds its own result again
        with pytest.warns(OSMNetWarning, match=rf"take\.npz.*{reason}.*'take-2\.npz'"):
            assert saved(other, tmp_path / "take.npz") == tmp_path / "take-2.npz"
    assert (tmp_path / "take.npz").read_bytes() == before
    assert saved(other, tmp_path / "take.npz", overwrite=True) == tmp_path / "take.npz"
    assert (tmp_path / "take.npz").read_bytes() != before


def test_files_that_are_not_ours_are_kept(tmp_path):
    for name in ("take.npz", "take.csv"):
        (tmp_path / name).write_text("my notes", encoding="utf-8")
        with pytest.warns(OSMNetWarning, match="does not say"):
            assert saved(made_take(), tmp_path / name) == tmp_path / name.replace(".", "-2.")
        assert (tmp_path / name).read_text(encoding="utf-8") == "my notes"


def test_what_names_no_sound_is_told_by_its_bytes(tmp_path):
    for name in ("take.csv", "take.npz"):
        first = saved(made_take(None, None), tmp_path / name)
        assert saved(made_take(None, None), first) == first
        with pytest.warns(OSMNetWarning, match="take-2"):
            saved(made_take(None, None, yaw=9), first)


def test_films_and_pictures_say_their_sound_and_photo(tmp_path):
    text = made_take().provenance.model_dump_json(exclude_defaults=True)
    films, photos = [], (GREY, GREY + 1)
    for number, photo in enumerate(photos):
        metadata = file_metadata(of_photo(text, photo))
        films.append(origin(json.loads(of_photo(text, photo))))
        for suffix in (".mp4", ".mkv", ".mov"):
            with VideoWriter(tmp_path / f"{number}{suffix}", metadata=metadata) as writer:
                writer.write(GREY)
            assert origin_of_file(tmp_path / f"{number}{suffix}") == films[number]
        write_png(tmp_path / f"{number}.png", GREY, metadata)
        assert origin_of_file(tmp_path / f"{number}.png") == films[number]
    assert films[0] != films[1]
    assert free_file(tmp_path / "0.mp4", films[0]) == tmp_path / "0.mp4"
    with pytest.warns(OSMNetWarning, match="another photo"):
        assert free_file(tmp_path / "0.mp4", films[1]).name == "0-2.mp4"


def test_another_face_of_one_photo_is_another_film(tmp_path):
    text = made_take().provenance.model_dump_json(exclude_defaults=True)
    largest, second = (of_photo(text, GREY, index) for index in (0, 1))
    assert largest == of_photo(text, GREY), "films that are there go on being those of the largest"
    write_png(tmp_path / "f.png", GREY, file_metadata(largest))
    assert free_file(tmp_path / "f.png", origin(json.loads(largest))) == tmp_path / "f.png"
    for _ in range(2):
        with pytest.warns(OSMNetWarning, match="comes from another face"):
            place = free_file(tmp_path / "f.png", origin(json.loads(second)))
        assert place == tmp_path / "f-2.png"
        write_png(place, GREY, file_metadata(second))


@pytest.mark.parametrize(("named", "reason"), [((None, 1), "face"), ((2, None), "shot")])
def test_another_face_or_shot_of_one_video_is_another_take(tmp_path, named, reason):
    video = tmp_path / "v.mp4"
    video.write_bytes(b"film")
    first = saved(of_video(made_take(None, None), video, None, 0), tmp_path / "t.npz")
    assert saved(of_video(made_take(None, None), video, None, None), first) == first
    with pytest.warns(OSMNetWarning, match=f"comes from another {reason}"):
        other = saved(of_video(made_take(None, None), video, *named), first)
    assert other == tmp_path / "t-2.npz"


def test_folders_of_frames_are_numbered_on(tmp_path, monkeypatch):
    metadata = file_metadata(made_take().provenance.model_dump_json())
    mine = origin(made_take().provenance.model_dump())
    other = origin(made_take(seed=4).provenance.model_dump())
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "notes.txt").write_text("x", encoding="utf-8")
    assert free_folder(tmp_path / "frames", "0.png", mine) == tmp_path / "frames"
    write_png(tmp_path / "frames" / "0.png", GREY, metadata)
    assert free_folder(tmp_path / "frames", "0.png", mine) == tmp_path / "frames"
    monkeypatch.chdir(tmp_path / "frames")
    for name in (tmp_path / "frames", Path()):
        with pytest.warns(OSMNetWarning, match="another seed"):
            assert free_folder(name, "0.png", other) == tmp_path / "frames-2"


def test_files_that_belong_together_get_one_stem(tmp_path):
    mine, other = (origin(made_take(sound * 64).provenance.model_dump()) for sound in "ab")
    write_take_file(made_take("b" * 64), tmp_path / "v-take2.npz")
    endings = {"-take1.npz": mine, "-take2.npz": mine}
    with pytest.warns(OSMNetWarning, match="v-take2"):
        assert free_stem(tmp_path, "v", endings) == "v-2"
    assert free_stem(tmp_path, "v", dict.fromkeys(endings, other)) == "v"
    assert free_stem(tmp_path, "v", endings, overwrite=True) == "v"


@pytest.mark.parametrize(
    "content",
    [b"", b"{" * 100_000, b'["a"]', b"\xff\xfe", b'{"options": 3, "retakes": 4}'],
)
def test_any_content_is_some_other_result(tmp_path, content):
    for suffix in (".npz", ".json", ".png", ".mp4", ".jpg", ".csv"):
        path = tmp_path / f"x{suffix}"
        path.write_bytes(content)
        with pytest.warns(OSMNetWarning):
            assert free_file(path, origin(made_take().provenance.model_dump())).stem == "x-2"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Größe 1.final", "Größe 1.final"),
        ("con", "_con"),
        ("CON.x", "_CON.x"),
        ("lpt1 .a", "_lpt1 .a"),
        ("console", "console"),
        ("a: b?", "a_ b_"),
        ("a\nb\x1b[31m\u202e\udcff", "a_b_[31m__"),
        ("", "_"),
    ],
)
def test_stems_that_every_system_takes(name, stem):
    assert safe_stem(name) == stem


@given(st.text(min_size=1, max_size=300))
def test_stems_are_short_and_can_be_seen(name):
    stem = safe_stem(name)
    assert 1 <= len(stem.encode()) <= 180
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in stem)
    assert safe_stem(stem) == stem or len(name.encode("utf-8", "replace")) > 180


def test_long_names_that_differ_at_their_end_stay_apart():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stems = {safe_stem(f"{'ä' * 150}{number}") for number in range(9)}
    assert len(stems) == 9
