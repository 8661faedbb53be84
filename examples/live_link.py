"""Takes as Live Link Face CSV, for Unreal, MetaHuman, iClone and others, and back again.

    python examples/live_link.py [FOLDER] [--fps 30]

Writes take.csv and reads it again, as it would read what an iPhone recorded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import osmnet_sdk as sdk

VOICE = Path(__file__).with_name("voice.flac")


def main() -> None:
    """Write a take as Live Link Face would, read it back, say what the way costs."""
    parser = argparse.ArgumentParser(description="A take of the sample voice as Live Link CSV.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("out/live_link"))
    parser.add_argument("--fps", default=None, help="rows a second, such as 30 or 30000/1001")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)

    take = sdk.sample_takes(VOICE, seed=5)[0]
    path = sdk.write_livelink_csv(take, arguments.folder / "take.csv", fps=arguments.fps)
    back = sdk.read_livelink_csv(path)

    lost = np.abs(back.expression.coefficients[: len(take)] - take.expression.coefficients)
    rows = len(path.read_text(encoding="utf-8").splitlines()) - 1
    print(f"{path}: {rows} rows of 61 values")
    print(f"read back: {len(back)} frames, coefficients within {lost.max():.5f}")


if __name__ == "__main__":
    main()
