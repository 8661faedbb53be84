"""Lips that say given phones: these decide when lips close and open, the sound how wide.

Lips and jaw come from the coarticulation model; brows, cheeks and eyes are those of the network.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS, SAMPLE_RATE
from osmnet_sdk.core.phone_alphabets import Alphabet, phone_classes
from osmnet_sdk.core.phones import PhoneTrack
from osmnet_sdk.errors import OSMNetWarning
from osmnet_sdk.expression.coarticulation import TimedPhone, viseme_track
from osmnet_sdk.expression.ears import Ear, Heard
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.phones import ARTICULATIONS
from osmnet_sdk.progress import check_cancelled

FloatArray = NDArray[np.float32]

MOUTH = np.array([name.startswith(("jaw", "mouth", "tongue")) for name in ARKIT_NAMES])
"""(52,) the coefficients that speech sounds decide."""

_BLOCK = 50
"""Frames (2 s) that are computed at once: cost grows with frames times phones."""
_MARGIN = 25
"""Frames (1 s) around them whose phones are felt; no sound reaches further."""
_LONGEST = 0.2
"""Seconds of a sound that are computed as one."""
_WIDER = 0.03
"""How much wider a vowel opens for each dB that it is louder."""
_NARROWEST, _WIDEST = 0.7, 1.25
_ANOTHER = 1.0
"""Seconds by which phones may be longer than their sound."""


def loudness_emphasis(
    samples: FloatArray, phones: Sequence[TimedPhone], alphabet: Alphabet
) -> NDArray[np.float64]:
    """(phones,) how wide each vowel opens: louder ones wider, 3 % for each dB.

    Args:
        samples: (n,), 16 kHz mono.
        phones: what is said in them.
        alphabet: of the phones.
    """
    levels = np.full(len(phones), np.nan)
    for index, phone in enumerate(phones):
        names = phone_classes(phone.symbol, alphabet)
        if ARTICULATIONS[names[0]].vowel and phone.end > phone.start:
            part = samples[int(phone.start * SAMPLE_RATE) : max(int(phone.end * SAMPLE_RATE), 1)]
            if len(part):
                levels[index] = 10 * np.log10(float((part**2).mean()) + 1e-9)
    known = np.isfinite(levels)
    if not known.any():
        return np.ones(len(levels))
    relative = np.where(known, levels - np.median(levels[known]), 0.0)
    return np.clip(1.0 + _WIDER * relative, _NARROWEST, _WIDEST)


def lips_of(
    phones: PhoneTrack, recording: Audio, geometry: LipGeometry, *, delay: float = 0.0
) -> FloatArray:
    """Coefficients (T, 52) of lips that say phones to a sound; all others are 0.

    Args:
        phones: what is said.
        recording: the sound, whose frames they are.
        geometry: of the lips.
        delay: seconds by which lips come after the phones; below 0 they lead.
    """
    timed = [TimedPhone(phone.phone, phone.start, phone.end) for phone in phones.contiguous()]
    wide = loudness_emphasis(recording.analysis.heard, timed, "class")
    pieces, emphasis = _pieces(timed, wide, delay)
    starts, ends = (np.array([getattr(p, side) for p in pieces]) for side in ("start", "end"))
    result = np.zeros((recording.frames, len(ARKIT_NAMES)), np.float32)
    rate = float(FPS)
    for first in range(0, recording.frames, _BLOCK):
        check_cancelled()
        stop = min(first + _BLOCK, recording.frames)
        begin = max(first - _MARGIN, 0)
        low = int(np.searchsorted(ends, begin / rate, side="right"))
        high = int(np.searchsorted(starts, (stop + _MARGIN) / rate))
        near = [
            TimedPhone(p.symbol, max(p.start - begin / rate, 0.0), p.end - begin / rate)
            for p in pieces[low:high]
        ]
        curves = viseme_track(
            near, stop + _MARGIN - begin, geometry, alphabet="class", emphasis=emphasis[low:high]
        )
        result[first:stop] = curves[first - begin : stop - begin]
    return result


def _pieces(
    phones: Sequence[TimedPhone], emphasis: NDArray[np.float64], delay: float
) -> tuple[list[TimedPhone], NDArray[np.float64]]:
    """Phones in pieces of `_LONGEST` at most, each with its emphasis.

    The pull of a sound fades from its core, the middle half, so that of a long one would hardly be
    felt where it begins and ends.
    """
    pieces: list[TimedPhone] = []
    wide: list[float] = []
    for phone, width in zip(phones, emphasis.tolist(), strict=True):
        count = max(int(np.ceil((phone.end - phone.start) / _LONGEST - 1e-6)), 1)
        edges = (np.linspace(phone.start, phone.end, count + 1) + delay).tolist()
        pieces += [TimedPhone(phone.symbol, *pair) for pair in pairwise(edges)]
        wide += [width] * count
    return pieces, np.array(wide)


class GivenLips:
    """An ear whose mouth is given: what it hears moves brows, cheeks and eyes alone.

    Args:
        ear: that hears.
        lips: (T, 52) of which the mouth is taken, in the frames of the sound that the ear hears.
    """

    def __init__(self, ear: Ear, lips: FloatArray) -> None:
        self._ear, self._lips = ear, lips
        self.lip_gain: FloatArray = ear.lip_gain
        self.ahead = ear.ahead
        self._done = 0

    def push(self, samples: FloatArray) -> Heard:
        """See `Ear`."""
        return self._ear.push(samples)

    def finish(self, frames: int) -> Heard:
        """See `Ear`."""
        return self._ear.finish(frames)

    def over(self, curves: FloatArray) -> FloatArray:
        """See `Ear`: the lips of these frames, and rest after the last."""
        result = self._ear.over(curves).copy()
        lips = self._lips[self._done : self._done + len(curves)]
        self._done += len(curves)
        result[:, MOUTH] = 0.0
        result[: len(lips), MOUTH] = lips[:, MOUTH]
        return result


def phones_record(phones: PhoneTrack) -> dict[str, object]:
    """What provenance says of given phones."""
    digest = hashlib.sha256()
    for phone in phones:
        digest.update(f"{phone.start!r} {phone.end!r} {phone.phone}\n".encode())
    return {"sha256": digest.hexdigest(), "count": len(phones)}


def warn_of_other_phones(phones: PhoneTrack, recording: Audio) -> None:
    """Warn of phones that go on after the sound ends: they may be those of another one.

    Warns:
        OSMNetWarning: if they do.
    """
    spoken = [phone.end for phone in phones if phone.phone != "silence"]
    seconds = recording.seconds
    if spoken and spoken[-1] > seconds + _ANOTHER:
        warnings.warn(
            f"The phones go on to {spoken[-1]:.2f} s and the sound ends at {seconds:.2f} s; give "
            "the phones of this recording.",
            OSMNetWarning,
            stacklevel=3,
        )
