"""A whole folder of videos to shards: in parallel, and going on where it was stopped."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.core.files import output_folder
from osmnet_sdk.core.temporaries import clear_leftovers
from osmnet_sdk.errors import Cancelled, InputError, OSMNetError
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.face.networks import load_face_networks
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.research.data.layouts import find_videos
from osmnet_sdk.research.data.plan import (
    ShardJob,
    file_size,
    same_settings,
    same_tracker,
    shard_jobs,
    videos_left,
)
from osmnet_sdk.research.data.sample import PreparedSample
from osmnet_sdk.research.data.settings import PreparationSettings
from osmnet_sdk.research.data.shards import (
    FOLDER,
    RejectedPiece,
    ShardListing,
    read_listings,
    write_json,
    write_shard,
)
from osmnet_sdk.research.data.videos import Tools, prepare_video
from osmnet_sdk.version import __version__

MANIFEST = "manifest.json"
"""Name of the manifest within the folder of the prepared data."""

MANIFEST_SCHEMA = "osmnet.prepared/1"
"""Schema name and version of the manifest."""


@dataclass(frozen=True)
class PreparationSummary:
    """What a folder of prepared data holds.

    Attributes:
        manifest: its file, which lists every accepted and rejected piece.
        layout: of the folder with the videos.
        videos: number of videos looked at.
        samples: number of samples.
        seconds: length of all samples.
        speakers: number of speakers that are known.
        rejected: number of rejected pieces for each reason, most frequent first.
        notes: what else was noticed, one sentence each.
    """

    manifest: Path
    layout: str
    videos: int
    samples: int
    seconds: float
    speakers: int
    rejected: dict[str, int]
    notes: list[str]


def prepare(
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    layout: str = "auto",
    settings: PreparationSettings | None = None,
    workers: int = 1,
    bundle: str | os.PathLike[str] = "starter",
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> PreparationSummary:
    """Make a folder of videos into shards of training data.

    Videos that are in a shard of `output` already are not looked at again. One run at a time may
    write to a folder.

    Args:
        folder: the videos, see `find_videos`.
        output: folder of the prepared data; is made if it is not there.
        layout: "auto", "folder", "hdtf", "voxceleb2" or "lrw".
        settings: limits; None for those that `output` was begun with, else the defaults.
        workers: processes that look at videos, 1 or more; 1 is this process.
        bundle: name or folder of the bundle with the face networks.
        progress: called with ("Preparing", videos done, videos in all).
        cancel: asked now and then; what is complete stays.

    Raises:
        InputError: if there is no video, `output` was begun with other settings, another layout or
            other face networks, a video has changed since, or a shard is damaged.
        ModelError: if the bundle is missing or damaged.
        OutputError: if `output` cannot be written.
        OSMNetError: if a process ended, for example for lack of memory.
        Cancelled: if `cancel` returned True.
    """
    if workers < 1:
        raise InputError(f"There must be 1 worker or more, not {workers}.")
    chosen, videos = find_videos(folder, layout)
    tracked_by = find_bundle(bundle)
    place = output_folder(output)
    listings = read_listings(place)
    clear_leftovers(place / FOLDER)
    limits = same_settings(place, listings, chosen, settings)
    tracker = same_tracker(place, listings, tracked_by)
    left = videos_left(place, listings, videos)
    jobs = shard_jobs(place, listings, chosen, left, limits, tracker, workers)
    try:
        run = _in_this_process if workers == 1 else _in_processes
        listings += run(jobs, bundle, workers, progress, cancel) if jobs else []
    except (Cancelled, KeyboardInterrupt):
        write_manifest(place, chosen, read_listings(place))
        raise
    return write_manifest(place, chosen, listings)


def write_manifest(
    folder: Path, layout: str, listings: Sequence[ShardListing]
) -> PreparationSummary:
    """Write manifest.json: totals, and every accepted and rejected piece of the shards."""
    samples = sorted((e for listing in listings for e in listing.samples), key=lambda e: e.key)
    rejected = [piece for listing in listings for piece in listing.rejected]
    summary = PreparationSummary(
        folder / MANIFEST,
        layout,
        sum(len(listing.videos) for listing in listings),
        len(samples),
        sum(len(entry) for entry in samples) / float(FPS),
        len({entry.speaker for entry in samples if entry.speaker is not None}),
        dict(Counter(piece.reason for piece in rejected).most_common()),
        [note for listing in listings for note in listing.notes],
    )
    manifest: dict[str, Any] = {"schema": MANIFEST_SCHEMA, "sdk_version": __version__}
    manifest |= {"settings": listings[0].settings} if listings else {}
    manifest |= asdict(summary) | {
        "rejected_by_reason": summary.rejected,
        "accepted": [asdict(entry) for entry in samples],
        "rejected": [asdict(piece) for piece in rejected],
    }
    del manifest["manifest"]
    write_json(summary.manifest, manifest)
    return summary


def _load_tools(bundle: str | os.PathLike[str]) -> Tools:
    found = find_bundle(bundle)
    return Tools(load_face_networks(found), load_face_model(found))


def _make_shard(
    job: ShardJob, tools: Tools, reporter: Reporter, finished: Callable[[], None]
) -> ShardListing:
    def videos() -> Iterator[tuple[str, int, Iterator[PreparedSample], list[RejectedPiece]]]:
        for video in job.videos:
            rejected: list[RejectedPiece] = []
            samples = prepare_video(video, tools, job.settings, rejected, reporter)
            yield video.source, file_size(video), samples, rejected
            finished()

    return write_shard(job.folder, job.number, job.layout, videos(), job.settings, job.tracker)


def _in_this_process(
    jobs: Sequence[ShardJob],
    bundle: str | os.PathLike[str],
    workers: int,
    progress: ProgressCallback | None,
    cancel: CancelCallback | None,
) -> list[ShardListing]:
    tools = _load_tools(bundle)
    reporter, done, total = Reporter(progress, cancel), 0, _total(jobs)
    reporter.step("Preparing", 0, total)

    def finished() -> None:
        nonlocal done
        done += 1
        reporter.step("Preparing", done, total)

    return [_make_shard(job, tools, Reporter(None, cancel), finished) for job in jobs]


def _total(jobs: Sequence[ShardJob]) -> int:
    return sum(len(job.videos) for job in jobs)


class _Worker:
    """What a worker process keeps between shards."""

    tools: Tools
    stop: Any
    done: Any


def _start_worker(bundle: str | os.PathLike[str], stop: Any, done: Any) -> None:
    import cv2
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process stops the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    _Worker.tools, _Worker.stop, _Worker.done = _load_tools(bundle), stop, done


def _end_with_parent() -> None:
    """A pool's process waits for work for ever, even when nobody is left to give it any."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(job: ShardJob) -> ShardListing:
    def finished() -> None:
        with _Worker.done.get_lock():
            _Worker.done.value += 1

    return _make_shard(job, _Worker.tools, Reporter(None, _Worker.stop.is_set), finished)


def _in_processes(
    jobs: Sequence[ShardJob],
    bundle: str | os.PathLike[str],
    workers: int,
    progress: ProgressCallback | None,
    cancel: CancelCallback | None,
) -> list[ShardListing]:
    reporter, total = Reporter(progress, cancel), _total(jobs)
    reporter.step("Preparing", 0, total)
    context = get_context("spawn")  # the only way on Windows, and safe beside threads of torch
    stop, done = context.Event(), context.Value("i", 0)
    pool = ProcessPoolExecutor(
        min(workers, max(len(jobs), 1)), context, _start_worker, (bundle, stop, done)
    )
    try:
        futures: list[Future[ShardListing]] = [pool.submit(_work, job) for job in jobs]
        waiting = set(futures)
        while waiting:
            complete, waiting = wait(waiting, timeout=0.3)
            for future in complete:
                future.result()
            reporter.step("Preparing", int(done.value), total)
        return [future.result() for future in futures]
    except BrokenProcessPool as error:
        raise OSMNetError(
            "A process that prepared videos ended, perhaps for lack of memory; start again with "
            "fewer workers, what is complete is kept."
        ) from error
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
