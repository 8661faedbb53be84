"""A first take: one photo and one voice in, one performance out, as curves and as a film.

    python examples/first_take.py [FOLDER] [--seconds S]

Writes take.npz (the curves) and take.mp4 (the film, with sound).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from skimage.data import astronaut

import osmnet_sdk as sdk

VOICE = Path(__file__).with_name("voice.flac")


def main() -> None:
    """Sample one take of the sample voice and let the sample photo perform it."""
    parser = argparse.ArgumentParser(description="A first take of the sample photo and voice.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("out/first_take"))
    parser.add_argument("--seconds", type=float, default=3.0, help="how much of the voice")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)

    voice = sdk.load_audio(VOICE)
    sound = voice.samples[: int(16000 * arguments.seconds)], 16000
    face = sdk.fit_face(astronaut())  # a path will do as well

    take = sdk.sample_takes(sound, seed=7, face=face)[0]
    take.save(arguments.folder / "take.npz")
    film = sdk.render_video(face, take, arguments.folder / "take.mp4", audio=sound)

    pitch, yaw, roll = abs(take.motion.rotation).max(axis=0)
    print(f"{len(take)} frames; the head turns by up to {yaw:.1f}°, nods by {pitch:.1f}°,")
    print(f"tilts by {roll:.1f}°. Now play {film}.")


if __name__ == "__main__":
    main()
