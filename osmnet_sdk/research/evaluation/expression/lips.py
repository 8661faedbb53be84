"""How well lips fit the words, measured against phone labels."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.errors import InputError

Array = NDArray[np.float64]

BILABIAL = ("P", "B", "M")
LABIODENTAL = ("F", "V")
OPEN = ("AA", "AE", "AO", "AY")
ROUNDED = ("UW", "OW", "W", "SH")
SPREAD = ("IY", "EH", "AE")
APART = ("T", "K", "S", "DH", "N", "L")
"""Consonants of the tongue, to which lips do not close."""

CLOSED_SHARE = 0.15
"""Lips count as closed below this share of the clip's 95th percentile of the gap."""
TEETH_SHARE = 0.25
OPEN_SHARE = 0.30
TOLERANCE = 0.04
"""Seconds before and after a phone within which its shape may come."""

_SHIFTS = tuple(sign * step / 10 for sign in (-1, 1) for step in range(3, 11))
_LEAST_MIDDLE = 0.01
"""What the gap at P, B, M counts as at least in the ratio, over its 95th percentile."""
_ROUNDING = ("mouthPucker", "mouthFunnel")
_SPREADING = ("mouthStretchLeft", "mouthStretchRight", "mouthSmileLeft", "mouthSmileRight")


@dataclass(frozen=True)
class LabelledPhone:
    """A phone of the ARPAbet, or SIL, with its time in seconds."""

    symbol: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class LipSamples:
    """What lips do at the phones of one recording; gaps are over its 95th percentile.

    Attributes:
        bilabials: the P, B, M.
        closure: (n,) lowest gap within 40 ms of each of these.
        shifted: (m,) the same with the labels shifted by 0.3 to 1 s to either side.
        middles: (n,) gap in the middle of each of these.
        teeth: (n,) lowest gap within 40 ms of each F, V.
        apart: (n,) gap in the middle of each T, K, S, DH, N, L that touches no P, B, M.
        vowels: (n,) gap in the middle of each AA, AE, AO, AY.
        rounded: (n, 2) mouthPucker + mouthFunnel and mouthStretch + mouthSmile in the middle of
            each UW, OW, W, SH; NaN without coefficients.
        spread: (n, 2) the same in the middle of each IY, EH, AE.
        silence: standard deviation of the gap in silences of 0.3 s and more; NaN without any.
        percentile: 95th percentile of the gap, over the mouth's width.
    """

    bilabials: tuple[LabelledPhone, ...]
    closure: Array
    shifted: Array
    middles: Array
    teeth: Array
    apart: Array
    vowels: Array
    rounded: Array
    spread: Array
    silence: float
    percentile: float


@dataclass(frozen=True)
class LipFigures:
    """Figures of one or more recordings; shares from 0 to 1, NaN where there is no such phone.

    Attributes:
        closure: share of P, B, M with the gap below 15 % of its 95th percentile.
        closure_shifted: the same with the labels shifted by 0.3 to 1 s, which a mouth that merely
            flaps passes as well.
        teeth: share of F, V with the gap below 25 %.
        wrong: share of T, K, S, DH, N, L with the gap below 15 % at the middle.
        opening: share of AA, AE, AO, AY with the gap above 30 % at the middle.
        ratio: median gap at the middle of those vowels over that at the middle of P, B, M, which
            counts as at least 1 % of the 95th percentile.
        rounding: d′ of mouthPucker + mouthFunnel on UW, OW, W, SH against IY, EH, AE.
        spreading: d′ of mouthStretch + mouthSmile on IY, EH, AE against UW, OW, W, SH.
        silence: standard deviation of the gap in silences over its 95th percentile.
        percentile: 95th percentile of the gap, over the mouth's width.
    """

    closure: float
    closure_shifted: float
    teeth: float
    wrong: float
    opening: float
    ratio: float
    rounding: float
    spreading: float
    silence: float
    percentile: float


def load_phones(path: str | os.PathLike[str]) -> list[LabelledPhone]:
    """Read phone labels: a JSON list of words with "phones" of "ph", "bg", "ed" in 10 ms steps.

    Raises:
        InputError: if the file is missing or is not of that kind.
    """
    source = Path(path)
    try:
        words = json.loads(source.read_text(encoding="utf-8"))
        return [
            LabelledPhone(str(p["ph"]).rstrip("012"), float(p["bg"]) / 100, float(p["ed"]) / 100)
            for word in words
            for p in word["phones"]
        ]
    except OSError as error:
        raise InputError(f"Cannot read '{source}': {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"'{source}' holds no phone labels; give a JSON list of words with phones."
        ) from error


