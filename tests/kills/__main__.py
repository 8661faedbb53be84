"""python -m tests.kills [COUNT] [SEED]: kill jobs at random moments and count what went wrong."""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.kills.killing import SIGNALS, killed, prepared_jobs

VOICE = Path(__file__).parents[2] / "examples" / "voice.flac"


def main() -> None:
    """Run the kills; exit code 1 if a single thing was not as it must be."""
    count, seed = (int(word) for word in (sys.argv[1:] + ["100", "0"][len(sys.argv) - 1 :]))
    chance = random.Random(seed)
    counts: Counter[tuple[str, str, str]] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = list(prepared_jobs(folder, VOICE, ("talk", "video", "pictures", "sample")))
        for job in jobs:
            print(f"{job.name}: {job.seconds:.1f} s, {len(job.files)} files", flush=True)
        signs = list(SIGNALS)
        for number in range(count):
            job, sign = jobs[number % len(jobs)], signs[number // len(jobs) % len(signs)]
            outcome = killed(job, folder / f"kill-{number}", sign, chance)
            state = "finished" if outcome.finished else "early" if outcome.early else "stopped"
            counts[job.name, sign, state] += 1
            counts[job.name, sign, "faults"] += bool(outcome.faults)
            print(number, job.name, sign, state, outcome.kept, *outcome.faults, flush=True)
    print("\n| job | signal | stopped | in Python's start | finished before | faults |")
    print("|---|---|---|---|---|---|")
    for job in jobs:
        for sign in signs:
            row = [counts[job.name, sign, s] for s in ("stopped", "early", "finished", "faults")]
            print("|", " | ".join([job.name, sign, *map(str, row)]), "|")
    faults = sum(n for (_, _, state), n in counts.items() if state == "faults")
    print(f"{count} kills, {faults} with faults")
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
