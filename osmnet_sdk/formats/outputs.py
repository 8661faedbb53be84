"""Where results go: never silently over what comes from another sound, seed, photo or video.

A result says what it comes from: a take file in its provenance, a video or picture in its comment.
A job that is run again replaces its own results; where a name is taken by anything else, the
results are numbered on (speech-take1.npz, speech-2-take1.npz) and a warning says so. `overwrite`
replaces whatever is there.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import re
import tempfile
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osmnet_sdk.errors import InputError, OSMNetError, OSMNetWarning

if TYPE_CHECKING:
    from osmnet_sdk.tracks import Take

Origin = Mapping[str, Any]
"""What a result comes from, as `origin` gives it."""

_HASHES = ("audio_sha256", "video_sha256", "photo_sha256", "take_sha256", "bundle_sha256")
_REASONS = {
    "audio_sha256": "another sound",
    "video_sha256": "another video",
    "photo_sha256": "another photo",
    "face_index": "another face",
    "shot": "another shot",
    "seed": "another seed",
    "take": "another take",
    "take_sha256": "another take",
    "retakes": "another retake",
}
_ONLY_WHERE_NOTHING_ELSE_TELLS = "bundle_sha256"

_LONGEST_STEM = 180
"""Bytes of a stem in UTF-8: names have 255, and endings and numbers come behind it."""
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*]')
"""What Windows takes in no name; the same names are given on every system."""
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
"""Names that Windows keeps for itself, with any suffix."""


def safe_stem(name: str) -> str:
    """A name's stem as every system takes it at the beginning of the names of results.

    Args:
        name: such as the stem of a voice's file name.

    Returns:
        The same where it will do; else with `_` for letters that Windows does not take or that
        cannot be seen, and shortened to 180 bytes, with a hash of the whole, where it is longer.

    Example:
        >>> safe_stem("a: b?")
        'a_ b_'
    """
    stem = "".join(
        "_"
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and letter not in "\u200c\u200d"  # these join letters and parts of emoji
        else letter
        for letter in _NOT_IN_NAMES.sub("_", name)
    )
    if _DEVICES.fullmatch(stem.split(".")[0].strip()):
        stem = f"_{stem}"
    if len(stem.encode()) > _LONGEST_STEM:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        start = stem.encode()[: _LONGEST_STEM - len(digest) - 1].decode("utf-8", "ignore")
        stem = f"{start}-{digest}"
    return stem or "_"


def origin(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """What a provenance, as plain values, says a result comes from; options do not count."""
    options = provenance.get("options")
    options = options if isinstance(options, Mapping) else {}
    found: dict[str, Any] = {
        name: provenance.get(name) for name in ("source", "seed", "take", "face_index", *_HASHES)
    }
    found |= {name: options.get(name) for name in ("video_sha256", "shot")}
    found["face_index"] = found["face_index"] or options.get("face_index")
    retakes = options.get("retakes")
    found["retakes"] = [
        {name: entry.get(name) for name in ("start", "end", "seed", "take", "audio_sha256")}
        for entry in (retakes if isinstance(retakes, list) else [])
        if isinstance(entry, Mapping)
    ]
    if any(found[name] for name in _HASHES if name != _ONLY_WHERE_NOTHING_ELSE_TELLS):
        del found[_ONLY_WHERE_NOTHING_ELSE_TELLS]
    return found


def take_endings(takes: Sequence[Take]) -> dict[str, dict[str, Any]]:
    """How the names of takes' files end, with what each comes from, in order."""
    return {
        f"-take{index + 1}.npz": origin(take.provenance.model_dump())
        for index, take in enumerate(takes)
    }


