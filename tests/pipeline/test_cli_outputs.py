"""The command line: what stands there is not replaced, takes and sounds are tied, checks first."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest
from PIL import Image
from tests_support import assert_refused, osmnet, write_wav

from osmnet_sdk.tracks import load_take


@pytest.fixture(scope="module")
def voices(voice, tmp_path_factory):
    """Two voices of one name and length, in two folders."""
    from osmnet_sdk.audio.load import load_audio

    samples = load_audio(voice).samples
    folders = [tmp_path_factory.mktemp(name) for name in ("scene1", "scene2")]
    parts = (samples[:12000], samples[40000:52000])
    return [
        write_wav(folder / "v.wav", part, 16000)
        for folder, part in zip(folders, parts, strict=True)
    ]


def warned(done):
    return [line for line in done.stderr.splitlines() if line.startswith("warning:")]


def test_the_second_voice_of_a_name_keeps_the_takes_of_the_first(voices, tmp_path):
    first, second = voices
    arguments = ("-o", tmp_path, "-n", "2", "--json")
    done = osmnet("sample", first, *arguments)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["v-take1.npz", "v-take2.npz"]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = osmnet("sample", second, *arguments)
    (said,) = warned(done)
    assert "another sound" in said
    takes = json.loads(done.stdout)["takes"]
    assert [str(tmp_path / f"v-2-take{number}.npz") for number in (1, 2)] == takes
    assert {path: path.read_bytes() for path in before} == before
    assert not warned(osmnet("sample", first, *arguments))  # its own are replaced by the same
    assert {path: path.read_bytes() for path in before} == before
    done = osmnet("sample", first, *arguments, "--seed", "1")
    assert json.loads(done.stdout)["takes"][0].endswith("v-3-take1.npz")
    done = osmnet("sample", second, *arguments, "--overwrite")
    assert json.loads(done.stdout)["takes"][0].endswith("v-take1.npz")
    assert not warned(done)


def test_talk_takes_all_that_is_asked_of_takes_and_films(photo, voices, tmp_path):
    first, second = voices
    shared = (
        "-o", tmp_path, "-n", "1", "--renderer", "warp", "--size", "64x64", "--no-label",
        "--json",
    )  # fmt: skip
    asked = (
        "--pin", "0.4: yaw=12", "--still", "0.5-0.6", "--limits", "roll=9", "--tempo", "1.2",
        "--smoothing", "0.05", "--basis", "3=1.5", "--start", "pitch=2", "--end", "roll=1",
        "--fps", "10", "--blinks", "0", "--brows", "0.5",
    )  # fmt: skip
    done = osmnet("talk", photo, first, *shared, *asked)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    take = load_take(result["takes"][0])
    np.testing.assert_allclose(take.motion.rotation[10, 1], 12, atol=1e-4)
    assert set(take.provenance.options["motion"]) == {
        "pins", "hold", "limits", "tempo", "smoothing", "basis", "start", "end",
        "blinks_per_minute", "brow_activity",
    }  # fmt: skip
    with av.open(result["videos"][0]) as container:
        assert container.streams.video[0].average_rate == 10
        assert sum(1 for _ in container.decode(video=0)) == 8
    with Image.open(result["sheet"]) as sheet:  # it shows faces, though none says so
        assert sheet.info["comment"].startswith("AI-generated")
        assert json.loads(sheet.info["comment"].partition(" ")[2])["audio"] == "v.wav"
        assert sheet.width > 8 * 64
    before = {path: path.read_bytes() for path in tmp_path.glob("v-*")}
    reference = ("--follow", result["takes"][0])
    result = json.loads(osmnet("talk", photo, second, *shared, *reference).stdout)
    assert {path: path.read_bytes() for path in before} == before
    assert {key: str(value) for key, value in result.items() if key == "sheet"} == {
        "sheet": str(tmp_path / "v-2-takes.png")
    }
    assert "follow" in load_take(result["takes"][0]).provenance.options["motion"]


def test_films_and_retakes_of_another_sound_warn(photo, voices, tmp_path):
    first, second = voices
    done = osmnet("sample", first, "-o", tmp_path, "-n", "1")
    take = tmp_path / "v-take1.npz"
    shared = ("--size", "32x32", "--renderer", "warp", "--fps", "5", "-o", tmp_path / "t.mp4")
    for sound, count in ((first, 0), (second, 1)):
        done = osmnet("render", photo, take, "--audio", sound, *shared, "--json")
        assert done.returncode == 0, done.stderr
        assert sum("another sound" in line for line in warned(done)) == count
        done = osmnet(
            "retake", take, sound, "--from", "0.2", "--to", "0.4", "-o", tmp_path / "r.npz"
        )
        assert done.returncode == 0, done.stderr
        assert sum("than '" in line for line in warned(done)) == count
    done = osmnet("render", photo, take, "--audio", first, "-o", tmp_path / "frames", *shared[:6])
    assert any("no sound" in line for line in warned(done))
    assert len(list((tmp_path / "frames").glob("*.png"))) == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ["talk", "PHOTO", "VOICE", "--size", "9000x9000"],
        ["talk", "PHOTO", "VOICE", "--fps", "0"],
        ["talk", "PHOTO", "VOICE", "--fps", "nan"],
        ["talk", "PHOTO", "VOICE", "--seed", "-1"],
        ["talk", "PHOTO", "VOICE", "--seed", str(2**70)],
        ["talk", "PHOTO", "VOICE", "-n", "0"],
        ["talk", "PHOTO", "VOICE", "-n", "1001"],
        ["talk", "PHOTO", "VOICE", "--face-index", "-1"],
        ["talk", "PHOTO", "VOICE", "--renderer", "oil"],
        ["talk", "PHOTO", "VOICE", "--renderer", "paper"],
        ["talk", "PHOTO", "VOICE", "--tempo", "inf"],
        ["talk", "PHOTO", "VOICE", "--expression", "jaw=9"],
        ["talk", "PHOTO", "VOICE", "--follow", "none.npz"],
        ["talk", "PHOTO", "VOICE", "--device", "abacus"],
        ["talk", "PHOTO", "VOICE", "--bundle", "none"],
        ["talk", "PHOTO", "VOICE", "-o", ""],
        ["talk", "PHOTO", "none.wav"],
        ["talk", "PHOTO", "."],
        ["talk", "none.png", "VOICE"],
        ["sample", "VOICE", "-o", ""],
        ["sample", "", "-o", "out"],
        ["express", "VOICE", "-o", "x.mp4"],
        ["express", "VOICE", "-o", ""],
        ["express", "VOICE", "--phones", "none.TextGrid"],
        ["talk", "PHOTO", "VOICE", "--phones", "PHOTO"],
        ["phones", "VOICE", "-o", "x.lab"],
        ["phones", "none.wav"],
        ["retake", "TAKE", "VOICE", "--from", "0", "--to", "1", "--take", "-1"],
        ["retake", "TAKE", "VOICE", "--from", "nan", "--to", "1"],
        ["retake", "TAKE", "VOICE", "--from", "1", "--to", "0.5"],
        ["retake", "TAKE", "VOICE", "--from", "0", "--to", "9"],
        ["retake", "TAKE", "VOICE", "--from", "0", "--to", "1", "-o", "x.txt"],
        ["render", "PHOTO", "TAKE", "--fps", "1e9"],
        ["render", "PHOTO", "TAKE", "--size", "1x1"],
        ["render", "PHOTO", "TAKE", "--renderer", "oil"],
        ["render", "PHOTO", "TAKE", "--audio", "none.wav"],
        ["render", "PHOTO", "TAKE", "--audio", "PHOTO"],
        ["render", "PHOTO", "TAKE", "-o", ""],
        ["render", "PHOTO", "none.npz"],
        ["track", "VIDEO", "-o", "x.mp4"],
        ["track", "VIDEO", "-o", ""],
        ["track", "none.mp4"],
        ["head", "PHOTO", "-o", "x.fbx"],
        ["head", "PHOTO", "-o", "none/x.glb"],
        ["convert", "TAKE", ""],
        ["convert", "TAKE", "x.bvh"],
        ["rotate", "PHOTO", "--yaw", "46"],
        ["rotate", "PHOTO", "--pitch", "nan"],
        ["rotate", "PHOTO", "-o", "none/x.png"],
        ["rotate", "PHOTO", "--renderer", "oil"],
        ["basis", "PHOTO", "-o", ""],
        ["basis", "PHOTO", "--face-index", "-2"],
        ["check", ""],
        ["sample", "VOICE", "--bogus"],
        ["sample", "VOICE", "VOICE"],
        ["sample", "VOICE", "-n", "many"],
        ["bogus"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_told_before_any_work(photo, voices, tmp_path, monkeypatch, arguments):
    from osmnet_sdk import client
    from osmnet_sdk.client import OSMNet

    def work(*_, **__):
        raise AssertionError("work began")

    take = tmp_path / "take.npz"
    Image.new("RGB", (8, 8)).save(tmp_path / "x.gif")
    _still_take(take)
    monkeypatch.chdir(tmp_path)
    for place, name in (
        (OSMNet, "fit_face"), (OSMNet, "track_video"), (OSMNet, "sample_takes"),
        (client, "load_audio"), (client, "load_picture"),
    ):  # fmt: skip
        monkeypatch.setattr(place, name, work)
    names = {"PHOTO": photo, "VOICE": voices[0], "TAKE": take, "VIDEO": voices[0]}
    before = sorted(tmp_path.iterdir())
    assert_refused(osmnet(*(names.get(word, word) for word in arguments)))
    assert sorted(tmp_path.iterdir()) == before


def _still_take(path):
    from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

    still = np.zeros((25, 3))
    Take(MotionTrack(25, still, still), ExpressionTrack(25, np.zeros((25, 52)))).save(path)


@pytest.mark.parametrize("option", ["--pin=9: yaw=3", "--still=8-9", "--basis=99=2"])
def test_options_that_do_not_fit_the_sound_are_told_before_the_fit(
    photo, voices, tmp_path, monkeypatch, option
):
    from osmnet_sdk.client import OSMNet

    monkeypatch.setattr(OSMNet, "fit_face", lambda *_, **__: 1 / 0)
    assert_refused(osmnet("talk", photo, voices[0], option, "-o", tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr("osmnet_sdk.motion.sampler.MotionSampler.features", lambda *_, **__: 1 / 0)
    assert_refused(osmnet("sample", voices[0], option, "-o", tmp_path / "out"))


def test_names_cannot_steer_the_terminal(voices, tmp_path):
    odd = tmp_path / "a\x1b[31m\u202eb\n[red]:smile:"
    odd.mkdir()
    done = osmnet("sample", odd / "x.wav")
    assert_refused(done, r"a\x1b[31m\u202eb", "[red]:smile:")
    done = osmnet("sample", voices[0], "-o", odd, "-n", "1")
    assert done.returncode == 0, done.stderr
    for text in (done.stdout, done.stderr):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert r"a\x1b[31m\u202eb\n[red]:smile:" in done.stdout
    assert len(done.stdout.splitlines()) == 2
    done = osmnet("sample", voices[0], "-o", odd, "-n", "1", "--json")
    assert json.loads(done.stdout)["takes"] == [str(odd / "v-take1.npz")]
    assert_refused(osmnet("sample", voices[0], "\x1b[31m"), r"\x1b[31m")


def test_the_help_begins_with_the_main_job():
    lines = osmnet("-h").stdout.partition("Commands")[2].splitlines()
    from typer.main import get_command

    from osmnet_sdk.cli.application import app

    commands = list(get_command(app).list_commands(None))
    assert commands[:8] == [
        "talk", "sample", "express", "render", "retake", "track", "check", "convert",
    ]  # fmt: skip
    places = [next(i for i, line in enumerate(lines) if f"│ {name} " in line) for name in commands]
    assert places == sorted(places)


def test_talk_has_every_option_of_sample():
    from typer.main import get_command

    from osmnet_sdk.cli.application import app

    commands = get_command(app).commands

    def options(name):
        return {tuple(one.opts): one.help for one in commands[name].params if one.name != "voice"}

    assert options("sample").items() <= options("talk").items()
    assert ("--fps",) in options("talk")
