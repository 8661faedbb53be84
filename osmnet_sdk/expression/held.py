"""Vowels that are held, sung or drawn out: the mouth keeps their shape as long as they sound.

The network has learned from speech that nothing lasts, and that what lasts is music or noise. So a
vowel that goes on is given its shape by its formants: the first tells how far the mouth is open,
the second whether lips are round or spread. Where the network opens the mouth itself it is left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.vowels import VowelStream, joined, silent_frames
from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.expression.lips import JAW

FloatArray = NDArray[np.float32]

BEFORE, AFTER = 10, 2
"""Frames before and after a frame by which it is told whether a vowel is held."""
_CLEAR, _LIKELY = 0.8, 0.75
"""Share of these frames that must be vowels."""
_STEADY = 6.0
"""How far the envelope of a held vowel moves within `_APART` frames, in dB (root mean square)."""
_APART = 3
_MEMORY = 125
"""Frames (5 s) for which a voice is expected after one was heard."""
_SPOKEN = 0.08
"""Lip gap by which the network says that it hears a voice."""
_FADE = 4
"""Frames in which a shape comes and goes."""
_FOLLOW = 0.3
"""Share of the newest formants in the shape."""

# First formant in hertz, and the opening that goes with it in widths of the mouth: i, e, open e, a.
# Vowels that are held are opened a little wider than in passing.
_OPENINGS = ((250.0, 350.0, 500.0, 700.0, 850.0), (0.12, 0.15, 0.20, 0.27, 0.31))


class HeldVowels:
    """Lays the shapes of held vowels over predicted curves, as they are heard.

    Args:
        lip_gain: (52,) how far each coefficient parts the lips.
    """

    def __init__(self, lip_gain: FloatArray) -> None:
        self._gain = lip_gain.astype(np.float64)
        self._stream = VowelStream()
        self._heard = silent_frames(BEFORE + _APART)
        self._since = _MEMORY
        self._weights = [0.0] * _FADE
        self._formants: NDArray[np.float64] | None = None

    def hear(self, samples: FloatArray) -> None:
        """Take samples of whole frames, behind the high-pass."""
        self._heard = joined([self._heard, self._stream.push(samples)])

    def over(self, curves: FloatArray) -> FloatArray:
        """Curves (n, 52) of the next frames, with held vowels in them.

        Sound must have been heard to `AFTER` + 1 frames after the last of them.
        """
        result = curves.astype(np.float64)
        steady = self._steady()
        clear_vowels = self._heard.clear[_APART:] & steady
        likely_vowels = self._heard.likely[_APART:] & steady
        for frame in range(len(curves)):
            near = slice(frame, frame + BEFORE + 1 + AFTER)
            opened = float(result[frame] @ self._gain)
            clear = clear_vowels[near].mean() >= _CLEAR
            self._since = 0 if clear or opened > _SPOKEN else self._since + 1
            likely = likely_vowels[near].mean() >= _LIKELY
            held = clear or (likely and self._since < _MEMORY)
            self._weights = [*self._weights[1:], float(held)]
            if held:
                self._follow(self._heard.formants[_APART:][near])
            weight = sum(self._weights) / _FADE
            if weight and self._formants is not None:
                shape = vowel_shape(self._formants[0], self._formants[1], self._gain)
                wanted = float(shape @ self._gain)
                lacking = min(max((wanted - opened) / wanted, 0.0), 1.0)
                result[frame] += weight * lacking * (shape - result[frame])
        self._heard = self._heard.part(len(curves))
        return result.astype(np.float32)

    def _steady(self) -> NDArray[np.bool_]:
        """Whether the envelope of each frame, from the fourth on, is that of a moment before."""
        envelope = self._heard.envelope
        change = np.sqrt(np.square(envelope[_APART:] - envelope[:-_APART]).mean(axis=1))
        steady: NDArray[np.bool_] = change < _STEADY
        return steady

    def _follow(self, formants: NDArray[np.float64]) -> None:
        known = formants[np.isfinite(formants).all(axis=1)]
        if len(known):
            now = np.median(known, axis=0)
            last = now if self._formants is None or not self._weights[-2] else self._formants
            self._formants = last + _FOLLOW * (now - last)


def vowel_shape(first: float, second: float, lip_gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients (52,) of a vowel by its formants in hertz.

    Args:
        first: first formant.
        second: second formant.
        lip_gain: (52,) how far each coefficient parts the lips.
    """
    opening = float(np.interp(first, *_OPENINGS))
    closed = float(np.clip((750.0 - first) / 300.0, 0.0, 1.0))
    rounding = 0.9 * float(np.clip((1250.0 - second) / 500.0, 0.0, 1.0)) * closed
    spread = 0.6 * float(np.clip((second - 1500.0) / 700.0, 0.0, 1.0))
    wide = opening / 0.25
    shape = np.zeros(len(ARKIT_NAMES))
    for names, value in (
        ("mouthPucker", 0.65 * rounding * (1.0 - 0.35 * wide)),
        ("mouthFunnel", rounding * (0.10 + 0.30 * wide)),
        ("mouthStretchLeft mouthStretchRight", 0.40 * spread),
        ("mouthSmileLeft mouthSmileRight", 0.20 * spread),
        ("mouthLowerDownLeft mouthLowerDownRight", 0.25 * wide),
        ("mouthUpperUpLeft mouthUpperUpRight", 0.12 * wide),
    ):
        for name in names.split():
            shape[ARKIT_NAMES.index(name)] = max(value, 0.0)
    shape[JAW] = np.clip((opening - shape @ lip_gain) / lip_gain[JAW], 0.0, 1.0)
    return shape
