"""What is heard in a recording, worked out once and shared by all that listen to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from osmnet_sdk.audio.activity import level_activity, speech_energy
from osmnet_sdk.audio.highpass import HighPass
from osmnet_sdk.audio.mel import FloatArray, mel_window_views
from osmnet_sdk.audio.prosody import Prosody


@dataclass(frozen=True, eq=False)
class SpeechAnalysis:
    """What motion, expression, blinks, brows and warnings need to know of a recording.

    Each part is computed when it is first asked for, and kept; no array can be written to.
    `ExpressionStream` listens for itself: it hears only what came before, after its own gain.

    Attributes:
        heard: float32 (n,), 16 kHz mono, behind the high-pass (`highpass`).
    """

    heard: FloatArray
    _mel: dict[tuple[int, int], FloatArray] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, samples: FloatArray) -> SpeechAnalysis:
        """The analysis of samples (n,), 16 kHz mono, as they were recorded."""
        return cls(_read_only(HighPass().push(samples)))

    @cached_property
    def level(self) -> FloatArray:
        """float32 (T,), the level of each video frame in dBFS; see `activity.speech_energy`."""
        return _read_only(speech_energy(self.heard))

    @cached_property
    def activity(self) -> FloatArray:
        """float32 (T,) within [0, 1], whether somebody speaks; see `activity.voice_activity`."""
        return _read_only(level_activity(self.level))

    @cached_property
    def prosody(self) -> Prosody:
        """Accents, and where phrases begin and end; see `prosody.Prosody`."""
        return Prosody.of(self.mel(), self.level, self.activity)

    def mel(self, bands: int = 16, hops: int = 16) -> FloatArray:
        """float32 (T, bands, hops), a view of one spectrogram; see `mel.mel_window_views`."""
        if (bands, hops) not in self._mel:
            self._mel[bands, hops] = mel_window_views(self.heard, bands=bands, hops=hops)
        return self._mel[bands, hops]


def _read_only(values: FloatArray) -> FloatArray:
    view = values.view()
    view.flags.writeable = False
    return view
