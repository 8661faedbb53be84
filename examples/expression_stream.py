"""Expression while somebody still speaks: sound in small pieces in, ARKit coefficients out.

    python examples/expression_stream.py [SOUND]

The sound comes in pieces of 20 ms, as from a microphone. Each line shows the opening of the jaw a
fifth of a second after it was said; a game or a puppet would be driven by these numbers.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import osmnet_sdk as sdk

VOICE = Path(__file__).with_name("voice.flac")
PIECE = 320  # samples: 20 ms at 16 kHz


def main() -> None:
    """Feed a recording piece by piece and draw how far the jaw is open."""
    parser = argparse.ArgumentParser(description="Expression as a stream, 200 ms behind the sound.")
    parser.add_argument("sound", nargs="?", type=Path, default=VOICE)
    parser.add_argument("--seconds", type=float, default=4.0, help="how much of the sound")
    arguments = parser.parse_args()

    samples = sdk.load_audio(arguments.sound).samples[: int(16000 * arguments.seconds)]
    stream = sdk.expression_stream()
    count, times = 0, []
    for start in range(0, len(samples), PIECE):
        began = time.perf_counter()
        frames = stream.feed(samples[start : start + PIECE])  # (n, 52): often none, sometimes one
        times.append(time.perf_counter() - began)
        if len(frames):
            for jaw in sdk.ExpressionTrack(25, frames).column("jawOpen"):
                print(f"{count / 25:5.2f} s  {'█' * round(40 * jaw)}")
                count += 1
    count += len(stream.finish())  # the last ones, which waited for sound that will not come

    print(f"{count} frames, each ready {stream.look_ahead:.2f} s after its time;")
    usual = np.mean(np.sort(times)[:-1]) * 1000
    print(f"A piece of 20 ms takes {usual:.1f} ms of work, but for the one that loads the network.")


if __name__ == "__main__":
    main()
