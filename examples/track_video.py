"""A real performance as a take, put on another face.

    python examples/track_video.py [VIDEO] [-o FOLDER]

Without a video it first makes one of the sample photo, so that there is something to follow. The
tracked take goes to a .npz, and drives the mirrored sample photo: performance.mp4.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from skimage.data import astronaut

import osmnet_sdk as sdk

VOICE = Path(__file__).with_name("voice.flac")


def made_video(folder: Path) -> Path:
    """A second of the sample photo speaking."""
    sound = sdk.load_audio(VOICE).samples[16000:32000], 16000
    face = sdk.fit_face(astronaut())
    take = sdk.sample_takes(sound, seed=2, face=face)[0]
    return sdk.render_video(face, take, folder / "actor.mp4", audio=sound)


def main() -> None:
    """Track a video and let another face perform it."""
    parser = argparse.ArgumentParser(description="A tracked performance on another face.")
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("out/track_video"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    video = arguments.video or made_video(arguments.out)
    take = sdk.track_video(video)
    take.save(arguments.out / "performance.npz")
    turns = np.ptp(take.motion.rotation, axis=0)
    jaw = take.expression.column("jawOpen")
    print(f"{len(take)} frames tracked; pitch, yaw, roll range over {np.round(turns, 1)} degrees,")
    print(f"the jaw opens up to {jaw.max():.2f}.")

    other = sdk.fit_face(np.ascontiguousarray(astronaut()[:, ::-1]))
    film = sdk.render_video(other, take, arguments.out / "performance.mp4", audio=video)
    print(f"Now play {film}.")


if __name__ == "__main__":
    main()
