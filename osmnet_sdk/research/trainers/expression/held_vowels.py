"""Vowels that are held, drawn out or sung, by a source and the resonances of a throat.

Speech synthesisers hold no vowel longer than a syllable, and a network that has heard nothing else
takes what lasts for music.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.expression.coarticulation import TimedPhone
from osmnet_sdk.research.trainers.expression.augmentation import Samples

FORMANTS = {
    "i": (280, 2250, 2900),
    "e": (400, 2050, 2600),
    "ɛ": (550, 1800, 2500),
    "æ": (680, 1700, 2450),
    "a": (780, 1250, 2500),
    "ɔ": (560, 850, 2450),
    "o": (420, 760, 2450),
    "u": (310, 720, 2350),
    "y": (280, 1900, 2300),
    "ə": (500, 1450, 2450),
}
"""Hertz of the first three, of a man's throat (Peterson & Barney 1952; Fant 1960)."""

_HIGHER = (3500.0, 4500.0, 5500.0)
_BLOCK = 80
"""Samples between two settings of the resonances."""
_CEILING = 7500.0


def held_vowels(rng: np.random.Generator) -> tuple[Samples, list[TimedPhone]]:
    """A few vowels of 0.3 to 4 s, with or without pauses, said, sung or whispered.

    Returns:
        The sound at unit level, and the vowels in IPA.
    """
    throat = float(rng.uniform(0.9, 1.35))
    names, phones, places = list(FORMANTS), [], [(0.0, "ə")]
    now = float(rng.uniform(0.1, 0.8))
    for _ in range(int(rng.integers(1, 5))):
        name = names[int(rng.integers(len(names)))]
        lasts = float(np.exp(rng.uniform(np.log(0.3), np.log(4.0))))
        phones.append(TimedPhone(name, now, now + lasts))
        places += [(now + 0.04, name), (now + lasts - 0.04, name)]
        now += lasts + float(rng.choice([0.0, rng.uniform(0.15, 0.8)]))
    count = int((now + 0.4) * SAMPLE_RATE)
    source = _breath(count, rng) if rng.random() < 0.2 else _voice(count, phones, rng)
    level = np.zeros(count)
    attack = float(rng.uniform(0.01, 0.15))
    for phone in phones:
        part = slice(int(phone.start * SAMPLE_RATE), int(phone.end * SAMPLE_RATE))
        times = np.arange(part.stop - part.start) / SAMPLE_RATE
        ramp = np.minimum(np.minimum(times, times[::-1]) / attack, 1.0)
        swell = 1.0 + rng.uniform(-0.5, 0.5) * np.sin(np.pi * times / max(times[-1], 0.1))
        level[part] = ramp * swell * rng.uniform(0.5, 1.0)
    sound = _through_the_throat(source * level, places, throat, rng)
    sound /= sound.std() + 1e-9
    return sound, phones


def _voice(count: int, phones: list[TimedPhone], rng: np.random.Generator) -> Samples:
    """Overtones that fall off, on a pitch that sways, glides, or steps from vowel to vowel."""
    times = np.arange(count) / SAMPLE_RATE
    base = float(np.exp(rng.uniform(np.log(75.0), np.log(700.0))))
    steps, semitones = [0.0], [0.0]
    for phone in phones:
        steps += [phone.start, phone.end]
        semitones += [float(rng.integers(-5, 6))] * 2 if rng.random() < 0.5 else [0.0, 0.0]
    glide = np.interp(times, steps, semitones) + rng.uniform(-3, 3) * times / times[-1]
    vibrato = rng.uniform(0.0, 0.8) * np.sin(2 * np.pi * rng.uniform(4.0, 7.0) * times)
    knots = np.interp(times, np.linspace(0, times[-1], 40), rng.normal(0.0, 0.15, 40))
    pitch = base * 2 ** ((glide + vibrato + knots) / 12)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    slope = float(rng.uniform(0.8, 1.6))
    result: Samples = np.zeros(count)
    for overtone in range(1, int(_CEILING / pitch.min()) + 1):
        heard = overtone * pitch < _CEILING
        result += heard * np.sin(overtone * phase) / overtone**slope
    result /= result.std() + 1e-9
    result += rng.uniform(0.0, 0.1) * rng.standard_normal(count)
    return result


def _breath(count: int, rng: np.random.Generator) -> Samples:
    return rng.standard_normal(count)


def _through_the_throat(
    source: Samples, places: list[tuple[float, str]], throat: float, rng: np.random.Generator
) -> Samples:
    """Filter by resonances that move from vowel to vowel."""
    middles = (np.arange(0, len(source), _BLOCK) + _BLOCK / 2) / SAMPLE_RATE
    times = [time for time, _ in places]
    formants = np.array([FORMANTS[name] for _, name in places], np.float64)
    moved = np.stack([np.interp(middles, times, formants[:, k]) for k in range(3)], axis=1)
    centres = throat * np.concatenate([moved, np.tile(_HIGHER, (len(middles), 1))], axis=1)
    centres *= rng.uniform(0.95, 1.05, centres.shape[1])
    result = source
    for resonance in range(centres.shape[1]):
        width = (50.0 + 0.06 * centres[:, resonance]) * rng.uniform(0.7, 1.6)
        result = _resonator(result, centres[:, resonance], width)
    return result


def _resonator(
    source: Samples, centres: NDArray[np.float64], widths: NDArray[np.float64]
) -> Samples:
    """A resonance of unit gain at 0 Hz that is set anew for each block."""
    result = np.empty_like(source)
    state = np.zeros(2)
    radius = np.exp(-np.pi * widths / SAMPLE_RATE)
    turn = 2 * radius * np.cos(2 * np.pi * np.minimum(centres, _CEILING) / SAMPLE_RATE)
    for block, (first, second) in enumerate(zip(turn, -(radius**2), strict=True)):
        part = slice(block * _BLOCK, (block + 1) * _BLOCK)
        gain = 1.0 - first - second
        result[part], state = lfilter([gain], [1.0, -first, -second], source[part], zi=state)
    return result
