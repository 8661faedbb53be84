"""Options of the public calls: frozen, validated, each field with unit, range and default.

This is the only list of them: the command line, the engine, Blender's panel and the tables of the
manual are made from the schema of these classes (`core.option_fields`).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from osmnet_sdk.core.named_options import near_name
from osmnet_sdk.core.option_values import (
    LARGEST_ANGLE,
    LARGEST_PLACE,
    ArkitName,
    Axes,
    Gain,
    Offset,
    Pose,
    Seconds,
    TimeRange,
    check_axes,
    checked_range,
)
from osmnet_sdk.errors import InputError

_MAX_TAKES = 1000
_MAX_NUMBER = 2**53
"""Largest seed and number of a take: whole numbers up to here survive every reader of JSON."""

MoodName = Literal["neutral", "happy", "sad", "angry", "surprised", "afraid", "disgusted", "tired"]


def _first_paragraph(schema: dict[str, Any]) -> None:
    """Leave examples and what else is for readers of Python out of the schema."""
    schema["description"] = schema["description"].partition("\n\n")[0]


class Options(BaseModel):
    """Base of all options: frozen, and an unknown name is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra=_first_paragraph,
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or type(self).__name__
            reason = self._range(first["loc"]) or first["msg"].lower()
            if first["type"] == "extra_forbidden":
                kinds: dict[str, type[Options]] = {"limits": Limits, "pins": Pin, "moods": Mood}
                holder = kinds.get(str(first["loc"][0]))
                kind = type(self) if holder is None or len(first["loc"]) == 1 else holder
                reason = near_name(str(first["loc"][-1]), kind.model_fields)
                raise InputError(f"There is no option '{name}'; {reason}") from None
            raise InputError(f"Option '{name}' cannot be {first['input']!r}: {reason}.") from None

    @classmethod
    def _range(cls, location: tuple[int | str, ...]) -> str | None:
        """The range of a field that is one number, in words."""
        field = cls.model_fields.get(str(location[0])) if len(location) == 1 else None
        bounds = {
            name: getattr(bound, name)
            for bound in (field.metadata if field else ())
            for name in ("ge", "le")
            if hasattr(bound, name)
        }
        if len(bounds) < 2:
            return None
        return f"it must be a number from {bounds['ge']:g} to {bounds['le']:g}"

    def changed(self) -> dict[str, Any]:
        """The fields that differ from their defaults, as plain values for provenance."""
        return self.model_dump(mode="json", exclude_defaults=True)


def option(
    default: Any,
    says: str,
    *,
    least: float | None = None,
    largest: float | None = None,
    unit: str = "",
    **more: Any,
) -> Any:
    """A field of options.

    Args:
        default: the value if none is given.
        says: what it does, in one sentence.
        least: smallest value of a number.
        largest: largest value of a number.
        unit: of the number or numbers.
        more: where these differ from what the name gives: `flags`, its names on the command line,
            and `panel`, its name in Blender; for what is neither a number nor a switch `grammar`,
            how it is written on the command line (`cli.grammars`).
    """
    extra = more | ({"unit": unit} if unit else {})
    return Field(default, description=says, ge=least, le=largest, json_schema_extra=extra)


def _gain(says: str, **more: Any) -> Any:
    return option(1.0, says, least=0.0, largest=3.0, **more)


def _largest_angle(axis: str) -> Any:
    return option(30.0, f"Largest {axis}", least=0.1, largest=LARGEST_ANGLE, unit="degrees")


class Limits(Options):
    """Largest motion that is sampled; it bends softly from 0.6 (translation 0.5) of these on.

    Example:
        >>> calm = sdk.SampleOptions(limits=sdk.Limits(yaw=5))
        >>> motion = sdk.sample_motions("speech.wav", options=calm)[0]
        >>> bool(abs(motion.rotation[:, 1]).max() <= 5)
        True
    """

    pitch: float = _largest_angle("pitch")
    yaw: float = _largest_angle("yaw")
    roll: float = _largest_angle("roll")
    translation: float = option(
        0.08, "Largest translation along each axis", least=0.001, largest=LARGEST_PLACE, unit="m"
    )


