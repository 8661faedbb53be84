"""From a face and its tracks to frames: lazily, in order, with bounded memory."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.conventions import ARKIT_NAMES
from osmnet_sdk.errors import InputError, OSMNetWarning
from osmnet_sdk.face.camera import euler_angles, rotation_matrix
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.progress import Reporter
from osmnet_sdk.provenance import draw_label
from osmnet_sdk.render.renderer import FrameRenderer, View, crop_view, photo_view
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

Image = NDArray[np.uint8]
Size = Literal["crop", "photo"] | tuple[int, int]

CROP_SIZE = 256
"""Height and width of a frame of size "crop", the paper's resolution."""

WINDOW = 0
"""Neighbouring frames on either side that a frame depends on besides its own values: none."""

_MAX_SIZE = 8192
_MAX_TURN = 35.0
"""Degrees of yaw or pitch before the camera beyond which the photo does not show what is seen."""
_MAX_CHANGE = 30.0
"""Degrees of yaw or pitch away from the photo's own pose."""
_KEPT = ("brow", "cheekSquint", "eyeSquint", "eyeWide", "eyeLook", "noseSneer")
"""Starts of the names of blendshapes whose resting value belongs to the person."""
_KEPT_SMILE = 0.35
"""Share of the photo's own smile that is kept while it speaks."""


def with_rest(face: SourceFace, coefficients: NDArray[np.floating]) -> NDArray[np.float64]:
    """Expression (T, 52) laid over the photo's resting look.

    Brows, lids' squint, gaze and cheeks of the photo stay as they are under the track's; jaw, lips
    and blinks follow the track alone, since lips must close and eyes must shut whatever the photo
    shows, but a part of its smile is kept.
    """
    rest = face.fit.expression
    result = np.array(coefficients, np.float64)
    for index, name in enumerate(ARKIT_NAMES):
        if name.startswith(_KEPT):
            result[:, index] = np.clip(result[:, index] + rest[index], 0, 1)
        elif name.startswith("mouthSmile"):
            result[:, index] = np.maximum(result[:, index], _KEPT_SMILE * rest[index])
    return result


def view_of(face: SourceFace, size: Size) -> View:
    """The view of a `size`: "crop", "photo" or (height, width) in pixels.

    Raises:
        InputError: if the size is none of these.
    """
    if size == "crop":
        return crop_view(face, CROP_SIZE, CROP_SIZE)
    if size == "photo":
        return photo_view(face)
    if isinstance(size, str) or len(size) != 2:
        raise InputError(f"size must be 'crop', 'photo' or (height, width), not {size!r}.")
    height, width = size
    if not (16 <= height <= _MAX_SIZE and 16 <= width <= _MAX_SIZE):
        raise InputError(
            f"size (height, width) must be between 16 and {_MAX_SIZE} pixels, not {size!r}."
        )
    return crop_view(face, int(height), int(width))


def render_frames(
    face: SourceFace,
    motion: MotionTrack,
    expression: ExpressionTrack,
    *,
    size: Size = "crop",
    label: bool = True,
    keep_rest: bool = True,
    workers: int | None = None,
    reporter: Reporter | None = None,
) -> Iterator[Image]:
    """Render the frames of a performance, one after the other.

    Args:
        face: the fitted photo; its own pose is the rest pose of the motion.
        motion: head motion, T frames.
        expression: expression of the same length and frame rate.
        size: "crop" (256 × 256 around the head), "photo" (the whole photo at its own resolution)
            or (height, width).
        label: whether each frame says "AI-generated".
        keep_rest: whether the photo's resting brows, lids and gaze stay under the track's
            (`with_rest`); off for a track of the very person in the photo.
        workers: threads; None uses all cores.
        reporter: progress and cancel.

    Yields:
        (height, width, 3) uint8 RGB frames.

    Raises:
        InputError: if the tracks differ in length or frame rate, or the size is not allowed.
        Cancelled: if the reporter's cancel callback says so.
    """
    if len(motion) != len(expression) or motion.fps != expression.fps:
        raise InputError(
            f"Motion ({len(motion)} frames at {motion.fps} fps) and expression "
            f"({len(expression)} frames at {expression.fps} fps) must have the same length and "
            "frame rate; resample or slice one of them."
        )
    view = view_of(face, size)
    _warn(face, motion)
    return _frames(
        face, motion, expression, view, label, keep_rest, workers, reporter or Reporter()
    )


def _frames(
    face: SourceFace,
    motion: MotionTrack,
    expression: ExpressionTrack,
    view: View,
    label: bool,
    keep_rest: bool,
    workers: int | None,
    report: Reporter,
) -> Iterator[Image]:
    report.step("Preparing", 0, 1)
    renderer = FrameRenderer(face, view)
    report.step("Preparing", 1, 1)
    values = expression.coefficients.astype(np.float64)
    if keep_rest:
        values = with_rest(face, values)

    def draw(index: int) -> Image:
        pose = face.fit.pose.moved(motion.rotation[index], motion.translation[index])
        frame = renderer.draw(pose, values[index])
        return draw_label(frame) if label else frame

    count = workers or os.cpu_count() or 1
    total = len(motion)
    with ThreadPoolExecutor(count, thread_name_prefix="osmnet-render") as pool:
        waiting: deque[Future[Image]] = deque()
        indices = iter(range(total))
        try:
            for done in range(total):
                for index in islice(indices, 2 * count - len(waiting)):
                    waiting.append(pool.submit(draw, index))
                report.step("Rendering", done, total)
                yield waiting.popleft().result()
            report.step("Rendering", total, total)
        finally:
            for future in waiting:
                future.cancel()


def _warn(face: SourceFace, motion: MotionTrack) -> None:
    """Warn of frames that the photo cannot carry."""
    height, width = face.photo.shape[:2]
    if face.crop.leaves(width, height):
        warnings.warn(
            "The head is cut off by the photo's edge; what lies beyond is mirrored and may show "
            "in the frames. Leave some room around the head.",
            OSMNetWarning,
            stacklevel=4,
        )
    absolute = euler_angles(face.fit.pose.rotation @ rotation_matrix(motion.rotation))
    turn = np.abs(absolute[:, :2]).max(axis=1)
    change = np.abs(motion.rotation[:, :2]).max(axis=1)
    beyond = (turn > _MAX_TURN) | (change > _MAX_CHANGE)
    if beyond.any():
        first = int(np.flatnonzero(beyond)[0])
        advice = "Lower the intensity or use a photo turned that way."
        frames = f"{int(beyond.sum())} of {len(motion)} frames, first frame {first}, turn"
        if len(motion) == 1:
            frames, advice = "This pose turns", "Use smaller angles or a photo turned that way."
        warnings.warn(
            f"{frames} the head further than the photo can carry (up to {turn.max():.0f}°) and "
            f"will look stretched. {advice}",
            OSMNetWarning,
            stacklevel=4,
        )
