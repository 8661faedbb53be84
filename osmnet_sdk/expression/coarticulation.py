"""From timed phones to ARKit curves, by dominance functions (Cohen & Massaro 1993).

Each sound pulls every articulator towards its own target; the pull fades with the time from
the sound, and the articulator follows the average of the targets weighted by their pull. What
must not be lost in that average, the closure of P, B and M, is laid over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.phones import (
    ARTICULATIONS,
    Alphabet,
    Articulation,
    phone_classes,
)

STEP = 0.005
"""Seconds between the points at which articulators are computed, before sampling to frames."""

CLOSED_APERTURE = -0.05
"""Aperture aimed at while the lips are pressed together; below 0, since lips are soft."""

_CLOSURE_LEAD = 0.015  # lips meet this long before the sound of the closure begins
_CLOSURE_RAMP = 0.065  # time that the lips take to close or to part
_MINIMUM_CLOSURE = 0.05


@dataclass(frozen=True)
class TimedPhone:
    """One speech sound.

    Attributes:
        symbol: the phone in the alphabet of its synthesiser.
        start: where it begins, in seconds.
        end: where it ends, in seconds.
    """

    symbol: str
    start: float
    end: float


@dataclass(frozen=True)
class Articulators:
    """Curves of the articulators, each (n,), every `STEP` seconds; see `Articulation`."""

    jaw: NDArray[np.float64]
    aperture: NDArray[np.float64]
    rounding: NDArray[np.float64]
    spread: NDArray[np.float64]
    tuck: NDArray[np.float64]
    closure: NDArray[np.float64]


@dataclass(frozen=True)
class _Segment:
    start: float
    end: float
    what: Articulation
    width: float


def _segments(
    phones: Sequence[TimedPhone], alphabet: Alphabet, emphasis: NDArray[np.float64] | None
) -> list[_Segment]:
    """Split diphthongs and affricates, and fold loudness into how wide vowels open."""
    result = []
    for index, phone in enumerate(phones):
        classes = phone_classes(phone.symbol, alphabet)
        edges = np.linspace(phone.start, phone.end, len(classes) + 1)
        for part, name in enumerate(classes):
            what = ARTICULATIONS[name]
            width = float(emphasis[index]) if emphasis is not None and what.vowel else 1.0
            result.append(_Segment(float(edges[part]), float(edges[part + 1]), what, width))
    return result


def _blend(
    times: NDArray[np.float64], segments: Sequence[_Segment]
) -> tuple[NDArray[np.float64], ...]:
    """Dominance-weighted averages of jaw, aperture, rounding, spread and tuck, each (n,)."""
    start = np.array([s.start for s in segments])
    end = np.array([s.end for s in segments])
    reach = np.array([s.what.reach for s in segments])
    # The core of a sound, its middle half, holds full dominance.
    inset = 0.25 * (end - start)
    away = np.maximum(start + inset - times[:, None], times[:, None] - end + inset)
    fade = np.exp(-np.maximum(away, 0.0) / reach)
    hold = fade * np.array([s.what.hold for s in segments])
    shape = fade * np.array([s.what.shape_hold for s in segments])
    hold /= hold.sum(1, keepdims=True) + 1e-9
    shape /= shape.sum(1, keepdims=True) + 1e-9
    return (
        hold @ np.array([s.what.jaw * s.width for s in segments]),
        hold @ np.array([s.what.aperture * s.width for s in segments]),
        shape @ np.array([s.what.rounding for s in segments]),
        shape @ np.array([s.what.spread for s in segments]),
        shape @ np.array([s.what.tuck for s in segments]),
    )


def _closure(times: NDArray[np.float64], segments: Sequence[_Segment]) -> NDArray[np.float64]:
    """How far the lips are pressed together, 0 to 1, full throughout each P, B and M."""
    result = np.zeros_like(times)
    for segment in segments:
        if not segment.what.closed:
            continue
        start, end = segment.start - _CLOSURE_LEAD, segment.end - _CLOSURE_LEAD
        short = max(_MINIMUM_CLOSURE - (end - start), 0.0) / 2
        away = np.maximum(start - short - times, times - end - short)
        ramp = 0.5 + 0.5 * np.cos(np.pi * np.clip(away / _CLOSURE_RAMP, 0.0, 1.0))
        np.maximum(result, ramp, out=result)
    return result


def articulate(
    phones: Sequence[TimedPhone],
    seconds: float,
    *,
    alphabet: Alphabet = "ipa",
    emphasis: NDArray[np.float64] | None = None,
) -> Articulators:
    """Curves of the articulators for timed phones.

    Args:
        phones: in order of time; gaps between them count as silence.
        seconds: length of the recording.
        alphabet: phone set of the symbols.
        emphasis: (len(phones),) how wide each vowel opens, 1 for its usual width.

    Raises:
        InputError: if a phone ends before it begins, or begins before the one before it.
    """
    segments: list[_Segment] = []
    last = 0.0
    rest = ARTICULATIONS["silence"]
    for phone, made in zip(phones, _by_phone(phones, alphabet, emphasis), strict=True):
        if phone.end < phone.start or phone.start < last - 1e-3:
            raise InputError(
                f"The phone '{phone.symbol}' from {phone.start:.3f} to {phone.end:.3f} s is out of "
                "order; give phones in order of time."
            )
        if phone.start > last + STEP:
            segments.append(_Segment(last, phone.start, rest, 1.0))
        segments.extend(made)
        last = phone.end
    if last < seconds or not segments:
        segments.append(_Segment(last, max(seconds, last), rest, 1.0))
    # Silence reaches on before the first and after the last frame.
    segments.insert(0, _Segment(-1.0, min(0.0, segments[0].start), rest, 1.0))
    segments.append(_Segment(max(seconds, last), max(seconds, last) + 1.0, rest, 1.0))
    times = np.arange(int(np.ceil(seconds / STEP)) + 1).astype(np.float64) * STEP
    jaw, aperture, rounding, spread, tuck = _blend(times, segments)
    return Articulators(jaw, aperture, rounding, spread, tuck, _closure(times, segments))


def _by_phone(
    phones: Sequence[TimedPhone], alphabet: Alphabet, emphasis: NDArray[np.float64] | None
) -> list[list[_Segment]]:
    return [
        _segments([phone], alphabet, None if emphasis is None else emphasis[index : index + 1])
        for index, phone in enumerate(phones)
    ]


def to_coefficients(curves: Articulators, geometry: LipGeometry) -> NDArray[np.float64]:
    """ARKit coefficients (n, 52) whose lip gap is the aperture asked for.

    Shapes of lips come first; then jawOpen or mouthClose makes up what the aperture still
    lacks, so that "closed" is closed on this face model and not merely small.
    """
    result = np.zeros((len(curves.jaw), len(ARKIT_NAMES)))
    closure, tuck = curves.closure, np.clip((curves.tuck - 0.15) / 0.6, 0.0, 1.0)
    open_ = np.clip(curves.aperture / 0.25, 0.0, 1.2)
    free = 1.0 - closure

    def put(names: str, values: NDArray[np.float64]) -> None:
        for name in names.split():
            result[:, ARKIT_NAMES.index(name)] += values

    put("mouthPressLeft mouthPressRight", 0.30 * closure)
    put("mouthRollLower", 0.12 * closure + 0.35 * tuck * free)
    put("mouthRollUpper", 0.10 * closure)
    put("mouthPucker", 0.65 * curves.rounding * (1.0 - 0.35 * open_))
    put("mouthFunnel", curves.rounding * (0.10 + 0.30 * open_) * free)
    put("mouthStretchLeft mouthStretchRight", 0.40 * curves.spread)
    put("mouthSmileLeft mouthSmileRight", 0.20 * curves.spread)
    put("mouthDimpleLeft mouthDimpleRight", 0.10 * curves.spread)
    put("mouthLowerDownLeft mouthLowerDownRight", 0.30 * open_ * free * (1.0 - tuck))
    put("mouthUpperUpLeft mouthUpperUpRight", (0.18 * open_ + 0.10 * tuck) * free)
    put("jawOpen", curves.jaw * (1.0 - 0.4 * closure))

    # The lower lip under the upper teeth lies as high as the upper lip's edge.
    aperture = (1.0 - tuck) * curves.aperture - 0.01 * tuck
    aperture = free * aperture + closure * CLOSED_APERTURE
    # Counted from rest, so that silence asks for nothing even where the lips overlap a little.
    aperture = aperture + geometry.rest
    jaw, close = ARKIT_NAMES.index("jawOpen"), ARKIT_NAMES.index("mouthClose")
    excess = geometry.gap(result) - aperture
    result[:, close] = np.clip(excess / -geometry.gain[close], 0.0, 1.0)
    result[:, jaw] += np.clip(-excess / geometry.gain[jaw], 0.0, None)
    return np.clip(result, 0.0, 1.0)


def viseme_track(
    phones: Sequence[TimedPhone],
    frames: int,
    geometry: LipGeometry,
    *,
    alphabet: Alphabet = "ipa",
    emphasis: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """ARKit coefficients (frames, 52) in [0, 1] for timed phones; frame i is at i / 25 s.

    Raises:
        InputError: if the phones are out of order.
    """
    curves = articulate(phones, frames / float(FPS), alphabet=alphabet, emphasis=emphasis)
    # Muscles do not jump: a light low-pass, short enough to leave closures closed.
    fine = gaussian_filter1d(to_coefficients(curves, geometry), 0.010 / STEP, axis=0)
    stride = round(1.0 / (float(FPS) * STEP))
    result: NDArray[np.float32] = fine[: frames * stride : stride][:frames].astype(np.float32)
    return result