class Pin(Options):
    """A pose at a time, met exactly; None leaves an axis, or all of a kind, free.

    Args:
        time: seconds, 0 or more. On a frame, that frame has the pose; between frames the track
            has it at this time under its own interpolation, `MotionTrack.resample` (PCHIP).
        rotation: pitch, yaw, roll in degrees, each −80 to 80 or None.
        translation: x, y, z in metres, each −0.5 to 0.5 or None.

    Raises:
        InputError: if a number is out of its range, or nothing is pinned.

    Example:
        >>> sdk.Pin(2.0, (None, 20, None)).pose  # looks 20° to the left at 2 s
        (None, 20.0, None, None, None, None)
    """

    time: Seconds
    rotation: Axes | None = None
    translation: Axes | None = None

    def __init__(
        self, time: Any = None, rotation: Any = None, translation: Any = None, **others: Any
    ) -> None:
        super().__init__(time=time, rotation=rotation, translation=translation, **others)
        if all(value is None for value in self.pose):
            raise InputError(f"The pin at {self.time:g} s pins nothing; give it an angle or more.")
        check_axes(self.pose)

    @property
    def pose(self) -> tuple[float | None, ...]:
        """Pitch, yaw, roll, x, y, z; None where the axis is free."""
        free = (None, None, None)
        return (*(self.rotation or free), *(self.translation or free))


class SampleOptions(Options):
    """How head motion, blinks, gaze and brows are sampled.

    Example:
        >>> options = sdk.SampleOptions(epsilon=0.5, pins=[sdk.Pin(1.0, (None, 20, None))])
        >>> take = sdk.sample_takes("speech.wav", options=options)[0]
        >>> round(float(take.motion.rotation[25, 1]), 3)
        20.0
    """

    def __init__(self, **values: Any) -> None:
        if "still" in values:
            warnings.warn(
                "The option 'still' is now 'hold'; the old name goes with version 1.0.",
                DeprecationWarning,
                stacklevel=2,
            )
            values.setdefault("hold", values.pop("still"))
        super().__init__(**values)

    epsilon: float = option(
        1.0,
        "Spread of the takes: radius of the ball around the voice's own motion from which they are "
        "sampled (paper eq. 5); 1 is the spread of real people, 0 gives all takes one performance, "
        "what the voice itself asks for",
        least=0.0, largest=3.0, panel="Spread",
    )  # fmt: skip
    intensity: float = _gain("Gain on all head motion; 0 keeps the head still")
    pitch: float = _gain("Gain on pitch")
    yaw: float = _gain("Gain on yaw")
    roll: float = _gain("Gain on roll")
    translation: float = _gain("Gain on translation")
    smoothing: float = option(
        0.0, "Standard deviation of a Gaussian over the motion; it shifts no time",
        least=0.0, largest=0.5, unit="s",
    )  # fmt: skip
    limits: Limits = option(
        Limits(),
        "Largest sampled motion, bent softly; pins, start, end and a reference may go beyond",
        grammar="options",
    )
    tempo: float = option(
        1.0, "How fast motion runs along its path; pauses stay where they are",
        least=0.5, largest=2.0,
    )  # fmt: skip
    basis: dict[int, Gain] = option(
        {},
        "Gain on the part of single basis vectors in the motion, by their numbers from 1, as "
        "`osmnet basis` shows them; those that are not named keep 1",
        grammar="gains",
    )
    start: Pose | None = option(
        None,
        "Pose at the first frame: pitch, yaw, roll in degrees (−80 to 80) and, if given, x, y, z "
        "in metres (−0.5 to 0.5); the head is at rest there; without it, the rest pose",
        grammar="pose",
    )
    end: Pose | None = option(
        None,
        "Pose at the last frame, likewise, at zero velocity; without it, the end is free",
        grammar="pose",
    )
    hold: Annotated[Sequence[TimeRange], AfterValidator(tuple)] = option(
        (),
        "Ranges of time, start and end in seconds, in which the head settles and only idle motion "
        "remains; it slows down before and sets out again after",
        grammar="ranges", flags=["--hold", "--still"],
    )  # fmt: skip
    pins: Annotated[Sequence[Pin], AfterValidator(tuple)] = option(
        (),
        "Poses at given times, met exactly, at least a frame (0.04 s) apart on each axis",
        grammar="pins", flags=["--pin"],
    )  # fmt: skip
    blinks_per_minute: float = option(
        14.0, "Mean number of blinks a minute; 0 switches blinks off",
        least=0.0, largest=30.0, unit="per minute", flags=["--blinks"], panel="Blinks",
    )  # fmt: skip
    gaze: float = _gain("Gain on small gaze shifts")
    brow_activity: float = _gain(
        "Gain on the size of brow raises and frowns that go with emphasis; 0 switches them off",
        flags=["--brows"], panel="Brow Activity",
    )  # fmt: skip


