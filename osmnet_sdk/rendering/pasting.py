"""Putting a picture of one part of a photo into frames that show another part of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.rendering.view import View

Image = NDArray[np.uint8]


class Pasting:
    """Scales pictures of a part to a frame, and fills what lies beside them with the still photo.

    Where the frame goes on beyond the part, the picture melts into the photo; where both end, it
    goes up to the edge.

    Args:
        photo: (H, W, 3) uint8 RGB.
        part: what the pictures show.
        view: what the frames show.
    """

    def __init__(self, photo: Image, part: View, view: View) -> None:
        corners = np.array([[0, 0], [part.width, part.height]]) / part.scale + [part.x, part.y]
        low, high = np.round((corners - [view.x, view.y]) * view.scale).astype(int)
        left, top = np.clip(low, 0, [view.width, view.height])
        right, bottom = np.clip(high, 0, [view.width, view.height])
        scale = view.scale / part.scale
        self._part = View(
            (view.x + left / view.scale - part.x) * part.scale,
            (view.y + top / view.scale - part.y) * part.scale,
            scale,
            right - left,
            bottom - top,
        )
        self._region = (slice(top, bottom), slice(left, right))
        self._same = part == view
        self._still = view.still(photo)
        self._share = view.melt(self._region, max(high - low))

    def __call__(self, picture: Image) -> Image:
        """The frame (height, width, 3) with a picture (h, w, 3) of the part in its place."""
        if self._same:
            return picture
        frame, placed = self._still.copy(), self._part.still(picture)
        blended = frame[self._region] * (1 - self._share) + placed * self._share
        frame[self._region] = np.clip(blended + 0.5, 0, 255).astype(np.uint8)
        return frame
