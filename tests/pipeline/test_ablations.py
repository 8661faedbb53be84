"""The ablation table on a tiny prepared set: two speakers, a few frames, a few steps."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from generator_support import RECIPE
from typer.testing import CliRunner

from osmnet_sdk.cli.application import app
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.errors import InputError, OSMNetWarning
from osmnet_sdk.face.source import Crop
from osmnet_sdk.research.data.prepare import write_manifest
from osmnet_sdk.research.data.prepared_segments import prepared_segments
from osmnet_sdk.research.data.sample import PreparedSample, encode_frame
from osmnet_sdk.research.data.settings import PreparationSettings
from osmnet_sdk.research.data.shards import read_listings, write_shard
from osmnet_sdk.research.evaluation.ablations import (
    FULL,
    REAL,
    SOUND,
    STILL,
    TRACKED,
    WITHOUT_LANDMARKS,
    ablation_table,
    evaluate_ablations,
)
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

FRAMES = 6
SETTINGS = PreparationSettings()
SMALL = RECIPE.model_copy(
    update={
        "config": RECIPE.config.model_copy(update={"image_size": 64}),
        "validation_share": 0.4,
        "steps": 2,
    }
)
NETWORKS = [FULL, "without window (WF)", "without clip-level motion (Clip)"]


@pytest.fixture(autouse=True)
def _as_before():
    threads, exact = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(exact)


@pytest.fixture(scope="module")
def data(osm, face, voice, tmp_path_factory):
    """Prepared data of a face that turns, under two names."""
    from osmnet_sdk.audio.load import load_audio

    folder = tmp_path_factory.mktemp("prepared data")
    samples = load_audio(voice).samples[: FRAMES * 640]
    videos = []
    for name, sign in (("anna", 1), ("ben", -1)):
        yaw = sign * np.linspace(0, 12, FRAMES)
        motion = MotionTrack(FPS, np.stack([0 * yaw, yaw, 0 * yaw], 1), np.zeros((FRAMES, 3)))
        values = np.zeros((FRAMES, 52))
        values[:, 17] = np.linspace(0, 0.4, FRAMES)  # the jaw
        take = Take(motion, ExpressionTrack(FPS, values))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OSMNetWarning)
            frames = list(osm.render(face, take, renderer="warp", label=False))
        made = PreparedSample(
            name, f"{name}.mp4", name, None, 0.0, Crop(0.0, 0.0, 256.0),
            tuple(encode_frame(frame, 95) for frame in frames), take,
            np.zeros(40, np.float32), np.zeros((FRAMES, 478, 2), np.float32), samples,
        )  # fmt: skip
        videos.append((made.source, FRAMES, [made], []))
    write_shard(folder, 0, "folder", iter(videos), SETTINGS)
    write_manifest(folder, "folder", read_listings(folder))
    return folder


def test_every_network_is_trained_and_measured_on_who_was_held_out(data, tmp_path):
    segments = prepared_segments(data, size=64)
    told = []
    options = {"models": tmp_path / "models", "without_landmarks": "starter"}
    rows = evaluate_ablations(
        SMALL, segments, progress=lambda *step: told.append(step[0]), **options
    )
    names = [(row.network, row.driven_by) for row in rows]
    assert names == [
        (REAL, ""), (STILL, ""), (FULL, TRACKED), (FULL, SOUND), (WITHOUT_LANDMARKS, SOUND),
        *((name, drive) for name in NETWORKS[1:] for drive in (TRACKED, SOUND)),
    ]  # fmt: skip
    assert {row.frames for row in rows} == {FRAMES - 1}
    real, still, *drawn = rows
    assert (real.ssim, real.landmark_distance, real.mouth_distance) == (1, 0, 0)
    assert real.flicker == 1
    assert still.flicker == 0
    assert still.landmark_distance > 2  # the head turned meanwhile
    assert 0.3 < still.ssim < 0.99
    assert all(-1 < row.ssim < 0.99 for row in drawn)
    assert rows[4] == rows[3].__class__(**{**vars(rows[3]), "network": WITHOUT_LANDMARKS})
    assert len({row.ssim for row in drawn if row.driven_by == TRACKED}) == 3
    assert any("without window" in stage for stage in told)
    folders = sorted(path.name for path in (tmp_path / "models").iterdir())
    assert folders == ["full", "without-clip-level-motion", "without-window"]

    told.clear()
    again = evaluate_ablations(
        SMALL, segments, progress=lambda *step: told.append(step[0]), **options
    )
    assert again == rows
    assert not any(stage.startswith("generator") for stage in told)  # nothing is trained again
    lines = ablation_table(rows).splitlines()
    assert len(lines) == len(rows) + 2
    assert len({line.count("|") for line in lines}) == 1


def test_the_command_prints_the_table_and_says_what_is_wrong(data, tmp_path):
    recipe = tmp_path / "recipe.json"

    def run(*more, **fields):
        content = SMALL.model_copy(update=fields).model_dump_json()
        recipe.write_text(content, encoding="utf-8")
        done = CliRunner().invoke(
            app,
            ["evaluate", "generator", str(recipe), str(data), "--models", str(tmp_path / "m"),
             *map(str, more)],
        )  # fmt: skip
        assert "Traceback" not in done.output
        return done.exit_code, done.output

    code, said = run("--steps", 1, steps=500)
    assert code == 0, said
    table = [line for line in said.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 2 + 2 * len(NETWORKS)
    assert table[4].startswith(f"| {FULL} | {TRACKED} | {FRAMES - 1} | ")
    for options, fields, words in (
        (["--steps", 0], {}, "--steps must be 1 or more"),
        ([], {"validation_share": 0.0}, "validation_share is 0"),
        (["--device", "abacus"], {}, "abacus"),
        (["--bundle", tmp_path], {}, "no bundle"),
        (["--without-landmarks", tmp_path], {}, "no bundle"),
    ):
        code, said = run(*options, **fields)
        assert code == 2
        assert words in said


def test_nobody_left_to_measure_is_said(data, tmp_path):
    segments = prepared_segments(data, size=64)
    with pytest.raises(InputError, match="validation_share is 0"):
        evaluate_ablations(
            SMALL.model_copy(update={"validation_share": 0.0}), segments, models=tmp_path
        )
    with pytest.raises(InputError, match="clips of another"):
        evaluate_ablations(SMALL, segments[:1], models=tmp_path)