class Mood(Options):
    """A mood of the face from one time to another; it comes and goes within 0.6 s at the ends.

    Args:
        start: seconds, 0 or more.
        end: seconds, after the start; it may lie beyond the sound.
        name: "neutral", "happy", "sad", "angry", "surprised", "afraid", "disgusted" or "tired".
        strength: 0 to 1.

    Raises:
        InputError: if there is no such mood, or a number is out of its range.

    Example:
        >>> sad = sdk.Mood(0.5, 1.5, "sad", 0.8)
        >>> track = sdk.predict_expression("speech.wav", moods=[sad])
        >>> frown = track.column("mouthFrownLeft")
        >>> bool(frown[25] > frown[5] + 0.2)
        True
    """

    start: Seconds
    end: Seconds
    name: MoodName
    strength: float = Field(0.6, ge=0.0, le=1.0)

    def __init__(
        self, start: Any = None, end: Any = None, name: Any = None, strength: Any = 0.6,
        **others: Any,
    ) -> None:  # fmt: skip
        super().__init__(start=start, end=end, name=name, strength=strength, **others)
        checked_range((self.start, self.end))


class ExpressionOptions(Options):
    """How expression is predicted from sound.

    They act in this order: lag, rest in silence, intensities, gains, smoothing, moods, offsets;
    results stay within [0, 1]. Lips that touch go on touching under intensities, smoothing and
    moods.

    Example:
        >>> options = sdk.ExpressionOptions(jaw=0.5)
        >>> half = sdk.predict_expression("speech.wav", options=options).column("jawOpen")
        >>> whole = sdk.predict_expression("speech.wav").column("jawOpen")
        >>> bool(half.max() < whole.max())
        True
    """

    intensity: float = _gain("Gain on all predicted coefficients")
    jaw: float = _gain("Gain on the jaw, jaw…")
    lips: float = _gain("Gain on lips and tongue, mouth… and tongueOut")
    brows: float = _gain("Gain on the brows, brow…, those sampled with a take as well")
    cheeks: float = _gain("Gain on cheeks and nose, cheek… and noseSneer…, sampled ones as well")
    smoothing: float = option(
        0.0, "Standard deviation of a Gaussian over the curves; it shifts no time",
        least=0.0, largest=0.2, unit="s",
    )  # fmt: skip
    lag_ms: float = option(
        0.0, "Time by which the curves come after the sound; below 0 they lead",
        least=-200.0, largest=200.0, unit="ms", panel="Lag",
    )  # fmt: skip
    rest_in_silence: bool = option(
        True, "Whether the mouth is closed and brought to rest where nobody speaks"
    )
    mood: MoodName = option(
        "neutral",
        "Mood of the face, and a little of head and blinks; it does not come from the sound",
    )
    mood_strength: float = option(
        0.6, "How strong that mood is; 1 is a face that shows it to everybody",
        least=0.0, largest=1.0,
    )  # fmt: skip
    moods: Annotated[Sequence[Mood], AfterValidator(tuple)] = option(
        (),
        "Moods from one second to another, in place of the mood of the whole",
        grammar="moods",
    )
    gains: dict[ArkitName, Gain] = option(
        {},
        "Gain of single coefficients by ARKit name, taken literally: one on jawOpen or mouthClose "
        "alone may part lips that touched",
        grammar="names",
    )
    offsets: dict[ArkitName, Offset] = option(
        {},
        "What is added to single coefficients by ARKit name, at all times",
        grammar="names",
    )


def option_schemas() -> dict[str, dict[str, Any]]:
    """The JSON schemas of all options of takes, as "motion" and "expression"."""
    return {
        "motion": SampleOptions.model_json_schema(),
        "expression": ExpressionOptions.model_json_schema(),
    }


def check_sampling(n: int, seed: int, first: int = 0) -> None:
    """Check how many takes are wanted, of which seed and from which number on.

    Raises:
        InputError: if one is out of range.
    """
    if not 1 <= n <= _MAX_TAKES:
        raise InputError(f"n, the number of takes, must be 1 to {_MAX_TAKES}, not {n}.")
    for name, value in (("seed", seed), ("first, the number of the first take,", first)):
        if value < 0:
            raise InputError(f"{name} must be 0 or more, not {value}.")
        if value > _MAX_NUMBER:
            raise InputError(f"{name} must be {_MAX_NUMBER} or less.")
