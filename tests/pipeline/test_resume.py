"""Rendering that goes on where it was stopped, with the very files of an undisturbed run."""

from __future__ import annotations

import numpy as np
import pytest

from osmnet_sdk.core.resuming import LEDGER
from osmnet_sdk.errors import Cancelled
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

FRAMES = 9


@pytest.fixture(scope="module")
def take():
    rng = np.random.default_rng(3)
    motion = MotionTrack(25, rng.normal(0, 4, (FRAMES, 3)), np.zeros((FRAMES, 3)))
    return Take(motion, ExpressionTrack(25, rng.uniform(0, 0.5, (FRAMES, 52))))


class Stages:
    """Counts the frames that are drawn, and stops before one."""

    def __init__(self, stop=None):
        self.drawn, self.stop = 0, stop

    def progress(self, stage, done, total):
        if stage == "Rendering":
            self.drawn = done

    def cancel(self):
        return self.stop is not None and self.drawn >= self.stop


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("renderer", ["warp", "guided"])
def test_pictures_are_gone_on_with(osm, face, take, tmp_path, renderer):
    def render(folder, stop=None, **more):
        stages = Stages(stop)
        kind = {"renderer": renderer, "size": (48, 64)} | more
        calls = {"progress": stages.progress, "cancel": stages.cancel}
        assert osm.render_images(face, take, folder, **kind, **calls) == FRAMES
        return stages.drawn

    whole, part = tmp_path / "whole", tmp_path / "part"
    assert render(whole) == FRAMES
    with pytest.raises(Cancelled):
        render(part, stop=4)
    made = set(files(part)) - {LEDGER}
    assert 3 <= len(made) < FRAMES
    (part / sorted(made)[1]).write_bytes(b"damaged")
    (part / sorted(made)[2]).unlink()
    assert render(part) == FRAMES - len(made) + 2
    assert files(part) == files(whole)
    assert render(part) == 0
    assert render(part, label=False) == FRAMES
    assert render(part, resume=False) == FRAMES


def test_a_finished_video_is_kept_if_the_same_things_made_it(osm, face, take, tmp_path):
    sound = (np.sin(np.arange(8000) / 20).astype(np.float32), 16_000)

    def render(take=take, audio=sound, **more):
        stages = Stages()
        kind = {"renderer": "warp", "size": (48, 64), "resume": True} | more
        osm.render_video(
            face, take, tmp_path / "a.mp4", audio=audio, progress=stages.progress, **kind
        )
        data = (tmp_path / "a.mp4").read_bytes()
        return stages.drawn, data

    stages, first = render()
    assert stages == FRAMES
    (tmp_path / "a.mp4").unlink()
    assert render()[1] == first, "an encoder's bytes must not depend on the run"
    stamp = (tmp_path / "a.mp4").stat().st_ino
    assert render()[1] == first
    assert (tmp_path / "a.mp4").stat().st_ino == stamp
    other = (sound[0][::-1].copy(), 16_000)
    shorter = take.slice(0, FRAMES - 1)
    for more in (
        {"audio": other}, {"audio": None}, {"label": False}, {"fps": 30}, {"take": shorter},
        {"keep_rest": False}, {"size": (64, 48)}, {"renderer": "guided"},
    ):  # fmt: skip
        render()
        kept = (tmp_path / "a.mp4").stat().st_ino
        _, data = render(**more)
        assert data != first
        assert (tmp_path / "a.mp4").stat().st_ino != kept
