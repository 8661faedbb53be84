"""What commands look at before any work: a wrong argument is told at once, not after sampling."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from osmnet_sdk.core.files import check_output_file
from osmnet_sdk.errors import AudioError, InputError, PhotoError

if TYPE_CHECKING:
    from osmnet_sdk.core.phones import PhoneTrack
    from osmnet_sdk.tracks import Take


def check_photo(photo: Path, face_index: int | None = None) -> None:
    """Hold that a photo is a file with something in it, and a face's number could be one.

    Raises:
        InputError: if not.
    """
    from osmnet_sdk.audio.container import checked_path

    if face_index is not None and face_index < 0:
        raise InputError(
            f"--face-index must be 0 or more, counted from the largest face, not {face_index}."
        )
    checked_path(photo, PhotoError, "a photo")


def check_voice(voice: Path, channel: str | None = None, track: int | None = None) -> None:
    """Hold that a sound is a file with something in it, and that a channel and track can be.

    Raises:
        AudioError: if not.
    """
    from osmnet_sdk.audio.channels import parsed_channel
    from osmnet_sdk.audio.container import checked_path

    if channel is not None:
        parsed_channel(channel)
    if track is not None and track < 1:
        raise AudioError(f"--track counts from 1; {track} names no sound track.")
    checked_path(voice, AudioError, "a sound or video file")


def check_sound(sound: Path | None) -> None:
    """Hold that a sound, if there is one, can be decoded; its beginning is.

    Raises:
        AudioError: if not.
    """
    from osmnet_sdk.formats.sound_track import SoundTrack

    if sound is not None:
        check_voice(sound)
        SoundTrack(sound).release()


def check_take_output(path: Path) -> None:
    """Hold that a take can be written to a file.

    Raises:
        OutputError: if its suffix names no format of takes, or it cannot be written there.
    """
    from osmnet_sdk.formats.take_files import check_take_suffix

    check_take_suffix(path)
    check_output_file(path)


def check_phones_output(path: Path) -> None:
    """Hold that phones can be written to a file.

    Raises:
        OutputError: if its suffix names no format of phones, or it cannot be written there.
    """
    from osmnet_sdk.formats.phone_files import check_phone_suffix

    check_phone_suffix(path)
    check_output_file(path)


def given_phones(path: Path | None) -> PhoneTrack | None:
    """The phones that --phones names."""
    from osmnet_sdk.formats.phone_files import read_phones

    return None if path is None else read_phones(path)


def save_take(take: Take, path: Path, *, overwrite: bool, fps: Fraction | None = None) -> Path:
    """Write a take where it replaces none of another origin; return its path.

    `fps` is the rate of a .csv with whole-frame timecodes, as for `write_take_file`.
    """
    from osmnet_sdk.formats.outputs import origin, save_result
    from osmnet_sdk.formats.take_files import write_take_file

    made_of = origin(take.provenance.model_dump())
    return save_result(
        path, made_of, lambda place: write_take_file(take, place, fps), overwrite=overwrite
    )


def frame_rate(text: str | None) -> Fraction | None:
    """The rate that --fps names; None keeps that of the take.

    Raises:
        InputError: if it is none.
    """
    from osmnet_sdk.tracks import checked_fps

    return None if text is None else checked_fps(text)


def reference_take(path: Path | None) -> Take | None:
    """The take that --follow names."""
    from osmnet_sdk.tracks import load_take

    return None if path is None else load_take(path)
