"""How folders of talking faces are laid out: which videos there are, and who is seen in each.

HDTF (Zhang et al. 2021), VoxCeleb2 (Chung et al. 2018) and LRW (Chung and Zisserman 2016) as they
are published, and any folder of videos.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from osmnet_sdk.errors import InputError
from osmnet_sdk.formats.video import SUFFIXES
from osmnet_sdk.research.data.clips import LISTING, clip_lag, read_listing

Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Video:
    """One video file of a data set.

    Attributes:
        path: the file.
        source: its path within the folder, with "/"; unique.
        speaker: who is seen; None if the data set does not say.
        subset: part of the published split, such as "dev" or "train"; None if there is none.
        sound: file of its sound; None if the video holds it itself, or there is none.
        lag: seconds by which the lips come after the sound, as far as it is known.
        muted: whether its own sound track is not to be used.
        spans: seconds (start, stop) that are to be used; empty for all of it.
    """

    path: Path
    source: str
    speaker: str | None = None
    subset: str | None = None
    sound: Path | None = None
    lag: float = 0.0
    muted: bool = False
    spans: Spans = ()


_VOXCELEB = re.compile(r"(?:^|/)(?P<speaker>id\d{5})/(?P<video>[^/]{11})/(?P<clip>\d{5})\.[^./]+$")
_LRW = re.compile(
    r"(?:^|/)(?P<word>[^/]+)/(?P<subset>train|val|test)/(?P=word)_(?P<clip>\d{5})\.[^./]+$"
)
_HDTF = re.compile(
    r"(?:^|/)(?:(?P<subset>RD|WDA|WRA)_)?(?P<video>[^/]+?)(?:_(?P<clip>\d{1,3}))?\.[^./]+$"
)
_HDTF_SUBSETS = ("RD", "WDA", "WRA")
_HDTF_SPAN = re.compile(r"^(\d+(?::\d+)*)-(\d+(?::\d+)*)$")


def voxceleb2_speaker(source: str) -> tuple[str, str | None] | None:
    """Speaker and subset of a VoxCeleb2 path such as "dev/mp4/id00012/21Uxsk56VDQ/00001.mp4"."""
    found = _VOXCELEB.search(source)
    if found is None:
        return None
    above = source[: found.start()].split("/")
    return found["speaker"], next((part for part in above if part in ("dev", "test")), None)


def lrw_subset(source: str) -> str | None:
    """Subset of an LRW path such as "lipread_mp4/ABOUT/train/ABOUT_00001.mp4"; else None."""
    found = _LRW.search(source)
    return None if found is None else found["subset"]


def hdtf_speaker(source: str) -> tuple[str, str | None, int | None] | None:
    """Speaker, subset and clip number of an HDTF file name.

    Names are those of the authors ("Radio11_0.mp4"), those of the usual download script
    ("WRA_AdamKinzinger0_000.mp4"), and whole videos without a number. The digits behind a person's
    name count the person's videos; behind "Radio" they are all that names the speaker.
    """
    found = _HDTF.search(source)
    if found is None:
        return None
    video = found["video"]
    name = video if re.fullmatch(r"Radio\d+", video) else video.rstrip("0123456789")
    clip = None if found["clip"] is None else int(found["clip"])
    return name or video, found["subset"], clip


def _voxceleb2(folder: Path, sources: list[str]) -> list[Video]:
    videos = []
    for source in sources:
        known = voxceleb2_speaker(source)
        if known is not None:
            sound = _beside(folder, _swapped(source, "mp4", "aac"), (".m4a", ".wav"))
            videos.append(Video(folder / source, source, *known, sound=sound))
    return videos


def _lrw(folder: Path, sources: list[str]) -> list[Video]:
    return [
        Video(folder / source, source, None, subset, sound=_beside(folder, source))
        for source in sources
        if (subset := lrw_subset(source)) is not None
    ]


def _hdtf(folder: Path, sources: list[str]) -> list[Video]:
    stamps = _hdtf_stamps(folder)
    known = {source: found for source in sources if (found := hdtf_speaker(source)) is not None}
    cut = {_hdtf_name(source) for source, (_, _, clip) in known.items() if clip is not None}
    videos = []
    for source, (speaker, subset, clip) in known.items():
        name = _hdtf_name(source)
        if clip is None and name in cut:
            continue  # the whole video, beside the clips that were cut from it
        spans = stamps.get(name, ()) if clip is None else ()
        sound = _beside(folder, source)
        videos.append(Video(folder / source, source, speaker, subset, sound, spans=spans))
    return videos


def _hdtf_name(source: str) -> str:
    found = _HDTF.search(source)
    return "" if found is None else found["video"]


def _hdtf_stamps(folder: Path) -> dict[str, Spans]:
    """Seconds to use of each whole video, from the lists xx_annotion_time.txt if they are there."""
    stamps: dict[str, Spans] = {}
    for subset in _HDTF_SUBSETS:
        for path in sorted(folder.rglob(f"{subset}_annotion_time.txt")):
            for line in _text(path).splitlines():
                name, *times = line.split() or [""]
                spans = tuple(hdtf_span(text, path) for text in times)
                if spans:
                    stamps[PurePosixPath(name).stem] = spans
    return stamps


def hdtf_span(text: str, path: Path) -> tuple[float, float]:
    """Seconds of a time span such as "00:30-01:12" or "1:00:05-1:02:00".

    Raises:
        InputError: if the text is no such span, or ends before it starts.
    """
    found = _HDTF_SPAN.match(text)
    start, stop = (_seconds(part) for part in found.groups()) if found else (0.0, 0.0)
    if stop <= start:
        raise InputError(f"'{text}' in '{path}' is no time span such as 00:30-01:12; mend it.")
    return start, stop


def _seconds(text: str) -> float:
    value = 0
    for part in text.split(":"):
        value = 60 * value + int(part)
    return float(value)


def _plain(folder: Path, sources: list[str]) -> list[Video]:
    """Any folder: as clips.csv says, else a folder for each speaker, else a speaker a video."""
    listing = folder / LISTING
    if listing.is_file():
        return listed_videos(folder)
    videos = []
    for source in sources:
        inner = PurePosixPath(source)
        speaker = inner.parts[0] if len(inner.parts) > 1 else inner.stem
        videos.append(Video(folder / source, source, speaker, sound=_beside(folder, source)))
    return videos


def listed_videos(folder: Path) -> list[Video]:
    """The videos that clips.csv in `folder` lists, in its order.

    Its columns are `id`, `file` and `speaker`, and two that may be left out: `av_lag_ms`, and
    `audio`, where 0 says that the video's sound track is not the speaker's voice. ID.wav beside a
    video is its sound.

    Raises:
        InputError: if the listing is missing or a row lacks one of the three.
    """
    videos = []
    for row in read_listing(folder):
        if not row.get("file"):
            raise InputError(f"'{folder / LISTING}' names no 'file' for clip '{row['id']}'.")
        sound = folder / f"{row['id']}.wav"
        videos.append(
            Video(
                folder / row["file"],
                PurePosixPath(row["file"].replace("\\", "/")).as_posix(),
                row["speaker"],
                sound=sound if sound.is_file() else _beside(folder, row["file"]),
                lag=clip_lag(folder, row),
                muted=(row.get("audio") or "").strip() == "0",
            )
        )
    return videos


LAYOUTS: dict[str, Callable[[Path, list[str]], list[Video]]] = {
    "folder": _plain,
    "hdtf": _hdtf,
    "voxceleb2": _voxceleb2,
    "lrw": _lrw,
}
"""How each layout finds its videos, given the folder and the paths of all videos in it."""


def find_videos(folder: str | os.PathLike[str], layout: str = "auto") -> tuple[str, list[Video]]:
    """The videos of a folder, sorted by path.

    Args:
        folder: searched with all folders in it; linked folders are passed over.
        layout: one of `LAYOUTS`, or "auto" to tell by the names.

    Returns:
        The layout, and the videos; files that do not fit the layout are left out.

    Raises:
        InputError: if the layout is unknown, the folder holds no video of it, or a name cannot be
            written down.
    """
    place = Path(folder)
    if layout != "auto" and layout not in LAYOUTS:
        raise InputError(f"Unknown layout '{layout}'; use one of auto, {', '.join(LAYOUTS)}.")
    if not place.is_dir():
        raise InputError(f"'{folder}' is no folder; give a folder with videos.")
    sources = sorted(_sources(place))
    for source in sources:
        if not source.isprintable():  # as names that are no UTF-8 are not; no listing can hold them
            raise InputError(f"A video in '{folder}' is called {source!a}; rename it.")
    chosen = guess_layout(place, sources) if layout == "auto" else layout
    videos = LAYOUTS[chosen](place, sources)
    if not videos:
        raise InputError(
            f"'{folder}' holds no video of the layout '{chosen}' ({', '.join(SUFFIXES)}); choose "
            "another folder or layout, see docs/data-preparation.md."
        )
    return chosen, videos


def guess_layout(folder: Path, sources: Iterable[str]) -> str:
    """The layout that the paths of most videos speak for; "folder" if it is none of the others."""
    paths = list(sources)
    if not (folder / LISTING).is_file():
        if any(any(folder.glob(f"**/{subset}_annotion_time.txt")) for subset in _HDTF_SUBSETS):
            return "hdtf"
        signs: dict[str, Callable[[str], object]] = {
            "voxceleb2": voxceleb2_speaker,
            "lrw": lrw_subset,
            "hdtf": lambda source: (hdtf_speaker(source) or (None, None))[1],
        }
        for name, sign in signs.items():
            if 2 * sum(sign(source) is not None for source in paths) > len(paths):
                return name
    return "folder"


def _sources(folder: Path) -> Iterable[str]:
    for place, _, names in os.walk(folder):
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield (Path(place) / name).relative_to(folder).as_posix()


def _swapped(source: str, old: str, new: str) -> str:
    """The path with its last folder `old` renamed to `new`."""
    parts = source.split("/")
    places = [index for index, part in enumerate(parts[:-1]) if part == old]
    if places:
        parts[places[-1]] = new
    return "/".join(parts)


def _beside(folder: Path, source: str, suffixes: tuple[str, ...] = (".wav",)) -> Path | None:
    """A sound file of the same name as `source`, if there is one."""
    for suffix in suffixes:
        path = (folder / source).with_suffix(suffix)
        if path.is_file():
            return path
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"Cannot read the list '{path}': {error}.") from error
