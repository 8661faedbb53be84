"""Tracks over time: head motion, expression, and both together as a take.

Tracks are frozen: their arrays cannot be written to, and every change makes a new track.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS, MAX_ANGLE, MAX_TRANSLATION
from osmnet_sdk.core.files import replaced
from osmnet_sdk.core.made_by import Provenance as Provenance
from osmnet_sdk.core.track_arrays import (
    FloatArray,
    check_range,
    check_slice,
    frame_times,
    frames_between,
    frozen_array,
    resampled,
)
from osmnet_sdk.core.track_arrays import (
    checked_fps as checked_fps,
)
from osmnet_sdk.core.track_files import EXPRESSION, MOTION, TAKE, naming, read_tracks, write_tracks
from osmnet_sdk.core.wording import quoted
from osmnet_sdk.errors import TrackError


class _OverTime:
    """What tracks and takes have in common: frames at a rate."""

    fps: Fraction

    def __len__(self) -> int:
        raise NotImplementedError

    def slice(self, start: int, stop: int) -> Self:
        """Frames `start` to `stop` − 1, values as they are.

        Raises:
            TrackError: unless 0 ≤ start < stop ≤ T.
        """
        raise NotImplementedError

    def write(self, stream: BinaryIO) -> None:
        """Write it into an open binary file, as `save` does."""
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as .npz without pickle; return the path.

        The schema is "osmnet.take/1", "osmnet.motion_track/1" or "osmnet.expression_track/1".

        Raises:
            OutputError: if the file cannot be written.
        """
        with replaced(path) as temporary, temporary.open("wb") as stream:
            self.write(stream)
        return Path(path)

    @property
    def seconds(self) -> float:
        """Length in seconds, T / fps."""
        return float(len(self) / self.fps)

    def between(self, start: float, end: float) -> Self:
        """The frames from `start` seconds on and before `end` seconds, values as they are.

        Raises:
            TrackError: if the range does not lie within the track or holds no frame.

        Example:
            >>> import numpy as np
            >>> len(sdk.MotionTrack(25, np.zeros((50, 3)), np.zeros((50, 3))).between(0.4, 1.2))
            20
        """
        return self.slice(*frames_between(start, end, self.fps, len(self)))


@dataclass(frozen=True, eq=False)
class MotionTrack(_OverTime):
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
        rotation = frozen_array(self.rotation, "rotation", 3)
        translation = frozen_array(self.translation, "translation", 3)
        if len(rotation) != len(translation):
            raise TrackError(
                f"rotation has {len(rotation)} frames and translation {len(translation)}; "
                "they must have the same number."
            )
        check_range(rotation, "rotation", -MAX_ANGLE, MAX_ANGLE, "°")
        check_range(translation, "translation", -MAX_TRANSLATION, MAX_TRANSLATION, " m")
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

    def slice(self, start: int, stop: int) -> MotionTrack:
        """Frames `start` to `stop` − 1, values as they are."""
        check_slice(start, stop, len(self))
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
        positions = frame_times(len(self), self.fps, rate)
        continuous = np.unwrap(self.rotation.astype(np.float64), period=360.0, axis=0)
        rotation = resampled(continuous.astype(np.float32), positions, np.float64)
        rotation = (rotation + 180.0) % 360.0 - 180.0
        return MotionTrack(
            rate,
            rotation.astype(np.float32),
            resampled(self.translation, positions),
            self.provenance,
        )

    def write(self, stream: BinaryIO) -> None:
        """Write the track into an open binary file, as `save` does."""
        arrays = {"rotation": self.rotation, "translation": self.translation}
        write_tracks(stream, MOTION, self.fps, self.provenance, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str] | BinaryIO) -> MotionTrack:
        """Read a track that `save` wrote, or that of a take file.

        Raises:
            TrackError: if the file is missing, is another one, or holds values that are not
                allowed.
        """
        arrays, meta = read_tracks(path, MOTION)
        with naming(path, MOTION):
            return cls(
                checked_fps(meta.fps), arrays["rotation"], arrays["translation"], meta.provenance
            )


@dataclass(frozen=True, eq=False)
class ExpressionTrack(_OverTime):
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
        coefficients = frozen_array(self.coefficients, "coefficients", len(ARKIT_NAMES))
        check_range(coefficients, "coefficients", 0.0, 1.0, "")
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

    def column(self, name: str) -> FloatArray:
        """The (T,) coefficients of one blendshape.

        Raises:
            TrackError: if the name is not an ARKit name.
        """
        if name not in self.names:
            raise TrackError(f"{quoted(name)} is not one of the 52 ARKit blendshape names.")
        return self.coefficients[:, self.names.index(name)]

    def slice(self, start: int, stop: int) -> ExpressionTrack:
        """Frames `start` to `stop` − 1, values as they are."""
        check_slice(start, stop, len(self))
        return ExpressionTrack(self.fps, self.coefficients[start:stop], self.names, self.provenance)

    def resample(self, fps: Fraction | int | float | str) -> ExpressionTrack:
        """The same expression at another frame rate; the last values are held to the end."""
        rate = checked_fps(fps)
        if rate == self.fps:
            return self
        positions = frame_times(len(self), self.fps, rate)
        values = np.clip(resampled(self.coefficients, positions), 0.0, 1.0)
        return ExpressionTrack(rate, values, self.names, self.provenance)

    def write(self, stream: BinaryIO) -> None:
        """Write the track into an open binary file, as `save` does."""
        arrays = {"coefficients": self.coefficients}
        write_tracks(stream, EXPRESSION, self.fps, self.provenance, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str] | BinaryIO) -> ExpressionTrack:
        """Read a track that `save` wrote, or that of a take file.

        Raises:
            TrackError: if the file is missing, is another one, or holds values that are not
                allowed.
        """
        arrays, meta = read_tracks(path, EXPRESSION)
        with naming(path, EXPRESSION):
            return cls(checked_fps(meta.fps), arrays["coefficients"], meta.names, meta.provenance)


@dataclass(frozen=True, eq=False)
class Take(_OverTime):
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
    def fps(self) -> Fraction:  # type: ignore[override]
        """Frames per second."""
        return self.motion.fps

    def slice(self, start: int, stop: int) -> Take:
        """Frames `start` to `stop` − 1, values as they are."""
        return self._with(self.motion.slice(start, stop), self.expression.slice(start, stop))

    def resample(self, fps: Fraction | int | float | str) -> Take:
        """The same performance at another frame rate."""
        return self._with(self.motion.resample(fps), self.expression.resample(fps))

    def _with(self, motion: MotionTrack, expression: ExpressionTrack) -> Take:
        return Take(motion, expression, self.rest_rotation, self.rest_translation, self.provenance)

    def write(self, stream: BinaryIO) -> None:
        """Write the take into an open binary file, as `save` does."""
        write_tracks(
            stream,
            TAKE,
            self.fps,
            self.provenance,
            {
                "rotation": self.motion.rotation,
                "translation": self.motion.translation,
                "coefficients": self.expression.coefficients,
            },
            names=list(self.expression.names),
            rest_rotation=[float(value) for value in self.rest_rotation],
            rest_translation=[float(value) for value in self.rest_translation],
        )


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
    arrays, meta = read_tracks(path, TAKE)
    with naming(path, TAKE):
        rate = checked_fps(meta.fps)
        return Take(
            MotionTrack(rate, arrays["rotation"], arrays["translation"], meta.provenance),
            ExpressionTrack(rate, arrays["coefficients"], meta.names, meta.provenance),
            np.array(meta.rest_rotation, np.float32),
            np.array(meta.rest_translation, np.float32),
            meta.provenance,
        )
