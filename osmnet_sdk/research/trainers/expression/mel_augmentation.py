"""Changes to mel windows that cost next to nothing, so that no two steps see the same sound.

`augmentation` changes the samples, once; this changes what the network is shown, every time.
Windows are float32 (n, bands, hops), natural logarithms of magnitudes with the floor `SILENCE`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.mel import SILENCE

Windows = NDArray[np.float32]

_BANDS = 16
"""Bands that shifts and blanks are counted in; finer bands are shifted by more of them."""


def recoloured(mel: Windows, rng: np.random.Generator) -> Windows:
    """Another throat and microphone: shift the bands a little, tilt them, blank one or two."""
    bands = mel.shape[1]
    fineness = bands / _BANDS
    places = np.clip(np.arange(bands) + rng.normal(0.0, 0.35 * fineness), 0, bands - 1)
    low = places.astype(int)
    high = np.minimum(low + 1, bands - 1)
    share = (places - low).astype(np.float32)[None, :, None]
    shifted = mel[:, low] * (1.0 - share) + mel[:, high] * share
    knots = np.interp(np.arange(bands), np.linspace(0, bands - 1, 5), rng.normal(0.0, 0.35, 5))
    tilt = (knots + rng.normal(0.0, 0.3)).astype(np.float32)
    result: Windows = shifted + tilt[None, :, None]
    if rng.random() < 0.2:
        first = int(rng.integers(0, bands))
        result[:, first : first + round(fineness * rng.integers(1, 3))] = SILENCE
    return np.maximum(result, SILENCE)


def band_limited(mel: Windows, rng: np.random.Generator) -> Windows:
    """A line or an old codec: soften what lies below and above a random range of bands."""
    result = mel.copy()
    bands = mel.shape[1]
    below, above = (round(bands / _BANDS * rng.integers(*few)) for few in ((0, 3), (1, 6)))
    result[:, :below] -= np.float32(rng.uniform(1.0, 5.0))
    result[:, bands - above :] -= np.float32(rng.uniform(1.0, 6.0))
    return np.maximum(result, SILENCE)


def masked(mel: Windows, others: list[Windows], rng: np.random.Generator) -> Windows:
    """Lay other sounds, or steady noise if there are none, 3 to 25 dB below the loud parts.

    Magnitudes of independent sounds add up as the root of the sum of squares.
    """
    loud = float(np.percentile(mel.max(1), 95))
    below = float(rng.uniform(3.0, 25.0)) / 20 * np.log(10)
    if others:
        noise = np.log(np.sqrt(sum(np.exp(2.0 * other) for other in others)))
        noise = noise + (loud - below - float(np.percentile(noise.max(1), 95)))
    else:
        slope = np.linspace(0.0, rng.uniform(-2.5, 1.0), mel.shape[1])
        noise = loud - below + slope[None, :, None] + rng.normal(0.0, 0.35, mel.shape)
    result: Windows = (0.5 * np.logaddexp(2.0 * mel, 2.0 * noise)).astype(np.float32)
    return np.maximum(result, np.float32(SILENCE))
