"""How closing lids and the mouth's inside look: the numbers that all renderers draw them by.

They go into the compiled kernels as arguments, so that a kernel cached on disk never holds old
ones. Colours are sRGB in an average photo's light, 0 to 255.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar, cast

import numpy as np


class LidLook(NamedTuple):
    """The form of an upper lid that closes: round, with a crease above and lashes below.

    Shares are of the brightness; lengths over the eye's length or as they say.
    """

    height: float = 0.3
    """From the edge of a closed lid to its crease."""
    crease: float = 0.09
    crease_width: float = 0.16
    """How dark the crease is, and its width over the lid's height."""
    edge: float = 0.12
    edge_fall: float = 5.0
    """How dark the lid is at its edge, and how fast that ends over the lid's height."""
    bulge: float = 0.05
    """How bright its middle is."""
    lashes: float = 0.75
    """How much of the lashes' colour shows at the edge."""
    lashes_below: float = 1.2
    lashes_above: float = 0.7
    """Their reach to both sides of the edge, pixels of a 256 crop."""


class MouthLook(NamedTuple):
    """Light and shade of the mouth's inside."""

    tooth_width: float = 0.0082
    """Metres along the dental arch that a tooth takes."""
    tooth_gap: float = 0.3
    tooth_gap_start: float = 0.75
    """How dark the line between two teeth is, and where it sets in between their middles, 0, and
    the line, 1."""
    arch: float = 0.027
    """Metres along the arch at which teeth have grown dark behind the cheeks."""
    lower_teeth: float = 0.85
    """Brightness of the lower teeth."""
    gum_line: float = 0.55
    gum_edge: float = 0.1
    """Height over a row of teeth where gums begin, and over which teeth turn into them."""
    lips_depth: float = 0.006
    """Metres behind the lips up to which everything is in full light."""
    reach: float = 0.012
    reach_open: float = 0.9
    """Metres over which the light falls to a third, and by how much more for each metre of
    opening."""
    upper_shadow: float = 6.0
    lower_shadow: float = 3.0
    """Reach of the shadows of both lips, pixels of a 256 crop."""
    upper_light: float = 0.5
    lower_light: float = 0.8
    """Brightness right behind both lips."""
    groove: float = 0.15
    groove_width: float = 0.004
    """How dark the tongue's middle line is, and its width in metres."""
    seam_width: float = 5.0
    """Gap, in pixels of a 256 crop, below which the line between the lips shows."""


LIDS, MOUTH = LidLook(), MouthLook()

_Look = TypeVar("_Look", LidLook, MouthLook)


def in_single(look: _Look) -> _Look:
    """The same in float32, for a kernel: with Python's numbers it would count in float64."""
    return type(look)(*(cast("float", np.float32(value)) for value in look))


GUM, PALATE, TONGUE, DEEP = (150, 84, 86), (120, 56, 58), (168, 92, 94), (44, 19, 20)
TOOTH = (228, 218, 204)
