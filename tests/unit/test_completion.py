"""Shell completion: the script that a shell loads, and what it is answered."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def osmnet(*arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "osmnet_sdk", *arguments],
        capture_output=True, text=True, timeout=60, env=os.environ | variables,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell", "pwsh"])
def test_each_shell_gets_a_script_for_the_name_that_is_typed(shell):
    script = osmnet("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "_OSMNET_COMPLETE" in script
    assert "osmnet" in script
    assert "python" not in script


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [("osmnet ta", "talk"), ("osmnet talk --see", "--seed"), ("osmnet train mo", "motion")],
)
def test_bash_is_told_commands_and_options(typed, wanted):
    words = typed.split()
    told = osmnet(
        _OSMNET_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=str(len(words) - 1)
    )
    assert wanted in told.split()
