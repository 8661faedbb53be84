"""Every method of the fake engine, as a client sees it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from engine_client import FAKE, PATIENCE, Engine, numbers
from PIL import Image
from tests_support import write_wav

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.engine import protocol
from osmnet_sdk.options import SampleOptions


def test_hello_and_check_say_who_is_there(engine):
    hello = engine.result("hello", protocol=protocol.PROTOCOL)
    assert hello["pid"] == engine.process.pid
    check = engine.result("check", device="cpu")
    assert check["version"] == hello["version"]
    assert (check["renderer"], check["renderers"]) == ("warp", {"warp": 0, "paper": 2})
    assert len(check["bundle_sha256"]) == 64


def test_the_schemas_of_options_are_those_of_their_classes(engine):
    schemas = engine.result("options")
    assert schemas["motion"] == json.loads(json.dumps(SampleOptions.model_json_schema()))
    assert schemas["expression"]["properties"]["lag_ms"] == {
        "default": 0.0, "description": "Time by which the curves come after the sound; below 0 "
        "they lead", "maximum": 200.0, "minimum": -200.0, "panel": "Lag", "title": "Lag Ms",
        "type": "number", "unit": "ms",
    }  # fmt: skip


@pytest.mark.parametrize(("theirs", "words"), [(0, "the extension"), (99, "the engine")])
def test_another_protocol_says_which_side_to_update(engine, theirs, words):
    error = engine.error("hello", protocol=theirs)
    assert error["code"] == protocol.FAILED
    assert f"update {words}" in error["message"]


def test_fit_head_writes_a_head_that_numpy_alone_reads(engine, folder, photo):
    paths = engine.result("fit_head", photo=photo, folder=str(folder / "new" / "head"))
    with np.load(paths["head"], allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    meta = json.loads(str(arrays.pop("meta")))
    count, triangles = len(arrays["vertices"]), arrays["triangles"]
    assert {name: (array.shape, array.dtype.str[1:]) for name, array in arrays.items()} == {
        "vertices": ((count, 3), "f4"),
        "shapes": ((52, count, 3), "f4"),
        "triangles": ((len(triangles), 3), "i4"),
        "parts": ((len(triangles),), "i4"),
        "uv": ((count, 2), "f4"),
        "rest_expression": ((52,), "f4"),
    }
    assert 0 <= triangles.min() <= triangles.max() == count - 1
    assert set(arrays["parts"]) == set(range(len(meta["parts"])))
    assert 0 <= arrays["uv"].min() <= arrays["uv"].max() <= 1
    assert np.abs(arrays["shapes"]).max(axis=(1, 2)).min() > 0
    assert (meta["schema"], meta["names"]) == (protocol.HEAD_SCHEMA, list(ARKIT_NAMES))
    assert meta["photo_size"] == [512, 512]
    with Image.open(paths["portrait"]) as portrait, Image.open(photo) as original:
        np.testing.assert_array_equal(np.asarray(portrait), np.asarray(original))
    with Image.open(paths["still"]) as still:
        assert still.text["comment"].startswith("AI-generated")
        assert list(still.size[::-1]) == meta["crop"]


def test_triangles_are_seen_from_outside():
    from fake_engine import _MIDDLE, _ellipsoid

    vertices, triangles, _ = _ellipsoid()
    corners = vertices[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outward = (normals * (corners.mean(1) - _MIDDLE)).sum(1)
    assert (outward > -1e-9).all()
    assert (outward > 1e-9).mean() > 0.8  # those at the poles have no area


def test_frames_follow_their_values(engine, folder, photo, tracks):
    wanted = {"photo": photo, "folder": str(folder / "frames")}
    done = engine.result(
        "render_frames", tracks=tracks(["a", "b-2", "C_3"], meta=np.array('{"seed": 3}')),
        size=[120, 96], **wanted,
    )  # fmt: skip
    assert done == {"frames": 3}
    assert [frame["index"] for frame in engine.notified("frame")] == [0, 1, 2]
    assert engine.notified("progress")[-1]["done"] == 3
    pictures = []
    for name in ("a", "b-2", "C_3"):
        with Image.open(folder / "frames" / f"{name}.png") as picture:
            assert picture.size == (96, 120)
            assert picture.text["comment"] == 'AI-generated. {"seed": 3}'
            pictures.append(np.asarray(picture).astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() > 50
    values = np.zeros((3, 52))
    values[0, 5] = 0.5
    engine.result("render_frames", tracks=tracks(["x", "y", "z"], coefficients=values), **wanted)
    assert len(list((folder / "frames").iterdir())) == 6


def test_frames_of_a_take_of_another_sound_warn(engine, folder, photo, tracks, tmp_path):
    time = np.arange(16000) / 16000
    sounds = [
        write_wav(tmp_path / f"{tone}.wav", 0.1 * np.sin(tone * time), 16000)
        for tone in (900, 1300)
    ]
    made_by = {"audio": "900.wav", "audio_sha256": load_audio(sounds[0]).sha256}
    wanted = {"photo": str(photo), "folder": str(folder / "frames")}
    wanted["tracks"] = tracks(["a"], meta=np.array(json.dumps(made_by)))
    engine.result("render_frames", audio=str(sounds[0]), **wanted)
    assert not engine.notified("warning")
    engine.result("render_frames", audio=str(sounds[1]), **wanted)
    (warning,) = engine.notified("warning")
    assert "another sound ('900.wav')" in warning["message"]
    assert "1300.wav" in warning["message"]


def test_some_frames_of_a_whole_track_see_their_neighbours(engine, folder, photo, tracks):
    def drawn(name, keys, **options):
        changes = {key: options.pop(key) for key in list(options) if key != "renderer"}
        engine.result(
            "render_frames", photo=photo, tracks=tracks(keys, **changes),
            folder=str(folder / name), **options,
        )  # fmt: skip
        return [np.asarray(Image.open(folder / name / f"{key}.png")) for key in keys]

    names = [f"f{number}" for number in range(9)]
    yaw = {"rotation": np.stack([np.zeros(9), np.arange(9.0) ** 2, np.zeros(9)], 1)}
    rows = {"translation": np.zeros((9, 3)), "coefficients": np.zeros((9, 52)), **yaw}
    chosen = {"frames": np.array([7, 3]), **rows}
    for renderer in ("auto", "paper"):
        whole = drawn(renderer, names, renderer=renderer, **rows)
        some = drawn(f"{renderer} 2", ["x", "y"], renderer=renderer, **chosen)
        assert np.array_equal(some[0], whole[7])
        assert np.array_equal(some[1], whole[3])
    plain = drawn("plain", ["z"], frames=np.array([3]), **rows)[0]
    assert not np.array_equal(some[1], plain)


def test_a_renderer_without_weights_is_one_sentence(engine, folder, photo, tracks):
    error = engine.error(
        "render_frames", photo=photo, tracks=tracks(["a"]), folder=str(folder), renderer="guided"
    )
    assert error["data"]["kind"] == "ModelError"
    assert "'guided'" in error["message"]


@pytest.mark.parametrize(
    ("keys", "changes", "words"),
    [
        (["../a"], {}, "letters"),
        (["a" * 101], {}, "letters"),
        ([""], {}, "letters"),
        (["a", "A"], {}, "the same"),
        (["a", "b"], {"coefficients": np.zeros((1, 52))}, "same number of rows"),
        (["a"], {"keys": np.array([1])}, "no text"),
        (["a", "b"], {"frames": np.array([0])}, "same number of frames"),
        (["a", "b"], {"frames": np.array([0.0, 1.0])}, "whole numbers"),
        (["a", "b"], {"frames": np.array([[0], [1]])}, "must have shape"),
        (["a", "b"], {"frames": np.array([0, 2])}, "names frame 2"),
        (["a", "b"], {"frames": np.array([0, -1])}, "names frame -1"),
        (["a"], {"rotation": None}, "has no 'rotation'"),
        (["a"], {"coefficients": np.full((1, 52), 2.0)}, "between 0 and 1"),
        (["a"], {"meta": np.array("no json")}, "JSON"),
    ],
)
def test_tracks_that_make_no_sense_are_one_sentence(
    engine, photo, folder, tracks, keys, changes, words
):
    error = engine.error(
        "render_frames", photo=photo, tracks=tracks(keys, **changes), folder=str(folder / "f")
    )
    assert error["code"] == protocol.FAILED
    assert error["data"]["kind"] == "TrackError"
    assert words in error["message"]
    assert not (folder / "f").exists()


def test_cancel_is_seen_while_frames_are_rendered(photo, folder, tracks):
    with Engine(FAKE, OSMNET_FAKE_FRAME_SECONDS="30") as engine:
        keys = [f"k{index}" for index in range(50)]
        number = engine.send(
            "render_frames", photo=photo, tracks=tracks(keys), folder=str(folder / "f")
        )
        engine.until(method="progress")
        engine.cancel(number)
        error = engine.until(number=number)["error"]
        assert (error["code"], error["data"]["kind"]) == (protocol.CANCELLED, "Cancelled")
        assert engine.result("hello", protocol=protocol.PROTOCOL)


def test_a_killed_engine_leaves_complete_frames_alone(photo, folder, tracks):
    with Engine(FAKE, OSMNET_FAKE_FRAME_SECONDS="0.02") as engine:
        keys = [f"k{index}" for index in range(2000)]
        engine.send(
            "render_frames", photo=photo, tracks=tracks(keys), folder=str(folder), size=[900, 900]
        )
        for _ in range(5):
            engine.until(method="frame")
        engine.process.kill()
        engine.process.wait(PATIENCE)
        engine._threads[0].join(PATIENCE)
    done = list(folder.glob("k*.png"))
    assert len(done) >= 5
    for path in done:
        with Image.open(path) as picture:
            picture.load()


def test_the_end_of_the_input_leaves_no_temporary_file(photo, folder, tracks):
    with Engine(FAKE, OSMNET_FAKE_FRAME_SECONDS="0.01") as engine:
        target = folder / "frames"
        keys = [f"k{index}" for index in range(2000)]
        engine.send("render_frames", photo=photo, tracks=tracks(keys), folder=str(target))
        engine.until(method="frame")
        engine.process.stdin.close()
        assert engine.process.wait(PATIENCE) == 0
    assert all(path.name.startswith("k") for path in target.iterdir())


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("fit_head", {"folder": "x"}, "needs the parameter 'photo'"),
        ("fit_head", {"photo": "a", "folder": "x", "colour": 1}, "no parameter 'colour'"),
        ("fit_head", {"photo": 3, "folder": "x"}, "'photo'"),
        ("fit_head", {"photo": "a\0b", "folder": "x"}, "'photo'"),
        ("fit_head", {"photo": "a", "folder": "x", "face_index": -1}, "'face_index'"),
        ("sample_takes", {"audio": "a", "folder": "x", "takes": []}, "'takes'"),
        (
            "sample_takes",
            {"audio": "a", "folder": "x", "takes": [{"seed": "1", "take": 0}]},
            "'takes.0.seed'",
        ),
        ("render_frames", {"photo": "a", "tracks": "t", "folder": "x", "size": "big"}, "'size"),
        ("render_frames", {"photo": "a", "tracks": "t", "folder": "x", "size": [1]}, "'size"),
        ("render_frames", {"photo": "a", "tracks": "t", "folder": "x", "label": 1}, "'label'"),
        (
            "render_frames",
            {"photo": "a", "tracks": "t", "folder": "x", "renderer": "oil"},
            "'renderer'",
        ),
        ("check", {"device": 1}, "'device'"),
        ("hello", {}, "'protocol'"),
    ],
)
def test_wrong_parameters_are_named(engine, method, params, words):
    error = engine.error(method, **params)
    assert error["code"] == protocol.INVALID_PARAMS
    assert words in error["message"]


def test_missing_and_unreadable_files_are_named(engine, folder, voice, photo, tracks):
    def kind(method, *words, **params):
        error = engine.error(method, **params)
        assert error["code"] == protocol.FAILED
        for word in words:
            assert word in error["message"]
        return error["data"]["kind"]

    nothing, text = str(folder / "none"), folder / "text.png"
    text.write_text("no picture", encoding="utf-8")
    here = {"folder": str(folder / "out")}
    takes = numbers((0, 0))
    assert kind("sample_takes", "none", audio=nothing, takes=takes, **here) == "AudioError"
    assert kind("fit_head", "none", photo=nothing, **here) == "PhotoError"
    assert kind("fit_head", "text.png", photo=str(text), **here) == "PhotoError"
    assert kind("fit_head", "face_index 3", photo=photo, face_index=3, **here) == "InputError"
    assert kind("render_frames", "none", photo=photo, tracks=nothing, **here) == "TrackError"
    assert kind("render_frames", "text.png", photo=photo, tracks=str(text), **here) == "TrackError"
    options = {"audio": str(voice), "takes": takes, **here}
    assert kind("sample_takes", "epsilon", motion={"epsilon": 99}, **options) == "InputError"
    assert kind("sample_takes", "colour", expression={"colour": 1}, **options) == "InputError"


def test_a_folder_that_is_a_file_is_one_sentence(engine, folder, voice, photo, tracks):
    (folder / "file").touch()
    for below in ("file", "file/below"):
        out = str(folder / below)
        for method, params in (
            ("fit_head", {"photo": photo}),
            ("sample_takes", {"audio": str(voice), "takes": numbers((0, 0))}),
            ("render_frames", {"photo": photo, "tracks": tracks(["a"])}),
        ):
            error = engine.error(method, folder=out, **params)
            assert (error["code"], error["data"]["kind"]) == (protocol.FAILED, "OutputError")
    assert (folder / "file").stat().st_size == 0


FULL_DISK = f"""
import errno, os, pathlib, runpy
def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")
pathlib.Path.replace = full
runpy.run_path({FAKE!r}, run_name="__main__")
"""


def test_a_full_disk_is_one_sentence_and_leaves_nothing(photo, folder, tracks, voice):
    with Engine("-c", FULL_DISK) as engine:
        out = folder / "out"
        for method, params in (
            ("fit_head", {"photo": photo}),
            ("sample_takes", {"audio": str(voice), "takes": numbers((0, 0))}),
            ("render_frames", {"photo": photo, "tracks": tracks(["a"])}),
        ):
            error = engine.error(method, folder=str(out), **params)
            assert error["data"]["kind"] == "OutputError"
            assert "No space left" in error["message"]
        assert list(out.iterdir()) == []


def test_a_video_is_made_of_frames_with_the_sound_from_its_place(engine, folder, tmp_path):
    import av

    from osmnet_sdk.formats.image_sequence import write_png

    frames = folder / "frames"
    frames.mkdir()
    for number in range(30):
        image = np.full((64, 48, 3), 8 * number, np.uint8)
        write_png(frames / f"frame_{number:06d}.png", image, {"comment": "AI-generated. {}"})
    samples = np.zeros(16000 * 3, np.float32)
    samples[16000:17600] = np.sin(np.arange(1600) * 0.3)  # a beep from 1 s to 1.1 s
    sound = write_wav(tmp_path / "beep.wav", samples, 16000)
    output = str(folder / "fïlm.mp4")
    done = engine.result(
        "write_video", folder=str(frames), first=5, count=24, fps="24000/1001", output=output,
        audio=str(sound), start=0.75,
    )  # fmt: skip
    assert done == {"output": output, "frames": 24}
    with av.open(output) as film:
        assert film.metadata["comment"].startswith("AI-generated")
        picture = film.streams.video[0]
        assert (picture.average_rate, picture.frames) == (Fraction(24000, 1001), 24)
        first = next(film.decode(picture)).to_ndarray(format="rgb24")
        assert abs(float(first.mean()) - 40) < 3
    with av.open(output) as film:
        heard = np.concatenate([f.to_ndarray()[0] for f in film.decode(film.streams.audio[0])])
    loud = np.flatnonzero(np.abs(heard) > 0.3) / 48000
    assert abs(loud[0] - 0.25) < 0.01
    assert abs(loud[-1] - 0.35) < 0.01
    error = engine.error(
        "write_video", folder=str(frames), first=25, count=24, fps="24", output=output
    )
    assert "frame_000030.png" in error["message"]
    assert Path(output).is_file()
