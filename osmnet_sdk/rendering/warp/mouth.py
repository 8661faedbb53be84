"""The inside of the mouth: teeth, gums, tongue and cavity, painted from the model's own parts.

What the photo shows of it is used as it is; the rest is painted in the photo's light. Lips shade
what lies behind them, and the further back it lies the less light reaches it, the less so the
wider the mouth is open. A gap of a pixel or two shows the dark line between the lips, not teeth.
"""

from __future__ import annotations

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face.landmark_sets import LOWER_LIP, UPPER_LIP
from osmnet_sdk.face.model import PARTS, FaceModel
from osmnet_sdk.rendering.warp.geometry import HeadGeometry
from osmnet_sdk.rendering.warp.look import DEEP, GUM, MOUTH, PALATE, TONGUE, in_single
from osmnet_sdk.rendering.warp.mouth_photo import in_light
from osmnet_sdk.rendering.warp.raster import Coverage
from osmnet_sdk.rendering.warp.shade import sample_cubic, sample_mask
from osmnet_sdk.rendering.warp.textures import Textures

Float = NDArray[np.float32]

_TOOTH, _DEEPEST, _SEAM = 0, 4, 5
"""Rows of the palette that are not a part's own."""
_KINDS = {"upper_teeth": 1, "lower_teeth": 2, "tongue": 3, "mouth_cavity": 4}
UPPER, LOWER, TONGUE_KIND = 1, 2, 3

_LOOK = in_single(MOUTH)
_jit = numba.njit(cache=True, nogil=True, fastmath=True)


def tooth_coordinates(model: FaceModel) -> Float:
    """(V, 2) metres along the dental arch from its middle, and height over the row, 1 in the gum.

    Both are 0 for vertices that belong to no tooth.
    """
    values = np.zeros((len(model.mean), 2), np.float32)
    for name, edge in (("upper_teeth", 0.0), ("lower_teeth", 1.0)):
        vertices = np.unique(model.triangles_of(name))
        x, y, z = model.mean[vertices].T
        values[vertices, 0] = np.sign(x) * np.hypot(x, z.max() - z)
        values[vertices, 1] = np.abs((y - y.min()) / np.ptp(y) - edge)
    return values


class MouthPainter:
    """Paints the inside of one head's mouth; may be used from several threads.

    Args:
        geometry: the source head.
        textures: what the photo gives.
        source: (V, 2) position of each vertex in the textures.
    """

    def __init__(self, geometry: HeadGeometry, textures: Textures, source: Float) -> None:
        model = geometry.model
        self._model = model
        self.kind = np.array([_KINDS.get(name, 0) for name in PARTS], np.int32)[model.parts]
        """(F,) int32 for each triangle, see `_paint`."""
        self.values = np.zeros((len(model.mean), 6), np.float32)
        """(V, 6) for each vertex, see `_paint`; what depends on the pose is 0."""
        self.values[:, :2], self.values[:, 4:] = tooth_coordinates(model), source
        self.photo, self.photo_share = textures.mouth, textures.mouth_share
        """What the photo shows of the inside, (h, w, 3) uint8, and how much of it is used."""
        usual = in_light([GUM, PALATE, TONGUE, DEEP], textures.skin_tone)
        self.palette = np.stack([textures.tooth, *usual, textures.seam]).astype(np.float32)
        """(6, 3) float32: tooth, gum, palate, tongue, deepest, seam."""

    def paint(self, vertices: Float, cover: Coverage, pixels: float) -> tuple[Float, Float]:
        """Colours of the mouth's inside, and how much of them shows.

        Args:
            vertices: (V, 3) posed head, metres.
            cover: coverage of the part of the frame around the mouth (h, w).
            pixels: frame pixels for each pixel of a 256 crop.

        Returns:
            (h, w, 3) float32, 0 to 255, and (h, w) float32, 0 to 1 with a soft edge.
        """
        lips = self._model.at_landmarks(vertices)
        opening = max(0.0, float(lips[UPPER_LIP, 1] - lips[LOWER_LIP, 1]))
        values = self.values.copy()
        values[:, 2] = lips[UPPER_LIP, 2] - vertices[:, 2]
        values[:, 3] = vertices[:, 0]
        colours = np.zeros((*cover.triangle.shape, 3), np.float32)
        inside = np.zeros(cover.triangle.shape, np.float32)
        _paint(
            cover.triangle, cover.weights, self._model.triangles, self.kind, values,
            self.palette, np.float32(opening), np.float32(pixels),
            self.photo, self.photo_share, colours, inside, _LOOK,
        )  # fmt: skip
        sigma = max(0.3, 0.5 * pixels)
        share = cv2.GaussianBlur(inside, (0, 0), sigma)
        soft = cv2.GaussianBlur(colours, (0, 0), sigma) / np.maximum(share, 1e-3)[..., None]
        return np.asarray(soft, np.float32), np.asarray(share, np.float32)


