"""The photo's own look, which stays under a performance: nobody's face at rest is the average."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.expression.lips import JAW, LipGeometry, parted
from osmnet_sdk.face.model import FaceModel

Array = NDArray[np.float64]

_KEPT = np.array([
    name.startswith(("brow", "cheekSquint", "eyeSquint", "eyeWide", "eyeLook", "noseSneer"))
    for name in ARKIT_NAMES
])  # fmt: skip
"""Coefficients whose resting value belongs to the person."""
_MOUTH = np.array([name.startswith(("jaw", "mouth", "cheekPuff")) for name in ARKIT_NAMES])
"""Coefficients of which a photo shows what the person's own are, mixed with what the mouth does at
that moment; hence half of them is kept."""
_KEPT_MOUTH = 0.5
_LARGEST_JAW = 0.25
"""jawOpen of a photo above which the mouth is open, not that person's at rest."""


_EYES = np.array([name.startswith(("eye", "cheekSquint")) for name in ARKIT_NAMES])
"""Coefficients that move lids, eyeballs and the skin beneath them."""


def with_still_eyes(rest: NDArray[np.floating], coefficients: NDArray[np.floating]) -> Array:
    """A performance (T, 52) whose lids and eyes stay as in the photo, `rest` (52,).

    For eyes behind dark glasses: a lid that closed would be drawn over the lens.
    """
    return np.where(_EYES, np.asarray(rest, np.float64), np.asarray(coefficients, np.float64))


def with_rest_expression(
    model: FaceModel, rest: NDArray[np.floating], coefficients: NDArray[np.floating]
) -> Array:
    """A performance laid over the resting look of a face.

    Brows, lids' squint, gaze and cheeks of the photo stay as they are under the track's, the
    shape of its mouth by half. Lips part and meet as they do in the track, since they must close
    whatever the photo shows, and so do lids.

    Args:
        model: the morphable model that the coefficients move.
        rest: (52,) expression fitted to the photo.
        coefficients: (T, 52) of the performance.

    Returns:
        (T, 52) in [0, 1].
    """
    track = np.asarray(coefficients, np.float64)
    own = np.asarray(rest, np.float64).copy()
    own[JAW] = min(own[JAW], _LARGEST_JAW)
    result = np.clip(track + own * (_KEPT + _KEPT_MOUTH * _MOUTH), 0.0, 1.0)
    gain = LipGeometry.from_model(model).gain
    return parted(result, track @ gain, gain)
