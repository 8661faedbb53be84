"""Rows of the video evaluation from scores that are made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osmnet_sdk.research.evaluation.video.clips import VideoScore
from osmnet_sdk.research.evaluation.video.face_identity import identity_similarity
from osmnet_sdk.research.evaluation.video.table import markdown, video_figures

REAL = VideoScore("a", "real", 9, 0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.5, 1.0, 0.8, 2.0)
WARP = VideoScore("a", "warp", 9, 0, 0.7, 0.7, 0.6, 1.5, 1.4, 0.46, 0.9, 0.7, 2.2)
GUIDED = VideoScore("a", "guided", 9, 0, 0.71, 0.72, 0.76, 1.4, 1.3, 0.47, 0.95, 0.69, 2.4)
STILL = VideoScore("a", "still", 9, 3, 0.6, 0.5, 0.4, None, None, None, 1.1, None, 0.0)


def rows(*scores, least_mouth=None):
    return {row.name: row for row in video_figures(scores, least_mouth=least_mouth)}


def test_a_renderer_is_judged_against_the_warp_and_the_real_frames():
    found = rows(REAL, STILL, WARP, GUIDED, least_mouth=0.756)
    asked = {name: row.asked for name, row in found.items()}
    assert asked["SSIM"] == asked["eye sharpness over real"] == "≥ warp"
    assert asked["LMD"] == "≤ warp"
    assert asked["CPBD"] == "≥ warp, within 10% of real"
    assert asked["SSIM, mouth"] == "≥ warp, ≥ 0.756"
    assert asked["frames without a face"] == ""
    judged = {name: row.passed for name, row in found.items() if row.asked}
    assert all(judged.values())
    assert found["flicker over real"].values["guided"] == pytest.approx(1.2)
    assert found["LMD"].values["still"] is None
    assert found["frames without a face"].values["still"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("name", "change"),
    [("SSIM", {"ssim": 0.69}), ("SSIM, face", {"face_ssim": 0.69}),
     ("SSIM, mouth", {"mouth_ssim": 0.59}), ("LMD", {"landmark_distance": 1.6}),
     ("LMD, mouth", {"mouth_distance": 1.41}), ("CPBD", {"sharpness": 0.45}),
     ("CPBD", {"sharpness": 0.56}), ("eye sharpness over real", {"eye_sharpness": 0.8}),
     ("identity similarity", {"identity": 0.67}), ("flicker over real", {"flicker": 2.5})],
)  # fmt: skip
def test_what_falls_behind_is_told(name, change):
    found = rows(REAL, WARP, replace(GUIDED, **change))
    assert [row.name for row in found.values() if row.passed is False] == [name]


def test_eyes_that_are_the_warps_are_as_sharp():
    alike = replace(GUIDED, eye_sharpness=WARP.eye_sharpness - 1e-6)
    assert rows(REAL, WARP, alike)["eye sharpness over real"].passed
    duller = replace(GUIDED, eye_sharpness=WARP.eye_sharpness - 1e-4)
    assert rows(REAL, WARP, duller)["eye sharpness over real"].passed is False


def test_the_warp_alone_is_judged_against_the_real_frames_and_baselines_are_not_judged():
    asked = {name: row.asked for name, row in rows(REAL, WARP).items() if row.asked}
    assert set(asked) == {"CPBD", "identity similarity", "flicker over real"}
    assert not any(row.asked for row in rows(REAL, WARP, STILL).values())


def test_figures_are_means_over_clips_of_what_was_measured():
    other = replace(REAL, clip="b", flicker=4.0), replace(WARP, clip="b", ssim=0.9, flicker=2.0)
    found = rows(REAL, WARP, *other)
    assert found["SSIM"].values == {"real": 1.0, "warp": pytest.approx(0.8)}
    assert found["flicker over real"].values["warp"] == pytest.approx((1.1 + 0.5) / 2)
    alone = [replace(score, identity=None) for score in (REAL, WARP)]
    assert "identity similarity" not in rows(*alone)
    frozen = replace(REAL, flicker=0.0)
    assert "flicker over real" not in rows(frozen, WARP)


def test_tables_are_markdown():
    scores = [REAL, STILL, WARP]
    lines = markdown(video_figures(scores), scores).splitlines()
    assert lines[0] == "| figure | real | still | warp | asked |  |"
    assert lines[1] == "|---|---|---|---|---|---|"
    assert "| CPBD | 0.500 |  | 0.460 | within 10% of real | yes |" in lines
    assert lines[-1].startswith("| a | warp | 9 | 0 | 0.700 |")
    assert len({line.count("|") for line in lines[: lines.index("")]}) == 1


def test_identity_compares_different_moments_only():
    one, other = np.zeros(128), np.zeros(128)
    other[0] = 0.5
    assert identity_similarity(np.stack([one, other]), np.stack([one, other])) == 0.5
    assert identity_similarity(np.stack([one, other]), np.stack([other, one])) == 1
    lost = np.full(128, np.nan)
    assert identity_similarity(np.stack([lost, other]), np.stack([one, other])) == 0.5
    assert identity_similarity(np.stack([lost, lost]), np.stack([one, other])) is None
