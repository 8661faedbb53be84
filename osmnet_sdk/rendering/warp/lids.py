"""Skin for lids that close, made from the skin around the eyes, and the line of the lashes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.rendering.filling import spread
from osmnet_sdk.rendering.warp.look import LIDS, in_single
from osmnet_sdk.rendering.warp.texture_region import TextureRegion

Image = NDArray[np.uint8]
Mask = NDArray[np.float32]
Float = NDArray[np.float32]

_LASHES = 0.065
"""How far lashes reach around the eye opening, over the distance of the outer eye corners."""
_SMOOTH = 0.05
"""Smoothing of the skin carried on along the lids, over the same: a lid that closes stretches it,
so that each lash beside it would become a stripe."""
_SHADE = 0.72
"""Brightness against that of the skin nearby below which a pixel is hair, lash or paint."""
UPPER_LIDS = {
    "Left": (362, 398, 384, 385, 386, 387, 388, 466, 263),
    "Right": (33, 246, 161, 160, 159, 158, 157, 173, 133),
}
"""Landmarks along the upper lid's edge, corner to corner."""
LEAST_SHARE = 0.05
"""Share of the plain lid's colour from which on its form is drawn."""

_LOOK = in_single(LIDS)
_jit = numba.njit(cache=True, nogil=True, fastmath=True)


