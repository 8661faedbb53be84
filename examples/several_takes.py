"""Several takes of one voice, and the one that moves most as a film.

    python examples/several_takes.py [FOLDER] [--takes N] [--seconds S]

All takes say the same words with the same lips; each moves its head in another way. The table shows
how far apart they are, the film is that of the liveliest.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
from skimage.data import astronaut

import osmnet_sdk as sdk

VOICE = Path(__file__).with_name("voice.flac")


def main() -> None:
    """Sample takes, compare them, render the one with the widest motion."""
    parser = argparse.ArgumentParser(description="Several takes of the sample voice, and a film.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("out/several_takes"))
    parser.add_argument("--takes", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="how much of the voice")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)

    sound = sdk.load_audio(VOICE).samples[: int(16000 * arguments.seconds)], 16000
    face = sdk.fit_face(astronaut())
    takes = sdk.sample_takes(sound, n=arguments.takes, seed=1, face=face)

    spread = [take.motion.rotation.std(axis=0) for take in takes]
    print("take   pitch     yaw    roll   (standard deviation, degrees)")
    for number, (take, size) in enumerate(zip(takes, spread, strict=True), start=1):
        print(f"{number:4}  " + "  ".join(f"{value:6.2f}" for value in size))
        take.save(arguments.folder / f"take{number}.npz")
    for (i, one), (k, other) in combinations(enumerate(takes, start=1), 2):
        apart = np.abs(one.motion.rotation - other.motion.rotation).mean()
        print(f"takes {i} and {k} are {apart:.2f}° apart on average")

    liveliest = int(np.argmax([size.sum() for size in spread]))
    film = arguments.folder / f"take{liveliest + 1}.mp4"
    sdk.render_video(face, takes[liveliest], film, audio=sound, size=(192, 192))
    print(f"Take {liveliest + 1} moves most: {film}")


if __name__ == "__main__":
    main()
