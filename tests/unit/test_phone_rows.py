"""Figures of phones that are heard, on labels of which the answer is counted by hand."""

from __future__ import annotations

import pytest

from osmnet_sdk.core.phones import PHONE_CLASSES, Phone, PhoneTrack
from osmnet_sdk.research.evaluation.expression.lips import LabelledPhone
from osmnet_sdk.research.evaluation.expression.phone_rows import (
    MOUTHS,
    balanced,
    heard_phones,
    heard_rows,
)

LABELS = [
    LabelledPhone("SIL", 0.0, 0.4), LabelledPhone("P", 0.4, 0.5), LabelledPhone("AA", 0.5, 0.8),
    LabelledPhone("F", 0.8, 0.9), LabelledPhone("IY", 0.9, 1.2), LabelledPhone("SIL", 1.2, 1.6),
]  # fmt: skip
HEARD = ("silence", "bilabial", "a", "labiodental", "i", "silence")


def heard(late=0.0, names=HEARD):
    edges = [0.0, *(label.end + late for label in LABELS[:-1]), 1.6]
    return PhoneTrack(
        tuple(Phone(edges[k], edges[k + 1], name) for k, name in enumerate(names)), 1.6
    )


def rows(*recordings):
    found = {row.name.removeprefix("phones: "): row for row in heard_rows(recordings)}
    return {name: row.value for name, row in found.items()}, found


def test_every_class_belongs_to_one_mouth_of_nine():
    listed = [name for names in MOUTHS.values() for name in names.split()]
    assert sorted(listed) == sorted(PHONE_CLASSES)
    assert len(MOUTHS) == 9


def test_what_agrees_is_all_right():
    values, found = rows(heard_phones(heard(), LABELS))
    assert values["balanced accuracy over nine mouths"] == 1
    assert values["accuracy over nine mouths"] == 1
    assert values["edges within 40 ms"] == 1
    assert values["heard edges that are labelled within 40 ms"] == 1
    assert values["heard edges come after the labels by, median in ms"] == pytest.approx(0)
    assert "R ER, share of steps heard" not in values
    assert found["edges within 40 ms"].passed


@pytest.mark.parametrize(("late", "share"), [(0.03, 1.0), (-0.03, 1.0), (0.05, 0.0)])
def test_edges_may_lie_40_ms_beside_their_labels(late, share):
    values, _ = rows(heard_phones(heard(late), LABELS))
    assert values["edges within 40 ms"] == share
    said = values["heard edges come after the labels by, median in ms"]
    assert said == pytest.approx(1000 * late)


def test_a_mouth_that_is_never_heard_counts_as_one_of_five():
    """T in place of P: of the five mouths that occur, one is never heard."""
    names = ("silence", "alveolar", *HEARD[2:])
    found = heard_phones(heard(names=names), LABELS)
    assert balanced([found]) == pytest.approx(0.8)
    values, _ = rows(found)
    assert values["P B M, share of steps heard"] == 0
    # 5 steps of 80 are P's.
    assert values["accuracy over nine mouths"] == pytest.approx(75 / 80)


def test_one_edge_serves_one_label():
    """Labels 20 ms apart, of which one edge is heard."""
    labels = [LabelledPhone("SIL", 0.0, 0.4), LabelledPhone("P", 0.4, 0.42),
              LabelledPhone("AA", 0.42, 1.0)]  # fmt: skip
    track = PhoneTrack((Phone(0.41, 1.0, "a"),), 1.0)
    assert heard_phones(track, labels).edges.tolist() == [True, False]


def test_diphthongs_are_labelled_half_by_half():
    labels = [LabelledPhone("SIL", 0.0, 0.2), LabelledPhone("AY", 0.2, 0.6)]
    track = PhoneTrack((Phone(0.2, 0.4, "a"), Phone(0.4, 0.6, "near_i")), 0.6)
    found = heard_phones(track, labels)
    assert (found.said == found.heard).all()
    assert found.edges.tolist() == [True, True]


def test_intervals_are_over_recordings():
    some = [heard_phones(heard(late), LABELS) for late in (0.0, 0.02, 0.05)]
    _, found = rows(*some)
    low, high = found["edges within 40 ms"].intervals["predicted"]
    assert low < 2 / 3 < high
    assert found["edges within 40 ms"].clips == 3
    _, alone = rows(some[0])
    assert alone["edges within 40 ms"].intervals == {}


def test_what_hears_nothing_but_silence_is_measured():
    values, _ = rows(heard_phones(PhoneTrack((), 1.6), LABELS))
    assert values["edges within 40 ms"] == 0
    assert values["silence, share of steps heard"] == 1
