"""Training of the Expression Feature Extractor on made-up sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import Cancelled, InputError, ModelError
from osmnet_sdk.expression.network import ExtractorConfig
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.research.trainers import loop
from osmnet_sdk.research.trainers.expression.clips import (
    ALL_COEFFICIENTS,
    Clip,
    nothing_known,
)
from osmnet_sdk.research.trainers.expression.recipe import ExpressionRecipe
from osmnet_sdk.research.trainers.expression.train import (
    ExpressionData,
    starting_weights,
    train_expression,
)
from osmnet_sdk.research.trainers.loop import TrainingRun

RECIPE = ExpressionRecipe(
    config=ExtractorConfig(
        bands=16, layers=1, ahead=1, identity=50, width=16, hidden=16, dropout=0.0
    ),
    voices=(),
    steps=60,
    batch=6,
    frames=32,
    learning_rate=1e-2,
    still_clips=0,
)


def loud_opens_clips(count: int) -> list[Clip]:
    """Clips in which the mouth opens where the sound is loud."""
    clips = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        loud = np.repeat(rng.random(8) < 0.5, 8)
        mel = np.where(np.pad(loud, (3, 1))[:, None, None], -3.0, -9.0) + np.zeros((68, 16, 16))
        truth = np.zeros((64, 52))
        truth[:, ARKIT_NAMES.index("jawOpen")] = 0.4 * loud
        heard, seen = mel.astype(np.float16), truth.astype(np.float16)
        clips.append(Clip(heard, seen, ALL_COEFFICIENTS, nothing_known()))
    return clips


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as `osmnet train` does
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model() -> Any:
    return load_face_model(find_bundle())


def test_training_learns_and_resumes_where_it_stopped(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = loud_opens_clips(6)
    data = ExpressionData(clips, clips[:1])
    whole = tmp_path / "whole.safetensors"
    loss = train_expression(RECIPE, data, model, TrainingRun(tmp_path / "whole"), out=whole)
    curves = EventAccumulator(str(tmp_path / "whole")).Reload()
    losses = [event.value for event in curves.Scalars("expression/total")]
    assert losses[-1] < 0.5 * losses[0]
    (validation,) = curves.Scalars("expression/validation")
    assert validation.step == 60
    assert validation.value == pytest.approx(loss, rel=1e-5)

    monkeypatch.setattr(loop, "CHECKPOINT_STEPS", 20)
    half = tmp_path / "half.safetensors"
    steps = iter(range(1000))
    with pytest.raises(Cancelled):
        train_expression(
            RECIPE,
            data,
            model,
            TrainingRun(tmp_path / "half", cancel=lambda: next(steps) >= 30),
            out=half,
        )
    assert not half.exists()
    train_expression(RECIPE, data, model, TrainingRun(tmp_path / "half"), out=half)
    resumed = load_file(half)
    for name, value in load_file(whole).items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)


def test_the_learning_rate_falls_once_in_each_cycle(model: Any, tmp_path: Path) -> None:
    clips = loud_opens_clips(2)
    recipe = RECIPE.model_copy(update={"steps": 40, "cycles": 2})
    train_expression(
        recipe,
        ExpressionData(clips, []),
        model,
        TrainingRun(tmp_path),
        out=tmp_path / "a.safetensors",
    )
    curves = EventAccumulator(str(tmp_path)).Reload()
    rates = {event.step: event.value for event in curves.Scalars("expression/learning rate")}
    assert rates[10] == pytest.approx(rates[30])
    assert rates[20] == pytest.approx(rates[40])
    assert rates[20] < 0.5 * rates[10]


def test_training_needs_clips_that_are_long_enough(model: Any, tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"frames": 100})
    data = ExpressionData(loud_opens_clips(2), [])
    with pytest.raises(InputError, match="100 frames"):
        train_expression(recipe, data, model, TrainingRun(tmp_path), out=tmp_path / "a.safetensors")


def test_finishing_learns_from_real_speakers_and_from_weights_that_are_given(
    model: Any, tmp_path: Path
) -> None:
    clips = loud_opens_clips(4)
    wider = [replace(clip, coefficients=clip.coefficients * np.float16(2)) for clip in clips]
    data = ExpressionData(clips, wider[:1], wider)
    first = tmp_path / "first.safetensors"
    before = train_expression(RECIPE, data, model, TrainingRun(tmp_path / "first"), out=first)
    recipe = RECIPE.model_copy(
        update={"finishing_steps": 40, "finishing_learning_rate": 5e-3, "recorded_share": 0.9}
    )
    whole = tmp_path / "whole.safetensors"
    after = train_expression(recipe, data, model, TrainingRun(tmp_path / "whole"), out=whole)
    assert after < 0.6 * before
    started = tmp_path / "started.safetensors"
    train_expression(
        recipe,
        data,
        model,
        TrainingRun(tmp_path / "started"),
        out=started,
        start=starting_weights(first),
    )
    # The same steps; the weights that it starts from are rounded to half precision.
    for name, value in load_file(whole).items():
        np.testing.assert_allclose(load_file(started)[name], value, atol=0.02)


def test_weights_to_start_from_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"bad\.safetensors' is no safetensors file"):
        starting_weights(bad)


def test_finished_weights_are_mixed_with_those_before(model: Any, tmp_path: Path) -> None:
    data = ExpressionData(loud_opens_clips(4), [], loud_opens_clips(4))
    first = tmp_path / "first.safetensors"
    train_expression(RECIPE, data, model, TrainingRun(tmp_path / "first"), out=first)
    made = {}
    for share in (1.0, 0.25):
        recipe = RECIPE.model_copy(update={"finishing_steps": 10, "finished_share": share})
        out = tmp_path / f"{share}.safetensors"
        start = starting_weights(first)
        train_expression(
            recipe, data, model, TrainingRun(tmp_path / str(share)), out=out, start=start
        )
        made[share] = load_file(out)
    for name, before in load_file(first).items():
        wanted = 0.25 * made[1.0][name].astype(float) + 0.75 * before.astype(float)
        np.testing.assert_allclose(made[0.25][name], wanted, atol=2e-3)
