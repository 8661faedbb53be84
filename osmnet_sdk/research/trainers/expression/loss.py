"""What training asks of predicted coefficients."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.expression.lips import TOUCH
from osmnet_sdk.expression.network import ExpressionExtractor, LandmarkLoss
from osmnet_sdk.research.trainers.expression.clips import UNKNOWN, Clip
from osmnet_sdk.research.trainers.expression.recipe import ExpressionRecipe
from osmnet_sdk.research.trainers.processes import Processes

_PRESS = ARKIT_NAMES.index("mouthPressLeft")
_TUCK = ARKIT_NAMES.index("mouthRollLower")
_CONTACT = TOUCH / 2
"""Lips of the truth that are nearer than this touch."""
_OPEN = 0.060
"""Lips of the truth that are further apart than this do not."""
_PARTED = 1.4
"""Weight of parted lips: one that closes wrongly shows as much as one that stays open."""
_SOFTNESS = 0.012
"""Scale, in widths of the mouth, on which the lip gap is read as odds of touching."""


def expression_loss(
    predicted: Tensor,
    truth: Tensor,
    mask: Tensor,
    identity: Tensor,
    landmarks: LandmarkLoss,
    weight: float,
    closure_weight: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """‖β − β̂‖² (eq. 8) + λ_ldmk · landmark loss (eq. 9): sums over frames of losses and weights.

    Coefficients that the truth does not speak of count as true. Frames in which the lips are
    pressed together, or the lower lip lies under the teeth, have a weight of their own: they are
    few, and what an eye misses most.
    """
    known = predicted * mask + truth * (1.0 - mask)
    loss = (known - truth).square().sum(-1)
    if weight:
        loss = loss + weight * landmarks(known, truth, identity)
    meeting = (truth[..., _PRESS] > 0.15) | (truth[..., _TUCK] > 0.2)
    frames = torch.where(meeting, closure_weight, 1.0)
    return (frames * loss).sum(), frames.sum()


def contact_loss(predicted: Tensor, truth: Tensor, mask: Tensor, gain: Tensor) -> Tensor:
    """Cross-entropy of whether the lips touch, read off the lip gap; mean over frames.

    A mean of open and closed lips is a slit, which the other losses are content with. The odds are
    even at `lips.TOUCH`, below which predicted lips are closed, so that a T is kept open as firmly
    as a P is closed. Frames whose true lips are nearly touching do not count, nor do truths that
    leave coefficients open: those are tracked, too coarsely to tell.

    Args:
        predicted: (B, T, 52).
        truth: (B, T, 52).
        mask: (B, 1, 52), 1 for coefficients that the truth speaks of.
        gain: (52,) how far each coefficient parts the lips.
    """
    gap, true = predicted @ gain, truth @ gain
    touching = (true < _CONTACT).to(gap.dtype)
    decided = ((true < _CONTACT) | (true > _OPEN)) & (mask.amin(-1) > 0)
    loss = functional.binary_cross_entropy_with_logits(
        (TOUCH - gap) / _SOFTNESS, touching, reduction="none"
    )
    weight = torch.where(touching > 0, 1.0, _PARTED) * decided
    return (loss * weight).sum() / weight.sum().clamp(min=1.0)


class Objective(nn.Module):
    """The loss on a batch of stretches."""

    def __init__(
        self,
        recipe: ExpressionRecipe,
        network: ExpressionExtractor,
        landmarks: LandmarkLoss,
        processes: Processes,
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.network = network
        self.landmarks = landmarks
        self.processes = processes

    def forward(
        self, heard: Tensor, truth: Tensor, mask: Tensor, identity: Tensor, said: Tensor
    ) -> dict[str, Tensor]:
        """The mean loss as "total", its parts besides; shapes of `expression_batches`."""
        recipe, found = self.recipe, self.network(heard, identity)
        loss, frames = expression_loss(
            found.coefficients,
            truth,
            mask,
            identity,
            self.landmarks,
            recipe.landmark_weight,
            recipe.closure_weight,
        )
        # Shares differ in weight: over the mean weight, their mean is that of the whole batch.
        losses = {"lips": loss / self.processes.mean(frames)}
        if recipe.contact_weight:
            contact = contact_loss(found.coefficients, truth, mask, self.network.lip_gain)
            losses["contact"] = recipe.contact_weight * contact
        if found.phones is not None and found.voice is not None:
            phones, voice = said_losses(found.phones, found.voice, said)
            losses["phones"] = recipe.phone_weight * phones
            losses["voice"] = recipe.voice_weight * voice
        return {"total": torch.stack(list(losses.values())).sum()} | losses


def said_losses(phones: Tensor, voice: Tensor, said: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropies of phones and of voice, means over what is known.

    Args:
        phones: (B, T, 2, classes) logits.
        voice: (B, T, 2) logits.
        said: (B, T, 2, 2) of `expression_batches`.
    """
    classes, heard = said[..., 0], said[..., 1]
    known = (classes != UNKNOWN).to(voice.dtype)
    count = known.sum().clamp(min=1.0)
    of_phones = functional.cross_entropy(
        phones.flatten(0, 2), classes.flatten(), ignore_index=UNKNOWN, reduction="sum"
    )
    of_voice = functional.binary_cross_entropy_with_logits(
        voice, heard.clamp(min=0).to(voice.dtype), reduction="none"
    )
    return of_phones / count, (of_voice * known).sum() / count


def validation_loss(
    network: ExpressionExtractor, clips: list[Clip], landmarks: LandmarkLoss, weight: float
) -> float:
    """Mean loss over whole clips, on the mean head; the network is in evaluation mode."""
    device = network.lip_gain.device
    total, frames = 0.0, 0.0
    with torch.inference_mode():
        for clip in clips:
            identity = torch.zeros(1, network.config.identity, device=device)
            truth = torch.from_numpy(clip.coefficients.astype("float32"))[None].to(device)
            heard = torch.from_numpy(clip.heard.astype("float32"))[None].to(device)
            mask = torch.from_numpy(clip.mask)[None, None].to(device)
            predicted = network(heard, identity).coefficients
            loss, count = expression_loss(predicted, truth, mask, identity, landmarks, weight)
            total, frames = total + float(loss), frames + float(count)
    return total / max(frames, 1.0)