def lip_samples(
    gap: ArrayLike,
    phones: Sequence[LabelledPhone],
    *,
    coefficients: ArrayLike | None = None,
) -> LipSamples:
    """Read a lip gap at 25 fps, and shapes of lips, at phone labels.

    Args:
        gap: (T,) lip gap (`FaceModel.lip_gap`).
        phones: labels of the same recording.
        coefficients: (T, 52), for rounding and spreading.

    Raises:
        InputError: if `gap` is empty or not one-dimensional.
    """
    values = np.asarray(gap, np.float64)
    if values.ndim != 1 or len(values) == 0:
        raise InputError(f"gap must have shape (T,) with T ≥ 1, not {values.shape}.")
    top = float(np.percentile(values, 95)) + 1e-9
    relative = values / top

    def of(*symbols: str) -> list[LabelledPhone]:
        return [phone for phone in phones if phone.symbol in symbols]

    shapes = _shapes(coefficients, len(values))
    bilabials = of(*BILABIAL)
    return LipSamples(
        bilabials=tuple(bilabials),
        closure=_lowest(relative, bilabials),
        shifted=np.concatenate([_lowest(relative, bilabials, shift) for shift in _SHIFTS]),
        middles=_at_middle(relative, bilabials),
        teeth=_lowest(relative, of(*LABIODENTAL)),
        apart=_at_middle(relative, [p for p in of(*APART) if not _touches(p, bilabials)]),
        vowels=_at_middle(relative, of(*OPEN)),
        rounded=np.stack([_at_middle(shape, of(*ROUNDED)) for shape in shapes], 1),
        spread=np.stack([_at_middle(shape, of(*SPREAD)) for shape in shapes], 1),
        silence=_silence(relative, of("SIL")),
        percentile=top,
    )


def pooled_figures(recordings: Sequence[LipSamples]) -> LipFigures:
    """Figures of all phones of one or more recordings together."""

    def joined(name: str) -> Array:
        return np.concatenate([getattr(recording, name) for recording in recordings])

    vowels, middles = joined("vowels"), joined("middles")
    ratio = np.nan
    if len(vowels) and len(middles):
        ratio = float(np.median(vowels) / max(np.median(middles), _LEAST_MIDDLE))
    rounded, spread = joined("rounded"), joined("spread")
    still = [recording.silence for recording in recordings if np.isfinite(recording.silence)]
    return LipFigures(
        closure=_mean(joined("closure") < CLOSED_SHARE),
        closure_shifted=_mean(joined("shifted") < CLOSED_SHARE),
        teeth=_mean(joined("teeth") < TEETH_SHARE),
        wrong=_mean(joined("apart") < CLOSED_SHARE),
        opening=_mean(vowels > OPEN_SHARE),
        ratio=ratio,
        rounding=_distinctness(rounded[:, 0], spread[:, 0]),
        spreading=_distinctness(spread[:, 1], rounded[:, 1]),
        silence=float(np.mean(still)) if still else float("nan"),
        percentile=float(np.mean([recording.percentile for recording in recordings])),
    )


def _touches(phone: LabelledPhone, others: Sequence[LabelledPhone]) -> bool:
    """Whether a phone begins or ends within 40 ms of another: its lips are those of both."""
    return any(
        phone.start <= other.end + TOLERANCE and other.start <= phone.end + TOLERANCE
        for other in others
    )


def _mean(hits: NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else float("nan")


def _at(values: Array, seconds: Array) -> Array:
    return np.interp(seconds * float(FPS), np.arange(len(values)), values)


def _at_middle(values: Array, phones: Sequence[LabelledPhone]) -> Array:
    return _at(values, np.array([(p.start + p.end) / 2 for p in phones]))


def _lowest(values: Array, phones: Sequence[LabelledPhone], shift: float = 0.0) -> Array:
    """Lowest gap within each phone ± 40 ms; phones that a shift moves out are left out."""
    seconds = len(values) / float(FPS)
    result = []
    for phone in phones:
        start, end = phone.start + shift - TOLERANCE, phone.end + shift + TOLERANCE
        if shift and (start < 0 or end > seconds):
            continue
        result.append(_at(values, np.linspace(start, end, 24)).min())
    return np.array(result)


def _shapes(coefficients: ArrayLike | None, frames: int) -> list[Array]:
    """Rounding and spreading of the lips, each (T,); NaN where they are not known."""
    if coefficients is None:
        return [np.full(frames, np.nan)] * 2
    track = np.asarray(coefficients, np.float64)
    return [
        track[:, [ARKIT_NAMES.index(name) for name in names]].sum(axis=1)
        for names in (_ROUNDING, _SPREADING)
    ]


def _distinctness(high: Array, low: Array) -> float:
    """d′: how many standard deviations the mean of `high` lies above that of `low`."""
    if len(high) < 2 or len(low) < 2:
        return float("nan")
    deviation = np.sqrt((high.var() + low.var()) / 2) + 1e-9
    return float((high.mean() - low.mean()) / deviation)


def _silence(values: Array, silences: Sequence[LabelledPhone]) -> float:
    """Spread of the gap in the inner part of silences of 0.3 s and more."""
    inside = [
        values[int(np.ceil((p.start + 0.12) * float(FPS))) : int((p.end - 0.12) * float(FPS))]
        for p in silences
        if p.end - p.start >= 0.3
    ]
    joined = np.concatenate(inside) if inside else np.zeros(0)
    return float(joined.std()) if len(joined) else float("nan")
