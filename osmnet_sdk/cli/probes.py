"""Trying what may be broken in a process of its own; the standard library alone.

A package that is missing, damaged or crashes so becomes an answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from osmnet_sdk.engine.finding import no_window

_SECONDS = 300.0
_PROJECT = Path(__file__).parents[2]

_IMPORTS = """
import importlib, json, sys
for name in sys.argv[1:]:
    print(json.dumps({"try": name}), flush=True)
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
"""
TORCH = """
import json, torch
from osmnet_sdk.core.devices import describe_device
print(json.dumps({"build": torch.version.cuda or torch.version.hip or "",
                  "mps": torch.backends.mps.is_available(),
                  "device": describe_device("auto")}))
"""
BUNDLE = """
import json, sys
from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.errors import OSMNetError
try:
    bundle = find_bundle(sys.argv[1])
    for name in bundle.manifest.files:
        bundle.path(name)
    print(json.dumps({"name": bundle.name, "version": bundle.manifest.version,
                      "files": len(bundle.manifest.files), "sha256": bundle.sha256}))
except OSMNetError as error:
    print(json.dumps({"error": str(error)}))
"""
FFMPEG = """
import json, av
print(json.dumps({
    "versions": {k: ".".join(map(str, v)) for k, v in av.library_versions.items()},
    "missing": sorted({"libx264", "aac", "h264", "mp3"} - av.codecs_available),
}))
"""


def broken_imports(modules: list[str]) -> dict[str, str]:
    """What was wrong, by module, for each that cannot be imported."""
    broken: dict[str, str] = {}
    left = list(modules)
    while left:
        code, lines, said = _probe(_IMPORTS, *left)
        tried = [line["try"] for line in lines if "try" in line]
        last = ""
        for line in lines:
            last = line.get("try", last)
            if "error" in line:
                broken[last] = line["error"]
        if not code or not tried:
            if code:
                broken.update(dict.fromkeys(left, said))
            return broken
        broken[tried[-1]] = said  # it took the process with it; the others are tried without it
        left = left[len(tried) :]
    return broken


def facts(code: str, *arguments: str) -> tuple[dict[str, Any], str]:
    """What a piece of code printed as JSON, or nothing and what went wrong."""
    status, lines, said = _probe(code, *arguments)
    if status or not lines:
        return {}, said or "nothing was answered"
    return lines[-1], ""


def _probe(code: str, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """Run code in another process: exit status, the JSON lines it printed, its last words."""
    # Not from the folder that one stands in, which may hold an "av.py"; this package comes last.
    code = f"import sys; sys.path.append({str(_PROJECT)!r})\n{code}"
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, *arguments], stdin=subprocess.DEVNULL,
            capture_output=True, timeout=_SECONDS, check=False, creationflags=no_window(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 1, [], f"no answer within {_SECONDS:.0f} s"
    except OSError as error:
        return 1, [], f"{sys.executable} cannot be started ({error.strerror})"
    lines = []
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith("{"):
            lines.append(json.loads(line))
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    ended = f"it ended with code {done.returncode}" if done.returncode else ""
    return done.returncode, lines, (said[-1] if said else ended)[:300]
