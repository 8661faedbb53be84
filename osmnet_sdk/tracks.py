"""Tracks over time: head motion, expression, and both together as a take.

Tracks are frozen: their arrays cannot be written to, and every change makes a new track.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osmnet_sdk.core.conventions import (
    ARKIT_NAMES,
    FPS,
    HIGHEST_FPS,
    LOWEST_FPS,
    MAX_ANGLE,
    MAX_FRAMES,
    MAX_JSON,
    MAX_TRANSLATION,
    TAKE_SCHEMA,
    exact_rate,
)
from osmnet_sdk.core.files import replaced
from osmnet_sdk.core.json_reading import Unreadable, check_schema, parse_json
from osmnet_sdk.core.made_by import Provenance as Provenance
from osmnet_sdk.core.npz_reading import Numbers, Texts
from osmnet_sdk.core.reading import file_name, read_npz
from osmnet_sdk.core.wording import one_line, quoted
from osmnet_sdk.errors import OutputError, TrackError

FloatArray = NDArray[np.float32]

_COLUMNS = 4
"""Columns that are resampled at a time: an hour of all of them takes gigabytes."""


def _frozen_array(values: ArrayLike, name: str, columns: int) -> FloatArray:
    try:
        array = values if _is_our_own(values) else np.array(values, dtype=np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise TrackError(
            f"{name} must be numbers of shape (frames, {columns}): {error}."
        ) from error
    if array.ndim != 2 or array.shape[1] != columns or len(array) == 0:
        raise TrackError(
            f"{name} must have shape (frames, {columns}) with at least one frame, "
            f"not {array.shape}."
        )
    if len(array) > MAX_FRAMES:
        raise TrackError(
            f"{name} has {len(array)} frames; a track may have {MAX_FRAMES}. Cut it into parts."
        )
    if not np.isfinite(array).all():
        frame = int(np.argwhere(~np.isfinite(array).all(axis=1))[0, 0])
        raise TrackError(f"{name} holds a value that is not finite, first in frame {frame}.")
    array.flags.writeable = False
    return array


def _is_our_own(values: ArrayLike) -> TypeGuard[FloatArray]:
    """Whether nobody can change the values, so that they need no copy."""
    return (
        isinstance(values, np.ndarray)
        and values.dtype == np.float32
        and not values.flags.writeable
        and values.flags.owndata
    )


def _checked_range(array: FloatArray, name: str, low: float, high: float, unit: str) -> FloatArray:
    outside = (array < low) | (array > high)
    if outside.any():
        frame, column = np.argwhere(outside)[0]
        raise TrackError(
            f"{name} must lie between {low:g} and {high:g}{unit}; frame {frame}, column {column} "
            f"is {array[frame, column]:g}."
        )
    return array


def checked_fps(fps: Fraction | int | float | str) -> Fraction:
    """Return a frame rate as an exact fraction, for example "30000/1001".

    Raises:
        TrackError: unless it is a number from 1 to 1000 frames per second.
    """
    try:
        return exact_rate(fps)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise TrackError(
            f"{quoted(fps)} is not a frame rate; give a number from {LOWEST_FPS} to {HIGHEST_FPS}, "
            "such as 25 or 30000/1001."
        ) from error


def _frame_times(frames: int, old: Fraction, new: Fraction) -> NDArray[np.float64]:
    """Positions, in frames at `old` fps, of the frames at `new` fps over the same time."""
    count = -(-frames * new // old)
    if count > MAX_FRAMES:
        raise TrackError(
            f"At {float(new):g} frames per second the track has {count} frames; it may have "
            f"{MAX_FRAMES}. Cut it into parts."
        )
    positions = np.arange(count) * float(old / new)
    return np.clip(positions, 0, frames - 1)


def _resampled(
    values: FloatArray, positions: NDArray[np.float64], dtype: type = np.float32
) -> NDArray[Any]:
    """Shape-preserving cubic interpolation: C1, and never beyond the neighbouring samples."""
    result: NDArray[Any] = np.empty((len(positions), values.shape[1]), dtype)
    if len(values) == 1:
        result[:] = values
        return result
    from scipy.interpolate import PchipInterpolator  # slow to import

    places = np.arange(len(values))
    for first in range(0, values.shape[1], _COLUMNS):
        some = slice(first, first + _COLUMNS)
        result[:, some] = PchipInterpolator(places, values[:, some])(positions)
    return result


@dataclass(frozen=True, eq=False)
class MotionTrack:
    """Head motion relative to a rest pose, in the rest head's own axes.

    Attributes:
        fps: frames per second; frame i is at i / fps seconds.
        rotation: (T, 3) float32, degrees: pitch, yaw, roll (see `conventions`), −180 to 180.
        translation: (T, 3) float32, metres, of the head joint: X left, Y up, Z forward, −10 to 10.
        provenance: what made the track.

    Raises:
        TrackError: if a shape, a value or the frame rate is not allowed.

    Example:
        >>> import numpy as np
        >>> nod = np.zeros((25, 3))
        >>> nod[:, 0] = 8 * np.sin(np.linspace(0, np.pi, 25))  # pitch, degrees
        >>> track = sdk.MotionTrack(25, nod, np.zeros((25, 3)))
        >>> len(track), len(track.resample(50))
        (25, 50)
    """

    fps: Fraction
    rotation: FloatArray
    translation: FloatArray
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        rotation = _frozen_array(self.rotation, "rotation", 3)
        translation = _frozen_array(self.translation, "translation", 3)
        if len(rotation) != len(translation):
            raise TrackError(
                f"rotation has {len(rotation)} frames and translation {len(translation)}; "
                "they must have the same number."
            )
        _checked_range(rotation, "rotation", -MAX_ANGLE, MAX_ANGLE, "°")
        _checked_range(translation, "translation", -MAX_TRANSLATION, MAX_TRANSLATION, " m")
        object.__setattr__(self, "fps", checked_fps(self.fps))
        object.__setattr__(self, "rotation", rotation)
        object.__setattr__(self, "translation", translation)

    def __len__(self) -> int:
        """Number of frames T."""
        return len(self.rotation)

    def __eq__(self, other: object) -> bool:
        """Equal frame rate and, bit for bit, equal values; provenance does not count."""
        return (
            isinstance(other, MotionTrack)
            and self.fps == other.fps
            and np.array_equal(self.rotation, other.rotation)
            and np.array_equal(self.translation, other.translation)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def seconds(self) -> float:
        """Length in seconds, T / fps."""
        return float(len(self) / self.fps)

    def slice(self, start: int, stop: int) -> MotionTrack:
        """Frames `start` to `stop` − 1, values as they are.

        Raises:
            TrackError: unless 0 ≤ start < stop ≤ T.
        """
        _checked_slice(start, stop, len(self))
        return MotionTrack(
            self.fps, self.rotation[start:stop], self.translation[start:stop], self.provenance
        )

    def resample(self, fps: Fraction | int | float | str) -> MotionTrack:
        """The same motion at another frame rate; the last pose is held to the end.

        Angles that jump by a full turn between frames are taken as continuous.
        """
        rate = checked_fps(fps)
        if rate == self.fps:
            return self
        positions = _frame_times(len(self), self.fps, rate)
        continuous = np.unwrap(self.rotation.astype(np.float64), period=360.0, axis=0)
        rotation = _resampled(continuous.astype(np.float32), positions, np.float64)
        rotation = (rotation + 180.0) % 360.0 - 180.0
        return MotionTrack(
            rate,
            rotation.astype(np.float32),
            _resampled(self.translation, positions),
            self.provenance,
        )


@dataclass(frozen=True, eq=False)
class ExpressionTrack:
    """Expression over time as ARKit blendshape coefficients.

    Attributes:
        fps: frames per second; frame i is at i / fps seconds.
        coefficients: (T, 52) float32 in [0, 1], columns in the order of `names`.
        names: the 52 ARKit names, in the order of `conventions.ARKIT_NAMES`.
        provenance: what made the track.

    Raises:
        TrackError: if a shape, a value, the names or the frame rate is not allowed.

    Example:
        >>> import numpy as np
        >>> smile = np.zeros((25, 52))
        >>> smile[:, 24] = 0.5
        >>> sdk.ExpressionTrack(25, smile).names[24]
        'mouthSmileRight'
    """

    fps: Fraction
    coefficients: FloatArray
    names: tuple[str, ...] = ARKIT_NAMES
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        coefficients = _frozen_array(self.coefficients, "coefficients", len(ARKIT_NAMES))
        _checked_range(coefficients, "coefficients", 0.0, 1.0, "")
        names = tuple(self.names)
        if names != ARKIT_NAMES:
            raise TrackError(
                "names must be the 52 ARKit names in the order of conventions.ARKIT_NAMES."
            )
        object.__setattr__(self, "fps", checked_fps(self.fps))
        object.__setattr__(self, "coefficients", coefficients)
        object.__setattr__(self, "names", names)

    def __len__(self) -> int:
        """Number of frames T."""
        return len(self.coefficients)

    def __eq__(self, other: object) -> bool:
        """Equal frame rate and, bit for bit, equal values; provenance does not count."""
        return (
            isinstance(other, ExpressionTrack)
            and self.fps == other.fps
            and np.array_equal(self.coefficients, other.coefficients)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def seconds(self) -> float:
        """Length in seconds, T / fps."""
        return float(len(self) / self.fps)

    def column(self, name: str) -> FloatArray:
        """The (T,) coefficients of one blendshape.

        Raises:
            TrackError: if the name is not an ARKit name.
        """
        if name not in self.names:
            raise TrackError(f"{quoted(name)} is not one of the 52 ARKit blendshape names.")
        return self.coefficients[:, self.names.index(name)]

    def slice(self, start: int, stop: int) -> ExpressionTrack:
        """Frames `start` to `stop` − 1, values as they are.

        Raises:
            TrackError: unless 0 ≤ start < stop ≤ T.
        """
        _checked_slice(start, stop, len(self))
        return ExpressionTrack(self.fps, self.coefficients[start:stop], self.names, self.provenance)

    def resample(self, fps: Fraction | int | float | str) -> ExpressionTrack:
        """The same expression at another frame rate; the last values are held to the end."""
        rate = checked_fps(fps)
        if rate == self.fps:
            return self
        positions = _frame_times(len(self), self.fps, rate)
        values = np.clip(_resampled(self.coefficients, positions), 0.0, 1.0)
        return ExpressionTrack(rate, values, self.names, self.provenance)


def _checked_slice(start: int, stop: int, frames: int) -> None:
    if not 0 <= start < stop <= frames:
        raise TrackError(f"Cannot take frames {start} to {stop} of a track of {frames} frames.")


@dataclass(frozen=True, eq=False)
class Take:
    """One head performance: motion and expression of the same length and frame rate.

    Attributes:
        motion: head motion relative to the rest pose.
        expression: blendshape coefficients, blinks and gaze included.
        rest_rotation: (3,) float32, degrees: absolute rest pose, head to camera.
        rest_translation: (3,) float32, metres: rest position of the head joint in the camera's
            axes (right, up, towards the camera).
        provenance: what made the take.

    Raises:
        TrackError: if motion and expression differ in length or frame rate, or a rest pose is
            not three finite numbers in range.

    Example:
        >>> take = sdk.sample_takes("speech.wav")[0]
        >>> float(take.motion.rotation[0, 1]), take.expression.coefficients.shape
        (0.0, (50, 52))
        >>> len(take.slice(0, 25).resample(30))
        30
    """

    motion: MotionTrack
    expression: ExpressionTrack
    rest_rotation: FloatArray = field(default_factory=lambda: np.zeros(3, np.float32))
    rest_translation: FloatArray = field(default_factory=lambda: np.zeros(3, np.float32))
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        if len(self.motion) != len(self.expression) or self.motion.fps != self.expression.fps:
            raise TrackError(
                f"Motion ({len(self.motion)} frames at {self.motion.fps} fps) and expression "
                f"({len(self.expression)} frames at {self.expression.fps} fps) must agree."
            )
        rest = MotionTrack(FPS, [self.rest_rotation], [self.rest_translation])  # type: ignore[arg-type]
        object.__setattr__(self, "rest_rotation", rest.rotation[0])
        object.__setattr__(self, "rest_translation", rest.translation[0])

    def __len__(self) -> int:
        """Number of frames T."""
        return len(self.motion)

    def __eq__(self, other: object) -> bool:
        """Equal tracks and rest pose, bit for bit; provenance does not count."""
        return (
            isinstance(other, Take)
            and self.motion == other.motion
            and self.expression == other.expression
            and np.array_equal(self.rest_rotation, other.rest_rotation)
            and np.array_equal(self.rest_translation, other.rest_translation)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def fps(self) -> Fraction:
        """Frames per second."""
        return self.motion.fps

    @property
    def seconds(self) -> float:
        """Length in seconds, T / fps."""
        return self.motion.seconds

    def slice(self, start: int, stop: int) -> Take:
        """Frames `start` to `stop` − 1, values as they are."""
        return self._with(self.motion.slice(start, stop), self.expression.slice(start, stop))

    def resample(self, fps: Fraction | int | float | str) -> Take:
        """The same performance at another frame rate."""
        return self._with(self.motion.resample(fps), self.expression.resample(fps))

    def _with(self, motion: MotionTrack, expression: ExpressionTrack) -> Take:
        return Take(motion, expression, self.rest_rotation, self.rest_translation, self.provenance)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the take as .npz without pickle (schema "osmnet.take/1"); return the path.

        Raises:
            OutputError: if the file cannot be written.
        """
        with replaced(path) as temporary, temporary.open("wb") as stream:
            self.write(stream)
        return Path(path)

    def write(self, stream: BinaryIO) -> None:
        """Write the take into an open binary file, as `save` does."""
        meta = {
            "schema": TAKE_SCHEMA,
            "fps": f"{self.fps.numerator}/{self.fps.denominator}",
            "names": list(self.expression.names),
            "rest_rotation": [float(value) for value in self.rest_rotation],
            "rest_translation": [float(value) for value in self.rest_translation],
            "provenance": self.provenance.model_dump(),
        }
        text = json.dumps(meta)
        if len(text) > MAX_JSON:
            raise OutputError(
                f"The options of the take have {len(text)} characters; a take file holds "
                f"{MAX_JSON}. Use fewer pins."
            )
        np.savez(
            stream,
            rotation=self.motion.rotation,
            translation=self.motion.translation,
            coefficients=self.expression.coefficients,
            meta=np.array(text),
        )


