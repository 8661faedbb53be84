"""Programs that are asked to end do so at once and leave nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")

PROGRAM = """
import sys, time
from osmnet_sdk.core.files import replaced
from osmnet_sdk.core.stopping import exit_on_signals, stopped_by_signals
exit_on_signals()
class Callback:
    def __del__(self):
        print("ready", flush=True)
        time.sleep(3)  # what is raised here is dropped by Python
def work():
    with replaced(sys.argv[1]):
        if sys.argv[2] == "callback":
            Callback()
        print("ready", flush=True)
        time.sleep(60)
with stopped_by_signals():
    work()
"""


def heed_signals():
    """Tests that run in the background, or under nohup, have children that ignore some."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def started(folder, how="plain", preexec_fn=heed_signals):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, folder / "a.txt", how],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=preexec_fn,
    )  # fmt: skip


@pytest.mark.parametrize("how", ["plain", "callback"])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_a_program_in_good_order(tmp_path, number, code, how):
    with started(tmp_path, how) as program:
        program.stdout.readline()
        program.send_signal(number)
        _, said = program.communicate(timeout=30)
    assert (program.returncode, said) == (code, "")
    assert not list(tmp_path.iterdir())


def test_signals_that_are_to_be_ignored_are(tmp_path):
    def ignore():
        heed_signals()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with started(tmp_path, preexec_fn=ignore) as program:
        program.stdout.readline()
        program.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert program.poll() is None
        program.terminate()
        program.communicate(timeout=30)
    assert program.returncode == 143


def test_the_library_leaves_signals_alone():
    code = (
        "import signal; before = [signal.getsignal(n) for n in signal.valid_signals()]\n"
        "import osmnet_sdk.client, osmnet_sdk.cli.application\n"
        "import osmnet_sdk.__main__, osmnet_sdk.engine.__main__\n"
        "print([signal.getsignal(n) for n in signal.valid_signals()] == before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize("module", ["osmnet_sdk", "osmnet_sdk.engine"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_early_signal_prints_nothing(module, number):
    """Of our own code; Python's start before it, some 20 ms, is not ours to guard."""
    arguments = [] if module == "osmnet_sdk.engine" else ["info"]
    for delay in (0.02, 0.04, 0.06, 0.1):
        with subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=heed_signals,
        ) as program:  # fmt: skip
            time.sleep(delay)
            program.send_signal(number)
            _, said = program.communicate(timeout=60)
        if "Traceback" in said:
            assert os.sep + "osmnet_sdk" + os.sep not in said
        else:
            assert program.returncode in (-number, 128 + number)
