"""Replacing files, and reporting progress."""

from __future__ import annotations

import stat
import sys

import pytest

from osmnet_sdk.errors import Cancelled, OutputError
from osmnet_sdk.files import check_output_file, check_output_folder, replaced
from osmnet_sdk.progress import Reporter


def test_a_file_is_replaced_only_when_the_block_ends_well(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), replaced(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise RuntimeError
    assert path.read_text(encoding="utf-8") == "old"
    with replaced(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".txt"
        temporary.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_a_new_file_has_the_rights_of_an_ordinary_one(tmp_path):
    ordinary, ours = tmp_path / "ordinary", tmp_path / "ours"
    ordinary.write_text("x", encoding="utf-8")
    with replaced(ours) as temporary:
        temporary.write_text("x", encoding="utf-8")
    assert stat.S_IMODE(ours.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_places_that_cannot_be_written_say_so(tmp_path):
    for path, words in ((tmp_path / "no" / "a.txt", "folder that exists"), (tmp_path, "a folder")):
        with pytest.raises(OutputError, match=words), replaced(path):
            raise AssertionError("the block must not run")
    assert not list(tmp_path.iterdir())


def test_places_are_tried_without_leaving_anything(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    check_output_folder(tmp_path)
    check_output_folder(tmp_path / "new" / "deep")
    check_output_file(tmp_path / "new.npz")
    check_output_file(tmp_path / "file")
    for wrong in (tmp_path / "file", tmp_path / "file" / "deep", tmp_path / "a\0b"):
        with pytest.raises(OutputError, match="may be written to"):
            check_output_folder(wrong)
    for wrong in (tmp_path / "new" / "a.npz", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(OutputError, match="Cannot write"):
            check_output_file(wrong)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_reporter_tells_and_asks():
    told = []
    report = Reporter(lambda *values: told.append(values), lambda: len(told) == 2)
    report.step("render", 0, 3)
    report.step("render", 1, 3)
    with pytest.raises(Cancelled, match="'render'"):
        report.step("render", 2, 3)
    assert told == [("render", 0, 3), ("render", 1, 3)]
    Reporter().step("anything", 0)


@pytest.mark.parametrize("total", [0, 3, 5])  # not known, right, and a container's wrong guess
def test_a_stage_ends_complete(total):
    told = []
    report = Reporter(lambda *values: told.append(values))
    assert list(report.each("render", iter("abc"), total)) == ["a", "b", "c"]
    assert told == [("render", done, total) for done in range(3)] + [("render", 3, 3)]
