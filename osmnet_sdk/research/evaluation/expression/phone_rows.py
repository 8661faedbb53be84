"""Rows of the table about phones: what is said, step by step, and when it begins and ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.phone_alphabets import phone_classes
from osmnet_sdk.core.phones import PhoneTrack
from osmnet_sdk.research.evaluation.expression.lip_rows import speaker_interval
from osmnet_sdk.research.evaluation.expression.lips import LabelledPhone
from osmnet_sdk.research.evaluation.table import PREDICTED, Figure

MOUTHS = {
    "silence": "silence",
    "P B M": "bilabial",
    "F V": "labiodental labial_fricative",
    "SH CH": "postalveolar",
    "R ER": "rhotic er",
    "other consonants": "dental alveolar sibilant lateral trill velar glottal",
    "rounded": "labiovelar o near_u u y oe",
    "front": "palatal near_i i e open_e back_i",
    "open": "a ae ah open_o schwa",
}
"""Nine classes of mouths, and the classes of phones in each."""

_STEP = 0.02
_BALANCED = 0.75
_WITHIN = 0.04
"""Seconds that an edge may lie beside its label."""
_EDGES = 0.75
_SHIFTS = tuple(sign * step / 10 for sign in (-1, 1) for step in range(3, 11))
"""Seconds by which labels are shifted to see what chance does."""

_MOUTH_OF = {name: index for index, names in enumerate(MOUTHS.values()) for name in names.split()}


@dataclass(frozen=True, eq=False)
class HeardPhones:
    """What was heard of one labelled recording.

    Attributes:
        said: (n,) number in `MOUTHS` of what is said, every 20 ms.
        heard: (n,) the same of what was heard.
        late: (m,) seconds by which the nearest edge that was heard comes after each labelled one.
        edges: (m,) whether an edge was heard within 40 ms of each labelled one.
        shifted: (k,) the same with labels shifted by 0.3 to 1 s, which chance passes.
        found: (h,) whether there is a labelled edge within 40 ms of each that was heard.
    """

    said: NDArray[np.intp]
    heard: NDArray[np.intp]
    late: NDArray[np.float64]
    edges: NDArray[np.bool_]
    shifted: NDArray[np.bool_]
    found: NDArray[np.bool_]


def heard_phones(track: PhoneTrack, labels: Sequence[LabelledPhone]) -> HeardPhones:
    """Compare phones that were heard with labels in ARPAbet.

    Steps are judged where there are labels; what goes through two classes, as diphthongs do, is
    labelled half by half. Edges are those between different mouths; each counts for one at most.
    """
    spans: list[tuple[float, float, int]] = []
    for label in labels:
        classes = phone_classes(label.symbol, "arpabet")
        edges = np.linspace(label.start, label.end, len(classes) + 1).tolist()
        spans += [(edges[part], edges[part + 1], _MOUTH_OF[n]) for part, n in enumerate(classes)]
    told = [(p.start, p.end, _MOUTH_OF[p.phone]) for p in track.contiguous()]
    count = int(min(track.seconds, spans[-1][1]) / _STEP)
    times = (np.arange(count, dtype=np.float64) + 0.5) * _STEP
    said, heard = _at(spans, times), _at(told, times)
    wanted, given = _edges(spans), _edges(told)
    shifted = [
        _matched(wanted[(wanted + by > 0) & (wanted + by < times[-1])] + by, given)
        for by in _SHIFTS
    ]
    return HeardPhones(
        said,
        heard,
        _late(wanted, given),
        _matched(wanted, given),
        np.concatenate(shifted),
        _matched(given, wanted),
    )


def heard_rows(recordings: Sequence[HeardPhones]) -> list[Figure]:
    """Accuracy of steps and edges, over all recordings; each counts as a speaker."""
    rows: list[tuple[str, Callable[[Sequence[HeardPhones]], float], float | None]] = [
        ("balanced accuracy over nine mouths", balanced, _BALANCED),
        ("accuracy over nine mouths", _accuracy, None),
        ("edges within 40 ms", partial(_share, name="edges"), _EDGES),
        ("edges within 40 ms, labels shifted 0.3–1 s", partial(_share, name="shifted"), None),
        ("heard edges that are labelled within 40 ms", partial(_share, name="found"), None),
        ("heard edges come after the labels by, median in ms", _median_late, None),
    ]
    rows += [
        (f"{name}, share of steps heard", partial(_recall, mouth=number), None)
        for number, name in enumerate(MOUTHS)
    ]
    return [
        _row(f"phones: {name}", recordings, figure, least)
        for name, figure, least in rows
        if np.isfinite(figure(recordings))
    ]


def _row(
    name: str,
    recordings: Sequence[HeardPhones],
    figure: Callable[[Sequence[HeardPhones]], float],
    least: float | None,
) -> Figure:
    value, interval = figure(recordings), speaker_interval(recordings, figure)
    return Figure(
        name=name, values={PREDICTED: value},
        intervals={} if interval is None else {PREDICTED: interval},
        asked="" if least is None else f"≥ {least:g}",
        passed=None if least is None else value >= least,
        clips=len(recordings), speakers=len(recordings),
    )  # fmt: skip


def balanced(recordings: Sequence[HeardPhones]) -> float:
    """Mean over the mouths that occur of the share of their steps that were heard."""
    return float(np.nanmean([_recall(recordings, mouth) for mouth in range(len(MOUTHS))]))


def _recall(recordings: Sequence[HeardPhones], mouth: int) -> float:
    right = np.concatenate([one.heard[one.said == mouth] == mouth for one in recordings])
    return float(right.mean()) if len(right) else float("nan")


def _accuracy(recordings: Sequence[HeardPhones]) -> float:
    return float(np.concatenate([one.said == one.heard for one in recordings]).mean())


def _share(recordings: Sequence[HeardPhones], name: str) -> float:
    hits = np.concatenate([getattr(one, name) for one in recordings])
    return float(hits.mean()) if len(hits) else float("nan")


def _median_late(recordings: Sequence[HeardPhones]) -> float:
    """Of edges that were heard near their labels, in milliseconds."""
    late = np.concatenate([one.late[np.abs(one.late) < 2 * _WITHIN] for one in recordings])
    return 1000 * float(np.median(late)) if len(late) else float("nan")


def _late(wanted: NDArray[np.float64], given: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(given):
        return np.full(len(wanted), np.nan)
    place = np.clip(np.searchsorted(given, wanted), 1, max(len(given) - 1, 1))
    near = np.stack([given[place - 1], given[np.minimum(place, len(given) - 1)]])
    apart = near - wanted
    result: NDArray[np.float64] = np.take_along_axis(apart, np.abs(apart).argmin(0)[None], 0)[0]
    return result


def _at(spans: Sequence[tuple[float, float, int]], times: NDArray[np.float64]) -> NDArray[np.intp]:
    """(n,) mouths at times; silence where nothing is told."""
    starts, ends = (np.array([span[side] for span in spans]) for side in (0, 1))
    mouths = np.array([span[2] for span in spans], np.intp)
    place = np.maximum(np.searchsorted(starts, times + 1e-6, side="right") - 1, 0)
    inside = (times + 1e-6 >= starts[place]) & (times < ends[place])
    return np.where(inside, mouths[place], _MOUTH_OF["silence"])


def _edges(spans: Sequence[tuple[float, float, int]]) -> NDArray[np.float64]:
    """Times at which the mouth becomes another one."""
    return np.array(
        [after[0] for before, after in pairwise(spans) if before[2] != after[2]], np.float64
    )


def _matched(wanted: NDArray[np.float64], given: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each wanted edge has one of those given near it; each of these serves one alone."""
    result = np.zeros(len(wanted), bool)
    at = 0
    for index, time in enumerate(wanted):  # both in order of time: the earliest that will do
        while at < len(given) and given[at] < time - _WITHIN - 1e-6:
            at += 1
        if at < len(given) and given[at] <= time + _WITHIN + 1e-6:
            result[index] = True
            at += 1
    return result
