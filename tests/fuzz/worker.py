"""A process that tries cases; its memory is limited, and it may be killed by the one that waits.

    python -m tests.fuzz.worker FIRST STOP STEP

Case N is of kind N modulo their number; the same number is the same case.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

from tests.fuzz.kinds import KINDS, check_message

MEMORY = 1_000_000_000
"""Bytes that a case may take on top of what the process has at its start."""


def _limit_memory() -> None:
    with Path("/proc/self/statm").open() as stream:
        now = int(stream.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))


def _errors() -> tuple[type[Exception], ...]:
    from osmnet_sdk.errors import OSMNetError

    found: list[type[Exception]] = [OSMNetError]
    addon = sys.modules.get("osmnet_addon.core.errors")
    if addon is not None:
        found.append(addon.AddonError)
    return tuple(found)


def kind_of(number: int) -> str:
    """Name of the kind of a case."""
    return list(KINDS)[number % len(KINDS)]


def try_case(number: int) -> tuple[str, str]:
    """Try a case: "read" or "refused", or "failed" with what went wrong."""
    from osmnet_sdk.errors import OSMNetWarning

    rng = random.Random(number)
    kind = KINDS[kind_of(number)]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        path = kind.case(Path(folder), rng)
        try:
            kind.read(path, rng)
            outcome = "read", ""
        except _errors() as error:
            outcome = "refused", str(error)
        except BaseException:
            os.chdir("/")
            return "failed", traceback.format_exc()[-3000:]
        os.chdir("/")
        try:
            if outcome[0] == "refused":
                check_message(outcome[1])
            for warning in told:
                if issubclass(warning.category, OSMNetWarning):
                    check_message(str(warning.message))
        except AssertionError as error:
            return "failed", f"{error}: {outcome[1][:1000]!r}"
    return outcome


def _warm_up() -> None:
    """Import and open everything once, so that only cases count for memory."""
    import scipy.interpolate  # noqa: F401

    rng: Any = random.Random(0)
    for kind in KINDS.values():
        for name, data in kind.seeds().items():
            with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                path = Path(folder) / name
                path.write_bytes(data)
                try:
                    kind.read(path, rng)
                except _errors():
                    pass
                finally:
                    os.chdir("/")


def main() -> None:
    """Try the cases and say of each, on a line, that it begins and how it ended."""
    first, stop, step = map(int, sys.argv[1:])
    out = os.fdopen(os.dup(1), "w", buffering=1)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    _warm_up()
    _limit_memory()
    for number in range(first, stop, step):
        print(json.dumps([number]), file=out)
        print(json.dumps([number, *try_case(number)]), file=out)


if __name__ == "__main__":
    main()
