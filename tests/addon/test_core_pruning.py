from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from cache_support import keys, render, shown
from osmnet_addon.core.cache import FrameStore

DAY = 24 * 3600


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    return FrameStore(tmp_path / "cache folder é", 10**9)


@pytest.fixture
def placeholder(tmp_path: Path) -> Path:
    path = tmp_path / "still.png"
    path.write_bytes(b"?")
    return path


def test_sizes_count_links_once(store: FrameStore, placeholder: Path) -> None:
    assert store.size() == 0
    render(store, "a", "b", size=1000)
    first = store.lay_out(keys("a", "b"), None, None)
    store.lay_out(keys("a", "b", "a"), None, None)
    indices = sum(path.stat().st_size for path in first.parent.rglob("index.json"))
    assert store.size() == 2000 + indices


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_least_recently_used_go_first(store: FrameStore) -> None:
    render(store, "a", "b", "c", "d", "e", size=10_000)
    layouts = [keys("a", "b"), keys("b", "c"), keys("c", "d")]
    first, second, third = (store.lay_out(layout, None, None) for layout in layouts)
    for sequence, seconds in ((first, 300), (second, 200), (third, 100)):
        age(sequence / "index.json", seconds)
    store.use(first)
    assert store.prune([]) == 0

    store.limit_bytes = store.size() - 1  # a frame that no sequence shows
    before = store.size()
    assert store.prune([]) == before - store.size() == 10_000
    assert store.missing(keys(*"abcde")) == keys("e")

    store.limit_bytes = store.size() - 1  # the oldest sequence; others show its frames
    store.prune([])
    assert [s.exists() for s in (first, second, third)] == [True, False, True]
    assert store.missing(keys(*"abcde")) == keys("e")
    assert not store.complete(second)

    store.limit_bytes = store.size() - 1
    store.prune([])
    assert [s.exists() for s in (first, second, third)] == [True, False, False]
    assert store.missing(keys(*"abcde")) == keys("c", "d", "e")

    store.limit_bytes = 0
    assert store.prune([]) == 20_000 + _index_bytes(2)
    assert store.size() == 0


def _index_bytes(frames: int) -> int:
    content = {
        "schema": "osmnet.sequence/1",
        "keys": ["a" * 32] * frames,
        "final": "1" * frames,
    }
    return len(json.dumps(content))


def test_kept_sequences_stay_with_their_frames(store: FrameStore) -> None:
    render(store, "a", "b", "c")
    kept = store.lay_out(keys("a", "b"), None, None)
    other = store.lay_out(keys("b", "c"), None, None)
    age(kept / "index.json", 1000)
    store.limit_bytes = 0
    assert store.prune([kept]) > 0
    assert shown(kept) == "ab"
    assert store.complete(kept)
    assert not other.exists()
    assert store.missing(keys("a", "b", "c")) == keys("c")


def test_pruned_sequences_are_laid_out_anew(store: FrameStore, placeholder: Path) -> None:
    render(store, "a")
    sequence = store.lay_out(keys("a"), placeholder, None)
    store.limit_bytes = 0
    store.prune([])
    assert store.lay_out(keys("a"), placeholder, None) == sequence
    assert shown(sequence) == "?"
    assert not store.complete(sequence)


def test_leftovers_of_crashes_are_removed(
    store: FrameStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    render(store, "a")
    sequence = store.lay_out(keys("a"), None, None)
    leftovers = [
        store.rendering_folder() / ".bbbb-1234.png",
        store.rendering_folder() / ("b" * 32 + ".png"),
        sequence / ".frame_000000-1234.png",
        store.path("a" * 32).parent / ".a-1234.png",
    ]
    for path in leftovers:
        path.write_bytes(b"half")
    store.prune([])
    assert all(path.exists() for path in leftovers)  # somebody may be at work on them
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 2 * DAY)
    assert store.prune([]) == 16
    assert not any(path.exists() for path in leftovers)
    assert shown(sequence) == "a"
    assert store.complete(sequence)


def test_files_of_others_are_left_alone(store: FrameStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may choose a folder for the cache that holds other things."""
    render(store, "a")
    sequence = store.lay_out(keys("a"), None, None)
    others = [
        store.folder / ".profile",
        store.folder / "frames" / "ab" / "holiday.png",
        store.folder / "frames" / ("a" * 32 + ".png"),
        store.folder / "rendering" / ".hidden",
        store.folder / "rendering" / "scene.png",
        store.folder / "sequences" / "dance" / "frame_000000.png",
        sequence / "notes.txt",
    ]
    before = store.size()
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
    assert store.size() == before
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 2 * DAY)
    store.limit_bytes = 0
    assert store.prune([]) == before
    assert all(path.read_bytes() == b"mine" for path in others)


def test_a_frame_just_being_written_is_not_pruned(store: FrameStore) -> None:
    render(store, "a")
    temporary = store.path("a" * 32).with_name(".a-1234.png")
    temporary.write_bytes(b"half")
    store.limit_bytes = 0
    store.prune([])
    assert temporary.exists()
