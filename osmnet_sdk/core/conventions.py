"""Units, axes and names that the whole project shares; standard library only.

Head frame: right-handed, metres, +X to the subject's left, +Y up, +Z out of the face.
Rotation: degrees, columns (pitch, yaw, roll) about X, Y and Z, intrinsic order Y·X·Z,
R = R_y(yaw) · R_x(pitch) · R_z(roll). Pitch > 0 looks down, yaw > 0 turns to the
subject's left, roll > 0 tilts towards the subject's right shoulder.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Literal, get_args

FPS = Fraction(25)
"""Frame rate of every track inside the package, in frames per second."""

SAMPLE_RATE = 16_000
"""Sample rate of all audio inside the package, in Hz."""

SAMPLES_PER_FRAME = SAMPLE_RATE // int(FPS)
"""Audio samples in one frame of a track (640)."""

AXES = ("pitch", "yaw", "roll")
"""Column names of a rotation, in degrees."""

EULER_ORDER = "YXZ"
"""Intrinsic order of rotation; apply to (yaw, pitch, roll) with scipy's `Rotation.from_euler`."""

TAKE_SCHEMA = "osmnet.take/1"
"""Schema name and version written into every take file."""

# Bounds on what comes from files and other programs; docs/formats.md lists them all.

LOWEST_FPS, HIGHEST_FPS = 1, 1000
"""Frame rates of tracks, in frames per second."""

MAX_FRAMES = 1_000_000
"""Frames of a track: 11 hours at 25 fps, 4.6 at 60."""

MAX_SECONDS = 36_000
"""Length of a recording, 10 hours."""

MIN_PHOTO_SIDE = 32
"""Shortest side of a photo, in pixels."""

MAX_ANGLE = 180.0
"""Angles of a track, degrees, to either side."""

MAX_TRANSLATION = 10.0
"""Translations of a track, metres, to either side."""

MAX_ARRAYS = 500_000_000
"""Bytes that all arrays of a file may have together, unpacked."""

MAX_MEMBERS = 64
"""Arrays of an .npz file."""

MAX_DIRECTORY = 100_000
"""Bytes of the directory of an .npz file, and of one array's header."""

MAX_JSON = 1_000_000
"""Characters of a JSON text."""

MAX_NESTING = 16
"""How deep lists and objects of a JSON text may lie in one another."""

MAX_TEXT = 40_000
"""Characters of one text in a JSON text: more than a path of any system has."""

MAX_INTEGER = 2**63 - 1
"""Whole numbers in a JSON text, to either side of 0."""

MAX_PHONES = 250_000
"""Phones of a track: 5 hours of fast speech."""

MAX_PHONE_FILE = 64_000_000
"""Bytes of a file of phones."""

MAX_PHONE_JSON = 32_000_000
"""The same in JSON, whose values take many times that in memory."""

_RATE = re.compile(r"\+?(\d{1,20}(?:\.\d{0,20})?)(?:/(\d{1,20}))?")

ARKIT_NAMES = (
    "eyeBlinkLeft",
    "eyeLookDownLeft",
    "eyeLookInLeft",
    "eyeLookOutLeft",
    "eyeLookUpLeft",
    "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeLookDownRight",
    "eyeLookInRight",
    "eyeLookOutRight",
    "eyeLookUpRight",
    "eyeSquintRight",
    "eyeWideRight",
    "jawForward",
    "jawRight",
    "jawLeft",
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthRight",
    "mouthLeft",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)
"""The 52 ARKit blendshape names, in the column order of Live Link Face CSV files."""

RendererName = Literal["warp", "guided", "paper"]
RENDERERS = get_args(RendererName)
"""How frames can be drawn: the photo warped, the warp finished by a network, and the paper's Video
Generator, which paints every pixel."""

AudioFeatures = Literal["auto", "speech", "mel"]
AUDIO_FEATURES = get_args(AudioFeatures)
"""What the expression network hears: features of a pretrained speech encoder, mel windows as in the
paper, or, with "auto", the first of these that the bundle has weights for."""


def frame_count(samples: int, sample_rate: int = SAMPLE_RATE) -> int:
    """Number of frames T = ceil(25 · seconds) that `samples` of audio last.

    Args:
        samples: number of samples, 0 or more.
        sample_rate: samples per second.
    """
    return math.ceil(samples * FPS / sample_rate)


def exact_rate(value: Fraction | int | float | str | Decimal) -> Fraction:
    """A frame rate as an exact fraction, whose denominator is at most 100 000.

    Args:
        value: a number, or a text such as "25", "29.97" or "30000/1001".

    Raises:
        ValueError: unless it is a number from `LOWEST_FPS` to `HIGHEST_FPS`.
    """
    # By a pattern and a comparison, since a fraction of "1e999999999" would take forever.
    number = _rate_of(value) if isinstance(value, str) else value
    if not LOWEST_FPS <= number <= HIGHEST_FPS:
        raise ValueError("outside of the range")
    rate = Fraction(number).limit_denominator(100_000)
    return min(max(rate, Fraction(LOWEST_FPS)), Fraction(HIGHEST_FPS))


def _rate_of(text: str) -> Fraction:
    found = _RATE.fullmatch(text.strip()[:100]) if text.isascii() else None
    if found is None or not int(found[2] or 1):
        raise ValueError("not a number")
    return Fraction(found[1]) / int(found[2] or 1)