@_jit
def _smooth(t):  # type: ignore[no-untyped-def]
    t = min(max(t, np.float32(0.0)), np.float32(1.0))
    return t * t * (np.float32(3.0) - np.float32(2.0) * t)


@_jit
def _rising(least, t):  # type: ignore[no-untyped-def]
    """From `least` at 0 to 1 at 1."""
    return least + (np.float32(1.0) - least) * _smooth(t)


@_jit
def _paint(  # type: ignore[no-untyped-def]
    cover, weights, triangles, kind, values, palette, opening, pixels, photo, photo_share,
    colours, inside, look,
):  # fmt: skip
    """Paint every pixel that shows the mouth's inside, column by column between the lips.

    Args:
        cover: (h, w) triangle of the mesh, −1 beside it.
        weights: (h, w, 2) barycentric weights there.
        triangles: (F, 3) int32.
        kind: (F,) int32: 0 not in the mouth, else as in `_KINDS`.
        values: (V, 6) float32: metres along the dental arch, height over the row of teeth, metres
            behind the lips, metres across, position in the textures.
        palette: (6, 3) float32: tooth, gum, palate, tongue, deepest, seam.
        opening: metres between the lips.
        pixels: frame pixels for each pixel of a 256 crop.
        photo: (H, W, 3) uint8 texture of the mouth's inside.
        photo_share: (H, W) uint8, how much of it is used.
        colours: (h, w, 3) float32 result, 0 to 255.
        inside: (h, w) float32 result, 1 in the mouth.
        look: light and shade.
    """
    height, width = cover.shape
    for x in range(width):
        top = 0
        while top < height:
            if cover[top, x] < 0 or kind[cover[top, x]] == 0:
                top += 1
                continue
            bottom = top
            while bottom < height and cover[bottom, x] >= 0 and kind[cover[bottom, x]] > 0:
                bottom += 1
            for y in range(top, bottom):
                above = (y - top + np.float32(0.5)) / pixels
                below = (bottom - y - np.float32(0.5)) / pixels
                t = cover[y, x]
                u, v = weights[y, x, 0], weights[y, x, 1]
                w = np.float32(1.0) - u - v
                i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                sx = values[i, 4] * u + values[j, 4] * v + values[k, 4] * w
                sy = values[i, 5] * u + values[j, 5] * v + values[k, 5] * w
                depth = values[i, 2] * u + values[j, 2] * v + values[k, 2] * w
                behind = max(depth - look.lips_depth, np.float32(0.0))
                light = np.exp(-behind / (look.reach + look.reach_open * opening))
                shadow = _rising(look.upper_light, above / look.upper_shadow)
                shadow *= _rising(look.lower_light, below / look.lower_shadow)
                gum, base = np.float32(0.0), kind[t]
                if kind[t] == UPPER or kind[t] == LOWER:
                    along = values[i, 0] * u + values[j, 0] * v + values[k, 0] * w
                    up = values[i, 1] * u + values[j, 1] * v + values[k, 1] * w
                    base = _TOOTH
                    gum = _smooth((up - look.gum_line) / look.gum_edge)
                    shadow *= _between_teeth(along, look)
                    light *= np.exp(-(along / look.arch) * (along / look.arch))
                    if kind[t] == LOWER:
                        shadow *= look.lower_teeth
                elif kind[t] == TONGUE_KIND:
                    groove = values[i, 3] * u + values[j, 3] * v + values[k, 3] * w
                    groove /= look.groove_width
                    shadow *= np.float32(1.0) - look.groove * np.exp(-groove * groove)
                else:
                    base = 2
                seam = np.float32(1.0) - _smooth((above + below) / look.seam_width)
                known = sample_mask(photo_share, sx, sy)
                for c in range(3):
                    colour = palette[base, c] + (palette[1, c] - palette[base, c]) * gum
                    colour = palette[_DEEPEST, c] + (colour * shadow - palette[_DEEPEST, c]) * light
                    if known > 0.01:
                        colour += (sample_cubic(photo, sx, sy, c) - colour) * known
                    colours[y, x, c] = colour + (palette[_SEAM, c] - colour) * seam
                inside[y, x] = 1.0
            top = bottom


@_jit
def _between_teeth(along, look):  # type: ignore[no-untyped-def]
    """Brightness across a tooth, darker in the narrow line where two of them meet."""
    tooth = along / look.tooth_width
    off = abs(tooth - np.floor(tooth) - np.float32(0.5)) * np.float32(2.0)  # 1 between two teeth
    start = look.tooth_gap_start
    return np.float32(1.0) - look.tooth_gap * _smooth((off - start) / (np.float32(1.0) - start))
