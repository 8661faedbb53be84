"""The sound of a video that is being written: decoded, converted and encoded as AAC."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from typing import Any

import av
import numpy as np

from osmnet_sdk.audio.channels import channel_place, mono
from osmnet_sdk.audio.decode import sound_blocks
from osmnet_sdk.audio.load import Audio, AudioOrigin, AudioSource, has_many_tracks, load_audio
from osmnet_sdk.audio.resample import FloatArray, RateConverter
from osmnet_sdk.core.conventions import SAMPLE_RATE

_BIT_RATE = 96_000
"""Of each channel, in bits per second."""
_CD_RATE, _VIDEO_RATE = 44_100, 48_000


class SoundTrack:
    """Feeds the sound of a source into a container, up to the times that it is told.

    Args:
        source: any sound; of an `Audio`, the track and channel that it was loaded with, at the rate
            of the file. Otherwise the track is chosen as by `load_audio`, with all channels.
        start: seconds into the sound at which the video begins, 0 or more.

    Raises:
        AudioError: if the sound cannot be read; its beginning is decoded at once to find out.
    """

    def __init__(self, source: AudioSource, start: Fraction = Fraction(0)) -> None:
        if not isinstance(source, (Audio, tuple)) and has_many_tracks(source):
            source = load_audio(source)  # finds out which track has the voice
        origin = source.origin if isinstance(source, Audio) else AudioOrigin(source)
        self._channel = origin.channel
        self._name = source.name if isinstance(source, Audio) else ""
        bare = (source.samples, SAMPLE_RATE) if isinstance(source, Audio) else source
        self._source = sound_blocks(origin.source or bare, origin.track)
        first = next(self._source)
        self._blocks = chain([first], self._source)
        self._channels = 2 if first.samples.shape[1] == 2 and self._channel is None else 1
        cd = _CD_RATE % first.rate == 0 or first.rate % _CD_RATE == 0
        self.rate = _CD_RATE if cd else _VIDEO_RATE
        """Samples per second of the encoded sound."""
        self._skipped = round(start * self.rate)
        self._converter: RateConverter | None = None
        self._waiting = np.zeros((0, self._channels), np.float32)
        self._written = 0
        self._ended = False
        self._container: Any = None
        self._stream: Any = None

    def open(self, container: Any) -> None:
        """Add the sound to a PyAV output container."""
        self._container = container
        self._stream = container.add_stream("aac", rate=self.rate)
        self._stream.layout = "stereo" if self._channels == 2 else "mono"
        self._stream.bit_rate = _BIT_RATE * self._channels

    def write_until(self, seconds: Fraction) -> None:
        """Encode what lies before `seconds`; silence after the end of the source."""
        count = round(seconds * self.rate) - self._written
        while len(self._waiting) < count + self._skipped and not self._ended:
            self._waiting = np.concatenate([self._waiting, self._next()])
            cut = min(self._skipped, len(self._waiting))
            self._waiting, self._skipped = self._waiting[cut:], self._skipped - cut
        block, self._waiting = self._waiting[:count], self._waiting[count:]
        block = np.pad(block, ((0, count - len(block)), (0, 0)))
        if count > 0:
            # Float files may exceed full scale, which AAC decoders would clip in their own way.
            packed = np.clip(block, -1.0, 1.0).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, "flt", self._stream.layout.name)
            frame.sample_rate = self.rate
            frame.pts = self._written
            frame.time_base = Fraction(1, self.rate)
            self._written += count
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Encode what the encoder still holds."""
        self._container.mux(self._stream.encode(None))

    def release(self) -> None:
        """Close the source."""
        self._source.close()

    def _next(self) -> FloatArray:
        """The next samples at the rate and with the channels of the track; may be none."""
        block = next(self._blocks, None)
        if block is None:
            self._ended = True
            return self._rest()
        samples = block.samples
        if self._channel is not None:
            samples = mono(samples, channel_place(self._channel, block.names, self._name))
        elif samples.shape[1] != self._channels:
            samples = np.repeat(mono(samples), self._channels, axis=1)
        rest = np.zeros((0, self._channels), np.float32)
        if self._converter is None or self._converter.rate_in != block.rate:
            rest = self._rest()
            self._converter = RateConverter(block.rate, self.rate, self._channels)
        return np.concatenate([rest, self._converter.push(samples)])

    def _rest(self) -> FloatArray:
        if self._converter is None:
            return np.zeros((0, self._channels), np.float32)
        return self._converter.finish()
