"""What the tests of the cache share: frames whose pixels are a letter."""

from __future__ import annotations

from pathlib import Path

from osmnet_addon.core.cache import FrameStore


def keys(*letters: str) -> list[str]:
    return [letter * 32 for letter in letters]


def render(store: FrameStore, *letters: str, size: int = 10) -> None:
    """What the engine does: a finished file in the rendering folder; then it is adopted."""
    for letter, key in zip(letters, keys(*letters), strict=True):
        (store.rendering_folder() / f"{key}.png").write_bytes(letter.encode() * size)
        store.adopt(key)


def shown(sequence: Path) -> str:
    """The first letter of each frame of a sequence, in order."""
    frames = sorted(sequence.glob("frame_*.png"))
    assert [f.name for f in frames] == [f"frame_{i:06d}.png" for i in range(len(frames))]
    return "".join(frame.read_text()[:1] for frame in frames)


def stray_names(store: FrameStore) -> list[str]:
    return [path.name for path in store.folder.rglob(".*")]
