"""Brow raises are measured as they were made, whatever leaks into tracked brows."""

import numpy as np
import pytest

from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.evaluation.expression.brow_rows import brow_figures, brow_height, brow_rows
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

FRAMES = 1500
INNER, BLINK = ARKIT_NAMES.index("browInnerUp"), ARKIT_NAMES.index("eyeBlinkLeft")


@pytest.fixture(scope="module")
def model():
    return load_face_model(find_bundle())


def clip(raised, leak=0.0, seed=0):
    """A minute of syllables with pauses of 3 s; brows rise by 0.5 at some frames, and leak."""
    rng = np.random.default_rng(seed)
    times = np.arange(FRAMES)
    blink = np.exp(-(((times[:, None] - np.arange(40, FRAMES, 97)) / 3.0) ** 2)).sum(axis=1)
    pitch = 5 * np.sin(times / 9.0)
    shape = np.exp(-(((times[:, None] - np.asarray(raised)) / 5.0) ** 2)).sum(axis=1)
    coefficients = np.zeros((FRAMES, 52))
    coefficients[:, BLINK] = np.clip(blink, 0, 1)
    coefficients[:, INNER] = np.clip(0.5 * shape + leak * (0.1 * pitch + 0.3 * blink) + 0.2, 0, 1)
    rotation = np.stack([pitch, 0 * pitch, 0 * pitch], axis=1)
    take = Take(
        MotionTrack(FPS, rotation, np.zeros((FRAMES, 3))), ExpressionTrack(FPS, coefficients)
    )
    loud = 0.05 + 0.3 * np.exp(-(((times[:, None] - np.asarray(raised) - 4) / 3.0) ** 2)).sum(1)
    heard = np.repeat(loud * (1 + 0.5 * np.sin(times)) * (times % 375 < 300), 640)
    samples = (heard * rng.standard_normal(len(heard))).astype(np.float32)
    return TrainingClip(
        "c", "s", take, samples + np.float32(1e-4) * rng.standard_normal(len(heard))
    )


RAISED = [60, 130, 205, 270, 420, 500, 570, 640, 800, 880, 1000, 1200, 1270, 1340]


def test_height_is_that_of_the_brows_on_the_head(model):
    coefficients = np.zeros((2, 52))
    coefficients[1, [INNER, ARKIT_NAMES.index("jawOpen")]] = 1.0
    still, raised = brow_height(model, coefficients)
    assert still == 0
    assert 1 < raised < 5


@pytest.mark.parametrize("leak", [0.0, 0.3])
def test_raises_are_counted_and_what_leaks_is_not(model, leak):
    one = clip(RAISED, leak)
    found = brow_figures(one, brow_height(model, one.take.expression.coefficients))
    made = 0.5 * brow_height(model, np.eye(52)[INNER : INNER + 1])[0]
    minutes = 300 / 375 * FRAMES / 1500
    assert found.rate == pytest.approx(len(RAISED) / minutes, rel=0.2)
    assert np.median(found.sizes) == pytest.approx(made, rel=0.25)
    assert np.median(found.durations) == pytest.approx(2 * 5 * np.sqrt(np.log(2)) / 25, rel=0.25)
    assert np.argmax(found.correlations) - 10 == pytest.approx(-4, abs=1)
    assert found.silent is not None


def test_rows_set_takes_beside_what_was_tracked(model):
    rows = {row.name: row for row in brow_rows([clip(RAISED), clip(RAISED[::2], seed=1)], model)}
    assert len(rows) == 6
    rate = rows["brow raises of 0.75 mm and more"]
    assert rate.values["real"] > 8
    assert rate.value > 3
    assert rows["brow raises in silence of 2 s and more"].value == 0
    assert rows["brow height: correlation with loudness"].values["real"] > 0.3


def test_brows_that_never_rose_make_no_rows(model):
    assert brow_rows([clip([])], model) == []
    assert brow_rows([], model) == []
