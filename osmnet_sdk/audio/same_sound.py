"""Takes and sounds are tied: whoever puts a take to another sound than its own is told."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from pathlib import Path

from osmnet_sdk.audio.load import Audio, AudioSource, load_audio
from osmnet_sdk.core.made_by import Provenance
from osmnet_sdk.core.reading import file_name
from osmnet_sdk.errors import AudioError, OSMNetWarning
from osmnet_sdk.progress import CancelCallback, ProgressCallback

_KEPT = 16
_MOST_CHANNELS = 64
_digests: dict[tuple[str, int, int], str] = {}
"""Of the files last looked at, by path, time of change and size: five videos have one sound."""


def warn_of_other_sound(
    made_by: Iterable[Provenance],
    sound: AudioSource,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> None:
    """Compare a sound with the one that tracks were made from, by their decoded samples.

    Args:
        made_by: of the tracks; those that name no sound go with any.
        sound: as for `load_audio`; a file is decoded only if there is something to compare.
        progress: called while it is read.
        cancel: asked while it is read.

    Raises:
        AudioError: if the sound cannot be read.

    Warns:
        OSMNetWarning: if it is another one.
    """
    tied = [one for one in made_by if one.audio_sha256]
    if not tied:
        return
    found = _sha256(sound, progress, cancel)
    other = next((one for one in tied if one.audio_sha256 != found), None)
    if other is None or _is_part(sound, other.audio_sha256, cancel):
        return
    warnings.warn(
        f"The take was made from another sound{_own_name(other, sound)} than {_name(sound)}, so "
        "lips and head will not fit; use the take's own sound, or sample takes of this one.",
        OSMNetWarning,
        stacklevel=3,
    )


def _is_part(sound: AudioSource, digest: str | None, cancel: CancelCallback | None) -> bool:
    """Whether one channel or track of a sound, or the mix, is what was heard."""
    if isinstance(sound, Audio):
        return False
    with warnings.catch_warnings():  # what they say was said when the take was made
        warnings.simplefilter("ignore", OSMNetWarning)
        tracks = load_audio(sound, cancel=cancel).origin.tracks
        for track in range(1, tracks + 1) if tracks > 1 else (None,):
            for channel in ("mix", *range(1, _MOST_CHANNELS + 1)):
                try:
                    part = load_audio(sound, channel=channel, track=track, cancel=cancel)
                except AudioError:  # there is no such channel
                    break
                if part.sha256 == digest:
                    return True
    return False


def _name(sound: AudioSource) -> str:
    if isinstance(sound, tuple):
        return "this one"
    return f"'{sound.name if isinstance(sound, Audio) else file_name(sound)}'"


def _own_name(made_by: Provenance, sound: AudioSource) -> str:
    """The name of the take's own sound, in brackets, if that tells it from the other."""
    if not made_by.audio or Path(_name(sound).strip("'")).name == made_by.audio:
        return ""
    return f" ('{made_by.audio}')"


def _sha256(
    sound: AudioSource, progress: ProgressCallback | None, cancel: CancelCallback | None
) -> str:
    if isinstance(sound, Audio):
        return sound.sha256
    key = _key(sound)
    if key is not None and key in _digests:
        return _digests[key]
    digest = load_audio(sound, progress=progress, cancel=cancel).sha256
    if key is not None:
        while len(_digests) >= _KEPT:
            _digests.pop(next(iter(_digests)), None)
        _digests[key] = digest
    return digest


def _key(sound: AudioSource) -> tuple[str, int, int] | None:
    """What tells a file from another, or from itself before a change; None if it is no file."""
    if not isinstance(sound, (str, os.PathLike)):
        return None
    try:
        path = Path(os.fsdecode(sound)).resolve()
        found = path.stat()
    except (OSError, ValueError):
        return None  # reading it says what is wrong
    return str(path), found.st_mtime_ns, found.st_size
