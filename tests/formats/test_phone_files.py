"""Phones in files: read back by other tools' parsers, and read as other tools write them."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from itertools import pairwise

import pytest
import srt
from hypothesis import given
from hypothesis import strategies as st
from praatio import textgrid
from praatio.utilities.constants import Interval

import osmnet_sdk as sdk
from osmnet_sdk.core.phone_alphabets import phone_classes
from osmnet_sdk.core.phones import PHONE_CLASSES, Phone, PhoneTrack
from osmnet_sdk.errors import OutputError, TrackError
from osmnet_sdk.formats.phone_files import read_phones, write_phones

SAID = PhoneTrack(
    (
        Phone(0.3, 0.38, "bilabial", 0.9), Phone(0.38, 0.55, "a"), Phone(0.55, 0.6, "labiodental"),
        Phone(0.6, 0.8, "u"), Phone(1.0, 1.2, "lateral"),
    ),
    1.5,
)  # fmt: skip


@st.composite
def tracks(draw) -> PhoneTrack:
    """Tracks of whole milliseconds; neighbours differ."""
    time, phones = 0, []
    for _ in range(draw(st.integers(0, 15))):
        start = time + draw(st.integers(0, 300))
        last = phones[-1].phone if phones else None
        name = draw(st.sampled_from([each for each in PHONE_CLASSES[1:] if each != last]))
        time = start + draw(st.integers(11, 400))
        phones.append(Phone(start / 1000, time / 1000, name))
    return PhoneTrack(tuple(phones), (time + draw(st.integers(10, 2000))) / 1000)


def spoken(track):
    return [(p.phone, round(p.start, 3), round(p.end, 3)) for p in track if p.phone != "silence"]


def test_praat_reads_phones_and_visemes(tmp_path):
    path = write_phones(SAID, tmp_path / "x.TextGrid")
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    assert grid.tierNames == ("phones", "visemes")
    assert grid.maxTimestamp == 1.5
    phones = [(each.label, each.start, each.end) for each in grid.getTier("phones").entries]
    assert phones == spoken(SAID)
    assert [each.label for each in grid.getTier("visemes").entries] == [
        "PP",
        "aa",
        "FF",
        "ou",
        "nn",
    ]
    # Praat itself wants every tier filled from the beginning to the end.
    whole = textgrid.openTextgrid(str(path), includeEmptyIntervals=True).getTier("phones").entries
    assert [whole[0].start, whole[-1].end] == [0, 1.5]
    assert all(a.end == b.start for a, b in pairwise(whole))


@given(tracks())
def test_any_track_goes_through_a_textgrid(tmp_path_factory, track):
    path = tmp_path_factory.getbasetemp() / "any.TextGrid"
    write_phones(track, path)
    again = read_phones(path)
    assert spoken(again) == spoken(track)
    assert again.seconds == pytest.approx(track.seconds, abs=1e-6)


@given(tracks(), st.sampled_from(["long_textgrid", "short_textgrid"]))
def test_textgrids_of_another_writer_are_read(tmp_path_factory, track, form):
    """Those of praatio, in both text formats, beside a tier of words and one of points."""
    path = tmp_path_factory.getbasetemp() / "praatio.TextGrid"
    grid = textgrid.Textgrid(0, track.seconds)
    sentence = [Interval(0, track.seconds, 'so "called" words 1 2')]
    grid.addTier(textgrid.IntervalTier("words", sentence, 0, track.seconds))
    grid.addTier(textgrid.PointTier("beats", [(track.seconds / 2, "x")], 0, track.seconds))
    entries = [Interval(p.start, p.end, p.phone) for p in track] or [Interval(0, 0.005, "")]
    grid.addTier(textgrid.IntervalTier("anna - phones", entries, 0, track.seconds))
    grid.save(str(path), format=form, includeBlankSpaces=True, reportingMode="error")
    assert spoken(read_phones(path)) == spoken(track)


def grid_of(path, labels, name="phones", encoding="utf-8"):
    """A TextGrid in the short format, of intervals of 0.1 s."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0",
             str(len(labels) / 10), "<exists>", "1", '"IntervalTier"', f'"{name}"', "0",
             str(len(labels) / 10), str(len(labels))]  # fmt: skip
    for index, label in enumerate(labels):
        lines += [str(index / 10), str((index + 1) / 10), f'"{label}"']
    path.write_text("\n".join(lines), encoding=encoding)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["sil", "M", "AY1", "sp", "B", "IY0"],
         ["silence", "bilabial", "a", "near_i", "silence", "bilabial", "i"]),
        (["", "m", "aj", "tʃ", "spn", "bʲ", "ə"],
         ["silence", "bilabial", "a", "palatal", "alveolar", "postalveolar", "silence", "bilabial",
          "schwa"]),
        (["x", "a", "ˈɔʏ", "ɱ", "_"], ["velar", "a", "open_o", "y", "labiodental", "silence"]),
    ],
)  # fmt: skip
def test_labels_of_aligners_are_understood(tmp_path, labels, classes, encoding):
    track = read_phones(grid_of(tmp_path / "x.TextGrid", labels, encoding=encoding))
    assert [phone.phone for phone in track] == classes
    assert track.seconds == pytest.approx(len(labels) / 10)
    # What goes through two classes shares its time between them.
    assert sum(phone.end - phone.start for phone in track) == pytest.approx(len(labels) / 10)


