"""Mouth shapes of other tools, and the classes of phones that they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from osmnet_sdk.core.json_reading import Unreadable
from osmnet_sdk.core.phone_alphabets import Alphabet, is_arpabet, phone_classes
from osmnet_sdk.core.phones import SHORTEST, VISEMES, Phone
from osmnet_sdk.core.wording import quoted

RHUBARB = {
    "A": "bilabial", "B": "sibilant", "C": "open_e", "D": "a", "E": "er", "F": "u",
    "G": "labiodental", "H": "lateral", "X": "silence",
}  # fmt: skip
"""Mouth shapes of Rhubarb Lip Sync: closed, teeth, open, wide open, a little rounded, puckered,
teeth on the lip, tongue up, at rest."""

SHAPES = {
    "silence": "X", "bilabial": "A", "labiodental": "G", "labial_fricative": "G", "lateral": "H",
    "labiovelar": "F", "u": "F", "y": "F", "near_u": "F", "o": "F",
    "oe": "E", "open_o": "E", "er": "E", "rhotic": "E",
    "a": "D", "ae": "C", "ah": "C", "open_e": "C", "e": "C", "schwa": "C",
}  # fmt: skip
"""Rhubarb's mouth shape of each class; all others have B, teeth nearly closed."""

AZURE: tuple[tuple[str, ...], ...] = (
    ("silence",), ("ah",), ("a",), ("open_o",), ("open_e",), ("er",), ("i",), ("u",), ("o",),
    ("a", "near_u"), ("open_o", "near_i"), ("a", "near_i"), ("glottal",), ("rhotic",),
    ("lateral",), ("sibilant",), ("postalveolar",), ("dental",), ("labiodental",), ("alveolar",),
    ("velar",), ("bilabial",),
)  # fmt: skip
"""Classes of the viseme IDs 0 to 21 of Azure's and Microsoft's speech synthesis."""

POLLY = {
    "sil": "silence", "p": "bilabial", "B": "labial_fricative", "f": "labiodental", "T": "dental",
    "t": "alveolar", "s": "sibilant", "S": "postalveolar", "r": "rhotic", "k": "velar",
    "J": "palatal", "l": "lateral", "i": "i", "u": "u", "e": "e", "E": "open_e", "o": "o",
    "O": "open_o", "a": "a", "@": "schwa",
}  # fmt: skip
"""Class of each viseme of Amazon Polly, by its tables of phonemes; what a language has besides is
taken for IPA."""

_SILENCES = frozenset(
    ("", "sil", "sp", "spn", "nsn", "pau", "h#", "_", "#", "<eps>", "<sil>", "<p:>", "<nib>",
     "<usb>", "silence", "(...)", "...")
)  # fmt: skip
"""How tools label intervals without speech."""
_UNKNOWN = 0.1
"""Share of labels that may be none that is known."""


def rhubarb_class(shape: object) -> tuple[str, ...]:
    """The class of one of Rhubarb's mouth shapes.

    Raises:
        Unreadable: if it is none.
    """
    if not isinstance(shape, str) or shape not in RHUBARB:
        raise Unreadable(f"{quoted(shape, 24)} is none of Rhubarb's mouth shapes A to H and X.")
    return (RHUBARB[shape],)


def azure_classes(number: object) -> tuple[str, ...]:
    """The classes of one of Azure's viseme IDs.

    Raises:
        Unreadable: if it is none.
    """
    if not isinstance(number, int) or not 0 <= number < len(AZURE):
        raise Unreadable(f"{quoted(number, 24)} is none of the viseme IDs 0 to {len(AZURE) - 1}.")
    return AZURE[number]


def polly_class(viseme: object) -> tuple[str, ...]:
    """The class of one of Polly's visemes.

    Raises:
        Unreadable: if it is none.
    """
    if isinstance(viseme, str) and viseme in POLLY:
        return (POLLY[viseme],)
    classes = phone_classes(viseme) if isinstance(viseme, str) else ("silence",)
    if classes == ("silence",):
        raise Unreadable(f"{quoted(viseme, 24)} is none of the visemes of Amazon Polly.")
    return classes


def label_alphabet(labels: Sequence[str]) -> Alphabet:
    """The alphabet in which labels are written: classes, ARPAbet, or else IPA.

    Raises:
        Unreadable: if more than a tenth of them are phones in none.
    """
    spoken = [label for label in labels if not is_silence(label)]
    if all(label in VISEMES for label in spoken):
        return "class"
    if all(is_arpabet(label) for label in spoken):
        return "arpabet"
    unknown = [label for label in spoken if phone_classes(label) == ("silence",)]
    if len(unknown) > _UNKNOWN * len(spoken):
        raise Unreadable(
            f"{quoted(unknown[0], 24)} is no phone in IPA or ARPAbet; label phones in one of these."
        )
    return "ipa"


def is_silence(label: str) -> bool:
    """Whether a label says that nobody speaks."""
    return label.strip().casefold() in _SILENCES


def label_classes(label: str, alphabet: Alphabet) -> tuple[str, ...]:
    """The classes of a label, one after the other."""
    return ("silence",) if is_silence(label) else phone_classes(label.strip(), alphabet)


def parts(start: float, end: float, classes: Sequence[str]) -> Iterator[Phone]:
    """Phones of one class each for a sound that goes through several, in equal shares."""
    share = (end - start) / len(classes)
    if share < SHORTEST:
        classes, share = classes[:1], end - start
    for index, name in enumerate(classes):
        last = end if index == len(classes) - 1 else start + (index + 1) * share
        yield Phone(start + index * share, last, name)
