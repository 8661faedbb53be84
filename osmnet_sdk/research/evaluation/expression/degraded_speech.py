"""Speech as poor microphones, lines and fast talkers make it, to see what lips still follow.

Written apart from the augmentation of training, so that a network is not measured on the very
sound it has learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfiltfilt

from osmnet_sdk.audio.activity import voice_activity
from osmnet_sdk.core.conventions import SAMPLE_RATE, SAMPLES_PER_FRAME

Samples = NDArray[np.float32]

_TALKERS = 6
_TELEPHONE_RATE = 8000
_TELEPHONE_BAND = (300.0, 3400.0)
_BLOCK = 1024


def with_babble(speech: Samples, others: Sequence[Samples], snr: float, seed: int = 0) -> Samples:
    """Six other voices in the background.

    Args:
        speech: (n,) 16 kHz.
        others: one or more recordings of other speakers; they are repeated at other places where
            there are fewer than six.
        snr: level of the speech over that of the babble where somebody speaks, in dB.
        seed: of the places at which the others begin.
    """
    generator = np.random.default_rng(seed)
    babble = np.zeros(len(speech))
    for talker in range(_TALKERS):
        voice = others[talker % len(others)]
        voice = voice / (_level(voice) + 1e-9)
        babble += np.resize(np.roll(voice, int(generator.integers(len(voice)))), len(speech))
    gain = _level(speech) / (np.sqrt(np.mean(babble**2)) + 1e-9) * 10 ** (-snr / 20)
    result: Samples = (speech + gain * babble).astype(np.float32)
    return result


def through_telephone(speech: Samples) -> Samples:
    """The band of a telephone, 300 to 3400 Hz at 8 kHz, in step with the speech."""
    band = butter(4, _TELEPHONE_BAND, "bandpass", fs=SAMPLE_RATE, output="sos")
    narrow = resample_poly(sosfiltfilt(band, speech), _TELEPHONE_RATE, SAMPLE_RATE)
    wide = resample_poly(narrow, SAMPLE_RATE, _TELEPHONE_RATE)
    return np.resize(wide, len(speech)).astype(np.float32)


def softer(speech: Samples, decibels: float) -> Samples:
    """Softer by some decibels, as a file of 16 bits holds it."""
    steps = np.round(speech * 10 ** (-decibels / 20) * 32768.0)
    return (steps / 32768.0).astype(np.float32)


def faster(speech: Samples, factor: float) -> Samples:
    """`factor` times as fast (1 to 2), at the same pitch."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=SAMPLE_RATE, format="flt", layout="mono", time_base=Fraction(1, SAMPLE_RATE)
    )
    graph.link_nodes(source, graph.add("atempo", str(factor)), graph.add("abuffersink"))
    graph.configure()
    for start in range(0, len(speech), _BLOCK):
        block = np.ascontiguousarray(speech[None, start : start + _BLOCK], np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="flt", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, start
        graph.push(frame)
    graph.push(None)
    parts = []
    while True:
        try:
            pulled = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            break
        parts.append(pulled.to_ndarray().ravel())
    return np.concatenate(parts).astype(np.float32)


def _level(samples: Samples) -> float:
    """Root mean square where somebody speaks."""
    active = np.repeat(voice_activity(samples) > 0.5, SAMPLES_PER_FRAME)[: len(samples)]
    heard = samples[active] if active.any() else samples
    return float(np.sqrt(np.mean(np.square(heard, dtype=np.float64))))
