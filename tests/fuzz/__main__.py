"""Tries many odd inputs of every kind and counts what became of them.

    python -m tests.fuzz [--cases 20000] [--first 0] [--jobs 1] [--case NUMBER]

Every case must be read or refused with one of our errors: a message of at most 500 visible
characters, 10 s and 1 GB. The exit code is 1 if one is not.
"""

from __future__ import annotations

import argparse
import json
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.fuzz.kinds import KINDS
from tests.fuzz.worker import kind_of, try_case

SECONDS = 10.0
"""Time limit of a case."""
_START_SECONDS = 120.0
"""Time limit of a worker's start."""
ROOT = Path(__file__).parents[2]


class Worker:
    """Runs a share of the cases in a process of its own, a new one after each that broke it."""

    def __init__(self, first: int, stop: int, step: int) -> None:
        self._range = first, stop, step
        self.outcomes: list[tuple[int, str, str]] = []
        self.slowest = (0.0, -1)

    def run(self) -> None:
        """Try every case of the share."""
        first, stop, step = self._range
        while first < stop:
            first = self._run_from(first, stop, step)

    def _run_from(self, first: int, stop: int, step: int) -> int:
        command = [sys.executable, "-m", "tests.fuzz.worker", str(first), str(stop), str(step)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
        )
        lines: queue.Queue[str] = queue.Queue()
        assert process.stdout is not None
        reader = threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True)
        reader.start()
        at, began, limit = first, time.monotonic(), _START_SECONDS
        try:
            while True:
                try:
                    line = lines.get(timeout=limit)
                except queue.Empty:
                    self.outcomes.append((at, "failed", f"took more than {limit:g} s"))
                    return at + step
                if not line:
                    if at < stop:
                        code = process.wait()
                        self.outcomes.append((at, "failed", f"the process ended with code {code}"))
                    return at + step
                answer = json.loads(line)
                if len(answer) == 1:
                    at, began, limit = answer[0], time.monotonic(), SECONDS
                else:
                    self.outcomes.append((answer[0], answer[1], answer[2]))
                    self.slowest = max(self.slowest, (time.monotonic() - began, at))
                    at += step
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stdout.close()


def _pass_on(stream: Any, lines: queue.Queue[str]) -> None:
    for line in stream:
        lines.put(line)
    lines.put("")


def main() -> int:
    """Run from the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--case", type=int, help="try this one alone, in this process")
    wanted = parser.parse_args()
    if wanted.case is not None:
        print(kind_of(wanted.case), *try_case(wanted.case), sep="\n")
        return 0
    last = wanted.first + wanted.cases
    workers = [Worker(wanted.first + job, last, wanted.jobs) for job in range(wanted.jobs)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _report(workers)


def _report(workers: list[Worker]) -> int:
    outcomes = sorted(outcome for worker in workers for outcome in worker.outcomes)
    counts = Counter((kind_of(number), outcome) for number, outcome, _ in outcomes)
    print(f"{'kind':22}{'cases':>8}{'read':>8}{'refused':>9}{'failed':>8}")
    for kind in [*KINDS, None]:
        numbers = [
            sum(counts[name, outcome] for name in KINDS if kind in (None, name))
            for outcome in ("read", "refused", "failed")
        ]
        print(f"{kind or 'all':22}{sum(numbers):8}{numbers[0]:8}{numbers[1]:9}{numbers[2]:8}")
    seconds, number = max(worker.slowest for worker in workers)
    print(f"slowest: case {number} ({kind_of(number)}), {seconds:.1f} s")
    failed = [outcome for outcome in outcomes if outcome[1] == "failed"]
    for number, _, why in failed[:40]:
        print(f"\ncase {number} ({kind_of(number)}): {why}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
