"""Units, axes and names that the whole project shares; standard library only.

Head frame: right-handed, metres, +X to the subject's left, +Y up, +Z out of the face.
Rotation: degrees, columns (pitch, yaw, roll) about X, Y and Z, intrinsic order Y·X·Z,
R = R_y(yaw) · R_x(pitch) · R_z(roll). Pitch > 0 looks down, yaw > 0 turns to the
subject's left, roll > 0 tilts towards the subject's right shoulder.
"""

from __future__ import annotations

import math
from fractions import Fraction

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

RENDERERS = ("warp", "guided", "paper")
"""How frames can be drawn: the photo warped, the warp finished by a network, and the paper's Video
Generator, which paints every pixel."""


def frame_count(samples: int, sample_rate: int = SAMPLE_RATE) -> int:
    """Number of frames T = ceil(25 · seconds) that `samples` of audio last.

    Args:
        samples: number of samples, 0 or more.
        sample_rate: samples per second.
    """
    return math.ceil(samples * FPS / sample_rate)
