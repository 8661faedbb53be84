"""Sounds that are no voice, to which the mouth must keep still."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import SAMPLE_RATE

Samples = NDArray[np.float32]
Array = NDArray[np.float64]

SECONDS = 16.0

_LEVEL = 0.1
"""Root mean square: −20 dBFS."""

_CHORDS = ((60, 64, 67), (55, 59, 62), (57, 60, 64), (53, 57, 60))
"""C, G, A minor, F, as MIDI notes."""
_BAR = 2.0
_TOP = 6000.0
"""Highest overtone, in hertz."""


def still_sounds() -> dict[str, Samples]:
    """Sounds of 16 s at 16 kHz by name: music, noise, hum, applause, a level without sound."""
    generator = np.random.default_rng(0)
    count = int(SECONDS * SAMPLE_RATE)
    pad, piano, drums = _pad(count), _piano(count), _drums(count, generator)
    sounds = {
        "music, held chords": _levelled(pad),
        "music, broken chords": _levelled(piano),
        "music, band": _levelled(pad / pad.std() + piano / piano.std() + 1.5 * drums / drums.std()),
        "white noise at −20 dB": _levelled(generator.standard_normal(count)),
        "quiet room at −60 dB": 0.01 * _levelled(generator.standard_normal(count)),
        "hum of 50 Hz": _levelled(_hum(count)),
        "applause": _levelled(_applause(count, generator)),
        "level without sound": np.full(count, _LEVEL),
        "silence": np.zeros(count),
    }
    return {name: sound.astype(np.float32) for name, sound in sounds.items()}


def _hum(count: int) -> Array:
    """Mains with its overtones."""
    times = np.arange(count) / SAMPLE_RATE
    result = np.zeros(count)
    for number in range(1, 20):
        result += np.sin(2 * np.pi * 50.0 * number * times + number) / number
    return result


def _applause(count: int, generator: np.random.Generator) -> Array:
    """Forty people who clap two to five times a second, each with hands of their own."""
    result = np.zeros(count)
    for _ in range(40):
        pace, sound = generator.uniform(2.0, 5.0), generator.uniform(700.0, 3000.0)
        start = generator.uniform(0.0, 0.5)
        while start < SECONDS - 0.1:
            first = int(start * SAMPLE_RATE)
            after = np.arange(min(count - first, 800)) / SAMPLE_RATE
            ring = np.sin(2 * np.pi * sound * after) + generator.standard_normal(len(after))
            result[first : first + len(after)] += ring * np.exp(-after / 0.006)
            start += generator.uniform(0.8, 1.2) / pace
    return result


def _levelled(sound: Array) -> Array:
    result: Array = sound * (_LEVEL / sound.std())
    return result


def _tone(note: int, times: Array, overtones: int, slope: float) -> Array:
    """A note with overtones that fall off as 1 / n^slope."""
    pitch = 440.0 * 2.0 ** ((note - 69) / 12)
    result = np.zeros_like(times)
    for number in range(1, overtones + 1):
        if number * pitch < _TOP:
            result += np.sin(2 * np.pi * number * pitch * times) / number**slope
    return result


def _pad(count: int) -> Array:
    """Strings that hold each chord for a bar and swell into it, with vibrato."""
    times = np.arange(count) / SAMPLE_RATE
    swayed = times + 2e-4 * np.sin(2 * np.pi * 5.5 * times)
    result = np.zeros(count)
    for bar in range(int(SECONDS / _BAR)):
        inside = (times >= bar * _BAR) & (times < (bar + 1) * _BAR)
        after = times[inside] - bar * _BAR
        swell = np.minimum(after / 0.3, 1.0) * np.minimum((_BAR - after) / 0.1, 1.0)
        for note in (*_CHORDS[bar % len(_CHORDS)], _CHORDS[bar % len(_CHORDS)][0] - 24):
            result[inside] += swell * _tone(note, swayed[inside], 20, 1.0)
    return result


def _piano(count: int) -> Array:
    """Chords note by note, four a second, each struck and dying away."""
    times = np.arange(count) / SAMPLE_RATE
    result = np.zeros(count)
    for beat in range(int(SECONDS * 4)):
        chord = _CHORDS[int(beat / 4 / _BAR) % len(_CHORDS)]
        start = int(beat * SAMPLE_RATE / 4)
        after = times[: min(count - start, 2 * SAMPLE_RATE)]
        struck = np.minimum(after / 0.004, 1.0) * np.exp(-after / 0.35)
        note = chord[(0, 1, 2, 1)[beat % 4]] + (12 if beat % 8 > 3 else 0)
        result[start : start + len(after)] += struck * _tone(note, after, 12, 1.5)
    return result


def _drums(count: int, generator: np.random.Generator) -> Array:
    """A bass drum on the beat, a snare between, a hi-hat on every half."""
    result = np.zeros(count)
    for half in range(int(SECONDS * 4)):
        start = half * SAMPLE_RATE // 4
        after = np.arange(min(count - start, SAMPLE_RATE // 4)) / SAMPLE_RATE
        noise = generator.standard_normal(len(after))
        sound = 0.15 * np.diff(noise, prepend=0.0) * np.exp(-after / 0.02)
        if half % 4 == 0:
            sound += 2.0 * np.sin(2 * np.pi * 55.0 * after) * np.exp(-after / 0.10)
        if half % 4 == 2:
            sound += 0.7 * noise * np.exp(-after / 0.06)
        result[start : start + len(after)] += sound
    return result
