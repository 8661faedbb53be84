"""What is heard in a recording, worked out once and shared by all that listen to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from osmnet_sdk.audio.activity import level_activity, speech_energy
from osmnet_sdk.audio.highpass import HighPass
from osmnet_sdk.audio.mel import FloatArray, mel_window_views
from osmnet_sdk.audio.prosody import Prosody

_Part = TypeVar("_Part")


@dataclass(frozen=True, eq=False)
class SpeechAnalysis:
    """What motion, expression, blinks, brows, phones and warnings need to know of a recording.

    Each part is computed when it is first asked for, and kept; no array can be written to.
    `ExpressionStream` listens for itself: it hears only what came before, after its own gain.

    Attributes:
        samples: float32 (n,), 16 kHz mono, as they were recorded.
        voice: float32 (T,) within [0, 1], whether somebody speaks, as a network that hears speech
            tells it (`expression.predict`); None where none has listened.
    """

    samples: FloatArray
    voice: FloatArray | None = None
    _before: SpeechAnalysis | None = field(default=None, repr=False)
    """The same recording, before it was told where somebody speaks."""
    _mel: dict[tuple[int, int], FloatArray] = field(default_factory=dict, init=False, repr=False)
    _shared: WeakKeyDictionary[Any, Any] = field(
        default_factory=WeakKeyDictionary, init=False, repr=False
    )

    @cached_property
    def heard(self) -> FloatArray:
        """float32 (n,), the samples behind the high-pass (`highpass`)."""
        return self._before.heard if self._before else _read_only(HighPass().push(self.samples))

    @cached_property
    def level(self) -> FloatArray:
        """float32 (T,), the level of each video frame in dBFS; see `activity.speech_energy`."""
        return self._before.level if self._before else _read_only(speech_energy(self.heard))

    @cached_property
    def sounding(self) -> FloatArray:
        """float32 (T,) within [0, 1], `activity.voice_activity`: by level, so music counts, too."""
        return self._before.sounding if self._before else _read_only(level_activity(self.level))

    @property
    def activity(self) -> FloatArray:
        """float32 (T,) within [0, 1], whether somebody speaks: `voice`, else by level."""
        return self.sounding if self.voice is None else self.voice

    def told(self, voice: FloatArray) -> SpeechAnalysis:
        """The same recording, of which is known where somebody speaks, (T,) within [0, 1]."""
        return SpeechAnalysis(self.samples, _read_only(voice), self)

    def shared(self, owner: object, make: Callable[[], _Part]) -> _Part:
        """What an owner, such as a network, makes of the recording: made once, and kept for it."""
        if owner not in self._shared:
            self._shared[owner] = make()
        part: _Part = self._shared[owner]
        return part

    @cached_property
    def prosody(self) -> Prosody:
        """Accents, and where phrases begin and end; see `prosody.Prosody`."""
        return Prosody.of(self.mel(), self.level, self.activity)

    def mel(self, bands: int = 16, hops: int = 16) -> FloatArray:
        """float32 (T, bands, hops), a view of one spectrogram; see `mel.mel_window_views`."""
        if self._before:
            return self._before.mel(bands, hops)
        if (bands, hops) not in self._mel:
            self._mel[bands, hops] = mel_window_views(self.heard, bands=bands, hops=hops)
        return self._mel[bands, hops]


def _read_only(values: FloatArray) -> FloatArray:
    view = values.view()
    view.flags.writeable = False
    return view
