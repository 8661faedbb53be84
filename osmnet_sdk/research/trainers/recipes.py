"""What all training recipes have in common: one JSON file that decides what training makes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osmnet_sdk.core.reading import read_small
from osmnet_sdk.errors import InputError
from osmnet_sdk.research.trainers.feature_extractors import ExtractorName

Weight = Annotated[float, Field(ge=0.0)]
"""Of a loss; 0 leaves it out."""
Share = Annotated[float, Field(ge=0.0, lt=1.0)]


class Recipe(BaseModel):
    """A recipe; names that it does not know are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=1, ge=0)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a recipe (JSON).

        Raises:
            InputError: if the file cannot be read, or holds a name or value that is not allowed.
        """
        try:
            return cls.model_validate_json(read_small(path, "recipe", InputError))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            raise InputError(f"Recipe '{path}': {place}: {first['msg'].lower()}.") from None

    def digest(self, others: Iterable[bytes] = (), *, without: Iterable[str] = ()) -> str:
        """SHA-256, in hex, of the recipe and of what else decides a run.

        Args:
            others: such as the data, piece by piece.
            without: fields of the recipe that do not count.
        """
        digest = hashlib.sha256(self.model_dump_json(exclude=set(without)).encode())
        for piece in others:
            digest.update(piece)
        return digest.hexdigest()


class PictureRecipe(Recipe):
    """A recipe of a network that draws pictures; each has defaults of its own."""

    batch: int = Field(default=8, ge=1)
    frames: int | None = Field(default=None, ge=2)
    """Take only so many frames of each clip, the first; None takes all."""
    reconstruction_weight: Weight = 4.0
    """Of the L1 distance of pixels in [−1, 1]."""
    perceptual_weight: Weight = 0.0
    """Of the distance of feature maps."""
    extractor: ExtractorName = "vgg19"
    """Network whose feature maps are compared; not needed where their losses weigh 0."""
    validation_share: Share = 0.1
    """Share of the frames held out, whole speakers only."""

    @property
    def needs_extractor(self) -> bool:
        """Whether any loss looks at feature maps."""
        return bool(self.perceptual_weight)
