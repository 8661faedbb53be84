"""The real engine: every method with the sample photo and the sample voice."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from engine_client import Engine
from PIL import Image
from tests_support import write_wav

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.core.phones import Phone, PhoneTrack
from osmnet_sdk.engine import protocol
from osmnet_sdk.engine.backend import consecutive
from osmnet_sdk.engine.methods import _texture
from osmnet_sdk.engine.parameters import TakeNumber
from osmnet_sdk.formats.phone_files import write_phones
from osmnet_sdk.tracks import load_take


@pytest.fixture(scope="module")
def engine():
    with Engine() as running:
        assert running.result("check", device="cpu")["bundle"] == "starter"
        yield running


@pytest.fixture(scope="module")
def short_voice(voice, tmp_path_factory):
    from osmnet_sdk.audio.load import load_audio

    samples = load_audio(voice).samples[: 16000 * 2]
    return str(write_wav(tmp_path_factory.mktemp("voice ü") / "kurz 日本.wav", samples, 16000))


def test_hello_loads_nothing_heavy():
    code = (
        "import sys; from osmnet_sdk.engine.methods import Methods; "
        "from osmnet_sdk.engine.request import Request; "
        "hello = Methods(lambda: None).table()['hello']; "
        "print(hello(Request(1, 'hello', {'protocol': 3}, print))['protocol']); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said, loaded = done.stdout.splitlines()
    assert said == "3"
    assert not {"torch", "numpy", "pydantic"} & set(loaded.split())


def test_check_names_versions_device_and_bundle(engine, osm):
    check = engine.result("check")
    assert check["bundle_sha256"] == osm.bundle.sha256
    assert check["device"].startswith("cpu")
    assert check["renderer"] == osm.bundle.manifest.renderer
    assert check["renderers"]["warp"] == 0


def test_a_head_lies_on_its_photo(engine, folder, photo, face, astronaut):
    paths = engine.result("fit_head", photo=photo, folder=str(folder))
    with np.load(paths["head"], allow_pickle=False) as file:
        head = {name: file[name] for name in file.files}
    meta = json.loads(str(head["meta"]))
    assert head["shapes"].shape == (52, len(head["vertices"]), 3)
    assert meta["schema"] == protocol.HEAD_SCHEMA
    assert meta["names"] == list(ARKIT_NAMES)
    assert meta["photo_size"] == [512, 512]
    assert meta["crop"] == [256, 256]
    np.testing.assert_allclose(meta["rest_rotation"], face.fit.pose.angles, atol=1e-3)
    np.testing.assert_allclose(head["rest_expression"], face.fit.expression, atol=1e-3)
    pixels = head["uv"] * [512, -512] + [0, 512] - 0.5
    landmarks = face.model.at_landmarks(
        np.concatenate([pixels, np.zeros((len(pixels), 1))], axis=1).astype(np.float32)
    )[:, :2]
    inner = np.linalg.norm(landmarks - face.landmarks, axis=1)
    assert np.median(inner) < 2.0  # pixels
    with Image.open(paths["portrait"]) as portrait:
        np.testing.assert_array_equal(np.asarray(portrait), astronaut)
    with Image.open(paths["still"]) as still:
        assert still.size == (256, 256)
        assert still.text["comment"].startswith("AI-generated")


def test_takes_are_those_of_the_sdk(engine, folder, photo, short_voice, osm):
    wanted = [{"seed": 3, "take": 1}, {"seed": 3, "take": 2}, {"seed": 4, "take": 0}]
    done = engine.result(
        "sample_takes", audio=short_voice, folder=str(folder), takes=wanted, photo=photo
    )
    takes = [load_take(path) for path in done["takes"]]
    assert [len(take) for take in takes] == [50] * 3
    assert takes[0].rest_rotation.any()
    average = engine.result(
        "sample_takes", audio=short_voice, folder=str(folder / "average"), takes=wanted[:2]
    )
    assert [load_take(path) for path in average["takes"]] == osm.sample_takes(
        short_voice, n=3, seed=3
    )[1:]


def test_phones_decide_the_lips_of_takes(engine, folder, short_voice, osm):
    said = PhoneTrack((Phone(0.5, 0.6, "bilabial"), Phone(0.6, 1.4, "a")), 2.0)
    path = write_phones(said, folder / "said.TextGrid")
    (made,) = engine.result(
        "sample_takes", audio=short_voice, folder=str(folder), takes=[{"seed": 3, "take": 0}],
        phones=str(path),
    )["takes"]  # fmt: skip
    assert load_take(made) == osm.sample_takes(short_voice, seed=3, phones=path)[0]


def test_phones_are_those_of_the_sdk(engine, folder, short_voice, osm):
    output = folder / "heard.json"
    done = engine.result("predict_phones", audio=short_voice, output=str(output))
    assert PhoneTrack.load(output) == osm.predict_phones(short_voice)
    assert done["seconds"] == pytest.approx(2.0)


def test_retakes_and_references_are_those_of_the_sdk(engine, folder, short_voice, osm):
    made = osm.sample_takes(short_voice, seed=3)[0]
    source = str(made.save(folder / "take.npz"))
    wanted = {"source": source, "output": str(folder / "other.npz"), "audio": short_voice}
    engine.result("retake", **wanted, start=0.4, end=1.6, seed=8, take=2, follow=source)
    assert load_take(wanted["output"]) == osm.retake(
        made, short_voice, 0.4, 1.6, seed=8, take=2, follow=made
    )
    (path,) = engine.result(
        "sample_takes",
        audio=short_voice,
        folder=str(folder),
        takes=[{"seed": 1, "take": 0}],
        follow=source,
    )["takes"]
    assert load_take(path) == osm.sample_takes(short_voice, seed=1, follow=made)[0]
    assert load_take(path) != osm.sample_takes(short_voice, seed=1)[0]


def test_a_video_can_be_followed(engine, folder, short_voice, osm, face):
    take = osm.sample_takes(short_voice, seed=3)[0].slice(0, 12)
    film = osm.render_video(face, take, folder / "actor.mp4", renderer="warp")
    tracked = osm.track_video(film)
    params = {"audio": short_voice, "takes": [{"seed": 1, "take": 0}], "follow": str(film)}
    for part in ("a", "b"):
        (path,) = engine.result("sample_takes", **params, folder=str(folder / part))["takes"]
        expected = osm.sample_takes(short_voice, seed=1, follow=tracked)[0]
        assert load_take(path).motion == expected.motion


def test_frames_are_those_of_the_sdk(engine, folder, photo, tracks, osm, face):
    from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

    done = engine.result(
        "render_frames", photo=photo, tracks=tracks(["f0", "f1", "f2"]), folder=str(folder / "out")
    )
    assert done == {"frames": 3}
    yaw = np.linspace(0, 12, 3)
    motion = MotionTrack(25, np.stack([0 * yaw, yaw, 0 * yaw], 1), np.zeros((3, 3)))
    expected = osm.render(face, motion, ExpressionTrack(25, np.zeros((3, 52))))
    for index, frame in enumerate(expected):
        with Image.open(folder / "out" / f"f{index}.png") as picture:
            assert np.abs(np.asarray(picture).astype(int) - frame).mean() < 0.5


def test_cancel_stops_rendering(engine, folder, photo, tracks):
    keys = [f"k{index}" for index in range(3000)]
    number = engine.send(
        "render_frames", photo=photo, tracks=tracks(keys), folder=str(folder / "out"), size="photo"
    )
    engine.until(method="frame")
    engine.cancel(number)
    assert engine.until(number=number)["error"]["code"] == protocol.CANCELLED
    done = list((folder / "out").iterdir())
    assert 0 < len(done) < 3000
    assert all(path.name.startswith("k") for path in done)


def test_a_photo_without_a_face_and_a_missing_bundle_are_one_sentence(engine, folder, tmp_path):
    blank = tmp_path / "blank.png"
    Image.new("RGB", (300, 300), (120, 130, 140)).save(blank)
    error = engine.error("fit_head", photo=str(blank), folder=str(folder))
    assert error["data"]["kind"] == "NoFaceError"
    assert "blank.png" in error["message"]
    assert list(folder.iterdir()) == []
    error = engine.error("check", bundle=str(tmp_path / "none"))
    assert error["data"]["kind"] == "ModelError"
    error = engine.error("check", device="abacus", bundle="starter")
    assert error["data"]["kind"] == "DeviceError"
    assert engine.result("check", device="cpu")["bundle"] == "starter"


def test_takes_that_follow_one_another_are_made_together():
    pairs = [(7, 2), (7, 3), (7, 5), (8, 6), (8, 7), (8, 7)]
    takes = [TakeNumber(seed=seed, take=take) for seed, take in pairs]
    assert consecutive(takes) == [(7, 2, 2), (7, 5, 1), (8, 6, 2), (8, 7, 1)]


def test_a_large_photo_makes_a_texture_of_bearable_size():
    photo = np.zeros((3000, 4096, 3), np.uint8)
    assert _texture(photo).shape == (1500, 2048, 3)
    assert _texture(photo[:100, :50]).shape == (100, 50, 3)
