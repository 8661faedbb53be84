"""Frames of a cut-out photo: what is opaque moves with the head that it belongs to.

A frame is drawn over white, as ever. The photo's alpha is warped by the very flow that moved its
colours, so the white can be taken out of the frame exactly: over any background the frame then
looks as if the photo had been cut out anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.face.camera import Pose
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.formats.photo import BACKGROUND
from osmnet_sdk.progress import check_cancelled
from osmnet_sdk.rendering.label import draw_label, label_alpha
from osmnet_sdk.rendering.view import View
from osmnet_sdk.rendering.warp.backdrop import empty_background, person_mask
from osmnet_sdk.rendering.warp.frame import bands, flowed, in_place
from osmnet_sdk.rendering.warp.geometry import WORK_SIZE
from osmnet_sdk.rendering.warp.scene import background_in, build_scene
from osmnet_sdk.rendering.warp.texture_region import head_region
from osmnet_sdk.rendering.warp.textures import part_picture

Image = NDArray[np.uint8]

_OPEN_LIDS = np.zeros(2, np.float32)


class AlphaDrawer:
    """Draws the alpha of frames; may be used from several threads.

    Args:
        face: the fitted photo, one with alpha.
        view: what the frames show.
    """

    def __init__(self, face: SourceFace, view: View) -> None:
        assert face.alpha is not None
        scene = self._scene = build_scene(face, view)
        alpha = np.repeat(face.alpha[..., None], 3, axis=2)
        texture_region = scene.textures.texture_region
        work = head_region(scene.geometry, WORK_SIZE / face.crop.side)
        head = part_picture(scene.geometry, work) >= 0
        person = person_mask(scene.geometry, work, work.cut(face.photo), head)
        self._texture = texture_region.cut(alpha)
        empty = empty_background(scene.geometry, self._texture, work, person, work.cut(alpha))
        check_cancelled()
        self._background = background_in(view, texture_region, empty, scene.region)
        check_cancelled()
        self._still = view.still(alpha)[..., :1]
        check_cancelled()

    def draw(self, pose: Pose, expression: ArrayLike) -> Image:
        """The alpha (height, width) of a frame: absolute pose, coefficients (52,)."""
        scene = self._scene
        head = scene.posed(pose, expression)
        _, out = flowed(scene, head, _OPEN_LIDS, self._texture, self._texture, self._background)
        return in_place(scene, self._still, out[..., :1])[..., 0]


def with_alpha(frame: Image, alpha: Image, label: bool) -> Image:
    """A frame (H, W, 3) drawn over white, without the white: (H, W, 4) of straight alpha.

    Args:
        frame: RGB.
        alpha: (H, W), 255 where the frame is opaque.
        label: whether the frame is to say "AI-generated"; the label is opaque.
    """
    inked = np.empty_like(frame)  # colours times their alpha
    for rows in bands(frame.shape):
        clear = 255 - alpha[rows].astype(np.int16)
        inked[rows] = np.clip(frame[rows] - clear[..., None], 0, 255)
    opaque = alpha
    if label:
        inked, opaque = draw_label(inked), label_alpha(alpha)
    result = np.empty((*alpha.shape, 4), np.uint8)
    for rows in bands(frame.shape):
        share = opaque[rows, :, None].astype(np.float32) / 255
        straight = np.minimum(inked[rows] / np.maximum(share, 1 / 255) + 0.5, 255)
        # What shows nothing keeps the white, for programs that pass over alpha.
        result[rows, :, :3] = np.where(share > 0, straight, BACKGROUND).astype(np.uint8)
        result[rows, :, 3] = opaque[rows]
    return result
