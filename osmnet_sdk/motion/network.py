"""The paper's Audio-Motion Mapping Network (section III-A): forward maths and losses only.

A pose is six numbers: pitch, yaw, roll in degrees and the head joint's x, y, z in metres. A clip
is T poses relative to its first frame, in that frame's own axes, so its first row is zero.

Features lie on a sphere. The attention of eq. 1 and 2 sees only a feature's direction, so the
size of a motion must be written into the direction too: a head at rest has a direction of its
own, and motion turns the feature away from it. The sphere's radius is `feature_scale`, chosen
after training so that the median distance of a real clip's feature from its centre is 1.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

POSE_SIZE = 6
"""Numbers in a pose: three angles in degrees, three translations in metres."""

Count = Annotated[int, Field(ge=1)]


class MotionConfig(BaseModel):
    """Sizes of the network; the defaults are the paper's.

    Hidden sizes are ours, since the paper leaves them open.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip_frames: int = Field(default=5, ge=2)
    """T, frames in a clip; 2, for a pose and its start, is the ablation without clips."""
    basis_vectors: int = Field(default=48, ge=2)
    """S, vectors in the basis."""
    feature_size: int = Field(default=512, ge=8)
    """C, width of a clip-level motion feature."""
    kappa: float = Field(default=10.0, gt=0.0)
    """κ of eq. 2 before training; it is learned."""
    mel_bands: int = Field(default=16, ge=4)
    """Mel bands in the patch of one frame."""
    mel_hops: int = Field(default=16, ge=4)
    """Hops of 10 ms in the patch of one frame."""
    hidden_size: Count = 256
    """Width of hidden layers of the motion encoder and the pose decoder."""
    audio_size: Count = 128
    """Width of one frame's audio feature."""
    audio_dropout: float = Field(default=0.3, ge=0.0, lt=1.0)
    """Share of audio features dropped in training."""


class MotionEncoder(nn.Module):
    """E_m: a clip of poses to a direction in feature space (paper: pose feature encoder).

    Args:
        config: sizes.
    """

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        inputs = (config.clip_frames - 1) * POSE_SIZE
        self.linear = nn.Linear(inputs, config.feature_size, bias=False)
        self.curve = nn.Sequential(
            nn.Linear(inputs, config.hidden_size),
            nn.SiLU(),
            nn.Linear(config.hidden_size, config.feature_size),
        )
        still = torch.zeros(config.feature_size)
        still[0] = 1.0
        self.still = nn.Parameter(still)
        # A clip of typical size (all inputs near 1) should turn the feature by tens of degrees.
        nn.init.normal_(self.linear.weight, std=0.5 / math.sqrt(inputs * config.feature_size))

    def forward(self, clips: Tensor) -> Tensor:
        """Directions of length 1.

        Args:
            clips: (N, T, 6), divided by the pose scale.

        Returns:
            (N, C).
        """
        changes = clips[:, 1:].flatten(1)
        curve = self.curve(changes)
        direction = self.still + self.linear(changes) + 0.1 * curve
        return functional.normalize(direction, dim=-1)


class PoseDecoder(nn.Module):
    """A motion feature to T relative poses.

    The output is the difference between the feature's map and that of the resting head, so the
    zero change is exactly representable, and a linear part keeps near features near in pose.

    Args:
        config: sizes.
    """

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        self.frames = config.clip_frames
        outputs = (config.clip_frames - 1) * POSE_SIZE
        self.linear = nn.Linear(config.feature_size, outputs, bias=False)
        self.curve = nn.Sequential(
            nn.Linear(config.feature_size, config.hidden_size),
            nn.SiLU(),
            nn.Linear(config.hidden_size, outputs, bias=False),
        )

    def forward(self, directions: Tensor, still: Tensor) -> Tensor:
        """Relative poses, in units of the pose scale; the first of each clip is zero.

        Args:
            directions: (N, C), features over the feature scale; need not have length 1.
            still: (1, C), direction of the resting head.

        Returns:
            (N, T, 6).
        """
        changes = self.linear(directions - still) + self.curve(directions) - self.curve(still)
        poses = changes.view(-1, self.frames - 1, POSE_SIZE)
        return torch.cat([torch.zeros_like(poses[:, :1]), poses], dim=1)


class AudioEncoder(nn.Module):
    """E_a: the mel patches of a clip to log weights over the basis.

    Args:
        config: sizes.
    """

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        self.patch = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
        )
        cells = math.ceil(config.mel_bands / 4) * math.ceil(config.mel_hops / 4)
        self.frame = nn.Sequential(nn.Linear(32 * cells, config.audio_size), nn.SiLU())
        self.clip = nn.Sequential(
            nn.Dropout(config.audio_dropout),
            nn.Linear(config.clip_frames * config.audio_size, config.audio_size),
            nn.SiLU(),
            nn.Dropout(config.audio_dropout),
            nn.Linear(config.audio_size, config.basis_vectors),
        )

    def frame_features(self, mel: Tensor) -> Tensor:
        """Features of single frames: (N, bands, hops), normalised → (N, audio_size)."""
        features: Tensor = self.frame(self.patch(mel[:, None]))
        return features

    def log_weights(self, frames: Tensor) -> Tensor:
        """Log of w^a from the features of a clip's frames: (N, T, audio_size) → (N, S)."""
        return functional.log_softmax(self.clip(frames.flatten(1)), dim=-1)


