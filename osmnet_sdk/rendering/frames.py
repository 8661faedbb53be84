"""From a face and its tracks to frames: lazily, in order, with bounded memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from operator import index
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.wording import one_line, quoted
from osmnet_sdk.errors import InputError, OSMNetWarning
from osmnet_sdk.face.camera import euler_angles, rotation_matrix
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.progress import Reporter
from osmnet_sdk.rendering.base import Image, Performance, Renderer
from osmnet_sdk.rendering.label import draw_label
from osmnet_sdk.rendering.rest_expression import with_rest_expression, with_still_eyes
from osmnet_sdk.rendering.view import View, crop_view, photo_view
from osmnet_sdk.rendering.warp.cutout import AlphaDrawer, with_alpha
from osmnet_sdk.rendering.warp.framewise import FramewiseRenderer
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

Size = Literal["crop", "photo"] | int | tuple[int, int]
_Size = Literal["crop", "photo"] | tuple[int, int]

CROP_SIZE = 256
"""Height and width of a frame of size "crop", the paper's resolution."""

_MAX_SIZE = 8192
_MAX_TURN = 35.0
"""Degrees of yaw or pitch before the camera beyond which the photo does not show what is seen."""
_MAX_CHANGE = 30.0
"""Degrees of yaw or pitch away from the photo's own pose."""


def checked_size(size: Size) -> _Size:
    """A `size` that frames can have: "crop", "photo" or (height, width) in pixels.

    Args:
        size: one of these, or one number for the side of a square.

    Raises:
        InputError: if the size is none of these.
    """
    if isinstance(size, str):
        if size in ("crop", "photo"):
            return size
        raise InputError(f"size must be 'crop', 'photo' or (height, width), not {quoted(size)}.")
    try:
        height, width = (index(side) for side in (size if np.iterable(size) else (size, size)))
    except (TypeError, ValueError):
        raise InputError(
            f"size must be 'crop', 'photo', (height, width) or the side of a square in pixels, not "
            f"{one_line(repr(size), 60)}."
        ) from None
    if not (16 <= height <= _MAX_SIZE and 16 <= width <= _MAX_SIZE):
        raise InputError(
            f"size (height, width) must be between 16 and {_MAX_SIZE} pixels, not {size!r}."
        )
    return height, width


def checked_frames(frames: Sequence[int] | slice | int | None, count: int) -> Sequence[int]:
    """The numbers of the frames to render, of a track of `count` frames.

    Args:
        frames: numbers, a slice as of a list, one number, or None for all.
        count: length of the track.

    Raises:
        InputError: if they are no whole numbers, or there is no such frame.
    """
    if frames is None:
        return range(count)
    try:
        if isinstance(frames, slice):
            return range(count)[frames]
        wanted = [index(number) for number in (frames if np.iterable(frames) else (frames,))]
    except TypeError:
        raise InputError(
            f"frames must be whole numbers or a slice, such as range(10, 20) or slice(10, 20), not "
            f"{one_line(repr(frames), 60)}."
        ) from None
    beyond = [number for number in wanted if not 0 <= number < count]
    if beyond:
        raise InputError(
            f"frames names frame {beyond[0]}, but the track has frames 0 to {count - 1}."
        )
    return wanted


def view_of(face: SourceFace, size: Size) -> View:
    """The view of a `size`: "crop", "photo" or (height, width) in pixels.

    Raises:
        InputError: if the size is none of these.
    """
    wanted = checked_size(size)
    if wanted == "crop":
        return crop_view(face, CROP_SIZE, CROP_SIZE)
    if wanted == "photo":
        return photo_view(face)
    height, width = wanted
    return crop_view(face, height, width)


