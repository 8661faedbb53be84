"""Signals that ask a program to end; for programs alone: the library leaves signals as they are.

Standard library only: this is loaded first, so that even an early signal ends without a traceback.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # the last is Windows' Ctrl-Break
    if hasattr(signal, name)
]
_PATIENCE = 10.0
"""Seconds after a signal from which on a second one ends the program, whatever it is at."""


class Stopped(KeyboardInterrupt):
    """A signal asked the program to end.

    Attributes:
        exit_code: what the program ends with: 130 for SIGINT, 143 for SIGTERM.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.exit_code = _exit_code(number)


def exit_on_signals() -> None:
    """From here on a signal ends the program at once and silently: it has not begun yet."""
    _handle(lambda number, frame: os._exit(_exit_code(number)))


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """While this lasts, a signal raises `Stopped`, and then the program ends with its exit code.

    Whatever was not finished is removed. Further signals are ignored while that goes on.
    """
    from osmnet_sdk.core.temporaries import remove_own

    received: list[tuple[signal.Signals, float]] = []
    main = _thread.get_ident()

    def stop(number: int, frame: FrameType | None) -> None:
        if not received:
            received.append((signal.Signals(number), time.monotonic()))
            raise Stopped(number)
        if time.monotonic() - received[0][1] > _PATIENCE:
            remove_own()
            os._exit(_exit_code(number))

    def raise_again(ignored: Any) -> None:
        """Python drops what is raised in a destructor or a callback: then it comes again."""
        if not issubclass(ignored.exc_type, Stopped):
            usual(ignored)
            return
        number, _ = received.pop()
        _thread.start_new_thread(_later, (number, main))

    usual, sys.unraisablehook = sys.unraisablehook, raise_again
    _handle(stop)
    try:
        yield
    except KeyboardInterrupt:
        if not received:
            raise
    finally:
        exit_on_signals()  # an orderly end is not to be interrupted by a traceback
        sys.unraisablehook = usual
        if received:
            remove_own()
            _flush()
            # What still runs on other threads is not waited for.
            os._exit(_exit_code(received[0][0]))


def _later(number: signal.Signals, main: int) -> None:
    time.sleep(0.05)
    if sys.platform == "win32":
        _thread.interrupt_main(number)
    else:
        signal.pthread_kill(main, number)


def _exit_code(number: int) -> int:
    known = number in (signal.SIGINT, signal.SIGTERM) or sys.platform != "win32"
    return 128 + (number if known else signal.SIGINT)


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup asks, and & in a script
            signal.signal(number, handler)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
