"""What all training recipes have in common: one JSON file that decides what training makes."""

from __future__ import annotations

import os
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from osmnet_sdk.core.reading import read_small
from osmnet_sdk.errors import InputError


class Recipe(BaseModel):
    """A recipe; names that it does not know are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
