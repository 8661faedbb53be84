"""What lips and jaw do for each class of speech sounds.

Targets are after the viseme descriptions of phonetics textbooks and Cohen & Massaro (1993);
apertures are in widths of the mouth at rest, so that they fit any head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from osmnet_sdk.core.phone_alphabets import Alphabet as Alphabet
from osmnet_sdk.core.phone_alphabets import phone_classes as phone_classes


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

ARTICULATIONS["labial_fricative"] = replace(
    ARTICULATIONS["labiodental"], aperture=0.04, tuck=0.2, rounding=0.1
)
