"""Windows of training clips for the Audio-Motion Mapping Network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osmnet_sdk.audio.analysis import SpeechAnalysis
from osmnet_sdk.errors import InputError
from osmnet_sdk.motion.mel_input import MelInput
from osmnet_sdk.motion.network import POSE_SIZE
from osmnet_sdk.motion.shaping import relative_clips, smooth
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.trainers.motion.recipe import MotionRecipe

_MIRRORED = torch.tensor([1.0, -1.0, -1.0, -1.0, 1.0, 1.0])
"""Signs of a pose seen in a mirror: yaw, roll and x change theirs."""


@dataclass(frozen=True)
class MotionWindows:
    """All windows of T frames of some clips, one from every frame on.

    Attributes:
        clips: (K, T, 6) float32, relative poses in degrees and metres.
        mel: (F, bands, hops) float32, the patches of all frames with sound.
        first_patch: (K,) int64, place in `mel` of a window's first frame; −1 without sound.
    """

    clips: Tensor
    mel: Tensor
    first_patch: Tensor

    @property
    def heard(self) -> Tensor:
        """(H,) int64, the windows with sound."""
        return torch.nonzero(self.first_patch >= 0).flatten()

    def patches(self, windows: Tensor) -> Tensor:
        """Mel patches (N, T, bands, hops) of windows with sound, (N,) int64."""
        frames = torch.arange(self.clips.shape[1])
        return self.mel[self.first_patch[windows][:, None] + frames]


def motion_windows(clips: Sequence[TrainingClip], recipe: MotionRecipe) -> MotionWindows:
    """Cut clips into windows.

    Args:
        clips: at least one with T frames or more.
        recipe: sizes and smoothing.

    Raises:
        InputError: if no clip is long enough.
    """
    config = recipe.config
    length = config.clip_frames
    windows, patches, places = [], [torch.zeros(0, config.mel_bands, config.mel_hops)], []
    heard = 0
    for clip in clips:
        poses = clean_poses(clip, recipe)
        cut = relative_clips(poses[:, :3], poses[:, 3:], length)
        windows.append(torch.from_numpy(cut.astype(np.float32)))
        if clip.samples is None:
            places.append(torch.full((len(cut),), -1))
            continue
        sound = MelInput(SpeechAnalysis(clip.samples), config.mel_bands, config.mel_hops)
        patches.append(torch.from_numpy(sound.patches(slice(None))))
        places.append(heard + torch.arange(len(cut)))
        heard += len(sound)
    if not sum(len(window) for window in windows):
        raise InputError(f"No training clip has {length} frames; give longer clips.")
    return MotionWindows(torch.cat(windows), torch.cat(patches), torch.cat(places))


def clean_poses(clip: TrainingClip, recipe: MotionRecipe) -> NDArray[np.float64]:
    """The poses of a clip, (T, 6), without the tracker's noise."""
    motion = clip.take.motion
    places = smooth(motion.translation, recipe.translation_smoothing)
    places *= (1.0, 1.0, recipe.depth_gain)
    return np.hstack([smooth(motion.rotation, recipe.rotation_smoothing), places])


def mirror_half(clips: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror about half of the clips (N, T, 6), left to right."""
    chosen = torch.rand(len(clips), 1, 1, generator=generator) < 0.5
    return torch.where(chosen, clips * _MIRRORED, clips)


def pose_scale(clips: Tensor) -> Tensor:
    """Typical size of a change over a clip, (6,): twice the median, so outliers do not count."""
    scale = 2.0 * clips[:, -1].abs().median(dim=0).values
    floor = torch.tensor([1e-2] * 3 + [1e-5] * (POSE_SIZE - 3))
    return torch.maximum(scale, floor)
