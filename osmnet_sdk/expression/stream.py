"""Expression from sound that is still going on: every recording is predicted through this."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.audio.activity import ActivityStream, speech_energy
from osmnet_sdk.audio.highpass import HighPass
from osmnet_sdk.audio.mel import HOP, WINDOW, MelStream
from osmnet_sdk.core.conventions import ARKIT_NAMES, SAMPLE_RATE, SAMPLES_PER_FRAME, frame_count
from osmnet_sdk.core.devices import one_thread
from osmnet_sdk.errors import AudioError, InputError
from osmnet_sdk.expression.adjusting import Adjustment
from osmnet_sdk.expression.held import HeldVowels
from osmnet_sdk.expression.lips import smoothed, touched
from osmnet_sdk.expression.loudness import LoudnessFollower, levelled
from osmnet_sdk.options import ExpressionOptions

if TYPE_CHECKING:
    import torch

    from osmnet_sdk.expression.network import ExpressionExtractor, ExtractorConfig

FloatArray = NDArray[np.float32]

BLOCK = 750
"""Frames that are computed at once at most (30 s)."""

_CLOSING = np.array([0.4, 0.3, 0.2, 0.1], np.float32)
"""Weights of this frame and those before it, by which the mouth goes to rest and sets out again."""

_DEFAULT_OPTIONS = ExpressionOptions()


def frames_ahead(config: ExtractorConfig) -> int:
    """Frames of sound, this one included, that a frame's coefficients need."""
    last_hop = config.hops - 1 - config.hops // 2
    end = SAMPLES_PER_FRAME // 2 + HOP * last_hop + WINDOW // 2
    return config.ahead - (-end // SAMPLES_PER_FRAME)


class ExpressionStream:
    """Coefficients of a voice as it is heard, frame by frame; see `OSMNet.expression_stream`.

    How the sound is cut into pieces makes no difference (beyond 1e-5), and `predict_expression` is
    nothing but a stream that is fed a whole recording. Loudness, noise floor and whether somebody
    speaks are judged from what was heard so far: before the first loud syllable a stream takes
    what it hears for as loud as speech, and a steady sound at the start for speech for 0.4 s.

    Args:
        network: a trained extractor on `device`.
        identity: (K,) float32 identity coefficients of the face.
        options: strength, smoothing, lag and the like.
        device: where the network computes.

    Example:
        >>> stream = sdk.expression_stream()
        >>> stream.feed(sdk.load_audio("speech.wav").samples).shape[1]
        52
    """

    def __init__(
        self,
        network: ExpressionExtractor,
        identity: FloatArray,
        options: ExpressionOptions = _DEFAULT_OPTIONS,
        device: str | torch.device = "cpu",
    ) -> None:
        config = network.config
        self._network, self._identity, self._device = network, identity, device
        self._lip_gain: FloatArray = network.lip_gain.cpu().numpy()
        self._rest = options.rest_in_silence
        self._ahead = frames_ahead(config)
        self._high_pass = HighPass()
        self._level = LoudnessFollower()
        self._mel = MelStream(bands=config.bands, hops=config.hops)
        # The sound before the recording is silence.
        self._windows = self._mel.push(np.zeros(config.past * SAMPLES_PER_FRAME, np.float32))
        self._voice = ActivityStream()
        self._held = HeldVowels(self._lip_gain)
        self._active = np.zeros(len(_CLOSING) - 1, np.float32)
        self._before: FloatArray | None = None
        self._adjustment = Adjustment(options, self._lip_gain)
        self._lag = round(options.lag_ms * SAMPLE_RATE / 1000)
        self._skip = max(-self._lag, 0)
        self._samples = np.zeros(max(self._lag, 0), np.float32)
        self._received = self._taken = self._given = 0
        self._pending = np.zeros((0, len(ARKIT_NAMES)), np.float32)
        self._finished = False

    @property
    def look_ahead(self) -> float:
        """Seconds from the time of a frame to the end of the sound that it needs.

        0.2 with the starter bundle; more by three times the smoothing, less by the lag.
        """
        frames = self._ahead + self._adjustment.reach
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
        needed = (frames + self._ahead + self._adjustment.reach) * SAMPLES_PER_FRAME
        self._take(np.zeros(max(needed - self._taken - len(self._samples), 0), np.float32))
        return self._give(frames)

    def _give(self, frames: int) -> FloatArray:
        """Pending frames before number `frames`, for a stream never runs ahead of its sound."""
        count = min(len(self._pending), frames - self._given)
        ready, self._pending = self._pending[:count], self._pending[count:]
        self._given += count
        return ready

    def _take(self, samples: FloatArray) -> None:
        """Predict from whole frames of sound, as many as there are."""
        self._samples = np.concatenate([self._samples, samples])
        whole = len(self._samples) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME
        step = BLOCK * SAMPLES_PER_FRAME
        parts = [
            self._predict(self._samples[start : min(start + step, whole)])
            for start in range(0, whole, step)
        ]
        self._samples = self._samples[whole:].copy()  # not a view that keeps the whole piece
        self._taken += whole
        self._pending = np.concatenate([self._pending, *parts])

    def _predict(self, samples: FloatArray) -> FloatArray:
        """Frames that are ready after samples of whole frames."""
        self._held.hear(samples)
        level = speech_energy(samples)
        windows = self._mel.push(levelled(samples, self._level.push(level)))
        self._windows = np.concatenate([self._windows, windows])
        self._active = np.concatenate([self._active, self._voice.push(level)])
        config = self._network.config
        frames = len(self._windows) - config.past - config.ahead
        if frames <= 0:
            return self._pending[:0]
        coefficients = self._coefficients()
        self._windows = self._windows[frames:].copy()
        if self._before is None:
            self._before = np.repeat(coefficients[:1], 2, axis=0)
        joined = np.concatenate([self._before, coefficients])
        self._before = joined[-2:]
        curves = touched(smoothed(joined, self._lip_gain), self._lip_gain)
        return self._adjustment.push(self._held.over(curves * self._gate(frames)[:, None]))

    def _coefficients(self) -> FloatArray:
        """What the network says of all frames whose windows are there."""
        import torch

        with torch.inference_mode(), one_thread(self._device):
            mel = torch.from_numpy(self._windows)[None].to(self._device)
            identity = torch.from_numpy(self._identity)[None].to(self._device)
            result: FloatArray = self._network(mel, identity)[0].cpu().numpy()
        return result

    def _gate(self, frames: int) -> FloatArray:
        """Voice activity as a gain: open as far before the voice as the stream looks ahead."""
        past = len(_CLOSING) - 1
        soon = np.max(
            [self._active[k : k + past + frames] for k in range(self._ahead)], axis=0
        )  # fmt: skip
        self._active = self._active[frames:]
        if not self._rest:
            return np.ones(frames, np.float32)
        return np.convolve(soon, _CLOSING, mode="valid")
