"""Which channel of a sound is the voice: as asked for, or as found by listening to all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.activity import FLOOR_DB, level_activity
from osmnet_sdk.errors import AudioError

FloatArray = NDArray[np.float32]

Channel = int | str
"""A number from 1, "left", "right", "centre", or "mix"."""

MIX = "mix"
_PLACES = {"left": "FL", "right": "FR", "centre": "FC", "center": "FC"}
_ORDER = {"left": 0, "right": 1}

_CANCELS = 0.1
"""A mix whose power is below this share of what unrelated channels add up to has cancelled."""
_APART = 0.2
"""Share of the frames with two voices among those with any, below which channels take turns."""
_LEAST_SPEECH = 12
"""Frames with speech that make a channel a voice (half a second)."""
_THIN_RATE = 2000
"""Rate in hertz at which channels are compared; below its half lies what carries a voice."""
_FRAMES_PER_SECOND = 25


def parsed_channel(channel: Channel) -> Channel:
    """A channel as it was named, checked: a number from 1, or one of the words.

    Raises:
        AudioError: if it is neither.
    """
    if isinstance(channel, bool) or not isinstance(channel, (int, str)):
        raise AudioError(f"A channel is a number from 1 or a word, not {type(channel).__name__}.")
    text = str(channel).strip().lower()
    if text in _PLACES or text == MIX:
        return text
    if text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= 64:
        return int(text[:4])
    raise AudioError(
        f"There is no channel {str(channel)[:40]!r}; name left, right, centre, mix or a number "
        "from 1."
    )


def channel_place(channel: Channel, names: Sequence[str], name: str) -> int:
    """Place of a channel among those of a sound.

    Args:
        channel: as of `parsed_channel`, but "mix".
        names: of the channels, as FFmpeg has them (FL, FR, FC …; NONE if the file does not say).
        name: of the sound, for messages.

    Raises:
        AudioError: if the sound has no such channel.
    """
    place = channel - 1 if isinstance(channel, int) else -1
    if isinstance(channel, str):
        wanted = _PLACES[channel]
        place = names.index(wanted) if wanted in names else _ORDER.get(channel, -1)
        if len(names) == 1 and wanted != "FC":
            place = -1
    if not 0 <= place < len(names):
        known = "" if "NONE" in names else f" ({', '.join(names)})"
        has = "1 channel" if len(names) == 1 else f"{len(names)} channels{known}"
        raise AudioError(f"{name} has {has} and no channel '{channel}'; name another one.")
    return place


def mono(samples: FloatArray, place: int | None = None) -> FloatArray:
    """One channel of (n, channels), or the mean of all if None, as (n, 1)."""
    channels = samples.shape[1]
    if place is not None:
        return samples[:, place : place + 1]
    # A product takes a third of the time of `mean` over so short an axis.
    return samples if channels == 1 else samples @ np.full((channels, 1), 1 / channels, np.float32)


class ChannelLevels:
    """Levels of the channels of a sound and of their mix, to choose between them.

    They are taken from a thinned sound without its offset and rumble, which costs next to nothing.
    """

    def __init__(self) -> None:
        self._powers: list[NDArray[np.float64]] = []
        self.names: tuple[str, ...] = ()
        """Of the channels."""
        self._rest = np.zeros((0, 0))
        self._rate = 0
        self._changed = False

    def push(self, samples: FloatArray, rate: int, names: Sequence[str]) -> None:
        """Take samples (n, channels)."""
        if self._changed or samples.shape[1] == 1:
            self._changed = self._changed or bool(self._powers)
            return
        if not self._powers and not len(self._rest):
            self.names, self._rate = tuple(names), rate
            self._rest = np.zeros((0, samples.shape[1]))
        if len(self.names) != samples.shape[1] or rate != self._rate:
            self._changed = True  # sounds whose channels change are mixed
            return
        joined = np.concatenate([self._rest, samples])
        step = max(rate // _THIN_RATE, 1)
        size = max(rate // _FRAMES_PER_SECOND // step, 2)
        frames = len(joined) // (step * size)
        if not frames:
            self._rest = joined
            return
        used = joined[: frames * step * size]
        self._rest = joined[len(used) :]
        thin = used.reshape(frames, size, step, len(self.names)).mean(axis=2)
        thin = np.concatenate([thin, thin.mean(axis=2, keepdims=True)], axis=2)
        self._powers.append(np.square(np.diff(thin, axis=1)).mean(axis=1))

    def best(self) -> int | None:
        """Place of the channel to be heard in place of the mix; None if the mix will do.

        A channel is taken where the mix cancels: the one with the most voice, then the loudest. So
        is the centre of surround sound if it has a voice.
        """
        powers = self._all()
        if powers is None:
            return None
        speech = self._speech(powers)[:, :-1].sum(axis=0)
        if len(self.names) > 2 and "FC" in self.names:
            centre = self.names.index("FC")
            if speech[centre] >= _LEAST_SPEECH:
                return centre
        each = powers[:, :-1].mean(axis=0)
        if powers[:, -1].mean() >= _CANCELS * each.mean() / len(each) * 2:
            return None
        loud = each >= 0.1 * each.max()
        return int(np.lexsort((each, np.where(loud, speech, -1.0)))[-1])

    def cancels(self) -> bool:
        """Whether the mix is far softer than its channels."""
        powers = self._all()
        if powers is None:
            return False
        each = powers[:, :-1].mean(axis=0)
        return bool(powers[:, -1].mean() < _CANCELS * each.mean() / len(each) * 2)

    def take_turns(self) -> bool:
        """Whether two channels hold two voices, one after the other."""
        powers = self._all()
        if powers is None or len(self.names) != 2:
            return False
        speech = self._speech(powers)[:, :2] > 0.5
        level = 10 * np.log10(np.maximum(powers[:, :2], 1e-12))
        # A voice that the other microphone hears as well is softer there, but for half of its time.
        own = np.stack([speech[:, k] & (level[:, k] > level[:, 1 - k] + 10.0) for k in (0, 1)], 1)
        both = (speech.all(axis=1) & ~own.any(axis=1)).sum()
        return bool(
            own.sum(axis=0).min() >= 2 * _LEAST_SPEECH and both < _APART * speech.any(axis=1).sum()
        )

    def _all(self) -> NDArray[np.float64] | None:
        if self._changed or not self._powers:
            return None
        powers = np.concatenate(self._powers)
        return powers if len(powers) and powers.max() > 0 else None

    @staticmethod
    def _speech(powers: NDArray[np.float64]) -> NDArray[np.float32]:
        floor = 10.0 ** (FLOOR_DB / 10)
        levels = 10 * np.log10(np.maximum(powers, floor))
        return np.stack([level_activity(column) for column in levels.T], axis=1)
