"""Phones that are given decide the lips: when they close, and nothing of the rest of the face."""

from __future__ import annotations

import numpy as np
import pytest
from expression_support import SMALL, small_encoder, small_extractor, voice

import osmnet_sdk as sdk
from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES, SAMPLE_RATE
from osmnet_sdk.core.phones import PHONE_CLASSES, Phone, PhoneTrack
from osmnet_sdk.expression.network import ExtractorConfig
from osmnet_sdk.expression.predict import ExpressionPredictor
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.options import ExpressionOptions

MODEL = load_face_model(find_bundle())
SPEECH = ExtractorConfig(features="speech", speech=16, layers=1, ahead=0, width=16, hidden=16)
OTHERS = [
    index for index, name in enumerate(ARKIT_NAMES)
    if name.startswith(("brow", "cheek", "eye", "nose"))
]  # fmt: skip


@pytest.fixture(scope="module", params=["mel", "speech"])
def predictor(request):
    if request.param == "mel":
        return ExpressionPredictor(small_extractor(SMALL))
    return ExpressionPredictor(small_extractor(SPEECH), small_encoder())


def said(p_start=1.0, seconds=3.0):
    """A vowel with a P of 0.1 s in its middle."""
    return PhoneTrack(
        (
            Phone(0.4, p_start, "a"), Phone(p_start, p_start + 0.1, "bilabial"),
            Phone(p_start + 0.1, 2.6, "a"),
        ),
        seconds,
    )  # fmt: skip


SOUND = (voice(3.0), SAMPLE_RATE)


def gap(predictor, phones, **options):
    track = predictor.predict(SOUND, options=ExpressionOptions(**options), phones=phones)
    return MODEL.lip_gap(track.coefficients)


def closed_at(gaps):
    """Seconds of the middle of the frames in which the lips touch between open ones."""
    inner = np.arange(15, 62)
    shut = inner[gaps[inner] < 0.01]
    assert len(shut), "no closure"
    return shut.mean() / 25


def test_lips_meet_at_the_p_that_was_given(predictor):
    gaps = gap(predictor, said())
    assert gaps[25:28].min() == 0.0  # 1.0 to 1.1 s
    assert gaps[14:22].min() > 0.15
    assert gaps[32:60].min() > 0.15
    assert gaps[:6].max() < 0.01
    assert gaps[-4:].max() < 0.01


@pytest.mark.parametrize("shift", [-0.4, -0.2, 0.12, 0.4, 0.8])
def test_a_p_that_moves_moves_the_closure_by_as_much(predictor, shift):
    before, after = (closed_at(gap(predictor, said(1.0 + by))) for by in (0.0, shift))
    assert after - before == pytest.approx(shift, abs=0.025)


def test_a_lag_moves_it_too(predictor):
    still = closed_at(gap(predictor, said()))
    for lag in (-120, 120):
        moved = closed_at(gap(predictor, said(), lag_ms=lag))
        assert moved - still == pytest.approx(lag / 1000, abs=0.025)


def test_brows_and_eyes_are_those_of_the_sound(predictor):
    alone = predictor.predict(SOUND).coefficients
    given = predictor.predict(SOUND, phones=said()).coefficients
    assert np.array_equal(alone[:, OTHERS], given[:, OTHERS])
    assert not np.allclose(alone, given)


def test_options_still_act(predictor):
    wide, narrow = (gap(predictor, said(), jaw=jaw) for jaw in (1.0, 0.6))
    assert narrow[16] < wide[16] - 0.02
    assert narrow[25:28].min() == 0.0


def test_silence_in_the_phones_keeps_the_mouth_shut_in_the_middle_of_sound(predictor):
    assert gap(predictor, PhoneTrack((), 3.0)).max() < 0.01


def test_a_vowel_that_is_held_stays_open_from_its_beginning_to_its_end(predictor):
    held = PhoneTrack((Phone(0.2, 0.3, "bilabial"), Phone(0.3, 2.8, "a")), 3.0)
    gaps = gap(predictor, held)
    assert gaps[11:68].min() > 0.2
    assert np.abs(np.diff(gaps[14:64])).max() < 0.02


def test_louder_vowels_open_wider(predictor):
    sound = np.random.default_rng(0).standard_normal(48000).astype(np.float32) * 0.01
    sound[16000:32000] *= 10
    vowels = PhoneTrack(tuple(Phone(k, k + 0.98, "ah") for k in (0.0, 1.0, 2.0)), 3.0)
    track = predictor.predict((sound, SAMPLE_RATE), phones=vowels)
    gaps = MODEL.lip_gap(track.coefficients)
    assert gaps[37] > gaps[12] * 1.1
    assert gaps[37] > gaps[62] * 1.1


