"""Losses between generated and real frames (paper, eq. 12 to 15)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from osmnet_sdk.research.trainers.feature_extractors import FeatureExtractor


def gram_matrix(features: Tensor) -> Tensor:
    """How channels go together, (B, C, H, W) → (B, C, C), over C · H · W, in full precision."""
    with torch.autocast(features.device.type, enabled=False):
        flat = features.float().flatten(2)
        gram: Tensor = flat @ flat.transpose(1, 2) / flat[0].numel()
        return gram


class ImageLosses(nn.Module):
    """L1, perceptual and style loss, each a mean over the batch.

    Args:
        extractor: gives the feature maps φ_i of perceptual and style loss; None leaves both 0.
    """

    def __init__(self, extractor: FeatureExtractor | None) -> None:
        super().__init__()
        self.extractor = extractor

    def forward(self, passes: list[Tensor], real: Tensor) -> dict[str, Tensor]:
        """Losses by name, each the sum over the passes.

        Args:
            passes: generated frames, (B, 3, H, W) in [−1, 1] each.
            real: (B, 3, H, W) in [−1, 1].

        Returns:
            "reconstruction" (eq. 12), "perceptual" (eq. 13), "style" (eq. 14).
        """
        generated = torch.cat(passes).float()
        count = len(passes)
        zero = generated.new_zeros(())
        losses = {
            "reconstruction": count * (generated - real.repeat(count, 1, 1, 1)).abs().mean(),
            "perceptual": zero,
            "style": zero,
        }
        if self.extractor is None:
            return losses
        with torch.no_grad():
            real_maps = self.extractor(real)
        for found, wanted in zip(self.extractor(generated), real_maps, strict=True):
            differences = found.float() - wanted.float().repeat(count, 1, 1, 1)
            losses["perceptual"] = losses["perceptual"] + count * differences.abs().mean()
            style = gram_matrix(found) - gram_matrix(wanted).repeat(count, 1, 1)
            losses["style"] = losses["style"] + count * style.abs().mean()
        return losses
