"""What the photo shows of the mouth: its inside, its teeth, the line between its lips."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.curves import smoothstep
from osmnet_sdk.rendering.warp.look import TOOTH

Image = NDArray[np.uint8]
Colour = NDArray[np.float64]

_LEAST = 12
"""Pixels of the working picture below which the photo tells nothing of the mouth's inside."""
_CONTINUED_FULL, _CONTINUED = 1.5, 4.5
"""Pixels around the mouth's inside up to which it is continued in full, and where that ends."""
_AVERAGE_SKIN = 165.0
"""Mean of the cheeks' colour in an average photo, in whose light the usual colours are given."""
_COLOURFUL = 0.15
"""Spread of the cheeks' channels over their mean from which a photo counts as fully coloured."""


def in_light(colours: ArrayLike, skin_tone: Colour) -> Colour:
    """Usual colours (…, 3) in the light of a photo, judged by the cheeks' colour (3,).

    A photo in black and white, whose cheeks have no colour, makes them grey.
    """
    usual = np.asarray(colours, np.float64)
    mean = max(float(skin_tone.mean()), 1.0)
    tint = np.clip((skin_tone / mean) ** 0.35, 0.8, 1.2)
    lit = usual * tint * np.clip(mean / _AVERAGE_SKIN, 0.35, 1.15)
    grey = lit.mean(-1, keepdims=True)
    colourful = np.clip(np.ptp(skin_tone) / mean / _COLOURFUL, 0.0, 1.0)
    result: Colour = grey + (lit - grey) * colourful
    return result


def closed_skin(small: Image, mouth: Image) -> Image:
    """The photo (h, w, 3) with the mouth's inside, 1 in `mouth`, filled from the lips."""
    if not mouth.any():
        return small
    return np.asarray(cv2.inpaint(small, _wider(mouth), 3, cv2.INPAINT_TELEA), np.uint8)


def inside_of(small: Image, mouth: Image) -> tuple[Image, Image, Image]:
    """The mouth's inside, carried on around where the photo shows it.

    Args:
        small: (h, w, 3) uint8, the photo.
        mouth: (h, w) uint8, 1 in the mouth's inside.

    Returns:
        The picture, 1 where it is the photo's own, and how far it is to be used, 0 to 255.
    """
    shown = cv2.erode(mouth, np.ones((3, 3), np.uint8))  # its edge is mixed with the lips
    if shown.sum() < _LEAST:
        nothing = np.zeros_like(mouth)
        return small, nothing, nothing
    around = cv2.dilate(shown, np.ones((15, 15), np.uint8)) - shown
    filled = cv2.inpaint(small, around, 3, cv2.INPAINT_TELEA)
    away = cv2.distanceTransform(1 - shown, cv2.DIST_L2, 5)
    share = 1 - smoothstep((away - _CONTINUED_FULL) / (_CONTINUED - _CONTINUED_FULL))
    return (
        np.asarray(filled, np.uint8),
        np.asarray(shown, np.uint8),
        np.round(255 * share).astype(np.uint8),
    )


def tooth_colour(small: Image, teeth: NDArray[np.bool_], skin_tone: Colour) -> Colour:
    """Colour (3,) of teeth in full light: the photo's brightest, where it shows some."""
    usual = in_light(TOOTH, skin_tone)
    colours = small[teeth].astype(np.float64)
    if len(colours) < _LEAST:
        return usual
    level = colours.mean(1)
    seen: Colour = np.median(colours[level >= np.percentile(level, 75)], axis=0)
    return seen if seen.mean() > 0.6 * skin_tone.mean() else usual


def seam_colour(small: Image, lips: Image) -> Colour:
    """Colour (3,) of the line between closed lips: the darkest where `lips` is 1."""
    colours = small[lips > 0].astype(np.float64)
    if not len(colours):
        return np.full(3, 60.0)
    level = colours.mean(1)
    result: Colour = colours[level <= np.percentile(level, 8)].mean(0)
    return result


def _wider(mask: Image) -> Image:
    return np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)
