"""Vowels that are held: whether a frame sounds like a voice on a vowel, and on which.

A voice is told from an instrument by three things at once: it has one pitch (a chord has several),
its spectrum has formants (an instrument's overtones mostly fall off smoothly), and these are where
vowels have them. A single line of an instrument with resonances like a vowel's passes for a voice.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import SAMPLE_RATE, SAMPLES_PER_FRAME

FloatArray = NDArray[np.float32]
Array = NDArray[np.float64]

_EDGE = SAMPLES_PER_FRAME // 2
_WINDOW = SAMPLES_PER_FRAME + 2 * _EDGE
"""Samples that are looked at for one frame (80 ms)."""
_N_FFT = 4096
_LAGS = (30, 240)
"""Shortest and longest period, in samples: 530 to 67 Hz."""
_OCTAVE = 0.08
"""How much clearer a period of twice the length must be to be taken."""
_ORDER = 18
_ENVELOPE = 256
_BLOCK = 256
_SOFTEST = -60.0
"""Softer frames are no vowels, dBFS."""

_F1 = (220.0, 1000.0)
_F2 = (650.0, 3000.0)
_WIDEST = 500.0
"""Bandwidth of a formant at most, in hertz."""
_TILT = (-27.0, 6.0)
"""Fall of the envelope from 200 to 4000 Hz over its half width, in dB."""
_BRIGHT = 0.08
"""Share of the power above 3 kHz that a vowel has at most."""


class VowelFrames(NamedTuple):
    """Frames as `VowelStream` hears them."""

    clear: NDArray[np.bool_]
    """(n,) whether it is a voice on a vowel, whatever came before."""
    likely: NDArray[np.bool_]
    """(n,) whether it may be one, for a sound in which somebody speaks."""
    formants: Array
    """(n, 2) first and second formant in hertz; NaN where there is none."""
    envelope: Array
    """(n, 61) spectral envelope from 200 to 4000 Hz in dB, its mean taken off."""

    def part(self, start: int) -> VowelFrames:
        """The frames from `start` on."""
        return VowelFrames(
            self.clear[start:].copy(), self.likely[start:].copy(), self.formants[start:].copy(),
            self.envelope[start:].copy(),
        )  # fmt: skip


class VowelStream:
    """Hears vowels in sound that arrives in whole frames; a frame is judged with the next one."""

    def __init__(self) -> None:
        self._samples = np.zeros(_EDGE)

    def push(self, samples: FloatArray) -> VowelFrames:
        """Take samples of whole frames, behind the high-pass, and return the frames before them."""
        self._samples = np.concatenate([self._samples, samples])
        count = max((len(self._samples) - _WINDOW) // SAMPLES_PER_FRAME + 1, 0)
        if count == 0:
            return silent_frames(0)
        windows = sliding_window_view(self._samples, _WINDOW)[::SAMPLES_PER_FRAME][:count]
        blocks = [_judged(windows[at : at + _BLOCK]) for at in range(0, count, _BLOCK)]
        self._samples = self._samples[count * SAMPLES_PER_FRAME :].copy()
        return joined(blocks)


def silent_frames(count: int) -> VowelFrames:
    """Frames of silence."""
    return _judged(np.zeros((count, _WINDOW)))


def joined(parts: list[VowelFrames]) -> VowelFrames:
    """Frames that follow one another, as one."""
    return VowelFrames(
        np.concatenate([part.clear for part in parts]),
        np.concatenate([part.likely for part in parts]),
        np.concatenate([part.formants for part in parts]),
        np.concatenate([part.envelope for part in parts]),
    )


def _judged(windows: Array) -> VowelFrames:
    level = 10 * np.log10(np.square(windows).mean(axis=1) + 1e-12)
    power: Array = np.square(np.abs(np.fft.rfft(windows * _hann(), _N_FFT)))
    hertz = np.fft.rfftfreq(_N_FFT, 1 / SAMPLE_RATE).astype(np.float64)
    total = power.sum(axis=1) + 1e-12
    bright = power[:, hertz >= 3000].sum(axis=1) / total
    clear_pitch, clear_high = _periodicity(power, hertz)
    predictor = _predictor(windows)
    envelope, roughness, tilt = _shape(predictor)
    may = (level > _SOFTEST) & (clear_pitch > 0.6) & (roughness > 3.0)
    formants, width = _formants(predictor, may)
    first, second = formants.T
    with np.errstate(invalid="ignore"):
        likely = (
            may & (first > _F1[0]) & (first < _F1[1]) & (second > _F2[0]) & (second < _F2[1])
            & (tilt > _TILT[0]) & (tilt < _TILT[1]) & (bright < _BRIGHT)
        )  # fmt: skip
        clear = (
            likely & (clear_pitch > 0.85) & (clear_high > 0.25) & (roughness > 4.5)
            & (width > 6.0) & (width < 220.0)
        )  # fmt: skip
    return VowelFrames(clear, likely, formants, envelope)


def _periodicity(power: Array, hertz: Array) -> tuple[Array, Array]:
    """How far the sound repeats itself after its period, 0 to 1: all of it, and its overtones."""
    low, high = _LAGS
    places = np.arange(low, high)
    whole = _correlation(power * ((hertz > 60) & (hertz < 5000)))[:, : high + 2]
    best = (whole[:, low:high] - _OCTAVE * np.log2(places / low)).argmax(axis=1) + low
    rows = np.arange(len(power))
    upper = _correlation(power * ((hertz > 900) & (hertz < 4500)))[:, : high + 2]
    near = np.max([upper[rows, best + step] for step in (-1, 0, 1)], axis=0)
    return whole[rows, best], near


def _correlation(power: Array) -> Array:
    """Autocorrelation over that of the window (Boersma 1993), 1 at lag 0."""
    found = np.fft.irfft(power)[:, : _LAGS[1] + 2]
    window = np.fft.irfft(np.square(np.abs(np.fft.rfft(_hann(), _N_FFT))))[: _LAGS[1] + 2]
    result: Array = found / (found[:, :1] + 1e-12) / (window / window[0])
    return result


def _predictor(windows: Array) -> Array:
    """Linear prediction (n, 19) of the sound with its treble raised, by Levinson's recursion."""
    raised = np.diff(windows, axis=1, prepend=windows[:, :1]) * _hann()
    found = np.fft.irfft(np.square(np.abs(np.fft.rfft(raised, _N_FFT))))[:, : _ORDER + 1]
    found[:, 0] = found[:, 0] * (1 + 1e-4) + 1e-9
    result = np.zeros((len(windows), _ORDER + 1))
    result[:, 0] = 1.0
    error = found[:, 0].copy()
    for step in range(1, _ORDER + 1):
        reflected = -(result[:, :step] * found[:, step:0:-1]).sum(axis=1) / error
        result[:, : step + 1] += reflected[:, None] * result[:, step::-1]
        error *= 1 - np.square(reflected)
    return result