def render_frames(
    face: SourceFace,
    motion: MotionTrack,
    expression: ExpressionTrack,
    *,
    renderer: Renderer | None = None,
    size: Size = "crop",
    label: bool = True,
    keep_rest: bool = True,
    frames: Sequence[int] | slice | int | None = None,
    alpha: bool = False,
    reporter: Reporter | None = None,
) -> Iterator[Image]:
    """Render the frames of a performance, one after the other.

    Args:
        face: the fitted photo; its own pose is the rest pose of the motion.
        motion: head motion, T frames.
        expression: expression of the same length and frame rate.
        renderer: how frames are drawn; None warps the photo.
        size: "crop" (256 × 256 around the head), "photo" (the whole photo at its own resolution)
            or (height, width).
        label: whether each frame says "AI-generated".
        keep_rest: whether the photo's own look stays under the track (`with_rest_expression`); off
            for a track of the very person in the photo.
        frames: numbers of those to render, from 0 to T − 1; each is what it would be among all
            others. None renders all.
        alpha: whether frames of a photo with alpha have it, too, as a fourth channel.
        reporter: progress and cancel.

    Yields:
        (height, width, 3) uint8 RGB frames, or (height, width, 4) of straight alpha.

    Raises:
        InputError: if the tracks differ in length or frame rate, or the size or a frame's number is
            not allowed.
        DeviceError: if there is no memory for a single frame.
        Cancelled: if the reporter's cancel callback says so.
    """
    if len(motion) != len(expression) or motion.fps != expression.fps:
        raise InputError(
            f"Motion ({len(motion)} frames at {motion.fps} fps) and expression "
            f"({len(expression)} frames at {expression.fps} fps) must have the same length and "
            "frame rate; resample or slice one of them."
        )
    wanted = checked_frames(frames, len(motion))
    values = expression.coefficients.astype(np.float64)
    if keep_rest:
        values = with_rest_expression(face.model, face.fit.expression, values)
    if face.quality.warns_of("covered eyes"):
        values = with_still_eyes(face.fit.expression, values)
    performance = Performance(face, view_of(face, size), motion, values)
    _warn(face, motion, np.asarray(wanted, int))
    report = reporter or Reporter()
    cut = alpha and face.alpha is not None
    drawn = _frames(renderer or FramewiseRenderer(), performance, wanted, label and not cut, report)
    return _cut_out(drawn, performance, wanted, label, report) if cut else drawn


def _cut_out(
    drawn: Iterator[Image],
    performance: Performance,
    frames: Sequence[int],
    label: bool,
    report: Reporter,
) -> Iterator[Image]:
    """Frames with the alpha of the photo, which moves as the photo does."""
    with report.asking():
        drawer = AlphaDrawer(performance.face, performance.view)
    for number, frame in zip(frames, drawn, strict=True):
        with report.asking():
            alpha = drawer.draw(performance.pose(number), performance.expression[number])
            cut = with_alpha(frame, alpha, label)
        yield cut


def _frames(
    renderer: Renderer,
    performance: Performance,
    frames: Sequence[int],
    label: bool,
    report: Reporter,
) -> Iterator[Image]:
    report.step("Preparing", 0, 1)
    with report.asking():
        drawn = renderer.draw(performance, frames)
    report.step("Preparing", 1, 1)
    with closing(drawn):
        for done in range(len(frames)):
            report.step("Rendering", done, len(frames))
            with report.asking():
                frame = next(drawn)
            yield draw_label(frame) if label else frame
        report.step("Rendering", len(frames), len(frames))


def _warn(face: SourceFace, motion: MotionTrack, frames: NDArray[np.int_]) -> None:
    """Warn of frames that the photo cannot carry."""
    height, width = face.photo.shape[:2]
    if face.crop.leaves(width, height) and not face.quality.warns_of("room"):
        warnings.warn(
            "The head is cut off by the photo's edge; what lies beyond is filled in and may show "
            "in the frames. Leave some room around the head.",
            OSMNetWarning,
            stacklevel=4,
        )
    absolute = euler_angles(face.fit.pose.rotation @ rotation_matrix(motion.rotation[frames]))
    turn = np.abs(absolute[:, :2]).max(axis=1)
    change = np.abs(motion.rotation[frames, :2]).max(axis=1)
    beyond = (turn > _MAX_TURN) | (change > _MAX_CHANGE)
    if beyond.any():
        first = int(frames[beyond][0])
        advice = "Lower the intensity or use a photo turned that way."
        turning = f"{int(beyond.sum())} of {len(frames)} frames, first frame {first}, turn"
        if len(frames) == 1:
            turning, advice = "This pose turns", "Use smaller angles or a photo turned that way."
        warnings.warn(
            f"{turning} the head further than the photo can carry (up to {turn.max():.0f}°) and "
            f"will look stretched. {advice}",
            OSMNetWarning,
            stacklevel=4,
        )
