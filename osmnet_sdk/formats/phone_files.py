"""Phones in files of other tools: TextGrid, Rhubarb's cues, speech synthesisers' visemes, SRT."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from osmnet_sdk.core.conventions import MAX_PHONE_JSON, MAX_PHONES
from osmnet_sdk.core.files import replaced
from osmnet_sdk.core.json_reading import Unreadable, parse_json
from osmnet_sdk.core.made_by import Provenance
from osmnet_sdk.core.phones import (
    PHONES_SCHEMA,
    SHORTEST,
    Phone,
    PhoneTrack,
    joined,
    phone_file_bytes,
    track_of_json,
)
from osmnet_sdk.core.reading import file_name
from osmnet_sdk.core.wording import quoted
from osmnet_sdk.errors import OutputError, TrackError
from osmnet_sdk.formats.textgrid import (
    Interval,
    Tier,
    is_textgrid,
    parse_textgrid,
    phone_tier,
    textgrid_text,
)
from osmnet_sdk.formats.viseme_sets import (
    SHAPES,
    azure_classes,
    label_alphabet,
    label_classes,
    parts,
    polly_class,
    rhubarb_class,
)

PathLike = str | os.PathLike[str]

PHONE_SUFFIXES = (".TextGrid", ".json", ".tsv", ".srt")
"""Of the files that phones are written to."""

_LAST = 0.15
"""Seconds that the last viseme lasts where only beginnings are told."""
_TICKS = 10_000_000
"""Azure's ticks of 100 ns in a second."""
_AZURE_TIMES = ("audio_offset", "audioOffset", "AudioOffset")
_AZURE_IDS = ("viseme_id", "visemeId", "VisemeId", "VisemeID")

_Classes = Callable[[object], Sequence[str]]
_Events = Iterable[tuple[float, Sequence[str]]]


def read_phones(path: PathLike | BinaryIO) -> PhoneTrack:
    """Read the phones of a recording from a file, whose kind its contents tell.

    Read are Praat's TextGrid (the tier named after phones, in IPA or ARPAbet), Rhubarb's cues
    (.tsv, .json), the visemes of Azure's and Amazon Polly's synthesisers (JSON, JSON lines) and
    what `PhoneTrack.save` wrote. docs/formats.md has the bounds.

    Raises:
        TrackError: if the file is missing, is none of these, or holds values that are not allowed.

    Example:
        >>> said = sdk.PhoneTrack([sdk.Phone(0.3, 0.4, "bilabial")], 1.0)
        >>> path = sdk.write_phones(said, "speech.TextGrid")
        >>> [phone.viseme for phone in sdk.read_phones(path)]
        ['sil', 'PP', 'sil']
    """
    name, data = file_name(path), phone_file_bytes(path)
    try:
        return _parsed(_decoded(data))
    except (Unreadable, TrackError) as error:
        raise TrackError(f"Phone file {name}: {error}") from error


def write_phones(track: PhoneTrack, path: PathLike) -> Path:
    """Write phones as the suffix says; return the path.

    .TextGrid is for Praat, with a tier of phones and one of visemes; .tsv has Rhubarb's mouth
    shapes A to H and X; .srt has subtitles; .json has all that the track holds.

    Raises:
        OutputError: if the suffix is another one, or the file cannot be written.

    Example:
        >>> said = sdk.PhoneTrack([sdk.Phone(0.3, 0.4, "bilabial")], 1.0)
        >>> print(sdk.write_phones(said, "speech.tsv").read_text())
        0.00    X
        0.30    A
        0.40    X
        1.00    X
    """
    check_phone_suffix(path)
    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        return track.save(path)
    make = {".textgrid": _textgrid, ".tsv": _rhubarb_cues, ".srt": _subtitles}[suffix]
    with replaced(path) as temporary:
        temporary.write_text(make(track), encoding="utf-8", newline="\n")
    return Path(path)


def check_phone_suffix(path: PathLike) -> None:
    """Hold that the suffix of a file names a format of phones.

    Raises:
        OutputError: if it does not.
    """
    if Path(path).suffix.lower() not in map(str.lower, PHONE_SUFFIXES):
        raise OutputError(
            f"Cannot write phones to {file_name(path)}: use the suffix "
            f"{', '.join(PHONE_SUFFIXES[:-1])} or {PHONE_SUFFIXES[-1]}."
        )


def _textgrid(track: PhoneTrack) -> str:
    phones = track.contiguous()
    tiers = [
        Tier(name, [_labelled(phone, getattr(phone, field)) for phone in phones])
        for name, field in (("phones", "phone"), ("visemes", "viseme"))
    ]
    return textgrid_text(tiers, track.seconds)


def _labelled(phone: Phone, label: str) -> Interval:
    """An interval of a TextGrid, in which silence has no label."""
    return Interval(phone.start, phone.end, "" if phone.phone == "silence" else label)


def _rhubarb_cues(track: PhoneTrack) -> str:
    """Lines of a time and a mouth shape, as Rhubarb has them: the last one is the end."""
    cues: list[tuple[str, str]] = []
    for phone in track.contiguous():
        time, shape = f"{phone.start:.2f}", SHAPES.get(phone.phone, "B")
        if cues and cues[-1][0] == time:  # of less than a hundredth of a second
            cues.pop()
        if not cues or cues[-1][1] != shape:
            cues.append((time, shape))
    cues.append((f"{track.seconds:.2f}", "X"))
    return "".join(f"{time}\t{shape}\n" for time, shape in cues)


