"""The main job on the sample photo and the sample voice: python examples/demo.py [FOLDER]

Makes five take files, five videos with sound, a sheet of frames (takes by rows, time by columns)
and a plot of the takes' pitch, yaw and roll. The photo is scikit-image's `astronaut` (NASA, public
domain); the voice is described in examples/README.md.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image
from skimage.data import astronaut

VOICE = Path(__file__).with_name("voice.flac")


def main() -> int:
    """Run `osmnet talk` as a user would; return its exit code."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out/demo")
    folder.mkdir(parents=True, exist_ok=True)
    photo = folder / "photo.png"
    Image.fromarray(astronaut()).save(photo)
    command = [sys.executable, "-m", "osmnet_sdk", "talk", photo, VOICE, "-o", folder, "-n", "5"]
    return subprocess.run([str(part) for part in command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
