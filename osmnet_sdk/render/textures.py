"""What the photo gives to paint with: skin, lids, eyes, person mask and empty background.

All pictures of one set cover the same part of the photo, the head crop and a margin; where that
reaches beyond the photo, the photo is mirrored and grows blurred.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.model import PARTS
from osmnet_sdk.render.geometry import WORK_SIZE, HeadGeometry, smoothstep
from osmnet_sdk.render.grid import MARGIN
from osmnet_sdk.render.raster import rasterize

Image = NDArray[np.uint8]
Mask = NDArray[np.float32]

_MIRRORED_HAIR = 0.05
"""Reach of the person beyond the photo's sides and top, over the crop's side."""

MOUTH_PARTS = ("upper_teeth", "lower_teeth", "tongue", "mouth_cavity")
EYE_PARTS = ("left_eye", "right_eye", "eye_socket")


@dataclass(frozen=True)
class Domain:
    """A rectangle of the photo, in whole pixels, and the scale of pictures that cover it.

    Attributes:
        x: left edge in the photo's pixels; may be negative.
        y: top edge.
        width: pixels of the photo.
        height: pixels of the photo.
        scale: pixels of a picture for each pixel of the photo.
    """

    x: int
    y: int
    width: int
    height: int
    scale: float

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of a picture that covers the domain."""
        return max(1, round(self.height * self.scale)), max(1, round(self.width * self.scale))

    def to_picture(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Positions (N, 2) in the photo's pixels as positions in a picture of the domain."""
        corner = points[:, :2] - [self.x, self.y] + 0.5
        result: NDArray[np.float64] = corner * self.scale - 0.5
        return result

    def cut(self, photo: Image) -> Image:
        """The photo over the domain; beyond the photo it is mirrored and grows blurred."""
        height, width = photo.shape[:2]
        left, top = max(0, -self.x), max(0, -self.y)
        right = max(0, self.x + self.width - width)
        bottom = max(0, self.y + self.height - height)
        inner = photo[
            max(0, self.y) : min(height, self.y + self.height),
            max(0, self.x) : min(width, self.x + self.width),
        ]
        shape = self.shape
        if not (left or top or right or bottom):
            return _resized(inner, shape)
        padded = _mirrored(inner, top, bottom, left, right)
        picture = _resized(padded, shape)
        if picture.ndim == 2:
            return picture
        outside = np.ones(padded.shape[:2], np.uint8)
        outside[top : self.height - bottom, left : self.width - right] = 0
        away = cv2.distanceTransform(_resized(outside, shape), cv2.DIST_L2, 5)
        reach = 0.12 * max(shape)
        soft = cv2.GaussianBlur(picture, (0, 0), 0.02 * max(shape))
        share = np.clip(away / reach, 0, 1)[..., None]
        return _bytes(picture * (1 - share) + soft * share)


def _mirrored(picture: Image, top: int, bottom: int, left: int, right: int) -> Image:
    """Pad by mirroring, as often as it takes."""
    while top or bottom or left or right:
        height, width = picture.shape[:2]
        steps = [min(top, height), min(bottom, height), min(left, width), min(right, width)]
        a, b, c, d = steps
        picture = np.asarray(cv2.copyMakeBorder(picture, a, b, c, d, cv2.BORDER_REFLECT), np.uint8)
        top, bottom, left, right = (
            wanted - step for wanted, step in zip((top, bottom, left, right), steps, strict=True)
        )
    return picture


def _bytes(picture: NDArray[np.floating]) -> Image:
    return np.asarray(np.round(picture).clip(0, 255), np.uint8)


def _resized(picture: Image, shape: tuple[int, int]) -> Image:
    if picture.shape[:2] == shape:
        return np.ascontiguousarray(picture)
    shrink = shape[0] < picture.shape[0]
    how = cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (shape[1], shape[0]), interpolation=how), np.uint8)


@dataclass(frozen=True, eq=False)
class Textures:
    """Pictures of one domain, all (h, w, 3) uint8 RGB or (h, w) uint8.

    Attributes:
        domain: what they cover.
        skin: the photo, its mouth's inside filled from the lips.
        photo: the photo as it is.
        lids: skin over the eyes, for closing lids.
        eyes: eyeballs, continued beneath the lids.
        person: 255 where the person is.
        mouth: 255 where the photo shows the inside of the mouth.
        background: the photo without the person.
        lash: (3,) float, colour of the lashes, 0 to 255.
        skin_tone: (3,) float, colour of the cheeks, 0 to 255.
    """

    domain: Domain
    skin: Image
    photo: Image
    lids: Image
    eyes: Image
    person: Image
    mouth: Image
    background: Image
    lash: NDArray[np.float64]
    skin_tone: NDArray[np.float64]