class MotionNetwork(nn.Module):
    """Motion space, audio mapping and pose decoder with their units.

    Buffers, saved with the weights: `pose_scale` (6,) in degrees and metres, `mel_mean` and
    `mel_deviation` (bands,), `feature_scale` (), the radius of the feature sphere.

    Args:
        config: sizes.
    """

    pose_scale: Tensor
    mel_mean: Tensor
    mel_deviation: Tensor
    feature_scale: Tensor

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        self.config = config
        self.motion_encoder = MotionEncoder(config)
        self.audio_encoder = AudioEncoder(config)
        self.decoder = PoseDecoder(config)
        self.directions = nn.Parameter(
            functional.normalize(torch.randn(config.basis_vectors, config.feature_size), dim=-1)
        )
        self.log_kappa = nn.Parameter(torch.tensor(math.log(config.kappa)))
        self.register_buffer("pose_scale", torch.ones(POSE_SIZE))
        self.register_buffer("mel_mean", torch.zeros(config.mel_bands))
        self.register_buffer("mel_deviation", torch.ones(config.mel_bands))
        self.register_buffer("feature_scale", torch.ones(()))

    @property
    def basis(self) -> Tensor:
        """B: (S, C), in feature units."""
        return self.directions * self.feature_scale

    @property
    def kappa(self) -> Tensor:
        """κ of eq. 2."""
        return self.log_kappa.exp()

    def motion_features(self, clips: Tensor) -> Tensor:
        """F_m of clips of relative poses.

        Args:
            clips: (N, T, 6), degrees and metres; frame 0 is zero and is not read.

        Returns:
            (N, C).
        """
        features: Tensor = self.motion_encoder(clips / self.pose_scale) * self.feature_scale
        return features

    def still_feature(self) -> Tensor:
        """F of the head at rest: (1, C); it decodes to exactly zero."""
        clip = self.pose_scale.new_zeros(1, self.config.clip_frames, POSE_SIZE)
        return self.motion_features(clip)

    def log_attention(self, features: Tensor) -> Tensor:
        """Log of w_m, eq. 1 and 2: cosine similarity to each basis vector, times κ, softmax.

        Args:
            features: (N, C).

        Returns:
            (N, S).
        """
        similarity = functional.normalize(features, dim=-1) @ functional.normalize(
            self.directions, dim=-1
        ).transpose(0, 1)
        return functional.log_softmax(self.kappa * similarity, dim=-1)

    def combine(self, weights: Tensor) -> Tensor:
        """Combine basis vectors, w · B: with w_m it gives F̃_m, with w^a the centre F_c.

        Args:
            weights: (N, S).

        Returns:
            (N, C).
        """
        return weights @ self.basis

    def audio_frames(self, mel: Tensor) -> Tensor:
        """Features of single frames of sound.

        Args:
            mel: (N, bands, hops), patches as of `MelInput`.

        Returns:
            (N, audio_size).
        """
        normalised = (mel - self.mel_mean[:, None]) / self.mel_deviation[:, None]
        return self.audio_encoder.frame_features(normalised)

    def audio_log_weights(self, mel: Tensor) -> Tensor:
        """Log of w^a for the patches of clips.

        Args:
            mel: (N, T, bands, hops), patches of each clip's frames.

        Returns:
            (N, S).
        """
        frames = self.audio_frames(mel.flatten(0, 1)).view(len(mel), mel.shape[1], -1)
        return self.audio_encoder.log_weights(frames)

    def decode(self, features: Tensor) -> Tensor:
        """Relative poses of features.

        Args:
            features: (N, C).

        Returns:
            (N, T, 6), degrees and metres; frame 0 is zero.
        """
        scale = self.feature_scale
        poses: Tensor = self.decoder(features / scale, self.still_feature() / scale)
        return poses * self.pose_scale


def basis_loss(features: Tensor, combined: Tensor) -> Tensor:
    """L_basis, eq. 3: mean over clips of |F_m − F̃_m|₁; both (N, C)."""
    return (features - combined).abs().sum(dim=-1).mean()


def divergence_loss(log_weights: Tensor, audio_log_weights: Tensor) -> Tensor:
    """L_KL, eq. 4: mean over clips of D_KL(w_m ‖ w^a); both (N, S), logarithms."""
    return (log_weights.exp() * (log_weights - audio_log_weights)).sum(dim=-1).mean()


def distance_loss(features: Tensor, clips: Tensor, pose_scale: Tensor, spread: float) -> Tensor:
    """How far distances between features are from those between their clips; ours.

    Without it features collapse: L_basis is smallest where all clips look alike. It ties the
    distance of two features on the unit sphere to that of their clips, r, in units of the pose
    scale: s r / √(1 + (s r)²) with s = `spread`, so that near features are near in pose and large
    motions still fit on the sphere. Clips are compared with a shifted copy of the batch.

    Args:
        features: (N, C), over the feature scale.
        clips: (N, T, 6), degrees and metres.
        pose_scale: (6,).
        spread: distance of the features of two clips that are nearly alike, per unit of r.
    """
    changes = ((clips - clips.roll(1, 0)) / pose_scale)[:, 1:]
    distance = spread * changes.square().mean(dim=(1, 2)).sqrt()
    wanted = distance / (1.0 + distance.square()).sqrt()
    found = (features - features.roll(1, 0) + 1e-8).norm(dim=-1)
    loss: Tensor = (found - wanted).abs().mean() / spread
    return loss


def pose_loss(decoded: Tensor, clips: Tensor, pose_scale: Tensor) -> Tensor:
    """Mean absolute error of relative poses in units of the pose scale; ours.

    Args:
        decoded: (N, T, 6), degrees and metres.
        clips: (N, T, 6).
        pose_scale: (6,).
    """
    return ((decoded - clips) / pose_scale)[:, 1:].abs().mean()
