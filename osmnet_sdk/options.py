"""Options of the public calls: frozen, validated, each field with unit, range and default."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from osmnet_sdk.core.conventions import ARKIT_NAMES, AXES
from osmnet_sdk.errors import InputError

LARGEST_ANGLE = 80.0
"""Largest angle that may be asked for, in degrees; Euler angles degenerate at a pitch of 90°."""

LARGEST_PLACE = 0.5
"""Largest translation that may be asked for, in metres."""

_MAX_TAKES = 1000
_MAX_NUMBER = 2**53
"""Largest seed and number of a take: whole numbers up to here survive every reader of JSON."""

Gain = Annotated[float, Field(ge=0.0, le=3.0)]
AngleLimit = Annotated[float, Field(ge=0.1, le=LARGEST_ANGLE)]
Seconds = Annotated[float, Field(ge=0.0)]


def _check_axes(pose: tuple[float | None, ...]) -> None:
    for index, value in enumerate(pose):
        name, largest, unit = (*AXES, "x", "y", "z")[index], LARGEST_ANGLE, "°"
        if index >= len(AXES):
            largest, unit = LARGEST_PLACE, " m"
        if value is not None and abs(value) > largest:
            raise InputError(
                f"A head cannot be asked for {name} = {value:g}{unit}; it must be "
                f"−{largest:g} to {largest:g}{unit}."
            )


def _checked_pose(pose: Sequence[float]) -> tuple[float, ...]:
    if len(pose) not in (3, 6):
        raise InputError(
            f"A start or end pose has 3 angles in degrees, or these and 3 translations in metres, "
            f"not {len(pose)} numbers."
        )
    _check_axes(tuple(pose))
    return tuple(pose)


def _checked_range(times: tuple[float, float]) -> tuple[float, float]:
    if not times[0] < times[1]:
        raise InputError(
            f"A range of time must end after it starts; {times[0]:g} to {times[1]:g} s does not."
        )
    return times


def _checked_name(name: str) -> str:
    if name not in ARKIT_NAMES:
        near = get_close_matches(name, ARKIT_NAMES, 1)
        hint = f"did you mean {near[0]}?" if near else "see conventions.ARKIT_NAMES."
        raise InputError(f"'{name}' is none of the 52 ARKit coefficients; {hint}")
    return name


Pose = Annotated[Sequence[float], AfterValidator(_checked_pose)]
TimeRange = Annotated[tuple[Seconds, Seconds], AfterValidator(_checked_range)]
ArkitName = Annotated[str, AfterValidator(_checked_name)]
Offset = Annotated[float, Field(ge=-1.0, le=1.0)]
Axes = tuple[float | None, float | None, float | None]


class Options(BaseModel):
    """Base of all options: frozen, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or type(self).__name__
            reason = self._range(first["loc"]) or first["msg"].lower()
            if first["type"] == "extra_forbidden":
                reason = f"there are {', '.join(type(self).model_fields)}"
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


class Limits(Options):
    """Largest motion that is sampled; it bends softly from 0.6 (translation 0.5) of these on.

    Example:
        >>> options = sdk.SampleOptions(limits=sdk.Limits(yaw=5))
        >>> motion = sdk.sample_motions("speech.wav", options=options)[0]
        >>> bool(abs(motion.rotation[:, 1]).max() <= 5)
        True
    """

    pitch: AngleLimit = 30.0
    """Largest pitch, degrees, 0.1 to 80."""

    yaw: AngleLimit = 30.0
    """Largest yaw, degrees, 0.1 to 80."""

    roll: AngleLimit = 30.0
    """Largest roll, degrees, 0.1 to 80."""

    translation: float = Field(default=0.08, ge=0.001, le=LARGEST_PLACE)
    """Largest translation along each axis, metres, 0.001 to 0.5."""


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
        _check_axes(self.pose)

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

    smoothing: float = Field(default=0.0, ge=0.0, le=0.5)
    """Standard deviation of a Gaussian over the motion, seconds, 0 to 0.5; it shifts no time."""

    limits: Limits = Limits()
    """Largest angle of each axis, degrees, and translation, metres; pins, start, end and a
    reference that is followed may go beyond."""

    tempo: float = Field(default=1.0, ge=0.5, le=2.0)
    """How fast motion runs along its path, no unit, 0.5 to 2; pauses stay where they are."""

    basis: dict[int, Gain] = {}
    """Gain on the part of single basis vectors in the motion, by number from 1 as `osmnet basis`
    shows them, 0 to 3; vectors that are not named keep 1."""

    start: Pose | None = None
    """Pose at the first frame, pitch, yaw, roll in degrees (−80 to 80) and, if given, x, y, z in
    metres (−0.5 to 0.5); the head is at rest there; None is the rest pose."""

    end: Pose | None = None
    """Pose at the last frame, as `start`, at zero velocity; None leaves the end free."""

    hold: Annotated[Sequence[TimeRange], AfterValidator(tuple)] = ()
    """Ranges (start, end) in seconds in which the head settles and only idle motion remains; it
    slows down before and sets out again after."""

    pins: Annotated[Sequence[Pin], AfterValidator(tuple)] = ()
    """Poses at given times, met exactly, at least a frame (0.04 s) apart on each axis."""

    blinks_per_minute: float = Field(default=14.0, ge=0.0, le=30.0)
    """Mean blink rate, blinks per minute, 0 to 30; 0 switches blinks off."""

    gaze: Gain = 1.0
    """Gain on small gaze shifts, 0 to 3."""

    brow_activity: Gain = 1.0
    """Gain on the size of brow raises and frowns that go with emphasis, 0 to 3; 0 switches them
    off."""


class ExpressionOptions(Options):
    """How expression is predicted from sound.

    They act in this order: lag, rest in silence, intensities, gains, smoothing, offsets; results
    stay within [0, 1]. Lips that touch go on touching under intensities and smoothing.

    Example:
        >>> options = sdk.ExpressionOptions(jaw=0.5)
        >>> half = sdk.predict_expression("speech.wav", options=options).column("jawOpen")
        >>> whole = sdk.predict_expression("speech.wav").column("jawOpen")
        >>> bool(half.max() < whole.max())
        True
    """

    intensity: Gain = 1.0
    """Gain on all coefficients, 0 to 3."""

    jaw: Gain = 1.0
    """Gain on the jaw (jaw…), 0 to 3."""

    lips: Gain = 1.0
    """Gain on lips and tongue (mouth…, tongueOut), 0 to 3."""

    brows: Gain = 1.0
    """Gain on the brows (brow…), those that are sampled with a take as well, 0 to 3."""

    cheeks: Gain = 1.0
    """Gain on cheeks and nose (cheek…, noseSneer…), sampled ones as well, 0 to 3."""

    smoothing: float = Field(default=0.0, ge=0.0, le=0.2)
    """Standard deviation of a Gaussian over the curves, seconds, 0 to 0.2; it shifts no time."""

    lag_ms: float = Field(default=0.0, ge=-200.0, le=200.0)
    """Milliseconds by which the curves come after the sound, −200 to 200; below 0 they lead."""

    rest_in_silence: bool = True
    """Whether the mouth is closed and brought to rest where nobody speaks."""

    gains: dict[ArkitName, Gain] = {}
    """Gain of single coefficients by ARKit name, 0 to 3, taken literally: one on jawOpen or
    mouthClose alone may part lips that touched."""

    offsets: dict[ArkitName, Offset] = {}
    """What is added to single coefficients by ARKit name, −1 to 1, at all times."""


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
