"""osmnet evaluate expression on a synthesised voice and a clip made of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests_support import write_wav
from typer.testing import CliRunner

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.cli.application import app
from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS, SAMPLE_RATE
from osmnet_sdk.errors import InputError, ModelError
from osmnet_sdk.face.networks import load_face_networks
from osmnet_sdk.research.evaluation.expression import evaluate as evaluation
from osmnet_sdk.research.evaluation.expression.hour import hour_figures, hour_rows
from osmnet_sdk.research.evaluation.expression.mouth_distance import distance_row, mouth_distance
from osmnet_sdk.tracks import MotionTrack, Take

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return load_audio(DATA / "speech_kal16.flac").samples


@pytest.fixture(scope="module")
def phones(speech, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("Laute é")
    write_wav(place / "kal.wav", speech, SAMPLE_RATE)
    shutil.copy(DATA / "speech_kal16.json", place / "kal.json")
    return place


@pytest.fixture(scope="module")
def clips(speech, osm, tmp_path_factory) -> Path:
    """Two clips in which the lips do what is predicted, one frame later."""
    place = tmp_path_factory.mktemp("takes")
    for index, part in enumerate((speech[: 5 * SAMPLE_RATE], speech[5 * SAMPLE_RATE :])):
        write_wav(place / f"c{index}.wav", part, SAMPLE_RATE)
        track = osm.predict_expression((part, SAMPLE_RATE))
        late = type(track)(FPS, np.roll(track.coefficients, 1, axis=0))
        still = np.zeros((len(track), 3))
        Take(MotionTrack(FPS, still, still), late, np.zeros(3), np.array([0.0, 0.0, -1.0])).save(
            place / f"c{index}.npz"
        )
    (place / "clips.csv").write_text("id,speaker\nc0,s0\nc1,s1\n", encoding="utf-8")
    return place


@pytest.fixture
def no_synthesiser(monkeypatch):
    def missing(language: str):
        raise ModelError("Training speech needs espeak-ng, which is not installed.")

    monkeypatch.setattr(evaluation, "spoken", missing)


def test_the_command_tells_every_figure(phones, clips, no_synthesiser) -> None:
    done = CliRunner().invoke(app, ["evaluate", "expression", str(phones), str(clips), "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    rows = {row["name"]: row for row in report["figures"]}
    found = {name: row["values"]["predicted"] for name, row in rows.items()}
    assert len(rows) == len(report["figures"]) >= 25
    assert found["P, B, M: closure"] >= 0.9
    assert found["P, B, M: closure, 40 dB softer"] >= found["P, B, M: closure"] - 0.1
    assert found["silence: deviation of the gap over that in speech"] == 0
    assert found["best lag of tracked lips, offset taken out"] == pytest.approx(40)
    assert found["lip gap: correlation with tracked, at each clip's best lag"] > 0.99
    assert sum("espeak-ng" in said for said in report["left_out"]) == 5
    assert [clip["name"] for clip in report["clips"]] == ["c0", "c1"]
    closed = 1 - found["P, B, M: closure"]
    labels = json.loads((phones / "kal.json").read_text(encoding="utf-8"))
    count = sum(p["ph"] in ("P", "B", "M") for word in labels for p in word["phones"])
    assert len(report["missed"]) == round(closed * count)


def test_one_recording_and_one_speaker(phones, clips, no_synthesiser) -> None:
    alone = evaluation.evaluate_expression([phones], device="cpu")
    assert "one only" in alone.left_out[0]
    told = any("Phones were left out" in said for said in alone.left_out)
    assert told != any(row.name.startswith("phones: ") for row in alone.figures)
    assert not alone.clips
    part = evaluation.evaluate_expression([clips], device="cpu", speakers=["s1"])
    assert [clip.name for clip in part.clips] == ["c1"]
    assert part.recordings == 0
    table = CliRunner().invoke(app, ["evaluate", "expression", str(clips), "--speaker", "s1"])
    assert "predicted (90 %)" in table.stdout
    assert "1 of 1" in table.stdout


def test_what_is_not_there_is_said(phones, clips, tmp_path, no_synthesiser) -> None:
    with pytest.raises(InputError, match="neither"):
        evaluation.evaluate_expression([tmp_path])
    with pytest.raises(InputError, match="speaker 's9'"):
        evaluation.evaluate_expression([clips], speakers=["s9"])
    with pytest.raises(InputError, match="no video 'c0'"):
        evaluation.evaluate_expression([clips], videos=tmp_path, device="cpu")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_synthesised_languages_are_measured_where_espeak_is(osm) -> None:
    said = evaluation.spoken("French")
    assert len(said) == 2
    for utterance, phones in said:
        assert sum(phone.symbol == "P" for phone in phones) >= 10
        assert len(phones) == len(utterance.phones)


def test_lips_are_laid_over_pictures(osm, astronaut) -> None:
    networks = load_face_networks(find_bundle(), "cpu")
    open_ = np.zeros((4, 52), np.float32)
    open_[:, ARKIT_NAMES.index("jawOpen")] = 0.8
    found = [
        mouth_distance("a", "s", [astronaut] * 3, track, networks, osm.face_model)
        for track in (np.zeros((4, 52), np.float32), open_)
    ]
    assert 0.2 < found[0].tracked < 3.5
    assert found[0].tracked == found[1].tracked
    assert found[0].tracked < found[0].predicted < found[0].alone < 10
    assert found[1].predicted != pytest.approx(found[0].predicted, abs=1)
    row = distance_row(found)
    assert row.value == pytest.approx((found[0].predicted + found[1].predicted) / 2)
    assert (row.clips, row.speakers) == (2, 1)


def test_an_hour_is_timed_in_a_process_of_its_own(speech) -> None:
    found = hour_figures(find_bundle().folder, [speech], seconds=90)
    assert min(found.minute, found.hour) > 0
    assert next(row.name for row in hour_rows(found)) == "60 s: work"
