"""How well lips fit the words, measured against phone labels."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.errors import InputError

BILABIAL = ("P", "B", "M")
LABIODENTAL = ("F", "V")
OPEN = ("AA", "AE", "AO", "AY")
ROUNDED = ("UW", "OW", "W", "SH")
SPREAD = ("IY", "EH", "AE")

CLOSED_SHARE = 0.15
"""Lips count as closed below this share of the clip's 95th percentile of the gap."""
TEETH_SHARE = 0.25
OPEN_SHARE = 0.30
TOLERANCE = 0.04
"""Seconds before and after a phone within which its shape may come."""

_SHIFTS = tuple(sign * step / 10 for sign in (-1, 1) for step in range(3, 11))


@dataclass(frozen=True)
class LabelledPhone:
    """A phone of the ARPAbet, or SIL, with its time in seconds."""

    symbol: str
    start: float
    end: float


@dataclass(frozen=True)
class LipFigures:
    """Figures of one clip; shares from 0 to 1, NaN where the clip has no such phone.

    Attributes:
        closure: share of P, B, M with the gap below 15 % of its 95th percentile.
        closure_shifted: the same with the labels shifted by 0.3 to 1 s, which a mouth that merely
            flaps passes as well.
        teeth: share of F, V with the gap below 25 %.
        opening: share of AA, AE, AO, AY with the gap above 30 % at the middle.
        ratio: median gap at the middle of those vowels over that at the middle of P, B, M, which
            counts as at least 1 % of the 95th percentile.
        rounding: d′ of mouthPucker + mouthFunnel on UW, OW, W, SH against IY, EH, AE.
        silence: standard deviation of the gap in silences over its 95th percentile.
        percentile: 95th percentile of the gap, over the mouth's width.
        bilabials: number of P, B, M.
        vowels: number of AA, AE, AO, AY.
        labiodentals: number of F, V.
    """

    closure: float
    closure_shifted: float
    teeth: float
    opening: float
    ratio: float
    rounding: float
    silence: float
    percentile: float
    bilabials: int
    vowels: int
    labiodentals: int


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


def lip_figures(
    gap: ArrayLike,
    phones: Sequence[LabelledPhone],
    *,
    coefficients: ArrayLike | None = None,
) -> LipFigures:
    """Measure a lip gap at 25 fps against phone labels.

    Args:
        gap: (T,) lip gap (`FaceModel.lip_gap`).
        phones: labels of the same recording.
        coefficients: (T, 52), for the figure of rounding.

    Raises:
        InputError: if `gap` is empty or not one-dimensional.
    """
    values = np.asarray(gap, np.float64)
    if values.ndim != 1 or len(values) == 0:
        raise InputError(f"gap must have shape (T,) with T ≥ 1, not {values.shape}.")
    top = float(np.percentile(values, 95)) + 1e-9
    bilabials = [p for p in phones if p.symbol in BILABIAL]
    teeth = [p for p in phones if p.symbol in LABIODENTAL]
    vowels = [p for p in phones if p.symbol in OPEN]
    at_vowels = _at_middle(values, vowels)
    at_bilabials = _at_middle(values, bilabials)
    ratio = np.nan
    if len(at_vowels) and len(at_bilabials):
        ratio = float(np.median(at_vowels) / max(np.median(at_bilabials), 0.01 * top))
    return LipFigures(
        closure=_mean(_lowest(values, bilabials) < CLOSED_SHARE * top),
        closure_shifted=_mean(
            np.concatenate([_lowest(values, bilabials, s) for s in _SHIFTS]) < CLOSED_SHARE * top
        ),
        teeth=_mean(_lowest(values, teeth) < TEETH_SHARE * top),
        opening=_mean(at_vowels > OPEN_SHARE * top),
        ratio=ratio,
        rounding=np.nan if coefficients is None else _rounding(np.asarray(coefficients), phones),
        silence=_silence(values, phones, top),
        percentile=top,
        bilabials=len(bilabials),
        vowels=len(vowels),
        labiodentals=len(teeth),
    )


def pooled_shares(clips: Sequence[LipFigures]) -> dict[str, float]:
    """The shares of several clips together, each clip counting by its number of such phones.

    Args:
        clips: figures of one or more clips.

    Returns:
        "closure", "closure_shifted", "teeth" and "opening", 0 to 1; NaN where no clip has one.
    """
    counted = {
        "closure": "bilabials",
        "closure_shifted": "bilabials",
        "teeth": "labiodentals",
        "opening": "vowels",
    }
    result = {}
    for share, count in counted.items():
        pairs = [(getattr(clip, share), getattr(clip, count)) for clip in clips]
        known = [(value, weight) for value, weight in pairs if weight and not np.isnan(value)]
        total = sum(weight for _, weight in known)
        weighted = sum(value * weight for value, weight in known)
        result[share] = weighted / total if total else float("nan")
    return result


def _mean(hits: NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else float("nan")


def _at(values: NDArray[np.float64], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.interp(seconds * float(FPS), np.arange(len(values)), values)


def _at_middle(values: NDArray[np.float64], phones: Sequence[LabelledPhone]) -> NDArray[np.float64]:
    return _at(values, np.array([(p.start + p.end) / 2 for p in phones]))


def _lowest(
    values: NDArray[np.float64], phones: Sequence[LabelledPhone], shift: float = 0.0
) -> NDArray[np.float64]:
    """Lowest gap within each phone ± 40 ms; phones that a shift moves out are left out."""
    seconds = len(values) / float(FPS)
    result = []
    for phone in phones:
        start, end = phone.start + shift - TOLERANCE, phone.end + shift + TOLERANCE
        if shift and (start < 0 or end > seconds):
            continue
        result.append(_at(values, np.linspace(start, end, 24)).min())
    return np.array(result)


def _rounding(coefficients: NDArray[np.float64], phones: Sequence[LabelledPhone]) -> float:
    lips = (
        coefficients[:, ARKIT_NAMES.index("mouthPucker")]
        + coefficients[:, ARKIT_NAMES.index("mouthFunnel")]
    )
    rounded = _at_middle(lips, [p for p in phones if p.symbol in ROUNDED])
    spread = _at_middle(lips, [p for p in phones if p.symbol in SPREAD])
    if len(rounded) < 2 or len(spread) < 2:
        return float("nan")
    deviation = np.sqrt((rounded.var() + spread.var()) / 2) + 1e-9
    return float((rounded.mean() - spread.mean()) / deviation)


def _silence(values: NDArray[np.float64], phones: Sequence[LabelledPhone], top: float) -> float:
    """Spread of the gap in the inner part of silences of 0.3 s and more."""
    inside = [
        values[int(np.ceil((p.start + 0.12) * float(FPS))) : int((p.end - 0.12) * float(FPS))]
        for p in phones
        if p.symbol == "SIL" and p.end - p.start >= 0.3
    ]
    joined = np.concatenate(inside) if inside else np.zeros(0)
    return float(joined.std() / top) if len(joined) else float("nan")
