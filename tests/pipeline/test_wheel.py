"""The built wheel, alone in an empty environment outside the checkout, does the main job."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

INSTALL = Path(__file__).parents[1] / "install" / "run.py"


@pytest.mark.timeout(1800)  # pip may have half a gigabyte to fetch
def test_the_wheel_works_on_its_own():
    """With the versions of constraints.txt; `make test-install` tries the newest and the oldest."""
    done = subprocess.run(
        [sys.executable, INSTALL, "--versions", "tested"],
        capture_output=True, text=True, timeout=1700,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "frames of each take: 15" in done.stdout
