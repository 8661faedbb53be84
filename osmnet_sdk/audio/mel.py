"""The paper's log-mel spectrogram, as a window of 16 bands and 16 hops for each video frame.

The paper fixes this size and leaves the rest open. Settled here: 16 kHz, a Hann window of 400
samples every 160 samples, n_fft 512, 16 mel bands from 50 to 7600 Hz on Slaney's scale with filters
of equal area, natural logarithm of the magnitude with floor 1e-5 (as in NVIDIA's Tacotron 2).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import SAMPLE_RATE, SAMPLES_PER_FRAME, frame_count
from osmnet_sdk.errors import InputError

FloatArray = NDArray[np.float32]

N_FFT = 512
WINDOW = 400
"""Length of the Hann window, in samples (25 ms)."""
HOP = 160
"""Distance of two windows, in samples (10 ms)."""
LOWEST, HIGHEST = 50.0, 7600.0
"""Range of the mel bands, in Hz."""
FLOOR = 1e-5
"""Smallest magnitude, close to what the rounding of 16-bit sound leaves in a band."""
SILENCE = math.log(FLOOR)
"""Value of a band in silence."""
MAX_BANDS = 80
HOPS_PER_FRAME = SAMPLES_PER_FRAME // HOP

_MIDDLE = HOPS_PER_FRAME // 2
_BLOCK = 1024
"""Hops that are computed at once (about 12 MB of memory)."""


def log_mel(samples: FloatArray, *, bands: int = 16) -> FloatArray:
    """Log-mel spectrogram of a recording; the samples beyond both ends count as zero.

    Memory besides the result is bounded.

    Args:
        samples: float (n,), 16 kHz mono.
        bands: number of mel bands, 1 to 80.

    Returns:
        float32 (1 + n // 160, bands), natural logarithm of the magnitude, ln(1e-5) ≈ −11.5 in
        silence. Hop h is centred on sample 160 · h.

    Raises:
        InputError: if `bands` or the shape of `samples` is not allowed.
    """
    _check(samples, bands)
    return _hops(samples, 0, 0, 1 + len(samples) // HOP, bands)


def mel_windows(samples: FloatArray, *, bands: int = 16, hops: int = 16) -> FloatArray:
    """Log-mel spectrogram around each video frame, the input of the paper's encoders.

    Frame i covers samples 640 i to 640 (i + 1), its middle is sample 640 i + 320, and column k is
    the hop centred on sample 640 i + 320 + 160 (k − hops // 2): for 16 hops, those from 80 ms
    before the middle to 70 ms after it, with column 8 on the middle itself. The samples beyond both
    ends of the recording count as zero, so silence put before it only shifts its windows.

    Args:
        samples: float (n,), 16 kHz mono.
        bands: number of mel bands, 1 to 80.
        hops: number of columns, 1 or more.

    Returns:
        float32 (T, bands, hops) with T = ceil(25 · seconds), values as of `log_mel`.

    Raises:
        InputError: if `bands`, `hops` or the shape of `samples` is not allowed.
    """
    return np.array(mel_window_views(samples, bands=bands, hops=hops), order="C")


def mel_window_views(samples: FloatArray, *, bands: int = 16, hops: int = 16) -> FloatArray:
    """`mel_windows` as a read-only view into one spectrogram, in which windows overlap.

    For 16 hops it takes a quarter of the memory. Copy the windows that are worked on; an operation
    on all of them makes a whole copy.

    Args:
        samples: as for `mel_windows`.
        bands: likewise.
        hops: likewise.

    Raises:
        InputError: as `mel_windows` does.
    """
    _check(samples, bands, hops)
    frames = frame_count(len(samples))
    first = _MIDDLE - hops // 2
    count = HOPS_PER_FRAME * (frames - 1) + hops if frames else 0
    return _views(_hops(samples, 0, first, first + count, bands), frames, hops)


class MelStream:
    """`mel_windows` of sound that arrives in pieces; the values are the same.

    Args:
        bands: number of mel bands, 1 to 80.
        hops: number of columns, 1 or more.

    Raises:
        InputError: if `bands` or `hops` is not allowed.
    """

    def __init__(self, *, bands: int = 16, hops: int = 16) -> None:
        _check(np.zeros(0, np.float32), bands, hops)
        self._bands, self._hops = bands, hops
        self._samples = np.zeros(0, np.float32)
        self._start = 0  # place of the first kept sample in the recording
        self._spectrum = np.zeros((0, bands), np.float32)  # hops that later windows need
        self._next_hop = self._first_hop = _MIDDLE - hops // 2
        self._frames = 0  # windows given so far
        self._finished = False

    def push(self, samples: FloatArray) -> FloatArray:
        """Take samples (n,) and return the windows that are complete now, (frames, bands, hops).

        Raises:
            InputError: if the shape of `samples` is not allowed or the stream is finished.
        """
        _check(samples, self._bands)
        if self._finished:
            raise InputError("This MelStream is finished; make a new one for another recording.")
        self._samples = np.concatenate([self._samples, samples], dtype=np.float32)
        end = self._start + len(self._samples)
        # A hop is complete once all samples under its window are there.
        return self._advance((end - WINDOW // 2) // HOP + 1, frame_count(end))

    def finish(self) -> FloatArray:
        """Return the remaining windows (frames, bands, hops), with zeros after the last sample.

        Raises:
            InputError: if the stream is finished already.
        """
        rest = self.push(np.zeros(0, np.float32))
        self._finished = True
        total = frame_count(self._start + len(self._samples))
        last = self._place(total - 1) + self._hops
        return np.concatenate([rest, self._advance(last, total)])

    def _advance(self, end_hop: int, end_frame: int) -> FloatArray:
        """Compute hops up to `end_hop` and return the windows they complete, below `end_frame`."""
        if end_hop > self._next_hop:
            fresh = _hops(self._samples, self._start, self._next_hop, end_hop, self._bands)
            self._spectrum = np.concatenate([self._spectrum, fresh])
            self._next_hop = end_hop
        ready = (self._next_hop - self._first_hop - self._hops) // HOPS_PER_FRAME + 1
        frames = max(0, min(ready, end_frame) - self._frames)
        # With fewer hops than a frame has, some lie between windows and may not be there yet.
        kept = self._next_hop - len(self._spectrum)
        skip = min(self._place(self._frames) - kept, len(self._spectrum))
        windows = np.array(_views(self._spectrum[skip:], frames, self._hops), order="C")
        self._frames += frames
        skip = min(self._place(self._frames) - kept, len(self._spectrum))
        self._spectrum = self._spectrum[skip:]
        needed = self._next_hop * HOP - WINDOW // 2
        drop = min(max(needed - self._start, 0), len(self._samples))
        self._samples = self._samples[drop:]
        self._start += drop
        return windows

    def _place(self, frame: int) -> int:
        """First hop of the window of a frame."""
        return self._first_hop + HOPS_PER_FRAME * frame


def _check(samples: FloatArray, bands: int, hops: int = 1) -> None:
    if np.ndim(samples) != 1:
        raise InputError(f"Samples must have shape (n,), 16 kHz mono, not {np.shape(samples)}.")
    if not 1 <= bands <= MAX_BANDS:
        raise InputError(f"The number of mel bands must be 1 to {MAX_BANDS}, not {bands}.")
    if hops < 1:
        raise InputError(f"The number of hops in a window must be 1 or more, not {hops}.")


def _views(spectrum: FloatArray, frames: int, hops: int) -> FloatArray:
    """Windows (frames, bands, hops) of a spectrum (hops, bands), one every 4 hops, not copied."""
    if frames <= 0:
        return np.zeros((0, spectrum.shape[1], hops), np.float32)
    return sliding_window_view(spectrum, hops, axis=0)[::HOPS_PER_FRAME][:frames]


def _hops(samples: FloatArray, start: int, first: int, end: int, bands: int) -> FloatArray:
    """Log-mel of hops `first` to `end` (excluded) of samples that begin at place `start`."""
    result = np.empty((max(end - first, 0), bands), np.float32)
    for block in range(first, end, _BLOCK):
        stop = min(block + _BLOCK, end)
        low = block * HOP - WINDOW // 2 - start
        high = (stop - 1) * HOP + WINDOW // 2 - start
        inside = samples[max(low, 0) : max(high, 0)]
        before = min(max(-low, 0), high - low)
        padded = np.pad(inside, (before, high - low - before - len(inside)))
        # In double precision, so that no block size and no NumPy version shows in the result.
        frames = sliding_window_view(padded, WINDOW)[::HOP] * _hann()
        magnitude = np.abs(np.fft.rfft(frames, N_FFT))
        mel = magnitude @ _filters(bands).T
        result[block - first : stop - first] = np.log(np.maximum(mel, FLOOR))
    return result


@cache
def _hann() -> NDArray[np.float64]:
    """Periodic Hann window, as a spectrogram needs it."""
    return np.hanning(WINDOW + 1)[:-1]


@cache
def _filters(bands: int) -> NDArray[np.float64]:
    """Mel filter bank (bands, 257)."""
    from librosa.filters import mel  # takes 2 s to import, since it loads scipy.signal and numba

    bank = mel(
        sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=bands, fmin=LOWEST, fmax=HIGHEST, dtype=np.float64
    )
    return np.asarray(bank, dtype=np.float64)