def test_a_textgrid_of_words_is_refused(tmp_path):
    path = grid_of(tmp_path / "x.TextGrid", ["東", "京", "都"], name="words")
    with pytest.raises(TrackError, match="'東' is no phone in IPA or ARPAbet"):
        read_phones(path)


def test_rhubarb_cues_are_times_and_shapes(tmp_path):
    path = write_phones(SAID, tmp_path / "x.tsv")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [(float(time), shape) for time, shape in csv.reader(stream, delimiter="\t")]
    assert rows == [
        (0.0, "X"), (0.3, "A"), (0.38, "D"), (0.55, "G"), (0.6, "F"), (0.8, "X"), (1.0, "H"),
        (1.2, "X"), (1.5, "X"),
    ]  # fmt: skip
    again = read_phones(path)
    assert spoken(again) == spoken(SAID)
    assert again.seconds == 1.5


@given(tracks())
def test_cues_of_any_track_follow_on_one_another(tmp_path_factory, track):
    path = write_phones(track, tmp_path_factory.getbasetemp() / "any.tsv")
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    times = [float(time) for time, _ in rows]
    assert times[0] == 0
    assert times[-1] == pytest.approx(track.seconds, abs=0.006)
    assert times == sorted(times)
    assert {shape for _, shape in rows} <= set("ABCDEFGHX")


