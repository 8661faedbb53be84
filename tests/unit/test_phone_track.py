"""From probabilities to intervals, with made-up probabilities of which the answer is known."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.core.phones import PHONE_CLASSES
from osmnet_sdk.expression.coarticulation import TimedPhone
from osmnet_sdk.expression.phone_track import decoded, least_steps, likeliest_path
from osmnet_sdk.research.trainers.expression.data import phone_labels
from osmnet_sdk.tracks import Provenance

INDEX = {name: number for number, name in enumerate(PHONE_CLASSES)}


def probabilities(names, sure=0.9):
    """(n, classes): each step's class has `sure`, the others share the rest."""
    rows = np.full((len(names), len(PHONE_CLASSES)), (1 - sure) / (len(PHONE_CLASSES) - 1))
    for step, name in enumerate(names):
        rows[step, INDEX[name]] = sure
    return rows.astype(np.float16)


def track(names, voice=None, seconds=None, sure=0.9):
    voice = np.ones(len(names)) if voice is None else np.asarray(voice, float)
    seconds = len(names) * 0.02 if seconds is None else seconds
    return decoded(probabilities(names, sure), voice.astype(np.float16), seconds, Provenance())


def test_a_phone_begins_where_its_first_row_does():
    names = ["silence"] * 10 + ["bilabial"] * 4 + ["a"] * 6 + ["silence"] * 10
    found = [(p.phone, p.start, p.end) for p in track(names)]
    # Row k is of 20 ms · k and the 20 ms after.
    assert found == [
        ("silence", 0.0, 0.2), ("bilabial", 0.2, 0.28), ("a", 0.28, 0.4), ("silence", 0.4, 0.6)
    ]  # fmt: skip


def test_a_single_row_of_something_else_is_noise():
    names = ["a"] * 10
    names[5] = "bilabial"
    assert [p.phone for p in track(names)] == ["a"]
    names[5:7] = ["bilabial"] * 2
    assert [p.phone for p in track(names)] == ["a", "bilabial", "a"]


def test_without_a_voice_there_is_silence():
    names = ["a"] * 30
    voice = [0.99] * 10 + [0.01] * 10 + [0.99] * 10
    assert [(p.phone, p.start, p.end) for p in track(names, voice)] == [
        ("a", 0.0, 0.2), ("silence", 0.2, 0.4), ("a", 0.4, 0.6)
    ]  # fmt: skip


def test_confidence_is_how_likely_the_class_is():
    (one,) = track(["a"] * 20, sure=0.75)
    assert one.confidence == pytest.approx(0.75, abs=0.001)


def test_the_track_is_as_long_as_the_sound():
    found = track(["a"] * 20, seconds=0.383)
    assert found.seconds == found.phones[-1].end == 0.383
    assert track(["a"] * 2, seconds=0.0001).seconds == 0.0001


@given(st.lists(st.tuples(st.sampled_from(["a", "bilabial", "u"]), st.integers(3, 12)), max_size=8))
def test_edges_are_those_of_the_labels_that_networks_learn(spans):
    """What the trainer makes of timed phones gives these back, within half a step, without bias."""
    told, time = [], 0.2
    for name, hundredths in spans:
        length = 0.04 + hundredths / 97
        if told and told[-1].symbol == name:
            continue
        told.append(TimedPhone(name, time, time + length))
        time += length
    frames = int(time * 25) + 10
    rows = phone_labels(told, "class", frames)
    found = [p for p in track([PHONE_CLASSES[row] for row in rows[:, 0]]) if p.phone != "silence"]
    assert [p.phone for p in found] == [p.symbol for p in told]
    for heard, label in zip(found, told, strict=True):
        assert heard.start == pytest.approx(label.start, abs=0.0101)


@given(st.lists(st.integers(0, len(PHONE_CLASSES) - 1), min_size=1, max_size=40), st.integers(0, 9))
def test_no_phone_within_is_shorter_than_it_may_be(classes, seed):
    rng = np.random.default_rng(seed)
    scores = np.log(rng.dirichlet(np.full(len(PHONE_CLASSES), 0.05), len(classes)) + 1e-4)
    scores[np.arange(len(classes)), classes] += 4.0
    path = likeliest_path(scores)
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    lengths = np.diff([*starts, len(path)])
    for start, length in list(zip(starts, lengths, strict=True))[1:-1]:
        assert length >= least_steps(PHONE_CLASSES[path[start]])


@given(st.integers(0, 50), st.integers(1, 7))
def test_no_other_way_is_likelier(seed, steps):
    """Against all ways there are, of three classes in a few steps."""
    rng = np.random.default_rng(seed)
    scores = np.log(rng.dirichlet(np.ones(3), steps))
    least = [least_steps(name) for name in PHONE_CLASSES[:3]]

    def worth(way):
        starts = [0, *(k for k in range(1, steps) if way[k] != way[k - 1]), steps]
        inner = pairwise(starts[1:-1])  # the first and the last may be cut
        if any(stop - start < least[way[start]] for start, stop in inner):
            return -np.inf
        return scores[np.arange(steps), list(way)].sum() - 0.5 * (len(starts) - 2)

    best = max(worth(way) for way in product(range(3), repeat=steps))
    assert worth(tuple(likeliest_path(scores))) == pytest.approx(best)
