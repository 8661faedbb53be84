# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache of rendered frames, by key, and the image sequences that Blender shows.

    frames/ab/<key>.png             each frame once
    rendering/<key>.png             where the engine writes, until a frame is adopted
    sequences/<digest of the keys>/ frame_000000.png …: hard links to frames, and index.json

Everything appears by renaming or linking, so what has its final name is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from . import pruning
from .errors import AddonError
from .files import reason
from .sequences import (
    INDEX,
    Index,
    Linker,
    Stamp,
    digest,
    frame_name,
    note_placed,
    read_index,
    stamp,
    write_index,
)


class FrameStore:
    """Frames by key in a folder, and image sequences made of them.

    Every method raises AddonError with a sentence if the disk is full, the folder may not be
    written to, or is none.

    Args:
        folder: of the cache; made when needed.
        limit_bytes: that `prune` keeps to.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = Path(folder)
        self.limit_bytes = limit_bytes
        self._last: tuple[Path, Stamp, Index] | None = None

    def path(self, key: str) -> Path:
        """Where the frame of a key is, or will be."""
        return self.folder / "frames" / key[:2] / f"{key}.png"

    def has(self, key: str) -> bool:
        """Whether the frame of a key is there."""
        path = f"{self.folder}/frames/{key[:2]}/{key}.png"  # asked for every frame of a take
        return os.path.isfile(path)  # noqa: PTH113

    def missing(self, keys: Iterable[str]) -> list[str]:
        """The distinct keys whose frames are not there, in order."""
        return [key for key in dict.fromkeys(keys) if not self.has(key)]

    def rendering_folder(self) -> Path:
        """The folder, made if needed, into which the engine writes <key>.png."""
        folder = self.folder / "rendering"
        with self._disk():
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def adopt(self, key: str) -> Path:
        """Move a frame that the engine wrote into the store; return its path there."""
        rendered = self.folder / "rendering" / f"{key}.png"
        target = self.path(key)
        with self._disk():
            if target.is_file():
                rendered.unlink(missing_ok=True)
            elif rendered.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                rendered.replace(target)
            else:
                raise AddonError(
                    f"A rendered frame is not in the cache folder '{self.folder}'; render again."
                )
        return target

    def lay_out(self, keys: Sequence[str], placeholder: Path | None, previous: Path | None) -> Path:
        """Make, or complete, the image sequence of a list of keys.

        A frame that is not there yet is stood in for by the previous sequence's frame of that
        number, else by the placeholder.

        Args:
            keys: one for each frame of the sequence.
            placeholder: PNG file, or None.
            previous: folder of a sequence, or None.

        Returns:
            The folder that holds frame_000000.png and so on.
        """
        sequence = self.folder / "sequences" / digest(keys)
        with self._disk():
            sequence.mkdir(parents=True, exist_ok=True)
            present = {entry.name for entry in os.scandir(sequence)}
            index = self._index(sequence)
            if index is None or index.keys != list(keys):
                index = Index(list(keys), [False] * len(keys))
            linker = Linker()
            for number, key in enumerate(keys):
                name = frame_name(number)
                if index.final[number] and name in present:
                    continue
                index.final[number] = self.has(key) and linker.put(self.path(key), sequence / name)
                if name not in present and not index.final[number]:
                    linker.stand_in(sequence / name, placeholder, previous)
            write_index(sequence, index)
            self._remember(sequence, index)
        return sequence

    def place(self, sequence: Path, index: int, key: str) -> bool:
        """Put a frame that has arrived into its sequence.

        Returns:
            False if another program holds the file open; the next `lay_out` does it then.
        """
        with self._disk():
            entry = self._index(sequence)
            if entry is None or not 0 <= index < len(entry.keys) or entry.keys[index] != key:
                raise AddonError("The image sequence in the cache has changed; render again.")
            if not Linker().put(self.path(key), sequence / frame_name(index)):
                return False
            entry.final[index] = True
            note_placed(sequence, index)
            self._remember(sequence, entry)
        return True

    def complete(self, sequence: Path) -> bool:
        """Whether every frame of a sequence is in place."""
        index = self._index(sequence)
        return index is not None and all(index.final)

    def use(self, sequence: Path) -> None:
        """Note that a sequence is used now, so that `prune` takes others first."""
        with self._disk(), suppress(FileNotFoundError):
            os.utime(sequence / INDEX)

    def prune(self, keep: Iterable[Path]) -> int:
        """Remove what was not used for longest until the cache is within its limit.

        Args:
            keep: sequences that stay, with their frames.

        Returns:
            Bytes that became free.
        """
        with self._disk():
            return pruning.prune(self.folder, self.limit_bytes, keep)

    def size(self) -> int:
        """Bytes on disk; a file with several links counts once."""
        with self._disk():
            return pruning.size(self.folder)

    def _index(self, sequence: Path) -> Index | None:
        """The index of a sequence, read again only if somebody wrote it since."""
        if self._last and self._last[:2] == (sequence, stamp(sequence)):
            return self._last[2]
        index = read_index(sequence)
        if index is not None:
            self._remember(sequence, index)
        return index

    def _remember(self, sequence: Path, index: Index) -> None:
        self._last = (sequence, stamp(sequence), index)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AddonError(
                f"Cannot use the cache folder '{self.folder}': {reason(error)}", str(error)
            ) from error
