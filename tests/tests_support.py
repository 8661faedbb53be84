"""Small helpers of several tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_wav(path: Path, samples: NDArray[np.floating], rate: int) -> Path:
    """Write mono 16-bit sound."""
    import soundfile

    soundfile.write(path, samples, rate, subtype="PCM_16")
    return path


def osmnet(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process: each of its own would load torch anew."""
    from typer.testing import CliRunner

    from osmnet_sdk.cli.application import app

    words = [str(argument) for argument in arguments]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)


def osmnet_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "osmnet_sdk", *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", timeout=300,
    )  # fmt: skip


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Hold that a command ended with exit code 2 and one line of error with these words."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1, done.stderr
    for word in words:
        assert word in errors[0]
