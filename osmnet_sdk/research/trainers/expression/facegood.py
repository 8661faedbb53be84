"""The FACEGOOD recordings (one speaker, Mandarin) as a source of training data.

Their rig has 116 channels with names of its own. The mapping to ARKit:

| FACEGOOD | ARKit | gain |
|---|---|---|
| mouth_stretch_c (opens the jaw) | jawOpen | 0.75 |
| mouth_oh_c | jawOpen, mouthFunnel | 0.10, 0.30 |
| mouth_oo_c | mouthPucker | 0.70 |
| mouth_pucker_l, _r | mouthPucker | 0.70 (mean of both) |
| mouth_funnel_ul, _ur, _dl, _dr | mouthFunnel | 0.50 (mean of all) |
| mouth_lipCornerPull(Open)_l, _r | mouthSmileLeft, Right | 0.80 |
| mouth_lipStretch(Open)_l, _r | mouthStretchLeft, Right | 0.80 |
| mouth_dimple_l, _r | mouthDimpleLeft, Right | 0.80 |
| mouth_lipCornerDepress_l, _r | mouthFrownLeft, Right | 0.80 |
| mouth_lowerLipDepress_l, _r | mouthLowerDownLeft, Right | 0.80 |
| mouth_upperLipRaise_l, _r | mouthUpperUpLeft, Right | 0.80 |
| mouth_press_l, _r | mouthPressLeft, Right | 0.80 |
| mouth_suck_dl, _dr | mouthRollLower | 0.80 (mean of both) |
| mouth_suck_ul, _ur | mouthRollUpper | 0.80 (mean of both) |
| mouth_chinRaise_d / _u | mouthShrugLower / Upper | 0.60 |
| jaw_thrust_c | jawForward | 1.00 |

Names do not decide mouthClose. Geometry does: the lips of that rig meet when nothing but pucker,
funnel, press or suck is up, so mouthClose takes back what those would part on this face model and
leaves the gap that jaw and lip raisers make. Eyes, brows and tongue never move in these
recordings and are left out.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS, SAMPLE_RATE, frame_count
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.research.trainers.expression.augmentation import AugmentationConfig, augmented
from osmnet_sdk.research.trainers.expression.clips import (
    ALL_COEFFICIENTS,
    Clip,
    Hears,
    nothing_known,
)

_MAP: dict[str, tuple[tuple[str, float], ...]] = {
    "jawOpen": (("mouth_stretch_c", 0.75), ("mouth_oh_c", 0.10)),
    "jawForward": (("jaw_thrust_c", 1.0),),
    "mouthPucker": (("mouth_oo_c", 0.7), ("mouth_pucker_l", 0.35), ("mouth_pucker_r", 0.35)),
    "mouthFunnel": (
        ("mouth_oh_c", 0.30),
        ("mouth_funnel_ul", 0.125),
        ("mouth_funnel_ur", 0.125),
        ("mouth_funnel_dl", 0.125),
        ("mouth_funnel_dr", 0.125),
    ),
    "mouthRollLower": (("mouth_suck_dl", 0.4), ("mouth_suck_dr", 0.4)),
    "mouthRollUpper": (("mouth_suck_ul", 0.4), ("mouth_suck_ur", 0.4)),
    "mouthShrugLower": (("mouth_chinRaise_d", 0.6),),
    "mouthShrugUpper": (("mouth_chinRaise_u", 0.6),),
}
_PAIRS = {
    "mouthSmile": ("mouth_lipCornerPull", "mouth_lipCornerPullOpen"),
    "mouthStretch": ("mouth_lipStretch", "mouth_lipStretchOpen"),
    "mouthDimple": ("mouth_dimple",),
    "mouthFrown": ("mouth_lipCornerDepress",),
    "mouthLowerDown": ("mouth_lowerLipDepress",),
    "mouthUpperUp": ("mouth_upperLipRaise",),
    "mouthPress": ("mouth_press",),
}
for _target, _sources in _PAIRS.items():
    for _side, _letter in (("Left", "l"), ("Right", "r")):
        _MAP[_target + _side] = tuple((f"{name}_{_letter}", 0.8) for name in _sources)

_PARTING = ("jawOpen", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft",
            "mouthUpperUpRight")  # fmt: skip
_LAG = 0.04
"""Seconds by which the weights lag behind the sound, measured against its energy."""
_PRESSING = 0.15  # aperture that pressed or sucked lips take away


def to_arkit(
    weights: NDArray[np.float32], names: tuple[str, ...], geometry: LipGeometry
) -> NDArray[np.float32]:
    """Map FACEGOOD weights (T, 116) to ARKit coefficients (T, 52).

    Args:
        weights: in [0, 1].
        names: of the columns.
        geometry: how coefficients part the lips of the face model.

    Raises:
        InputError: if a channel that is needed is missing.
    """
    columns = {name: weights[:, index].astype(np.float64) for index, name in enumerate(names)}
    result = np.zeros((len(weights), len(ARKIT_NAMES)))
    try:
        for target, sources in _MAP.items():
            for source, gain in sources:
                result[:, ARKIT_NAMES.index(target)] += gain * columns[source]
    except KeyError as error:
        raise InputError(f"The FACEGOOD weights have no channel {error}.") from error
    parting = [ARKIT_NAMES.index(name) for name in _PARTING]
    pressing = result[:, ARKIT_NAMES.index("mouthPressLeft")] + np.maximum(
        result[:, ARKIT_NAMES.index("mouthRollLower")],
        result[:, ARKIT_NAMES.index("mouthRollUpper")],
    )
    aperture = result[:, parting] @ geometry.gain[parting] - _PRESSING * pressing
    excess = geometry.gap(result) - geometry.rest - np.maximum(aperture, -0.05)
    close = ARKIT_NAMES.index("mouthClose")
    result[:, close] = np.clip(excess / -geometry.gain[close], 0.0, 1.0)
    return np.clip(result, 0.0, 1.0).astype(np.float32)


def facegood_clips(
    path: str | os.PathLike[str],
    geometry: LipGeometry,
    hear: Hears,
    augmentation: AugmentationConfig | None,
    rng: np.random.Generator,
    *,
    copies: int = 2,
    seconds: float = 8.0,
) -> Iterator[Clip]:
    """Cut the takes of a FACEGOOD .npz into clips of `seconds`.

    Args:
        path: file with "names", "fps", "sample_rate", and "weights_N" and "audio_N" of each take.
        geometry: of the face model.
        hear: how the network hears.
        augmentation: None leaves the sound as it is.
        rng: source of chance.
        copies: augmented versions of each clip.
        seconds: length of a clip.

    Raises:
        InputError: if the file cannot be read or is of another kind.
    """
    source = Path(path)
    try:
        with np.load(source, allow_pickle=False) as archive:
            names = tuple(str(name) for name in archive["names"])
            fps, rate = Fraction(int(archive["fps"])), int(archive["sample_rate"])
            takes = [key.removeprefix("weights_") for key in archive.files if "weights_" in key]
            data = [(archive[f"weights_{take}"], archive[f"audio_{take}"]) for take in takes]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"'{source}' holds no FACEGOOD recordings.") from error
    if rate != SAMPLE_RATE:
        raise InputError(f"'{source}' has sound at {rate} Hz; resample it to {SAMPLE_RATE} Hz.")
    for weights, audio in data:
        sound = audio.astype(np.float64) / 32768.0
        frames = min(frame_count(len(sound)), int(len(weights) * FPS / fps))
        truth = _at_fps(to_arkit(weights, names, geometry), fps, frames)
        length = int(seconds * FPS)
        for start in range(0, frames - length + 1, length):
            piece = sound[start * 640 : (start + length) * 640]
            for _ in range(copies):
                heard = augmented(piece, rng, augmentation, []) if augmentation else piece
                yield Clip(
                    hear(heard.astype(np.float32)),
                    truth[start : start + length].astype(np.float16),
                    ALL_COEFFICIENTS,
                    nothing_known(),
                )


def _at_fps(values: NDArray[np.float32], fps: Fraction, frames: int) -> NDArray[np.float32]:
    places = np.arange(frames) * float(fps / FPS) + _LAG * float(fps)
    places = np.minimum(places, len(values) - 1)
    low = np.clip(places.astype(int), 0, len(values) - 2)
    share = np.clip(places - low, 0.0, 1.0)[:, None]
    result: NDArray[np.float32] = (values[low] * (1 - share) + values[low + 1] * share).astype(
        np.float32
    )
    return result