def head_domain(geometry: HeadGeometry, scale: float) -> Domain:
    """The head crop and the margin that the photo grid covers."""
    crop = geometry.face.crop
    side = round(crop.side * (1 + 2 * MARGIN))
    return Domain(
        round(crop.x - MARGIN * crop.side), round(crop.y - MARGIN * crop.side), side, side, scale
    )


def build_textures(geometry: HeadGeometry, scale: float) -> Textures:
    """Make the textures of a source head.

    Args:
        geometry: the source head.
        scale: pixels of the textures for each pixel of the photo.
    """
    fine = head_domain(geometry, scale)
    work = head_domain(geometry, WORK_SIZE / geometry.face.crop.side)
    photo, small = fine.cut(geometry.face.photo), work.cut(geometry.face.photo)
    parts = _part_picture(geometry, work)
    eye = np.isin(parts, [PARTS.index(name) for name in EYE_PARTS]).astype(np.uint8)
    mouth = np.isin(parts, [PARTS.index(name) for name in MOUTH_PARTS]).astype(np.uint8)
    opening = _eye_opening(geometry, work)
    eye &= cv2.dilate(opening, np.ones((3, 3), np.uint8))
    person = _person(geometry, work, parts)
    lids, lid_area = _lid_picture(geometry, work, small, np.maximum(eye, opening))
    ring = (lid_area > 0.5) & (eye == 0)
    lash = np.percentile(small[ring], 8, axis=0) if ring.any() else np.full(3, 30.0)
    hole = (person > 0.1).astype(np.uint8)
    person *= _fade_beyond(geometry, work)
    kernel = np.ones((3, 3), np.uint8)
    return Textures(
        domain=fine,
        skin=_blend(photo, _mouth_filled(small, mouth), cv2.dilate(mouth, kernel), 0.7),
        photo=photo,
        lids=_blend(photo, lids, lid_area, 0.7),
        eyes=_eye_picture(photo, small, eye),
        person=_resized(np.round(person * 255).astype(np.uint8), fine.shape),
        mouth=_resized(np.round(_soft(cv2.erode(mouth, kernel), 1) * 255).astype(np.uint8),
                       fine.shape),
        background=_empty_background(photo, hole),
        lash=np.asarray(lash, np.float64),
        skin_tone=_skin_tone(geometry, work, small),
    )  # fmt: skip


def _part_picture(geometry: HeadGeometry, domain: Domain) -> NDArray[np.int32]:
    """Part that the photo shows at each pixel of the domain, −1 beside the head."""
    points = geometry.source.copy()
    points[:, :2] = domain.to_picture(points)
    cover = rasterize(points, geometry.model.triangles, domain.shape)
    parts = geometry.model.parts[np.maximum(cover.triangle, 0)]
    return np.where(cover.triangle >= 0, parts, -1).astype(np.int32)


def _eye_opening(geometry: HeadGeometry, domain: Domain) -> Image:
    """1 between the tracked lids of both eyes."""
    picture = np.zeros(domain.shape, np.uint8)
    for loop in (sets.LEFT_EYE, sets.RIGHT_EYE):
        cv2.fillPoly(picture, [_outline(geometry, domain, loop)], 1)
    return picture


def _outline(geometry: HeadGeometry, domain: Domain, loop: tuple[int, ...]) -> NDArray[np.int32]:
    """Tracked landmarks of a loop as whole pixels of a picture of the domain."""
    points = domain.to_picture(geometry.face.landmarks[list(loop)])
    return np.round(points).astype(np.int32)


def _soft(mask: NDArray[np.generic], sigma: float) -> Mask:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma), np.float32)


def _blend(photo: Image, painted: Image, area: NDArray[np.generic], sigma: float) -> Image:
    """Put a picture made at working size into the photo, over a soft area."""
    shape = (photo.shape[1], photo.shape[0])
    share = cv2.resize(_soft(area, sigma), shape, interpolation=cv2.INTER_LINEAR)[..., None]
    large = cv2.resize(painted, shape, interpolation=cv2.INTER_CUBIC)
    return _bytes(photo * (1 - share) + large * share)


def _mouth_filled(small: Image, mouth: Image) -> Image:
    if not mouth.any():
        return small
    wider = cv2.dilate(mouth, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.inpaint(small, wider, 3, cv2.INPAINT_TELEA), np.uint8)