def test_every_class_can_be_said(predictor):
    phones = PhoneTrack(
        tuple(Phone(0.09 * k, 0.09 * (k + 1), name) for k, name in enumerate(PHONE_CLASSES)), 3.0
    )
    values = predictor.predict(SOUND, phones=phones).coefficients
    assert values.min() >= 0
    assert values.max() <= 1


def test_an_hour_of_phones_takes_memory_by_blocks():
    """Cost grows with frames times phones of a block, not of all."""
    import tracemalloc

    from osmnet_sdk.audio.load import load_audio
    from osmnet_sdk.expression.given_phones import lips_of
    from osmnet_sdk.expression.lips import LipGeometry

    seconds = 300
    recording = load_audio((np.zeros(seconds * SAMPLE_RATE, np.float32), SAMPLE_RATE))
    _ = recording.analysis.heard
    phones = PhoneTrack(
        tuple(Phone(0.1 * k, 0.1 * (k + 1), "a" if k % 2 else "bilabial")
              for k in range(seconds * 10)), float(seconds) + 0.5,
    )  # fmt: skip
    tracemalloc.start()
    lips = lips_of(phones, recording, LipGeometry.from_model(MODEL))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lips.shape == (seconds * 25, 52)
    assert peak < 40e6  # all at once would take 60 000 × 3000 × 8 bytes, 1.4 GB, several times


def test_the_package_takes_phones_by_file_and_says_so(osm, tmp_path):
    path = sdk.write_phones(said(), tmp_path / "x.TextGrid")
    track = osm.predict_expression(SOUND, phones=path)
    assert closed_at(MODEL.lip_gap(track.coefficients)) == pytest.approx(1.05, abs=0.04)
    assert track.provenance.options["phones"]["count"] == 5  # with silence before and after
    (take,) = osm.sample_takes(SOUND, phones=path, blinks_per_minute=0.0)
    mouth = [i for i, name in enumerate(ARKIT_NAMES) if name.startswith(("jaw", "mouthClose"))]
    assert np.array_equal(take.expression.coefficients[:, mouth], track.coefficients[:, mouth])
    assert take.provenance.options["phones"] == track.provenance.options["phones"]
    assert sdk.load_take(take.save(tmp_path / "take.npz")).provenance == take.provenance
    assert osm.retake(take, SOUND, 0.5, 1.5) is not None
    with pytest.raises(sdk.TrackError, match=r"none\.tsv"):
        osm.predict_expression("no such sound.wav", phones=tmp_path / "none.tsv")


def test_phones_of_another_recording_are_told(osm):
    late = PhoneTrack((Phone(8.0, 9.0, "a"),), 9.0)
    with pytest.warns(sdk.OSMNetWarning, match=r"go on to 9.00 s and the sound ends at 3.00 s"):
        osm.predict_expression(SOUND, phones=late)


def test_phones_are_heard_by_a_network_of_speech(osm, monkeypatch):
    """An untrained one: intervals fill the whole sound, in classes that there are."""
    own = sdk.OSMNet(device="cpu")
    network = small_extractor(SPEECH)
    monkeypatch.setitem(own._parts, "predictor", ExpressionPredictor(network, small_encoder()))
    seen = []
    track = own.predict_phones(SOUND, progress=lambda *step: seen.append(step[0]))
    assert track.seconds == 3.0
    assert track.phones[0].start == 0.0
    assert track.phones[-1].end == 3.0
    assert track.contiguous() == track.phones
    assert track.provenance.source == "predicted"
    assert "Listening" in seen
    with pytest.raises(sdk.Cancelled):
        own.predict_phones(SOUND, cancel=lambda: True)


def test_mel_windows_tell_no_phones():
    own = sdk.OSMNet(device="cpu", audio_features="mel")
    with pytest.raises(sdk.ModelError, match="audio_features at 'speech'"):
        own.predict_phones(SOUND)


def test_the_shipped_network_hears_the_closures_of_a_voice_that_it_never_heard(osm):
    """Of flite's kal16, whose times of P, B and M are those that flite reports."""
    from pathlib import Path

    from osmnet_sdk.research.evaluation.expression.lips import load_phones

    data = Path(__file__).parents[1] / "data"
    labels = [p for p in load_phones(data / "speech_kal16.json") if p.symbol in ("P", "B", "M")]
    heard = osm.predict_phones(data / "speech_kal16.flac")
    closures = [phone for phone in heard if phone.phone == "bilabial"]
    found = [any(c.start < p.end + 0.02 and c.end > p.start - 0.02 for c in closures)
             for p in labels]  # fmt: skip
    assert np.mean(found) >= 0.8
    assert len(closures) <= 1.5 * len(labels)
