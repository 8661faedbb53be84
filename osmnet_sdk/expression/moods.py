"""Moods that an animator asks for: what they do to face, head and blinks.

Faces after the prototypes of the Facial Action Coding System (Ekman, Friesen & Hager 2002, its
investigator's guide), as far as they leave the mouth to speech: of the actions that open the jaw
or part the lips (AU 25 to 27) none is used. Tiredness is none of these emotions: its lids droop
(AU 41, 43), and people who are tired blink more (Stern, Boyer & Schroeder 1994). How strong each
action is, the angles of the head and the other rates of blinks are by judgement, from portraits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.core.curves import ramp
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.lips import CLOSE, parted
from osmnet_sdk.options import ExpressionOptions

FloatArray = NDArray[np.float32]
Array = NDArray[np.float64]

EASE_SECONDS = 0.6
"""Time in which a mood comes or goes, half of it before the time that is named."""

TURN_SECONDS = 1.2
"""Time in which a head that starts at rest takes the bearing of its mood."""


@dataclass(frozen=True)
class _Look:
    """A mood at strength 1.

    Attributes:
        face: coefficients by ARKit name; names of both sides without "Left" and "Right".
        bearing: pitch, yaw and roll of the head in degrees.
        blinking: factor on the rate of blinks.
    """

    face: Mapping[str, float]
    bearing: tuple[float, float, float] = (0.0, 0.0, 0.0)
    blinking: float = 1.0


_LOOKS = {
    "neutral": _Look({}),
    # AU 6 cheek raiser, 12 lip corner puller; with 7, as smiles narrow the eyes.
    "happy": _Look(
        {"mouthSmile": 0.95, "cheekSquint": 0.75, "eyeSquint": 0.25, "mouthDimple": 0.30,
         "browOuterUp": 0.15},
        (-2.0, 0.0, 2.0),
    ),
    # AU 1 inner brow raiser, 4 brow lowerer, 15 lip corner depressor, 17 chin raiser; lids sink.
    "sad": _Look(
        {"browInnerUp": 1.0, "browDown": 0.20, "mouthFrown": 0.95, "mouthShrugLower": 0.45,
         "eyeSquint": 0.20, "eyeBlink": 0.20},
        (6.0, 0.0, 3.0), 0.85,
    ),
    # AU 4, 5 upper lid raiser, 7 lid tightener, 23 and 24 lips tightened and pressed, 9 a little.
    "angry": _Look(
        {"browDown": 1.0, "eyeSquint": 0.60, "eyeWide": 0.30, "noseSneer": 0.55,
         "mouthPress": 0.60, "mouthFrown": 0.55},
        (4.0, 0.0, 0.0), 0.8,
    ),
    # AU 1, 2 outer brow raiser, 5.
    "surprised": _Look(
        {"browInnerUp": 1.0, "browOuterUp": 1.0, "eyeWide": 0.95},
        (-3.0, 0.0, 0.0), 0.7,
    ),
    # AU 1, 2, 4, 5, 7, 20 lip stretcher.
    "afraid": _Look(
        {"browInnerUp": 1.0, "browOuterUp": 0.20, "browDown": 0.35, "eyeWide": 0.95,
         "eyeSquint": 0.20, "mouthStretch": 0.90, "mouthFrown": 0.35},
        (-2.0, 0.0, 0.0), 1.3,
    ),
    # AU 9 nose wrinkler, 10 upper lip raiser, 15, 17, with 4 and 7.
    "disgusted": _Look(
        {"noseSneer": 1.0, "mouthUpperUp": 0.55, "browDown": 0.60, "eyeSquint": 0.50,
         "cheekSquint": 0.40, "mouthFrown": 0.60, "mouthShrugLower": 0.45},
        (-3.0, 0.0, 2.0),
    ),
    # AU 41 and 43 lids droop, 1 as people raise the brows to keep their eyes open, 15 faintly.
    "tired": _Look(
        {"eyeBlink": 0.48, "browInnerUp": 0.25, "mouthFrown": 0.35, "eyeSquint": 0.15},
        (6.0, 0.0, 2.0), 1.5,
    ),
}  # fmt: skip


def _row(face: Mapping[str, float]) -> Array:
    row = np.zeros(len(ARKIT_NAMES))
    for index, name in enumerate(ARKIT_NAMES):
        row[index] = face.get(name, face.get(name.removesuffix("Left").removesuffix("Right"), 0.0))
    return row


_FACES = {name: _row(look.face) for name, look in _LOOKS.items()}


def mood_weights(options: ExpressionOptions, first: int, frames: int) -> dict[str, Array]:
    """How strong each mood is in frames of a performance, those that occur, by name.

    Ranges take the place of the mood of the whole; where they overlap they share it.

    Args:
        options: `mood`, `mood_strength` and `moods`.
        first: number of the first frame.
        frames: how many, n.

    Returns:
        (n,) in [0, 1] each.
    """
    times = (first + np.arange(frames)) / float(FPS)
    presences = [_presence(times, mood.start, mood.end) for mood in options.moods]
    crowd = np.maximum(np.sum(presences, axis=0), 1.0) if presences else np.ones(frames)
    parts = [
        (mood.name, mood.strength, presence / crowd)
        for mood, presence in zip(options.moods, presences, strict=True)
    ]
    rest = 1.0 - np.sum([share for _, _, share in parts], axis=0) if parts else np.ones(frames)
    weights: dict[str, Array] = {}
    for name, strength, share in [*parts, (options.mood, options.mood_strength, rest)]:
        if name != "neutral" and strength > 0:
            weights[name] = weights.get(name, np.zeros(frames)) + strength * share
    return weights


def _presence(times: Array, start: float, end: float) -> Array:
    """From 0 to 1 about the start and back about the end; 1 in the middle of the shortest one.

    What starts at 0 is there from the first frame on.
    """
    length = min(EASE_SECONDS, end - start)
    comes = ramp((times - start) / length + 0.5) if start > 0 else np.ones_like(times)
    result: Array = comes * ramp((end - times) / length + 0.5)
    return result


def has_mood(options: ExpressionOptions) -> bool:
    """Whether any mood is asked for."""
    return (options.mood != "neutral" and options.mood_strength > 0) or bool(options.moods)


def with_moods(
    curves: FloatArray, options: ExpressionOptions, first: int, lip_gain: FloatArray
) -> FloatArray:
    """Curves with the moods of their times laid over them; the lips' gap stays what it was.

    Args:
        curves: (n, 52) in [0, 1].
        options: `mood`, `mood_strength` and `moods`.
        first: number of the first frame in the performance.
        lip_gain: (52,) how far each coefficient parts the lips.

    Returns:
        (n, 52) in [0, 1].
    """
    weights = mood_weights(options, first, len(curves))
    if not weights:
        return curves
    # What a mood adds takes its share of what is left up to 1, so that nothing runs into the end.
    free = np.ones((len(curves), len(ARKIT_NAMES)))
    for name, weight in weights.items():
        free *= 1.0 - weight[:, None] * _FACES[name]
    wanted = 1.0 - (1.0 - curves.astype(np.float64)) * free
    gain = lip_gain.astype(np.float64)
    if gain[CLOSE] < 0:
        wanted = parted(wanted, curves @ gain, gain)
    return np.clip(wanted, 0.0, 1.0).astype(np.float32)


def bearing(options: ExpressionOptions, frames: int) -> Array:
    """What moods add to the head's angles, (frames, 3) degrees; 0 at the first frame."""
    result = np.zeros((frames, 3))
    for name, weight in mood_weights(options, 0, frames).items():
        result += weight[:, None] * np.array(_LOOKS[name].bearing)
    return result * ramp(np.arange(frames) / (TURN_SECONDS * float(FPS)))[:, None]


def blinking(options: ExpressionOptions, frames: int) -> Array:
    """(frames,) factor of moods on the rate of blinks."""
    result = np.ones(frames)
    for name, weight in mood_weights(options, 0, frames).items():
        result *= _LOOKS[name].blinking ** weight
    return result


def moods_of(made_with: Mapping[str, Any]) -> ExpressionOptions:
    """The moods alone among the options that provenance tells, neutral if they are unreadable.

    Args:
        made_with: `Provenance.options` of a take.
    """
    told = made_with.get("expression") or {}
    names = ("mood", "mood_strength", "moods")
    try:
        return ExpressionOptions(**{name: told[name] for name in names if name in told})
    except InputError:
        return ExpressionOptions()
