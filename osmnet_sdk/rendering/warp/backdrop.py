"""What stands still behind the head, and how the person melts into it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.curves import smoothstep
from osmnet_sdk.rendering.filling import spread
from osmnet_sdk.rendering.warp.geometry import HeadGeometry
from osmnet_sdk.rendering.warp.texture_region import TextureRegion

Image = NDArray[np.uint8]
Mask = NDArray[np.float32]

_RIM, _RIM_END = 0.002, 0.014
"""Over the crop's side: the rim of the photo around the person that moves with it in full, and
where it has melted into what stands still. It holds hair too fine for the mask."""
_HAIR_REACH = 0.06
"""Over the crop's side: how far beside the person thin structures are taken for its hair."""
_HAIR_CONTRAST = 12.0
"""Steps of 255 by which a hair differs from what is around it."""
_PLAIN = 0.001
"""Share of thin structures further away up to which a background is plain, and those are hair."""
_FRINGE = 0.014
"""Over the crop's side: how far around the person nothing is taken for background; hair would
leave its colour there as a ghost."""
_BEYOND = 0.12
"""Reach of the person beyond the photo's sides and top, over the crop's side."""


def person_mask(
    geometry: HeadGeometry, texture_region: TextureRegion, small: Image, head: NDArray[np.bool_]
) -> Image:
    """1 where the person is, single hairs beside it included.

    Args:
        geometry: the source head.
        texture_region: what the pictures cover.
        small: (h, w, 3) uint8, the photo over the region.
        head: (h, w), where the fitted head is; it always belongs to the person.
    """
    mask = texture_region.cut(geometry.face.mask) > 127
    person = mask | (cv2.dilate(head.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    away = cv2.distanceTransform(1 - person.astype(np.uint8), cv2.DIST_L2, 5)
    near = away < _HAIR_REACH * geometry.face.crop.side * texture_region.scale
    # a median takes out what is thin, but no edges
    thin = cv2.absdiff(small, cv2.medianBlur(small, 9)).mean(2) > _HAIR_CONTRAST
    inside = (_beyond(geometry, texture_region) <= 0) & ~near
    if inside.any() and thin[inside].mean() < _PLAIN:  # before a pattern it may be anything
        person |= near & thin
    return np.asarray(person, np.uint8)


def person_share(geometry: HeadGeometry, texture_region: TextureRegion, person: Image) -> Mask:
    """How much of the moving photo shows at each pixel, 1 in the person and close around it."""
    side = geometry.face.crop.side * texture_region.scale
    away = cv2.distanceTransform(1 - person, cv2.DIST_L2, 5) / side
    share = 1.0 - smoothstep((away - _RIM) / (_RIM_END - _RIM))
    share *= 1.0 - smoothstep(_beyond(geometry, texture_region) / _BEYOND)
    return np.asarray(share, np.float32)


def _beyond(geometry: HeadGeometry, texture_region: TextureRegion) -> NDArray[np.float64]:
    """(h, w) how far each pixel lies beyond the photo's sides and top, over the crop's side.

    Below the photo shoulders go on, so its lower edge does not count.
    """
    width = geometry.face.photo.shape[1]
    height, columns = texture_region.shape
    x = texture_region.x + (np.arange(columns) + 0.5) / texture_region.scale
    y = texture_region.y + (np.arange(height) + 0.5) / texture_region.scale
    beyond: NDArray[np.float64] = np.maximum(np.maximum(-x, x - width)[None], -y[:, None])
    beyond /= geometry.face.crop.side
    return beyond


def empty_background(
    geometry: HeadGeometry, photo: Image, texture_region: TextureRegion, person: Image, small: Image
) -> Image:
    """The photo with the person's place filled from around it.

    Args:
        geometry: the source head.
        photo: (H, W, 3) what is filled.
        texture_region: what `person` and `small` cover, the same as `photo` at another scale.
        person: (h, w) uint8, 1 where the person is.
        small: (h, w, 3) uint8, the photo at that scale.
    """
    side = geometry.face.crop.side * texture_region.scale
    away = cv2.distanceTransform(1 - person, cv2.DIST_L2, 5) / side
    outside = _beyond(geometry, texture_region) > 0
    filled = spread(small, (away > _FRINGE) & ~outside)
    # the rim moves with the person in full where the filling shows, so at rest nothing changes
    share = np.where(outside, 1.0, 1.0 - smoothstep((away - _RIM) / (_FRINGE - _RIM)))
    size = (photo.shape[1], photo.shape[0])
    large = cv2.resize(filled, size, interpolation=cv2.INTER_CUBIC)
    part = cv2.resize(share.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)[..., None]
    return np.asarray(np.round(photo * (1 - part) + large * part).clip(0, 255), np.uint8)