def _shape(predictor: Array) -> tuple[Array, Array, Array]:
    """Envelope in dB, how far it departs from a straight line, and that line's slope."""
    response = np.abs(np.fft.rfft(predictor, _ENVELOPE))
    hertz = np.fft.rfftfreq(_ENVELOPE, 1 / SAMPLE_RATE)
    inside = (hertz > 200) & (hertz < 4000)
    decibels = -20 * np.log10(response[:, inside] + 1e-9)
    decibels -= decibels.mean(axis=1, keepdims=True)
    line = np.linspace(-1, 1, decibels.shape[1])
    tilt = (decibels * line).sum(axis=1) / (line @ line)
    return decibels, (decibels - tilt[:, None] * line).std(axis=1), tilt


def _formants(predictor: Array, wanted: NDArray[np.bool_]) -> tuple[Array, Array]:
    """First two formants (n, 2) and the bandwidth (n,) of the first, in hertz; NaN if not there."""
    formants = np.full((len(predictor), 2), np.nan)
    width = np.full(len(predictor), np.nan)
    places = np.flatnonzero(wanted)
    if len(places):
        companion = np.zeros((len(places), _ORDER, _ORDER))
        companion[:, 0] = -predictor[places, 1:]
        companion[:, np.arange(1, _ORDER), np.arange(_ORDER - 1)] = 1.0
        for place, roots in zip(places, np.linalg.eigvals(companion), strict=True):
            upper = roots[roots.imag > 0]
            hertz = np.angle(upper) * SAMPLE_RATE / (2 * np.pi)
            widths = -np.log(np.abs(upper) + 1e-12) * SAMPLE_RATE / np.pi
            order = np.argsort(hertz)
            hertz, widths = hertz[order], widths[order]
            kept = (hertz > 180) & (hertz < 5000) & (widths < _WIDEST)
            count = min(int(kept.sum()), 2)
            formants[place, :count] = hertz[kept][:count]
            if count:
                width[place] = widths[kept][0]
    return formants, width


@cache
def _hann() -> Array:
    return np.hanning(_WINDOW + 1)[:-1]
