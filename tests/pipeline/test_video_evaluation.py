"""osmnet evaluate video on a clip that the renderer itself made."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from osmnet_sdk.cli.application import app
from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import InputError, NoFaceError, OutputError
from osmnet_sdk.formats.video_writer import VideoWriter
from osmnet_sdk.rendering.view import crop_view
from osmnet_sdk.rendering.warp.frame import FrameRenderer
from osmnet_sdk.research.evaluation.video import face_identity
from osmnet_sdk.research.evaluation.video.clips import VideoScorer
from osmnet_sdk.research.evaluation.video.drawers import drawer
from osmnet_sdk.research.evaluation.video.evaluate import evaluate_video
from osmnet_sdk.research.evaluation.video.face_identity import FaceEmbedder

FRAMES = 5


@pytest.fixture(scope="module")
def frames(face):
    """The sample photo, turning, nodding and opening its mouth."""
    renderer = FrameRenderer(face, crop_view(face, 256, 256))
    turns = np.cumsum(np.random.default_rng(0).normal(0, 3, (FRAMES, 3)), axis=0) * [0.6, 1, 0.6]
    turns[0] = 0
    made = []
    for index, turn in enumerate(turns):
        expression = face.fit.expression.copy()
        expression[ARKIT_NAMES.index("jawOpen")] = 0.2 * (index > 0)
        made.append(renderer.draw(face.fit.pose.moved(turn, (0, 0, 0)), expression))
    return made


@pytest.fixture(scope="module")
def folder(frames, tmp_path_factory):
    place = tmp_path_factory.mktemp("Clips é")
    with VideoWriter(place / "made.mp4", crf=5) as writer:
        for frame in frames:
            writer.write(frame)
    return place


@pytest.fixture(scope="module")
def scorer(osm):
    return VideoScorer(osm._networks, osm.face_model)


@pytest.fixture(scope="module")
def clip(frames, scorer):
    return scorer.track("made", frames)


@pytest.fixture
def no_embedding(monkeypatch):
    monkeypatch.setattr(face_identity, "find_spec", lambda name: None)


def test_the_command_tells_every_figure(folder, tmp_path, no_embedding):
    sheets = tmp_path / "sheets"
    done = CliRunner().invoke(
        app, ["evaluate", "video", str(folder), "--clip", "made", "--json", "--sheets", str(sheets)]
    )
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert [score["renderer"] for score in report["clips"]] == [
        "real",
        "still",
        "similarity",
        "warp",
        "guided",
    ]
    assert {score["frames"] for score in report["clips"]} == {FRAMES - 1}
    rows = {row["name"]: row["values"] for row in report["figures"]}
    for name in ("SSIM", "SSIM, face", "SSIM, mouth"):
        values = rows[name]
        assert values["real"] == pytest.approx(1)
        assert max(values["still"], values["similarity"]) < values["warp"] < 1
    for name in ("LMD", "LMD, mouth"):
        values = rows[name]
        assert values["real"] == 0
        assert values["warp"] < 3
        assert values["warp"] < min(values["still"], values["similarity"])
    assert rows["eye sharpness over real"]["real"] == rows["flicker over real"]["real"] == 1
    assert rows["flicker over real"]["still"] == 0
    assert rows["frames without a face"] == dict.fromkeys(rows["SSIM"], 0)
    assert 'the extra "evaluate"' in report["left_out"][0]
    with Image.open(sheets / "made.png") as sheet:
        assert sheet.width == 5 * 256 + 4 * 4


def test_the_tables_are_printed_as_markdown(folder, no_embedding):
    done = CliRunner().invoke(
        app, ["evaluate", "video", str(folder), "--clip", "made", "--renderer", "still"]
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("| figure | real | still | asked |  |\n|---|")
    assert f"{FRAMES - 1} frames of 1 clips: made." in done.stdout


def test_real_frames_are_the_crop_of_the_clip_and_the_first_pose_is_the_rest(clip, osm, scorer):
    assert len(clip.real) == len(clip.landmarks) == len(clip.motion) - 1 == FRAMES - 1
    assert not clip.motion.rotation[0].any()
    assert clip.moments == list(range(FRAMES - 1))
    still = scorer.draw(clip, drawer(osm, "still"), "still")
    assert [image.shape for image in still] == [(256, 256, 3)] * (FRAMES - 1)
    moved = scorer.draw(clip, drawer(osm, "similarity"), "similarity")
    assert np.abs(moved[-1].astype(int) - still[-1]).mean() > 3


def test_a_mouth_elsewhere_is_farther_away(clip, scorer):
    plain = scorer.score(clip, "same", [image.copy() for image in clip.real])
    assert plain.ssim == pytest.approx(1)
    assert plain.landmark_distance < 0.01
    assert plain.eye_sharpness == 1
    lower = [np.roll(image, 6, axis=0) for image in clip.real]
    found = scorer.score(clip, "lower", lower)
    assert found.mouth_distance == pytest.approx(6, abs=1)
    assert found.landmark_distance == pytest.approx(6, abs=1)
    assert found.mouth_ssim < plain.mouth_ssim


def test_frames_without_a_face_are_counted(clip, scorer):
    frames = [np.full((256, 256, 3), 127, np.uint8), *clip.real[1:]]
    found = scorer.score(clip, "lost", frames)
    assert (found.lost, found.frames) == (1, FRAMES - 1)
    assert found.landmark_distance < 1  # found anew, in a slightly different region
    empty = scorer.score(clip, "empty", [frames[0]] * (FRAMES - 1))
    assert empty.lost == FRAMES - 1
    assert (empty.landmark_distance, empty.mouth_distance, empty.sharpness) == (None, None, None)
    assert empty.eye_sharpness == 0


def test_identity_by_the_face_network(clip):
    pytest.importorskip("dlib", reason="the extra `evaluate` is not installed")
    embedder = FaceEmbedder()
    one, other = (embedder(clip.real[index], clip.landmarks[index]) for index in (0, -1))
    assert 0 < np.linalg.norm(one - other) < 0.6  # the network's own bound for one person
    upside_down = embedder(clip.real[0][::-1], clip.landmarks[0])
    assert np.linalg.norm(one - upside_down) > 0.6


def test_what_is_not_there_is_said(folder, scorer, tmp_path):
    with pytest.raises(InputError, match="no clip 'c001'"):
        evaluate_video(folder, clips=["c001"], device="cpu")
    with pytest.raises(InputError, match="no video in"):
        evaluate_video(tmp_path, device="cpu")
    with pytest.raises(InputError, match="no renderer 'oil'; choose still, similarity, warp"):
        evaluate_video(folder, clips=["made"], renderers=["oil"], device="cpu")
    with pytest.raises(NoFaceError):
        scorer.track("made", [np.zeros((256, 256, 3), np.uint8)] * 3)


def test_a_folder_of_pictures_that_cannot_be_made_is_known_before_drawing(folder, tmp_path):
    (tmp_path / "sheets").write_bytes(b"")
    with pytest.raises(OutputError, match="it is a file"):
        evaluate_video(folder, clips=["made"], sheets=tmp_path / "sheets")