def _eye_picture(photo: Image, small: Image, eye: Image) -> Image:
    """Eyeballs continued beneath the lids by inpainting around their visible part."""
    inner = cv2.erode(eye, np.ones((3, 3), np.uint8))
    if inner.sum() <= 10:
        return photo
    ring = cv2.dilate(eye, np.ones((17, 17), np.uint8)) - inner
    filled = cv2.inpaint(small, ring, 3, cv2.INPAINT_TELEA)
    shape = (photo.shape[1], photo.shape[0])
    large = cv2.resize(filled, shape, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    share = cv2.resize(_soft(inner, 1), shape, interpolation=cv2.INTER_LINEAR)[..., None]
    return _bytes(large * (1 - share) + photo * share)


def _lid_picture(
    geometry: HeadGeometry, domain: Domain, small: Image, eye: Image
) -> tuple[Image, Mask]:
    """Skin spread over the eyes from around them, lashes and brows left out, and where it goes."""
    corners = geometry.face.landmarks[list(sets.EYE_OUTER_CORNERS)]
    between = float(np.linalg.norm(corners[0] - corners[1])) * domain.scale
    size = int(0.11 * between) * 2 + 1
    area = cv2.dilate(eye, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    excluded = area.copy()
    for brow in (sets.LEFT_BROW, sets.RIGHT_BROW):
        outline = _outline(geometry, domain, brow)
        cv2.fillPoly(excluded, [outline], 1)
        cv2.polylines(excluded, [outline], True, 1, max(2, int(0.03 * between)))
    oval = np.zeros(domain.shape, np.uint8)
    cv2.fillPoly(oval, [_outline(geometry, domain, sets.FACE_OVAL)], 1)
    tone = _skin_tone(geometry, domain, small)
    like_skin = np.linalg.norm(small - tone, axis=2) < 0.45 * np.linalg.norm(tone)
    known = ((excluded == 0) & (oval == 1) & like_skin).astype(np.float32)
    reach = 0.09 * between
    weight = cv2.GaussianBlur(known, (0, 0), reach)[..., None] + 1e-4
    spread = cv2.GaussianBlur(small * known[..., None], (0, 0), reach) / weight
    spread = np.where(weight > 0.02, spread, tone)
    return spread.clip(0, 255).astype(np.uint8), _soft(area, 0.03 * between)


def _person(geometry: HeadGeometry, domain: Domain, parts: NDArray[np.int32]) -> Mask:
    """Person mask over the domain, 0 to 1; the fitted head always belongs to it."""
    mask = domain.cut(geometry.face.mask).astype(np.float32) / 255
    person = np.clip((mask - 0.25) / 0.5, 0, 1)
    head = cv2.dilate((parts >= 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.maximum(person, _soft(head, 1.5)).astype(np.float32)


def _fade_beyond(geometry: HeadGeometry, domain: Domain) -> Mask:
    """1 within the photo, falling to 0 soon beyond its sides and top.

    Mirrored hair would follow the head as a second one; below the photo, shoulders go on.
    """
    width = geometry.face.photo.shape[1]
    height, columns = domain.shape
    x = domain.x + (np.arange(columns) + 0.5) / domain.scale
    y = domain.y + (np.arange(height) + 0.5) / domain.scale
    beyond = np.maximum(np.maximum(-x, x - width)[None], -y[:, None])
    reach = _MIRRORED_HAIR * geometry.face.crop.side
    return np.asarray(1.0 - smoothstep(beyond / reach), np.float32)


def _empty_background(photo: Image, hole: Image) -> Image:
    """Fill the person's place smoothly from around it; detail behind a head cannot be known."""
    size = 128
    tiny = cv2.resize(photo, (size, size), interpolation=cv2.INTER_AREA)
    gap = cv2.resize(hole, (size, size), interpolation=cv2.INTER_NEAREST)
    gap = cv2.dilate(gap, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    filled = cv2.inpaint(tiny, gap, 5, cv2.INPAINT_TELEA).astype(np.float32)
    for sigma in (12, 6, 3):
        blurred = cv2.GaussianBlur(filled, (0, 0), sigma)
        filled = np.where(gap[..., None] > 0, blurred, tiny).astype(np.float32)
    shape = (photo.shape[1], photo.shape[0])
    large = cv2.resize(filled, shape, interpolation=cv2.INTER_CUBIC)
    share = cv2.resize(gap.astype(np.float32), shape)
    share = cv2.GaussianBlur(share, (0, 0), max(photo.shape) / 100)[..., None]
    return _bytes(photo * (1 - share) + large * share)


def _skin_tone(geometry: HeadGeometry, domain: Domain, small: Image) -> NDArray[np.float64]:
    height, width = domain.shape
    points = _outline(geometry, domain, (50, 280, 205, 425, 199))
    points = np.clip(points, 0, [width - 1, height - 1])
    tone: NDArray[np.float64] = np.median(small[points[:, 1], points[:, 0]].astype(float), axis=0)
    return tone
