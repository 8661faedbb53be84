"""Prepared data as a trainer reads it: any sample at once, or all in a shuffled order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.errors import InputError
from osmnet_sdk.research.data.clips import TrainingClip, split_speakers
from osmnet_sdk.research.data.sample import PreparedSample, decode_frame, decode_sample
from osmnet_sdk.research.data.shards import SampleEntry, read_listings, shard_path


class ShardPictures:
    """The frames of one sample, decoded when they are asked for; holds no open file."""

    def __init__(self, shard: Path, key: str, places: Sequence[tuple[int, int]]) -> None:
        self._shard, self._key = shard, key
        self._places = np.array(places, np.int64)

    def __len__(self) -> int:
        """Number of frames T."""
        return len(self._places)

    def __getitem__(self, frames: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pictures (N, 256, 256, 3) uint8 RGB of frames (N,).

        Raises:
            InputError: if the shard cannot be read, or a frame is damaged.
        """
        parts = _read_parts(self._shard, self._places[frames].tolist())
        return np.stack([decode_frame(data, self._key) for data in parts])


class PreparedData:
    """The samples of a folder that `osmnet prepare` wrote.

    Holds no open file, so it may be handed to other processes.

    Args:
        folder: of the prepared data.

    Raises:
        InputError: if the folder holds no sample, or a shard is damaged.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        listings = read_listings(self.folder)
        # By key, so that the order does not depend on how videos were shared among shards.
        self.entries: tuple[SampleEntry, ...] = tuple(
            sorted((e for listing in listings for e in listing.samples), key=lambda e: e.key)
        )
        if not self.entries:
            raise InputError(
                f"'{folder}' holds no prepared sample; make some with 'osmnet prepare'."
            )

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.entries)

    def read(self, entry: SampleEntry) -> PreparedSample:
        """One sample; its frames stay encoded until they are asked for.

        Raises:
            InputError: if it is damaged.
        """
        path = shard_path(self.folder, entry.shard)
        (data,) = _read_parts(path, [(entry.offset, entry.size)])
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise InputError(
                f"Sample '{entry.key}' in '{path}' is damaged (another SHA-256 than when it was "
                f"written); delete '{path.name}' and '{path.stem}.json' and prepare the rest again."
            )
        return decode_sample(data)

    def clip(self, entry: SampleEntry) -> tuple[TrainingClip, ShardPictures]:
        """A sample for a trainer that keeps tracks in memory and reads pictures when it needs them.

        Returns:
            Its take, sound and speaker, which is the video's path where nobody is named; and its
            frames.

        Raises:
            InputError: if the sample is damaged.
        """
        sample = self.read(entry)
        clip = TrainingClip(entry.key, entry.speaker or entry.source, sample.take, sample.sound)
        places = [(entry.offset + at, size) for at, size in sample.jpeg_places(entry.size)]
        return clip, ShardPictures(shard_path(self.folder, entry.shard), entry.key, places)

    def stream(
        self,
        entries: Sequence[SampleEntry] | None = None,
        *,
        seed: int,
        epoch: int = 0,
        part: int = 0,
        parts: int = 1,
    ) -> Iterator[PreparedSample]:
        """Samples in the shuffled order of an epoch, shared out among readers.

        Every reader shuffles alike and takes each `parts`-th sample, so together they see each
        sample once; a rest that cannot be shared evenly is left out.

        Args:
            entries: which samples; None for all.
            seed: of the order, with `epoch`.
            epoch: counted from 0.
            part: which share: rank · workers + worker.
            parts: number of shares: ranks · workers.

        Raises:
            InputError: if there are fewer samples than shares, or a sample is damaged.
        """
        chosen = self.entries if entries is None else entries
        if not 0 <= part < parts or parts > len(chosen):
            raise InputError(
                f"Share {part} of {parts} of {len(chosen)} samples cannot be streamed; use fewer "
                "processes and workers."
            )
        order = np.random.default_rng((seed, epoch)).permutation(len(chosen))
        for index in order[part : len(chosen) // parts * parts : parts]:
            yield self.read(chosen[index])

    def split(self, share: float, seed: int) -> tuple[list[SampleEntry], list[SampleEntry]]:
        """Entries for training and for validation; nobody is on both sides.

        Samples of unknown speakers are for training, see `split_speakers`.

        Args:
            share: of the frames, for validation, 0 to 1.
            seed: decides who goes where.
        """
        return split_speakers(self.entries, share, seed)

    def subset(self, name: str) -> list[SampleEntry]:
        """Entries of one part of the published split, such as "test".

        Raises:
            InputError: if no sample belongs to it.
        """
        chosen = [entry for entry in self.entries if entry.subset == name]
        if not chosen:
            known = sorted({entry.subset for entry in self.entries if entry.subset}) or ["none"]
            raise InputError(
                f"'{self.folder}' has no subset '{name}'; there are: {', '.join(known)}."
            )
        return chosen


def _read_parts(path: Path, places: Sequence[tuple[int, int]]) -> list[bytes]:
    """Bytes of a shard at (offset, size) each."""
    parts = []
    try:
        with path.open("rb") as stream:
            for offset, size in places:
                stream.seek(offset)
                parts.append(stream.read(size))
    except OSError as error:
        raise InputError(
            f"Cannot read the shard '{path}': {error.strerror or error}; put it back, or prepare "
            "the folder again."
        ) from error
    return parts
