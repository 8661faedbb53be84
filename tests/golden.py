"""Digests of what the project puts out, to prove that a change of its shape changed nothing else.

    python tests/golden.py out/golden.json              all outputs of the SDK, about a minute
    python tests/golden.py --compare BEFORE AFTER       what differs, with exit code 1
    BLENDER_PYTHON tests/golden.py out/golden.json --blender ZIP ENGINE_PYTHON
                                                        Blender's curves, into the same file

An output is a name and the SHA-256 of its exact values, so digests of two machines, or of two
versions of a library, need not agree: run it before and after a change on one machine. It goes
through public calls, the command line and the engine's protocol alone, so that modules may move;
what it must know beside these it finds by its name (`named`).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def compare(before: Path, after: Path) -> int:
    """Print what differs between two files of digests; return how many outputs do."""
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (before, after))
    differing = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    for name in differing:
        verdict = "gone" if name not in new else "new" if name not in old else "changed"
        print(f"{verdict:8} {name}")
    print(f"{len(old.keys() | new.keys()) - len(differing)} alike, {len(differing)} not")
    return len(differing)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", nargs="?", type=Path, default=ROOT / "out" / "golden.json")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("BEFORE", "AFTER"))
    parser.add_argument("--blender", nargs=2, type=Path, metavar=("ZIP", "ENGINE_PYTHON"))
    chosen = parser.parse_args()
    if chosen.compare:
        return int(compare(*chosen.compare) > 0)
    # Before numpy: one thread, one width of text, no colours.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ.update(COLUMNS="100", TERMINAL_WIDTH="100", NO_COLOR="1", TERM="dumb")
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    with tempfile.TemporaryDirectory() as folder:
        if chosen.blender:
            from golden_blender import blender_curves

            digests = blender_curves(*(path.absolute() for path in chosen.blender))
            kept = chosen.output.read_text(encoding="utf-8") if chosen.output.exists() else "{}"
            digests = json.loads(kept) | digests
        else:
            from golden_programs import ProgramOutputs

            digests = ProgramOutputs(Path(folder)).make()
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(digests, indent=1, sort_keys=True, ensure_ascii=False)
    chosen.output.write_text(text + "\n", encoding="utf-8")
    print(f"{len(digests)} digests in {chosen.output}")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Blender's own exit can hang
