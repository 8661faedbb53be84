"""Predicted against tracked lips on made-up clips."""

from __future__ import annotations

import numpy as np
import pytest

from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.errors import InputError
from osmnet_sdk.face.model import FaceModel, load_face_model
from osmnet_sdk.motion.shaping import smooth
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.evaluation.expression.tracked_lips import (
    jitter,
    lagged_correlations,
    lips_seen,
    measurable,
    tracked_clip,
    tracked_rows,
)
from osmnet_sdk.research.evaluation.table import Figure
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

JAW = ARKIT_NAMES.index("jawOpen")


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model(find_bundle())


def opening(frames: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(frames)
    return np.asarray(0.15 + 0.15 * np.clip(2 * smooth(noise, 1.5), -1, 1))


def clip(seed: int, frames: int = 150, *, sound: bool = True, lag: float = 0.0) -> TrainingClip:
    track = np.zeros((frames, 52), np.float32)
    track[:, JAW] = opening(frames, seed)
    motion = MotionTrack(FPS, np.zeros((frames, 3)), np.zeros((frames, 3)))
    rest = np.array([0.0, 0.0, -1.0])
    take = Take(motion, ExpressionTrack(FPS, track), np.zeros(3), rest)
    samples = np.full(640 * frames, seed, np.float32) if sound else None
    return TrainingClip(f"c{seed}", f"s{seed // 2}", take, samples, lag)


def predictor(change=lambda values: values):
    """Coefficients of the clip whose number the samples are, changed."""

    def predict(samples: np.ndarray) -> np.ndarray:
        track = np.zeros((len(samples) // 640, 52), np.float32)
        track[:, JAW] = change(opening(len(track), int(samples[0])))
        return track

    return predict


def rows(model: FaceModel, change=lambda values: values) -> dict[str, Figure]:
    clips = [tracked_clip(clip(seed), predictor(change), model) for seed in range(6)]
    found = tracked_rows(clips)
    assert {(row.clips, row.speakers) for row in found} == {(6, 3)}
    return {row.name: row for row in found}


def test_lags_are_those_of_the_tracked_lips() -> None:
    gap = opening(200, 1)
    later = np.roll(gap, 3)
    lags, found = lagged_correlations(gap, later)
    assert lags[found.argmax()] == pytest.approx(0.12)
    assert found.max() > 0.99
    lags, found = lagged_correlations(later, gap)
    assert lags[found.argmax()] == pytest.approx(-0.12)
    assert lagged_correlations(gap, later, [0.12])[1][0] > 0.99
    assert not lagged_correlations(np.zeros(50), gap[:50])[1].any()


def test_the_same_lips_pass(model: FaceModel) -> None:
    found = rows(model)
    assert all(row.passed for row in found.values())
    assert found["mouth LMD from tracked lips, true pose, 256²"].value == 0
    assert found["lip gap: correlation with tracked, offset taken out"].value == pytest.approx(1)


def test_lips_that_come_late_are_found_out(model: FaceModel) -> None:
    found = rows(model, lambda values: np.roll(values, 3))
    assert found["best lag of tracked lips, offset taken out"].value == pytest.approx(-120)
    assert not found["best lag of tracked lips, offset taken out"].passed
    assert not found["clips whose best lag is within ±40 ms"].passed
    assert not found["lip gap: correlation with tracked, offset taken out"].passed
    assert found["lip gap: correlation with tracked, at each clip's best lag"].passed


def test_lips_that_shake_are_found_out(model: FaceModel) -> None:
    shake = 0.06 * (np.arange(150) % 2)
    found = rows(model, lambda values: values + shake)
    assert not found["jitter of the lip gap (mean second difference)"].passed
    assert found["clips whose best lag is within ±40 ms"].passed


def test_a_mouth_that_gapes_is_found_out(model: FaceModel) -> None:
    found = rows(model, lambda values: values + 0.6)
    assert not found["mouth LMD from tracked lips, true pose, 256²"].passed
    assert found["lip gap: correlation with tracked, offset taken out"].passed


def test_the_offset_of_a_clip_is_put_back_for_the_recorded_sound(model: FaceModel) -> None:
    found = tracked_clip(clip(1, lag=0.12), predictor(), model)
    assert found.offset == 0.12
    assert found.correlation == pytest.approx(1)
    assert found.raw_correlation < 0.8


def test_lips_are_seen_at_the_size_of_a_crop(model: FaceModel) -> None:
    take = clip(0).take
    still = lips_seen(model, take, np.zeros((150, 52)))
    assert still.shape == (150, 40, 2)
    width = np.ptp(still[0, :, 0])
    mouth = np.ptp(model.landmark_mean[[61, 291], 0])
    assert width == pytest.approx(1024 * mouth, rel=0.15)  # 1 m away, 4 · 256 pixels to the metre
    assert np.abs(still.mean(axis=(0, 1))[0] - 127.5) < 1
    jaw = np.zeros((150, 52))
    jaw[:, JAW] = 0.5
    assert (lips_seen(model, take, jaw) - still)[0, :, 1].max() > 5  # down is positive


def test_only_clips_with_enough_sound_are_measured(model: FaceModel) -> None:
    clips = [clip(0), clip(1, frames=40), clip(2, sound=False)]
    assert [one.name for one in measurable(clips)] == ["c0"]
    with pytest.raises(InputError, match="no sound"):
        tracked_clip(clips[2], predictor(), model)


def test_jitter_is_the_second_difference() -> None:
    assert jitter(np.linspace(0, 1, 30)) == pytest.approx(0, abs=1e-12)
    assert jitter(np.arange(30) % 2) == pytest.approx(2)
