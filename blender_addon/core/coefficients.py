# SPDX-License-Identifier: GPL-3.0-or-later
"""What each of the 52 ARKit coefficients does, in plain words; left and right are the person's."""

from __future__ import annotations

from .conventions import ARKIT_NAMES

_SIDED = {
    "eyeBlink": "Closes the {} eye",
    "eyeLookDown": "Turns the {} eye down",
    "eyeLookIn": "Turns the {} eye towards the nose",
    "eyeLookOut": "Turns the {} eye away from the nose",
    "eyeLookUp": "Turns the {} eye up",
    "eyeSquint": "Tightens the lids of the {} eye",
    "eyeWide": "Opens the {} eye wide",
    "mouthSmile": "Pulls the {} corner of the mouth up and out",
    "mouthFrown": "Pulls the {} corner of the mouth down",
    "mouthDimple": "Pulls the {} corner of the mouth back",
    "mouthStretch": "Stretches the {} corner of the mouth sideways and down",
    "mouthPress": "Presses the lips together at the {} side",
    "mouthLowerDown": "Lowers the lower lip at the {} side, showing the teeth",
    "mouthUpperUp": "Raises the upper lip at the {} side, showing the teeth",
    "browDown": "Lowers the {} eyebrow",
    "browOuterUp": "Raises the outer end of the {} eyebrow",
    "cheekSquint": "Raises the {} cheek under the eye",
    "noseSneer": "Wrinkles the nose at the {} side",
}
_SINGLE = {
    "jawForward": "Pushes the lower jaw forward",
    "jawLeft": "Moves the lower jaw to the person's left",
    "jawRight": "Moves the lower jaw to the person's right",
    "jawOpen": "Opens the jaw",
    "mouthClose": "Keeps the lips closed while the jaw is open",
    "mouthFunnel": "Opens the lips into a funnel, as in 'sh'",
    "mouthPucker": "Draws the lips together to a kiss, as in 'oo'",
    "mouthLeft": "Moves the mouth to the person's left",
    "mouthRight": "Moves the mouth to the person's right",
    "mouthRollLower": "Rolls the lower lip in over the teeth, as in 'f'",
    "mouthRollUpper": "Rolls the upper lip in over the teeth",
    "mouthShrugLower": "Pushes the lower lip up",
    "mouthShrugUpper": "Pushes the upper lip up",
    "browInnerUp": "Raises the inner ends of both eyebrows",
    "cheekPuff": "Puffs out both cheeks",
    "tongueOut": "Puts the tongue out",
}


def description(name: str) -> str:
    """What a coefficient does.

    >>> description("jawOpen")
    'Opens the jaw'
    """
    if name in _SINGLE:
        return _SINGLE[name]
    for side in ("Left", "Right"):
        if name.endswith(side):
            return _SIDED[name.removesuffix(side)].format(side.lower())
    raise KeyError(name)


DESCRIPTIONS = {name: description(name) for name in ARKIT_NAMES}
"""The description of each coefficient."""
