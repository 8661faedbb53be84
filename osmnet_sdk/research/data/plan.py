"""Which videos are still to be prepared, and which of them go into one shard."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osmnet_sdk.core.bundle import Bundle
from osmnet_sdk.errors import InputError
from osmnet_sdk.face.model import FILE as FACE_MODEL
from osmnet_sdk.face.networks import TRACKING_FILES
from osmnet_sdk.research.data.layouts import Video
from osmnet_sdk.research.data.settings import PreparationSettings
from osmnet_sdk.research.data.shards import ShardListing, shard_path

SHARD_VIDEOS, SHARD_BYTES = 64, 64_000_000
"""Videos of a shard at most, and what their files weigh; one shard is lost when a run is killed."""
_SHARDS_PER_WORKER = 4
"""Small folders are cut finer, so that every worker gets so many shards."""


@dataclass(frozen=True)
class ShardJob:
    """One shard that is to be made; goes to another process."""

    folder: Path
    number: int
    layout: str
    videos: tuple[Video, ...]
    settings: PreparationSettings
    tracker: str


def same_tracker(folder: Path, listings: Sequence[ShardListing], bundle: Bundle) -> str:
    """SHA-256, in hex, of what faces are tracked with: face networks and head model.

    Raises:
        InputError: if `folder` was begun with others.
        ModelError: if the bundle lacks one.
    """
    digest = hashlib.sha256()
    for name in (*TRACKING_FILES, FACE_MODEL):
        bundle.path(name)
        digest.update(bundle.manifest.files[name].sha256.encode())
    tracker = digest.hexdigest()
    if {listing.tracker for listing in listings} - {tracker, ""}:
        raise InputError(
            f"'{folder}' was begun with another bundle than '{bundle.folder}', whose face networks "
            "or head model differ; give another output folder, or the same bundle."
        )
    return tracker


def same_settings(
    folder: Path,
    listings: Sequence[ShardListing],
    layout: str,
    settings: PreparationSettings | None,
) -> PreparationSettings:
    """The settings that were asked for, or those that `folder` was begun with.

    Raises:
        InputError: if it was begun with others, or with another layout.
    """
    if not listings:
        return settings or PreparationSettings()
    if listings[0].layout != layout:
        raise InputError(
            f"'{folder}' was begun with the layout '{listings[0].layout}', not '{layout}'; give "
            "another output folder, or the same layout."
        )
    begun = PreparationSettings.model_validate(listings[0].settings)
    if settings is not None and settings != begun:
        wanted, before = settings.model_dump(), begun.model_dump()
        name = next(name for name in wanted if wanted[name] != before[name])
        raise InputError(
            f"'{folder}' was begun with {name} = {before[name]}, not {wanted[name]}; give another "
            "output folder, or the same settings."
        )
    return begun


def videos_left(
    folder: Path, listings: Sequence[ShardListing], videos: Sequence[Video]
) -> list[Video]:
    """The videos that are in no shard yet.

    Raises:
        InputError: if one that is in a shard has changed since.
    """
    done = {
        source: (listing.number, size)
        for listing in listings
        for source, size in listing.videos.items()
    }
    left = []
    for video in videos:
        number, size = done.get(video.source, (None, 0))
        if number is None:
            left.append(video)
        elif size != file_size(video):
            path = shard_path(folder, number)
            raise InputError(
                f"'{video.path}' has changed since it was prepared; delete '{path}' and "
                f"'{path.stem}.json', so that it is prepared again, or give another output folder."
            )
    return left


def shard_jobs(
    folder: Path,
    listings: Sequence[ShardListing],
    layout: str,
    videos: Sequence[Video],
    settings: PreparationSettings,
    tracker: str,
    workers: int,
) -> list[ShardJob]:
    """Videos that are left, shared out to shards with the next free numbers."""
    most = max(1, min(SHARD_VIDEOS, len(videos) // (_SHARDS_PER_WORKER * workers)))
    first = max((listing.number for listing in listings), default=-1) + 1
    groups: list[list[Video]] = []
    weight = 0
    for video in videos:
        size = file_size(video)
        if not groups or len(groups[-1]) == most or weight + size > SHARD_BYTES:
            groups.append([])
            weight = 0
        groups[-1].append(video)
        weight += size
    return [
        ShardJob(folder, first + i, layout, tuple(group), settings, tracker)
        for i, group in enumerate(groups)
    ]


def file_size(video: Video) -> int:
    """Bytes of the video; 0 if it is not there."""
    return video.path.stat().st_size if video.path.is_file() else 0
