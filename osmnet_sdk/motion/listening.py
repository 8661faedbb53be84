"""What the motion network hears of a recording: mel patches without the recording's own colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.activity import voice_activity
from osmnet_sdk.audio.mel import mel_windows

FloatArray = NDArray[np.float32]

SOFTEST, LOUDEST = -5.0, 4.0
"""Range of a band around its mean in speech, in natural logarithms (−43 to 35 dB)."""


def heard_patches(samples: FloatArray, bands: int, hops: int) -> tuple[FloatArray, FloatArray]:
    """Mel patches relative to each band's mean over the recording's speech, and voice activity.

    Gain, microphone and the colour of the voice fall out, and so does the level of the noise in
    pauses. Without that, an encoder trained on few speakers learns to tell them apart instead.

    Args:
        samples: float32 (n,), n ≥ 1, 16 kHz mono.
        bands: number of mel bands.
        hops: number of hops in a patch.

    Returns:
        float32 (F, bands, hops) within [−5, 4], and float32 (F,) within [0, 1].
    """
    mel = mel_windows(samples, bands=bands, hops=hops)
    activity = voice_activity(samples)
    spoken = activity > 0.5
    usual = np.average(mel.mean(axis=2), axis=0, weights=spoken if spoken.any() else None)
    mel -= usual.astype(np.float32)[:, None]
    return np.clip(mel, SOFTEST, LOUDEST, out=mel), activity
