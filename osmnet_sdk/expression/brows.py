"""Brow raises that go with emphasis, sampled with a take like blinks and gaze.

Numbers without another source are medians over 14 tracked clips of 10 speakers (6 minutes, the
clips of the motion training), in which what head, mouth and lids do to the tracked brows had been
taken out by regression; `osmnet evaluate expression` repeats that measurement. Frowns, cheeks and
squints were too rare there to tell from the tracker's noise, and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.audio.prosody import accents
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.core.curves import smoothstep
from osmnet_sdk.errors import InputError
from osmnet_sdk.options import SampleOptions

FloatArray = NDArray[np.float32]
Array = NDArray[np.float64]

RAISES_PER_MINUTE = 24.0
"""Raises of 0.75 mm and more in a minute of speech, drawn for the median take; 27 were tracked, the
tracker's noise among them."""

SMALLEST, MEAN_BEYOND, LARGEST = 0.75, 0.45, 3.0
"""Raise of the brows in millimetres: the smallest, how far they go beyond it on the average (an
exponential distribution fits), and the largest."""

INNER, OUTER, WIDE = 0.33, 0.10, 0.015
"""browInnerUp, browOuterUp… and eyeWide… in a raise of 1 mm on the average head."""

LEAD, LEAD_SPREAD = 0.12, 0.10
"""Seconds by which a raise culminates before the accented syllable is loudest, and their standard
deviation: 0.2 s in the clips (103 raises, two standard errors); raises set in 0.06 s before pitch
accents after Flecha-García 2010."""

RISE, HOLD, FALL = 0.30, 0.14, 0.40
"""Seconds that a raise takes to come, stays and takes to go; they stretch together."""

_STRETCH = 0.4  # standard deviation of the logarithm of that
_RATE_SPREAD = 0.4  # of the logarithm of the rate, from take to take as from speaker to speaker
_SIDE_SPREAD = 0.2  # of the two outer brows' difference
_SHORTEST = 0.6  # seconds between raises at least
_SILENCE = 0.5  # seconds around a raise in which somebody must speak

_DEFAULT_OPTIONS = SampleOptions()


@dataclass(frozen=True)
class _Raise:
    time: float  # of its culmination, seconds
    size: float  # millimetres
    stretch: float
    sides: tuple[float, float]  # of the left and right outer brow, factors


def sample_brows(
    level: ArrayLike,
    speech: ArrayLike,
    *,
    seed: int,
    take: int,
    options: SampleOptions = _DEFAULT_OPTIONS,
) -> FloatArray:
    """Brow raises of one take, to be added to a predicted expression by `blink.combine`.

    A raise accompanies some of the accented syllables, loud ones more often; none comes in silence.
    Same arguments, same brows.

    Args:
        level: (T,) of `speech_energy`, dBFS.
        speech: (T,) voice activity in [0, 1].
        seed: 0 or more.
        take: number of the take, 0 or more.
        options: `brow_activity` is a gain on the size of the raises.

    Returns:
        (T, 52) float32 coefficients of brows and lids, 0 elsewhere.

    Raises:
        InputError: if a number is negative or lengths differ.
    """
    loudness, spoken = np.asarray(level, np.float64), np.asarray(speech, np.float64) >= 0.5
    if loudness.ndim != 1 or loudness.shape != spoken.shape or seed < 0 or take < 0:
        raise InputError(
            "level and speech must have one value per frame each, and seed and take must be 0 or "
            f"more; they are {loudness.shape}, {spoken.shape}, {seed} and {take}."
        )
    result = np.zeros((len(loudness), len(ARKIT_NAMES)))
    if options.brow_activity > 0 and spoken.any():
        times, strengths = accents(loudness, spoken)
        for one in _raises(times, strengths, spoken, [seed, take, 3]):
            _add(result, one, options.brow_activity)
    return result.astype(np.float32)


def _raises(
    times: Array, strengths: Array, spoken: NDArray[np.bool_], key: list[int]
) -> list[_Raise]:
    """Draw which accents are accompanied; each one draws alike, so that options change no other."""
    if len(times) == 0:
        return []
    rng = np.random.default_rng(key)
    rate = RAISES_PER_MINUTE * float(rng.lognormal(-(_RATE_SPREAD**2) / 2, _RATE_SPREAD))
    wanted = rate * spoken.sum() / float(FPS) / 60.0
    chance = wanted * strengths / strengths.sum()
    result: list[_Raise] = []
    last = -np.inf
    for time, probability in zip(times, chance, strict=True):
        drawn, early = rng.random(), float(rng.normal(LEAD, LEAD_SPREAD))
        size = min(SMALLEST + float(rng.exponential(MEAN_BEYOND)), LARGEST)
        stretch = float(np.exp(np.clip(rng.normal(0.0, _STRETCH), -0.7, 0.9)))
        left, right = 1.0 + _SIDE_SPREAD * np.clip(rng.standard_normal(2), -2.0, 2.0)
        top = float(time) - early
        if drawn < probability and top - last >= _SHORTEST and _spoken_near(spoken, top):
            result.append(_Raise(top, size, stretch, (float(left), float(right))))
            last = top
    return result


def _spoken_near(spoken: NDArray[np.bool_], time: float) -> bool:
    near = slice(
        max(int((time - _SILENCE) * float(FPS)), 0), int((time + _SILENCE) * float(FPS)) + 1
    )
    return bool(spoken[near].any())


def _add(result: Array, one: _Raise, gain: float) -> None:
    """Lay one raise over the others; where two meet the higher one counts."""
    rise, hold, fall = (one.stretch * part for part in (RISE, HOLD, FALL))
    first = max(int((one.time - hold / 2 - rise) * float(FPS)), 0)
    stop = int((one.time + hold / 2 + fall) * float(FPS)) + 2
    times = np.arange(first, min(stop, len(result))) / float(FPS) - one.time
    up = smoothstep((times + hold / 2 + rise) / rise)
    down = smoothstep((hold / 2 + fall - times) / fall)
    shape = gain * one.size * up * down
    left, right = one.sides
    for name, share in (
        ("browInnerUp", INNER),
        ("browOuterUpLeft", OUTER * left),
        ("browOuterUpRight", OUTER * right),
        ("eyeWideLeft", WIDE),
        ("eyeWideRight", WIDE),
    ):
        column = result[first : first + len(times), ARKIT_NAMES.index(name)]
        np.maximum(column, np.minimum(share * shape, 1.0), out=column)
