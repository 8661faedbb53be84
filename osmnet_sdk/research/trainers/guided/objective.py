"""What the guided generator's training minimises."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from osmnet_sdk.rendering.guided.frame import network_inputs
from osmnet_sdk.rendering.guided.guides import GUIDES
from osmnet_sdk.rendering.guided.network import GuidedPainter, finished
from osmnet_sdk.rendering.paper.painting import to_network
from osmnet_sdk.research.trainers.guided.recipe import GuidedRecipe
from osmnet_sdk.research.trainers.image_losses import ImageLosses

_SIZES = 3
"""Sizes at which differences between neighbouring pixels are compared, each half the last."""
_SSIM_SIDE = 7
_C1, _C2 = 0.01**2, 0.03**2


def gradient_loss(drawn: Tensor, real: Tensor) -> Tensor:
    """Mean L1 distance of differences between neighbouring pixels, at three sizes."""
    total = drawn.new_zeros(())
    wrong = drawn - real
    for _ in range(_SIZES):
        total = total + wrong.diff(dim=2).abs().mean() + wrong.diff(dim=3).abs().mean()
        wrong = functional.avg_pool2d(wrong, 2)
    return total / (2 * _SIZES)


def structure_loss(drawn: Tensor, real: Tensor) -> Tensor:
    """1 − SSIM over squares of 7 × 7 pixels, mean; pictures (B, 3, H, W) in [−1, 1]."""
    drawn, real = (drawn + 1) / 2, (real + 1) / 2  # its first factor is for levels of 0 and more
    pictures = torch.cat([drawn, real, drawn * drawn, real * real, drawn * real])
    means = functional.avg_pool2d(pictures, _SSIM_SIDE, stride=1)
    a, b, aa, bb, ab = means.chunk(5)
    alike = (2 * a * b + _C1) * (2 * (ab - a * b) + _C2)
    alike = alike / ((a * a + b * b + _C1) * (aa - a * a + bb - b * b + _C2))
    return 1.0 - alike.mean()


class Adversary(nn.Module):
    """Tells drawn windows from real ones, place by place; it knows what belongs where.

    Args:
        channels: of the first layer.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = (3 + len(GUIDES), channels, 2 * channels, 4 * channels)
        layers: list[nn.Module] = []
        for into, out in pairwise(widths):
            layers += [nn.Conv2d(into, out, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, pictures: Tensor, guides: Tensor) -> Tensor:
        """(B, 3, S, S) and (B, 10, S, S) → (B, 1, S / 8, S / 8), above 0 where it looks real."""
        verdict: Tensor = self.layers(torch.cat([pictures, guides], dim=1))
        return verdict


class GuidedTraining(nn.Module):
    """The networks that learn.

    Args:
        painter: the guided generator.
        adversary: its judge.
    """

    def __init__(self, painter: GuidedPainter, adversary: Adversary) -> None:
        super().__init__()
        self.painter = painter
        self.adversary = adversary


class GuidedObjective(nn.Module):
    """The losses of a batch of samples.

    Args:
        recipe: weights of the losses.
        networks: that learn.
        images: pixel and feature losses.
        adversarial: whether the adversary takes part.
    """

    def __init__(
        self,
        recipe: GuidedRecipe,
        networks: GuidedTraining,
        images: ImageLosses,
        *,
        adversarial: bool,
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.networks = networks
        self.images = images
        self.adversarial = adversarial

    def forward(self, *tensors: Tensor) -> dict[str, Tensor]:
        """Figures of the fields of `sample_type`, (B, …) each."""
        *seen, truth = tensors
        inputs = network_inputs(*seen)
        warp, _, guides, *_ = inputs
        real = to_network(truth)
        drawn = finished(warp, self.networks.painter(*inputs).float())
        found = self.images([drawn], real)
        figures = {
            "reconstruction": found["reconstruction"],
            "gradient": gradient_loss(drawn, real),
            "structure": structure_loss(drawn, real),
            "perceptual": found["perceptual"],
        }
        if self.adversarial:
            figures |= self._verdicts(drawn, real, guides)
        recipe = self.recipe
        weights = {
            "reconstruction": recipe.reconstruction_weight,
            "gradient": recipe.gradient_weight,
            "structure": recipe.structure_weight,
            "perceptual": recipe.perceptual_weight,
            "adversarial": recipe.adversarial_weight,
            "adversary": 1.0,
        }
        total = sum(weights[name] * value for name, value in figures.items())
        return figures | {"total": torch.as_tensor(total)}

    def _verdicts(self, drawn: Tensor, real: Tensor, guides: Tensor) -> dict[str, Tensor]:
        """Hinge losses of both sides; each network's gradient comes from its own alone."""
        adversary = self.networks.adversary
        fixed = {name: value.detach() for name, value in adversary.named_parameters()}
        fooled: Tensor = functional_call(adversary, fixed, (drawn, guides))
        said = adversary(torch.cat([drawn.detach(), real]), guides.repeat(2, 1, 1, 1)).float()
        made, true = said.chunk(2)
        hinge = functional.relu(1 + made).mean() + functional.relu(1 - true).mean()
        return {"adversarial": -fooled.float().mean(), "adversary": hinge}
