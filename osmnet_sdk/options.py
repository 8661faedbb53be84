"""Options of the public calls: frozen, validated, each field with unit, range and default."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osmnet_sdk.errors import InputError

Gain = Annotated[float, Field(ge=0.0, le=3.0)]


class Options(BaseModel):
    """Base of all options: frozen, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or type(self).__name__
            raise InputError(
                f"Option '{name}' cannot be {first['input']!r}: {first['msg'].lower()}."
            ) from None

    def changed(self) -> dict[str, Any]:
        """The fields that differ from their defaults, as plain values for provenance."""
        return self.model_dump(exclude_defaults=True)


class SampleOptions(Options):
    """How head motion, blinks and gaze are sampled."""

    epsilon: float = Field(default=1.0, ge=0.0, le=3.0)
    """Radius of the sampling ball around the centre feature (paper eq. 5), no unit; 1 is the
    median distance of real clips, 0 gives the centre motion alone."""

    intensity: Gain = 1.0
    """Gain on all rotation and translation, 0 to 3; 0 keeps the head still."""

    pitch: Gain = 1.0
    """Gain on pitch, 0 to 3."""

    yaw: Gain = 1.0
    """Gain on yaw, 0 to 3."""

    roll: Gain = 1.0
    """Gain on roll, 0 to 3."""

    translation: Gain = 1.0
    """Gain on translation, 0 to 3."""

    blinks_per_minute: float = Field(default=14.0, ge=0.0, le=30.0)
    """Mean blink rate, blinks per minute, 0 to 30; 0 switches blinks off."""

    gaze: Gain = 1.0
    """Gain on small gaze shifts, 0 to 3."""


class ExpressionOptions(Options):
    """How expression is predicted from sound."""

    intensity: Gain = 1.0
    """Gain on all coefficients, 0 to 3; results stay within [0, 1]."""

    rest_in_silence: bool = True
    """Whether the mouth is brought to rest where nobody speaks."""
