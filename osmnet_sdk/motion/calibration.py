"""What the sampler knows about real motion: the statistics of training clips in feature space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.errors import ModelError
from osmnet_sdk.motion.equaliser import BANDS

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Statistics of real paths of F_m − F_c, and the units of what is decoded.

    Attributes:
        directions: (R, C), principal directions of real paths inside the span of the basis, each
            as long as a typical clip varies along it; their squared lengths add up to the square
            of a typical distance from the centre.
        recursion: (R, P), coefficients of each direction's autoregression at 25 fps.
        predicted_speed: (2,), mean and standard deviation over speech of the logarithm of the
            speed that the audio encoder's weights predict.
        gains: (6,), factor on decoded steps, so that their mean speed is that of real speakers.
        octaves: (6, B), factor on each octave of decoded steps (`equaliser.BANDS`), so that they
            share out the power as in real motion; their logarithms add up to 0.
        leaks: (6,), seconds, time constants of the pull to rest, so that over seconds heads
            stray from it as far as those of real speakers.
        drift: seconds, time constant over which the mean pose is brought to rest.
        bursts: (6,), standard deviation of the logarithm of each column's size from moment to
            moment, but for its outermost, which is held in: people hold still and then move at
            once. The three angles have one.
        flicks: (3,), the same of what each angle does by itself, in tenths of seconds.
        moods: standard deviation of the logarithm of each column's own size over seconds.
        sizes: (2,), standard deviations of the logarithm of a take's size: of all axes together,
            and of each axis by itself. People differ in how much they move.
        asked: (R, R), from where the network's centre points at gestures to what a voice asks for:
            it varies in every direction as real paths do, and no two go together.
        tremor: (6,), standard deviation of steps that go on whether a head is calm or busy, so that
            it turns back as often as those of real speakers.
    """

    directions: Array
    recursion: Array
    predicted_speed: Array
    gains: Array
    octaves: Array
    leaks: Array
    drift: float
    bursts: Array
    flicks: Array
    moods: float
    sizes: Array
    asked: Array
    tremor: Array

    def __post_init__(self) -> None:
        rows = np.shape(self.directions)[:1]
        shapes: dict[str, tuple[int, ...]] = {
            "directions": rows + np.shape(self.directions)[1:2],
            "recursion": rows + np.shape(self.recursion)[1:2],
            "predicted_speed": (2,),
            "gains": (6,),
            "octaves": (6, len(BANDS) - 1),
            "leaks": (6,),
            "drift": (),
            "bursts": (6,),
            "flicks": (3,),
            "moods": (),
            "sizes": (2,),
            "asked": rows + rows,
            "tremor": (6,),
        }
        for field in fields(self):
            value = np.asarray(getattr(self, field.name), np.float64)
            if not shapes[field.name] and value.size == 1:
                value = value.reshape(())  # a weights file stores single numbers as (1,)
            if value.shape != shapes[field.name] or not np.isfinite(value).all():
                raise ModelError(
                    f"The motion calibration '{field.name}' of shape {value.shape} cannot be "
                    "used; get the bundle again."
                )
            object.__setattr__(self, field.name, value if value.ndim else float(value))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays to store, by name."""
        return {f"calibration.{f.name}": np.atleast_1d(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Calibration:
        """The calibration among the arrays of a weights file.

        Raises:
            ModelError: if a part is missing or has a wrong shape.
        """
        parts: dict[str, Any] = {}
        for field in fields(cls):
            name = f"calibration.{field.name}"
            if name not in arrays:
                raise ModelError(f"The motion weights have no '{name}'; get the bundle again.")
            parts[field.name] = arrays[name]
        return cls(**parts)
