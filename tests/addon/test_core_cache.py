from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from cache_support import keys, render, shown, stray_names
from osmnet_addon.core import sequences
from osmnet_addon.core.cache import FrameStore
from osmnet_addon.core.errors import AddonError


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    return FrameStore(tmp_path / "cache folder é", 10**9)


@pytest.fixture
def placeholder(tmp_path: Path) -> Path:
    path = tmp_path / "still.png"
    path.write_bytes(b"?")
    return path


def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(sequences.os, "link", link)


def test_frames_by_key(store: FrameStore) -> None:
    assert store.missing(keys("b", "a", "b")) == keys("b", "a")
    assert not store.folder.exists()  # asking makes nothing
    render(store, "a")
    assert store.has("a" * 32)
    assert store.path("a" * 32) == store.folder / "frames" / "aa" / ("a" * 32 + ".png")
    assert store.missing(keys("b", "a", "b")) == keys("b")
    assert list(store.rendering_folder().iterdir()) == []


def test_a_frame_is_adopted_once(store: FrameStore) -> None:
    render(store, "a")
    first = store.path("a" * 32).stat().st_ino
    assert store.adopt("a" * 32) == store.path("a" * 32)
    render(store, "a")
    assert store.path("a" * 32).stat().st_ino == first
    assert list(store.rendering_folder().iterdir()) == []
    with pytest.raises(AddonError, match="render again"):
        store.adopt("b" * 32)


