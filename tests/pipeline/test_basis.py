"""The motion basis of the starter bundle: named, drawn, and combined to turn a photo's head."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_support import osmnet

from osmnet_sdk.errors import InputError, OSMNetWarning
from osmnet_sdk.face.camera import rotation_matrix


def refitted(osm, image):
    """Absolute angles of the head in a picture, by the project's own tracker."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OSMNetWarning)
        return osm.fit_face(image).fit.pose.angles


def test_the_basis_has_a_range_of_actions(osm):
    vectors = osm.motion_basis()
    names = {vector.name for vector in vectors}
    assert "still" in names
    for action in ("nod down", "nod up", "turn left", "turn right", "tilt left", "tilt right"):
        assert any(action in name for name in names), action
    assert [vector.index for vector in vectors] == list(range(len(vectors)))
    assert sum(vector.attention for vector in vectors) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("asked", [(0, 20, 0), (0, -25, 0), (12, 0, 0), (-12, 10, 0), (0, 0, 20)])
def test_the_asked_turn_is_reached(osm, asked):
    turn = osm.head_turn(**dict(zip(("pitch", "yaw", "roll"), asked, strict=True)))
    assert turn.residual < 0.5
    np.testing.assert_allclose(turn.reached, asked, atol=0.5)
    assert np.abs(turn.motion.translation[-1]).max() < 0.002
    assert turn.motion.provenance.bundle == "starter"
    assert turn.motion.provenance.options["yaw"] == asked[1]


@pytest.mark.parametrize(
    ("axis", "angle"), [("yaw", 18), ("yaw", -18), ("pitch", -10), ("roll", 15)]
)
def test_the_turn_is_seen_in_the_picture(osm, face, axis, angle):
    image = osm.rotate(face, **{axis: angle}, size=(512, 512), label=False)
    wanted = face.fit.pose.moved(
        [angle * (name == axis) for name in ("pitch", "yaw", "roll")], (0, 0, 0)
    ).angles
    np.testing.assert_allclose(refitted(osm, image), wanted, atol=4)


def test_frontal_turns_a_turned_face_to_the_camera(osm, face):
    side = osm.rotate(face, yaw=20, pitch=-8, size="photo", label=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OSMNetWarning)
        turned = osm.fit_face(side)
    before = turned.fit.pose.angles
    assert abs(before[1]) > 15
    turn = osm.head_turn(turned, frontal=True)
    missed = turned.fit.pose.rotation @ rotation_matrix(turn.reached) - np.eye(3)
    assert np.abs(missed).max() < 0.01
    after = refitted(osm, osm.rotate(turned, frontal=True, size="photo", label=False))
    assert abs(after[1]) < 5
    assert abs(after[0]) < 5
    assert abs(after[1]) < abs(before[1]) / 3


def test_no_turn_draws_the_photo_and_far_turns_warn(osm, face):
    still = osm.rotate(face, label=False).astype(float)
    labelled = osm.rotate(face).astype(float)
    assert np.abs(still - labelled)[-30:, :100].max() > 50
    np.testing.assert_array_equal(still[:150], labelled[:150])
    with pytest.warns(OSMNetWarning, match="This pose turns the head further than the photo can"):
        osm.rotate(face, yaw=42)
    with pytest.raises(InputError, match="frontal needs a face"):
        osm.head_turn(frontal=True)


def test_basis_command_draws_and_names_every_vector(photo, tmp_path):
    done = osmnet("basis", photo, "-o", tmp_path / "out put", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [Path(path).name for path in result["files"]] == [
        "basis.json",
        "basis.png",
        "basis-faces.png",
    ]
    numbers = json.loads(Path(result["files"][0]).read_text(encoding="utf-8"))
    assert numbers["bundle"] == "starter"
    vectors = numbers["vectors"]
    assert [vector["name"] for vector in vectors] == [v["name"] for v in result["vectors"]]
    assert vectors[0]["label"] == "b01"
    clip = np.array(vectors[0]["clip"])
    assert clip.shape[1] == 6
    assert not clip[0].any()
    peaks = list(vectors[0]["peak_degrees"].values())
    np.testing.assert_allclose(np.abs(peaks), np.abs(clip[:, :3]).max(axis=0), atol=1e-3)
    for path in result["files"][1:]:
        with Image.open(path) as picture:
            assert np.asarray(picture).std() > 10
    with Image.open(result["files"][2]) as picture:
        assert picture.info["comment"].startswith("AI-generated")


def test_basis_command_without_a_photo_prints_a_table(tmp_path):
    done = osmnet("basis", "-o", tmp_path, "--by-attention")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["basis.json", "basis.png"]
    lines = done.stdout.splitlines()
    assert any("b01" in line for line in lines)
    assert any("still" in line for line in lines)
    shares = [float(line.split()[-1]) for line in lines if line.split()[:1] == ["b01"]]
    numbers = json.loads((tmp_path / "basis.json").read_text(encoding="utf-8"))["vectors"]
    of_first = next(vector["attention"] for vector in numbers if vector["label"] == "b01")
    assert shares == [pytest.approx(100 * of_first, abs=0.051)]
    attention = [vector["attention"] for vector in numbers]
    assert attention == sorted(attention, reverse=True)


def test_rotate_command_writes_a_labelled_picture(osm, photo, tmp_path):
    path = tmp_path / "frontal view.png"
    done = osmnet("rotate", photo, "--frontal", "--size", "300x260", "-o", path, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["residual_degrees"] < 0.5
    assert all(abs(angle) < 0.5 for angle in result["before_the_camera"].values())
    assert result["basis"]
    with Image.open(path) as picture:
        assert picture.size == (260, 300)
        assert picture.info["comment"].startswith("AI-generated")
        assert '"frontal":true' in picture.info["comment"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--yaw", "1000"], "yaw must lie between"),
        (["--pitch", "nan"], "pitch must lie between"),
        (["-o", "rotated.gif"], "ends in .png"),
        (["--size", "huge"], "--size must be"),
    ],
)
def test_rotate_command_refuses_what_cannot_be(photo, tmp_path, arguments, words):
    target = [] if "-o" in arguments else ["-o", tmp_path / "r.png"]
    done = osmnet("rotate", photo, *arguments, *target)
    assert done.returncode == 2, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert words in errors[0]
    assert not list(tmp_path.iterdir())
