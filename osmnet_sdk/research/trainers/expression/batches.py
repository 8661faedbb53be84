"""Batches of the Expression Feature Extractor: stretches of clips, never heard twice alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osmnet_sdk.audio.mel import HOPS_PER_FRAME
from osmnet_sdk.expression.lips import TOUCH
from osmnet_sdk.expression.network import AFTER, BEFORE, PER_FRAME
from osmnet_sdk.research.trainers.expression.clips import UNKNOWN, Clip
from osmnet_sdk.research.trainers.expression.mel_augmentation import (
    Windows,
    band_limited,
    masked,
    recoloured,
)
from osmnet_sdk.research.trainers.expression.recipe import ExpressionRecipe

_SLOWEST, _FASTEST = 0.8, 2.1
_MOST_TALKERS = 5
_SPARE = 3  # frames that a change of speed or time needs beyond a stretch


@dataclass(frozen=True)
class Source:
    """Clips, and how they are shown.

    Attributes:
        clips: of one kind.
        share: of a batch that they make up.
        lead: hops of 10 ms by which the lips are shown earlier than they were made.
    """

    clips: list[Clip]
    share: float
    lead: int = 0


def expression_batches(
    sources: Sequence[Source], recipe: ExpressionRecipe, gain: NDArray[np.float64]
) -> Callable[[int], tuple[Tensor, ...]]:
    """Step → heard, truth (B, T, 52), mask (B, 1, 52), α (B, K) and said (B, T, 2, 2).

    `heard` is what `ExpressionExtractor.forward` takes, `said` as `Clip.said`.

    Args:
        sources: shares add up to 1; within one, a clip is as likely as it is long.
        recipe: sizes and how often sound is changed.
        gain: (52,) how far each coefficient parts the lips.

    Returns:
        A function of the step; α is drawn from torch's own generator.
    """
    clips = [(clip, source.lead) for source in sources for clip in source.clips]
    chances = np.concatenate([_chances(source) for source in sources])

    def batch(step: int) -> tuple[Tensor, ...]:
        rng = np.random.default_rng([recipe.seed, step])
        shown = []
        for index in rng.choice(len(clips), recipe.batch, p=chances):
            clip, lead = clips[index]
            if recipe.config.features == "mel":
                shown.append((*_stretch(clip, lead, recipe, gain, rng), _unsaid(recipe.frames)))
            else:
                shown.append(_speech_stretch(clip, recipe, rng))
        heard = [part for part, *_ in shown]
        if recipe.config.features == "mel":
            heard = [_disturbed(index, heard, recipe, rng) for index in range(len(heard))]
        return (
            torch.from_numpy(np.stack(heard)),
            torch.from_numpy(np.stack([truth for _, truth, _, _ in shown])),
            torch.from_numpy(np.stack([mask for _, _, mask, _ in shown]))[:, None],
            torch.randn(recipe.batch, recipe.config.identity),
            torch.from_numpy(np.stack([said for *_, said in shown])),
        )

    return batch


def _chances(source: Source) -> NDArray[np.float64]:
    lengths = np.array([len(clip.coefficients) for clip in source.clips], np.float64)
    result: NDArray[np.float64] = source.share * lengths / lengths.sum()
    return result


def _unsaid(frames: int) -> NDArray[np.int64]:
    return np.full((frames, PER_FRAME, 2), UNKNOWN, np.int64)


def _speech_stretch(
    clip: Clip, recipe: ExpressionRecipe, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Features, truth, mask and what is said of a random stretch."""
    frames, context = recipe.frames, recipe.config.past + recipe.config.ahead
    start = int(rng.integers(0, len(clip.coefficients) - frames + 1))
    first, count = PER_FRAME * start, PER_FRAME * (frames + context - 1) + BEFORE + 1 + AFTER
    said = _unsaid(frames)
    if len(clip.said):
        said = clip.said[first : first + PER_FRAME * frames].reshape(said.shape).astype(np.int64)
    heard = clip.heard[first : first + count].astype(np.float32)
    truth = clip.coefficients[start : start + frames].astype(np.float32)
    return heard, truth, clip.mask, said


