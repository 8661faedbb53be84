"""The main job, run by an environment's own Python: job.py OSMNET FOLDER."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image
from skimage.data import astronaut

import osmnet_sdk as sdk

OSMNET, FOLDER = sys.argv[1], Path(sys.argv[2])
SECONDS = 0.6


def osmnet(*words: object) -> dict:
    """Run the command; its result."""
    command = [OSMNET, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER, timeout=600)
    if done.returncode or "Traceback" in done.stderr:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return json.loads(done.stdout) if "--json" in words else {}


def main() -> None:
    """Let a photo speak, and do with the takes what users do first."""
    assert "site-packages" in sdk.__file__, sdk.__file__
    samples, rate = soundfile.read(FOLDER / "sample voice.flac")
    soundfile.write(FOLDER / "voice.wav", samples[: int(SECONDS * rate)], rate)
    Image.fromarray(astronaut()).save(FOLDER / "photo.png")

    made = osmnet("talk", "photo.png", "voice.wav", "-o", "out", "-n", "2", "--json")
    takes = [sdk.load_take(FOLDER / path) for path in made["takes"]]
    frames = len(takes[0])
    assert frames == 15, frames
    assert takes[0].motion != takes[1].motion
    for key in ("sheet", "curves"):
        with Image.open(FOLDER / made[key]) as picture:
            assert np.asarray(picture).std() > 10, key

    video, take = FOLDER / made["videos"][0], FOLDER / made["takes"][0]
    assert osmnet("sample", "voice.wav", "-o", "more", "-n", "1", "--json")["takes"]
    assert osmnet("express", "voice.wav", "-o", "spoken.npz", "--json")["frames"] == frames
    assert osmnet("track", video, "-o", "tracked.npz", "--json")["frames"] == frames
    osmnet("retake", take, "voice.wav", "--from", "0.2", "--to", "0.5", "-o", "again.npz")
    assert len(sdk.load_take(FOLDER / "again.npz")) == frames
    assert osmnet("convert", take, "take.csv", "--json")["frames"] == frames
    assert osmnet("convert", "take.csv", "back.npz", "--json")["frames"] == frames
    osmnet("render", "photo.png", take, "-o", "frames", "--size", "64x64")
    assert len(list((FOLDER / "frames").glob("*.png"))) == frames
    assert osmnet("check", "photo.png", "--json")["photos"][0]["score"] > 0
    osmnet("head", "photo.png", "-o", "head.glb")
    assert osmnet("info", "--json")["bundle"] == "starter"
    assert osmnet("doctor", "--json")["good"]
    osmnet("--help")
    osmnet("talk", "--help")
    print(f"  frames of each take: {frames}")


if __name__ == "__main__":
    main()
