"""What rooms, microphones and lines do to a voice, so that a network learns not to mind.

Every function takes float (n,) samples at 16 kHz and, but for `change_speed`, returns as many.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.signal import butter, fftconvolve, firwin2, resample_poly, sosfilt

from osmnet_sdk.core.conventions import SAMPLE_RATE

Samples = NDArray[np.float64]


class AugmentationConfig(BaseModel):
    """How often each change is made, as a share from 0 to 1, and how strongly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    speed: float = Field(default=0.12, ge=0.0, le=0.5)
    """Largest change of speed, pitch and formants together, as a share."""
    noise: float = Field(default=0.6, ge=0.0, le=1.0)
    noise_db: tuple[float, float] = (6.0, 35.0)
    """Signal-to-noise ratio, in dB."""
    babble: float = Field(default=0.3, ge=0.0, le=1.0)
    """Share of noises that are other people's speech."""
    reverb: float = Field(default=0.4, ge=0.0, le=1.0)
    equaliser: float = Field(default=0.7, ge=0.0, le=1.0)
    telephone: float = Field(default=0.15, ge=0.0, le=1.0)
    clipping: float = Field(default=0.1, ge=0.0, le=1.0)
    stretch: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of versions at 0.5 to 2.1 times their speed, the pitch as it was."""
    whisper: float = Field(default=0.0, ge=0.0, le=1.0)
    music: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of versions with music or noise of another kind behind them, 0 to 20 dB below."""
    level_db: tuple[float, float] = (-40.0, 0.0)
    """Gain of the whole recording, in dB."""


def change_speed(samples: Samples, factor: float) -> Samples:
    """Play `factor` times as fast, which moves pitch and formants as another throat would."""
    up, down = 200, max(round(200 * factor), 1)
    result: Samples = resample_poly(samples, up, down)
    return result


def equalised(samples: Samples, rng: np.random.Generator, strength: float = 5.0) -> Samples:
    """Colour by a random smooth frequency response, `strength` dB standard deviation."""
    places = np.linspace(0.0, 1.0, 7)
    gains = 10 ** (rng.normal(0.0, strength, 7).clip(-12, 12) / 20)
    result: Samples = fftconvolve(samples, firwin2(129, places, gains), mode="same")
    return result


def reverberant(samples: Samples, rng: np.random.Generator) -> Samples:
    """Put the voice into a random room of 0.1 to 0.6 s reverberation time."""
    seconds = rng.uniform(0.1, 0.6)
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / seconds)
    tail[: int(0.002 * SAMPLE_RATE)] = 0.0
    tail *= 10 ** (-rng.uniform(2.0, 15.0) / 20) / np.sqrt((tail**2).sum() + 1e-12)
    tail[0] = 1.0
    result: Samples = fftconvolve(samples, tail)[: len(samples)]
    return result


def telephone(samples: Samples) -> Samples:
    """Band of 300 to 3400 Hz, 8 bits µ-law."""
    band: Samples = sosfilt(
        butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE, output="sos"), samples
    )
    peak = np.abs(band).max() + 1e-9
    companded = np.sign(band) * np.log1p(255 * np.abs(band) / peak) / np.log(256)
    companded = np.round(companded * 127) / 127
    expanded: Samples = np.sign(companded) * np.expm1(np.abs(companded) * np.log(256)) / 255 * peak
    return expanded


def coloured_noise(count: int, rng: np.random.Generator) -> Samples:
    """Noise of a random spectral slope, from white to brown, at unit level."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count), 20.0 / SAMPLE_RATE)
    noise: Samples = np.fft.irfft(spectrum * frequency ** -rng.uniform(0.0, 1.0), count)
    noise /= noise.std() + 1e-12
    return noise


def music(count: int, rng: np.random.Generator) -> Samples:
    """Chords of decaying tones in a steady rhythm, at unit level: sound that is no voice."""
    times = np.arange(count) / SAMPLE_RATE
    result: Samples = np.zeros(count)
    beat, overtones = rng.uniform(0.25, 0.7), int(rng.integers(1, 7))
    for start in np.arange(0.0, count / SAMPLE_RATE, beat):
        root = 110 * 2 ** (rng.integers(0, 25) / 12)
        after = np.maximum(times - start, 0.0)
        envelope = np.where(times >= start, np.exp(-after / rng.uniform(0.2, 1.0)), 0.0)
        envelope *= np.minimum(after / 0.01, 1.0)
        for interval in rng.choice([0, 3, 4, 5, 7, 9, 12], 3, replace=False):
            for overtone in range(1, overtones + 1):
                pitch = root * 2 ** (interval / 12) * overtone
                if pitch < 7000:
                    result += envelope * np.sin(2 * np.pi * pitch * times) / overtone**1.5
    result /= result.std() + 1e-12
    return result


def augmented(
    samples: Samples,
    rng: np.random.Generator,
    config: AugmentationConfig,
    others: list[NDArray[np.float32]],
) -> Samples:
    """A random chain of room, noise, microphone and line; tempo stays as it is.

    Args:
        samples: a voice.
        rng: source of chance.
        config: how often and how strongly.
        others: recordings of other voices, for babble.
    """
    result: Samples = samples.astype(np.float64)
    speech = np.sqrt((result**2).mean()) + 1e-9
    if rng.random() < config.reverb:
        result = reverberant(result, rng)
    if rng.random() < config.noise:
        if others and rng.random() < config.babble:
            noise = _babble(len(result), rng, others)
        else:
            noise = coloured_noise(len(result), rng)
        result = result + noise * speech * 10 ** (-rng.uniform(*config.noise_db) / 20)
    if rng.random() < config.equaliser:
        result = equalised(result, rng)
    if rng.random() < config.telephone:
        result = telephone(result)
    if rng.random() < config.clipping:
        limit = np.quantile(np.abs(result), rng.uniform(0.9, 0.995)) + 1e-9
        result = result.clip(-limit, limit)
    peak = np.abs(result).max() + 1e-9
    result *= 0.9 / peak * 10 ** (rng.uniform(*config.level_db) / 20)
    return result


def _babble(count: int, rng: np.random.Generator, others: list[NDArray[np.float32]]) -> Samples:
    """Three to six other voices at once, at unit level."""
    result: Samples = np.zeros(count)
    for _ in range(int(rng.integers(3, 7))):
        other = others[int(rng.integers(len(others)))]
        result += np.resize(np.roll(other, int(rng.integers(len(other)))), count)
    result /= result.std() + 1e-9
    return result
