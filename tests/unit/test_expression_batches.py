import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.network import ExtractorConfig
from osmnet_sdk.research.trainers.expression.batches import Source, at_speed, expression_batches
from osmnet_sdk.research.trainers.expression.clips import (
    ALL_COEFFICIENTS,
    UNKNOWN,
    Clip,
    nothing_known,
)
from osmnet_sdk.research.trainers.expression.data import VoicePlan
from osmnet_sdk.research.trainers.expression.loss import contact_loss
from osmnet_sdk.research.trainers.expression.recipe import PARTS, ExpressionRecipe, without
from osmnet_sdk.research.trainers.expression.recorded_clips import SEEN
from osmnet_sdk.research.trainers.expression.speech_synthesis import Voice

JAW = ARKIT_NAMES.index("jawOpen")
GAIN = np.zeros(52)
GAIN[JAW] = 1.0
SMALL = ExtractorConfig(bands=16, layers=2)
PAST, AHEAD = SMALL.past, SMALL.ahead


def timed(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows and coefficients that tell their own time, in hops of the recording."""
    hops = 4.0 * np.arange(frames + PAST + AHEAD)[:, None] + np.arange(16.0)
    mel = np.repeat(hops[:, None], 16, axis=1).astype(np.float32)
    truth = np.full((frames, 52), 0.5, np.float32)
    truth[:, 0] = 4.0 * (PAST + np.arange(frames)) + 7.5  # the middle of its window
    return mel, truth


@given(factor=st.floats(0.8, 2.1), lead=st.integers(0, 4), frames=st.integers(8, 40))
def test_sound_and_lips_stay_in_step_at_any_speed(factor: float, lead: int, frames: int) -> None:
    needed = int(np.ceil(factor * (frames + PAST + AHEAD))) + 3
    mel, truth = timed(needed - PAST - AHEAD)
    heard, seen = at_speed(mel, truth, factor, frames, PAST, GAIN, lead=lead)
    assert heard.shape == (frames + PAST + AHEAD, 16, 16)
    assert seen.shape == (frames, 52)
    middle = heard[PAST : PAST + frames, 0, 7:9].mean(1)
    # Coefficients come from the nearest frame, 2 hops off at most.
    assert np.abs(seen[:, 0] - middle - lead)[:-1].max() <= 2.01
    assert np.diff(middle)[:-2] == pytest.approx(4 * factor, rel=0.01)


def test_a_closure_between_two_frames_is_not_lost_at_twice_the_speed() -> None:
    mel, truth = timed(140)
    truth[:, JAW] = 0.3
    closed = np.arange(11, 130, 10)  # every other frame is shown, the even ones
    truth[closed, JAW] = 0.0
    _, seen = at_speed(mel, truth, 2.0, 60, PAST, GAIN)
    runs = np.diff((seen[:, JAW] == 0).astype(int)) == 1
    assert runs.sum() >= 10


def recipe(**changes: object) -> ExpressionRecipe:
    values = {"voices": (), "batch": 200, "frames": 16, "masking": 0.0, "band_limit": 0.0}
    return ExpressionRecipe(**{**values, "config": SMALL, **changes})


def marked(value: float, frames: int = 80) -> Clip:
    mel, _ = timed(frames)
    truth = np.full((frames, 52), value, np.float16)
    return Clip(mel.astype(np.float16), truth, ALL_COEFFICIENTS, nothing_known())


def test_sources_make_up_their_shares_of_a_batch() -> None:
    batch = expression_batches(
        [Source([marked(0.1), marked(0.1)], 0.75), Source([marked(0.9, 400)], 0.25)],
        recipe(tempo=0.5), GAIN,
    )  # fmt: skip
    mel, truth, mask, alpha, said = batch(3)
    assert (said == UNKNOWN).all()
    assert mel.shape == (200, 28, 16, 16)
    assert mask.shape == (200, 1, 52)
    assert alpha.shape == (200, 50)
    assert float((truth[:, 0, 0] > 0.5).float().mean()) == pytest.approx(0.25, abs=0.1)
    torch.testing.assert_close(batch(3)[0], mel)
    assert not torch.equal(batch(4)[0], mel)


def test_contact_is_asked_of_lips_that_surely_touch_or_part() -> None:
    gain = torch.from_numpy(GAIN).float()
    all_known, tracked = torch.ones(1, 1, 52), torch.from_numpy(SEEN)[None, None]

    def loss(gap: float, true: float, mask: torch.Tensor = all_known) -> float:
        lips = torch.zeros(1, 4, 52)
        shown, wanted = lips.clone(), lips.clone()
        shown[..., JAW], wanted[..., JAW] = gap, true
        return float(contact_loss(shown, wanted, mask, gain))

    assert loss(0.0, 0.0) < 0.1 < 1.0 < loss(0.08, 0.0)  # a P that stays open
    assert loss(0.1, 0.1) < 0.1 < 1.0 < loss(0.0, 0.1)  # a T that closes
    assert loss(0.0, 0.04) == 0.0  # nearly touching: not decided
    assert loss(0.0, 0.1, tracked) == 0.0


def test_parts_are_left_out_of_a_recipe() -> None:
    voices = tuple(
        VoicePlan(voice=Voice(engine=engine, name="x"), minutes=1)
        for engine in ("flite", "espeak-ng")
    )
    whole = recipe(voices=voices, facegood_copies=2, recorded_copies=3)
    assert without(whole, []) == whole
    less = without(whole, ["flite", "facegood", "landmarks"])
    assert [plan.voice.engine for plan in less.voices] == ["espeak-ng"]
    assert (less.facegood_copies, less.recorded_copies, less.landmark_weight) == (0, 3, 0.0)
    with pytest.raises(InputError, match="has no part 'noses'"):
        without(whole, ["noses"])
    with pytest.raises(InputError, match="no voice left"):
        without(whole, ["flite", "espeak-ng"])
    assert {"recorded", "facegood", "landmarks", "contact", "festival"} <= set(PARTS)


def test_stretches_of_speech_keep_sound_lips_and_phones_in_step() -> None:
    config = ExtractorConfig(features="speech", speech=4, layers=1, ahead=0)
    steps = np.arange(2 * (config.past + 80) + 3)[:, None] - 2.0 * config.past - 1  # of features
    truth = np.repeat(np.arange(80.0)[:, None], 52, axis=1)
    said = np.stack([np.arange(160) % 20, np.ones(160)], axis=1)
    clip = Clip(
        np.repeat(steps, 4, axis=1).astype(np.float16), truth.astype(np.float16),
        ALL_COEFFICIENTS, said.astype(np.int16),
    )  # fmt: skip
    heard, seen, _, _, found = expression_batches(
        [Source([clip], 1.0)], recipe(config=config, batch=20), GAIN
    )(0)
    assert heard.shape == (20, 2 * (config.past + 16) + 3, 4)
    first = seen[:, 0, 0]
    assert len(first.unique()) > 3
    torch.testing.assert_close(heard[:, 2 * config.past + 1, 0], 2 * first)
    torch.testing.assert_close(found[:, 0, 0, 0], (2 * first % 20).long())
    assert (found[..., 1] == 1).all()
