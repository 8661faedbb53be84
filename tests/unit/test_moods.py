"""Moods: faces that show them, lips that still say what is said, ranges that come and go."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_sampler import small_sampler, small_voice

from osmnet_sdk.cli.grammars import GRAMMARS
from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.adjusting import Adjustment
from osmnet_sdk.expression.blink import combine, sample_eyes
from osmnet_sdk.expression.coarticulation import TimedPhone, viseme_track
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.moods import bearing, blinking, moods_of
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.options import ExpressionOptions, Mood, Pin, SampleOptions
from osmnet_sdk.tracks import ExpressionTrack

MODEL = load_face_model(find_bundle())
LIPS = LipGeometry.from_model(MODEL)
GAIN = LIPS.gain.astype(np.float32)
NAMES = ("happy", "sad", "angry", "surprised", "afraid", "disgusted", "tired")
FRAMES = 75
SHOWS = {
    "happy": "mouthSmileLeft cheekSquintRight",
    "sad": "browInnerUp mouthFrownLeft",
    "angry": "browDownLeft mouthPressRight",
    "surprised": "browOuterUpLeft eyeWideRight",
    "afraid": "browInnerUp eyeWideLeft mouthStretchRight",
    "disgusted": "noseSneerLeft mouthUpperUpRight",
    "tired": "eyeBlinkLeft eyeBlinkRight",
}


def said():
    """Two seconds of P, B and M between open and spread vowels, and silence after."""
    symbols = ["m", "aa", "p", "iy", "b", "uw", "m", "ae", "f", "aa", "p", "iy", "m", "aa"]
    phones = [TimedPhone(s, 0.2 + 0.12 * i, 0.2 + 0.12 * (i + 1)) for i, s in enumerate(symbols)]
    return phones, viseme_track(phones, FRAMES, LIPS, alphabet="arpabet")


def adjusted(curves, pieces=(FRAMES,), **options):
    adjustment = Adjustment(ExpressionOptions(**options), GAIN)
    parts, done = [], 0
    for size in pieces:
        parts.append(adjustment.push(curves[done : done + size]))
        done += size
    parts.append(adjustment.push(np.repeat(curves[-1:], adjustment.reach, axis=0)))
    return np.concatenate(parts)


def column(curves, name):
    return curves[:, ARKIT_NAMES.index(name)]


@pytest.mark.parametrize("options", [{}, {"mood": "angry", "mood_strength": 0.0},
                                     {"moods": [Mood(0, 9, "neutral", 1.0)]}])  # fmt: skip
def test_no_mood_changes_nothing(options):
    curves = said()[1]
    np.testing.assert_array_equal(adjusted(curves, **options), adjusted(curves))


@pytest.mark.parametrize("name", NAMES)
def test_a_mood_shows_and_lips_go_on_saying_what_is_said(name):
    phones, curves = said()
    moody = adjusted(curves, mood=name, mood_strength=1.0)
    for shown in SHOWS[name].split():
        assert (column(moody, shown) - column(curves, shown)).max() > 0.15, shown
    before, after = MODEL.lip_gap(curves), MODEL.lip_gap(moody)
    for phone in phones:
        if phone.symbol in ("p", "b", "m"):
            near = slice(int(phone.start * 25), int(np.ceil(phone.end * 25)) + 1)
            assert after[near].min() < 0.02
    np.testing.assert_allclose(after, before, atol=0.02)
    assert np.corrcoef(after, before)[0, 1] > 0.99


def test_moods_differ_from_one_another():
    curves = np.zeros((1, 52), np.float32)
    faces = [adjusted(curves, (1,), mood=name, mood_strength=0.6)[0] for name in NAMES]
    for index, face in enumerate(faces):
        others = [np.abs(face - other).sum() for k, other in enumerate(faces) if k != index]
        assert min(others) > 0.5, NAMES[index]


def test_ranges_come_and_go_without_a_jerk_and_take_the_place_of_the_whole():
    curves = np.zeros((150, 52), np.float32)
    options = {"mood": "happy", "mood_strength": 0.5, "moods": [Mood(2, 4, "sad", 0.8)]}
    moody = adjusted(curves, (150,), **options)
    smile, frown = column(moody, "mouthSmileLeft"), column(moody, "mouthFrownLeft")
    assert frown[:42].max() == 0
    assert frown[108:].max() == 0
    assert np.ptp(frown[58:92]) == 0
    assert frown[75] == pytest.approx(0.8 * adjusted(curves, mood="sad", mood_strength=1.0)[
        0, ARKIT_NAMES.index("mouthFrownLeft")])  # fmt: skip
    assert smile[75] == 0
    assert smile[0] == smile[149] > 0.3
    # Least jerk over 0.6 s is never steeper than 1.875 of the way in 0.6 s.
    assert np.abs(np.diff(frown)).max() < 1.9 * frown[75] * 0.04 / 0.6
    assert np.abs(np.diff(frown, 2)).max() < 0.05


def test_moods_that_follow_one_another_never_add_up():
    curves = np.zeros((100, 52), np.float32)
    one = adjusted(curves, (100,), moods=[Mood(0, 4, "sad", 0.7)])
    two = adjusted(curves, (100,), moods=[Mood(0, 2, "sad", 0.7), Mood(2, 4, "sad", 0.7)])
    both = adjusted(curves, (100,), moods=[Mood(0, 4, "sad", 0.7), Mood(1, 3, "sad", 0.7)])
    np.testing.assert_allclose(two[:80], one[:80], atol=0.01)
    assert both.max() < one.max() + 1e-6


@given(cuts=st.lists(st.integers(1, 30), max_size=6), smoothing=st.sampled_from([0.0, 0.05]))
def test_how_a_stream_is_cut_makes_no_difference(cuts, smoothing):
    curves = said()[1]
    pieces = [*cuts, FRAMES]
    options = {"moods": [Mood(0.5, 1.7, "angry", 0.9)], "smoothing": smoothing}
    np.testing.assert_allclose(
        adjusted(curves, pieces, **options), adjusted(curves, **options), atol=1e-6
    )


def test_the_head_follows_a_little_and_pins_are_met():
    sampler, voice = small_sampler(), small_voice()
    features = sampler.features(voice)
    pinned = SampleOptions(pins=[Pin(2.0, (-10, 5, 0))])
    turned = bearing(ExpressionOptions(mood="sad", mood_strength=1.0), voice.frames)
    plain = sampler.sample(features, take=0, seed=1)
    sad = sampler.sample(features, take=0, seed=1, bearing=turned)
    difference = sad.rotation - plain.rotation
    assert difference[0].max() == 0
    assert 3 < difference[-1, 0] < 10
    np.testing.assert_allclose(difference, turned, atol=1e-4)
    met = sampler.sample(features, take=0, seed=1, options=pinned, bearing=turned)
    np.testing.assert_allclose(met.rotation[50], (-10, 5, 0), atol=1e-4)


def test_who_is_tired_blinks_more_and_wide_eyes_close():
    counts = []
    for mood in ("tired", "neutral", "surprised"):
        pace = blinking(ExpressionOptions(mood=mood, mood_strength=1.0), 25 * 240)
        blinks = sample_eyes(25 * 240, seed=3, take=0, pace=pace)[:, 0] > 0.5
        counts.append(np.count_nonzero(np.diff(blinks.astype(int)) == 1))
    assert counts[0] > 1.25 * counts[1] > 1.25 * counts[2]
    wide = adjusted(np.zeros((100, 52), np.float32), (100,), mood="surprised", mood_strength=1.0)
    eyes = sample_eyes(100, seed=3, take=0)
    seen = combine(ExpressionTrack(25, wide), eyes).coefficients
    shut = seen[:, 0] > 0.9
    assert shut.any()
    assert column(seen, "eyeWideLeft")[shut].max() < 0.1


def test_moods_survive_provenance_and_odd_ones_are_none():
    options = ExpressionOptions(mood="tired", moods=[Mood(1, 2, "happy", 0.3)], jaw=0.5)
    told = moods_of({"expression": options.changed()})
    assert (told.mood, told.moods, told.jaw) == ("tired", options.moods, 1.0)
    assert moods_of({"expression": {"mood": 3}}) == moods_of({}) == ExpressionOptions()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ExpressionOptions(mood="glad"), "'happy'"),
        (lambda: ExpressionOptions(mood_strength=1.1), "from 0 to 1"),
        (lambda: ExpressionOptions(moods=[{"start": 0, "end": 1}]), "name"),
        (lambda: Mood(2, 1, "sad"), "end after it starts"),
        (lambda: Mood(0, float("inf"), "sad"), "end"),
        (lambda: Mood(0, 1, "sad", 2), "strength"),
        (lambda: GRAMMARS["moods"].read("--moods", "0-2.5"), "must look like"),
        (lambda: GRAMMARS["moods"].read("--moods", "0 sad"), "4-6"),
    ],
)
def test_what_is_no_mood_is_one_sentence(make, words):
    with pytest.raises(InputError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_moods_are_written_in_one_line():
    grammar = GRAMMARS["moods"]
    texts = ("0-2.5 happy 0.6, 3-5 sad", "6-7 tired 1")
    assert grammar.gathered([grammar.read("--moods", text) for text in texts]) == [
        Mood(0, 2.5, "happy", 0.6), Mood(3, 5, "sad"), Mood(6, 7, "tired", 1.0)
    ]  # fmt: skip
