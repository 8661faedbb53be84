"""What is said and when: phones as intervals of time, as a result and as an input."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from osmnet_sdk.core.conventions import MAX_PHONE_FILE, MAX_PHONE_JSON, MAX_PHONES, MAX_SECONDS
from osmnet_sdk.core.files import replaced
from osmnet_sdk.core.json_reading import Unreadable, check_schema, parse_json
from osmnet_sdk.core.made_by import Provenance
from osmnet_sdk.core.reading import file_name, opened
from osmnet_sdk.core.wording import quoted
from osmnet_sdk.errors import TrackError

VISEMES = {
    "silence": "sil",
    "bilabial": "PP",
    "labiodental": "FF",
    "dental": "TH",
    "alveolar": "DD",
    "sibilant": "SS",
    "postalveolar": "CH",
    "lateral": "nn",
    "rhotic": "RR",
    "trill": "RR",
    "velar": "kk",
    "glottal": "kk",
    "labiovelar": "ou",
    "palatal": "ih",
    "a": "aa",
    "ae": "aa",
    "ah": "aa",
    "open_o": "oh",
    "open_e": "E",
    "o": "oh",
    "e": "E",
    "schwa": "E",
    "near_i": "ih",
    "i": "ih",
    "near_u": "ou",
    "u": "ou",
    "y": "ou",
    "oe": "oh",
    "back_i": "ih",
    "er": "RR",
    "labial_fricative": "FF",
}
"""The viseme of each class of phones, among the fifteen that avatars have (sil, PP, FF, TH, DD, kk,
CH, SS, nn, RR, aa, E, ih, oh, ou)."""

PHONE_CLASSES = tuple(VISEMES)
"""Classes of phones that lips tell apart, in the order in which networks have them."""

SHORTEST = 0.001
"""Seconds that a phone lasts at least."""

PHONES_SCHEMA = "osmnet.phones/1"

_TOUCH = 1e-6  # seconds by which neighbours may seem to overlap, as texts round their times


@dataclass(frozen=True)
class Phone:
    """A speech sound.

    Attributes:
        start: where it begins, seconds.
        end: where it ends, seconds.
        phone: its class, one of `PHONE_CLASSES`, such as "bilabial" for P, B and M; "silence" where
            nobody speaks.
        confidence: how sure it is, 0 to 1; 1 for phones that were given.

    Example:
        >>> sdk.Phone(0.30, 0.38, "bilabial").viseme
        'PP'
    """

    start: float
    end: float
    phone: str
    confidence: float = 1.0

    @property
    def viseme(self) -> str:
        """Its viseme: sil, PP, FF, TH, DD, kk, CH, SS, nn, RR, aa, E, ih, oh or ou."""
        return VISEMES[self.phone]


@dataclass(frozen=True, eq=False)
class PhoneTrack:
    """What is said in a recording, and when.

    Attributes:
        phones: in order of time, without overlap; gaps between them are silence.
        seconds: length of the recording.
        provenance: what made the track.

    Raises:
        TrackError: if a phone is of no known class, out of order, shorter than a millisecond or
            outside of the recording, or there are more than 250 000.

    Example:
        >>> said = sdk.PhoneTrack([sdk.Phone(0.1, 0.2, "bilabial"), sdk.Phone(0.2, 0.4, "a")], 1.0)
        >>> [phone.phone for phone in said.contiguous()]
        ['silence', 'bilabial', 'a', 'silence']
    """

    phones: tuple[Phone, ...]
    seconds: float
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        if not _is_number(self.seconds) or not 0 < self.seconds <= MAX_SECONDS:
            raise TrackError(
                f"A phone track lasts above 0 and up to {MAX_SECONDS} seconds, not "
                f"{quoted(self.seconds)}."
            )
        if len(self.phones) > MAX_PHONES:
            raise TrackError(
                f"A phone track holds {MAX_PHONES} phones, not {len(self.phones)}; cut it."
            )
        phones = tuple(self.phones)
        last = 0.0
        for number, phone in enumerate(phones, 1):
            _check_phone(phone, number, last, self.seconds)
            last = phone.end
        object.__setattr__(self, "phones", phones)
        object.__setattr__(self, "seconds", float(self.seconds))

    def __len__(self) -> int:
        """Number of phones."""
        return len(self.phones)

    def __iter__(self) -> Iterator[Phone]:
        return iter(self.phones)

    def __eq__(self, other: object) -> bool:
        """Equal phones and length; provenance does not count."""
        return (
            isinstance(other, PhoneTrack)
            and self.seconds == other.seconds
            and self.phones == other.phones
        )

    __hash__ = None  # type: ignore[assignment]

    def contiguous(self) -> tuple[Phone, ...]:
        """The phones, with silence as a phone wherever there is none."""
        result: list[Phone] = []
        last = 0.0
        for phone in (*self.phones, Phone(self.seconds, self.seconds, "silence")):
            if phone.start - last >= SHORTEST:
                result.append(Phone(last, phone.start, "silence"))
            if phone.end > phone.start:
                result.append(phone)
            last = phone.end
        return tuple(result)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as JSON (schema "osmnet.phones/1"), whatever the suffix; return the path.

        Raises:
            OutputError: if the file cannot be written.
        """
        text = json.dumps(
            {
                "schema": PHONES_SCHEMA,
                "seconds": self.seconds,
                **self.provenance.model_dump(),
                "phones": [
                    {
                        "start": phone.start, "end": phone.end, "phone": phone.phone,
                        "viseme": phone.viseme, "confidence": phone.confidence,
                    }
                    for phone in self.phones
                ],
            }
        )  # fmt: skip
        with replaced(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        return Path(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str] | BinaryIO) -> PhoneTrack:
        """Read what `save` wrote; `read_phones` reads files of other tools as well.

        Raises:
            TrackError: if the file is missing, is another one, or holds values that are not
                allowed.
        """
        name, data = file_name(path), phone_file_bytes(path)
        try:
            return track_of_json(parse_json(data, MAX_PHONE_JSON))
        except (Unreadable, TrackError) as error:
            raise TrackError(f"Phone file {name}: {error}") from error