_ARRAYS: dict[str, Numbers | Texts] = {
    "rotation": Numbers(("frames", 3)),
    "translation": Numbers(("frames", 3)),
    "coefficients": Numbers(("frames", len(ARKIT_NAMES))),
    "meta": Texts(),
}
_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Vector = tuple[_Number, _Number, _Number]


class _TakeMeta(BaseModel):
    """The text "meta" of a take file, but for its schema."""

    model_config = ConfigDict(extra="ignore")

    fps: str
    names: tuple[str, ...]
    rest_rotation: _Vector
    rest_translation: _Vector
    provenance: Provenance = Provenance()


def load_take(path: str | os.PathLike[str] | BinaryIO) -> Take:
    """Read a take file (.npz), by its path or from an open binary file.

    The file may come from anywhere: what it claims is checked against the bounds that
    docs/formats.md lists before any of it is read.

    Raises:
        TrackError: if the file is missing, is not a take, or holds values that are not allowed.

    Example:
        >>> path = sdk.sample_takes("speech.wav")[0].save("take.npz")
        >>> len(sdk.load_take(path))
        50
    """
    name = file_name(path)
    if name.lower().endswith(".csv'"):
        raise TrackError(
            f"{name} is not a take file (.npz); make one of a Live Link Face CSV with 'osmnet "
            "convert' first."
        )
    arrays = read_npz(path, "take file", _ARRAYS, {"frames": MAX_FRAMES})
    try:
        return _take_from(arrays)
    except (TrackError, Unreadable) as error:
        raise TrackError(f"Take file {name}: {error}") from error


def _take_from(arrays: Mapping[str, NDArray[Any]]) -> Take:
    values = parse_json(str(arrays["meta"]))
    if not isinstance(values, dict):
        raise TrackError("its 'meta' text is not what a take file holds.")
    check_schema(values.get("schema"), TAKE_SCHEMA)
    try:
        meta = _TakeMeta.model_validate(values)
    except ValidationError as error:
        raise TrackError(_what_is_wrong(error)) from error
    rate = checked_fps(meta.fps)
    return Take(
        MotionTrack(rate, arrays["rotation"], arrays["translation"], meta.provenance),
        ExpressionTrack(rate, arrays["coefficients"], meta.names, meta.provenance),
        np.array(meta.rest_rotation, np.float32),
        np.array(meta.rest_translation, np.float32),
        meta.provenance,
    )


def _what_is_wrong(error: ValidationError) -> str:
    """The first fault of a take's text, in words."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    reason = first["msg"].removeprefix("Value error, ")
    return f"its {quoted(place)} is not what a take file holds: {one_line(reason, 120)}."