def _subtitles(track: PhoneTrack) -> str:
    """SubRip: a number, a range of time, and the class and viseme of each phone."""
    spoken = [phone for phone in track if phone.phone != "silence"]
    return "".join(
        f"{number}\n{_clock(phone.start)} --> {_clock(phone.end)}\n{phone.phone} {phone.viseme}\n\n"
        for number, phone in enumerate(spoken, 1)
    )


def _clock(seconds: float) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d},{milliseconds:03d}"


def _decoded(data: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 with a mark, as Praat writes it."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable("it is no text in UTF-8 or UTF-16.") from error
    if "\0" in text:
        raise Unreadable("it is no plain text.")
    return text


def _parsed(text: str) -> PhoneTrack:
    if is_textgrid(text):
        return _of_textgrid(text)
    if text.lstrip()[:1] in ("{", "["):
        return _of_json(text)
    return _of_cues(text)


def _of_textgrid(text: str) -> PhoneTrack:
    tiers, seconds = parse_textgrid(text)
    intervals = phone_tier(tiers).intervals
    alphabet = label_alphabet([each.label for each in intervals])
    return _track(
        (
            phone
            for each in intervals
            for phone in parts(each.start, each.end, label_classes(each.label, alphabet))
        ),
        seconds,
    )


def _of_cues(text: str) -> PhoneTrack:
    """Rhubarb's lines of a time and a mouth shape."""
    events = []
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter="\t"), 1):
            if not row:
                continue
            if len(row) != 2 or number > MAX_PHONES:
                raise Unreadable(
                    f"line {number} is no time and mouth shape; give a TextGrid, JSON or the "
                    "lines that Rhubarb writes."
                )
            events.append((_time(row[0]), rhubarb_class(row[1].strip())))
    except csv.Error as error:
        raise Unreadable("it holds no lines of text.") from error
    return _of_events(events, last=0.0)


def _of_json(text: str) -> PhoneTrack:
    try:
        values = parse_json(text, MAX_PHONE_JSON)
    except Unreadable:
        values = _json_lines(text)
    if isinstance(values, dict):
        if "mouthCues" in values:
            return _of_mouth_cues(values)
        if values.get("schema") is not None:
            return track_of_json(values)
        values = [values]
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise Unreadable("it is no list of visemes.")
    if any(each.get("type") == "viseme" for each in values):
        marks = [each for each in values if each.get("type") == "viseme"]
        return _of_events(_timed(marks, "time", 1000, "value", polly_class))
    first = values[0] if values else {}
    time = next((name for name in _AZURE_TIMES if name in first), None)
    viseme = next((name for name in _AZURE_IDS if name in first), None)
    if time is None or viseme is None:
        raise Unreadable(
            f"its text is none of {quoted(PHONES_SCHEMA)}, Rhubarb's mouthCues, Azure's viseme "
            "events and Amazon Polly's speech marks."
        )
    return _of_events(_timed(values, time, _TICKS, viseme, azure_classes))


def _json_lines(text: str) -> list[Any]:
    """The values of a text that has one in each line.

    Raises:
        Unreadable: if a line holds none.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_PHONES:
        raise Unreadable(f"it has {len(lines)} lines; at most {MAX_PHONES} are read.")
    return [parse_json(line) for line in lines]


def _timed(
    events: list[dict[str, Any]], time: str, unit: float, name: str, classes: _Classes
) -> Iterator[tuple[float, Sequence[str]]]:
    for each in events:
        yield _time(each.get(time)) / unit, classes(each.get(name))


def _of_mouth_cues(values: dict[str, Any]) -> PhoneTrack:
    """Rhubarb's JSON: cues with start, end and value, and the length of the sound."""
    cues, about = values["mouthCues"], values.get("metadata")
    if not isinstance(cues, list) or not all(isinstance(cue, dict) for cue in cues):
        raise Unreadable("its mouthCues are no list of cues.")
    phones = [
        Phone(_time(cue.get("start")), _time(cue.get("end")), rhubarb_class(cue.get("value"))[0])
        for cue in cues
    ]
    duration = about.get("duration") if isinstance(about, dict) else None
    ends = max((phone.end for phone in phones), default=0.0)
    return _track(phones, max(_time(duration) if duration is not None else 0.0, ends))


def _of_events(events: _Events, last: float = _LAST) -> PhoneTrack:
    """Phones of which only the beginnings are told: each lasts until the next.

    Args:
        events: seconds, and the classes that follow from there.
        last: seconds that the last one lasts.
    """
    told = sorted(events, key=lambda event: event[0])
    if not told:
        raise Unreadable("it holds no visemes.")
    ends = [time for time, _ in told[1:]] + [told[-1][0] + last]
    return _track(
        (
            phone
            for (start, classes), end in zip(told, ends, strict=True)
            for phone in parts(start, end, classes)
        ),
        ends[-1],
    )


def _track(phones: Iterable[Phone], seconds: float) -> PhoneTrack:
    """A track of phones that were read; texts round times, so that neighbours may overlap a bit."""
    result: list[Phone] = []
    last = 0.0
    for phone in phones:
        if phone.start < last - 0.5 * SHORTEST or phone.end < phone.start:
            raise Unreadable(
                f"what is said from {phone.start:.3f} to {phone.end:.3f} s is out of order."
            )
        start = max(phone.start, last)
        if phone.end - start >= SHORTEST:
            result.append(Phone(start, phone.end, phone.phone))
            last = phone.end
    return joined(result, max(seconds, last), Provenance(source="imported"))


def _time(value: object) -> float:
    """A time of 0 or more."""
    try:
        found = float(value) if isinstance(value, (str, int, float)) else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    if not 0 <= found < math.inf or isinstance(value, bool):
        raise Unreadable(f"{quoted(value, 24)} is no time of 0 or more.")
    return found
