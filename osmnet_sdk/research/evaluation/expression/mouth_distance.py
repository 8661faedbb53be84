"""Landmark distance of predicted lips from those seen in the pictures of real clips.

The first picture of a clip is the photo, as in one-shot rendering: what it shows of the speaker's
own mouth stays under what is predicted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.face.fit import FaceFit
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.face.performance import track_frames
from osmnet_sdk.progress import Reporter
from osmnet_sdk.rendering.rest_expression import with_rest_expression
from osmnet_sdk.research.data.motion_statistics import bootstrap
from osmnet_sdk.research.evaluation.expression.tracked_lips import DISTANCE, IMAGE, LIPS
from osmnet_sdk.research.evaluation.table import PREDICTED, REAL, SEED, Figure, Interval

Array = NDArray[np.float64]

MAX_FRAMES = 250
"""Frames of a clip that are looked at (10 s): tracking takes longer than all else."""


@dataclass(frozen=True)
class MouthDistance:
    """Mean distance of the lips' landmarks from those seen, in pixels of a 256-pixel head crop.

    Attributes:
        name: of the clip.
        speaker: who is seen.
        tracked: of the head model as it was fitted to the same landmarks; no prediction through
            this head model comes closer.
        predicted: of the same head in the same pose with predicted coefficients, over the look of
            the first picture, as they are rendered (`rendering.rest_expression`).
        alone: the same with nothing but the coefficients.
    """

    name: str
    speaker: str
    tracked: float
    predicted: float
    alone: float


def mouth_distance(
    name: str,
    speaker: str,
    frames: Iterable[NDArray[np.uint8]],
    predicted: NDArray[np.float32],
    networks: FaceNetworks,
    model: FaceModel,
    *,
    reporter: Reporter | None = None,
) -> MouthDistance:
    """Track a clip's pictures and lay the predicted lips over them.

    Args:
        name: of the clip.
        speaker: who is seen.
        frames: uint8 RGB pictures at 25 fps, `MAX_FRAMES` at most.
        predicted: (T, 52) coefficients, of as many frames or more.
        networks: detector and landmarks.
        model: the morphable model.
        reporter: progress and cancel.

    Raises:
        NoFaceError: if fewer than half of the pictures show a face.
    """
    seen = track_frames(frames, networks, model, name=f"'{name}'", reporter=reporter)
    lips = list(LIPS)
    found = np.flatnonzero(seen.found[: len(predicted)])
    rendered = with_rest_expression(model, seen.fits[found[0]].expression, predicted)
    rows = []
    for index in found:
        fit, wanted = seen.fits[index], seen.landmarks[index][lips]
        shapes = (fit.expression, rendered[index], predicted[index])
        apart = [np.linalg.norm(_lips(model, fit, beta) - wanted, axis=1) for beta in shapes]
        # the focal length of a crop is four times its side
        rows.append(np.mean(apart, axis=1) * 4 * IMAGE / fit.camera.focal)
    return MouthDistance(name, speaker, *(float(mean) for mean in np.mean(rows, axis=0)))


def distance_row(clips: Sequence[MouthDistance]) -> Figure:
    """The row of the table, every speaker counting alike."""
    speakers = dict.fromkeys(clip.speaker for clip in clips)
    values = np.array(
        [
            np.mean([(c.tracked, c.predicted) for c in clips if c.speaker == name], axis=0)
            for name in speakers
        ]
    )
    tracked, predicted = (float(value) for value in values.mean(axis=0))

    def interval(column: int) -> Interval:
        low, high = bootstrap(values[:, column], np.mean, SEED)
        return float(low), float(high)

    return Figure(
        name="mouth LMD from the pictures, true pose, 256²", unit="px",
        values={REAL: tracked, PREDICTED: predicted},
        intervals={REAL: interval(0), PREDICTED: interval(1)},
        asked=f"≤ {DISTANCE:g}", passed=predicted <= DISTANCE,
        clips=len(clips), speakers=len(speakers),
    )  # fmt: skip


def _lips(model: FaceModel, fit: FaceFit, expression: NDArray[np.floating]) -> Array:
    """(40, 2) pixels of the lips of a fitted head with another expression."""
    lips = list(LIPS)
    shape = model.landmark_mean[lips] + np.tensordot(
        fit.identity, model.landmark_identity[: len(fit.identity), lips], 1
    )
    shape = shape + np.tensordot(expression, model.landmark_expression[:, lips], 1)
    return fit.camera.project(shape, fit.pose)[:, :2]
