"""Speech as it is seldom recorded: drawn out, hurried, whispered, with music behind it.

Recordings of synthesisers are changed; what is said, and when, is known as before.
"""

from __future__ import annotations

import librosa
import numpy as np
from librosa.effects import time_stretch
from scipy.fft import irfft, rfft

from osmnet_sdk.research.trainers.expression.augmentation import AugmentationConfig, Samples
from osmnet_sdk.research.trainers.expression.sounds_without_voice import sound_without_voice

_SLOWEST, _FASTEST = 0.5, 2.1
_WINDOW, _HOP = 512, 128
_SMOOTH = 28
"""Cepstral coefficients that tell the throat's resonances and not the pitch."""


def varied(
    sound: Samples, config: AugmentationConfig, rng: np.random.Generator
) -> tuple[Samples, float]:
    """One version of a voice.

    Args:
        sound: (n,) at 16 kHz.
        config: how often each change is made.
        rng: source of chance.

    Returns:
        The sound, and how many times as fast it is.
    """
    factor = 1.0
    if rng.random() < config.stretch:
        factor = float(np.exp(rng.uniform(np.log(_SLOWEST), np.log(_FASTEST))))
        sound = time_stretch(sound, rate=factor, n_fft=_WINDOW)
    if rng.random() < config.whisper:
        sound = whispered(sound, rng)
    if rng.random() < config.music:
        behind = sound_without_voice(len(sound), rng)
        sound = sound + behind * sound.std() * 10 ** (-rng.uniform(0.0, 20.0) / 20)
    return sound, factor


def whispered(sound: Samples, rng: np.random.Generator) -> Samples:
    """The same words without a tone: noise through the resonances of the voice."""
    voice = librosa.stft(sound, n_fft=_WINDOW, hop_length=_HOP)
    noise = librosa.stft(rng.standard_normal(len(sound)), n_fft=_WINDOW, hop_length=_HOP)
    cepstra = irfft(np.log(np.abs(voice) + 1e-6), axis=0)
    cepstra[_SMOOTH : len(cepstra) - _SMOOTH + 1] = 0.0
    envelope = np.exp(rfft(cepstra, axis=0).real)
    # A whisper has little below 500 Hz.
    rise = np.linspace(0.0, 1.0, len(envelope)) ** rng.uniform(0.1, 0.6)
    result: Samples = librosa.istft(
        envelope * rise[:, None] * noise, hop_length=_HOP, length=len(sound)
    )
    result *= sound.std() / (result.std() + 1e-9)
    return result
