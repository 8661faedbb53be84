"""Shards on disk: NUMBER.tar with samples, and NUMBER.json that lists them and what was rejected.

The listing is written last, so a shard without one is unfinished and is made again.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from osmnet_sdk.core.files import output_folder, replaced
from osmnet_sdk.core.json_reading import parse_json
from osmnet_sdk.errors import InputError, OSMNetWarning
from osmnet_sdk.research.data.sample import PreparedSample, encode_sample
from osmnet_sdk.research.data.settings import PreparationSettings
from osmnet_sdk.version import __version__

SHARD_SCHEMA = "osmnet.shard/1"
"""Schema name and version in the listing of every shard."""

FOLDER = "shards"
"""Folder of the shards within that of the prepared data."""

_LONGEST_LISTING = 200_000_000
"""Bytes of a listing."""


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """Where a sample lies, and what must be known to choose it.

    Attributes:
        key: name of the sample.
        shard: number of the shard that holds it.
        offset: of its first byte in the shard.
        size: in bytes.
        sha256: of these bytes.
        frames: number of frames T.
        start: seconds of the video at which it starts.
        source: path of the video within the data set's folder.
        speaker: who is seen; None if that is not known.
        subset: part of the published split; None if there is none.
        has_sound: whether there is sound.
    """

    key: str
    shard: int
    offset: int
    size: int
    sha256: str
    frames: int
    start: float
    source: str
    speaker: str | None
    subset: str | None
    has_sound: bool

    def __len__(self) -> int:
        """Number of frames T."""
        return self.frames


@dataclass(frozen=True, slots=True)
class RejectedPiece:
    """A piece of a video that is not used: seconds, the reason, and the value that decided."""

    source: str
    start: float
    stop: float
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ShardListing:
    """What a shard holds.

    Attributes:
        number: of the shard.
        layout: of the folder with the videos.
        settings: the limits, as JSON values.
        videos: source and size in bytes of each video that was looked at.
        samples: in the order of the shard.
        rejected: what is not used.
        notes: what else was noticed, one sentence each.
        tracker: SHA-256 of what faces were tracked with; empty in listings that do not say.
        schema: name and version.
        sdk_version: of the program that made it.
    """

    number: int
    layout: str
    settings: dict[str, float | int | bool | str]
    videos: dict[str, int]
    samples: list[SampleEntry] = field(default_factory=list)
    rejected: list[RejectedPiece] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tracker: str = ""
    schema: str = SHARD_SCHEMA
    sdk_version: str = __version__


_LISTING = TypeAdapter(ShardListing)


def shard_path(folder: Path, number: int) -> Path:
    """The tar file of a shard of the prepared data in `folder`."""
    return folder / FOLDER / f"{number:06d}.tar"


def write_shard(
    folder: Path,
    number: int,
    layout: str,
    videos: Iterable[tuple[str, int, Iterable[PreparedSample], list[RejectedPiece]]],
    settings: PreparationSettings,
    tracker: str = "",
) -> ShardListing:
    """Write a shard and, when it is complete, its listing.

    Args:
        folder: of the prepared data.
        number: of the shard.
        layout: of the folder with the videos.
        videos: source, bytes, samples and rejections of each; the rejections are looked at when
            its samples have been taken.
        settings: the limits.
        tracker: SHA-256 of what faces were tracked with.

    Raises:
        OutputError: if a file cannot be written.
    """
    path = shard_path(folder, number)
    output_folder(path.parent)
    listing = ShardListing(number, layout, settings.model_dump(), {}, tracker=tracker)
    with (
        replaced(path) as temporary,
        temporary.open("wb") as stream,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always", OSMNetWarning)
        for source, size, samples, rejected in videos:
            for sample in samples:
                data = encode_sample(sample)
                listing.samples.append(_entry(sample, number, stream.tell(), data))
                stream.write(data)
            listing.videos[source] = size
            listing.rejected.extend(rejected)
        stream.write(bytes(2 * tarfile.BLOCKSIZE))
    messages = (str(w.message) for w in caught if issubclass(w.category, OSMNetWarning))
    listing.notes.extend(dict.fromkeys(messages))
    write_json(path.with_suffix(".json"), asdict(listing))
    return listing


def write_json(path: Path, value: object) -> None:
    """Write a JSON file under a temporary name and rename it."""
    with replaced(path) as temporary:
        text = json.dumps(value, ensure_ascii=False, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_listings(folder: Path) -> list[ShardListing]:
    """The listings of all complete shards, by number; none if nothing is there yet.

    Raises:
        InputError: if a listing is damaged, of another schema, or its shard is missing or cut.
    """
    return [_read_listing(path) for path in sorted((folder / FOLDER).glob("[0-9]*.json"))]


def _entry(sample: PreparedSample, number: int, offset: int, data: bytes) -> SampleEntry:
    return SampleEntry(
        sample.key,
        number,
        offset,
        len(data),
        hashlib.sha256(data).hexdigest(),
        len(sample),
        sample.start,
        sample.source,
        sample.speaker,
        sample.subset,
        sample.sound is not None,
    )


def _read_listing(path: Path) -> ShardListing:
    again = f"delete it and '{path.with_suffix('.tar').name}' beside it, and prepare the rest again"
    try:
        text = path.read_bytes()
        schema = parse_json(text, longest=_LONGEST_LISTING)["schema"]
        if schema != SHARD_SCHEMA:
            raise InputError(
                f"'{path}' has schema '{schema}', this version reads '{SHARD_SCHEMA}'; update "
                "OSM-Net or prepare the folder again."
            )
        listing = _LISTING.validate_json(text)
        size = path.with_suffix(".tar").stat().st_size
    except (OSError, ValidationError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"The shard '{path}' is damaged ({reason}); {again}.") from error
    if size < _end(listing.samples):
        raise InputError(f"The shard of '{path}' is cut short ({size} bytes); {again}.")
    return listing


def _end(samples: Sequence[SampleEntry]) -> int:
    return max((entry.offset + entry.size for entry in samples), default=0)