RHUBARB_JSON = {
    "metadata": {"soundFile": "a.wav", "duration": 2.0},
    "mouthCues": [
        {"start": 0.0, "end": 0.25, "value": "X"},
        {"start": 0.25, "end": 0.32, "value": "A"},
        {"start": 0.32, "end": 0.5, "value": "D"},
    ],
}
AZURE = [
    {"audio_offset": 500_000, "viseme_id": 0},
    {"audio_offset": 2_500_000, "viseme_id": 21},
    {"audio_offset": 3_200_000, "viseme_id": 11},
    {"audio_offset": 5_200_000, "viseme_id": 0},
]
# As in Amazon's documentation, "Mary had a little lamb".
POLLY = """{"time":0,"type":"sentence","start":0,"end":23,"value":"Mary had a little lamb."}
{"time":6,"type":"word","start":0,"end":4,"value":"Mary"}
{"time":6,"type":"viseme","value":"p"}
{"time":73,"type":"viseme","value":"E"}
{"time":180,"type":"viseme","value":"r"}
{"time":292,"type":"viseme","value":"i"}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (json.dumps(RHUBARB_JSON), [("bilabial", 0.25, 0.32), ("a", 0.32, 0.5)]),
        (json.dumps(AZURE), [("bilabial", 0.25, 0.32), ("a", 0.32, 0.42), ("near_i", 0.42, 0.52)]),
        (
            json.dumps([{"audioOffset": e["audio_offset"], "visemeId": e["viseme_id"]}
                        for e in AZURE]),
            [("bilabial", 0.25, 0.32), ("a", 0.32, 0.42), ("near_i", 0.42, 0.52)],
        ),
        (
            "\n".join(map(json.dumps, AZURE)),
            [("bilabial", 0.25, 0.32), ("a", 0.32, 0.42), ("near_i", 0.42, 0.52)],
        ),
        (POLLY, [("bilabial", 0.006, 0.073), ("open_e", 0.073, 0.18), ("rhotic", 0.18, 0.292),
                 ("i", 0.292, 0.442)]),
        ("0.00\tX\n0.25\tA\n0.32\tD\n0.5\tX\n", [("bilabial", 0.25, 0.32), ("a", 0.32, 0.5)]),
    ],
)  # fmt: skip
def test_visemes_of_other_tools_are_read(tmp_path, text, expected):
    path = tmp_path / "said.txt"  # the contents tell, not the name
    path.write_text(text, encoding="utf-8")
    assert spoken(read_phones(path)) == expected


# Of its table for English (US): each viseme with a phoneme that has it, in IPA.
POLLY_PHONES = {
    "p": "m", "t": "n", "S": "ʃ", "T": "ð", "f": "v", "k": "ŋ", "i": "i", "l": "l", "r": "ɹ",
    "s": "z", "u": "u", "@": "ə", "a": "ɑ", "e": "e", "E": "ɛ", "o": "o", "O": "ɔ",
}  # fmt: skip


def test_visemes_of_polly_are_those_of_their_phonemes(tmp_path):
    path = tmp_path / "all.json"
    for viseme, phoneme in POLLY_PHONES.items():
        marks = [{"time": 100 * k, "type": "viseme", "value": v}
                 for k, v in enumerate(("sil", viseme, "sil"))]  # fmt: skip
        path.write_text("\n".join(map(json.dumps, marks)), encoding="utf-8")
        assert spoken(read_phones(path)) == [(phone_classes(phoneme)[0], 0.1, 0.2)]


# Of Azure's viseme IDs, the phonemes that its table names, in IPA.
AZURE_PHONES = (
    "", "ʌ", "ɑ", "ɔ", "ɛ", "ɝ", "i", "u", "o", "aʊ", "ɔɪ", "aɪ", "h", "ɹ", "l", "s", "ʃ", "ð", "f",
    "d", "k", "p",
)  # fmt: skip


def test_viseme_ids_of_azure_are_those_of_their_phonemes(tmp_path):
    path = tmp_path / "all.json"
    for number, phoneme in list(enumerate(AZURE_PHONES))[1:]:
        events = [{"audio_offset": 10**6 * k, "viseme_id": v} for k, v in enumerate((0, number, 0))]
        path.write_text(json.dumps(events), encoding="utf-8")
        found = [name for name, _, _ in spoken(read_phones(path))]
        assert tuple(found) == phone_classes(phoneme)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "visemes"),
        ("hello", "line 1"),
        ("0.0\tX\n0.1\tQ\n", "'Q'"),
        ("0.0\tX\nnan\tA\n", "no time"),
        ("0.0\tX\n-1\tA\n", "no time"),
        ("0.0\tX\n1e300\tA\n", "36000 seconds"),
        ("[]", "none of"),
        ("[1, 2]", "list of visemes"),
        ('{"mouthCues": 3}', "mouthCues"),
        ('{"mouthCues": [{"start": 0, "end": 1, "value": 5}]}', "'5'"),
        ('{"mouthCues": [{"start": 1, "end": 0, "value": "A"}]}', "out of order"),
        ('{"mouthCues": []}', "seconds"),
        ('[{"audio_offset": 1, "viseme_id": 22}]', "'22'"),
        ('[{"audio_offset": "x", "viseme_id": 2}]', "no time"),
        ('{"type": "viseme", "time": 1, "value": "Q"}', "'Q'"),
        ('{"a": ' * 30 + "1" + "}" * 30, "not JSON|deep"),
        ('File type = "ooTextFile"', "ends before"),
        ('File type = "ooTextFile" "Sound"', "no TextGrid"),
        ('"ooTextFile" "TextGrid" 0 1 <exists> 99999', "99999 tiers"),
        ('"ooTextFile" "TextGrid" 0 1 <exists> 1 "IntervalTier" "p" 0 1 9999999', "intervals"),
        ('"ooTextFile" "TextGrid" 0 1 <exists> 1 "Odd" "p" 0 1 0', "'Odd'"),
        ('"ooTextFile" "TextGrid" 0 1 <absent>', "no tier"),
        ('"ooTextFile" "TextGrid" 0 1 <exists> 1 "IntervalTier" "p" 0 1 1 0.5 0.1 "a"', "order"),
        ('"ooTextFile" "TextGrid" 0 1e90 <exists> 1 "IntervalTier" "p" 0 1 0', "36000 seconds"),
    ],
)
def test_broken_files_are_told_in_one_sentence(tmp_path, text, words):
    path = tmp_path / "broken.any"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrackError, match=words) as caught:
        read_phones(path)
    assert "broken.any" in str(caught.value)


def assert_phones_or_told(path):
    said = ""
    try:
        read_phones(path)
    except TrackError as error:
        said = str(error)
    assert "\n" not in said


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_phones_or_told(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "bytes.any"
    path.write_bytes(data)
    assert_phones_or_told(path)


VALID = [
    b'"ooTextFile" "TextGrid" 0 1 <exists> 1 "IntervalTier" "p" 0 1 2 0 0.5 "a" 0.5 1 "p"',
    json.dumps(RHUBARB_JSON).encode(),
    json.dumps(AZURE).encode(),
    POLLY.encode(),
    b"0.00\tX\n0.25\tA\n0.32\tD\n0.5\tX\n",
]


@given(
    st.sampled_from(VALID), st.integers(0, 400), st.integers(0, 30), st.binary(max_size=12)
)  # fmt: skip
def test_damaged_files_are_phones_or_told(tmp_path_factory, data, place, cut, put):
    path = tmp_path_factory.getbasetemp() / "damaged.any"
    place %= len(data)
    path.write_bytes(data[:place] + put + data[place + cut :])
    assert_phones_or_told(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("osmnet_sdk.core.phones.MAX_PHONE_FILE", 1000)
    path = tmp_path / "large.tsv"
    path.write_text("0.00\tX\n" * 200, encoding="utf-8")
    with pytest.raises(TrackError, match="more than 1000 bytes"):
        read_phones(path)


def test_subtitles_are_read_by_another_parser(tmp_path):
    path = write_phones(SAID, tmp_path / "x.srt")
    found = list(srt.parse(path.read_text(encoding="utf-8")))
    assert [each.content for each in found][:2] == ["bilabial PP", "a aa"]
    assert [each.index for each in found] == [1, 2, 3, 4, 5]
    assert (found[0].start, found[0].end) == (
        timedelta(milliseconds=300), timedelta(milliseconds=380)
    )  # fmt: skip
    late = PhoneTrack((Phone(3723.4, 3724.0, "a"),), 4000.0)
    (one,) = srt.parse(write_phones(late, tmp_path / "y.srt").read_text(encoding="utf-8"))
    assert one.start == timedelta(hours=1, minutes=2, seconds=3, milliseconds=400)


def test_an_unknown_suffix_is_told_and_nothing_is_written(tmp_path):
    with pytest.raises(OutputError, match=r"\.TextGrid, \.json, \.tsv or \.srt"):
        write_phones(SAID, tmp_path / "x.lab")
    assert list(tmp_path.iterdir()) == []
    assert sdk.read_phones(write_phones(SAID, tmp_path / "x.json")) == SAID
