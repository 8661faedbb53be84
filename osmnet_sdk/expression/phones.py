"""What lips and jaw do for each speech sound, and the phone alphabets of the synthesisers.

Targets are after the viseme descriptions of phonetics textbooks and Cohen & Massaro (1993);
apertures are in widths of the mouth at rest, so that they fit any head.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

Alphabet = Literal["ipa", "arpabet", "italian", "catalan", "czech", "finnish", "russian", "indic"]


@dataclass(frozen=True)
class Articulation:
    """Targets of the articulators for one sound and how firmly each is held.

    Attributes:
        jaw: jaw opening as the ARKit coefficient jawOpen, 0 to 1.
        aperture: gap between the lips over the mouth's width at rest.
        rounding: lip rounding and protrusion, 0 to 1.
        spread: lip corners drawn apart, 0 to 1.
        tuck: lower lip against the upper teeth, 0 to 1.
        closed: whether the lips must meet (P, B, M).
        vowel: whether loudness changes how wide the sound opens.
        hold: dominance of jaw and aperture (Cohen & Massaro's α), 0 to 1.
        shape_hold: dominance of rounding, spread and tuck, 0 to 1.
        reach: how far, in seconds, the targets are felt before and after the sound.
    """

    jaw: float = 0.0
    aperture: float = 0.0
    rounding: float = 0.0
    spread: float = 0.0
    tuck: float = 0.0
    closed: bool = False
    vowel: bool = False
    hold: float = 0.5
    shape_hold: float = 0.4
    reach: float = 0.05


def _vowel(
    jaw: float, aperture: float, rounding: float = 0.0, spread: float = 0.0, hold: float = 0.9
) -> Articulation:
    shape = 0.9 if rounding > 0.4 else 0.6
    return Articulation(
        jaw, aperture, rounding, spread, vowel=True, hold=hold, shape_hold=shape, reach=0.06
    )


ARTICULATIONS: dict[str, Articulation] = {
    "silence": Articulation(hold=1.0, shape_hold=0.5, reach=0.05),
    "bilabial": Articulation(jaw=0.06, closed=True, hold=0.7, shape_hold=0.15),
    "labiodental": Articulation(jaw=0.07, tuck=1.0, hold=0.9, shape_hold=1.0),
    "dental": Articulation(jaw=0.12, aperture=0.10, hold=0.5),
    "alveolar": Articulation(jaw=0.10, aperture=0.09, hold=0.35, shape_hold=0.15),
    "sibilant": Articulation(jaw=0.05, aperture=0.08, spread=0.30, hold=0.6),
    "postalveolar": Articulation(jaw=0.06, aperture=0.11, rounding=0.5, hold=0.6, shape_hold=0.7),
    "lateral": Articulation(jaw=0.16, aperture=0.12, hold=0.35, shape_hold=0.15),
    "rhotic": Articulation(jaw=0.12, aperture=0.10, rounding=0.4, hold=0.4, shape_hold=0.5),
    "trill": Articulation(jaw=0.13, aperture=0.11, hold=0.35, shape_hold=0.15),
    "velar": Articulation(jaw=0.16, aperture=0.12, hold=0.2, shape_hold=0.1),
    "glottal": Articulation(jaw=0.18, aperture=0.13, hold=0.08, shape_hold=0.05),
    "labiovelar": Articulation(
        jaw=0.08, aperture=0.05, rounding=1.0, hold=0.8, shape_hold=1.0, reach=0.07
    ),
    "palatal": Articulation(jaw=0.10, aperture=0.09, spread=0.40, hold=0.45, shape_hold=0.5),
    "a": _vowel(0.36, 0.30),
    "ae": _vowel(0.34, 0.28, spread=0.35),
    "ah": _vowel(0.25, 0.21, hold=0.8),
    "open_o": _vowel(0.31, 0.25, rounding=0.45),
    "open_e": _vowel(0.25, 0.21, spread=0.30),
    "o": _vowel(0.22, 0.16, rounding=0.75),
    "e": _vowel(0.19, 0.16, spread=0.45),
    "schwa": _vowel(0.16, 0.13, hold=0.45),
    "near_i": _vowel(0.15, 0.13, spread=0.35, hold=0.7),
    "i": _vowel(0.11, 0.10, spread=0.60),
    "near_u": _vowel(0.14, 0.11, rounding=0.50, hold=0.7),
    "u": _vowel(0.10, 0.07, rounding=0.95),
    "y": _vowel(0.10, 0.07, rounding=0.95),
    "oe": _vowel(0.19, 0.14, rounding=0.75),
    "back_i": _vowel(0.12, 0.11, spread=0.25),
    "er": _vowel(0.17, 0.14, rounding=0.30),
}
"""Articulation by class of sound."""

_IPA = {
    "bilabial": "pbmɓʙ",
    "labiodental": "fvɱʋⱱ",
    "labial_fricative": "ɸβ",
    "dental": "θð",
    "alveolar": "tdnɗʈɖɳɬɮ",
    "sibilant": "szɕʑʂʐ",
    "postalveolar": "ʃʒ",
    "lateral": "lɫɭʎʟ",
    "rhotic": "ɹɻ",
    "trill": "rɾɽʀʁ",
    "velar": "kgɡŋxɣqɢɴχcɟɠʄ",
    "glottal": "hɦʔħʕ",
    "labiovelar": "wʍɥʷ",
    "palatal": "jɲçʝ",
    "a": "aɑɐ",
    "ae": "æ",
    "ah": "ʌ",
    "open_o": "ɔɒ",
    "open_e": "ɛ",
    "o": "o",
    "e": "e",
    "schwa": "əɘɤ",
    "near_i": "ɪ",
    "i": "i",
    "near_u": "ʊɵ",
    "u": "uʉ",
    "y": "yʏ",
    "oe": "øœɶ",
    "back_i": "ɨɯ",
    "er": "ɜɝɚɞ",
}
ARTICULATIONS["labial_fricative"] = replace(
    ARTICULATIONS["labiodental"], aperture=0.04, tuck=0.2, rounding=0.1
)

_ARPABET = {
    "silence": "pau sil h# brth ssil sp",
    "bilabial": "p b m em",
    "labiodental": "f v",
    "dental": "th dh",
    "alveolar": "t d n en dx nx",
    "sibilant": "s z",
    "postalveolar": "sh zh ch jh",
    "lateral": "l el",
    "rhotic": "r",
    "velar": "k g ng",
    "glottal": "hh hv",
    "labiovelar": "w",
    "palatal": "y",
    "a": "aa",
    "ae": "ae",
    "ah": "ah",
    "open_o": "ao",
    "open_e": "eh",
    "schwa": "ax",
    "near_i": "ih",
    "i": "iy",
    "near_u": "uh",
    "u": "uw",
    "er": "er axr",
}
_ARPABET_DIPHTHONGS = {
    "ay": ("a", "near_i"),
    "aw": ("a", "near_u"),
    "oy": ("open_o", "near_i"),
    "ey": ("e", "i"),
    "ow": ("o", "u"),
}

# Festival's phone sets for other languages, letter by letter in IPA.
_FESTIVAL: dict[str, dict[str, str]] = {
    "italian": {"E": "ɛ", "O": "ɔ", "S": "ʃ", "Z": "ʒ", "J": "ɲ", "L": "ʎ", "g": "ɡ", "ng": "ŋ",
                "nf": "ɱ", "tS": "tʃ", "dZ": "dʒ"},
    "catalan": {"ax": "ə", "E": "ɛ", "O": "ɔ", "S": "ʃ", "Z": "ʒ", "J": "ɲ", "L": "ʎ", "rr": "r"},
    "czech": {"c": "ts", "c~": "tʃ", "ch": "x", "d~": "ɟ", "dz~": "dʒ", "n~": "ɲ", "n*": "ŋ",
              "r~": "rʒ", "r~*": "rʃ", "s~": "ʃ", "t~": "c", "z~": "ʒ"},
    "finnish": {"@": "æ", "7": "ø", "&": "ə", "T": "t", "D": "d", "S": "ʃ", "Z": "ʒ", "N": "ŋ",
                "L": "ʎ", "v": "ʋ"},
    "russian": {"y": "ɨ", "yy": "ɨ", "ae": "ə", "ay": "ɐ", "ur": "ʊ", "c": "ts", "ch": "tʃ",
                "sch": "ʃ", "sh": "ʃ", "zh": "ʒ", "h": "x", "hh": "x"},
    "indic": {},
}  # fmt: skip

_IPA_CLASSES = {letter: name for name, letters in _IPA.items() for letter in letters}
_ARPABET_CLASSES = {phone: name for name, phones in _ARPABET.items() for phone in phones.split()}


def phone_classes(symbol: str, alphabet: Alphabet = "ipa") -> tuple[str, ...]:
    """Classes of sound (keys of `ARTICULATIONS`) that a phone goes through, in order.

    Affricates and diphthongs go through two. Length, stress, tone and the like do not count;
    what is left empty or unknown is silence.

    Args:
        symbol: the phone as the synthesiser writes it.
        alphabet: the phone set it is written in.
    """
    if alphabet == "arpabet":
        phone = symbol.lower().rstrip("012")
        return _ARPABET_DIPHTHONGS.get(phone) or (_ARPABET_CLASSES.get(phone, "silence"),)
    if alphabet != "ipa":
        phone = symbol.rstrip("1:")
        if phone in ("#", "_", "pau", "##", "h#", ""):
            return ("silence",)
        table = _FESTIVAL[alphabet]
        symbol = table.get(phone, table.get(phone[:1], phone[:1]))
    letters = [letter for letter in unicodedata.normalize("NFD", symbol) if letter in _IPA_CLASSES]
    # A rounded consonant keeps its place of articulation; rounding follows it.
    classes = tuple(dict.fromkeys(_IPA_CLASSES[letter] for letter in letters))
    return classes or ("silence",)
