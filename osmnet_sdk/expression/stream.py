"""Expression from sound that is still going on: every recording is predicted through this."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.audio.highpass import HighPass
from osmnet_sdk.core.conventions import ARKIT_NAMES, SAMPLE_RATE, SAMPLES_PER_FRAME, frame_count
from osmnet_sdk.errors import AudioError, InputError
from osmnet_sdk.expression.adjusting import Adjustment
from osmnet_sdk.expression.ears import Ear, Heard
from osmnet_sdk.expression.lips import smoothed, touched
from osmnet_sdk.options import ExpressionOptions

FloatArray = NDArray[np.float32]

BLOCK = 750
"""Frames that are computed at once at most (30 s)."""

_DEFAULT_OPTIONS = ExpressionOptions()


class ExpressionStream:
    """Coefficients of a voice as it is heard, frame by frame; see `OSMNet.expression_stream`.

    How the sound is cut into pieces makes no difference (beyond 1e-5), and `predict_expression` is
    nothing but a stream that is fed a whole recording; its ear may see more at once. Loudness is
    judged from what was heard so far.

    Args:
        ear: what it hears with.
        options: strength, smoothing, lag and the like.

    Example:
        >>> stream = sdk.expression_stream()
        >>> stream.feed(sdk.load_audio("speech.wav").samples).shape[1]
        52
    """

    def __init__(self, ear: Ear, options: ExpressionOptions = _DEFAULT_OPTIONS) -> None:
        self._ear = ear
        self._rest = options.rest_in_silence
        self._high_pass = HighPass()
        self._before: FloatArray | None = None
        self._adjustment = Adjustment(options, ear.lip_gain)
        self._lag = round(options.lag_ms * SAMPLE_RATE / 1000)
        self._skip = max(-self._lag, 0)
        self._samples = np.zeros(max(self._lag, 0), np.float32)
        self._received = self._given = 0
        self._pending = np.zeros((0, len(ARKIT_NAMES)), np.float32)
        self._finished = False

    @property
    def look_ahead(self) -> float:
        """Seconds from the time of a frame to the end of the sound that it needs.

        0.28 with the starter bundle, 0.2 with mel windows; more by three times the smoothing, less
        by the lag.
        """
        frames = self._ear.ahead + self._adjustment.reach
        return max((frames * SAMPLES_PER_FRAME - self._lag) / SAMPLE_RATE, 0.0)

    def feed(self, samples: ArrayLike) -> FloatArray:
        """Take the next piece of the sound and return the frames that are ready.

        Args:
            samples: (n,) float, 16 kHz mono, full scale ±1; n may be any number.

        Returns:
            float32 (frames, 52) in [0, 1], in the order of `conventions.ARKIT_NAMES`, at 25 fps;
            (0, 52) if none is ready.

        Raises:
            AudioError: if the samples are not finite numbers of shape (n,).
            InputError: if the stream is finished.
        """
        if self._finished:
            raise InputError("This stream is finished; make a new one for another recording.")
        piece = np.asarray(samples, np.float32)
        if piece.ndim != 1 or not np.isfinite(piece).all():
            raise AudioError(
                f"A stream takes finite samples of shape (n,), 16 kHz mono, not {piece.shape}; "
                "mix channels down and convert the rate first."
            )
        self._received += len(piece)
        heard = self._high_pass.push(piece)
        skipped = min(self._skip, len(heard))
        self._skip -= skipped
        self._take(heard[skipped:])
        return self._give(frame_count(self._received))

    def finish(self) -> FloatArray:
        """Return the remaining frames (frames, 52), with silence after the last sample.

        In all, a stream gives ceil(25 · seconds) frames.

        Raises:
            InputError: if the stream is finished already.
        """
        self.feed(np.zeros(0, np.float32))
        self._finished = True
        frames = frame_count(self._received)
        rest = -len(self._samples) % SAMPLES_PER_FRAME
        self._take(np.zeros(rest, np.float32))
        self._shape(self._ear.finish(frames + self._adjustment.reach))
        return self._give(frames)

    def _give(self, frames: int) -> FloatArray:
        """Pending frames before number `frames`, for a stream never runs ahead of its sound."""
        count = min(len(self._pending), frames - self._given)
        ready, self._pending = self._pending[:count], self._pending[count:]
        self._given += count
        return ready

    def _take(self, samples: FloatArray) -> None:
        """Hear whole frames of sound, as many as there are."""
        self._samples = np.concatenate([self._samples, samples])
        whole = len(self._samples) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME
        step = BLOCK * SAMPLES_PER_FRAME
        for start in range(0, whole, step):
            self._shape(self._ear.push(self._samples[start : min(start + step, whole)]))
        self._samples = self._samples[whole:].copy()  # not a view that keeps the whole piece

    def _shape(self, heard: Heard) -> None:
        """Make curves of what was heard, and keep them until they are given."""
        if not len(heard.coefficients):
            return
        if self._before is None:
            self._before = np.repeat(heard.coefficients[:1], 2, axis=0)
        joined = np.concatenate([self._before, heard.coefficients])
        self._before = joined[-2:]
        gain = self._ear.lip_gain
        curves = touched(smoothed(joined, gain), gain)
        if self._rest:
            curves = curves * heard.gate[:, None]
        ready = self._adjustment.push(self._ear.over(curves))
        self._pending = np.concatenate([self._pending, ready])
