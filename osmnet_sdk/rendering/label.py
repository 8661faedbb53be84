"""The label that tells viewers that a picture was generated, drawn into its corner."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.provenance import LABEL
from osmnet_sdk.errors import PhotoError

_HEIGHT = 0.032
"""Height of the letters' em over that of the frame."""
_SMALLEST = 11
"""Smallest em, in pixels, that can be read."""
_WIDEST = 0.6
"""Largest width of the label over that of the frame."""
_OPACITY = 0.55
"""Opacity of the dark plate that keeps the letters readable on any background."""


def draw_label(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Write "AI-generated" into the bottom-left corner of a frame, white on a dark plate.

    Args:
        image: uint8 (H, W, 3), RGB. It is changed in place, unless it cannot be written to.

    Returns:
        The image with the label: `image` itself, or a copy of one that cannot be written to.

    Raises:
        PhotoError: if the image is not uint8 of shape (H, W, 3).
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise PhotoError(
            f"A frame must be uint8 of shape (height, width, 3), not {image.dtype} of shape "
            f"{image.shape}."
        )
    if not image.flags.writeable:
        image = image.copy()
    overlay = _overlay(image.shape[0], image.shape[1])
    height, width = overlay.keep.shape[:2]
    left, bottom = overlay.margin, image.shape[0] - overlay.margin
    region = image[bottom - height : bottom, left : left + width]
    # Whole numbers with 8 bits of fraction are several times as fast as floats here.
    region[...] = (region * overlay.keep + overlay.add) >> 8
    return image


def label_alpha(alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The alpha (H, W) of a frame once `draw_label` has drawn on it, a new array."""
    overlay = _overlay(alpha.shape[0], alpha.shape[1])
    height, width = overlay.keep.shape[:2]
    left, bottom = overlay.margin, alpha.shape[0] - overlay.margin
    labelled = alpha.copy()
    region = labelled[bottom - height : bottom, left : left + width]
    region[...] = 255 - (((255 - region.astype(np.uint16)) * overlay.keep[..., 0] + 128) >> 8)
    return labelled


class _Overlay(NamedTuple):
    """A label to be laid over frames of one size: (region · keep + add) / 256."""

    keep: NDArray[np.uint16]
    """(h, w, 3), what stays of the frame, 0 to 256."""
    add: NDArray[np.uint16]
    """(h, w, 3), the light of the letters times 256, with half a step for rounding."""
    margin: int
    """Distance to the frame's edges, in pixels."""


@lru_cache(maxsize=16)
def _overlay(frame_height: int, frame_width: int) -> _Overlay:
    from PIL import Image, ImageDraw, ImageFont  # only needed once per frame size

    size = max(_SMALLEST, round(_HEIGHT * frame_height))
    while True:
        font = ImageFont.load_default(size)
        left, top, right, bottom = (round(edge) for edge in font.getbbox(LABEL))
        pad = max(1, round(size * 0.35))
        width, height = right - left + 2 * pad, bottom - top + 2 * pad
        if size <= 1 or (width <= _WIDEST * frame_width and height <= frame_height):
            break
        size -= 1
    margin = min(round(size * 0.5), max(frame_height - height, 0), max(frame_width - width, 0))
    plate = Image.new("L", (width, height), 0)
    ImageDraw.Draw(plate).rounded_rectangle(
        (0, 0, width - 1, height - 1), radius=pad, fill=round(255 * _OPACITY)
    )
    letters = Image.new("L", (width, height), 0)
    ImageDraw.Draw(letters).text((pad - left, pad - top), LABEL, fill=255, font=font)
    ink, shade = (
        np.repeat(np.asarray(layer, np.float64)[..., None] / 255, 3, axis=2)[
            :frame_height, :frame_width
        ]
        for layer in (letters, plate)
    )
    keep = np.rint(256 * (1 - ink) * (1 - shade)).astype(np.uint16)
    # The half that rounds is left out where the sum would not fit into 16 bits.
    add = np.minimum(np.rint(255 * 256 * ink) + 128, 65535 - 255 * keep.astype(np.float64))
    return _Overlay(keep, add.astype(np.uint16), margin)
