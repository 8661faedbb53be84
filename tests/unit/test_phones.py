"""Phones as intervals: what a track holds, what it refuses, and its own file."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osmnet_sdk as sdk
from osmnet_sdk.core.phone_alphabets import phone_classes
from osmnet_sdk.core.phones import PHONE_CLASSES, VISEMES, Phone, PhoneTrack, joined
from osmnet_sdk.errors import TrackError
from osmnet_sdk.expression import network
from osmnet_sdk.expression.phones import ARTICULATIONS
from osmnet_sdk.tracks import Provenance

# Meta's fifteen visemes, as its documentation lists them.
FIFTEEN = ["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou"]


@st.composite
def tracks(draw) -> PhoneTrack:
    """Tracks of up to 20 phones with gaps."""
    time, phones = 0.0, []
    for _ in range(draw(st.integers(0, 20))):
        start = time + draw(st.floats(0.0, 0.3))
        time = start + draw(st.floats(0.002, 0.5))
        confidence = draw(st.floats(0.0, 1.0))
        phones.append(Phone(start, time, draw(st.sampled_from(PHONE_CLASSES)), confidence))
    return PhoneTrack(tuple(phones), time + draw(st.floats(0.01, 2.0)))


def test_classes_are_those_that_lips_and_networks_know():
    assert tuple(ARTICULATIONS) == PHONE_CLASSES == network.PHONE_CLASSES
    assert set(VISEMES.values()) == set(FIFTEEN)
    letters = {"PP": "pbm", "FF": "fv", "TH": "θð", "SS": "sz", "CH": "ʃʒ", "DD": "td", "kk": "kg",
               "RR": "ɹ", "aa": "ɑ", "ou": "u"}  # fmt: skip
    for viseme, symbols in letters.items():
        assert {VISEMES[phone_classes(symbol)[0]] for symbol in symbols} == {viseme}


@pytest.mark.parametrize(
    ("phones", "seconds", "words"),
    [
        ([Phone(0.0, 0.1, "P")], 1.0, "class 'P'"),
        ([Phone(0.0, 0.1, "a", 1.1)], 1.0, "confidence"),
        ([Phone(math.nan, 0.1, "a")], 1.0, "seconds"),
        ([Phone(0.0, "0.1", "a")], 1.0, "seconds"),
        ([Phone(0.2, 0.1, "a")], 1.0, "in order of time"),
        ([Phone(0.2, 0.2, "a")], 1.0, "millisecond"),
        ([Phone(0.0, 0.2, "a"), Phone(0.1, 0.3, "o")], 1.0, "in order of time"),
        ([Phone(0.9, 1.1, "a")], 1.0, "after the 1.0000 s"),
        ([Phone(-0.1, 0.1, "a")], 1.0, "in order of time"),
        ([], 0.0, "seconds"),
        ([], math.inf, "seconds"),
        ([], 40_000.0, "36000 seconds"),
        (["a"], 1.0, "give a Phone"),
    ],
)
def test_what_is_no_phone_track_is_refused(phones, seconds, words):
    with pytest.raises(TrackError, match=words):
        PhoneTrack(tuple(phones), seconds)


def test_too_many_phones_are_refused():
    with pytest.raises(TrackError, match="250000 phones"):
        PhoneTrack((Phone(0.0, 0.1, "a"),) * 250_001, 1.0)


@given(tracks())
def test_silence_fills_the_gaps(track):
    whole = track.contiguous()
    edges = [0.0, *(phone.end for phone in whole)]
    assert all(abs(phone.start - end) < 0.0011 for phone, end in zip(whole, edges, strict=False))
    assert abs(edges[-1] - track.seconds) < 0.0011
    assert [phone for phone in whole if phone in track.phones] == list(track)


@given(tracks())
def test_a_track_comes_back_from_its_file(tmp_path_factory, track):
    path = track.save(tmp_path_factory.getbasetemp() / "phones.json")
    assert PhoneTrack.load(path) == track
    assert sdk.read_phones(path) == track


def test_the_file_says_what_made_it_and_has_all_in_plain_json(tmp_path):
    made_by = Provenance(source="predicted", audio="a.wav", audio_sha256="ab")
    track = PhoneTrack((Phone(0.1, 0.2, "bilabial", 0.5),), 1.0, made_by)
    values = json.loads(track.save(tmp_path / "x.json").read_text(encoding="utf-8"))
    assert values["schema"] == "osmnet.phones/1"
    assert values["seconds"] == 1.0
    assert values["audio_sha256"] == "ab"
    assert values["phones"] == [
        {"start": 0.1, "end": 0.2, "phone": "bilabial", "viseme": "PP", "confidence": 0.5}
    ]
    assert PhoneTrack.load(tmp_path / "x.json").provenance == made_by


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("[]", "PhoneTrack.save"),
        ("{}", "schema"),
        ('{"schema": "osmnet.phones/2"}', "newer OSM-Net"),
        ('{"schema": "osmnet.phones/1"}', "'phones'"),
        ('{"schema": "osmnet.phones/1", "phones": [1]}', "'phones'"),
        ('{"schema": "osmnet.phones/1", "phones": [], "seconds": "1"}', "seconds"),
        ('{"schema": "osmnet.phones/1", "phones": [{}], "seconds": 1}', "class 'None'"),
        ('{"schema": "osmnet.phones/1", "phones": [], "seconds": 1, "seed": "x"}', "'seed'"),
        ('{"schema": "osmnet.phones/1", "phones": [], "seconds": 1e999}', "too large"),
    ],
)
def test_broken_files_are_told_in_one_sentence(tmp_path, text, words):
    path = tmp_path / "broken.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrackError, match=r"broken\.json") as caught:
        PhoneTrack.load(path)
    assert words in str(caught.value)
    with pytest.raises(TrackError, match="Cannot read"):
        PhoneTrack.load(tmp_path / "none.json")


def test_neighbours_of_one_class_are_one_phone():
    phones = [Phone(0.0, 0.1, "a", 0.5), Phone(0.1, 0.4, "a", 0.9), Phone(0.4, 0.4004, "o"),
              Phone(0.5, 0.6, "a")]  # fmt: skip
    track = joined(phones, 1.0, Provenance())
    assert [(phone.start, phone.end) for phone in track] == [(0.0, 0.4), (0.5, 0.6)]
    assert track.phones[0].confidence == pytest.approx(0.8)
