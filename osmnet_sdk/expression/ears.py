"""What the network makes of sound as it is heard: through mel windows, or the speech encoder.

An ear takes whole frames of sound and gives frames as soon as all is there that they depend on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.activity import FLOOR_DB, ActivityStream, speech_energy
from osmnet_sdk.audio.mel import HOP, WINDOW, MelStream
from osmnet_sdk.core.conventions import ARKIT_NAMES, SAMPLES_PER_FRAME
from osmnet_sdk.core.devices import one_thread
from osmnet_sdk.expression.held import HeldVowels
from osmnet_sdk.expression.loudness import LoudnessFollower, levelled

if TYPE_CHECKING:
    import torch

    from osmnet_sdk.audio.speech_encoder import SpeechEncoder
    from osmnet_sdk.audio.speech_features import Windows
    from osmnet_sdk.expression.network import ExpressionExtractor, ExtractorConfig

FloatArray = NDArray[np.float32]

_CLOSING = np.array([0.4, 0.3, 0.2, 0.1], np.float32)
"""Weights of this frame and those before it, by which the mouth goes to rest and sets out again."""
_PAST = len(_CLOSING) - 1


class Heard(NamedTuple):
    """What was heard in T frames.

    Attributes:
        coefficients: float32 (T, 52) in [0, 1], as the network gives them.
        gate: float32 (T,) in [0, 1], 0 where nobody speaks; it rises before the voice does.
        spoken: float32 (T,) in [0, 1], whether somebody speaks; 0 in digital silence.
        phones: float16 (2 · T, classes), probabilities of `network.PHONE_CLASSES`; no classes if
            the network tells none.
        voice: float16 (2 · T,), probability of a voice; as long as `phones`.
    """

    coefficients: FloatArray
    gate: FloatArray
    spoken: FloatArray
    phones: NDArray[np.float16]
    voice: NDArray[np.float16]

    def part(self, start: int, stop: int) -> Heard:
        """What was heard in frames `start` to `stop`."""
        frames, steps = slice(start, stop), slice(2 * start, 2 * stop)
        return Heard(
            self.coefficients[frames], self.gate[frames], self.spoken[frames], self.phones[steps],
            self.voice[steps],
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: Sequence[Heard]) -> Heard:
        """What was heard in stretches that follow each other; one at least has a frame."""
        some = [part for part in parts if len(part.coefficients)]
        return cls(*(np.concatenate(arrays) for arrays in zip(*some, strict=True)))


class Ear(Protocol):
    """What a stream hears with."""

    lip_gain: FloatArray
    """(52,) how far each coefficient parts the lips."""
    ahead: int
    """Frames of sound, this one included, that a frame needs."""

    def push(self, samples: FloatArray) -> Heard:
        """The frames that are ready after further whole frames of sound, behind the high-pass."""

    def finish(self, frames: int) -> Heard:
        """What is left of `frames` frames in all, with silence after the last sample."""

    def over(self, curves: FloatArray) -> FloatArray:
        """Finished curves (T, 52) of the next frames, with what the network does not know."""


def frames_ahead(config: ExtractorConfig) -> int:
    """Frames of sound, this one included, that a frame of mel windows needs."""
    last_hop = config.hops - 1 - config.hops // 2
    end = SAMPLES_PER_FRAME // 2 + HOP * last_hop + WINDOW // 2
    return config.ahead - (-end // SAMPLES_PER_FRAME)


class MelEar:
    """Hears mel windows, as in the paper; whether somebody speaks is told by level alone.

    Args:
        network: with features "mel", on `device`.
        identity: (K,) float32 identity coefficients of the face.
        device: where the network computes.
    """

    def __init__(
        self, network: ExpressionExtractor, identity: FloatArray, device: str | torch.device
    ) -> None:
        config = network.config
        self._network, self._identity, self._device = network, identity, device
        self.lip_gain: FloatArray = network.lip_gain.cpu().numpy()
        self.ahead = frames_ahead(config)
        self._level = LoudnessFollower()
        self._mel = MelStream(bands=config.bands, hops=config.hops)
        # The sound before the recording is silence.
        self._windows = self._mel.push(np.zeros(config.past * SAMPLES_PER_FRAME, np.float32))
        self._voice = ActivityStream()
        self._held = HeldVowels(self.lip_gain)
        self._active = np.zeros(_PAST, np.float32)
        self._taken = 0

    def push(self, samples: FloatArray) -> Heard:
        """See `Ear`."""
        import torch

        self._taken += len(samples)
        self._held.hear(samples)
        level = speech_energy(samples)
        windows = self._mel.push(levelled(samples, self._level.push(level)))
        self._windows = np.concatenate([self._windows, windows])
        self._active = np.concatenate([self._active, self._voice.push(level)])
        config = self._network.config
        frames = max(len(self._windows) - config.past - config.ahead, 0)
        if not frames:
            return _nothing()
        with torch.inference_mode(), one_thread(self._device):
            mel = torch.from_numpy(self._windows)[None].to(self._device)
            identity = torch.from_numpy(self._identity)[None].to(self._device)
            coefficients = self._network(mel, identity).coefficients[0].cpu().numpy()
        self._windows = self._windows[frames:].copy()
        spoken = self._active[_PAST : _PAST + frames]
        gate = self._gate(frames)
        return _nothing()._replace(coefficients=coefficients, gate=gate, spoken=spoken)

    def finish(self, frames: int) -> Heard:
        """See `Ear`."""
        missing = (frames + self.ahead) * SAMPLES_PER_FRAME - self._taken
        return self.push(np.zeros(max(missing, 0), np.float32))

    def over(self, curves: FloatArray) -> FloatArray:
        """See `Ear`: vowels that are held, which the network takes for music."""
        return self._held.over(curves)

    def _gate(self, frames: int) -> FloatArray:
        """Voice activity as a gain: open as far before the voice as the stream looks ahead."""
        soon = np.max([self._active[k : k + _PAST + frames] for k in range(self.ahead)], axis=0)
        self._active = self._active[frames:]
        return np.convolve(soon, _CLOSING, mode="valid").astype(np.float32)


class SpeechEar:
    """Hears features of the speech encoder; the network itself tells whether somebody speaks.

    Args:
        network: with features "speech", on `device`.
        encoder: on `device`.
        windows: what the encoder sees at once.
        device: where both compute.
    """

    def __init__(
        self, network: ExpressionExtractor, encoder: SpeechEncoder, windows: Windows,
        device: str | torch.device,
    ) -> None:  # fmt: skip
        from osmnet_sdk.audio.speech_features import SpeechFeatureStream
        from osmnet_sdk.expression.network import BEFORE, PER_FRAME

        self._network, self._device = network, device
        self.lip_gain: FloatArray = network.lip_gain.cpu().numpy()
        self.ahead = _speech_frames_ahead(windows)
        self._level = LoudnessFollower()
        self._stream = SpeechFeatureStream(encoder, windows, device)
        before = PER_FRAME * network.config.past + BEFORE
        self._features = np.zeros((before, network.config.speech), np.float32)
        self._before = np.zeros(_PAST, np.float32)
        self._loud = np.zeros(1, bool)
        """Whether there is any sound, from the frame before the next one on."""

    def push(self, samples: FloatArray) -> Heard:
        """See `Ear`."""
        level = speech_energy(samples)
        self._loud = np.concatenate([self._loud, level > FLOOR_DB])
        return self._hear(self._stream.push(levelled(samples, self._level.push(level))))

    def finish(self, frames: int) -> Heard:
        """See `Ear`."""
        from osmnet_sdk.expression.network import AFTER, PER_FRAME

        self._loud = np.pad(self._loud, (0, frames + 1))
        return self._hear(self._stream.finish(PER_FRAME * (frames - 1) + AFTER + 1))

    def over(self, curves: FloatArray) -> FloatArray:
        """See `Ear`: nothing."""
        return curves

    def _hear(self, features: FloatArray) -> Heard:
        import torch

        from osmnet_sdk.expression.network import AFTER, BEFORE, PER_FRAME

        self._features = np.concatenate([self._features, features])
        around = BEFORE + 1 + AFTER - PER_FRAME
        frames = (len(self._features) - around) // PER_FRAME - self._network.config.past
        if frames <= 0:
            return _nothing()
        with torch.inference_mode(), one_thread(self._device):
            found = self._network(torch.from_numpy(self._features)[None].to(self._device))
            phones = found.phones[0].flatten(0, 1).softmax(-1).half().cpu().numpy()
            voice = found.voice[0].sigmoid().cpu().numpy() * self._sounds(frames)[:, None]
        self._features = self._features[PER_FRAME * frames :].copy()
        spoken = voice.max(axis=1)
        active = np.concatenate([self._before, spoken])
        self._before = active[-_PAST:]
        gate = np.convolve(active, _CLOSING, mode="valid").astype(np.float32)
        coefficients = found.coefficients[0].cpu().numpy()
        return Heard(coefficients, gate, spoken, phones, voice.ravel().astype(np.float16))

    def _sounds(self, frames: int) -> NDArray[np.bool_]:
        """(frames,) whether there is sound in each of the next frames or beside it.

        In digital silence nobody speaks, whatever the encoder makes of a window without sound.
        """
        loud = self._loud[: frames + 2]
        self._loud = self._loud[frames:]
        return loud[:-2] | loud[1:-1] | loud[2:]


class RecalledEar:
    """Gives what was heard before, to those who want the same sound again.

    Args:
        heard: of the whole recording, and at least as many frames more as will be asked for.
        lip_gain: of the network that heard.
    """

    ahead = 0

    def __init__(self, heard: Heard, lip_gain: FloatArray) -> None:
        self.lip_gain = lip_gain
        self._heard, self._given = heard, 0

    def push(self, samples: FloatArray) -> Heard:
        """See `Ear`; the samples only count."""
        return self.finish(self._given + len(samples) // SAMPLES_PER_FRAME)

    def finish(self, frames: int) -> Heard:
        """See `Ear`."""
        start, self._given = self._given, frames
        return self._heard.part(start, frames)

    def over(self, curves: FloatArray) -> FloatArray:
        """See `Ear`: nothing."""
        return curves


def _speech_frames_ahead(windows: Windows) -> int:
    """Frames of sound, this one included, that a frame needs at most, as whole blocks come."""
    from osmnet_sdk.audio import speech_features
    from osmnet_sdk.audio.speech_encoder import WINDOW as SEEN
    from osmnet_sdk.expression.network import AFTER

    features = AFTER + windows.block + windows.ahead
    end = features * speech_features.STEP - speech_features.STEP // 2 + SEEN // 2
    return -(-end // SAMPLES_PER_FRAME)


def _nothing() -> Heard:
    nothing, no_step = np.zeros(0, np.float32), np.zeros(0, np.float16)
    no_frame = np.zeros((0, len(ARKIT_NAMES)), np.float32)
    return Heard(no_frame, nothing, nothing, np.zeros((0, 0), np.float16), no_step)
