"""The examples run as they stand, and do what they say."""

from __future__ import annotations

import runpy
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import osmnet_sdk as sdk
from osmnet_sdk.formats.video import read_frames

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    def call(name: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        monkeypatch.chdir(tmp_path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sdk.OSMNetWarning)
            runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return call


def frames_of(path: Path) -> int:
    return sum(1 for _ in read_frames(path))


def test_each_example_is_here_and_in_the_readme():
    here = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for path in EXAMPLES.glob("*.py"):
        assert f"`{path.name}`" in readme, path.name
        assert path.stem in here | {"demo"}, path.name


def test_first_take(run, tmp_path):
    said = run("first_take.py", "made", "--seconds", "1")
    take = sdk.load_take(tmp_path / "made" / "take.npz")
    assert len(take) == frames_of(tmp_path / "made" / "take.mp4") == 25
    assert said.startswith("25 frames")


def test_several_takes(run, tmp_path):
    said = run("several_takes.py", "made", "--takes", "2", "--seconds", "1")
    one, two = (sdk.load_take(tmp_path / "made" / f"take{number}.npz") for number in (1, 2))
    assert np.abs(one.motion.rotation - two.motion.rotation).max() > 0.1
    assert len(list((tmp_path / "made").glob("*.mp4"))) == 1
    assert "takes 1 and 2 are" in said


def test_directing(run, tmp_path):
    run("directing.py", "made")
    take = sdk.load_take(tmp_path / "made" / "directed.npz")
    assert take.motion.rotation[50, 1] == pytest.approx(20, abs=1e-4)
    assert take.motion.rotation[150] == pytest.approx((-5, -10, 0), abs=1e-4)
    assert take.motion.rotation[-1] == pytest.approx((0, 0, 0), abs=1e-4)
    better = sdk.load_take(tmp_path / "made" / "better.npz")
    same = (better.motion.rotation == take.motion.rotation).all(axis=1)
    assert same[:175].all()
    assert same[226:].all()
    assert not same[180:220].any()


def test_expression_stream(run, voice):
    said = run("expression_stream.py", "--seconds", "2").splitlines()
    lines = [line for line in said if " s  " in line]
    stream = sdk.expression_stream()
    curves = np.concatenate([stream.feed(sdk.load_audio(voice).samples[:32000]), stream.finish()])
    drawn = [line.count("█") for line in lines]
    jaw = curves[: len(drawn), sdk.ARKIT_NAMES.index("jawOpen")]
    # However the sound is cut, the curves are the same but for rounding.
    assert np.abs(np.array(drawn) - 40 * jaw).max() < 0.51
    assert max(drawn) > 3
    assert said[-2].startswith("50 frames")


def test_live_link(run, tmp_path, voice):
    said = run("live_link.py", "made", "--fps", "30")
    frames = sdk.load_audio(voice).frames
    rows = (tmp_path / "made" / "take.csv").read_text(encoding="utf-8").splitlines()
    assert abs(len(rows) - 1 - frames * 30 / 25) < 2
    assert f"{len(rows) - 1} rows" in said


def test_track_video(run, tmp_path):
    run("track_video.py", "-o", "made")
    take = sdk.load_take(tmp_path / "made" / "performance.npz")
    assert len(take) == frames_of(tmp_path / "made" / "performance.mp4") == 25
    assert take.expression.column("jawOpen").max() > 0.1
