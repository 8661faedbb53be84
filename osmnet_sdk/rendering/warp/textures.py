"""What the photo gives to paint with: skin, lids, eyes, person mask and empty background.

All pictures of one set cover the same part of the photo, the head crop and a margin; where that
reaches beyond the photo, its colours are carried on.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.model import PARTS
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.rendering.warp.backdrop import empty_background, person_mask, person_share
from osmnet_sdk.rendering.warp.geometry import WORK_SIZE, HeadGeometry
from osmnet_sdk.rendering.warp.lids import lid_picture
from osmnet_sdk.rendering.warp.mouth_photo import closed_skin, inside_of, seam_colour, tooth_colour
from osmnet_sdk.rendering.warp.raster import rasterize
from osmnet_sdk.rendering.warp.texture_region import TextureRegion, head_region, resized

Image = NDArray[np.uint8]
Mask = NDArray[np.float32]

MOUTH_PARTS = ("upper_teeth", "lower_teeth", "tongue", "mouth_cavity")
EYE_PARTS = ("left_eye", "right_eye", "eye_socket")


@dataclass(frozen=True, eq=False)
class Textures:
    """Pictures of one region, all (h, w, 3) uint8 RGB or (h, w) uint8.

    Attributes:
        texture_region: what they cover.
        skin: the photo, its mouth's inside filled from the lips.
        photo: the photo as it is.
        lids: skin over the eyes, for closing lids.
        eyes: eyeballs, continued beneath the lids.
        person: 255 where the person is, falling to 0 around it.
        mouth: the photo's inside of the mouth, continued around it.
        mouth_share: how much of `mouth` is to be used, 255 where the photo shows it.
        background: the photo without the person.
        lash: (3,) float, colour of the lashes, 0 to 255.
        skin_tone: (3,) float, colour of the cheeks, 0 to 255.
        tooth: (3,) float, colour of teeth in full light, 0 to 255.
        seam: (3,) float, colour of the line between closed lips, 0 to 255.
    """

    texture_region: TextureRegion
    skin: Image
    photo: Image
    lids: Image
    eyes: Image
    person: Image
    mouth: Image
    mouth_share: Image
    background: Image
    lash: NDArray[np.float64]
    skin_tone: NDArray[np.float64]
    tooth: NDArray[np.float64]
    seam: NDArray[np.float64]


def build_textures(geometry: HeadGeometry, scale: float) -> Textures:
    """Make the textures of a source head.

    Args:
        geometry: the source head.
        scale: pixels of the textures for each pixel of the photo.
    """
    face = geometry.face
    fine = head_region(geometry, scale)
    work = head_region(geometry, WORK_SIZE / face.crop.side)
    photo, small = fine.cut(face.photo), work.cut(face.photo)
    parts = part_picture(geometry, work)
    mouth = _shown(parts, MOUTH_PARTS)
    opening = _area(face, work, sets.LEFT_EYE) | _area(face, work, sets.RIGHT_EYE)
    eye = _shown(parts, EYE_PARTS) & cv2.dilate(opening, np.ones((3, 3), np.uint8))
    lids, lid_area, lash = lid_picture(face, work, small, np.maximum(eye, opening))
    inner, inside, inside_share = inside_of(small, mouth)
    person = person_mask(geometry, work, small, parts >= 0)
    person_part = person_share(geometry, work, person)
    tone = _skin_tone(face, work, small)
    return Textures(
        texture_region=fine,
        skin=_blend(
            photo, closed_skin(small, mouth), cv2.dilate(mouth, np.ones((3, 3), np.uint8)), 0.7
        ),
        photo=photo,
        lids=_blend(photo, lids, lid_area, 0.7),
        eyes=_eye_picture(photo, small, eye),
        person=resized(np.round(person_part * 255).astype(np.uint8), fine.shape),
        mouth=_blend(photo, inner, 1.0 - inside, 0.7),
        mouth_share=resized(inside_share, fine.shape),
        background=empty_background(geometry, photo, work, person, small),
        lash=lash,
        skin_tone=tone,
        tooth=tooth_colour(small, (parts == PARTS.index("upper_teeth")) & (inside > 0), tone),
        seam=seam_colour(small, _area(face, work, sets.LIPS_OUTER)),
    )


def part_picture(geometry: HeadGeometry, texture_region: TextureRegion) -> NDArray[np.int32]:
    """Part that the photo shows at each pixel of the region, −1 beside the head."""
    points = geometry.source.copy()
    points[:, :2] = texture_region.to_picture(points)
    cover = rasterize(points, geometry.model.triangles, texture_region.shape)
    parts = geometry.model.parts[np.maximum(cover.triangle, 0)]
    return np.where(cover.triangle >= 0, parts, -1).astype(np.int32)


def _shown(parts: NDArray[np.int32], names: tuple[str, ...]) -> Image:
    """1 where the photo shows one of these parts."""
    return np.isin(parts, [PARTS.index(name) for name in names]).astype(np.uint8)


def _area(face: SourceFace, texture_region: TextureRegion, loop: tuple[int, ...]) -> Image:
    """1 within a loop of tracked landmarks."""
    picture = np.zeros(texture_region.shape, np.uint8)
    cv2.fillPoly(picture, [texture_region.to_pixels(face.landmarks[list(loop)])], 1)
    return picture


def _bytes(picture: NDArray[np.floating]) -> Image:
    return np.asarray(np.round(picture).clip(0, 255), np.uint8)


def _soft(mask: NDArray[np.generic], sigma: float) -> Mask:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma), np.float32)


def _blend(photo: Image, painted: Image, area: NDArray[np.generic], sigma: float) -> Image:
    """Put a picture made at working size into the photo, over a soft area."""
    shape = (photo.shape[1], photo.shape[0])
    share = cv2.resize(_soft(area, sigma), shape, interpolation=cv2.INTER_LINEAR)[..., None]
    large = cv2.resize(painted, shape, interpolation=cv2.INTER_CUBIC)
    return _bytes(photo * (1 - share) + large * share)


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


def _skin_tone(
    face: SourceFace, texture_region: TextureRegion, small: Image
) -> NDArray[np.float64]:
    height, width = texture_region.shape
    points = texture_region.to_pixels(face.landmarks[[50, 280, 205, 425, 199]])
    points = np.clip(points, 0, [width - 1, height - 1])
    tone: NDArray[np.float64] = np.median(small[points[:, 1], points[:, 0]].astype(float), axis=0)
    return tone
