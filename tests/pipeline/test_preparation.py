"""Folders of videos to shards: what is kept and why not, going on, ending, and the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.core.bundle import find_bundle, save_arrays, write_manifest
from osmnet_sdk.errors import Cancelled, InputError, OSMNetWarning
from osmnet_sdk.face.camera import Pose, rotation_matrix
from osmnet_sdk.formats.video_writer import VideoWriter
from osmnet_sdk.progress import Reporter
from osmnet_sdk.research.data.layouts import Video
from osmnet_sdk.research.data.prepare import prepare
from osmnet_sdk.research.data.prepared import PreparedData
from osmnet_sdk.research.data.settings import PreparationSettings
from osmnet_sdk.research.data.watching import watch
from osmnet_sdk.tracks import load_take

FIRST, BETWEEN, SECOND = 26, 14, 27
"""Frames of the face, of a cup of coffee, and of the face in a mirror."""


def moving(picture, frames):
    """A picture that turns and wanders a little."""
    for index in range(frames):
        matrix = cv2.getRotationMatrix2D((160, 160), 4 * np.sin(index / 5), 1.0)
        matrix[:, 2] += (0.5 * index, 3 * np.cos(index / 4))
        yield cv2.warpAffine(picture, matrix, (384, 352), borderMode=cv2.BORDER_REPLICATE)


def write(path, frames, audio=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, audio=audio, crf=12, preset="ultrafast") as writer:
        for frame in frames:
            writer.write(frame)
    return path


@pytest.fixture(scope="module")
def portrait(astronaut):
    return cv2.resize(astronaut[0:270, 80:376], (384, 350), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def speech(voice):
    return load_audio(voice).samples[8000:]


@pytest.fixture(scope="module")
def videos(portrait, speech, tmp_path_factory):
    """Anna with sound, in two shots; Ben without sound; a file that is no video."""
    from skimage.data import coffee

    folder = tmp_path_factory.mktemp("clips with ümlauts")
    cup = cv2.resize(coffee(), (384, 352))
    shots = [*moving(portrait, FIRST), *[cup] * BETWEEN, *moving(portrait[:, ::-1], SECOND)]
    write(folder / "Anna" / "two shots.mp4", shots, (speech, 16000))
    write(folder / "Ben" / "mute.mp4", moving(portrait, 3))
    (folder / "Carl").mkdir()
    (folder / "Carl" / "broken.mp4").write_bytes(b"this is no video at all")
    return folder


@pytest.fixture(scope="module")
def prepared(videos, tmp_path_factory):
    output = tmp_path_factory.mktemp("out") / "prepared data"
    calls = []
    summary = prepare(videos, output, progress=lambda *step: calls.append(step))
    return output, summary, calls


def test_good_shots_are_kept_and_the_rest_is_explained(prepared):
    output, summary, calls = prepared
    assert (summary.layout, summary.videos, summary.samples, summary.speakers) == (
        "folder",
        3,
        2,
        1,
    )
    assert summary.seconds == pytest.approx((FIRST + SECOND) / 25)
    manifest = json.loads(summary.manifest.read_text(encoding="utf-8"))
    found = {(r["source"], r["reason"]): r for r in manifest["rejected"]}
    assert set(found) == {
        ("Anna/two shots.mp4", "no face"), ("Ben/mute.mp4", "no sound"),
        ("Carl/broken.mp4", "unreadable"),
    }  # fmt: skip
    gap = found["Anna/two shots.mp4", "no face"]
    assert (gap["start"], gap["stop"]) == (FIRST / 25, (FIRST + BETWEEN) / 25)
    assert "broken.mp4" in found["Carl/broken.mp4", "unreadable"]["detail"]
    starts = [entry["start"] for entry in manifest["accepted"]]
    assert starts == [0.0, (FIRST + BETWEEN) / 25]
    assert calls[-1] == ("Preparing", 3, 3)
    assert not list(output.rglob(".*"))


def test_samples_show_the_head_that_the_take_describes(prepared, osm, portrait, speech):
    data = PreparedData(prepared[0])
    first, second = (data.read(entry) for entry in data.entries)
    assert (first.speaker, first.source, len(first)) == ("Anna", "Anna/two shots.mp4", FIRST)
    model = osm.face_model
    triangles = model.triangles[model.landmark_triangles]
    for sample, picture in ((first, portrait), (second, portrait[:, ::-1])):
        crop = sample.crop
        truth = list(moving(picture, len(sample)))
        for index in (0, len(sample) - 1):
            grid = (np.arange(256) + 0.5) * crop.side / 256 - 0.5
            x, y = np.meshgrid(grid + crop.x, grid + crop.y)
            expected = cv2.remap(
                truth[index], x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR
            )
            assert np.abs(sample.frame(index).astype(int) - expected).mean() < 5
            rest = Pose(rotation_matrix(sample.take.rest_rotation), sample.take.rest_translation)
            motion = sample.take.motion
            pose = rest.moved(motion.rotation[index], motion.translation[index])
            mesh = model.vertices(sample.identity, sample.take.expression.coefficients[index])
            points = (mesh[triangles] * model.landmark_weights[..., None]).sum(1)
            seen = sample.camera.project(points, pose)[:, :2]
            distance = np.linalg.norm(seen - sample.landmarks[index], axis=1)[:468]
            assert distance.mean() < 4
    start = (FIRST + BETWEEN) * 640
    expected = speech[start : start + len(second.sound)]
    assert len(second.sound) == 640 * SECOND
    assert np.corrcoef(second.sound, expected)[0, 1] > 0.9


def test_a_second_run_does_nothing_and_a_new_video_is_added(
    prepared, videos, portrait, speech, tmp_path
):
    output, before, _ = prepared
    stamp = {path: path.stat().st_mtime_ns for path in (output / "shards").iterdir()}
    asked = []
    assert prepare(videos, output, progress=lambda *step: asked.append(step)) == before
    assert not asked
    extra = write(videos / "Dora" / "late.mp4", moving(portrait, 26), (speech, 16000))
    after = prepare(videos, output)
    extra.unlink()
    assert (after.videos, after.samples, after.speakers) == (4, 3, 2)
    assert all(path.stat().st_mtime_ns == stamp[path] for path in stamp)
    with pytest.raises(InputError, match=r"smallest_face = 80\.0, not 60\.0"):
        prepare(videos, output, settings=PreparationSettings(smallest_face=60))
    with pytest.raises(InputError, match="layout 'folder', not 'hdtf'"):
        prepare(videos, output, layout="hdtf")
    other = shutil.copytree(find_bundle().folder, tmp_path / "other")
    write_manifest(other, name="other", version="2", licence="none")
    assert prepare(videos, output, bundle=other).videos == 4  # its face networks are the same
    arrays, metadata = find_bundle().arrays("face_model.safetensors")
    save_arrays(other / "face_model.safetensors", arrays, metadata | {"note": "changed"})
    write_manifest(other, name="other", version="2", licence="none")
    with pytest.raises(InputError, match=r"begun with another bundle than .*other"):
        prepare(videos, output, bundle=other)
    broken = videos / "Carl" / "broken.mp4"
    content = broken.read_bytes()
    broken.write_bytes(content * 2)
    with pytest.raises(InputError, match=r"broken\.mp4' has changed"):
        prepare(videos, output)
    broken.write_bytes(content)
    with pytest.raises(InputError, match="worker"):
        prepare(videos, output, workers=0)


def test_a_stopped_run_keeps_what_is_complete(portrait, tmp_path):
    for number in range(3):
        write(tmp_path / "in" / f"mute{number}.mp4", [portrait] * 2)
    done = []

    def stop():
        return bool(done and done[-1] >= 1)  # within the second video

    def note(stage, count, total):
        assert (stage, total) == ("Preparing", 3)
        done.append(count)

    output = tmp_path / "out"
    with pytest.raises(Cancelled):
        prepare(tmp_path / "in", output, progress=note, cancel=stop)
    assert json.loads((output / "manifest.json").read_text(encoding="utf-8"))["videos"] == 1
    assert [path.name for path in (output / "shards").glob("*.tar")] == ["000000.tar"]
    assert not list(output.rglob(".*"))
    assert prepare(tmp_path / "in", output).rejected == {"no sound": 3}


def test_a_second_face_is_seen(osm, portrait, tmp_path):
    pair = np.hstack([portrait, portrait[:, ::-1]])
    video = Video(write(tmp_path / "pair.mp4", [pair] * 2), "pair.mp4")
    assert watch(video, osm._networks, Reporter()).crowded.tolist() == [True, False]


def test_killed_while_several_processes_work(portrait, speech, tmp_path):
    place = tmp_path / "in"
    for number in range(3):
        write(place / f"mute{number}.mp4", [portrait] * 2)
    write(place / "Anna" / "late.mp4", moving(portrait, 25), (speech, 16000))
    command = [
        sys.executable, "-m", "osmnet_sdk", "prepare", str(place), "-o",
        str(tmp_path / "out"), "--workers", "2",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        shards = tmp_path / "out" / "shards"
        limit = time.monotonic() + 120
        while not list(shards.glob("*.json")) and process.poll() is None:
            assert time.monotonic() < limit
            time.sleep(0.05)
        process.kill()
        process.wait()
    time.sleep(0.5)  # its workers notice
    complete = {path: path.stat().st_mtime_ns for path in shards.glob("*.json")}
    assert complete
    summary = prepare(place, tmp_path / "out")
    assert (summary.videos, summary.samples) == (4, 1)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in complete.items())
    data = PreparedData(tmp_path / "out")
    assert [len(sample) for sample in data.stream(seed=0)] == [25]
    assert not list((tmp_path / "out").rglob(".*"))


def test_the_command_line(videos, tmp_path):
    from osmnet_sdk.cli.application import app

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "mute.mp4").write_bytes((videos / "Ben" / "mute.mp4").read_bytes())

    def run(*arguments):
        return CliRunner().invoke(app, ["prepare", *map(str, arguments)])

    done = run(tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["rejected"] == {"no sound": 1}
    done = run(tmp_path / "in", "-o", tmp_path / "out")
    assert "rejected: 1 × no sound" in done.stdout
    for arguments, words in (
        ([tmp_path / "nowhere"], "nowhere"),
        ([tmp_path / "in", "--layout", "imax"], "imax"),
        ([tmp_path / "in", "-o", tmp_path / "out", "--silent"], "silent = False, not True"),
        ([tmp_path / "in", "-o", tmp_path / "in" / "mute.mp4"], "mute.mp4"),
        ([tmp_path / "in", "--minimum", "0"], "0.2 to 60"),
    ):
        done = run(*arguments)
        assert done.exit_code == 2
        assert done.stderr.count("error:") == 1
        assert words in done.stderr


def test_train_clips_takes_a_videos_own_sound(osm, portrait, speech, tmp_path):
    from osmnet_sdk.research.data.clips import read_clips
    from osmnet_sdk.research.data.takes import track_clips

    folder, output = tmp_path / "in", tmp_path / "täkes"
    write(folder / "own.mp4", moving(portrait, 4), (speech, 16000))
    write(folder / "mute.mp4", moving(portrait, 3))
    write(folder / "cup.mp4", np.zeros((3, 64, 64, 3), np.uint8))
    rows = ["own,own.mp4,anna", "mute,mute.mp4,ben", "cup,cup.mp4,carl"]
    (folder / "clips.csv").write_text("id,file,speaker\n" + "\n".join(rows), encoding="utf-8")
    tracked = track_clips(folder, output, osm)
    assert (tracked.takes, tracked.with_sound, len(tracked.left_out)) == (2, 1, 1)
    own, mute = read_clips(output)
    assert mute.samples is None
    assert np.corrcoef(own.samples, speech[: 4 * 640])[0, 1] > 0.9
    assert track_clips(folder, Path(output), osm) == tracked


def test_the_sound_of_a_clip_begins_with_the_shot_that_is_tracked(osm, portrait, speech, tmp_path):
    """A take of a film begins with its longest shot; so must the sound beside it."""
    from skimage.data import coffee

    from osmnet_sdk.research.data.takes import track_clips

    folder, output = tmp_path / "in", tmp_path / "takes"
    cup = cv2.resize(coffee(), (384, 352))
    write(folder / "film.mp4", [*[cup] * 15, *moving(portrait, 30)], (speech, 16000))
    (folder / "clips.csv").write_text("id,file,speaker\nfilm,film.mp4,anna", encoding="utf-8")
    with pytest.warns(OSMNetWarning, match="shots"):
        track_clips(folder, output, osm)
    assert len(load_take(output / "film.npz")) == 30
    heard = load_audio(output / "film.wav").samples
    wanted = speech[15 * 640 : 15 * 640 + len(heard)]
    assert np.corrcoef(heard[: len(wanted)], wanted)[0, 1] > 0.9
