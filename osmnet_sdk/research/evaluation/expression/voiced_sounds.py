"""Voices as they are seldom recorded: held and sung vowels, whisper, music behind speech.

They are made in other ways than what networks are taught with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from osmnet_sdk.audio.activity import voice_activity
from osmnet_sdk.core.conventions import SAMPLE_RATE, SAMPLES_PER_FRAME, frame_count
from osmnet_sdk.research.evaluation.expression.still_sounds import still_sounds

Samples = NDArray[np.float32]
Array = NDArray[np.float64]

MUSIC_DB = 10.0
"""How far music behind speech lies below it."""

_LEVEL = 0.1  # −20 dBFS
_VOWELS = {
    "a": (730, 1090, 2440), "æ": (660, 1720, 2410), "ɔ": (570, 840, 2410), "ɛ": (530, 1840, 2480),
}  # fmt: skip
"""Open vowels: hertz of the first three resonances of men (Peterson and Barney 1952)."""
_WIDTHS = (60.0, 90.0, 120.0)
_PITCHES = (98.0, 131.0, 196.0, 262.0)
_TUNE = (0, 2, 4, 5, 7, 5, 4, 2)
"""Semitones."""
_ORDER = 18
_WINDOW, _HOP = 480, 240


class Voiced(NamedTuple):
    """A voice.

    Attributes:
        samples: float32 (n,) at 16 kHz.
        spoken: (T,) frames in which there is surely a voice.
        open: (T,) frames in the middle of an open vowel that is held; none where that is not known.
    """

    samples: Samples
    spoken: NDArray[np.bool_]
    open: NDArray[np.bool_]


def voiced_sounds(voices: Sequence[Samples]) -> dict[str, list[Voiced]]:
    """Sounds by name.

    Args:
        voices: recordings of speech, 16 kHz, of which whisper and speech before music are made.
    """
    music = still_sounds()["music, band"]
    return {
        "held vowels": list(_held()),
        "song": list(_song()),
        "whisper": [_spoken(voice, whispered(voice)) for voice in voices],
        f"music {MUSIC_DB:g} dB below": [_spoken(v, _before(v, music)) for v in voices],
    }


def whispered(voice: Samples) -> Samples:
    """The same words without a tone: noise through the linear prediction of each 30 ms."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(len(voice) + _WINDOW)
    result = np.zeros(len(voice) + _WINDOW)
    window = np.hanning(_WINDOW)
    for start in range(0, len(voice) - _WINDOW, _HOP):
        part = voice[start : start + _WINDOW].astype(np.float64) * window
        level = np.sqrt(np.mean(part**2))
        if level < 1e-5:
            continue
        throat = librosa.lpc(part + 1e-6 * noise[:_WINDOW], order=_ORDER)
        breath = lfilter([1.0], throat, noise[start : start + _WINDOW])
        result[start : start + _WINDOW] += window * breath * level / (breath.std() + 1e-12)
    return _levelled(np.diff(result[: len(voice)], prepend=0.0))


def _spoken(clean: Samples, sound: Samples) -> Voiced:
    """Where the clean voice is loud, somebody speaks."""
    spoken = voice_activity(clean) > 0.9
    return Voiced(sound, spoken, np.zeros(len(spoken), bool))


def _before(voice: Samples, music: Samples) -> Samples:
    """The voice with music behind it."""
    active = np.repeat(voice_activity(voice) > 0.5, SAMPLES_PER_FRAME)[: len(voice)]
    level = np.sqrt(np.mean(voice[active].astype(np.float64) ** 2))
    behind = np.resize(music, len(voice)) * (level / _LEVEL) * 10 ** (-MUSIC_DB / 20)
    result: Samples = (voice + behind).astype(np.float32)
    return result


def _held() -> Iterator[Voiced]:
    """Each vowel for 3 s, on each pitch, after half a second of silence."""
    for formants in _VOWELS.values():
        for pitch in _PITCHES:
            yield _sung([(0.5, 3.5, pitch, formants)], 4.0)


def _song() -> Iterator[Voiced]:
    """A tune on each pitch, a vowel of 0.6 s a note."""
    vowels = list(_VOWELS.values())
    for pitch in _PITCHES:
        notes = [
            (0.4 + 0.7 * place, 1.0 + 0.7 * place, pitch * 2 ** (step / 12), vowels[place % 4])
            for place, step in enumerate(_TUNE)
        ]
        yield _sung(notes, 0.8 + 0.7 * len(_TUNE))


def _sung(notes: Sequence[tuple[float, float, float, tuple[int, ...]]], seconds: float) -> Voiced:
    """Notes of start and end in seconds, pitch and resonances in hertz, with vibrato."""
    count = int(seconds * SAMPLE_RATE)
    sound = np.zeros(count)
    frames = frame_count(count)
    middles = (np.arange(frames) + 0.5) * SAMPLES_PER_FRAME / SAMPLE_RATE
    spoken, opened = np.zeros(frames, bool), np.zeros(frames, bool)
    for start, end, pitch, formants in notes:
        first, last = int(start * SAMPLE_RATE), int(end * SAMPLE_RATE)
        times = np.arange(last - first) / SAMPLE_RATE
        turns = np.cumsum(pitch * (1 + 0.012 * np.sin(2 * np.pi * 5.2 * times))) / SAMPLE_RATE
        pulses = np.diff(np.floor(turns), prepend=0.0)
        source = lfilter([1.0], [1.0, -1.9, 0.9025], pulses)  # falls by 12 dB an octave
        source = np.diff(source, prepend=0.0)  # and lips give back 6 of them
        for centre, width in zip(formants, _WIDTHS, strict=True):
            source = _resonance(source, centre, width)
        ramp = np.minimum(times, times[::-1]) / 0.04
        sound[first:last] = source / source.std() * np.minimum(ramp, 1.0)
        spoken |= (middles > start + 0.1) & (middles < end - 0.1)
        opened |= (middles > start + 0.2) & (middles < end - 0.2)
    return Voiced(_levelled(sound), spoken, opened)


def _resonance(source: Array, centre: float, width: float) -> Array:
    radius = np.exp(-np.pi * width / SAMPLE_RATE)
    turn = 2 * radius * np.cos(2 * np.pi * centre / SAMPLE_RATE)
    result: Array = lfilter([1.0 - turn + radius**2], [1.0, -turn, radius**2], source)
    return result


def _levelled(sound: Array) -> Samples:
    result: Samples = (sound * (_LEVEL / sound.std())).astype(np.float32)
    return result
