"""Replacing files, and reporting progress."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from osmnet_sdk.core.files import check_output_file, check_output_folder, replaced
from osmnet_sdk.errors import Cancelled, OutputError
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


posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights and links")


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o777])
def test_a_file_keeps_its_rights(tmp_path, mode):
    path = tmp_path / "a.txt"
    path.touch()
    path.chmod(mode)
    with replaced(path) as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) & ~mode == 0
        temporary.write_text("new", encoding="utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "b.txt", tmp_path / "link.txt"
    chain = tmp_path / "chain.txt"
    link.symlink_to("elsewhere/b.txt")
    chain.symlink_to(link)
    for words in ("first", "second"):  # leading nowhere, and to a file
        with replaced(chain) as temporary:
            temporary.write_text(words, encoding="utf-8")
        assert link.is_symlink()
        assert chain.is_symlink()
        assert target.read_text(encoding="utf-8") == words


@posix
def test_what_is_no_file_is_not_replaced(tmp_path):
    circle, pipe = tmp_path / "circle", tmp_path / "pipe"
    circle.symlink_to(circle)
    os.mkfifo(pipe)
    for path, words in (
        (circle, "circle"),
        (pipe, "no ordinary file"),
        (os.devnull, "no ordinary"),
    ):
        with pytest.raises(OutputError, match=words), replaced(path):
            raise AssertionError("the block must not run")
        with pytest.raises(OutputError, match=words):
            check_output_file(path)


@pytest.mark.parametrize("name", ["x" * 255, "ä" * 125 + ".png", "a." + "x" * 253])
def test_long_names_that_the_system_takes_are_written(tmp_path, name):
    path = tmp_path / name
    check_output_file(path)
    check_output_folder(tmp_path / name)
    with replaced(path) as temporary:
        temporary.write_text("new", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "new"


def test_names_that_the_system_does_not_take_are_refused_at_once(tmp_path):
    name = "ä" * 128
    with pytest.raises(OutputError):
        check_output_file(tmp_path / name)
    with pytest.raises(OutputError):
        check_output_folder(tmp_path / "new" / name)
    assert not list(tmp_path.iterdir())


WRITE = """
import os, sys, time
from osmnet_sdk.core.files import replaced
with replaced(sys.argv[1]) as temporary:
    temporary.write_bytes(b"half")
    print(temporary, flush=True)
    if sys.argv[2] == "die":
        os._exit(1)
    sys.stdin.read()
"""


def written_elsewhere(path, then):
    return subprocess.Popen(
        [sys.executable, "-c", WRITE, path, then],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_what_a_killed_process_left_is_cleared_and_nothing_else(tmp_path):
    with written_elsewhere(tmp_path / "dead.txt", "die") as dead:
        left = dead.stdout.readline().strip()
    others = [tmp_path / name for name in (".osmnet-1.part", ".dead-ab12.txt", "osmnet.part.txt")]
    for other in others:
        other.touch()
    assert os.path.exists(left)  # noqa: PTH110
    with (
        written_elsewhere(tmp_path / "alive.txt", "wait") as alive,
        replaced(tmp_path / "own") as own,
    ):
        used = alive.stdout.readline().strip()
        check_output_file(tmp_path / "new.txt")
        assert not os.path.exists(left)  # noqa: PTH110
        assert os.path.exists(used)  # noqa: PTH110
        assert own.exists()
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "alive.txt", tmp_path / "own"])


def test_the_first_file_of_a_folder_clears_it(tmp_path):
    with written_elsewhere(tmp_path / "dead.txt", "die") as dead:
        dead.stdout.readline()
    with replaced(tmp_path / "new.txt"):
        pass
    assert list(tmp_path.iterdir()) == [tmp_path / "new.txt"]


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


@pytest.mark.skipif(os.name == "nt", reason="Windows says of such a name that it is not found")
def test_a_name_that_is_too_long_is_told_to_be_shortened(tmp_path):
    path = tmp_path / ("n" * 260 + ".npz")
    for attempt in (check_output_file, lambda name: replaced(name).__enter__()):
        with pytest.raises(OutputError, match="shorter name"):
            attempt(path)
