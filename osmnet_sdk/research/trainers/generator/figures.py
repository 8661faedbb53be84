"""Self-driven figures and sample sheets of a generator in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from osmnet_sdk.rendering.paper.painting import to_images
from osmnet_sdk.research.trainers.generator.objective import GeneratorChain
from osmnet_sdk.research.trainers.generator.windows import (
    SegmentWindows,
    WindowBatch,
    spread_frames,
)

Image = NDArray[np.uint8]

_ROWS = 4


@dataclass(frozen=True)
class SelfDriven:
    """Mean SSIM (−1 to 1) of segments that were drawn from their own first frame.

    Attributes:
        frames: number of frames compared.
        real: driven by the features of the real motion.
        heard: driven by what the sound gives, from a real pose at the start of each window; where
            segments are silent, by their reconstructed features.
        still: of the first frame held still, for comparison.
    """

    frames: int
    real: float
    heard: float
    still: float


def self_driven(
    chain: GeneratorChain, windows: SegmentWindows, *, segments: int = 20, frames: int = 100
) -> SelfDriven:
    """Measure on some frames of each of some segments, spread evenly."""
    from skimage.metrics import structural_similarity

    scores = []
    for index in range(min(segments, len(windows.segments))):
        chosen = np.asarray(spread_frames(len(windows.segments[index]), frames))
        for part in np.array_split(chosen, -(-len(chosen) // 8)):
            batch = windows.batch([(index, int(frame), 0) for frame in part])
            columns = drawn_columns(chain, batch)
            scores += [
                [structural_similarity(real, other, channel_axis=2) for other in others]
                for real, *others in zip(*(columns[i] for i in (1, 2, 3, 0)), strict=True)
            ]
    real, heard, still = np.mean(scores, axis=0)
    return SelfDriven(len(scores), float(real), float(heard), float(still))


def sample_sheet(chain: GeneratorChain, windows: SegmentWindows) -> Image:
    """Rows of source | real | by the real motion | by the sound, of the first segments."""
    segments = len(windows.segments)
    rows = []
    for row in range(_ROWS):
        frames = np.atleast_1d(spread_frames(len(windows.segments[row % segments]), _ROWS))
        rows.append((row % segments, int(frames[row % len(frames)]), 0))
    columns = drawn_columns(chain, windows.batch(rows))
    sheet: Image = np.vstack([np.hstack(row) for row in zip(*columns, strict=True)])
    return sheet


def drawn_columns(chain: GeneratorChain, batch: WindowBatch) -> list[Image]:
    """Source, real, by the real motion, by the sound: (B, S, S, 3) uint8 each, on any device."""
    device = next(chain.parameters()).device
    with torch.inference_mode():
        passes, _ = chain(WindowBatch(*(tensor.to(device) for tensor in batch)))
    pictures = [np.asarray(batch.source), np.asarray(batch.real)]
    return [*pictures, *(to_images(frames) for frames in passes)]