def lid_picture(
    face: SourceFace, texture_region: TextureRegion, small: Image, eye: Image
) -> tuple[Image, Mask, NDArray[np.float64]]:
    """Skin carried on over the eyes from around them.

    Lashes, brows and hair are left out, but the light around each eye stays, so that a closed lid
    joins what is beside it.

    Args:
        face: the fitted photo.
        texture_region: what `small` covers.
        small: (h, w, 3) uint8, the photo over the region.
        eye: (h, w) uint8, 1 in the eyes' openings.

    Returns:
        The picture, where it is to be used (h, w) from 0 to 1, and the colour (3,) of the lashes.
    """
    corners = face.landmarks[list(sets.EYE_OUTER_CORNERS)]
    between = float(np.linalg.norm(corners[0] - corners[1])) * texture_region.scale
    size = max(1, round(_LASHES * between)) * 2 + 1
    area = cv2.dilate(eye, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    rows, columns = np.nonzero(area)
    if not len(rows):
        return small, area.astype(np.float32), np.full(3, 30.0)
    margin = round(0.3 * between)
    box = (
        slice(max(0, rows.min() - margin), rows.max() + margin),
        slice(max(0, columns.min() - margin), columns.max() + margin),
    )
    picture = small.copy()
    skin = spread(small[box], _bare_skin(face, texture_region, small, area)[box])
    picture[box] = cv2.GaussianBlur(skin, (0, 0), _SMOOTH * between, sigmaY=0.2 * _SMOOTH * between)
    ring = (area > 0) & (eye == 0)
    lash = np.percentile(small[ring], 8, axis=0) if ring.any() else np.full(3, 30.0)
    soft = cv2.GaussianBlur(area.astype(np.float32), (0, 0), 0.02 * between)
    return picture, np.asarray(soft, np.float32), np.asarray(lash, np.float64)


def _bare_skin(face: SourceFace, texture_region: TextureRegion, small: Image, area: Image) -> Mask:
    """1 where the face shows skin without lashes, brows and hair."""
    skin = np.zeros(texture_region.shape, np.uint8)
    cv2.fillPoly(skin, [texture_region.to_pixels(face.landmarks[list(sets.FACE_OVAL)])], 1)
    skin[area > 0] = 0
    for brow in (sets.LEFT_BROW, sets.RIGHT_BROW):
        outline = texture_region.to_pixels(face.landmarks[list(brow)])
        cv2.fillPoly(skin, [outline], 0)
        cv2.polylines(skin, [outline], True, 0, 3)
    known = skin.astype(np.float32)
    level = small.astype(np.float32).mean(2)
    sigma = 0.05 * max(texture_region.shape)
    near = cv2.GaussianBlur(level * known, (0, 0), sigma)
    near /= np.maximum(cv2.GaussianBlur(known, (0, 0), sigma), 1e-3)
    return np.asarray(known * (level > _SHADE * near), np.float32)


def lid_share(closure: NDArray[np.floating]) -> NDArray[np.float32]:
    """How much of the plain lid's colour shows: nothing until an eye is clearly closing."""
    return np.asarray(np.clip(closure / 0.6 - 0.15, 0.0, 1.0), np.float32)


@dataclass(frozen=True, eq=False)
class LidLine:
    """The edge of an upper lid in a frame, and the box around what it changes there.

    Attributes:
        rows: of the box.
        columns: of the box.
        start: (2,) float32, where the line starts in the box: x, y.
        along: (2,) float32, direction from corner to corner over the eye's length in pixels.
        across: (2,) float32, the same at a right angle, from the lid towards the eye.
        arc: (3,) float32, the line as a parabola in these, highest power first.
        pixel: of a 256 crop, but not much less than one of the frame, over the eye's length.
    """

    rows: slice
    columns: slice
    start: Float
    along: Float
    across: Float
    arc: Float
    pixel: np.float32


def lid_line(
    landmarks: NDArray[np.floating], side: str, shape: tuple[int, ...], pixels: float
) -> LidLine | None:
    """The edge of an upper lid; None where the frame shows too little of it.

    Args:
        landmarks: (478, 2+) where the frame shows them.
        side: "Left" or "Right", the subject's.
        shape: (height, width, …) of the frame.
        pixels: frame pixels for each pixel of a 256 crop.
    """
    line = landmarks[list(UPPER_LIDS[side]), :2].astype(np.float64)
    length = float(np.linalg.norm(line[-1] - line[0]))
    margin = round(0.5 * length) + 2
    low = np.maximum(np.floor(line.min(0)).astype(int) - margin, 0)
    high = np.minimum(np.ceil(line.max(0)).astype(int) + margin, shape[1::-1])
    if (high - low).min() < 3 or length < 3:
        return None
    along = (line[-1] - line[0]) / length
    # the lid lies above its edge whichever corner the line starts at
    across = np.array([-along[1], along[0]]) * (1.0 if along[0] > 0 else -1.0)
    place, drop = (line - line[0]) @ along / length, (line - line[0]) @ across / length
    arc = np.polyfit(place[1:-1], drop[1:-1], 2)  # the mesh bends sharply beside the corners
    return LidLine(
        rows=slice(low[1], high[1]),
        columns=slice(low[0], high[0]),
        start=(line[0] - low).astype(np.float32),
        along=(along / length).astype(np.float32),
        across=(across / length).astype(np.float32),
        arc=arc.astype(np.float32),
        pixel=np.float32(max(pixels, 0.6) / length),
    )


def shade_lid(out: Float, line: LidLine, strength: float, lash: Float) -> None:
    """Give the upper lid of an eye that closes its form: round, with a crease above, lashes below.

    Args:
        out: (h, w, 3) float32 frame, changed in place.
        line: the lid's edge in it.
        strength: 0 to 1.
        lash: (3,) colour of the lashes.
    """
    _shade_lid(
        out[line.rows, line.columns], line.start, line.along, line.across, line.arc,
        np.float32(strength), lash, line.pixel, _LOOK,
    )  # fmt: skip


@_jit
def _shade_lid(out, start, along, across, arc, strength, lash, pixel, look):  # type: ignore[no-untyped-def]
    """Lengths are over that of the eye; `arc` is the lid's edge as a parabola."""
    one = np.float32(1.0)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            dx, dy = x - start[0], y - start[1]
            place = dx * along[0] + dy * along[1]
            if place <= 0.0 or place >= 1.0:
                continue
            below = dx * across[0] + dy * across[1]
            below -= (arc[0] * place + arc[1]) * place + arc[2]
            ends = np.sqrt(np.float32(4.0) * place * (one - place))
            up = -below / (look.height * ends + pixel)  # 0 at the edge, 1 at the crease
            fold = (up - one) / look.crease_width
            light = -look.crease * np.exp(-fold * fold)
            if up > 0.0:
                light -= look.edge * np.exp(-up * look.edge_fall)
                if up < 1.0:
                    light += look.bulge * np.sin(np.float32(np.pi) * up)
            light = one + light * strength * ends
            # lashes hang below the edge
            off = below / (pixel * (look.lashes_below if below > 0.0 else look.lashes_above))
            hair = look.lashes * strength * ends * np.exp(-off * off)
            for c in range(3):
                colour = out[y, x, c] * light
                out[y, x, c] = colour + (lash[c] - colour) * hair
