"""Options on expression curves: what is asked for happens, and closed lips stay closed."""

import numpy as np
import pytest
from expression_support import small_extractor, voice
from hypothesis import given, settings
from hypothesis import strategies as st

from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES, SAMPLE_RATE
from osmnet_sdk.expression.adjusting import Adjustment, group_gains
from osmnet_sdk.expression.lips import (
    FREE,
    OVERLAP,
    TOUCH,
    LipGeometry,
    closedness,
    smoothed,
    touched,
)
from osmnet_sdk.expression.predict import ExpressionPredictor
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.options import ExpressionOptions

MODEL = load_face_model(find_bundle())
LIPS = LipGeometry.from_model(MODEL).gain.astype(np.float32)
JAW, CLOSE = ARKIT_NAMES.index("jawOpen"), ARKIT_NAMES.index("mouthClose")
PREDICTOR = ExpressionPredictor(small_extractor())
gains = st.floats(0, 3, width=32)


def adjusted(curves, **options):
    """All frames; smoothing is flushed with the last one."""
    adjustment = Adjustment(ExpressionOptions(**options), LIPS)
    tail = np.repeat(curves[-1:], adjustment.reach, axis=0)
    return np.concatenate([adjustment.push(curves), adjustment.push(tail)])


def speaking(frames=40, seed=0):
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(0.2, 0.2, (frames, 52)), 0, 1).astype(np.float32)


def test_no_options_change_nothing():
    curves = touched(speaking(), LIPS)
    np.testing.assert_allclose(adjusted(curves), curves, atol=1e-6)


def test_every_coefficient_but_the_eyes_is_of_one_group():
    options = ExpressionOptions(jaw=0.5, lips=2.0, brows=3.0, cheeks=0.25)
    of = dict(zip(ARKIT_NAMES, group_gains(options).tolist(), strict=True))
    assert of["jawOpen"] == of["jawLeft"] == 0.5
    assert of["mouthClose"] == of["mouthSmileLeft"] == of["tongueOut"] == 2.0
    assert of["browInnerUp"] == 3.0
    assert of["cheekPuff"] == of["noseSneerRight"] == 0.25
    assert {name for name, gain in of.items() if gain == 1.0} == {
        name for name in ARKIT_NAMES if name.startswith("eye")
    }


@settings(max_examples=60)
@given(jaw=gains, lips=gains, brows=gains, intensity=gains, seed=st.integers(0, 100))
def test_results_are_coefficients_and_closed_lips_stay_closed(jaw, lips, brows, intensity, seed):
    curves = speaking(30, seed)
    curves[::3, CLOSE] = curves[::3, JAW]
    curves = touched(curves, LIPS)
    result = adjusted(curves, jaw=jaw, lips=lips, brows=brows, intensity=intensity)
    assert result.min() >= 0
    assert result.max() <= 1
    closed = (curves @ LIPS <= 1e-4) & (result[:, CLOSE] < 1)
    assert np.all(result[closed] @ LIPS <= 1e-3)
    others = np.delete(np.arange(52), CLOSE)
    expected = np.clip(
        curves * intensity * group_gains(ExpressionOptions(jaw=jaw, lips=lips, brows=brows)), 0, 1
    )
    np.testing.assert_allclose(result[:, others], expected[:, others], atol=1e-5)


def test_single_gains_and_offsets_are_taken_literally():
    curves = touched(speaking(), LIPS)
    result = adjusted(
        curves, gains={"mouthClose": 0.0, "jawOpen": 2.0}, offsets={"browInnerUp": 0.25}
    )
    assert not result[:, CLOSE].any()
    np.testing.assert_allclose(result[:, JAW], np.minimum(2 * curves[:, JAW], 1), atol=1e-6)
    brow = ARKIT_NAMES.index("browInnerUp")
    np.testing.assert_allclose(result[:, brow], np.minimum(curves[:, brow] + 0.25, 1), atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.02, 0.08, 0.2])
def test_smoothing_calms_and_shifts_no_time(smoothing):
    frames = 101
    curves = np.zeros((frames, 52), np.float32)
    curves[:, JAW] = 0.5
    brow = ARKIT_NAMES.index("browInnerUp")
    curves[50, brow] = 1.0
    result = adjusted(curves, smoothing=smoothing)[-frames:]
    assert result[:, brow].sum() == pytest.approx(1, abs=1e-4)
    assert result[:, brow].argmax() == 50
    np.testing.assert_allclose(result[:, brow], result[::-1, brow], atol=1e-6)
    deviation = np.sqrt((result[:, brow] * (np.arange(frames) - 50) ** 2).sum()) / 25
    assert deviation == pytest.approx(smoothing, rel=0.1)
    np.testing.assert_allclose(result[:, JAW], 0.5, atol=1e-6)


def test_smoothing_leaves_a_closure_of_one_frame_closed():
    track = np.zeros((41, 52), np.float32)
    track[:, JAW] = 0.3
    track[20] = touched(track[20:21] + 0.3 * np.eye(52, dtype=np.float32)[CLOSE], LIPS)[0]
    assert track[20] @ LIPS < 1e-4
    joined = np.concatenate([track[:1], track[:1], track])
    assert smoothed(joined, LIPS)[20] @ LIPS < 1e-4
    assert adjusted(track, smoothing=0.08)[-41:][20] @ LIPS < 1e-3


def test_jitter_goes_and_a_steady_movement_keeps_its_time():
    jitter = np.zeros((22, 52), np.float32)
    jitter[:, JAW] = 0.4 + 0.02 * (np.arange(22) % 2)
    assert np.ptp(smoothed(jitter, LIPS)[:, JAW]) < 0.01
    opening = np.zeros((22, 52), np.float32)
    opening[:, JAW] = 0.3 + 0.01 * np.arange(22)
    np.testing.assert_allclose(smoothed(opening, LIPS), opening[2:], atol=1e-6)


def test_lips_are_as_closed_as_they_are_near():
    track = np.zeros((3, 52), np.float32)
    track[1:, JAW] = TOUCH / LIPS[JAW], 1.0
    assert closedness(track, LIPS) == pytest.approx([1.0, np.exp(-1), 0.0], abs=1e-3)


@given(jaw=st.floats(0, 1), close=st.floats(0, 1), press=st.floats(0, 1))
def test_lips_that_come_close_touch_and_do_not_sink_in(jaw, close, press):
    given_values = np.zeros((1, 52), np.float32)
    given_values[0, [JAW, CLOSE]] = jaw, close
    given_values[0, ARKIT_NAMES.index("mouthPressLeft")] = press
    result = touched(given_values, LIPS)
    before, after = float((given_values @ LIPS)[0]), float((result @ LIPS)[0])
    if before >= FREE or close == 1:
        assert after == pytest.approx(before, abs=1e-5) or close == 1
    elif before < TOUCH:
        assert after < 1e-4
        assert MODEL.lip_gap(result)[0] == 0
    assert after > min(-OVERLAP, before) - 1e-4
    assert np.array_equal(np.delete(result, CLOSE, 1), np.delete(given_values, CLOSE, 1))


def test_intensity_scales():
    samples = (voice(2.0), SAMPLE_RATE)
    base = PREDICTOR.predict(samples)
    none = PREDICTOR.predict(samples, options=ExpressionOptions(intensity=0.0))
    half = PREDICTOR.predict(samples, options=ExpressionOptions(intensity=0.5))
    assert not none.coefficients.any()
    np.testing.assert_allclose(half.coefficients, 0.5 * base.coefficients, atol=1e-6)
    assert half.provenance.options == {"intensity": 0.5}