def origin_of_file(path: Path) -> dict[str, Any] | None:
    """What a file says it comes from; None if it says nothing, or is no result of ours."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        return None
    with suppress(OSMNetError, OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        provenance = reader(path)
        if isinstance(provenance, dict):
            return origin(provenance)
    return None


def free_file(
    path: Path,
    made_of: Origin,
    *,
    overwrite: bool = False,
    write: Callable[[Path], Any] | None = None,
) -> Path:
    """The path itself, or, where something else stands there, the next that is free.

    Args:
        path: of the result.
        made_of: what it comes from.
        overwrite: whether the path is taken whatever stands there.
        write: writes the result to a path; a file that is the same, byte for byte, is replaced
            even if it does not say what it comes from.

    Warns:
        OSMNetWarning: if another name is given.
    """

    def candidate(number: int) -> tuple[Path, dict[Path, Origin]]:
        file = path if number == 1 else path.with_name(_numbered(path, number))
        return file, {file: made_of}

    return _first_free(candidate, overwrite, write)


def free_folder(folder: Path, first: str, made_of: Origin, *, overwrite: bool = False) -> Path:
    """The same of a folder whose files count on from `first`."""

    def candidate(number: int) -> tuple[Path, dict[Path, Origin]]:
        place = folder
        if number > 1:
            whole = folder.resolve()
            place = (folder.parent if folder.name else whole.parent) / f"{whole.name}-{number}"
        return place, {place / first: made_of}

    return _first_free(candidate, overwrite)


def free_stem(
    folder: Path, stem: str, endings: Mapping[str, Origin], *, overwrite: bool = False
) -> str:
    """The same for files that belong together: the beginning of all their names.

    Args:
        folder: of the files.
        stem: of their names.
        endings: what follows the stem in each name, with what that file comes from.
        overwrite: as for `free_file`.
    """

    def candidate(number: int) -> tuple[Path, dict[Path, Origin]]:
        name = stem if number == 1 else f"{stem}-{number}"
        return folder / name, {folder / f"{name}{end}": facts for end, facts in endings.items()}

    return _first_free(candidate, overwrite).name


def save_result(
    path: Path, made_of: Origin, write: Callable[[Path], Any], *, overwrite: bool = False
) -> Path:
    """Write a file where it replaces nothing else; return its path, as `free_file` chose it."""
    chosen = free_file(path, made_of, overwrite=overwrite, write=write)
    write(chosen)
    return chosen


def _first_free(
    candidate: Callable[[int], tuple[Path, dict[Path, Origin]]],
    overwrite: bool,
    write: Callable[[Path], Any] | None = None,
) -> Path:
    taken = None
    for number in count(1):
        place, files = candidate(number)
        taken_here = None if overwrite else next(_others(files, write), None)
        if taken_here is None:
            if taken is not None:
                _warn(*taken, place)
            return place
        taken = taken or taken_here
    raise AssertionError("counting has no end")


def _others(
    files: Mapping[Path, Origin], write: Callable[[Path], Any] | None
) -> Iterator[tuple[Path, str]]:
    """Files that are there and come from something else, each with what that is."""
    for file, made_of in files.items():
        if not file.is_file():
            continue
        found = origin_of_file(file)
        if found == made_of and any(made_of.get(name) for name in _HASHES):
            continue
        if write is not None and _same_bytes(file, write):
            continue
        yield file, _reason(found, made_of)


def _reason(found: Origin | None, made_of: Origin) -> str:
    if found is None:
        return "does not say what it comes from"
    reasons = (said for name, said in _REASONS.items() if found.get(name) != made_of.get(name))
    said = next(reasons, None)
    if said is None and found.get("source") == "edited":
        return "was edited"
    return f"comes from {said or 'something else'}"


def _same_bytes(file: Path, write: Callable[[Path], Any]) -> bool:
    with tempfile.TemporaryDirectory(prefix="osmnet-") as folder:
        trial = Path(folder) / f"trial{file.suffix}"
        write(trial)
        return filecmp.cmp(trial, file, shallow=False)


def _warn(file: Path, reason: str, place: Path) -> None:
    warnings.warn(
        f"'{file}' is kept, since it {reason}; what is new gets the name '{place.name}' "
        "(--overwrite replaces instead).",
        OSMNetWarning,
        stacklevel=5,
    )


def _numbered(path: Path, number: int) -> str:
    return f"{path.stem}-{number}{path.suffix}"


def _take_provenance(path: Path) -> Any:
    from osmnet_sdk.tracks import load_take

    return load_take(path).provenance.model_dump()


def _video_provenance(path: Path) -> Any:
    from osmnet_sdk.audio.container import open_container

    with open_container(path, error=InputError, kind="a video") as container:
        tags = {name.lower(): text for name, text in container.metadata.items()}
    return _from_comment(tags.get("comment"))


def _picture_provenance(path: Path) -> Any:
    from PIL import Image

    with Image.open(path) as picture:
        return _from_comment(picture.info.get("comment"))


def _json_provenance(path: Path) -> Any:
    if path.stat().st_size > _LARGEST_JSON:
        return None
    return json.loads(path.read_bytes())


_LARGEST_JSON = 50_000_000


def _from_comment(comment: Any) -> Any:
    """The provenance in what `provenance.file_metadata` wrote."""
    text = comment.decode("utf-8", "replace") if isinstance(comment, bytes) else comment
    start = text.find("{") if isinstance(text, str) else -1
    return json.loads(text[start:]) if start >= 0 else None


_READERS: dict[str, Callable[[Path], Any]] = {
    ".npz": _take_provenance,
    ".json": _json_provenance,
    **dict.fromkeys((".mp4", ".m4v", ".mov", ".mkv"), _video_provenance),
    **dict.fromkeys((".png", ".jpg", ".jpeg"), _picture_provenance),
}
