"""Sounds to which the mouth keeps still: music of many kinds, hum, wind, hiss.

All at unit level, float64 (n,) at 16 kHz. Tones that change slowly are the hardest: spectra of held
chords look like vowels to a network that has never heard any.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.research.trainers.expression.augmentation import Samples, coloured_noise, music

Maker = Callable[[int, np.random.Generator], Samples]

_CEILING = 7000.0  # hertz, of the highest overtone
_SCALE = np.array([0, 2, 3, 5, 7, 8, 10, 12])


def sound_without_voice(count: int, rng: np.random.Generator) -> Samples:
    """A random sound of `count` samples: one kind, or up to three at once."""
    layers = int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
    result: Samples = np.zeros(count)
    for maker in rng.choice(len(_MAKERS), layers, replace=False, p=_CHANCES):
        layer = _MAKERS[maker](count, rng)
        result += layer * rng.uniform(0.3, 1.0) / (layer.std() + 1e-9)
    result /= result.std() + 1e-9
    return result


def _notes(
    count: int, rng: np.random.Generator, shortest: float, longest: float
) -> list[tuple[int, int]]:
    """Stretches of samples, one after the other, of random lengths in seconds."""
    edges = [0]
    while edges[-1] < count:
        edges.append(edges[-1] + int(rng.uniform(shortest, longest) * SAMPLE_RATE))
    return [(start, min(stop, count)) for start, stop in pairwise(edges)]


def _overtones(
    phase: NDArray[np.float64], pitch: float, rng: np.random.Generator, count: int, slope: float
) -> Samples:
    """Sum of overtones of a phase in turns; each at a level of its own around 1 / n^slope."""
    result: Samples = np.zeros(len(phase))
    for number in range(1, count + 1):
        if number * pitch < _CEILING:
            level = rng.uniform(0.3, 1.0) / number**slope
            result += level * np.sin(2 * np.pi * (number * phase + rng.random()))
    return result


def _held_chords(count: int, rng: np.random.Generator) -> Samples:
    """Organ, strings or a pad: notes held for up to four seconds, detuned, swaying, swelling."""
    result: Samples = np.zeros(count)
    overtones, slope = int(rng.integers(2, 30)), float(rng.uniform(0.4, 2.0))
    attack, release = rng.uniform(0.005, 0.6), rng.uniform(0.02, 0.5)
    depth, rate = rng.uniform(0.0, 0.006), rng.uniform(3.5, 7.5)
    tremolo = rng.uniform(0.0, 0.5) if rng.random() < 0.3 else 0.0
    for start, stop in _notes(count, rng, 0.5, 4.0):
        times = np.arange(stop - start) / SAMPLE_RATE
        left = times[::-1]
        swell = np.minimum(times / attack, 1.0) * np.minimum(left / release, 1.0)
        root = 65.4 * 2 ** (rng.integers(0, 30) / 12)
        for step in rng.choice([0, 3, 4, 7, 9, 10, 12, 16, 19], int(rng.integers(1, 6)), False):
            pitch = root * 2 ** (step / 12) * 2 ** (rng.normal(0, 0.05) / 12)
            sway = depth * np.sin(2 * np.pi * (rate * times + rng.random())) / (2 * np.pi * rate)
            phase = pitch * (times + sway)
            result[start:stop] += swell * _overtones(phase, pitch, rng, overtones, slope)
    beat = np.arange(count) / SAMPLE_RATE * rng.uniform(2.0, 8.0)
    return _resonant(result * (1 - tremolo * (0.5 + 0.5 * np.sin(2 * np.pi * beat))), rng)


def _melody(count: int, rng: np.random.Generator) -> Samples:
    """One line that glides from note to note, with vibrato: a fiddle, a flute, a synthesiser."""
    times = np.arange(count) / SAMPLE_RATE
    semitones, level = np.zeros(count), np.zeros(count)
    for start, stop in _notes(count, rng, 0.12, 0.9):
        semitones[start:stop] = rng.choice(_SCALE) + 12 * rng.integers(0, 2)
        ramp = np.minimum(np.arange(stop - start) / SAMPLE_RATE / 0.02, 1.0)
        level[start:stop] = rng.uniform(0.4, 1.0) * np.minimum(ramp, ramp[::-1])
    share = np.exp(-1 / (SAMPLE_RATE * rng.uniform(0.003, 0.06)))
    glided = lfilter([1 - share], [1, -share], semitones - semitones[0]) + semitones[0]
    glided += rng.uniform(0.0, 0.5) * np.sin(2 * np.pi * rng.uniform(4, 7) * times)
    pitch = 110 * 2 ** (rng.integers(0, 25) / 12) * 2 ** (glided / 12)
    phase = np.cumsum(pitch) / SAMPLE_RATE
    overtones, slope = int(rng.integers(1, 20)), rng.uniform(0.5, 2.0)
    return _resonant(level * _overtones(phase, float(pitch.max()), rng, overtones, slope), rng)


def _plucked(count: int, rng: np.random.Generator) -> Samples:
    """Strings plucked one by one (Karplus and Strong): a guitar or a harp."""
    result: Samples = np.zeros(count)
    beat, damping = rng.uniform(0.1, 0.5), rng.uniform(0.985, 0.999)
    root = 82.4 * 2 ** (rng.integers(0, 24) / 12)
    for start in range(0, count, int(beat * SAMPLE_RATE)):
        period = int(SAMPLE_RATE / (root * 2 ** (rng.choice(_SCALE) / 12)))
        burst = np.zeros(min(count - start, int(1.5 * SAMPLE_RATE)))
        burst[:period] = rng.standard_normal(min(period, len(burst)))
        loop = np.zeros(period + 2)
        loop[0], loop[period], loop[period + 1] = 1.0, -0.5 * damping, -0.5 * damping
        result[start : start + len(burst)] += rng.uniform(0.4, 1.0) * lfilter([1.0], loop, burst)
    return result


def _bells(count: int, rng: np.random.Generator) -> Samples:
    """Struck metal: partials that are no overtones, dying away for a second or more."""
    result: Samples = np.zeros(count)
    for start, _ in _notes(count, rng, 0.15, 1.2):
        times = np.arange(count - start) / SAMPLE_RATE
        for _ in range(int(rng.integers(2, 7))):
            pitch, decay = rng.uniform(200, 5000), rng.uniform(0.1, 1.5)
            result[start:] += np.exp(-times / decay) * np.sin(2 * np.pi * pitch * times)
    return result


def _drums(count: int, rng: np.random.Generator) -> Samples:
    """A kit in a random pattern: falling thuds, noise in random bands, short and long."""
    result: Samples = np.zeros(count)
    step = int(rng.uniform(0.09, 0.25) * SAMPLE_RATE)
    for _ in range(int(rng.integers(2, 5))):
        pattern = rng.random(int(rng.integers(4, 17))) < rng.uniform(0.2, 0.8)
        decay, tonal, low = rng.uniform(0.01, 0.15), rng.random() < 0.4, rng.uniform(40, 160)
        edges = np.sort(rng.uniform(100, 7500, 2)) + [0, 200]
        band = butter(2, edges, "bandpass", fs=SAMPLE_RATE, output="sos")
        for number, start in enumerate(range(0, count, step)):
            if pattern[number % len(pattern)]:
                times = np.arange(min(count - start, SAMPLE_RATE // 2)) / SAMPLE_RATE
                fall = low * times + 0.05 * low * (1 - np.exp(-times / 0.02))
                hit = np.sin(2 * np.pi * fall) if tonal else rng.standard_normal(len(times))
                hit = hit * np.exp(-times / decay)
                result[start : start + len(hit)] += hit if tonal else sosfilt(band, hit)
    return result


def _hum(count: int, rng: np.random.Generator) -> Samples:
    """Mains, a fan or an engine: a low tone with many overtones, slowly wandering, and hiss."""
    times = np.arange(count) / SAMPLE_RATE
    pitch = rng.uniform(25, 180)
    wander = rng.uniform(0, 0.15) * np.sin(2 * np.pi * rng.uniform(0.05, 1.0) * times)
    phase = np.cumsum(pitch * (1 + wander)) / SAMPLE_RATE
    tone = _overtones(phase, pitch, rng, int(rng.integers(3, 40)), rng.uniform(0.3, 1.5))
    tone /= tone.std() + 1e-9
    tone += rng.uniform(0, 1) * coloured_noise(count, rng)
    return tone


def _wind(count: int, rng: np.random.Generator) -> Samples:
    """Noise in a band, in gusts: wind, waves, a street, applause far off."""
    edges = np.sort(rng.uniform(60, 6500, 2)) + [0, 300]
    band = butter(1, edges, "bandpass", fs=SAMPLE_RATE, output="sos")
    knots = rng.uniform(0.05, 1.0, max(count * int(rng.integers(1, 8)) // SAMPLE_RATE, 2))
    gusts = np.interp(np.linspace(0, len(knots) - 1, count), np.arange(len(knots)), knots)
    result: Samples = gusts * sosfilt(band, rng.standard_normal(count))
    return result


def _crackle(count: int, rng: np.random.Generator) -> Samples:
    """Short sounds at random, few to a thousand a second: clapping, rain, fire, keys."""
    rate = float(np.exp(rng.uniform(np.log(3.0), np.log(1000.0))))
    strikes = np.zeros(count)
    places = rng.integers(0, count, max(int(rate * count / SAMPLE_RATE), 1))
    strikes[places] = rng.exponential(1.0, len(places)) * rng.choice([-1.0, 1.0], len(places))
    decay = np.exp(-1 / (SAMPLE_RATE * rng.uniform(0.001, 0.02)))
    level = lfilter([1.0], [1.0, -decay], np.abs(strikes))
    edges = np.sort(rng.uniform(150, 7000, 2)) + [0, 500]
    band = butter(1, edges, "bandpass", fs=SAMPLE_RATE, output="sos")
    result: Samples = sosfilt(band, strikes + level * rng.standard_normal(count))
    return result


def _resonant(sound: Samples, rng: np.random.Generator) -> Samples:
    """In half of the cases the resonances of a body, as instruments have; vowels have them too."""
    if rng.random() < 0.5:
        return sound
    result = 0.3 * sound
    for _ in range(int(rng.integers(1, 4))):
        centre = rng.uniform(250, 3500)
        edges = centre * np.array([0.85, 1.18])
        result += sosfilt(butter(1, edges, "bandpass", fs=SAMPLE_RATE, output="sos"), sound)
    return result


_MAKERS: tuple[Maker, ...] = (
    _held_chords, _melody, music, _plucked, _bells, _drums, _hum, _wind, coloured_noise,
    _crackle,
)  # fmt: skip
_CHANCES = np.array([0.20, 0.11, 0.11, 0.07, 0.05, 0.08, 0.07, 0.09, 0.14, 0.08])
