from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.network import ExtractorConfig
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.trainers.expression.augmentation import AugmentationConfig
from osmnet_sdk.research.trainers.expression.clips import hears
from osmnet_sdk.research.trainers.expression.recorded_clips import SEEN, mended, recorded_clips
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

JAW, CLOSE, PUCKER = (ARKIT_NAMES.index(n) for n in ("jawOpen", "mouthClose", "mouthPucker"))


@pytest.fixture(scope="module")
def geometry() -> LipGeometry:
    return LipGeometry.from_model(load_face_model(find_bundle()))


def tracked(frames: int = 100, own: float = 0.4) -> np.ndarray:
    """A mouth that opens and shuts, of a speaker with pouting lips that never quite meet."""
    result = np.zeros((frames, 52))
    result[:, JAW] = 0.25 + 0.15 * np.sin(np.arange(frames) / 3)
    result[:, PUCKER] = own
    return result


def test_lips_meet_and_keep_their_movement_without_the_speakers_own_shape(
    geometry: LipGeometry,
) -> None:
    before = tracked()
    after = mended(before, geometry).astype(float)
    gap, was = geometry.gap(after) - geometry.rest, geometry.gap(before)
    assert was.min() > 0.04
    assert np.percentile(gap, 4) == pytest.approx(0.0, abs=0.01)
    assert np.corrcoef(gap, was)[0, 1] > 0.98
    assert gap.std() == pytest.approx(was.std(), rel=0.1)
    assert after[:, PUCKER].max() < 0.01


@given(seed=st.integers(0, 10_000), frames=st.integers(1, 40))
def test_any_track_stays_in_range(geometry: LipGeometry, seed: int, frames: int) -> None:
    after = mended(np.random.default_rng(seed).random((frames, 52)), geometry)
    assert after.shape == (frames, 52)
    assert after.min() >= 0
    assert after.max() <= 1


def clip(name: str, frames: int, heard: bool = True) -> TrainingClip:
    track = ExpressionTrack(FPS, tracked(frames).astype(np.float32))
    still = np.zeros((frames, 3), np.float32)
    sound = np.random.default_rng(0).normal(0, 0.1, frames * 640).astype(np.float32)
    take: Any = Take(MotionTrack(FPS, still, still), track)
    return TrainingClip(name, name, take, sound if heard else None)


def test_real_clips_are_cut_and_the_first_version_is_as_recorded(geometry: LipGeometry) -> None:
    clips = [clip("anna", 500), clip("silent", 300, heard=False), clip("ben", 90)]
    config, rng = ExtractorConfig(), np.random.default_rng(1)
    hear = hears(config)
    context = config.past + config.ahead
    made = list(recorded_clips(clips, geometry, hear, AugmentationConfig(), rng, copies=2))
    assert [len(one.coefficients) for one in made] == [250] * 4 + [90] * 2
    assert all(len(one.heard) == len(one.coefficients) + context for one in made)
    assert all((one.mask == SEEN).all() for one in made)
    plain = list(recorded_clips(clips, geometry, hear, None, rng, copies=1))
    np.testing.assert_array_equal(made[0].heard, plain[0].heard)
    assert not np.array_equal(made[1].heard, plain[0].heard)
    np.testing.assert_array_equal(made[1].coefficients, plain[0].coefficients)


def test_eyes_and_brows_are_not_learned() -> None:
    left_out = {name for name, seen in zip(ARKIT_NAMES, SEEN, strict=True) if not seen}
    assert {"eyeBlinkLeft", "eyeLookUpRight", "browInnerUp"} <= left_out
    assert not any(name.startswith(("mouth", "jaw")) for name in left_out)