def _stretch(
    clip: Clip,
    lead: int,
    recipe: ExpressionRecipe,
    gain: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[Windows, NDArray[np.float32], NDArray[np.float32]]:
    """Mel, truth and mask of a random stretch, now and then at another speed."""
    frames, context = recipe.frames, recipe.config.past + recipe.config.ahead
    factor = 1.0
    if rng.random() < recipe.tempo:
        # As fast as the clip is long enough for.
        longest = (len(clip.heard) - _SPARE) / (frames + context)
        factor = min(float(rng.uniform(_SLOWEST, _FASTEST)), longest)
        factor = 1.0 if factor < _SLOWEST else factor
    needed = int(np.ceil(factor * (frames + context))) + (_SPARE if factor != 1.0 or lead else 0)
    start = int(rng.integers(0, len(clip.heard) - needed + 1)) if needed < len(clip.heard) else 0
    mel = clip.heard[start : start + needed].astype(np.float32)
    truth = clip.coefficients[start : start + needed - context].astype(np.float32)
    if factor != 1.0 or lead:
        mel, truth = at_speed(mel, truth, factor, frames, recipe.config.past, gain, lead=lead)
    return mel, truth, clip.mask


def at_speed(
    mel: Windows,
    truth: NDArray[np.float32],
    factor: float,
    frames: int,
    past: int,
    gain: NDArray[np.float64],
    *,
    lead: int = 0,
) -> tuple[Windows, NDArray[np.float32]]:
    """What would be heard and seen of a stretch played `factor` times as fast at the same pitch.

    The spectrum keeps its bands and is read `factor` times as fast; so are coefficients, but lips
    that touch between two of the frames are seen touching, or fast closures would be lost.

    Args:
        mel: (n, bands, hops) windows of neighbouring frames.
        truth: (n − context, 52); the first belongs to window `past`.
        factor: 0.8 to 2.1.
        frames: T of the result.
        past: windows before the first frame.
        gain: (52,) how far each coefficient parts the lips.
        lead: hops, up to 4, by which lips come earlier.

    Returns:
        Windows (T + context, bands, hops) and coefficients (T, 52).
    """
    count, bands, width = mel.shape
    hops = np.concatenate([mel[:, :, :HOPS_PER_FRAME].transpose(0, 2, 1).reshape(-1, bands),
                           mel[-1, :, HOPS_PER_FRAME:].T])  # fmt: skip
    context = count - len(truth)
    middle = (width - 1) / 2
    # Frames skipped at the beginning leave room for what the first window and truth reach back.
    room = max(((factor - 1.0) * middle + lead) / HOPS_PER_FRAME, (1.0 - factor) * past)
    skip = int(np.ceil(room))
    places = factor * (np.arange((frames + context - 1) * HOPS_PER_FRAME + width) - middle)
    places = np.clip(places + middle + HOPS_PER_FRAME * skip - lead, 0, len(hops) - 1)
    low = np.minimum(places.astype(int), len(hops) - 2)
    share = (places - low).astype(np.float32)[:, None]
    fast = hops[low] * (1 - share) + hops[low + 1] * share
    windows = np.lib.stride_tricks.sliding_window_view(fast, width, axis=0)[::HOPS_PER_FRAME]
    wanted = factor * (past + np.arange(frames)) + skip - past
    wanted = np.clip(wanted, 0, len(truth) - 1)
    opening = truth @ gain
    chosen = np.rint(wanted).astype(int)
    for offset in (-1, 1) if factor > 1.3 else ():
        near = np.clip(chosen + offset, 0, len(truth) - 1)
        inside = np.abs(near - wanted) <= factor / 2
        closes = inside & (opening[near] < TOUCH / 2) & (opening[np.rint(wanted).astype(int)] > 0)
        chosen = np.where(closes, near, chosen)
    return np.ascontiguousarray(windows, np.float32), truth[chosen]


def _disturbed(
    index: int, mels: list[Windows], recipe: ExpressionRecipe, rng: np.random.Generator
) -> Windows:
    """One stretch of a batch as the network hears it; the others are the babble around it."""
    result = mels[index]
    if rng.random() < recipe.masking:
        count = int(rng.integers(0, _MOST_TALKERS + 1))
        others = [mels[(index + k) % len(mels)] for k in range(1, count + 1)]
        result = masked(result, others if len(mels) > count else [], rng)
    if rng.random() < recipe.band_limit:
        result = band_limited(result, rng)
    return recoloured(result, rng)