@pytest.mark.parametrize("links", [True, False])
def test_sequences_fill_up(
    store: FrameStore, placeholder: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        no_links(monkeypatch)
    wanted = keys("a", "b", "a", "c")
    render(store, "a")
    sequence = store.lay_out(wanted, placeholder, None)
    assert sequence.parent == store.folder / "sequences"
    assert shown(sequence) == "a?a?"
    assert not store.complete(sequence)
    render(store, "b", "c")
    assert store.place(sequence, 1, "b" * 32)
    assert shown(sequence) == "aba?"
    assert store.place(sequence, 1, "b" * 32)  # harmless twice
    assert not store.complete(sequence)
    assert store.lay_out(wanted, placeholder, None) == sequence
    assert shown(sequence) == "abac"
    assert store.complete(sequence)
    assert stray_names(store) == []
    linked = store.path("a" * 32).stat().st_nlink
    assert linked == (3 if links else 1)


def test_without_placeholder_frames_are_absent(store: FrameStore) -> None:
    sequence = store.lay_out(keys("a", "b"), None, None)
    assert shown(sequence) == ""
    render(store, "a")
    assert store.place(sequence, 0, "a" * 32)
    assert shown(sequence) == "a"


def test_the_previous_sequence_stands_in(store: FrameStore, placeholder: Path) -> None:
    render(store, "a", "b")
    first = store.lay_out(keys("a", "b"), placeholder, None)
    second = store.lay_out(keys("c", "b", "d"), placeholder, first)
    assert second != first
    assert shown(second) == "ab?"
    assert not store.complete(second)
    render(store, "c", "d")
    for index, key in enumerate(keys("c", "b", "d")):
        assert store.place(second, index, key)
    assert shown(second) == "cbd"
    assert store.complete(second)
    assert shown(first) == "ab"  # replacing a link leaves the file that it named alone
    assert placeholder.read_bytes() == b"?"


def test_undo_finds_the_sequence_complete(store: FrameStore) -> None:
    render(store, "a", "b")
    first = store.lay_out(keys("a", "b"), None, None)
    store.lay_out(keys("a", "c"), None, first)
    assert store.lay_out(keys("a", "b"), None, None) == first
    assert store.complete(first)


def test_only_what_is_missing_is_done(store: FrameStore, monkeypatch: pytest.MonkeyPatch) -> None:
    render(store, "a", "b")
    sequence = store.lay_out(keys("a", "b", "c"), None, None)
    render(store, "c")
    done = []
    put = sequences.Linker.put

    def noted(self: sequences.Linker, source: Path, target: Path) -> bool:
        done.append(target.name)
        return put(self, source, target)

    monkeypatch.setattr(sequences.Linker, "put", noted)
    for fresh in (store, FrameStore(store.folder, 0)):
        fresh.lay_out(keys("a", "b", "c"), None, None)
    assert done == ["frame_000002.png"]
    assert store.complete(sequence)


def test_what_somebody_removed_is_laid_out_again(store: FrameStore) -> None:
    render(store, "a", "b")
    sequence = store.lay_out(keys("a", "b"), None, None)
    (sequence / "frame_000001.png").unlink()
    store.lay_out(keys("a", "b"), None, None)
    assert shown(sequence) == "ab"
    shutil.rmtree(sequence)
    assert store.lay_out(keys("a", "b"), None, None) == sequence
    assert shown(sequence) == "ab"
    assert store.complete(sequence)


@pytest.mark.parametrize("rubbish", [b"", b"{", b"[]", b'{"schema": "x"}', b"\xff", None])
def test_damaged_index_is_made_anew(
    store: FrameStore, placeholder: Path, rubbish: bytes | None
) -> None:
    render(store, "a")
    sequence = store.lay_out(keys("a", "b"), placeholder, None)
    index = sequence / "index.json"
    if rubbish is None:
        index.unlink()
    else:
        index.write_bytes(rubbish)
    fresh = FrameStore(store.folder, 0)
    assert not fresh.complete(sequence)
    render(fresh, "b")
    assert fresh.lay_out(keys("a", "b"), placeholder, None) == sequence
    assert shown(sequence) == "ab"
    assert fresh.complete(sequence)


def test_frames_placed_before_a_crash_are_found_after_it(store: FrameStore) -> None:
    letters = [chr(ord("a") + index) for index in range(10)]
    sequence = store.lay_out(keys(*letters), None, None)
    for index, letter in enumerate(letters[:9]):
        render(store, letter)
        store.place(sequence, index, letter * 32)
    fresh = FrameStore(store.folder, 0)
    assert not fresh.complete(sequence)
    render(fresh, letters[9])
    assert fresh.place(sequence, 9, letters[9] * 32)
    assert fresh.complete(sequence)
    assert store.complete(sequence)  # another Blender's work is noticed


@pytest.mark.parametrize("rubbish", [b"frame_00", b"\xff\x00", b"frame_000001.pn", b"7\n"])
def test_a_note_cut_short_by_a_crash_is_no_frame(store: FrameStore, rubbish: bytes) -> None:
    sequence = store.lay_out(keys("a", "b", "c"), None, None)
    render(store, "a", "b", "c")
    store.place(sequence, 0, "a" * 32)
    with (sequence / "placed.txt").open("ab") as stream:
        stream.write(rubbish)
    fresh = FrameStore(store.folder, 0)
    fresh.place(sequence, 1, "b" * 32)
    fresh.place(sequence, 2, "c" * 32)
    index = sequences.read_index(sequence)
    assert index is not None
    assert index.final[0]
    assert index.final[2]  # the second may be lost: it is only linked anew
    assert fresh.lay_out(keys("a", "b", "c"), None, None) == sequence
    assert FrameStore(store.folder, 0).complete(sequence)


def test_a_crash_in_mid_placing_leaves_the_old_frame(
    store: FrameStore, placeholder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequence = store.lay_out(keys("a"), placeholder, None)
    render(store, "a")

    def crash(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            store.place(sequence, 0, "a" * 32)
    assert shown(sequence) == "?"
    assert store.place(sequence, 0, "a" * 32)
    assert shown(sequence) == "a"


def test_wrong_places_are_refused(store: FrameStore) -> None:
    render(store, "a")
    sequence = store.lay_out(keys("a"), None, None)
    for index, key in ((1, "a" * 32), (-1, "a" * 32), (0, "b" * 32)):
        with pytest.raises(AddonError, match="has changed"):
            store.place(sequence, index, key)
    with pytest.raises(AddonError, match="has changed"):
        store.place(store.folder / "sequences" / "none", 0, "a" * 32)


def test_a_file_that_blender_holds_open_is_left_for_later(
    store: FrameStore, placeholder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where a file that is being read cannot be replaced."""
    sequence = store.lay_out(keys("a", "b"), placeholder, None)
    render(store, "a", "b")
    attempts = []
    replace = Path.replace

    def busy(self: Path, target: Path) -> Path:
        if target.name == "frame_000000.png":
            attempts.append(target)
            raise PermissionError(errno.EACCES, "in use")
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(sequences, "_WINDOWS", True)
        patch.setattr(sequences, "_RETRY_SECONDS", 0.0)
        patch.setattr(Path, "replace", busy)
        assert not store.place(sequence, 0, "a" * 32)
        assert len(attempts) > 1
        assert store.place(sequence, 1, "b" * 32)
        assert shown(sequence) == "?b"
        assert not store.complete(sequence)
        store.lay_out(keys("a", "b"), placeholder, None)
        assert not store.complete(sequence)
    assert stray_names(store) == []
    store.lay_out(keys("a", "b"), placeholder, None)
    assert shown(sequence) == "ab"
    assert store.complete(sequence)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    store = FrameStore(tmp_path / "cache", 10)
    for call in (
        store.rendering_folder,
        lambda: store.lay_out(keys("a"), None, None),
    ):
        with pytest.raises(AddonError, match="a file stands where a folder is needed"):
            call()
    assert store.missing(keys("a")) == keys("a")
    assert store.size() == store.prune([]) == 0


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "may not be written to"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_errors_of_the_disk_are_sentences(
    store: FrameStore, number: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    render(store, "a")
    sequence = store.lay_out(keys("a", "b"), None, None)
    (store.rendering_folder() / ("b" * 32 + ".png")).write_bytes(b"b")

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(sequences.os, "link", fail)
    monkeypatch.setattr(sequences.shutil, "copyfile", fail)
    monkeypatch.setattr(Path, "replace", fail)
    for call in (
        lambda: store.adopt("b" * 32),
        lambda: store.lay_out(keys("a"), None, None),
        lambda: store.lay_out(keys("b"), store.path("a" * 32), None),
    ):
        with pytest.raises(AddonError, match=sentence) as caught:
            call()
        assert str(store.folder) in str(caught.value)
    monkeypatch.undo()
    assert shown(sequence) == "a"
    assert stray_names(store) == []


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="rights do not bind this user"
)
def test_a_folder_without_rights(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(AddonError, match="may not be written to"):
        FrameStore(folder / "cache", 10).rendering_folder()


@pytest.mark.parametrize("limit", [2, 10])
def test_file_systems_limit_the_links_of_a_file(
    store: FrameStore, placeholder: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NTFS allows 1023, and a long take before its frames are there is one picture throughout."""
    link = os.link

    def limited(source: Path, target: Path) -> None:
        if source.stat().st_nlink >= limit:
            raise OSError(errno.EMLINK, "Too many links")
        link(source, target)

    monkeypatch.setattr(sequences.os, "link", limited)
    render(store, "a")
    first = store.lay_out(["a" * 32] * 30 + ["b" * 32] * 30, placeholder, None)
    assert shown(first) == "a" * 30 + "?" * 30
    second = store.lay_out(["a" * 32] * 30 + ["c" * 32] * 30, placeholder, first)
    assert shown(second) == "a" * 30 + "?" * 30
    files = {path.stat().st_ino for path in second.glob("*.png")}
    assert len(files) <= 2 * (30 // (limit - 1) + 1) + 60 // limit
    render(store, "c")
    for index in range(30, 60):
        assert store.place(second, index, "c" * 32)
    assert shown(second) == "a" * 30 + "c" * 30
    assert shown(first) == "a" * 30 + "?" * 30
    assert stray_names(store) == []
