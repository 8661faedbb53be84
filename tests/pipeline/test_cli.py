"""The command line: results, exit codes, one-line errors, nothing half-written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests_support import assert_refused, osmnet, osmnet_process, write_wav

from osmnet_sdk.tracks import load_take

STARTER = Path(__file__).parents[2] / "models" / "starter"


@pytest.fixture(scope="module")
def short_voice(voice, tmp_path_factory):
    from osmnet_sdk.audio.load import load_audio

    samples = load_audio(voice).samples[: 16000 * 2]
    return write_wav(tmp_path_factory.mktemp("voice") / "kurz.wav", samples, 16000)


def test_talk_makes_takes_videos_with_sound_and_pictures(photo, voice, tmp_path):
    from osmnet_sdk.audio.load import load_audio

    second = write_wav(tmp_path / "kurz.wav", load_audio(voice).samples[:16000], 16000)
    done = osmnet_process("talk", photo, second, "-o", tmp_path / "out", "-n", "2", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    first, second = (load_take(path) for path in result["takes"])
    assert len(first) == 25
    assert first.motion != second.motion
    assert first.provenance.audio == "kurz.wav"
    for path in result["videos"]:
        with av.open(path) as container:
            assert container.metadata["comment"].startswith("AI-generated")
            assert len(container.streams.audio) == 1
            assert sum(1 for _ in container.decode(video=0)) == 25
    for key in ("sheet", "curves"):
        with Image.open(result[key]) as picture:
            assert np.asarray(picture).std() > 10


def test_sample_express_render_and_info(photo, short_voice, tmp_path):
    done = osmnet("sample", short_voice, "-o", tmp_path, "-n", "3", "--seed", "5", "--json")
    takes = json.loads(done.stdout)["takes"]
    assert len(takes) == 3
    done = osmnet("express", short_voice, "-o", tmp_path / "e.npz", "--json")
    assert done.returncode == 0, done.stderr
    spoken = load_take(tmp_path / "e.npz")
    assert not spoken.motion.rotation.any()
    assert spoken.expression.coefficients.max() > 0.1
    frames = tmp_path / "frames"
    done = osmnet("render", photo, takes[0], "-o", frames, "--size", "96x64", "--fps", "5")
    assert done.returncode == 0, done.stderr
    assert len(list(frames.glob("*.png"))) == 10
    with Image.open(frames / "frame_000000.png") as picture:
        assert picture.size == (64, 96)
    done = osmnet("info", "--json")
    assert json.loads(done.stdout)["bundle"] == "starter"


def test_options_of_expression_reach_every_command_that_predicts_it(short_voice, tmp_path):
    wanted = "jaw=0 brows=0 gains.mouthFunnel=0.5, offsets.browInnerUp=0.3"
    done = osmnet("express", short_voice, "-o", tmp_path / "e.npz", "--expression", wanted)
    assert done.returncode == 0, done.stderr
    (tmp_path / "takes").mkdir()
    folder = tmp_path / "takes"
    done = osmnet("sample", short_voice, "-o", folder, "-n", "1", "--expression", wanted)
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "e.npz", next(folder.glob("*.npz"))):
        spoken = load_take(path).expression
        assert not spoken.column("jawOpen").any()
        np.testing.assert_allclose(spoken.column("browInnerUp"), 0.3, atol=1e-3)
    for text, words in (("jaw", "NAME=VALUE"), ("jaw=1 jaw=2", "once"), ("gains.jaw=1", "jawOpen")):
        assert_refused(osmnet("express", short_voice, "--expression", text), words)


def test_a_process_says_what_is_wrong_in_one_line(tmp_path):
    assert_refused(osmnet_process("convert", tmp_path / "täke.csv", tmp_path / "x.npz"), ".csv")


def test_head_exports_a_mesh(photo, tmp_path):
    done = osmnet("head", photo, "-o", tmp_path / "head.glb")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "head.glb").read_bytes()[:4] == b"glTF"


def test_track_reads_a_performance(osm, face, tmp_path):
    from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

    yaw = 8 * np.sin(np.linspace(0, 6.28, 20))
    rotation = np.stack([0 * yaw, yaw, 0 * yaw], axis=1)
    take = Take(
        MotionTrack(25, rotation, np.zeros((20, 3))), ExpressionTrack(25, np.zeros((20, 52)))
    )
    osm.render_video(face, take, tmp_path / "v.mp4", label=False)
    done = osmnet("track", tmp_path / "v.mp4", "-o", tmp_path / "t.npz", "--json")
    assert done.returncode == 0, done.stderr
    tracked = load_take(tmp_path / "t.npz")
    assert len(tracked) == 20
    told = {}
    osm.track_video(tmp_path / "v.mp4", progress=lambda stage, *count: told.update({stage: count}))
    assert told == {"Tracking": (20, 20), "Fitting": (20, 20)}
    assert np.corrcoef(tracked.motion.rotation[:, 1], yaw)[0, 1] > 0.95
    assert np.ptp(tracked.motion.rotation[:, 1]) == pytest.approx(16, abs=5)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.wav", b"", ["empty.wav"]),
        ("text.wav", b"this is no sound", ["text.wav"]),
        ("missing.wav", None, ["missing.wav"]),
    ],
)
def test_sound_that_is_none(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = osmnet("sample", tmp_path / name, "-o", tmp_path / "takes")
    assert_refused(done, *words)
    assert not (tmp_path / "takes").exists()


def test_what_talk_cannot_read_leaves_no_folder(photo, short_voice, tmp_path):
    Image.fromarray(np.full((300, 300, 3), 90, np.uint8)).save(tmp_path / "grey.png")
    for face, voice, words in (
        (tmp_path / "grey.png", short_voice, ["No face", "grey.png"]),
        (tmp_path / "none.png", short_voice, ["none.png"]),
        (photo, tmp_path / "none.wav", ["none.wav"]),
    ):
        assert_refused(osmnet("talk", face, voice, "-o", tmp_path / "out"), *words)
        assert not (tmp_path / "out").exists()
    done = osmnet("basis", tmp_path / "none.png", "-o", tmp_path / "out")
    assert_refused(done, "none.png")
    assert not (tmp_path / "out").exists()


def test_options_out_of_range(short_voice, tmp_path):
    assert_refused(osmnet("sample", short_voice, "-o", tmp_path, "--epsilon", "9"), "epsilon")
    assert_refused(osmnet("sample", short_voice, "-o", tmp_path, "-n", "0"), "takes")
    assert_refused(osmnet("sample", short_voice, "-o", tmp_path, "--seed", "-1"), "seed")
    assert_refused(osmnet("info", "--device", "abacus"), "abacus")
    assert osmnet("sample").returncode == 2


def test_outputs_that_cannot_be_written(photo, short_voice, tmp_path):
    osmnet("sample", short_voice, "-o", tmp_path, "-n", "1")
    take = next(tmp_path.glob("*.npz"))
    before = sorted(tmp_path.iterdir())
    done = osmnet("render", photo, take, "-o", tmp_path / "no" / "v.mp4")
    assert_refused(done, "v.mp4")
    done = osmnet("render", photo, take, "-o", tmp_path / "v.gif")
    assert_refused(done, ".gif")
    blocked = tmp_path / "file"
    blocked.write_text("x", encoding="utf-8")
    none = tmp_path / "none"  # so an output is tried before anything is looked at
    for arguments, word in (
        (["render", none, take, "-o", tmp_path / "no" / "v.mp4"], "v.mp4"),
        (["render", none, take, "-o", blocked], "file"),
        (["talk", none, short_voice, "-o", blocked], "file"),
        (["track", none, "-o", tmp_path / "no" / "t.npz"], "t.npz"),
        (["express", none, "-o", tmp_path / "no" / "e.npz"], "e.npz"),
        (["phones", none, "-o", tmp_path / "no" / "p.tsv"], "p.tsv"),
        (["sample", none, "-o", blocked], "file"),
    ):
        done = osmnet(*arguments)
        assert_refused(done, word, "Cannot write")
    blocked.unlink()
    assert sorted(tmp_path.iterdir()) == before


def test_bundles_that_are_wrong(short_voice, tmp_path):
    assert_refused(osmnet("info", "--bundle", tmp_path / "nothing"), "There is no bundle")
    broken = tmp_path / "broken"
    shutil.copytree(STARTER, broken)
    path = broken / "motion.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert_refused(osmnet("info", "--bundle", broken), "motion.safetensors")
    done = osmnet("sample", short_voice, "-o", tmp_path / "t", "--bundle", broken)
    assert_refused(done, "motion.safetensors")


def test_convert_goes_both_ways_by_suffix(tmp_path):
    from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

    random = np.random.default_rng(1)
    take = Take(
        MotionTrack(25, random.uniform(-9, 9, (30, 3)), np.zeros((30, 3))),
        ExpressionTrack(25, random.uniform(0, 1, (30, 52))),
    )
    source = take.save(tmp_path / "täke 1.npz")
    done = osmnet("convert", source, tmp_path / "take.csv", "--json")
    assert json.loads(done.stdout)["frames"] == 30, done.stderr
    done = osmnet("convert", tmp_path / "take.csv", tmp_path / "again.npz")
    assert done.returncode == 0, done.stderr
    again = load_take(tmp_path / "again.npz")
    np.testing.assert_allclose(
        again.expression.coefficients, take.expression.coefficients, atol=1e-4
    )
    assert_refused(osmnet("convert", source, tmp_path / "take.bvh"), "take.bvh", ".npz or .csv")
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    done = osmnet("convert", tmp_path / "bad.csv", tmp_path / "bad.npz")
    assert_refused(done, "bad.csv", "Timecode")
    assert not (tmp_path / "bad.npz").exists()


def test_takes_that_are_none(photo, tmp_path):
    (tmp_path / "x.npz").write_bytes(b"PK nothing")
    assert_refused(osmnet("render", photo, tmp_path / "x.npz"), "x.npz")
    assert_refused(osmnet("render", photo, tmp_path / "x.CSV"), "x.CSV", "osmnet convert")


def test_sample_and_retake_as_an_animator_asks(short_voice, tmp_path):
    done = osmnet(
        "sample", short_voice, "-o", tmp_path, "-n", "1", "--pin", "1.2: yaw=20 pitch=-5",
        "--pin", "0.2: x=0.01", "--still", "0.4-0.6", "--end", "roll=4", "--tempo", "1.2",
        "--smoothing", "0.05", "--basis", "12=2.0", "--limits", "roll=3, translation=0.02",
        "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = json.loads(done.stdout)["takes"]
    take = load_take(path)
    np.testing.assert_allclose(take.motion.rotation[30, :2], (-5, 20), atol=1e-4)
    np.testing.assert_allclose(take.motion.rotation[-1], (0, 0, 4), atol=1e-6)
    assert take.provenance.options["motion"]["basis"] == {"12": 2.0}
    assert take.provenance.options["motion"]["limits"] == {"roll": 3.0, "translation": 0.02}
    assert np.abs(take.motion.rotation[:, 2]).max() < 4.01  # 3 but for the end that is asked for
    done = osmnet(
        "retake", path, short_voice, "--from", "0.5", "--to", "1.0", "--follow", path,
        "--keep-eyes", "-o", tmp_path / "again.npz", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    again = load_take(tmp_path / "again.npz")
    assert json.loads(done.stdout)["seed"] == 1
    np.testing.assert_array_equal(again.motion.rotation[25:], take.motion.rotation[25:])
    assert again.motion != take.motion
    assert again.expression == take.expression


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pin", "yaw=30"], ["--pin", "3.2: yaw=30"]),
        (["--pin", "1: yaw=1000"], ["yaw = 1000°"]),
        (["--pin", "1: jaw=3"], ["jaw=3"]),
        (["--pin", "now: yaw=3"], ["--pin", "now"]),
        (["--pin", "9: yaw=3"], ["outside the sound"]),
        (["--pin", "1: yaw=3", "--pin", "1.01: yaw=4"], ["one frame"]),
        (["--still", "4"], ["--hold", "4-6"]),
        (["--still", "1-0.5"], ["end after it starts"]),
        (["--basis", "12"], ["--basis", "12=2.0"]),
        (["--basis", "99=2"], ["99", "1 to 48"]),
        (["--tempo", "3"], ["tempo", "0.5 to 2"]),
        (["--start", "yaw=x"], ["--start", "x"]),
        (["--limits", "x=0.1"], ["--limits", "pitch, yaw, roll, translation", "'x'"]),
        (["--limits", "yaw=0"], ["yaw", "0.1 to 80"]),
        (["--limits", "yaw"], ["--limits", "'yaw'"]),
        (["--limits", ""], ["--limits", "NAME=VALUE"]),
        (["--limits", " , "], ["--limits", "NAME=VALUE"]),
        (["--expression", ""], ["--expression", "NAME=VALUE"]),
        (["--end", ""], ["--end"]),
        (["--follow", "nothing.npz"], ["nothing.npz"]),
    ],
)
def test_what_cannot_be_asked_for(short_voice, tmp_path, arguments, words):
    done = osmnet("sample", short_voice, "-o", tmp_path, *arguments)
    assert_refused(done, *words)
    assert not list(tmp_path.glob("*.npz"))
