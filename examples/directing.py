"""Directing: poses at given times, a range in which the head holds, a range sampled anew.

    python examples/directing.py [FOLDER] [--photo]

Writes directed.npz and better.npz. With --photo also frames at the directed moments: directed.png.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import astronaut

import osmnet_sdk as sdk

VOICE = Path(__file__).with_name("voice.flac")


def main() -> None:
    """Direct a take, check that it does as it was told, and do a part of it again."""
    parser = argparse.ArgumentParser(description="Pins, a hold and a retake of the sample voice.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("out/directing"))
    parser.add_argument("--photo", action="store_true", help="draw the directed moments")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)

    options = sdk.SampleOptions(
        pins=[
            sdk.Pin(2.0, (None, 20, None)),  # at 2 s looks 20° to its left; nod and tilt stay free
            sdk.Pin(6.0, (-5, -10, 0)),  # at 6 s looks up a little, and to its right
        ],
        hold=[(3.5, 4.5)],  # holds the head from 3.5 s to 4.5 s
        end=(0, 0, 0),  # ends where it began
    )
    directed = sdk.sample_takes(VOICE, seed=3, options=options)[0]
    directed.save(arguments.folder / "directed.npz")

    rotation = directed.motion.rotation  # (T, 3): pitch, yaw, roll in degrees, 25 frames a second
    print("at 2 s  ", np.round(rotation[50], 2), "degrees of pitch, yaw, roll")
    print("at 6 s  ", np.round(rotation[150], 2))
    print("at last ", np.round(rotation[-1], 2))
    print(f"3.5 to 4.5 s: yaw within {np.ptp(rotation[88:113, 1]):.2f}°")
    print(f"all:          yaw within {np.ptp(rotation[:, 1]):.2f}°")

    better = sdk.retake(directed, VOICE, 7.0, 9.0)  # two seconds anew, all else to the bit the same
    better.save(arguments.folder / "better.npz")
    moved = np.flatnonzero((better.motion.rotation != rotation).any(axis=1))
    print(f"The retake changed frames {moved[0]} to {moved[-1]}, and no other.")

    if arguments.photo:
        frames = sdk.render(sdk.fit_face(astronaut()), directed, frames=[0, 50, 100, 150])
        Image.fromarray(np.hstack(list(frames))).save(arguments.folder / "directed.png")


if __name__ == "__main__":
    main()
