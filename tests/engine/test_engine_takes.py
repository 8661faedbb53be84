"""What the fake engine makes of voices: takes, retakes, phones; as a client sees it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from engine_client import numbers

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.engine import protocol
from osmnet_sdk.formats.phone_files import read_phones
from osmnet_sdk.tracks import load_take


def test_takes_depend_on_seed_and_number_alone(engine, folder, voice, photo):
    wanted = numbers((7, 2), (7, 3), (1, 0))
    done = engine.result(
        "sample_takes", audio=str(voice), folder=str(folder), takes=wanted, photo=photo,
        motion={"intensity": 0.5},
    )  # fmt: skip
    names = [Path(path).name for path in done["takes"]]
    assert names == ["take_7_2.npz", "take_7_3.npz", "take_1_0.npz"]
    takes = [load_take(path) for path in done["takes"]]
    assert takes[0].motion != takes[1].motion
    assert takes[0].expression == takes[2].expression
    assert not takes[0].motion.rotation[0].any()
    assert takes[1].provenance.take == 3
    assert takes[1].provenance.options["motion"] == {"intensity": 0.5}
    again = engine.result(
        "sample_takes", audio=str(voice), folder=str(folder / "b"), takes=numbers((7, 3)),
        motion={"intensity": 0.5},
    )  # fmt: skip
    assert load_take(again["takes"][0]) == takes[1]


def test_a_retake_changes_its_range_alone(engine, folder, voice):
    (source,) = engine.result(
        "sample_takes", audio=str(voice), folder=str(folder), takes=numbers((4, 0))
    )["takes"]
    wanted = {"source": source, "output": str(folder / "other.npz"), "audio": str(voice)}
    done = engine.result("retake", **wanted, start=1.0, end=2.0)
    assert done == {"output": wanted["output"], "seed": 5}
    old, new = load_take(source), load_take(done["output"])
    changed = (old.motion.rotation != new.motion.rotation).any(axis=1)
    assert np.flatnonzero(changed)[[0, -1]].tolist() == [25, 49]
    assert new.provenance.options["retakes"][-1]["start"] == 1.0
    error = engine.error("retake", **wanted, start=2.0, end=1.0)
    assert "ends after it starts" in error["message"]
    error = engine.error("retake", **wanted | {"output": "x.bvh"}, start=1.0, end=2.0)
    assert ".npz or .csv" in error["message"]


def test_takes_go_around_what_they_follow(engine, folder, voice):
    params = {"audio": str(voice), "takes": numbers((4, 0))}
    (one,) = engine.result("sample_takes", **params, folder=str(folder))["takes"]
    (two,) = engine.result(
        "sample_takes", **params, folder=str(folder / "b"), follow=one, motion={"epsilon": 0.0}
    )["takes"]
    turned = load_take(two).motion.rotation
    assert np.abs(turned - load_take(one).motion.rotation).max() < 2
    assert np.ptp(turned) > 2
    error = engine.error("sample_takes", **params, folder=str(folder), follow="/none/a.npz")
    assert "a.npz" in error["message"]


def test_takes_are_converted_both_ways(engine, folder, voice):
    (source,) = engine.result(
        "sample_takes", audio=str(voice), folder=str(folder), takes=numbers((0, 0))
    )["takes"]
    table, again = str(folder / "täke.csv"), str(folder / "again.npz")
    done = engine.result("convert_take", source=source, output=table)
    assert done["output"] == table
    assert done["fps"] == "25/1"
    assert engine.result("convert_take", source=table, output=again)["frames"] == done["frames"]
    first, last = load_take(source), load_take(again)
    np.testing.assert_allclose(
        first.expression.coefficients, last.expression.coefficients, atol=1e-4
    )
    error = engine.error("convert_take", source=source, output=str(folder / "take.bvh"))
    assert ".npz or .csv" in error["message"]
    shutil.copy(source, folder / "take.fbx")
    error = engine.error("convert_take", source=str(folder / "take.fbx"), output=table)
    assert ".npz or .csv" in error["message"]


@pytest.mark.parametrize("suffix", [".TextGrid", ".json", ".tsv", ".srt"])
def test_phones_are_written_as_the_suffix_says(engine, folder, voice, suffix):
    output = str(folder / f"phönes{suffix}")
    done = engine.result("predict_phones", audio=str(voice), output=output)
    assert done["output"] == output
    assert done["seconds"] == pytest.approx(load_audio(voice).seconds)
    assert done["count"] == int(done["seconds"])
    if suffix != ".srt":
        said = [phone for phone in read_phones(output) if phone.phone == "bilabial"]
        assert [round(phone.start, 2) for phone in said] == [k + 0.5 for k in range(done["count"])]
        engine.result(
            "sample_takes", audio=str(voice), folder=str(folder), takes=numbers((0, 0)),
            phones=output,
        )  # fmt: skip


def test_phones_that_cannot_be_written_or_read_are_told(engine, folder, voice):
    error = engine.error("predict_phones", audio=str(voice), output=str(folder / "x.lab"))
    assert ".TextGrid, .json, .tsv or .srt" in error["message"]
    assert engine.error("predict_phones", audio=str(voice))["code"] == protocol.INVALID_PARAMS
    (folder / "words.txt").write_text("hello", encoding="utf-8")
    error = engine.error(
        "sample_takes", audio=str(voice), folder=str(folder), takes=numbers((0, 0)),
        phones=str(folder / "words.txt"),
    )  # fmt: skip
    assert "words.txt" in error["message"]
    assert error["data"]["kind"] == "TrackError"
