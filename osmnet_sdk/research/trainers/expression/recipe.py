"""Recipe of the training of the Expression Feature Extractor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import Field

from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.network import LANDMARK_WEIGHT, ExtractorConfig
from osmnet_sdk.research.trainers.expression.augmentation import AugmentationConfig
from osmnet_sdk.research.trainers.expression.data import VoicePlan
from osmnet_sdk.research.trainers.expression.speech_synthesis import Engine
from osmnet_sdk.research.trainers.recipes import Recipe, Weight

_LESS: dict[str, dict[str, Any]] = {
    "recorded": {"recorded_copies": 0},
    "facegood": {"facegood_copies": 0},
    "landmarks": {"landmark_weight": 0.0},
    "contact": {"contact_weight": 0.0},
}
PARTS = (*_LESS, *get_args(Engine))
"""What `without` can leave out: sources, losses, engines of speech."""


class ExpressionRecipe(Recipe):
    """All that decides what training makes; stored as JSON in models/recipes."""

    texts: str = "speech_texts.json"
    """File of lines to read by language, beside the recipe."""
    config: ExtractorConfig = ExtractorConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    voices: tuple[VoicePlan, ...]
    """Synthetic voices to learn from."""
    validation: tuple[VoicePlan, ...] = ()
    """Synthetic voices that are only listened to for validation."""
    still_clips: int = Field(default=120, ge=0)
    """Clips of 4 s of noise or music, to which the mouth keeps still."""
    held_clips: int = Field(default=0, ge=0)
    """Clips of vowels that are held, sung or whispered; of use with features of speech alone."""
    facegood_copies: int = Field(default=0, ge=0, le=20)
    """Augmented versions of the FACEGOOD recordings; 0 leaves them out."""
    recorded_copies: int = Field(default=0, ge=0, le=20)
    """Versions of each tracked clip of a real speaker, one as recorded and the others augmented; 0
    leaves real speakers out."""
    masking: float = Field(default=0.4, ge=0.0, le=1.0)
    """Share of stretches with other sound laid over them as they are shown."""
    band_limit: float = Field(default=0.15, ge=0.0, le=1.0)
    """Share of stretches whose high and low bands are softened as they are shown."""
    tempo: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of stretches shown at 0.8 to 2.1 times their speed."""
    lead: int = Field(default=0, ge=0, le=4)
    """Hops of 10 ms by which made-up lips come before the sound that they were made for, as those
    of real speakers do."""
    closure_weight: float = Field(default=2.0, ge=0.0, le=20.0)
    """Weight of frames in which the lips are pressed together or the lower one lies under the
    teeth; others have 1."""
    phone_weight: Weight = 0.0
    """Weight of the cross-entropy of phones, with features of speech."""
    voice_weight: Weight = 0.0
    """Weight of the cross-entropy of whether a voice is heard, with features of speech."""
    contact_weight: Weight = 0.0
    """Weight of the loss that asks whether lips touch at all (`contact_loss`)."""
    start: str = ""
    """Weights beside the recipe that stand in for the first stage; empty begins from nothing."""
    steps: int = Field(default=4000, ge=1)
    """Of the first stage, which learns from all but real clips."""
    cycles: int = Field(default=1, ge=1)
    """Times that the first stage's learning rate falls from its highest, in as many equal parts of
    its steps (SGDR, Loshchilov and Hutter 2017)."""
    finishing_steps: int = Field(default=0, ge=0)
    """Of the second stage, which learns from real clips as well."""
    recorded_share: float = Field(default=0.4, ge=0.0, lt=1.0)
    """Share of a batch that are real clips, in the second stage."""
    finished_share: float = Field(default=1.0, gt=0.0, le=1.0)
    """Share of the second stage's weights in those that are written; the rest are the weights
    before it. Their mean keeps more of what the first stage knew."""
    batch: int = Field(default=24, ge=1)
    """Stretches in a batch."""
    frames: int = Field(default=64, ge=1)
    """Frames in a stretch."""
    learning_rate: float = Field(default=1e-3, gt=0.0)
    """Of Adam at its highest in the first stage; it falls to 2 % of that along a cosine, in each
    cycle."""
    finishing_learning_rate: float = Field(default=3e-4, gt=0.0)
    """The same in the second stage."""
    landmark_weight: Weight = LANDMARK_WEIGHT
    """λ_ldmk; 0 trains without the landmark loss."""

    def first_stage(self) -> ExpressionRecipe:
        """The recipe of the first stage alone; what only the second one reads is at its default."""
        names = (
            "recorded_copies",
            "finishing_steps",
            "recorded_share",
            "finished_share",
            "finishing_learning_rate",
            "start",
        )
        defaults = {name: type(self).model_fields[name].default for name in names}
        return self.model_copy(update=defaults)


def without(recipe: ExpressionRecipe, parts: Sequence[str]) -> ExpressionRecipe:
    """The recipe less some of its parts, to see what each is good for.

    Args:
        recipe: the whole.
        parts: of `PARTS`.

    Raises:
        InputError: if there is no such part, or no voice is left.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise InputError(f"A recipe has no part '{unknown[0]}'; choose from {', '.join(PARTS)}.")
    changes: dict[str, Any] = {}
    for name, change in _LESS.items():
        if name in parts:
            changes |= change
    voices = tuple(plan for plan in recipe.voices if plan.voice.engine not in parts)
    if recipe.voices and not voices:
        raise InputError("Without these parts the recipe has no voice left; keep an engine.")
    return recipe.model_copy(update={**changes, "voices": voices})
