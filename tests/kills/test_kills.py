"""A handful of kills; `make test-kills` does a hundred."""

import random
import sys

import pytest
from kills.killing import SIGNALS, killed, prepared_jobs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def test_a_killed_command_leaves_nothing_broken_and_is_gone_on_with(tmp_path, voice):
    chance = random.Random(7)
    [job] = prepared_jobs(tmp_path, voice, ("pictures",))
    for sign in SIGNALS:
        assert killed(job, tmp_path / sign, sign, chance).faults == []
