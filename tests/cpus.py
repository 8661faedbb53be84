"""The tests that compare numbers, as on processors with fewer instructions, and on one thread.

    python tests/cpus.py [NAME …]

Each line of `PROCESSORS` is a process of its own, in which every library that chooses its code by
the processor is held to what a smaller one has: torch, oneDNN and MKL below it, numpy, OpenBLAS and
numba. The processor at hand, with all that it has, is what `make test` runs on.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]

TESTS = (
    "tests/unit",
    "tests/pipeline/test_basis.py",
    "tests/pipeline/test_batched_rendering.py",
    "tests/pipeline/test_directed_takes.py",
    "tests/pipeline/test_expression.py",
    "tests/pipeline/test_face_model_and_fit.py",
    "tests/pipeline/test_face_networks.py",
    "tests/pipeline/test_guided_rendering.py",
    "tests/pipeline/test_motion_sampler.py",
    "tests/pipeline/test_photos.py",
    "tests/pipeline/test_render.py",
    "tests/pipeline/test_render_details.py",
    "tests/pipeline/test_takes.py",
)
"""All that compares numbers, but for training and evaluation, which take minutes."""

LEFT_OUT = (
    "audio_damage", "bench_peers", "bundle", "completion", "console", "container", "devices",
    "diagnosis", "files_and_progress", "image_sequence", "imports", "layouts", "options", "outputs",
    "prepared_data", "provenance_label", "recorded_clips", "resuming", "same_sound", "stopping",
    "untrusted_files", "weights",
)  # fmt: skip
"""Tests of tests/unit about files, texts and processes."""

PROCESSORS = {
    "SSE4.2": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Nehalem",
        "NUMBA_CPU_NAME": "nehalem",
        "NUMBA_CPU_FEATURES": "+sse4.2,+popcnt,+cx16",
        "OMP_NUM_THREADS": "1",
    },
    "AVX-512": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE", "OMP_NUM_THREADS": "1"},
    "AVX2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx2,+fma,+bmi,+bmi2,+popcnt,+sse4.2,+cx16,+lzcnt,+f16c",
        "OMP_NUM_THREADS": "2",
    },
}
"""What limits the libraries to the instructions of a processor, and to how many threads."""


def numpy_limits(processor: str) -> dict[str, str]:
    """What holds numpy's own loops to a processor, by the names of the installed version."""
    found = np.show_config("dicts")["SIMD Extensions"].get("found", [])
    large = [name for name in found if name.startswith(("AVX512", "X86_V4"))]
    off = {"SSE4.2": found, "AVX2": large}.get(processor, [])
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(off)} if off else {}


def passes(processor: str) -> bool:
    """Run the tests as on one processor; whether they pass."""
    limits = PROCESSORS[processor] | numpy_limits(processor)
    ignored = [f"--ignore=tests/unit/test_{name}.py" for name in LEFT_OUT]
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ignored, *TESTS],
        cwd=ROOT, env=os.environ | limits, check=False, capture_output=True, text=True,
    )  # fmt: skip
    said = done.stdout if done.returncode else done.stdout.strip().splitlines()[-1]
    print(f"== {processor}: {' '.join(f'{key}={value}' for key, value in limits.items())}")
    print(f"{said}\n== {processor}: {time.monotonic() - start:.0f} s", flush=True)
    return done.returncode == 0


def main() -> None:
    """Run from the command line."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        print(f"Limits are known for x86-64 alone, not for {platform.machine()}: left out.")
        return
    wanted = sys.argv[1:] or list(PROCESSORS)
    with ThreadPoolExecutor(2) as pool:  # two cores: those of one thread run side by side
        passed = dict(zip(wanted, pool.map(passes, wanted), strict=True))
    failed = [name for name in wanted if not passed[name]]
    if failed:
        raise SystemExit(f"Tests fail as on {', '.join(failed)}.")


if __name__ == "__main__":
    main()
