"""osmnet phones, and --phones."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests_support import assert_refused, osmnet, write_wav

import osmnet_sdk as sdk
from osmnet_sdk.core.phones import Phone, PhoneTrack


@pytest.fixture(scope="module")
def short_voice(voice, tmp_path_factory):
    samples = sdk.load_audio(voice).samples[: 16000 * 2]
    return write_wav(tmp_path_factory.mktemp("voice") / "v.wav", samples, 16000)


@pytest.fixture
def heard(monkeypatch):
    """What the network hears, in place of a network that the bundle may not have."""
    said = PhoneTrack(
        (Phone(0.0, 0.5, "silence", 0.9), Phone(0.5, 0.6, "bilabial", 0.8), Phone(0.6, 1.4, "a")),
        2.0, sdk.Provenance(source="predicted", audio="v.wav", audio_sha256="ab"),
    )  # fmt: skip
    monkeypatch.setattr(sdk.OSMNet, "predict_phones", lambda self, audio, progress: said)
    return said


@pytest.mark.parametrize("suffix", [".TextGrid", ".json", ".tsv", ".srt"])
def test_phones_go_into_a_file(heard, short_voice, tmp_path, suffix):
    path = tmp_path / f"said{suffix}"
    done = osmnet("phones", short_voice, "-o", path, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "phones": str(path), "seconds": 2.0, "count": 2,
        "classes": {"silence": 1, "bilabial": 1, "a": 1},
    }  # fmt: skip
    assert path.stat().st_size > 0
    if suffix == ".json":
        assert PhoneTrack.load(path) == heard


def test_a_file_of_something_else_is_kept(heard, short_voice, tmp_path):
    path = tmp_path / "said.TextGrid"
    path.write_text("by hand", encoding="utf-8")
    done = osmnet("phones", short_voice, "-o", path, "--json")
    assert json.loads(done.stdout)["phones"] == str(tmp_path / "said-2.TextGrid")
    assert path.read_text(encoding="utf-8") == "by hand"
    again = osmnet("phones", short_voice, "-o", tmp_path / "said-2.TextGrid", "--json")
    assert json.loads(again.stdout)["phones"] == str(tmp_path / "said-2.TextGrid")
    over = osmnet("phones", short_voice, "-o", path, "--overwrite", "--json")
    assert json.loads(over.stdout)["phones"] == str(path)


def test_given_phones_decide_the_lips(short_voice, tmp_path):
    vowels = Phone(0.2, 1.0, "a"), Phone(1.12, 1.8, "a")
    said = PhoneTrack((vowels[0], Phone(1.0, 1.12, "bilabial"), vowels[1]), 2)
    path = sdk.write_phones(said, tmp_path / "said.TextGrid")
    done = osmnet("express", short_voice, "--phones", path, "-o", tmp_path / "e.npz", "--json")
    assert done.returncode == 0, done.stderr
    gap = sdk.lip_gap(sdk.load_take(tmp_path / "e.npz").expression)
    assert gap[26] < 0.01
    assert gap[[12, 20, 34, 40]].min() > 0.1
    folder = tmp_path / "takes"
    done = osmnet("sample", short_voice, "--phones", path, "-o", folder, "-n", "1", "--json")
    (take,) = json.loads(done.stdout)["takes"]
    np.testing.assert_array_equal(
        sdk.load_take(take).expression.column("mouthClose"),
        sdk.load_take(tmp_path / "e.npz").expression.column("mouthClose"),
    )


def test_broken_phones_are_told_before_any_work(short_voice, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("what was said", encoding="utf-8")
    assert_refused(osmnet("express", short_voice, "--phones", path), "words.txt", "line 1")
    assert_refused(osmnet("express", short_voice, "--phones", tmp_path / "no"), "Cannot read")
