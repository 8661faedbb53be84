"""Lips of speakers measured on networks that never saw them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pipeline.test_expression_training import RECIPE, loud_opens_clips

from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.research.data.clips import TrainingClip
from osmnet_sdk.research.evaluation.expression import folds as expression_folds
from osmnet_sdk.research.evaluation.expression.folds import (
    ExpressionFolds,
    fold_networks,
    folded_recipe,
)
from osmnet_sdk.research.trainers.expression.train import ExpressionData
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take


def clip(speaker: str, seed: int) -> TrainingClip:
    rng = np.random.default_rng(seed)
    lips = np.zeros((60, 52), np.float32)
    lips[:, ARKIT_NAMES.index("jawOpen")] = rng.random(60) * 0.4
    still = np.zeros((60, 3), np.float32)
    take: Any = Take(MotionTrack(FPS, still, still), ExpressionTrack(FPS, lips))
    return TrainingClip(speaker, speaker, take, rng.normal(0, 0.1, 38400).astype(np.float32))


def test_each_speaker_gets_a_network_of_the_others_and_none_is_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "recipe.json"
    small = {"steps": 3, "finishing_steps": 3, "recorded_copies": 1, "landmark_weight": 0.01}
    recipe.write_text(RECIPE.model_copy(update=small).model_dump_json())
    folds = ExpressionFolds(recipe, 2, tmp_path / "models", without=["landmarks"])
    settings = folded_recipe(folds)
    assert settings.landmark_weight == 0.0

    made: list[list[str]] = []
    learned = expression_folds.recorded_data

    def watched(recipe: Any, clips: list[TrainingClip], *heard: Any) -> Any:
        made.append([one.speaker for one in clips])
        return learned(recipe, clips, *heard)

    monkeypatch.setattr(expression_folds, "recorded_data", watched)
    monkeypatch.setattr(
        expression_folds, "prepare_data", lambda *_, **__: ExpressionData(loud_opens_clips(2), [])
    )
    clips = [clip(name, seed) for seed, name in enumerate(("anna", "ben", "cem"))]
    model = load_face_model(find_bundle())
    networks = fold_networks(clips, folds, settings, model)
    assert sorted(networks) == ["anna", "ben", "cem"]
    assert len(made) == 2
    for others in made:
        held_out = {"anna", "ben", "cem"} - set(others)
        assert len({id(networks[name]) for name in held_out}) == 1
        assert not any(networks[name] is networks[next(iter(held_out))] for name in others)
    again = fold_networks(clips, folds, settings, model)
    assert len(made) == 2
    for name, network in networks.items():
        np.testing.assert_array_equal(
            again[name].out.weight.detach().numpy(), network.out.weight.detach().numpy()
        )
