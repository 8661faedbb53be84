"""From probabilities of phones to intervals: the likeliest sequence in which none is too short.

Each class is a chain of states, one for each step that it lasts at least (a hidden Markov model
with least durations); the likeliest way through them is found by Viterbi's algorithm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.phones import PHONE_CLASSES, Phone, PhoneTrack, joined
from osmnet_sdk.progress import check_cancelled
from osmnet_sdk.tracks import Provenance

FloatArray = NDArray[np.float32]

STEP = 0.02
"""Seconds from one row of probabilities to the next. Networks learn labels in which row k is what
is said from k · STEP on for one step (`phone_labels` of their data)."""

_CHANGE = 0.5
"""What a change of phone costs, in nats: noise of a step or two makes none."""
_LEAST = 1e-4
"""What a probability counts as at least: half precision rounds small ones to nothing."""
_ASK = 1000  # steps between two looks at whether to stop


def least_steps(name: str) -> int:
    """Steps that a class of phones lasts at least: 40 ms, silence 60."""
    return 3 if name == "silence" else 2


def decoded(
    phones: NDArray[np.floating],
    voice: NDArray[np.floating],
    seconds: float,
    provenance: Provenance,
) -> PhoneTrack:
    """The phones that probabilities tell of; where no voice is heard there is silence.

    Args:
        phones: (n, classes) probabilities of `PHONE_CLASSES`, one row every `STEP`.
        voice: (n,) probability of a voice.
        seconds: length of the recording, at most n · `STEP`.
        provenance: of the track.
    """
    likely = said_probabilities(phones, voice)
    path = likeliest_path(np.log(np.maximum(likely, _LEAST)))
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    ends = [*starts[1:], len(path)]
    result = []
    for start, end in zip(starts.tolist(), map(int, ends), strict=True):
        name = int(path[start])
        edges = [round(edge * STEP, 6) for edge in (start, end)]
        if end == len(path):
            edges[1] = seconds
        if edges[0] < seconds:
            sure = float(np.clip(likely[start:end, name].mean(), 0.0, 1.0))
            last = min(edges[1], seconds)
            result.append(Phone(edges[0], last, PHONE_CLASSES[name], round(sure, 4)))
    return joined(result, seconds, provenance)


def said_probabilities(phones: NDArray[np.floating], voice: NDArray[np.floating]) -> FloatArray:
    """(n, classes) probabilities of classes, with what is no voice counted as silence."""
    heard = voice.astype(np.float32)
    result = phones.astype(np.float32) * heard[:, None]
    result[:, PHONE_CLASSES.index("silence")] += 1.0 - heard
    return result


def likeliest_path(scores: FloatArray) -> NDArray[np.int64]:
    """(n,) number of the class at each step, none of which is shorter than its least duration.

    Phones at the beginning and the end may be cut off.

    Args:
        scores: (n, classes) log-probabilities.
    """
    steps, classes = scores.shape
    least = np.array([least_steps(name) for name in PHONE_CLASSES[:classes]])
    deepest = int(least.max())
    rows, last = np.arange(classes), least - 1
    # best[k, j]: of the ways that end in step j of class k; the last of a class may be repeated.
    best = np.repeat(scores[:1].T, deepest, axis=1)
    stayed = np.zeros((steps, classes), bool)
    came = np.zeros(steps, np.int64)
    for step in range(1, steps):
        if step % _ASK == 0:
            check_cancelled()
        ending = best[rows, last]
        came[step] = ending.argmax()
        before = np.empty_like(best)
        before[:, 1:] = best[:, :-1]
        before[:, 0] = ending[came[step]] - _CHANGE
        stayed[step] = ending >= before[rows, last]
        before[rows, last] = np.maximum(ending, before[rows, last])
        best = before + scores[step][:, None]
    return _traced(best, least, stayed, came)


def _traced(
    best: FloatArray, least: NDArray[np.int64], stayed: NDArray[np.bool_], came: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The way back from the best end."""
    best = np.where(np.arange(best.shape[1]) < least[:, None], best, -np.inf)
    name, place = np.unravel_index(int(best.argmax()), best.shape)
    path = np.empty(len(came), np.int64)
    for step in range(len(came) - 1, -1, -1):
        path[step] = name
        if place == least[name] - 1 and stayed[step, name]:
            continue
        if place > 0:
            place = place - 1
        else:
            name = came[step]
            place = least[name] - 1
    return path
