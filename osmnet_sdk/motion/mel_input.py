"""What the motion network hears of a recording: mel patches without the recording's own colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.analysis import SpeechAnalysis

FloatArray = NDArray[np.float32]

SOFTEST, LOUDEST = -5.0, 4.0
"""Range of a band around its mean in speech, in natural logarithms (−43 to 35 dB)."""

_BLOCK = 1024


class MelInput:
    """Mel patches relative to each band's mean over the recording's speech, and voice activity.

    Gain, microphone and the colour of the voice fall out, and so does the level of the noise in
    pauses. Without that, an encoder trained on few speakers learns to tell them apart instead.

    Args:
        sound: the recording, as `Audio.analysis` has it.
        bands: number of mel bands.
        hops: number of hops in a patch.

    Attributes:
        activity: float32 (F,) within [0, 1], whether somebody speaks.
    """

    def __init__(self, sound: SpeechAnalysis, bands: int, hops: int) -> None:
        self.activity = sound.activity
        self._windows = sound.mel(bands, hops)
        spoken = self.activity > 0.5
        # The order in which numbers are added up, and with it the last bit, is that of a copy.
        means = [
            self._windows[start : start + _BLOCK].copy("C").mean(axis=2)
            for start in range(0, len(self), _BLOCK)
        ]
        usual = np.average(np.concatenate(means), axis=0, weights=spoken if spoken.any() else None)
        self._usual = usual.astype(np.float32)[:, None]

    def __len__(self) -> int:
        """Number of frames F."""
        return len(self.activity)

    def patches(self, frames: slice | NDArray[Any]) -> FloatArray:
        """The patches of some frames, or of all (`slice(None)`): (N, bands, hops) in [−5, 4]."""
        mel = self._windows[frames].copy("C")
        mel -= self._usual
        return np.clip(mel, SOFTEST, LOUDEST, out=mel)
