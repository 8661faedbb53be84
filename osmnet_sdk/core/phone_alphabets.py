"""The alphabets in which people and synthesisers write phones, and the class of each phone."""

from __future__ import annotations

import unicodedata
from typing import Literal

from osmnet_sdk.core.phones import VISEMES

Alphabet = Literal[
    "ipa", "arpabet", "italian", "catalan", "czech", "finnish", "russian", "indic", "class"
]
"""Phone sets: "class" are the classes themselves, the others those of synthesisers."""

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
    """Classes of sound (`phones.PHONE_CLASSES`) that a phone goes through, in order.

    Affricates and diphthongs go through two. Length, stress, tone and the like do not count;
    what is left empty or unknown is silence.

    Args:
        symbol: the phone as the synthesiser writes it.
        alphabet: the phone set it is written in.
    """
    if alphabet == "class":
        return (symbol if symbol in VISEMES else "silence",)
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


def is_arpabet(symbol: str) -> bool:
    """Whether a text is a phone of the ARPAbet, with or without stress."""
    phone = symbol.strip().lower().rstrip("012")
    return phone in _ARPABET_CLASSES or phone in _ARPABET_DIPHTHONGS
