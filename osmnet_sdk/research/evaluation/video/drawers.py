"""What draws the frames of a self-driven clip: renderers, and two baselines without any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.client import OSMNet
from osmnet_sdk.core.conventions import RENDERERS
from osmnet_sdk.errors import InputError
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.rendering.frames import CROP_SIZE
from osmnet_sdk.rendering.view import View, crop_view
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

Image = NDArray[np.uint8]

TakeDrawer = Callable[[SourceFace, MotionTrack, ExpressionTrack], Iterable[Image]]
"""Draws frames (256, 256, 3) uint8 RGB of the head crop.

Its arguments are the source, the motion relative to the pose in it, and absolute expressions."""

BASELINES = ("still", "similarity")
"""The source held still, and the source under the best 2-D similarity."""

_STABLE = (33, 133, 362, 263, 168, 6, 197, 195, 5, 1, 2, 98, 327, 10, 109, 338)
"""Landmarks of nose, eye corners and forehead, which speech does not move."""


def drawer(osm: OSMNet, name: str) -> TakeDrawer:
    """What draws under this name.

    Args:
        osm: renders.
        name: one of `BASELINES` or `conventions.RENDERERS`.

    Raises:
        InputError: if there is none of this name.
        ModelError: if the bundle has no weights for it, or they are damaged.
    """
    if name == "still":
        return _still
    if name == "similarity":
        return _similarity
    if name not in RENDERERS:
        raise InputError(
            f"There is no renderer '{name}'; choose {', '.join(BASELINES + RENDERERS[:-1])} or "
            f"{RENDERERS[-1]}."
        )
    osm.renderer_window(name)  # weights that are not there are told before clips are tracked
    return partial(osm.render, renderer=name, label=False, keep_rest=False)


def head_view(face: SourceFace) -> View:
    """The view that all drawers draw."""
    return crop_view(face, CROP_SIZE, CROP_SIZE)


def _still(face: SourceFace, motion: MotionTrack, expression: ExpressionTrack) -> Iterator[Image]:
    """The source itself, held."""
    still = head_view(face).still(face.photo)
    for _ in range(len(motion)):
        yield still.copy()


def _similarity(
    face: SourceFace, motion: MotionTrack, expression: ExpressionTrack
) -> Iterator[Image]:
    """The source under the 2-D similarity that best follows nose, eye corners and forehead."""
    view, fit = head_view(face), face.fit
    head = face.model.at_landmarks(face.model.vertices(fit.identity))[list(_STABLE)]
    still = view.still(face.photo)
    start = view.to_frame(fit.camera.project(head, fit.pose)[:, :2])
    for rotation, translation in zip(motion.rotation, motion.translation, strict=True):
        pose = fit.pose.moved(rotation, translation)
        moved = view.to_frame(fit.camera.project(head, pose)[:, :2])
        matrix, _ = cv2.estimateAffinePartial2D(start, moved, method=cv2.LMEDS)
        frame = cv2.warpAffine(
            still, matrix, (view.width, view.height), flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        yield np.asarray(frame, np.uint8)
