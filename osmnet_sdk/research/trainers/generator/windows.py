"""Windows of frames with the motion clips that make them up: what a step of training draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from osmnet_sdk.audio.analysis import SpeechAnalysis
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.mel_input import MelInput
from osmnet_sdk.motion.network import MotionConfig
from osmnet_sdk.motion.shaping import relative_clips
from osmnet_sdk.rendering.paper.driving import window_frames
from osmnet_sdk.rendering.paper.poses import chained_poses
from osmnet_sdk.research.data.segments import Segment
from osmnet_sdk.research.trainers.generator.recipe import GeneratorRecipe


@dataclass(frozen=True)
class WindowPlan:
    """How the window around a frame is made of motion clips.

    With clip-level motion the window starts at a real pose, and N clips follow from there, the
    last pose of each being the first of the next, as takes are chained. With frame-level motion
    there is one "clip" for each frame: the source's pose and that of the frame.

    Attributes:
        half_window: k.
        clip_frames: T.
        clip_motion: whether motion is clip-level.
    """

    half_window: int
    clip_frames: int
    clip_motion: bool

    @property
    def before(self) -> int:
        """Frames from the start of the first clip to the middle: k, or, without a window, as many
        as put the frame into the middle of one clip.
        """
        return self.half_window or (self.clip_frames - 1) // 2

    @property
    def clips(self) -> int:
        """N, clips that cover a window."""
        if not self.clip_motion:
            return 2 * self.half_window + 1
        return max(1, -(-(self.before + self.half_window) // (self.clip_frames - 1)))

    def frames(self, middle: int, total: int) -> NDArray[np.int64]:
        """Frame numbers of the clips, (N, T) within [0, total − 1]; beyond the ends they repeat.

        With frame-level motion these are the frames whose sound is heard, (f − 1, f).
        """
        if self.clip_motion:
            start = middle - self.before
            steps = (self.clip_frames - 1) * np.arange(self.clips)[:, None]
        else:
            start = middle - self.half_window - 1
            steps = np.arange(self.clips)[:, None]
        frames: NDArray[np.int64] = start + steps + np.arange(self.clip_frames)
        return frames.clip(0, total - 1)

    def poses(self, start: Tensor, decoded: Tensor) -> Tensor:
        """The poses of a window, relative to the source: (B, 2k + 1, 6).

        Args:
            start: (B, 6), pose of the first clip's start relative to the source.
            decoded: (B, N, T, 6), poses of the clips.
        """
        if not self.clip_motion:
            return decoded[:, :, 1]
        first = self.before - self.half_window
        return chained_poses(start, decoded)[:, first : first + 2 * self.half_window + 1]


class WindowBatch(NamedTuple):
    """Windows of a step; each tensor has the whole batch in its first dimension.

    Attributes:
        source: (B, S, S, 3) uint8, the source frames.
        real: (B, S, S, 3) uint8, the frames to be drawn.
        start: (B, 6) pose at the start of the first clip, relative to the source's.
        clips: (B, N, T, 6) real poses of the clips, relative to the first of each.
        mel: (B, N, T, bands, hops) sound of the clips; 0 where a segment is silent.
        heard: (B,) bool, whether the segment has sound.
        expression: (B, 2k + 1, 52) real coefficients.
    """

    source: Tensor
    real: Tensor
    start: Tensor
    clips: Tensor
    mel: Tensor
    heard: Tensor
    expression: Tensor


class SegmentWindows:
    """All windows of some segments.

    Args:
        segments: one or more, each with two frames or more.
        recipe: window, source and batch.
        motion: sizes of the motion network.

    Raises:
        InputError: if there are no segments, or one is shorter.
    """

    def __init__(
        self, segments: Sequence[Segment], recipe: GeneratorRecipe, motion: MotionConfig
    ) -> None:
        if not segments:
            raise InputError("There is no clip to train the generator on; name a folder of takes.")
        short = next((segment for segment in segments if len(segment) < 2), None)
        if short is not None:
            raise InputError(f"Clip '{short.clip.name}' has fewer than 2 frames; leave it out.")
        self.segments = list(segments)
        self.recipe = recipe
        self.plan = WindowPlan(recipe.config.half_window, motion.clip_frames, recipe.clip_motion)
        self.poses = [segment.poses for segment in segments]
        self.expression = [segment.expression for segment in segments]
        shape = (motion.mel_bands, motion.mel_hops)
        self._heard = [
            None if s.clip.samples is None else MelInput(SpeechAnalysis(s.clip.samples), *shape)
            for s in segments
        ]
        self._silent = np.zeros((self.plan.clips, motion.clip_frames, *shape), np.float32)
        self._ends = np.cumsum([len(segment) for segment in segments])

    def draw(self, generator: torch.Generator) -> WindowBatch:
        """A random batch: every frame is as likely as any other."""
        chosen = torch.randint(int(self._ends[-1]), (self.recipe.batch,), generator=generator)
        sources = torch.rand(self.recipe.batch, generator=generator).tolist()
        rows = []
        for place, share in zip(chosen.tolist(), sources, strict=True):
            index = int(np.searchsorted(self._ends, place, side="right"))
            total = len(self.segments[index])
            source = int(share * total) if self.recipe.source == "any" else 0
            rows.append((index, place - int(self._ends[index]) + total, source))
        return self.batch(rows)

    def batch(self, rows: Sequence[tuple[int, int, int]]) -> WindowBatch:
        """The windows of rows (segment, frame, source frame)."""
        columns = zip(*(self._row(*row) for row in rows), strict=True)
        return WindowBatch(*(torch.from_numpy(np.stack(column)) for column in columns))

    def _row(self, index: int, frame: int, source: int) -> tuple[Any, ...]:
        plan, poses, total = self.plan, self.poses[index], len(self.segments[index])
        frames = plan.frames(frame, total)
        window = window_frames([frame], plan.half_window, total)[0]
        if plan.clip_motion:
            clips = np.concatenate([_relative(poses[clip]) for clip in frames])
        else:
            clips = np.concatenate([_relative(poses[[source, f]]) for f in window])
        start = _relative(poses[[source, frames[0, 0]]])[0, 1]
        heard = self._heard[index]
        pictures = self.segments[index].pictures[np.array([source, frame])]
        return (
            pictures[0],
            pictures[1],
            start.astype(np.float32),
            clips.astype(np.float32),
            self._silent if heard is None else heard.patches(frames),
            np.bool_(heard is not None),
            self.expression[index][window],
        )


def _relative(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Poses (T, 6) as one clip (1, T, 6), relative to the first."""
    return relative_clips(poses[:, :3], poses[:, 3:], len(poses))


def spread_frames(total: int, count: int) -> ArrayLike:
    """At most `count` frame numbers after the first, spread evenly over `total` frames."""
    return np.unique(np.linspace(1, total - 1, min(count, total - 1)).round().astype(int))