def joined(phones: Iterable[Phone], seconds: float, provenance: Provenance) -> PhoneTrack:
    """A track of phones that follow on one another: neighbours of one class are one phone.

    Those that are too short to be seen are left out.

    Raises:
        TrackError: as `PhoneTrack`.
    """
    result: list[Phone] = []
    for phone in phones:
        before = result[-1] if result else None
        if before and before.phone == phone.phone and abs(phone.start - before.end) <= _TOUCH:
            spans = (before.end - before.start, phone.end - phone.start)
            sure = (spans[0] * before.confidence + spans[1] * phone.confidence) / max(
                sum(spans), SHORTEST
            )
            result[-1] = Phone(before.start, phone.end, phone.phone, min(sure, 1.0))
        elif phone.end - phone.start >= SHORTEST:
            result.append(phone)
    return PhoneTrack(tuple(result), seconds, provenance)


def phone_file_bytes(path: str | os.PathLike[str] | BinaryIO) -> bytes:
    """The bytes of a file of phones.

    Raises:
        TrackError: if it cannot be read or is larger than `MAX_PHONE_FILE`.
    """
    with opened(path, "phone file") as stream:
        data = stream.read(MAX_PHONE_FILE + 1)
    if len(data) > MAX_PHONE_FILE:
        raise TrackError(
            f"The phone file {file_name(path)} has more than {MAX_PHONE_FILE} bytes; give another."
        )
    return data


def track_of_json(values: Any) -> PhoneTrack:
    """The track of the values that `PhoneTrack.save` wrote.

    Raises:
        Unreadable: if they are not such values.
        TrackError: as `PhoneTrack`.
    """
    if not isinstance(values, dict):
        raise Unreadable("it is not what PhoneTrack.save writes.")
    check_schema(values.get("schema"), PHONES_SCHEMA)
    listed = values.get("phones")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Unreadable("its 'phones' are no list of phones.")
    made_by = {name: values[name] for name in Provenance.model_fields if name in values}
    try:
        provenance = Provenance.model_validate(made_by)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_url=False)[0]["loc"]))
        raise Unreadable(f"its {quoted(place)} is not what such a file holds.") from error
    phones = tuple(
        Phone(each.get("start"), each.get("end"), each.get("phone"), each.get("confidence", 1.0))
        for each in listed
    )
    return PhoneTrack(phones, values.get("seconds", 0), provenance)


def _check_phone(phone: Phone, number: int, last: float, seconds: float) -> None:
    """Hold that a phone may follow those before it, which end at `last`.

    Raises:
        TrackError: if it may not.
    """
    if not isinstance(phone, Phone):
        raise TrackError(f"Phone {number} is {quoted(phone)}; give a Phone.")
    if not isinstance(phone.phone, str) or phone.phone not in VISEMES:
        raise TrackError(
            f"Phone {number} is of the class {quoted(phone.phone)}, which is not one of "
            "PHONE_CLASSES, such as 'bilabial'."
        )
    numbers = (phone.start, phone.end, phone.confidence)
    if not all(map(_is_number, numbers)) or not 0 <= phone.confidence <= 1:
        raise TrackError(
            f"Phone {number} has start {quoted(phone.start)}, end {quoted(phone.end)} and "
            f"confidence {quoted(phone.confidence)}; give seconds, and a confidence of 0 to 1."
        )
    if phone.start < last - _TOUCH or phone.end - phone.start < SHORTEST - _TOUCH:
        raise TrackError(
            f"Phone {number}, from {phone.start:.4f} to {phone.end:.4f} s, begins before the one "
            "before it ends or lasts less than a millisecond; give phones in order of time."
        )
    if phone.end > seconds + _TOUCH:
        raise TrackError(
            f"Phone {number} ends at {phone.end:.4f} s, after the {seconds:.4f} s of the recording."
        )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and not isinstance(value, bool)
