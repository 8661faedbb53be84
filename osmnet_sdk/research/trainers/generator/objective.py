"""What the generator's training minimises: both passes, end to end with the motion decoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from osmnet_sdk.motion.network import MotionNetwork, basis_loss, pose_loss
from osmnet_sdk.rendering.paper.generator import VideoGenerator
from osmnet_sdk.rendering.paper.painting import to_network
from osmnet_sdk.research.trainers.generator.recipe import GeneratorRecipe
from osmnet_sdk.research.trainers.generator.windows import WindowBatch, WindowPlan
from osmnet_sdk.research.trainers.image_losses import ImageLosses


class GeneratorChain(nn.Module):
    """Motion network and generator, one after the other: from motion features to frames.

    Args:
        generator: the generator.
        motion: encoder, basis, audio encoder and decoder of motion.
        plan: how windows are made of clips.
    """

    def __init__(self, generator: VideoGenerator, motion: MotionNetwork, plan: WindowPlan) -> None:
        super().__init__()
        self.generator = generator
        self.motion = motion
        self.plan = plan

    def train(self, mode: bool = True) -> GeneratorChain:
        """Training mode, but no dropout in an audio encoder that stands still."""
        super().train(mode)
        if self.plan.clip_motion:
            self.motion.audio_encoder.eval()
        return self

    def windows(self, features: Tensor, batch: WindowBatch) -> tuple[Tensor, Tensor]:
        """Poses of windows (B, 2k + 1, 6) and decoded clips (B, N, T, 6) of features (B · N, C)."""
        decoded = self.motion.decode(features).view(*batch.clips.shape)
        return self.plan.poses(batch.start, decoded), decoded

    def forward(self, batch: WindowBatch) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Frames of both passes, and the losses of the motion network by name.

        The first pass is driven by F_m, the feature of the real motion (eq. 10); the second by the
        centre F_c that the sound gives (eq. 11), or, where a segment is silent, by F̃_m, the real
        feature as the basis reconstructs it.

        Returns:
            Two times (B, 3, S, S) in [−1, 1], and "pose", "basis" and "divergence".
        """
        motion, source = self.motion, to_network(batch.source)
        with torch.autocast(source.device.type, enabled=False):  # angles need full precision
            features = motion.motion_features(batch.clips.flatten(0, 1))
            log_weights = motion.log_attention(features)
            combined = motion.combine(log_weights.exp())
            log_heard = motion.audio_log_weights(batch.mel.flatten(0, 1))
            heard = batch.heard.repeat_interleave(batch.clips.shape[1])
            second = torch.where(heard[:, None], motion.combine(log_heard.exp()), combined)
            real_poses, decoded = self.windows(features, batch)
            poses = torch.cat([real_poses, self.windows(second, batch)[0]])
            clips = batch.clips.flatten(0, 1)
            divergence = (log_weights.exp() * (log_weights - log_heard)).sum(dim=-1)
            losses = {
                "pose": pose_loss(decoded.flatten(0, 1), clips, motion.pose_scale),
                "basis": basis_loss(features, combined),
                "divergence": (divergence * heard).mean(),
            }
        frames = self.generator(source.repeat(2, 1, 1, 1), poses, batch.expression.repeat(2, 1, 1))
        return list(frames.chunk(2)), losses


class GeneratorObjective(nn.Module):
    """The losses of a batch (eq. 12 to 15) and the pose loss on the decoder.

    Args:
        recipe: weights of the losses.
        chain: what learns.
        images: losses between frames.
    """

    def __init__(self, recipe: GeneratorRecipe, chain: GeneratorChain, images: ImageLosses) -> None:
        super().__init__()
        self.recipe = recipe
        self.chain = chain
        self.images = images

    def forward(self, *tensors: Tensor) -> dict[str, Tensor]:
        """Figures of the tensors of a `WindowBatch`."""
        batch = WindowBatch(*tensors)
        frames, of_motion = self.chain(batch)
        losses: dict[str, Tensor] = self.images(frames, to_network(batch.real)) | of_motion
        recipe = self.recipe
        total = (
            recipe.reconstruction_weight * losses["reconstruction"]
            + recipe.perceptual_weight * losses["perceptual"]
            + recipe.style_weight * losses["style"]
            + recipe.pose_weight * losses["pose"]
        )
        if not recipe.clip_motion:  # there the motion space is learned along
            total = total + losses["basis"] + losses["divergence"]
        return losses | {"total": total}
